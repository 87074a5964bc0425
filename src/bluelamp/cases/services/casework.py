"""Opening and closing a case, its people, and its recordings."""

from __future__ import annotations

from collections.abc import Sequence

from bluelamp import custody
from bluelamp.cases.events import CaseClosed, CaseOpened, MemberAdded, MemberLeft, RecordingAdded
from bluelamp.cases.models import Case, CaseMember, CaseRecording
from bluelamp.footage import hooks
from bluelamp.footage.models import Recording
from bluelamp.footage.services.locked import many as locked_recordings
from bluelamp.kernel import clock
from bluelamp.kernel.among import among
from bluelamp.kernel.errors import Conflict, Invalid
from bluelamp.people.models import Person


@custody.service
def open_case(name: str, *, opened_by: Person, urn: str = "", crime_reference: str = "") -> Case:
    """Open a case; whoever opens it is its officer in the case. Raises Invalid without a name."""
    name, urn = name.strip(), urn.strip().upper()
    if not name:
        raise Invalid("A case needs a name.", "Nothing was opened.", "Give a name that your team will recognise.")
    now = clock.now()
    case = Case.objects.create(
        name=name, urn=urn, crime_reference=crime_reference.strip(), opened_by=opened_by, opened_at=now
    )
    CaseMember.objects.create(case=case, person=opened_by, role=CaseMember.Role.OFFICER_IN_CASE, added_at=now)
    custody.record(CaseOpened(actor=opened_by.custody_id, subject=case.custody_id, urn=urn))
    return case


@custody.service
def add_member(case: Case, person: Person, *, role: str, actor: Person) -> CaseMember:
    """Give `person` a role in the case. Raises Conflict where the case is closed or they have one already."""
    _must_be_open(case)
    if case.members.filter(person=person, left_at=None).exists():
        raise Conflict(f"{person.name} has a role in this case already.", "Nothing was changed.")
    member = CaseMember.objects.create(case=case, person=person, role=role, added_at=clock.now())
    custody.record(
        MemberAdded(
            actor=actor.custody_id, subject=case.custody_id, also=(person.custody_id,), person=person.pk, role=role
        )
    )
    return member


@custody.service
def remove_member(case: Case, person: Person, *, actor: Person, reason: str) -> None:
    """End `person`'s role in the case; viewings that rest on it end with the next byte range.

    Raises Invalid without a reason, Conflict where they have no role or are the only officer in the case, since
    somebody must answer for it.
    """
    if not reason.strip():
        raise Invalid("Say why the role ends.", "Nothing was changed.")
    # Two officers who end each other's role at the same time must not leave the case with none.
    Case.objects.select_for_update(no_key=True).get(pk=case.pk)
    standing = case.members.filter(left_at=None)
    ended = standing.filter(person=person)
    role = ended.values_list("role", flat=True).first()
    if role is None:
        raise Conflict(f"{person.name} has no role in this case.", "Nothing was changed.")
    officers = standing.filter(role=CaseMember.Role.OFFICER_IN_CASE)
    if role == CaseMember.Role.OFFICER_IN_CASE and not officers.exclude(person=person).exists():
        raise Conflict(
            f"{person.name} is the only officer in the case.",
            "Nothing was changed.",
            "Add another officer in the case first.",
        )
    ended.update(left_at=clock.now())
    custody.record(
        MemberLeft(
            actor=actor.custody_id,
            subject=case.custody_id,
            also=(person.custody_id,),
            person=person.pk,
            reason=reason.strip(),
        )
    )


@custody.service
def add_recording(case: Case, recording: Recording, *, actor: Person, reason: str) -> CaseRecording:
    """Link a recording to the case; it is kept from this moment on for as long as the case is open."""
    _must_be_open(case)
    locked = Recording.objects.select_for_update().get(pk=recording.pk)
    if locked.state == Recording.State.DELETED:
        raise Conflict("This recording has been deleted, so it cannot join a case.", "Nothing was changed.")
    if not reason.strip():
        raise Invalid("Say why this recording belongs to the case.", "Nothing was changed.")
    link, created = CaseRecording.objects.get_or_create(
        case=case,
        recording=locked,
        defaults={"added_by": actor, "added_at": clock.now(), "reason": reason.strip()},
    )
    if not created:
        raise Conflict("This recording is in the case already.", "Nothing was changed.")
    custody.record(
        RecordingAdded(
            actor=actor.custody_id,
            subject=case.custody_id,
            also=(locked.custody_id,),
            reason=reason.strip(),
            recording=locked.pk,
        )
    )
    hooks.facts_changed.call(locked)
    return link


@custody.service
def close_case(case: Case, *, actor: Person, outcome: str) -> None:
    """Close the case. Its recordings fall back to the next longest rule that keeps them."""
    _must_be_open(case)
    if not outcome.strip():
        raise Invalid("Say how the case ended.", "The case is still open.")
    Case.objects.filter(pk=case.pk).update(closed_at=clock.now(), outcome=outcome.strip())
    case.refresh_from_db()
    recordings = locked_recordings(case.links.values_list("recording_id", flat=True))
    custody.record(
        CaseClosed(
            actor=actor.custody_id,
            subject=case.custody_id,
            also=tuple(recording.custody_id for recording in recordings),
            outcome=outcome.strip(),
        )
    )
    for recording in recordings:
        hooks.facts_changed.call(recording)


@custody.unrecorded("part of a recording's deletion, which is recorded")
def forget_content(recordings: Sequence[Recording]) -> None:
    """Clear what was written about recordings that are being deleted; that they were in the case stays known."""
    CaseRecording.objects.filter(recording__in=among(recording.pk for recording in recordings)).update(reason="")


def _must_be_open(case: Case) -> None:
    if case.closed_at is not None:
        raise Conflict("This case is closed.", "Nothing was changed.", "Open a new case, or ask its officer.")
