from django.apps import AppConfig


class OversightConfig(AppConfig):
    name = "bluelamp.oversight"
    label = "oversight"

    def ready(self) -> None:
        from bluelamp.oversight import names, panels, phrases

        names.register()
        phrases.register()
        panels.register()
