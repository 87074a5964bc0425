"""The codes under which rules are stored with a recording (`due_rule`).

A code is a word, or a word and what it belongs to: `proceedings:<id>`. The pages' words are the rules' titles; a code
is for finding recordings again and must not be renamed.
"""

from __future__ import annotations

DEFAULT = "default"  # also where a special period replaces its length: it is the one limit
LATE_ARRIVAL = "late_arrival"
REVIEW = "review"
EVIDENCE = "evidence"
INCIDENT = "incident"
HOLD = "hold"
LOCK = "lock"
EXTENSION = "extension"

# A person's clock while it runs towards a date, and while it has none. They are two, since recording an outcome ends
# the second as the release of a hold does, while another date for the first is an edit of what was promised.
PROCEEDINGS = "proceedings"
PROCEEDINGS_OPEN = "proceedings_open"
MOPI = "mopi"
MOPI_OPEN = "mopi_open"

# Rules whose dates come from things that can be edited: the recorded time, the category, the policy, an outcome's date,
# a date of release, a review group. An earlier date under the same code is a shortening by an edit, which a second
# person must approve.
EDITABLE = frozenset({DEFAULT, LATE_ARRIVAL, EVIDENCE, PROCEEDINGS, MOPI})


def is_editable(code: str) -> bool:
    """Whether the date of the rule with that code comes from something that can be edited."""
    return code.partition(":")[0] in EDITABLE
