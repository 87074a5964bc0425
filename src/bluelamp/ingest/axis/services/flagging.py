"""The category of an officer's bookmark becomes a flag as evidence, set in that officer's name."""

from __future__ import annotations

from bluelamp import custody
from bluelamp.footage import queries as footage_queries
from bluelamp.footage import services as footage
from bluelamp.footage.models import Category, EvidenceFlag, Recording
from bluelamp.footage.services.marks import LONGEST_REASON
from bluelamp.ingest.axis.services.arrivals import ACTOR
from bluelamp.ingest.models import AxisContainer, AxisObject
from bluelamp.retention import services as retention
from bluelamp.retention.models import Hold


@custody.unrecorded("flags and holds through services that record it")
def carry_over(
    container: AxisContainer, item: AxisObject, recording: Recording, category: Category | None, note: str
) -> bool:
    """Flag or categorise `recording` as a bookmark says. False where nobody knows yet who the officer is.

    Then the recording is held, so that what an officer marked as evidence does not go before somebody says who that is.
    """
    if category is None:
        return True
    officer = container.user.person if container.user else None
    source = f"bookmark:{item.pk}"
    if officer is None:
        if category.evidential:
            why = f"The wearer marked it as evidence ({category.name}) on the camera, but it is not known who that is."
            retention.place_hold(recording, Hold.Kind.OTHER, why, source, ACTOR)
            return False
        return True
    if not category.evidential:
        if recording.category_id is None and footage_queries.standing_flag(recording) is None:
            footage.categorise(recording, category=category, by=officer, reason="Chosen in the body-worn system")
        return True
    standing = footage_queries.standing_flag(recording)
    if standing is None or _keeps_longer(category, standing):
        reason = f"Marked in the body-worn system: {note or category.name}"[:LONGEST_REASON]
        footage.flag(recording, category=category, reason=reason, by=officer)
    retention.release_holds(source, "The officer is known now, and the flag stands.", ACTOR)
    return True


def _keeps_longer(category: Category, standing: EvidenceFlag) -> bool:
    """Whether a second bookmark's category keeps longer than the flag that stands; else that one is left alone."""
    if standing.category.keep_days is None:
        return False
    return category.keep_days is None or category.keep_days > standing.category.keep_days
