"""Refusals at the docks' entrance go into the ledger, but nobody can flood it through them."""

from __future__ import annotations

from bluelamp import custody
from bluelamp.ingest.events import CameraRefused, DockRefused
from bluelamp.kernel.limiter import Limiter

_docks = Limiter()
_cameras = Limiter()


@custody.service
def refuse_dock(peer: str, path: str, why: str) -> None:
    """Record that `peer` (an address) called the docks' entrance without a valid token."""
    unreported = _docks.admit(peer)
    if unreported is None:
        custody.nothing_changed()
        return
    custody.record(
        DockRefused(actor="public", subject="system:docks", peer=peer, path=path[:200], why=why, unreported=unreported)
    )


@custody.service
def refuse_camera(dock: str, serial: str, why: str) -> None:
    """Record that a dock (custody id) brought a camera that was turned away."""
    unreported = _cameras.admit(f"{dock} {serial}")
    if unreported is None:
        custody.nothing_changed()
        return
    custody.record(CameraRefused(actor=dock, subject=f"camera:{serial}", also=(dock,), why=why, unreported=unreported))
