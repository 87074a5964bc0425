"""What becomes known of a recording after it was accepted: marks and positions, its wearer, its place among others."""

from __future__ import annotations

import json
from typing import Any

from bluelamp import custody
from bluelamp.footage import search
from bluelamp.footage.events import FactsAdded, RecordingAttributed
from bluelamp.footage.models import Recording
from bluelamp.footage.services.locked import changeable
from bluelamp.people.models import Person


@custody.service
def add_facts(
    recording: Recording,
    *,
    actor: str,
    events: list[dict[str, Any]] | None = None,
    track: list[dict[str, Any]] | None = None,
) -> None:
    """Add what the device told later, in the form of a manifest; what stands there already is not added twice.

    Raises Conflict for a recording that has been deleted.
    """
    recording = changeable(recording)
    new_events = _missing(recording.events, events or [])
    new_places = _missing(recording.track, track or [])
    if not new_events and not new_places:
        custody.nothing_changed()
        return
    recording.events = sorted([*recording.events, *new_events], key=lambda event: str(event.get("at", "")))
    recording.track = sorted([*recording.track, *new_places], key=lambda place: str(place.get("at", "")))
    recording.save(update_fields=["events", "track"])
    custody.record(
        FactsAdded(
            actor=actor, subject=recording.custody_id, events_added=len(new_events), positions_added=len(new_places)
        )
    )


@custody.service
def attribute(recording: Recording, *, wearer: Person, actor: str, reason: str = "") -> None:
    """Say who wore the camera, of a recording that came without a wearer; its unit, where it has none, follows.

    A wearer that is known is never changed: nothing happens then. Raises Conflict for a deleted recording.
    """
    recording = changeable(recording)
    if recording.wearer_id is not None:
        custody.nothing_changed()
        return
    recording.wearer = wearer
    recording.unit_id = recording.unit_id or wearer.unit_id
    recording.save(update_fields=["wearer", "unit"])
    custody.record(
        RecordingAttributed(
            actor=actor,
            subject=recording.custody_id,
            also=(wearer.custody_id,),
            reason=reason,
            wearer=wearer.custody_id,
            unit=recording.unit.code if recording.unit else None,
        )
    )
    search.index(recording)


def _missing(known: list[dict[str, Any]], given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What of `given` is not among the `known`, once each; a track may have tens of thousands of entries."""
    there = {json.dumps(item, sort_keys=True) for item in known}
    new = {json.dumps(item, sort_keys=True): item for item in given}
    return [item for text, item in new.items() if text not in there]


@custody.unrecorded("the order of an incident's files follows from their times, which are in the ledger")
def number(recording: Recording, part: int) -> None:
    """Say the how-manieth file of its incident the recording is."""
    if recording.part != part:
        recording.part = part
        Recording.objects.filter(pk=recording.pk).update(part=part)
