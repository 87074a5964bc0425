"""Who has a recording open, and who has watched what of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bluelamp.footage.models import Recording, ServedRange, Viewing
from bluelamp.footage.services.viewing import session_hash
from bluelamp.kernel import clock


def open_viewing(recording: Recording, viewer: str, session_key: str | None, purpose: str = "view") -> Viewing | None:
    """The viewing that this person has open in this session, so that a reload asks for no second reason."""
    if not session_key:
        return None
    return (
        Viewing.objects.filter(
            recording=recording,
            viewer=viewer,
            purpose=purpose,
            session_sha256=session_hash(session_key),
            closed_at=None,
            expires_at__gt=clock.real_now(),
        )
        .order_by("-opened_at")
        .first()
    )


@dataclass(frozen=True)
class Watched:
    """The stretches (ms, ms) of a recording that one viewer has had, merged and in order."""

    viewer: str
    name: str
    last_at: datetime
    stretches: tuple[tuple[int, int], ...]

    @property
    def seconds(self) -> int:
        return sum(end - start for start, end in self.stretches) // 1000


def watched(recording: Recording) -> list[Watched]:
    """What everybody has watched, the latest viewer first; reckoned from the bytes that left (approximate)."""
    rows = (
        ServedRange.objects.filter(viewing__recording=recording, from_ms__isnull=False)
        .order_by("from_ms")
        .values_list("viewing__viewer", "viewing__viewer_name", "from_ms", "to_ms", "served_at")
    )
    by_viewer: dict[str, tuple[str, datetime, list[tuple[int, int]]]] = {}
    for viewer, name, start, end, at in rows:
        _, last, stretches = by_viewer.get(viewer, (name, at, []))
        if stretches and start <= stretches[-1][1]:
            stretches[-1] = (stretches[-1][0], max(stretches[-1][1], end))
        else:
            stretches.append((start, end))
        by_viewer[viewer] = (name, max(last, at), stretches)
    found = [Watched(viewer, name, at, tuple(parts)) for viewer, (name, at, parts) in by_viewer.items()]
    return sorted(found, key=lambda item: item.last_at, reverse=True)
