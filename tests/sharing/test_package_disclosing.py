"""What of an event leaves the force, and what stays: deny by default."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import bluelamp
from bluelamp.custody import registered_types
from bluelamp.custody.event import Event
from bluelamp.formats.disclosure import DisclosedEvent
from bluelamp.sharing.packages.disclosing import DETAILS, Scope, disclose

RECORDING = "recording:0190a6c0-0000-7000-8000-000000000001"
OTHER = "recording:0190a6c0-0000-7000-8000-000000000002"
CASE, OTHER_CASE = "case:0190a6c0-0000-7000-8000-00000000000a", "case:0190a6c0-0000-7000-8000-00000000000b"
SCOPE = Scope(frozenset({RECORDING, CASE, "recipient:1", "share:1", "package:1"}))


def _event(tag: str, **more) -> DisclosedEvent:
    fields = {
        "tag": tag,
        "operation": "consultation",
        "at": "2026-11-22T07:19:05Z",
        "actor": "person:7",
        "subject": RECORDING,
        "also": [],
        "reason": "",
        **{
            (name if name in ("actor", "subject", "also", "reason") else f"detail.{name}"): v
            for name, v in more.items()
        },
    }
    return DisclosedEvent(fields, {name: bytes([number]) * 16 for number, name in enumerate(fields)})


def _withheld(tag: str, **more) -> tuple[str, ...]:
    return disclose(_event(tag, **more), SCOPE)[1]


def test_an_event_proves_the_same_whatever_is_withheld():
    event = _event("recording.viewed", reason="Complaint by Mrs X", viewer_name="A", viewing="v", purpose="view")
    told, withheld = disclose(event, SCOPE)
    assert withheld == ("reason",)
    assert told.entry() == event.entry()
    assert "Mrs X" not in str(told.document())


def test_what_was_erased_by_law_before_stays_erased_and_is_not_counted_as_withheld():
    event = _event("recording.note_added", note=3, at_ms=None, text_sha256="0" * 64)
    told, withheld = disclose(DisclosedEvent(event.fields, event.salts, {"detail.x": b"c" * 32}), SCOPE)
    assert withheld == ("detail.text_sha256",)
    assert set(told.erased) == {"detail.x", "detail.text_sha256"}


@pytest.mark.parametrize("tag", ["request.received", "hold.placed", "a.future_event"])
def test_of_a_type_that_nobody_decided_about_only_time_and_operation_leave(tag):
    told, _ = disclose(_event(tag, kind="complaint", source="request:5", also=[RECORDING]), SCOPE)
    assert set(told.fields) == {"operation", "at"}


@pytest.mark.parametrize(
    ("tag", "more", "withheld"),
    [
        (
            "recording.collected",
            {"sha256": "a" * 64, "wearer": "person:7", "camera": "BL1", "also": ["camera:BL1"]},
            (),
        ),
        ("footage.listed", {"also": [RECORDING], "filters": {"q": "name"}, "count": 1}, ("detail.filters",)),
        ("footage.listed", {"also": [RECORDING, OTHER], "count": 2}, ("also",)),
        ("case.recording_added", {"subject": CASE, "also": [RECORDING], "reason": "Shows it"}, ()),
        (
            "case.recording_added",
            {"subject": OTHER_CASE, "also": [RECORDING], "reason": "A drug ring"},
            ("reason", "subject"),
        ),
        ("recording.flagged", {"flag": 1, "category": "violence", "reason": "Assault"}, ()),
        ("recording.locked", {"reason": "A death in custody"}, ("reason",)),
        ("recording.viewed", {"actor": "recipient:1", "grant": "share:1", "reason": ""}, ()),
        (
            "recording.viewed",
            {"actor": "recipient:2", "grant": "share:2", "viewer_name": "Else"},
            ("actor", "detail.grant", "detail.viewer_name"),
        ),
        ("recording.reference_added", {"kind": "custody", "value": "01AB/123"}, ("detail.value",)),
        (
            "share.created",
            {"subject": "share:2", "recipient": "Else <else@x>", "organisation": "Y", "urn": "U", "may_download": True},
            ("detail.organisation", "detail.recipient", "detail.urn", "subject"),
        ),
        ("share.created", {"subject": "share:1", "recipient": "Jo", "organisation": "CPS", "urn": "U"}, ()),
        ("package.made", {"subject": "package:2", "recipient": "Else", "files": 1}, ("detail.recipient", "subject")),
        ("package.made", {"subject": "package:1", "recipient": "Jo", "files": 1, "also": [RECORDING, CASE]}, ()),
        ("recording.due_set", {"before": None, "after": None, "rule": "hold:complaint"}, ("detail.rule",)),
        ("access.refused", {"action": "watch", "why": "Locked", "path": "/requests/5/"}, ("detail.path",)),
    ],
)
def test_what_names_other_cases_and_people_outside_the_force_is_withheld(tag, more, withheld):
    assert _withheld(tag, **more) == withheld


def _known_fields() -> dict[str, set[str]]:
    for module in pkgutil.walk_packages(bluelamp.__path__, "bluelamp."):
        if module.name.endswith(".events"):
            importlib.import_module(module.name)
    common = set(Event.__dataclass_fields__)
    return {tag: set(kind.__dataclass_fields__) - common for tag, kind in registered_types().items()}


def test_every_field_that_leaves_is_one_that_its_event_has():
    known = _known_fields()
    assert set(DETAILS) <= set(known)
    strange = {tag: sorted(fields - known[tag] - {"reason"}) for tag, fields in DETAILS.items()}
    assert not {tag: fields for tag, fields in strange.items() if fields}
