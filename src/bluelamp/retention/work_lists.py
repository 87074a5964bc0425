"""What the lists of a second person's work have in common: a page of them, and several of them decided at once.

Whatever is listed has a recording, and that somebody saw it listed is recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar, cast

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

from bluelamp.custody import words
from bluelamp.footage import services as footage
from bluelamp.people.models import Person
from bluelamp.retention import pages, queries
from bluelamp.retention.models import Hold, Shortening
from bluelamp.web.chips import without
from bluelamp.web.filters import count

Work = TypeVar("Work", Hold, Shortening)

_PAGE = 50


def page(request: HttpRequest, here: str, title: str, found: QuerySet[Work], people: Sequence[str]) -> dict[str, Any]:
    """The page of `found` that is asked for, with its names and its place in the subnavigation (`here`).

    `title` is what it is called in the event of its being read; `people` are the fields in which people stand.
    """
    listed = Paginator(found, _PAGE).get_page(request.GET.get("page"))
    _log(request, listed, title)
    return {
        "page": listed,
        "names": _names(listed, people),
        "pages": pages.subnav(request, here),
        "query": without(request.GET, "page"),
    }


def several(request: HttpRequest, what: str, title: str, found: list[Work], people: Sequence[str]) -> dict[str, Any]:
    """All of `found` (each a `what`: "hold"), and the sample of them that must be looked at, each with whether it was.

    `ids` goes into the form and back, for `is_as_shown`.
    """
    _log(request, found, title)
    by_subject = {f"{what}:{each.pk}": each for each in found}
    person = cast(Person, request.user).custody_id
    drawn = queries.sample(by_subject, person)
    seen = queries.looked_at(drawn, person)
    return {
        "found": found,
        "ids": _together(found),
        "sample": [(by_subject[subject], subject in seen) for subject in drawn],
        "names": _names(found, people),
    }


def is_as_shown(request: HttpRequest, form: forms.Form, found: list[Work]) -> bool:
    """Whether these are still those that were shown; says so in the form where they are not."""
    if request.POST.get("ids") == _together(found):
        return True
    form.add_error(None, "Meanwhile there are others among them. Look at them again.")
    return False


def tell(request: HttpRequest, done: int, left: list[str], what: str) -> None:
    """What became of several, on the next page: how many were decided on, and why each of the others was left."""
    if done:
        messages.success(request, f"Decided on {count(done, what)}.")
    if left:
        messages.warning(request, f"{count(len(left), what)} left as before: {' '.join(sorted(set(left)))}")


def _together(found: list[Work]) -> str:
    return ",".join(str(number) for number in sorted(each.pk for each in found))


def _log(request: HttpRequest, listed: Iterable[Work], title: str) -> None:
    footage.log_listing(cast(Person, request.user), [each.recording for each in listed], {"page": title})


def _names(found: Iterable[Work], people: Sequence[str]) -> dict[str, str]:
    """What people, roles and things are called that stand in these fields."""
    ids = {getattr(each, name) for each in found for name in people}
    return words.names(ids) | dict(queries.roles_that_own())
