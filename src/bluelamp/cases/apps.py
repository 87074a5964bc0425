from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "bluelamp.cases"
    label = "cases"

    def ready(self) -> None:
        from bluelamp.cases import panels, queries, services
        from bluelamp.footage import hooks as footage_hooks
        from bluelamp.retention import hooks as retention_hooks

        footage_hooks.members.register(queries.members)
        footage_hooks.recordings_of_member.register(queries.recordings_of_member)
        footage_hooks.deleted.register(services.forget_content)
        retention_hooks.attached_reasons.register(queries.retention_reasons)
        retention_hooks.reviews.register(queries.reviews_due)
        retention_hooks.attached_to.register(lambda: "SELECT recording_id FROM cases_recording")
        panels.register()
