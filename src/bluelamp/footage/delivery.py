"""Whether bytes may leave, asked anew at each request and again while a long answer is on its way."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hmac import compare_digest
from importlib import import_module
from uuid import UUID

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase

from bluelamp.footage import hooks, media, queries
from bluelamp.footage.models import Derivative, Recording, Viewing
from bluelamp.footage.services.viewing import log_picture, log_refusal, session_hash
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict, NotAllowed, NotFound
from bluelamp.people import access
from bluelamp.people.models import Person
from bluelamp.people.policy import Action, may
from bluelamp.people.sessions import person_of_session
from bluelamp.vault.objects import SealedReader

_PICTURES = {"poster": Derivative.Kind.POSTER, "storyboard": Derivative.Kind.STORYBOARD}
_CONTENT_TYPES = {
    "mp4": "video/mp4",
    "quicktime": "video/quicktime",
    "webm": "video/webm",
    "matroska": "video/x-matroska",
    "avi": "video/x-msvideo",
    "mpegts": "video/mp2t",
    "mpeg": "video/mpeg",
}
_UNSAFE = re.compile(r"[^A-Za-z0-9.-]+")


@dataclass(frozen=True)
class Delivery:
    """What may leave now. `filename` is set for a download; `counted`: ranges of it go into the ledger."""

    viewing: Viewing | None
    variant: str
    reader: SealedReader
    content_type: str
    etag: str
    filename: str = ""
    counted: bool = False


def deliver(viewing_id: UUID, variant: str, session_key: str | None) -> Delivery:
    """What this viewing may have. Raises NotFound, NotAllowed (recorded), Conflict, and the vault's errors."""
    viewing = check(viewing_id, session_key)
    recording = viewing.recording
    if variant in _PICTURES:
        return _derivative(recording, viewing, _PICTURES[variant])
    if viewing.purpose == "download" and variant == "download":
        return Delivery(
            viewing=viewing,
            variant="original",
            reader=SealedReader(recording.original, recording.key_id),
            content_type=content_type(recording),
            etag=f'"{recording.sha256}"',
            filename=download_name(recording),
            counted=True,
        )
    if recording.processing != Recording.Processing.READY:
        raise Conflict("This recording is not ready to be watched.", "The original is safe.", "See its page.")
    if variant not in ("original", "viewing") or variant != media.playable(recording):
        raise _refused(viewing, viewing.viewer, f"Its viewing does not include “{variant}”.")
    if variant == "viewing":
        return _derivative(recording, viewing, Derivative.Kind.VIEWING)
    return Delivery(
        viewing=viewing,
        variant="original",
        reader=SealedReader(recording.original, recording.key_id),
        content_type=content_type(recording),
        etag=f'"{recording.sha256}"',
        counted=True,
    )


def check(viewing_id: UUID, session_key: str | None) -> Viewing:
    """The viewing, if its bytes may leave to this session now.

    Raises NotFound for an unknown id, else NotAllowed, which is recorded: another session's viewing, one that was
    closed or has expired, a recording that left use or was locked, a grant that no longer stands.
    """
    viewing = Viewing.objects.select_related("recording").filter(pk=viewing_id).first()
    if viewing is None:
        raise NotFound("There is no such viewing.", "Nothing was opened.", "Open the recording's page.")
    if not is_live(session_key) or not compare_digest(session_hash(session_key or ""), viewing.session_sha256):
        raise _refused(viewing, _name(_person(session_key)), "It was opened in another sign-in.")
    if viewing.closed_at is not None:
        raise _refused(viewing, viewing.viewer, "Access was ended.")
    if viewing.expires_at <= clock.real_now():
        raise _refused(viewing, viewing.viewer, "The time for which it was opened is over.")
    if viewing.recording.state != Recording.State.LIVE:
        raise _refused(viewing, viewing.viewer, "The recording is not in use any more.")
    why = _person_grant(viewing, _person(session_key)) if viewing.grant == "person" else _other_grant(viewing)
    if why:
        raise _refused(viewing, viewing.viewer, why)
    return viewing


def poster(recording_id: UUID, session_key: str | None) -> Delivery:
    """The poster of a recording that the signed-in person may watch without giving a reason; another's is recorded.

    Raises NotFound, NotAllowed (recorded).
    """
    recording = queries.recording(recording_id)
    person = _person(session_key)
    decision = may(access.actor(person), Action.WATCH, queries.thing(recording))
    if person is None or not decision.allowed or decision.needs_reason or recording.state != Recording.State.LIVE:
        why = decision.why if not decision.allowed or decision.needs_reason else "It is not in use any more."
        log_refusal(recording, actor=_name(person), what="poster", why=why)
        raise NotAllowed(why, "No picture was shown. The attempt was logged.")
    found = _derivative(recording, None, Derivative.Kind.POSTER)
    log_picture(person, recording)
    return found


def content_type(recording: Recording) -> str:
    """The media type of the original, from what was found in it, never from its name."""
    return _CONTENT_TYPES.get(str(recording.media.get("container", "")), "application/octet-stream")


def download_name(recording: Recording) -> str:
    """A file name of letters, digits, dots and dashes: camera, start in UTC, the beginning of the id."""
    serial = recording.camera.serial if recording.camera else "recording"
    extension = _UNSAFE.sub("", recording.filename.rpartition(".")[2])[:5].lower() if "." in recording.filename else ""
    stem = f"{serial}-{recording.started_at:%Y%m%dT%H%M%SZ}-{str(recording.pk)[-8:]}"
    return f"{_UNSAFE.sub('-', stem).strip('.-')}.{extension or 'bin'}"


def _derivative(recording: Recording, viewing: Viewing | None, kind: str) -> Delivery:
    derivative = recording.derivatives.filter(kind=kind).first()
    if derivative is None:
        raise NotFound("There is no such picture of this recording.", "The original is safe.")
    return Delivery(
        viewing=viewing,
        variant=kind,
        reader=SealedReader(derivative.object_name, recording.key_id),
        content_type=derivative.content_type,
        etag=f'"{kind}-{derivative.pk}"',
        counted=kind == Derivative.Kind.VIEWING,
    )


def _refused(viewing: Viewing, actor: str, why: str) -> NotAllowed:
    log_refusal(viewing.recording, actor=actor, what="media", why=why)
    return NotAllowed(
        why, "No footage was shown. The attempt was logged.", "Open the recording's page and watch it from there."
    )


def _person_grant(viewing: Viewing, person: Person | None) -> str:
    """Why the person may not have it any more; empty where they may."""
    if person is None or person.custody_id != viewing.viewer:
        return "It was opened by somebody else."
    actor, thing = access.actor(person), queries.thing(viewing.recording)
    wanted = (Action.WATCH, Action.SHARE) if viewing.purpose == "download" else (Action.WATCH,)
    for action in wanted:
        decision = may(actor, action, thing)
        if not decision.allowed:
            return decision.why
    return ""


def _other_grant(viewing: Viewing) -> str:
    stands = hooks.grants.get(viewing.grant.partition(":")[0])
    if viewing.recording.locked_at is not None:
        return "The recording was locked."
    return "" if stands is not None and stands(viewing) else "Access was withdrawn."


def _person(session_key: str | None) -> Person | None:
    return person_of_session(session_key) if session_key else None


def _name(person: Person | None) -> str:
    return person.custody_id if person is not None else "public"


def is_live(session_key: str | None) -> bool:
    """Whether that key names a Django session that has not ended."""
    if not session_key:
        return False
    store: type[SessionBase] = import_module(settings.SESSION_ENGINE).SessionStore
    return store(session_key).exists(session_key)
