"""The verifier of packages: each hostile, damaged or good package through the command and through the page."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import bagit
import pytest
from playwright.sync_api import Page

from bluelamp.formats import package as bag
from tests.verify import (
    event_cases,
    judging,
    package_cases,
    seal_cases,
    signature_cases,
    statement_cases,
    timestamp_cases,
    zip_cases,
)
from tests.verify.build import PACKAGE_ID, Recipe
from tests.verify.cases import Case

_KINDS = (zip_cases, package_cases, statement_cases, event_cases, seal_cases, signature_cases, timestamp_cases)
CASES = [case for kind in _KINDS for case in kind.CASES]


def test_each_case_has_a_name_of_its_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


def test_an_unpacked_package_is_a_bag_to_the_library_of_congress(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(Recipe().zip())) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path)
    (folder,) = tmp_path.iterdir()
    found = bagit.Bag(str(folder))
    found.validate()
    assert found.info["External-Identifier"] == PACKAGE_ID
    assert set(found.payload_files()) == {package_cases.MEDIUM, *bag.PAPERS}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_command_judges_as_it_should(case: Case) -> None:
    _check(case, judging.by_command((case.package, case.keys, case.witnesses)))


@pytest.mark.browser
def test_the_page_judges_every_case_as_the_command_does(verifier_page: Page) -> None:
    judged = [(case.package, case.keys, case.witnesses) for case in CASES]
    for case, report in zip(CASES, judging.by_page(verifier_page, judged), strict=True):
        _check(case, report)
        assert report == judging.by_command((case.package, case.keys, case.witnesses)), case.name


def _check(case: Case, report: dict[str, Any]) -> None:
    found = {(problem["code"], problem["where"]) for problem in report["problems"]}
    assert (report["exit_code"], found) == (case.exit_code, case.problems), case.name
    assert {problem["step"] for problem in report["problems"]} <= {case.step}
    statuses = [step["status"] for step in report["steps"]]
    expected = "cannot-tell" if case.exit_code == 2 else "bad"
    reached = case.step if case.exit_code else 7
    wanted = ["good" if number < reached else expected if number == reached else "not-run" for number in range(1, 7)]
    assert statuses == (wanted if reached else ["not-run"] * 6), case.name
