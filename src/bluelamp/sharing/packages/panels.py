"""What packages add to other rooms' pages and to the ledger's words."""

from __future__ import annotations

from django.http import HttpRequest
from django.template.loader import render_to_string
from markupsafe import Markup

from bluelamp.cases import queries as cases
from bluelamp.cases.models import Case
from bluelamp.custody import words
from bluelamp.custody.queries import HistoryItem
from bluelamp.people import access
from bluelamp.people.policy import Action
from bluelamp.sharing.packages import events, queries
from bluelamp.web import filters, slots


def register() -> None:
    """Called once when Django is ready."""
    slots.register_panel("case_panels", case_panel, order=20)
    words.resolver("package", queries.names)
    words.register(events.PackageMade.tag, lambda item: f"A package{_for(item)} was asked for.")
    words.register(events.PackageSealed.tag, lambda item: f"The package{_for(item)} was sealed.")
    words.register(events.PackageFailed.tag, lambda item: "A package could not be made.")
    words.register(events.PackageDownloaded.tag, lambda item: f"The package{_for(item)} was downloaded.")
    words.register(events.PackageBytesServed.tag, _served)
    words.register(events.PackageWithdrawn.tag, lambda item: "A package was withdrawn.")
    words.register(events.PackageRefused.tag, _refused)


def case_panel(request: HttpRequest, *, case: Case, **_: object) -> Markup | None:
    """The packages made of a case, and a way to make one."""
    actor = access.request_actor(request)
    packages = queries.visible_to(actor).filter(case=case)
    may_make = cases.is_member(case, actor) or access.allows(request, Action.MANAGE_FLEET)
    if not packages and not may_make:
        return None
    context = {
        "case": case,
        "packages": [(package, queries.standing(package).value) for package in packages],
        "may_make": bool(may_make and queries.shareable(case, actor)),
        "own": may_make,
    }
    return Markup(render_to_string("sharing/packages/panel.html", context, request))  # noqa: S704  a rendered template


def _for(item: HistoryItem) -> str:
    recipient = item.details.get("recipient")
    return f" for {recipient}" if recipient else ""


def _refused(item: HistoryItem) -> str:
    return f"A package was refused. {item.details.get('why', '')}".strip()


def _served(item: HistoryItem) -> str:
    first, last, size = (item.details.get(name) for name in ("first_byte", "last_byte", "size"))
    if not (isinstance(first, int) and isinstance(last, int) and isinstance(size, int)):
        return "Bytes of a package left."
    if first == 0 and last == size - 1:
        return f"All of a package left: {filters.filesize(size)}."
    return f"Part of a package left: {filters.filesize(last - first + 1)} of {filters.filesize(size)}."
