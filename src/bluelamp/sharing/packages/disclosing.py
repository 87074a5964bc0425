"""What of an event leaves the force with a package (docs/decisions/012-what-a-package-discloses.md); pure.

What is not named here is withheld: its commitment is given in place of value and salt, as for a field that was erased
by law, so that the event still proves to stand in the log, and the field can be opened later by order of a court.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bluelamp.formats import canonical
from bluelamp.formats.canonical import Value
from bluelamp.formats.disclosure import DisclosedEvent

_ALWAYS = frozenset({"operation", "at"})
_COMMON = frozenset({"tag", "actor", "subject", "also"})
_ID = re.compile(r"([a-z][a-z_]*):[\w.-]+", re.ASCII)

# What the actor is called leaves where the actor does.
_CALLED = frozenset({"detail.viewer_name", "detail.who_name"})

# Ids that name staff, equipment and the program itself; of the others only those that the package is about leave.
_OPEN_KINDS = frozenset({"person", "camera", "dock", "unit", "system", "axis", "import", "addition"})

# By the type of event: which of its own fields leave. Of a type that is not listed only the time and the operation do.
DETAILS: Mapping[str, frozenset[str]] = {
    tag: frozenset(fields.split())
    for tag, fields in {
        "recording.collected": "sha256 size camera sequence started_at ended_at received_at wearer unit incident part"
        " clock_status clock_offset_ms",
        "recording.added": "addition kind clock",
        "recording.added_again": "addition sha256",
        "recording.facts_added": "events_added positions_added",
        "recording.attributed": "wearer unit",
        "recording.arrived_late": "default_due_at review_until",
        "recording.key_awaited": "",
        "recording.unwrapped": "received_sha256 received_size sha256 size",
        "recording.prepared": "duration_ms derivatives attempt",
        "recording.preparation_failed": "attempt final",
        "recording.preparation_requested": "",
        "recording.consulted": "",
        "footage.listed": "count",
        "recording.viewed": "viewing purpose expires_at grant",
        "recording.viewing_closed": "viewing",
        "recording.range_served": "viewing variant first_byte last_byte from_ms to_ms approximate",
        "recording.flagged": "flag category reason",
        "recording.flag_released": "flag category reason",
        "recording.categorised": "before after",
        "recording.reference_added": "kind",
        "recording.note_added": "note at_ms",
        "recording.locked": "",
        "recording.unlocked": "",
        "recording.watch_released": "person",
        "recording.due_set": "before after",
        "recording.quarantined": "due_at",
        "recording.restored": "",
        "retention.extended": "until",
        "retention.review_given": "until",
        "retention.shortening_stopped": "would_be_due_at kept_until",
        "access.refused": "action why",
        "case.recording_added": "recording",
        "case.closed": "",
        "share.created": "recording may_download expires_at",
        "share.invitation_sent": "",
        "share.invitation_renewed": "",
        "share.acknowledged": "",
        "share.revoked": "viewings_ended",
        "package.made": "files bytes",
        "package.sealed": "tag_manifest_sha256 files bytes events withheld",
        "package.failed": "",
        "package.downloaded": "download bytes",
        "package.withdrawn": "",
        "package.refused": "",
    }.items()
}

# Of an event whose subject is this case, this share or this package also these: they are about the recipient alone.
_OWN: Mapping[str, frozenset[str]] = {
    "case.recording_added": frozenset({"reason"}),
    "case.closed": frozenset({"reason", "detail.outcome"}),
    "share.created": frozenset({"detail.recipient", "detail.organisation", "detail.urn"}),
    "package.made": frozenset({"detail.purpose", "detail.recipient"}),
    "package.sealed": frozenset({"detail.purpose", "detail.recipient"}),
    "package.downloaded": frozenset({"reason", "detail.recipient"}),
}


@dataclass(frozen=True)
class Scope:
    """What a package is about: the custody ids of its recordings, its case, its share and recipient, and itself."""

    ids: frozenset[str]

    def names(self, custody_id: str) -> bool:
        """Whether an id may leave."""
        found = _ID.fullmatch(custody_id)
        return custody_id in self.ids or custody_id == "public" or bool(found and found[1] in _OPEN_KINDS)


def disclose(event: DisclosedEvent, scope: Scope) -> tuple[DisclosedEvent, tuple[str, ...]]:
    """The event as it leaves, and the names of the fields withheld; those erased by law before are not among them."""
    shown = {name for name in event.fields if _leaves(name, event.fields, scope)}
    withheld = tuple(sorted(event.fields.keys() - shown))
    commitments = {name: canonical.commit_field(name, event.fields[name], event.salts[name]) for name in withheld}
    told = DisclosedEvent(
        fields={name: value for name, value in event.fields.items() if name in shown},
        salts={name: salt for name, salt in event.salts.items() if name in shown},
        erased={**event.erased, **commitments},
    )
    return told, withheld


def _leaves(name: str, fields: Mapping[str, Any], scope: Scope) -> bool:
    if name in _ALWAYS:
        return True
    tag, value = fields.get("tag"), fields[name]
    details = DETAILS.get(tag) if isinstance(tag, str) else None
    if details is None or not isinstance(tag, str):
        return False
    if name in _CALLED:
        return _harmless("actor", fields.get("actor", ""), scope)
    if name in _OWN.get(tag, frozenset()):
        return fields.get("subject") in scope.ids
    if name == "reason":
        # A person's words: empty ones say nothing, others leave only where they say why this is evidence.
        return value == "" or "reason" in details
    if name in _COMMON or (name.startswith("detail.") and name.removeprefix("detail.") in details):
        return _harmless(name, value, scope)
    return False


def _harmless(name: str, value: Value, scope: Scope) -> bool:
    """Whether every id in a value may leave."""
    if isinstance(value, dict):
        return all(_harmless(name, part, scope) for part in value.values())
    if isinstance(value, list):
        return all(_harmless(name, part, scope) for part in value)
    if not isinstance(value, str):
        return True
    if name in ("actor", "subject", "also"):
        return scope.names(value)
    if name == "detail.recording":
        return f"recording:{value}" in scope.ids
    found = _ID.fullmatch(value)
    return found is None or scope.names(value)
