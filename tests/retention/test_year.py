"""A force's year: what goes and what stays, judged by somebody who did not decide it."""

from __future__ import annotations

import os
import sys

import pytest

from bluelamp.kernel import clock
from tests.retention.year import Report, Scale, Year

# Mobile video: the roll-out's first eleven months, 785,000 recordings by the day of the published figures.
FULL = Scale(days=341, first=1600, last=3000, steps=12, sample=500)
SMALL = Scale(days=60, first=45, last=65, steps=2, sample=20, keep_days=(36, 45, 365, 2192, None))


@pytest.fixture
def nobody_else_sweeps(monkeypatch):
    """The clock moves without the sweep that follows it: the year runs its own, and counts what it does."""
    monkeypatch.setattr(clock.on_advance, "_functions", [])


def _right(report: Report) -> None:
    assert (report.late[:5], report.early[:5]) == ([], [])
    assert report.failed == 0
    assert report.recorded == report.deleted + report.here


@pytest.mark.usefixtures("committed_db", "nobody_else_sweeps")
def test_in_a_few_months_nothing_goes_too_late_or_too_early():
    report = Year(SMALL).run()
    _right(report)
    assert report.recorded == sum(SMALL.on(day) for day in range(SMALL.days)) > 3000
    assert report.deleted > report.deleted_by_default > 500
    assert min(report.restored, report.too_late, report.reserved, report.with_objects) > 0


@pytest.mark.soak
@pytest.mark.usefixtures("committed_db", "nobody_else_sweeps")
def test_in_a_year_of_the_published_size_nothing_goes_too_late_or_too_early(capsys):
    divided = int(os.environ.get("YEAR_DIVIDED_BY") or 1)
    scale = Scale(FULL.days, FULL.first // divided, FULL.last // divided, max(FULL.steps // divided, 2), FULL.sample)

    def tell(line: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n{line}")
            sys.stdout.flush()

    report = Year(scale, tell=tell).run()
    for line in report.lines():
        tell(line)
    _right(report)
    assert report.deleted * divided == pytest.approx(460_000, rel=0.05)
