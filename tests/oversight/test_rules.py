from datetime import UTC, date, datetime

import pytest

from bluelamp.custody import Operation
from bluelamp.oversight import rules


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (0, "fewer than 5"),
        (4, "fewer than 5"),
        (5, "5"),
        (7, "5"),
        (8, "10"),
        (997, "995"),
        (998, "1,000"),
        (1_049, "1,000"),
        (1_050, "1,100"),
        (460_499, "460,000"),
    ],
)
def test_the_public_reads_rounded_counts_and_none_below_five(count, told):
    assert rules.told(count) == told


def test_a_share_of_a_few_is_not_told():
    assert rules.told_share(9, 9) == "–"
    assert rules.told_share(0, 0) == "–"
    assert rules.told_share(10, 10) == "100 %"
    assert rules.told_share(33, 40) == "80 %"


def test_no_figure_of_the_public_tells_zero_from_one():
    assert rules.told(0) == rules.told(1)


def test_a_month_begins_at_midnight_in_london():
    assert rules.month_start(date(2026, 7, 15)) == datetime(2026, 6, 30, 23, tzinfo=UTC)
    assert rules.month_start(date(2026, 1, 31)) == datetime(2026, 1, 1, tzinfo=UTC)


def test_months_are_counted_over_the_turn_of_the_year():
    assert rules.months_to(date(2026, 2, 28), 4) == [
        date(2025, 11, 1),
        date(2025, 12, 1),
        date(2026, 1, 1),
        date(2026, 2, 1),
    ]


def test_all_six_operations_of_the_act_are_explained():
    assert [operation.code for operation in rules.OPERATIONS] == [operation.value for operation in Operation]
    assert [operation.letter for operation in rules.OPERATIONS] == list("abcdef")
