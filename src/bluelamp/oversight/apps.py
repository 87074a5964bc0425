from django.apps import AppConfig


class OversightConfig(AppConfig):
    name = "bluelamp.oversight"
    label = "oversight"
