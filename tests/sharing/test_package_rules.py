"""When a package stands, and what its files are called."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bluelamp.formats.package import check_path
from bluelamp.sharing.packages import rules
from bluelamp.sharing.packages.rules import Standing

READY = rules.Facts(ready=True, failed=False, withdrawn=False, share_stands=True, live=True, deleted=False)


@pytest.mark.parametrize(
    ("change", "standing"),
    [
        ({}, Standing.READY),
        ({"ready": False}, Standing.MAKING),
        ({"live": False}, Standing.GONE),
        ({"share_stands": False}, Standing.ENDED),
        ({"share_stands": False, "live": False}, Standing.ENDED),
        ({"failed": True, "ready": False}, Standing.FAILED),
        ({"withdrawn": True, "share_stands": False, "ready": False}, Standing.WITHDRAWN),
        ({"deleted": True, "withdrawn": True, "live": False}, Standing.DELETED),
    ],
)
def test_a_package_stands_where_nothing_is_against_it_and_the_weightiest_reason_is_named(change, standing):
    assert rules.standing(replace(READY, **change)) is standing


@pytest.mark.parametrize("reference", ["AB/1", "ABC/12", "ABCDE/99999", "AB/1A", "AB/1AB"])
def test_initials_a_stroke_and_a_number_are_an_exhibit_reference(reference):
    assert rules.exhibit_fits(reference)


@pytest.mark.parametrize(
    "reference", ["", "A/1", "ABCDEF/1", "AB/0", "AB/01", "ab/1", "AB1", "AB/1 ", "AB/1\n", "ÄB/1"]
)
def test_anything_else_is_none(reference):
    assert not rules.exhibit_fits(reference)


@pytest.mark.parametrize(
    ("name", "taken", "offered"),
    [
        ("Ada Beth Cole", set(), "ABC/1"),
        ("Ada Beth Cole", {"ABC/1", "ABC/3"}, "ABC/2"),
        ("Mary-Jane O'Hara", set(), "MJOH/1"),
        ("Cher", set(), ""),
        ("Łukasz Ngũgĩ", set(), ""),
    ],
)
def test_the_next_reference_is_offered_where_initials_make_one(name, taken, offered):
    assert rules.suggested_exhibit(name, taken) == offered


@pytest.mark.parametrize("exhibit", ["AB/1", "ABCDE/99999AB", ""])
def test_files_and_folders_have_names_that_every_system_reads_alike(exhibit):
    longest = f"{'S' * 64}-20261122T071904Z-7e83b540.mpegt"
    assert check_path(rules.media_file(exhibit, longest)).startswith("data/")
    top = rules.top_folder([exhibit, "ZZ/9"], "01a203c3-b743-7083-b47f-dda8e7b83540")
    assert check_path(top) == top
    assert "/" not in top


def test_a_line_has_no_control_characters_and_nothing_that_turns_the_direction_of_writing():
    assert rules.line(" Jo\u202e\n\tReid,\u2028 CPS ") == "Jo Reid, CPS"
