"""Where retention hangs into the rooms below it: footage's hooks, the clock, the pages."""

from __future__ import annotations

from django.http import HttpRequest

from bluelamp.custody import words
from bluelamp.footage import hooks as footage_hooks
from bluelamp.footage.models import Recording
from bluelamp.kernel import clock
from bluelamp.kernel.transaction import on_commit
from bluelamp.people import access
from bluelamp.people.policy import Action
from bluelamp.retention import panels, proving_views, services
from bluelamp.retention.services.deciding import welcome
from bluelamp.retention.services.holding_back import end_of_flag, keep_former_category, keep_former_period
from bluelamp.web import navigation, slots

# That a hold stands is for everybody to know who reads the history; what it is for is not.
_HISTORY_WORDS = {
    "hold.placed": "Hold placed: it cannot be deleted",
    "hold.released": "Hold released",
    "retention.extended": "Kept longer",
    "retention.shortening_stopped": "An edit that would have shortened retention was stopped",
    "retention.shortening_approved": "An edit that shortens retention was approved by a second person",
    "retention.shortening_refused": "An edit that would have shortened retention was refused",
    "retention.shortening_undone": "An edit that would have shortened retention was undone",
    "retention.looked_into": "Looked into, as one of a sample",
    "hold.kept": "Hold reviewed and kept",
    "policy.proposed": "A change of the retention policy was proposed",
    "policy.refused": "A proposed change of the retention policy was turned down",
    "policy.version_made": "A version of the retention policy was made",
    "policy.in_force": "A version of the retention policy took effect",
    "retention.review_given": "Given time for review",
    "recording.arrived_late": "Arrived late: to be reviewed",
    "recording.erased": "Key erased, objects removed, certificate issued",
    "recording.leftover_removed": "Leftover object removed",
    "recording.searched_for": "Searched everywhere for what could be left of it",
}


def register() -> None:
    """Called once, when the app is ready."""
    footage_hooks.arriving.register(welcome)
    footage_hooks.facts_changed.register(_decide_again)
    footage_hooks.flag_replaced.register(keep_former_period)
    footage_hooks.flag_released.register(end_of_flag)
    footage_hooks.category_changed.register(keep_former_category)
    clock.on_advance.register(_do_what_became_due)
    words.resolver("policy", lambda ids: dict.fromkeys(ids, "The retention policy"))
    slots.register_panel("recording_retention", panels.retention)
    slots.register_panel("recording_tombstone", panels.tombstone)
    slots.register_panel("release_of_holds", panels.release_of_holds)
    slots.register_panel("deletion_certificate", proving_views.panel)
    words.sentences(_HISTORY_WORDS)
    navigation.register("Retention", "retention:policy", _may_read_policy, order=60)


def _decide_again(recording: Recording) -> None:
    services.recompute(recording)


def _do_what_became_due() -> None:
    # Never inside the transaction that moved the clock: a sweep erases keys, which no rollback brings back.
    on_commit(_carry_out_and_sweep)


def _carry_out_and_sweep() -> None:
    services.carry_out_policy()
    services.sweep()


def _may_read_policy(request: HttpRequest) -> bool:
    return access.allows(request, Action.VIEW_POLICY)
