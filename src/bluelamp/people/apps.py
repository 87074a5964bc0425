from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "bluelamp.people"
    label = "people"

    def ready(self) -> None:
        from bluelamp.people import panels, signals

        signals.connect()
        panels.register()
