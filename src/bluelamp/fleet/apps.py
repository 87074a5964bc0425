from django.apps import AppConfig


class FleetConfig(AppConfig):
    name = "bluelamp.fleet"
    label = "fleet"
