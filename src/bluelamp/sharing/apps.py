from django.apps import AppConfig


class SharingConfig(AppConfig):
    name = "bluelamp.sharing"
    label = "sharing"

    def ready(self) -> None:
        from bluelamp.footage import hooks as footage_hooks
        from bluelamp.retention import hooks as retention_hooks
        from bluelamp.sharing import panels, queries, services

        footage_hooks.grants["share"] = queries.grant_stands
        footage_hooks.deleted.register(services.forget_content)
        retention_hooks.reasons.register(queries.retention_reasons)
        panels.register()
