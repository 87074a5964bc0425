"""The page about how long footage is kept says of every rule what the code says: title, source and an example."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

import bluelamp
from bluelamp.cases.queries import reason_of_open_case
from bluelamp.kernel.ids import new_id
from bluelamp.retention import rules
from bluelamp.retention.models import Hold
from bluelamp.retention.queries.decisions import _HOLDS as HOLDS
from bluelamp.retention.rules import (
    Appeal,
    Facts,
    Flag,
    Mopi,
    MopiGroup,
    MopiReview,
    Policy,
    Proceedings,
    RetentionReason,
    SpecialPeriod,
    Stage,
    codes,
    decide,
    mopi,
    proceedings,
)

PAGE = Path(__file__).parents[2] / "docs" / "guides" / "how-long.md"
RECORDED = datetime(2026, 11, 21, 7, 19, tzinfo=UTC)
PLAIN = Facts(RECORDED, RECORDED + timedelta(hours=6))
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Example:
    """One rule: its heading on the page, what is the case in the example, and the same as facts."""

    heading: str
    given: str
    facts: Facts

    @property
    def block(self) -> str:
        """What stands on the page, to the letter."""
        decision = decide(self.facts, Policy())
        rule = decision.governing
        return (
            f"### {self.heading}\n\n"
            f"Source: {rule.basis}.\n\n"
            f"{self.given} The recording's page then says under “{rule.title}”:\n\n"
            f"> {decision.sentence}\n"
        )


@dataclass(frozen=True)
class OfAPerson(Example):
    """A clock of a person in a case, as the person's page there says it."""

    @property
    def block(self) -> str:
        (known,) = (*self.facts.proceedings, *self.facts.mopi)
        told = proceedings.clock(known) if isinstance(known, Proceedings) else mopi.clock(known, Policy().mopi)
        return (
            f"### {self.heading}\n\nSource: {told.basis}.\n\n"
            f"{self.given} The person's page in the case then says:\n\n> {told.sentence}\n"
        )


def person(stage: Stage = Stage.UNDECIDED, on: date | None = None, **more: object) -> Facts:
    return replace(PLAIN, proceedings=(Proceedings("1", stage, on, **more),))


def group(number: int, **more: object) -> Facts:
    return replace(PLAIN, mopi=(Mopi("1", MopiGroup(number), date(2026, 11, 21), **more),))


CONVICTED = date(2027, 8, 31)
APPEAL = Appeal(date(2027, 9, 10))

