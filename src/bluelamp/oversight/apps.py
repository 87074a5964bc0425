from django.apps import AppConfig


class OversightConfig(AppConfig):
    name = "bluelamp.oversight"
    label = "oversight"

    def ready(self) -> None:
        from bluelamp.footage import hooks
        from bluelamp.oversight import metrics, names, panels, phrases, services
        from bluelamp.oversight.services import losses, restoring  # noqa: F401  registers its events
        from bluelamp.retention import beside

        names.register()
        phrases.register()
        panels.register()
        metrics.register()
        hooks.deleted.register(services.forget)
        beside.missing_files.register(losses.files_missing)
