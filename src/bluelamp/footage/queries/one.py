"""One recording, and what the policy needs to know about it."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from bluelamp.footage import hooks
from bluelamp.footage.models import Category, EvidenceFlag, Recording
from bluelamp.kernel.errors import NotFound
from bluelamp.people.policy import Action, Actor, Thing, may

_RELATED = ("camera", "wearer", "unit", "added_by", "category", "incident", "locked_by")


def recording(recording_id: UUID) -> Recording:
    """One recording with what its page names. Raises NotFound."""
    found = Recording.objects.select_related(*_RELATED).filter(pk=recording_id).first()
    if found is None:
        raise NotFound(
            "There is no recording at this address.",
            "A deleted recording would still show when it went; this address was never one.",
            "Search for the recording.",
        )
    return found


def members(recording: Recording) -> frozenset[int]:
    """Ids of the people with a role in a case that the recording belongs to."""
    return frozenset().union(*hooks.members.call(recording))


def thing(recording: Recording) -> Thing:
    """What the policy needs to know about `recording`."""
    locked = recording.locked_at is not None
    released = recording.released_to.values_list("pk", flat=True) if locked else ()
    return Thing(
        subject=recording.custody_id,
        wearer=recording.wearer_id,
        unit=recording.unit_id,
        adder=recording.added_by_id,
        members=members(recording),
        locked=locked,
        released_to=frozenset(released),
    )


def things(recordings: Iterable[Recording], person_id: int) -> dict[UUID, Thing]:
    """The same for a page of results and one asker, with one question about cases and one about releases."""
    listed = list(recordings)
    of_cases = recordings_of_member(person_id)
    locked = [item.pk for item in listed if item.locked_at is not None]
    through = Recording.released_to.through.objects.filter(recording_id__in=locked, person_id=person_id)
    released = set(through.values_list("recording_id", flat=True)) if locked else set()
    return {
        item.pk: Thing(
            subject=item.custody_id,
            wearer=item.wearer_id,
            unit=item.unit_id,
            adder=item.added_by_id,
            members=frozenset({person_id}) if item.pk in of_cases else frozenset(),
            locked=item.locked_at is not None,
            released_to=frozenset({person_id}) if item.pk in released else frozenset(),
        )
        for item in listed
    }


def recordings_of_member(person_id: int) -> frozenset[UUID]:
    """Ids of the recordings that belong to a case in which the person has a role."""
    return frozenset(item for found in hooks.recordings_of_member.call(person_id) for item in found)


def standing_flag(recording: Recording) -> EvidenceFlag | None:
    """The flag that makes it evidence now."""
    return recording.flags.filter(released_at=None).select_related("category", "flagged_by").first()


def categories(*, evidential: bool | None = None) -> list[Category]:
    """All categories in their order, or those of evidence only."""
    found = Category.objects.all()
    return list(found if evidential is None else found.filter(evidential=evidential))


def parts(recording: Recording, reader: Actor) -> list[Recording]:
    """The other files of the same incident that `reader` may see the facts of, in order of time."""
    if recording.incident_id is None:
        return []
    siblings = Recording.objects.filter(incident_id=recording.incident_id).exclude(pk=recording.pk)
    found = list(siblings.select_related("wearer", "camera").order_by("started_at", "part"))
    about = things(found, reader.id) if reader.id is not None else {}
    return [item for item in found if may(reader, Action.VIEW_FACTS, about.get(item.pk)).allowed]
