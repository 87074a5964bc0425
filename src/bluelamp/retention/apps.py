from django.apps import AppConfig


class RetentionConfig(AppConfig):
    name = "bluelamp.retention"
    label = "retention"

    def ready(self) -> None:
        from bluelamp.retention import registration

        registration.register()
