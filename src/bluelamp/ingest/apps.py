from django.apps import AppConfig


class IngestConfig(AppConfig):
    name = "bluelamp.ingest"
    label = "ingest"

    def ready(self) -> None:
        from bluelamp.ingest import panels
        from bluelamp.ingest.adding import registration as adding
        from bluelamp.ingest.axis import registration as axis
        from bluelamp.ingest.imports import registration as imports

        panels.register()
        axis.register()
        adding.register()
        imports.register()
