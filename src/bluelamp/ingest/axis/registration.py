"""Where the content destination hangs into the rooms below it: footage's hooks, the ledger's names, the pages."""

from __future__ import annotations

from bluelamp.custody import words
from bluelamp.footage import hooks
from bluelamp.ingest.axis import panels
from bluelamp.ingest.axis.services import arrivals
from bluelamp.ingest.models import AxisConnection
from bluelamp.web import navigation, slots

_HISTORY_WORDS = {
    "recording.facts_added": "Marks or positions added by the device",
    "recording.attributed": "Wearer named",
    "recording.key_awaited": "Encrypted by its device: waiting to be opened",
    "recording.unwrapped": "The device’s encryption was opened",
    "axis.object_disputed": "Another file came under the same name",
    "axis.key_failed": "It could not be opened with its key",
    "axis.rejected_decided": "Decided about as rejected content",
    "axis.recording_completed": "Sent completely by the body-worn system",
    "axis.alert_raised": "Alert raised",
}


def register() -> None:
    """Called once, when intake's application is ready."""
    hooks.accepted.register(arrivals.accepted)
    hooks.deleted.register(arrivals.deleted)
    words.sentences(_HISTORY_WORDS)
    words.resolver("axis", _names)
    navigation.register_below("fleet", "Body-worn systems", "axis:systems", order=30)
    slots.register_panel("home", panels.attention, order=52)
    slots.register_panel("recording_panels", panels.rejected, order=5)


def _names(ids: set[str]) -> dict[str, str]:
    numbers = {int(custody_id.partition(":")[2]) for custody_id in ids if custody_id.partition(":")[2].isdecimal()}
    return {
        each.custody_id: f"{each.name} (body-worn system)" for each in AxisConnection.objects.filter(pk__in=numbers)
    }
