from django.apps import AppConfig


class RedactionConfig(AppConfig):
    name = "bluelamp.redaction"
    label = "redaction"
