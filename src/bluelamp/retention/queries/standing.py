"""Single holds and certificates."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from bluelamp.footage.models import Recording
from bluelamp.kernel.errors import NotFound
from bluelamp.retention.models import Certificate, Hold


def standing_holds(recording: Recording) -> list[Hold]:
    """The holds that stop its deletion now, oldest first."""
    return list(Hold.objects.filter(recording=recording, released_at=None).order_by("placed_at", "pk"))


def hold(hold_id: int) -> Hold:
    """One hold with its recording. Raises NotFound."""
    found = Hold.objects.select_related("recording").filter(pk=hold_id).first()
    if found is None:
        raise NotFound("There is no hold at this address.", "Nothing was changed.", "Look at the recording's page.")
    return found


def certificates() -> QuerySet[Certificate]:
    """Every deletion certificate, the latest first."""
    return Certificate.objects.all()


def certificate(certificate_id: UUID) -> Certificate:
    """One certificate. Raises NotFound."""
    found = Certificate.objects.filter(pk=certificate_id).first()
    if found is None:
        raise NotFound("There is no certificate at this address.", next_step="Look in the list of deletions.")
    return found


def certificate_of(recording: Recording) -> Certificate | None:
    """The certificate of a deleted recording; None while its deletion is still under way."""
    return Certificate.objects.filter(recording=recording).first()
