from django.apps import AppConfig


class SharingConfig(AppConfig):
    name = "bluelamp.sharing"
    label = "sharing"

    def ready(self) -> None:
        from bluelamp.footage import hooks as footage_hooks
        from bluelamp.retention import hooks as retention_hooks
        from bluelamp.sharing import panels, queries, services
        from bluelamp.sharing.packages import panels as package_panels
        from bluelamp.sharing.packages import services as packages

        footage_hooks.grants["share"] = queries.grant_stands
        footage_hooks.deleted.register(services.forget_content)
        footage_hooks.deleted.register(packages.forget_content)
        retention_hooks.attached_reasons.register(queries.retention_reasons)
        retention_hooks.attached_to.register(lambda: "SELECT recording_id FROM sharing_share WHERE revoked_at IS NULL")
        panels.register()
        package_panels.register()
