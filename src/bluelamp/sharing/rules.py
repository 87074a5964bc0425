"""When a share stands, and what may be shared; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

LONGEST_DAYS = 365
WRONG_TRIES_A_CODE = 5
WRONG_TRIES_A_DAY = 10


class Standing(StrEnum):
    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"
    GONE = "gone"
    DELETED = "deleted"


@dataclass(frozen=True)
class ShareFacts:
    """What bears on whether a share stands. `live`: the recording is neither in quarantine nor deleted, nor locked."""

    expires_at: datetime
    revoked_at: datetime | None
    live: bool
    deleted: bool = False


def standing(share: ShareFacts, now: datetime) -> Standing:
    """Where a share stands at `now`; deletion is named first, since nothing else matters then."""
    if share.deleted:
        return Standing.DELETED
    if share.revoked_at is not None:
        return Standing.REVOKED
    if now >= share.expires_at:
        return Standing.EXPIRED
    if not share.live:
        return Standing.GONE
    return Standing.ACTIVE


@dataclass(frozen=True)
class CodeFacts:
    """What bears on whether a one-time code may still be entered."""

    expires_at: datetime
    used: bool
    wrong_tries: int


def code_works(code: CodeFacts, now: datetime) -> bool:
    """Whether a code may still be entered at `now`, in real time."""
    return not code.used and now < code.expires_at and code.wrong_tries < WRONG_TRIES_A_CODE


def email_fits(email: str, domains: list[str]) -> bool:
    """Whether an address belongs to an organisation; one without listed domains takes any address."""
    domain = email.rpartition("@")[2].lower()
    return not domains or any(domain == allowed or domain.endswith(f".{allowed}") for allowed in domains)


def masked(email: str) -> str:
    """An address shown to somebody who has not signed in yet: first letter and domain only."""
    name, _, domain = email.partition("@")
    return f"{name[:1]}{'•' * max(3, len(name) - 1)}@{domain}"
