"""Reading what keeps recordings, what goes next, and what has gone."""

from __future__ import annotations

from bluelamp.retention.queries.decisions import (
    decision,
    decision_of_flag,
    decision_of_standing_flag,
    facts,
    facts_on_arrival,
    policy,
    reasons_of_incident,
)
from bluelamp.retention.queries.forecast import CategoryLine, Day, Outlook, categories, outlook
from bluelamp.retention.queries.standing import certificate, certificate_of, certificates, hold, standing_holds

__all__ = [
    "CategoryLine",
    "Day",
    "Outlook",
    "categories",
    "certificate",
    "certificate_of",
    "certificates",
    "decision",
    "decision_of_flag",
    "decision_of_standing_flag",
    "facts",
    "facts_on_arrival",
    "hold",
    "outlook",
    "policy",
    "reasons_of_incident",
    "standing_holds",
]
