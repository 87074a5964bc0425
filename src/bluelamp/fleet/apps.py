from django.apps import AppConfig


class FleetConfig(AppConfig):
    name = "bluelamp.fleet"
    label = "fleet"

    def ready(self) -> None:
        from bluelamp.fleet import panels

        panels.register()
