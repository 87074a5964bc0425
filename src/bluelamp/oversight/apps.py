from django.apps import AppConfig


class OversightConfig(AppConfig):
    name = "bluelamp.oversight"
    label = "oversight"

    def ready(self) -> None:
        from bluelamp.footage import hooks
        from bluelamp.oversight import metrics, names, panels, phrases, services

        names.register()
        phrases.register()
        panels.register()
        metrics.register()
        hooks.deleted.register(services.forget)
