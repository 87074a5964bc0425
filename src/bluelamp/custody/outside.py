"""How the outside parties that vouch for the ledger answer of late: witnesses, and the time-stamping authority.

Kept in the database, so that a page and an e-mail can say it whichever process asked. It is no part of the ledger.
"""

from __future__ import annotations

from bluelamp.custody.models import CustodyOutside
from bluelamp.kernel import clock

_LONGEST_REASON = 500


def failed(party: str, *, refused: bool, reason: str) -> None:
    """Note that a party gave no usable answer; `refused`: it answered, and would not, or its answer is not good."""
    known = CustodyOutside.objects.filter(party=party).first()
    CustodyOutside.objects.update_or_create(
        party=party,
        defaults={
            "failing_since": (known.failing_since if known else None) or clock.now(),
            "refused": refused,
            "reason": reason[:_LONGEST_REASON],
        },
    )


def answered(party: str) -> None:
    """Note that a party gave a good answer."""
    CustodyOutside.objects.filter(party=party).exclude(failing_since=None).update(
        failing_since=None, refused=False, reason=""
    )


def of(party: str) -> CustodyOutside:
    """How a party answers; one that was never asked has not failed."""
    return CustodyOutside.objects.filter(party=party).first() or CustodyOutside(party=party)
