from django.apps import AppConfig


class FootageConfig(AppConfig):
    name = "bluelamp.footage"
    label = "footage"
