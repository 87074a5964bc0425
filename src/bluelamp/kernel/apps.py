from django.apps import AppConfig


class KernelConfig(AppConfig):
    name = "bluelamp.kernel"
    label = "kernel"
