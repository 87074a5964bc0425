"""Panels that upper rooms put into the pages of lower ones.

The recording page, for instance, says where its retention sentence may stand (`slot("recording.facts", ...)`) without
knowing who fills the place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest
from markupsafe import Markup

Panel = Callable[..., "Markup | None"]


@dataclass(frozen=True)
class _Registered:
    order: int
    panel: Panel


_panels: dict[str, list[_Registered]] = {}


def register_panel(slot_name: str, panel: Panel, order: int = 0) -> None:
    """Put `panel` into the slot `slot_name`, once; lower `order` stands first, equals keep their registration order.

    `panel(request, **ctx)` returns Markup, or None to stand aside; `ctx` is what the page hands to `slot()`.
    """
    panels = _panels.setdefault(slot_name, [])
    if all(registered.panel is not panel for registered in panels):
        panels.append(_Registered(order, panel))
        panels.sort(key=lambda registered: registered.order)


def render(slot_name: str, request: HttpRequest, /, **ctx: object) -> Markup:
    """Everything registered for the slot, in order; empty where nobody registered."""
    parts = [registered.panel(request, **ctx) for registered in _panels.get(slot_name, [])]
    # Text that is not Markup is escaped here, so a panel cannot inject by forgetting to.
    return Markup("\n").join(part for part in parts if part)
