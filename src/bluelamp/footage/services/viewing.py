"""Opening the bytes of a recording to one person, and counting what left."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from bluelamp import custody
from bluelamp.custody import queries as ledger
from bluelamp.footage import events, extent
from bluelamp.footage.models import Recording, ServedRange, Viewing
from bluelamp.footage.services.marks import LONGEST_REASON
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict, Invalid
from bluelamp.people.events import AccessRefused
from bluelamp.people.models import Person

PURPOSES = ("view", "download")
_PICTURE_OF_A_LIST = timedelta(hours=1)  # a list is logged as one event; its pictures are asked for one by one


@custody.service
def open_viewing(
    recording: Recording,
    *,
    viewer: str,
    viewer_name: str,
    grant: str,
    reason: str,
    session_key: str,
    purpose: str = "view",
    hours: float = 8,
) -> Viewing:
    """Let `viewer` (a custody id) have the recording's bytes in this Django session, for `hours` of real time.

    `grant` ("person", "share:<uuid>") is asked again at each request. Whether it is allowed is the caller's to
    decide. Raises Conflict unless the recording is live, Invalid without a session.
    """
    if purpose not in PURPOSES:
        raise ValueError(f"{purpose!r} is not a purpose of a viewing")
    if not session_key:
        raise Invalid("Your sign-in has ended.", "Nothing was opened.", "Sign in again.")
    recording.refresh_from_db(fields=["state"])
    if recording.state != Recording.State.LIVE:
        raise Conflict("This recording is not in use any more.", "It cannot be watched.", "See why on its page.")
    opened = clock.real_now()
    viewing = Viewing.objects.create(
        recording=recording,
        viewer=viewer,
        viewer_name=viewer_name,
        grant=grant,
        purpose=purpose,
        reason=reason.strip()[:LONGEST_REASON],
        session_sha256=session_hash(session_key),
        opened_at=clock.now(),
        expires_at=opened + timedelta(hours=hours),
    )
    custody.record(
        events.RecordingViewed(
            actor=viewer,
            subject=recording.custody_id,
            also=() if grant == "person" else (grant,),
            reason=viewing.reason,
            viewing=viewing.pk,
            viewer_name=viewer_name,
            grant=grant,
            purpose=purpose,
            expires_at=viewing.expires_at,
        )
    )
    return viewing


@custody.service
def close_viewing(viewing: Viewing, *, actor: str, reason: str = "") -> None:
    """End a viewing now; closing it again changes nothing."""
    if not Viewing.objects.filter(pk=viewing.pk, closed_at=None).update(closed_at=clock.now()):
        custody.nothing_changed()
        return
    custody.record(
        events.ViewingClosed(
            actor=actor, subject=f"recording:{viewing.recording_id}", reason=reason, viewing=viewing.pk
        )
    )


@custody.service
def close_viewings(grant: str, *, actor: str, reason: str = "") -> int:
    """End every open viewing under `grant`, a revoked share for instance. Returns how many there were."""
    found = Viewing.objects.filter(grant=grant, closed_at=None, expires_at__gt=clock.real_now())
    for viewing in found:
        close_viewing(viewing, actor=actor, reason=reason)
    custody.nothing_changed()  # each viewing that ends records its own event
    return len(found)


@custody.service
def close_viewings_of(recording: Recording, *, actor: str, reason: str) -> None:
    """End every open viewing of a recording, whoever opened it and under whatever grant."""
    for viewing in Viewing.objects.filter(recording=recording, closed_at=None, expires_at__gt=clock.real_now()):
        close_viewing(viewing, actor=actor, reason=reason)
    custody.nothing_changed()  # each viewing that ends records its own event


@custody.service
def record_range(viewing: Viewing, variant: str, first: int, last: int, size: int) -> ServedRange:
    """Bytes `first` to `last` of `size` have left. The stretch of time is their share of the length, so approximate."""
    recording = viewing.recording
    found = recording.media.get("extent") if variant == "original" else None
    where = (int(found[0]), int(found[1])) if found else None
    stretch = extent.share(first, last, size, where, recording.duration_ms or 0)
    served = ServedRange.objects.create(
        viewing=viewing,
        variant=variant,
        first_byte=first,
        last_byte=last,
        from_ms=stretch[0] if stretch else None,
        to_ms=stretch[1] if stretch else None,
        served_at=clock.now(),
    )
    custody.record(
        events.RangeServed(
            actor=viewing.viewer,
            subject=recording.custody_id,
            viewing=viewing.pk,
            variant=variant,
            first_byte=first,
            last_byte=last,
            from_ms=served.from_ms,
            to_ms=served.to_ms,
        )
    )
    return served


@custody.service
def log_listing(by: Person, recordings: Iterable[Recording], filters: Mapping[str, Any]) -> None:
    """One event for a page of results: which recordings of others `by` saw listed, and what was searched for."""
    others = tuple(recording.custody_id for recording in recordings if recording.wearer_id != by.pk)
    if not others:
        custody.nothing_changed()
        return
    custody.record(
        events.FootageListed(
            actor=by.custody_id,
            subject="system:search",
            also=others,
            filters=events.plain(dict(filters)),
            count=len(others),
        )
    )


@custody.service
def log_picture(by: Person, recording: Recording) -> None:
    """That `by` was shown the poster of another's recording, where no list of the last hour has said so already."""
    since = clock.now() - _PICTURE_OF_A_LIST
    listed = events.FootageListed.tag
    if recording.wearer_id == by.pk or ledger.happened(
        listed, actor=by.custody_id, subject=recording.custody_id, since=since
    ):
        custody.nothing_changed()
        return
    log_listing(by, [recording], {"page": "poster"})


@custody.service
def log_consultation(by: Person, recording: Recording) -> None:
    """That `by` read the facts of another's recording; one's own needs no event."""
    if recording.wearer_id == by.pk:
        custody.nothing_changed()
        return
    custody.record(events.RecordingConsulted(actor=by.custody_id, subject=recording.custody_id))


@custody.service
def log_refusal(recording: Recording, *, actor: str, what: str, why: str) -> None:
    """That bytes of a recording were asked for and refused."""
    custody.record(
        AccessRefused(actor=actor, subject=recording.custody_id, action="watch", path=f"/media/ ({what})", why=why)
    )


@custody.unrecorded("computes a hash")
def session_hash(session_key: str) -> str:
    """How a viewing names its session: SHA-256, so that the table opens no session."""
    return hashlib.sha256(session_key.encode()).hexdigest()
