"""Reviews of MoPI groups that are to be made, for retention's work list."""

from __future__ import annotations

from datetime import date

from django.db.models import Count, F, Q
from django.urls import reverse

from bluelamp.cases.models import Subject
from bluelamp.cases.queries.casework import people_of
from bluelamp.footage.models import Recording
from bluelamp.retention import queries as retention
from bluelamp.retention import rules
from bluelamp.retention.hooks import ReviewDue


def reviews_due(today: date) -> list[ReviewDue]:
    """Every review of a person's group that is due on `today` (London's date), the longest overdue first."""
    periods = retention.policy().mopi
    grouped = Subject.objects.filter(group__isnull=False).select_related("case").prefetch_related("appeals", "reviews")
    kept = Q(case__links__recording__isnull=False) & ~Q(case__links__recording__state=Recording.State.DELETED)
    grouped = grouped.annotate(footage=Count("case__links", filter=kept, distinct=True)).filter(footage__gt=0)
    # No period is shorter than a year, so that younger groups without a review need not be read.
    grouped = grouped.filter(Q(clear_from__lt=today.replace(day=1)) | Q(reviews__isnull=False)).distinct()
    found = []
    for subject in grouped.order_by(F("clear_from"), "pk"):
        mopi = subject.known.mopi
        review = rules.review_due(mopi, periods) if mopi is not None else None
        if review is not None and review.is_due(today):
            found.append(
                ReviewDue(
                    review=review,
                    what=f"MoPI group {subject.group} in a case",
                    address=reverse("cases:review_group", args=[subject.case_id, subject.pk]),
                    recordings=subject.footage,
                    members=people_of(subject.case),
                )
            )
    return sorted(found, key=lambda each: (each.review.due, each.address))