LIMITS = [
    Example("The default", "Nobody needs it.", PLAIN),
    Example(
        "A special period",
        "The force's policy gives recordings of one category, here training, 28 days.",
        replace(PLAIN, special=SpecialPeriod("training", 28 * DAY)),
    ),
]
DECISIONS = [
    Example(
        "Flagged as evidence",
        "Somebody flags it under a category with a period of a year. The source is the category's own.",
        replace(PLAIN, flag=Flag("Violence against the person", timedelta(days=365), "MoPI review group 3")),
    ),
    Example(
        "Flagged, and nobody has decided for how long",
        "Somebody flags it under a category without a period.",
        replace(PLAIN, flag=Flag("Arrest", None, "Criminal Procedure and Investigations Act 1996")),
    ),
    Example(
        "A hold",
        "A member of the public asks for it.",
        replace(PLAIN, holds=(HOLDS[Hold.Kind.SUBJECT_ACCESS],)),
    ),
    Example("An incident lock", "Somebody died or was seriously injured.", replace(PLAIN, locked=True)),
    Example(
        "An extension",
        "A supervisor keeps it until the end of 31 January 2027.",
        replace(PLAIN, extensions=(datetime(2027, 2, 1, tzinfo=UTC),)),
    ),
    Example(
        "Another file of the incident",
        "Another officer's recording of the same incident is held.",
        replace(PLAIN, reasons=(rules.of_incident(None),)),
    ),
    Example(
        "A person in a case, without an end",
        "The case names a person, and what is recorded there has no end yet.",
        person(Stage.CHARGED, date(2026, 12, 1)),
    ),
    Example(
        "A person in a case, until a date",
        "What is recorded in the case keeps it until the end of 1 June 2029.",
        person(Stage.CONVICTED, CONVICTED, custodial=True, released_on=date(2029, 6, 1)),
    ),
    Example("An open case", "It is in a case that is open.", replace(PLAIN, reasons=(reason_of_open_case(new_id()),))),
]
PROCEEDINGS = [
    OfAPerson("Undecided", "A person was added to its case, and nothing is decided.", person()),
    OfAPerson("Charged", "The person was charged on 1 December 2026.", person(Stage.CHARGED, date(2026, 12, 1))),
    OfAPerson(
        "No further action", "That was decided on 1 May 2027.", person(Stage.NO_FURTHER_ACTION, date(2027, 5, 1))
    ),
    OfAPerson("Dealt with out of court", "That was on 1 May 2027.", person(Stage.OUT_OF_COURT, date(2027, 5, 1))),
    OfAPerson("Discontinued", "That was on 1 May 2027.", person(Stage.DISCONTINUED, date(2027, 5, 1))),
    OfAPerson("Acquitted", "That was on 1 May 2027.", person(Stage.ACQUITTED, date(2027, 5, 1))),
    OfAPerson(
        "Convicted, not in custody",
        "That was on 31 August 2027. February has no 31st, so its last day counts.",
        person(Stage.CONVICTED, CONVICTED),
    ),
    OfAPerson(
        "In custody or hospital, release not known",
        "The person was convicted on 31 August 2027 and sentenced to custody.",
        person(Stage.CONVICTED, CONVICTED, custodial=True),
    ),
    OfAPerson(
        "In custody or hospital until a known day",
        "The release is on 1 June 2029. A release earlier than six months from the conviction leaves those six months.",
        person(Stage.CONVICTED, CONVICTED, custodial=True, released_on=date(2029, 6, 1)),
    ),
    OfAPerson(
        "An appeal is open",
        "It was opened on 10 September 2027.",
        person(Stage.CONVICTED, CONVICTED, appeals=(APPEAL,)),
    ),
    OfAPerson(
        "An application to the Criminal Cases Review Commission is open",
        "It was made on 10 September 2027.",
        person(Stage.CONVICTED, CONVICTED, appeals=(replace(APPEAL, ccrc=True),)),
    ),
    OfAPerson(
        "The appeal was decided",
        "That was on 15 March 2028, after the six months.",
        person(Stage.CONVICTED, CONVICTED, appeals=(replace(APPEAL, closed_on=date(2028, 3, 15)),)),
    ),
]
GROUPS = [
    OfAPerson(
        "Group 1, date of birth known", "The person was born on 29 February 1992.", group(1, born=date(1992, 2, 29))
    ),
    OfAPerson("Group 1, date of birth not known", "Nobody has recorded it.", group(1)),
    OfAPerson("Group 2", "The person last came to notice on 21 November 2026.", group(2)),
    OfAPerson("Group 3", "The person last came to notice on 21 November 2026.", group(3)),
    OfAPerson("Group 4, unresolved", "A person is missing since 21 November 2026.", group(4)),
    OfAPerson("Group 4, for a stated time", "An undetected crime is to be kept for 100 years.", group(4, years=100)),
    OfAPerson(
        "Kept by a review",
        "Group 3, and a review on 1 January 2030 kept it.",
        group(3, reviews=(MopiReview(date(2030, 1, 1), keep=True),)),
    ),
    OfAPerson(
        "Let go by a review",
        "Group 2, and a review on 1 January 2037 let it go.",
        group(2, reviews=(MopiReview(date(2037, 1, 1), keep=False),)),
    ),
]
TIME = [
    Example(
        "It arrived late",
        "The camera was docked on day 40.",
        replace(PLAIN, received_at=RECORDED + 40 * DAY),
    ),
    Example(
        "Its last reason ended",
        "A hold was released at 12:00 on 1 February 2027, when it was long due.",
        replace(PLAIN, review_until=datetime(2027, 2, 8, 12, tzinfo=UTC)),
    ),
]
EXAMPLES = [*LIMITS, *DECISIONS, *PROCEEDINGS, *GROUPS, *TIME]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.heading)
def test_each_rule_stands_on_the_page_as_the_code_says_it(example: Example) -> None:
    assert example.block in PAGE.read_text(), f"docs/guides/how-long.md should say:\n\n{example.block}"


def test_every_rule_that_there_is_has_an_example() -> None:
    shown = {decide(example.facts, Policy()).governing.code.partition(":")[0] for example in EXAMPLES}
    names = {value for name, value in vars(codes).items() if name.isupper() and isinstance(value, str)}
    assert names <= shown
    stages = {proceedings.stage for example in EXAMPLES for proceedings in example.facts.proceedings}
    assert stages == set(Stage)
    assert {mopi.group for example in EXAMPLES for mopi in example.facts.mopi} == set(MopiGroup)


def test_every_hold_is_named_with_its_source() -> None:
    page = PAGE.read_text()
    for kind, hold in HOLDS.items():
        assert f"| {Hold.Kind(kind).label} | {hold.basis} |" in page


def _reasons() -> Iterator[dict[str, str]]:
    """Title and basis of each reason that a room gives, where the code writes them out."""
    for path in Path(bluelamp.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and getattr(node.func, "attr", getattr(node.func, "id", "")) == RetentionReason.__name__
            ):
                words = {word.arg: word.value for word in node.keywords}
                yield {
                    name: words[name].value
                    for name in ("title", "basis")
                    if name in words and isinstance(words[name], ast.Constant)
                }


def test_every_reason_that_a_room_gives_is_named_with_its_source() -> None:
    page, found = PAGE.read_text(), list(_reasons())
    assert len(found) >= 5
    for reason in found:
        for words in reason.values():
            assert words in page, f"docs/guides/how-long.md does not name “{words}”"


def test_the_page_tells_the_policys_own_periods() -> None:
    page, policy = PAGE.read_text(), Policy()
    for said in (
        f"**{policy.default.days} days**",
        f"**{policy.quarantine.days} days** in quarantine",
        f"**{policy.review_grace.days} days** for review",
        f"**{policy.cooling.days} days**",
        f"age of **{policy.mopi.age}**",
        f"**{policy.mopi.serious} years**",
        f"**{policy.mopi.other} years**",
    ):
        assert said in page
