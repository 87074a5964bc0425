from django.apps import AppConfig


class IngestConfig(AppConfig):
    name = "bluelamp.ingest"
    label = "ingest"

    def ready(self) -> None:
        from bluelamp.ingest import panels
        from bluelamp.ingest.axis import registration as axis

        panels.register()
        axis.register()
