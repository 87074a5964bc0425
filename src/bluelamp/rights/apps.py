from django.apps import AppConfig


class RightsConfig(AppConfig):
    name = "bluelamp.rights"
    label = "rights"

    def ready(self) -> None:
        from bluelamp.footage import hooks as footage_hooks
        from bluelamp.retention import hooks as retention_hooks
        from bluelamp.rights import navigation, queries, services

        footage_hooks.accepted.register(services.match_arrivals)
        retention_hooks.attached_reasons.register(queries.retention_reasons)
        retention_hooks.attached_to.register(
            lambda: "SELECT recording_id FROM rights_match WHERE provisional_until IS NOT NULL"
        )
        navigation.register()
