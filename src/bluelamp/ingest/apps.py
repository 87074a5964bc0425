from django.apps import AppConfig


class IngestConfig(AppConfig):
    name = "bluelamp.ingest"
    label = "ingest"
