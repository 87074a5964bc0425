"""Reading what keeps recordings, what goes next, and what has gone."""

from __future__ import annotations

from bluelamp.retention.queries.cooling import COOLING, cooled_at
from bluelamp.retention.queries.decisions import (
    decision,
    decision_of_category,
    decision_of_flag,
    decisions,
    decisions_under,
    facts,
    facts_on_arrival,
    former_decisions,
    policy,
    reasons_of_incidents,
)
from bluelamp.retention.queries.dry_run import SOON, dry_run
from bluelamp.retention.queries.dry_run_result import DryRun, Sampled, sampled
from bluelamp.retention.queries.forecast import CategoryLine, Day, Outlook, categories, outlook
from bluelamp.retention.queries.held_back import (
    JUST_NOW,
    HeldBack,
    held_back,
    looked_at,
    made_a_step_of,
    sample,
    shortening,
    shortenings,
)
from bluelamp.retention.queries.projection import Month, Projection, projection
from bluelamp.retention.queries.reviewing import (
    ReleasePreview,
    holds,
    holds_by_kind,
    holds_due,
    preview_release,
    roles_that_own,
    today,
)
from bluelamp.retention.queries.standing import certificate, certificate_of, certificates, hold, standing_holds
from bluelamp.retention.queries.versions import (
    VersionLine,
    category_names,
    latest_version,
    not_before,
    proposal,
    proposals,
    proposed_changes,
    version_in_force,
    versions,
)

__all__ = [
    "COOLING",
    "JUST_NOW",
    "SOON",
    "CategoryLine",
    "Day",
    "DryRun",
    "HeldBack",
    "Month",
    "Outlook",
    "Projection",
    "ReleasePreview",
    "Sampled",
    "VersionLine",
    "categories",
    "category_names",
    "certificate",
    "certificate_of",
    "certificates",
    "cooled_at",
    "decision",
    "decision_of_category",
    "decision_of_flag",
    "decisions",
    "decisions_under",
    "dry_run",
    "facts",
    "facts_on_arrival",
    "former_decisions",
    "held_back",
    "hold",
    "holds",
    "holds_by_kind",
    "holds_due",
    "latest_version",
    "looked_at",
    "made_a_step_of",
    "not_before",
    "outlook",
    "policy",
    "preview_release",
    "projection",
    "proposal",
    "proposals",
    "proposed_changes",
    "reasons_of_incidents",
    "roles_that_own",
    "sample",
    "sampled",
    "shortening",
    "shortenings",
    "standing_holds",
    "today",
    "version_in_force",
    "versions",
]
