"""What the public is told in more than one place: how to reach the force, prove who one is, answer a question.

No sentence promises a way that BLUELAMP_PUBLIC_CONTACT does not name. "Below" is where pages and letters name them.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings

from bluelamp.rights.models import Request

WITH_PHOTOGRAPH = [
    ("passport", "Passport"),
    ("driving licence", "Photocard driving licence"),
    ("identity card", "Identity card"),
    ("other photograph", "Another proof with a photograph"),
]
SECOND_PROOF = [
    ("bank statement", "Bank statement"),
    ("utility bill", "Utility bill"),
    ("council tax bill", "Council tax bill"),
    ("other document", "Another document with name and address"),
]


def contact() -> tuple[str, ...]:
    """The lines under "Write, call or come"; none where the operator named no contact."""
    lines: tuple[str, ...] = settings.BLUELAMP.public_contact
    return lines


def another_way() -> str:
    """What somebody does for whom the form is not enough, within a sentence."""
    return "write to us, call or come (see the end of this page)" if contact() else "contact the force"


def how_to_prove(request: Request) -> list[str]:
    """What a requester does to prove who they are, in paragraphs; none where no proof is awaited."""
    if not awaits_proofs(request):
        return []
    told = [
        "Before the month for our answer begins, we need to see two proofs of who you are:",
        f"1. One with a photograph: {_any_of(WITH_PHOTOGRAPH)}.{_named(request.proof_photo, WITH_PHOTOGRAPH)}",
        f"2. A second one: {_any_of(SECOND_PROOF)}.{_named(request.proof_other, SECOND_PROOF)}",
    ]
    if request.on_behalf_of:
        told.append(f"We also need to see by what authority you ask for {request.on_behalf_of}.")
    showing = (
        f"Show them to us, or send us copies, in one of the ways below, with your reference {request.reference}."
        if contact()
        else "We will write to you how to show them."
    )
    return [
        *told,
        f"{showing} Do not send originals unless we ask for them.",
        "The month begins when we have seen both proofs.",
    ]


def awaits_proofs(request: Request) -> bool:
    """Whether the month waits for the requester (DPA 2018 s.54); freedom of information asks nobody who they are."""
    return (
        request.kind != Request.Kind.FOI and request.state == Request.State.OPEN and request.identity_proved_at is None
    )


def how_to_answer(request: Request) -> str:
    """How a requester answers our question."""
    quoting = f"with your reference {request.reference}"
    if contact():
        return f"Give us your answer in one of the ways below, {quoting}. The time for our own stands until we have it."
    return f"Contact the force with your answer, {quoting}. The time for our own stands until we have it."


def _any_of(proofs: Sequence[tuple[str, str]]) -> str:
    *first, last = (label[0].lower() + label[1:] for _, label in proofs)
    return f"{', '.join(first)} or {last}"


def _named(chosen: str, proofs: Sequence[tuple[str, str]]) -> str:
    label = dict(proofs).get(chosen, "")
    return f" You said you have this: {label[0].lower()}{label[1:]}." if label else ""
