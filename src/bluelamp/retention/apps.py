from django.apps import AppConfig


class RetentionConfig(AppConfig):
    name = "bluelamp.retention"
    label = "retention"
