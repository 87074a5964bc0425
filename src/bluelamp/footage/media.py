"""Addresses of a viewing's bytes. Who may have them is decided at each request, in `delivery`."""

from __future__ import annotations

from bluelamp.footage.models import Derivative, Recording, Viewing

VARIANTS = ("original", "viewing", "poster", "storyboard", "download")


def url(viewing: Viewing, variant: str) -> str:
    """/media/<viewing>/<variant>; `variant` is one of VARIANTS, ValueError else."""
    if variant not in VARIANTS:
        raise ValueError(f"{variant!r} is not a variant of a recording")
    return f"/media/{viewing.pk}/{variant}"


def poster_url(recording: Recording) -> str:
    """The poster of a recording that one may watch without giving a reason."""
    return f"/media/poster/{recording.pk}"


def playable(recording: Recording) -> str:
    """The variant that a browser plays: the viewing copy where there is one, else the original."""
    has_copy = recording.derivatives.filter(kind=Derivative.Kind.VIEWING).exists()
    return "viewing" if has_copy else "original"


def play_url(viewing: Viewing) -> str:
    """What a <video> element plays."""
    return url(viewing, playable(viewing.recording))
