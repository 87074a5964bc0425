"""How long a recording is kept: facts in, one decision out. No Django, no clock, no disk.

The longest rule wins. The default, or the special period that replaces it for a class of recordings, is a limit: the
recording must be gone by then, quarantine included. Every other rule is a floor. A flag, an extension, a reason, a
person's proceedings or review group keeps the recording in use until its date, and quarantine follows; time given for
review ends with deletion, as the default does. Sources of the rules stand at each of them; periods are the force's
configuration.

`calendar` says what a day, a month and a year are where the clocks change; `proceedings` and `mopi` hold the clocks of
criminal proceedings and of the review groups, `reviews` the dates on which a person must look again, `codes` the names
under which rules are stored; `engine` puts them together.
"""

from __future__ import annotations

from bluelamp.retention.rules.calendar import LONDON, count, period, when
from bluelamp.retention.rules.codes import (
    DEFAULT,
    EDITABLE,
    EVIDENCE,
    EXTENSION,
    HOLD,
    INCIDENT,
    LATE_ARRIVAL,
    LOCK,
    MOPI,
    MOPI_OPEN,
    PROCEEDINGS,
    PROCEEDINGS_OPEN,
    REVIEW,
    is_editable,
)
from bluelamp.retention.rules.decision import Decision, Rule, Step
from bluelamp.retention.rules.engine import (
    after_approval,
    arrived_late,
    decide,
    default_due,
    flagged_until,
    grace_when_a_reason_ends,
    limit_of,
    of_incident,
)
from bluelamp.retention.rules.facts import (
    Facts,
    Flag,
    Hold,
    Policy,
    RetentionReason,
    SpecialPeriod,
)
from bluelamp.retention.rules.mopi import Mopi, MopiGroup, MopiPeriods, MopiReview, review_due
from bluelamp.retention.rules.proceedings import Appeal, Proceedings, Stage
from bluelamp.retention.rules.reviews import Review

__all__ = [
    "DEFAULT",
    "EDITABLE",
    "EVIDENCE",
    "EXTENSION",
    "HOLD",
    "INCIDENT",
    "LATE_ARRIVAL",
    "LOCK",
    "LONDON",
    "MOPI",
    "MOPI_OPEN",
    "PROCEEDINGS",
    "PROCEEDINGS_OPEN",
    "REVIEW",
    "Appeal",
    "Decision",
    "Facts",
    "Flag",
    "Hold",
    "Mopi",
    "MopiGroup",
    "MopiPeriods",
    "MopiReview",
    "Policy",
    "Proceedings",
    "RetentionReason",
    "Review",
    "Rule",
    "SpecialPeriod",
    "Stage",
    "Step",
    "after_approval",
    "arrived_late",
    "count",
    "decide",
    "default_due",
    "flagged_until",
    "grace_when_a_reason_ends",
    "is_editable",
    "limit_of",
    "of_incident",
    "period",
    "review_due",
    "when",
]
