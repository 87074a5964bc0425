import copy
import dataclasses
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from bluelamp.formats import manifest
from bluelamp.formats.ed25519 import public_key_text
from bluelamp.formats.manifest import FIRST_PREVIOUS, ManifestEntry, ManifestError, SignedEntry

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
INCIDENT = "0190a6c0-0000-7000-8000-000000000000"


def entry(**changes):
    fields = {
        "serial": "BL-000123",
        "model": "Bluelamp Virtual 1",
        "mount": "ballistic helmet",
        "sequence": 1,
        "filename": "BL-000123_2026-11-22_0001.mp4",
        "started_at": "2026-11-22T07:19:05Z",
        "ended_at": "2026-11-22T07:24:05.120Z",
        "size": 123_456_789,
        "sha256": "ab" * 32,
        "previous": FIRST_PREVIOUS,
        "clock_set": True,
        "pre_event_seconds": 30,
        "part": 1,
        "incident": INCIDENT,
        "events": (
            {"at": "2026-11-22T07:19:35Z", "kind": "start", "note": ""},
            {"at": "2026-11-22T07:21:00Z", "kind": "marker", "note": "Brixton Road, façade"},
        ),
        "track": ({"at": "2026-11-22T07:19:35Z", "lat": "51.4626", "lon": "-0.1159"},),
        "told": True,
        "video": {"width": 1280, "height": 720, "fps": 25},
    }
    return ManifestEntry(**{**fields, **changes})


SIGNED = manifest.sign_entry(entry(), KEY)


def chain(length, serial="BL-1"):
    previous, entries = FIRST_PREVIOUS, []
    for sequence in range(1, length + 1):
        entries.append(entry(serial=serial, sequence=sequence, previous=previous))
        previous = entries[-1].hash()
    return entries


def test_a_signed_entry_survives_json_and_verifies():
    read = SignedEntry.from_json(SIGNED.to_json())
    assert read == SIGNED
    assert manifest.verify_entry(read, public_key_text(KEY)) == entry()


def test_plain_values_and_bytes_are_read_like_text():
    assert SignedEntry.from_json(SIGNED.to_dict()) == SIGNED
    assert SignedEntry.from_json(SIGNED.to_json().encode()) == SIGNED


def test_an_entry_signed_by_a_key_that_is_not_the_cameras_is_refused():
    forged = manifest.sign_entry(entry(), OTHER_KEY)
    with pytest.raises(ManifestError, match="registered"):
        manifest.verify_entry(forged, public_key_text(KEY))
    claimed = dataclasses.replace(forged, public_key=public_key_text(KEY))
    with pytest.raises(ManifestError, match="changed after signing"):
        manifest.verify_entry(claimed, public_key_text(KEY))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("serial", "BL-000124"),
        ("model", "Other"),
        ("mount", "chest"),
        ("sequence", 2),
        ("filename", "x.mp4"),
        ("started_at", "2026-11-22T07:19:04Z"),
        ("ended_at", "2026-11-22T07:24:06Z"),
        ("size", 1),
        ("sha256", "ac" * 32),
        ("previous", "cd" * 32),
        ("clock_set", False),
        ("pre_event_seconds", 0),
        ("part", 2),
        ("incident", INCIDENT.replace("0190", "0191")),
        ("events", []),
        ("track", []),
        ("told", None),
        ("video", {"width": 1280, "height": 720, "fps": 30}),
    ],
)
def test_a_change_of_any_field_breaks_the_signature(field, value):
    document = copy.deepcopy(SIGNED.to_dict())
    document["entry"][field] = value
    with pytest.raises(ManifestError, match="changed after signing"):
        manifest.verify_entry(SignedEntry.from_json(document))


def test_every_field_is_among_those_whose_change_is_tested():
    tested = test_a_change_of_any_field_breaks_the_signature.pytestmark[0].args[1]
    assert {field for field, _ in tested} == {field.name for field in dataclasses.fields(ManifestEntry)}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("serial", "BL 1"),
        ("serial", "../etc"),
        ("serial", 7),
        ("model", ""),
        ("mount", "chest\n"),
        ("sequence", 0),
        ("sequence", True),
        ("sequence", 1.0),
        ("sequence", 2**53),
        ("filename", "../master.key"),
        ("filename", "a\\b.mp4"),
        ("filename", ".."),
        ("filename", "a\0b"),
        ("filename", "\ud800.mp4"),
        ("started_at", "yesterday"),
        ("started_at", "2026-11-22T07:24:06Z"),
        ("ended_at", "2026-11-22T07:24:05+00:00"),
        ("size", -1),
        ("sha256", "AB" * 32),
        ("sha256", "ab" * 31),
        ("sha256", "ab" * 32 + "\n"),
        ("previous", None),
        ("clock_set", 1),
        ("pre_event_seconds", "30"),
        ("part", 0),
        ("incident", INCIDENT.upper()),
        ("incident", "{" + INCIDENT + "}"),
        ("incident", 5),
        ("events", None),
        ("events", {}),
        ("events", [None]),
        ("events", [{"at": "2026-11-22T07:19:35Z", "kind": "delete", "note": ""}]),
        ("events", [{"at": "2026-11-22T07:19:35Z", "kind": ["start"], "note": ""}]),
        ("events", [{"at": "2026-11-22T07:19:35Z", "kind": "start"}]),
        ("events", [{"at": 5, "kind": "start", "note": ""}]),
        ("events", [{"at": "2026-11-22T07:19:35Z", "kind": "start", "note": "", "by": "x"}]),
        ("track", [{"at": "2026-11-22T07:19:35Z", "lat": 51.4, "lon": "0"}]),
        ("track", [{"at": "2026-11-22T07:19:35Z", "lat": "91", "lon": "0"}]),
        ("track", [{"at": "2026-11-22T07:19:35Z", "lat": "1", "lon": "-180.1"}]),
        ("track", [{"at": "2026-11-22T07:19:35Z", "lat": "nan", "lon": "0"}]),
        ("told", "yes"),
        ("video", []),
        ("video", {"width": 1280, "height": 720}),
        ("video", {"width": 1280, "height": 720, "fps": 29.97}),
        ("video", {"width": 0, "height": 720, "fps": 25}),
    ],
)
def test_a_value_outside_the_format_is_refused(field, value):
    document = SIGNED.to_dict()
    document["entry"][field] = value
    with pytest.raises(ManifestError):
        SignedEntry.from_json(document)


def test_too_many_events_are_refused():
    event = {"at": "2026-11-22T07:19:35Z", "kind": "marker", "note": ""}
    with pytest.raises(ManifestError, match="at most"):
        entry(events=[event] * (manifest.MAX_EVENTS + 1))


@pytest.mark.parametrize("field", sorted(manifest.FIELD_NAMES))
def test_a_missing_field_is_named(field):
    document = SIGNED.to_dict()
    del document["entry"][field]
    with pytest.raises(ManifestError, match=f"lacks '{field}'"):
        SignedEntry.from_json(document)


def test_an_unknown_field_is_named():
    document = SIGNED.to_dict()
    document["entry"]["gps"] = 1
    with pytest.raises(ManifestError, match="'gps'"):
        SignedEntry.from_json(document)


@pytest.mark.parametrize(
    "document",
    [
        "",
        b"\xff\xfe",
        "null",
        "[]",
        '{"a": NaN}',
        '{"format": 1, "format": 2}',
        "[" * 200_000,
        '{"a":' * 100_000,
        '{"a": ' + "9" * 10_000 + "}",
        None,
        7,
        {},
        {1: 2},
        {**SIGNED.to_dict(), "format": "bluelamp-manifest-2"},
        {**SIGNED.to_dict(), "format": None},
        {**SIGNED.to_dict(), "entry": []},
        {**SIGNED.to_dict(), "signature": "????"},
        {**SIGNED.to_dict(), "signature": None},
        {**SIGNED.to_dict(), "signature": "\u20ac"},
        {**SIGNED.to_dict(), "public_key": "AAAA"},
        {**SIGNED.to_dict(), "public_key": 3},
    ],
    ids=lambda document: repr(document)[:40],
)
def test_a_hostile_document_gives_a_manifest_error(document):
    with pytest.raises(ManifestError):
        SignedEntry.from_json(document)


def test_a_document_larger_than_the_limit_is_not_even_parsed():
    with pytest.raises(ManifestError, match="larger"):
        SignedEntry.from_json(" " * (manifest.MAX_JSON_BYTES + 1))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=300)
@given(st.sampled_from(sorted(manifest.FIELD_NAMES)), json_values)
def test_any_json_in_any_field_is_taken_or_refused_with_a_manifest_error(field, value):
    document = json.loads(SIGNED.to_json())
    document["entry"][field] = value
    try:
        read = SignedEntry.from_json(json.dumps(document, allow_nan=True))
        assert read.entry == read.entry.from_dict(read.entry.to_dict())
    except ManifestError:
        pass


@given(st.binary())
def test_any_bytes_at_all_give_a_manifest_error(document):
    with pytest.raises(ManifestError):
        SignedEntry.from_json(document)


def test_an_entry_does_not_change_with_the_list_it_was_made_from():
    events = [{"at": "2026-11-22T07:19:35Z", "kind": "start", "note": ""}]
    made = entry(events=events)
    before = made.hash()
    events[0]["note"] = "changed later"
    events.clear()
    assert made.hash() == before


def test_a_whole_chain_in_any_order_and_with_repeats_has_no_problems():
    entries = chain(5)
    assert manifest.check_chain(entries) == []
    assert manifest.check_chain([entries[3], *reversed(entries)]) == []
    assert manifest.check_chain([manifest.sign_entry(one, KEY) for one in entries]) == []
    assert manifest.check_chain([]) == []


def test_a_chain_that_begins_late_has_no_problem_since_its_start_was_docked_before():
    assert manifest.check_chain(chain(5)[2:]) == []


@pytest.mark.parametrize(
    ("left_out", "problem"), [({2}, "recording 3 is missing."), ({2, 3}, "recordings 3 to 4 are missing.")]
)
def test_a_gap_in_the_sequence_is_named(left_out, problem):
    entries = [one for index, one in enumerate(chain(6)) if index not in left_out]
    assert manifest.check_chain(entries) == [f"Camera BL-1: {problem}"]


def test_a_replaced_recording_breaks_the_chain_behind_it():
    entries = chain(4)
    entries[1] = dataclasses.replace(entries[1], sha256="ff" * 32)
    assert manifest.check_chain(entries) == ["Camera BL-1: recording 3 does not follow from recording 2 as it arrived."]


def test_two_recordings_with_one_number_are_found():
    entries = chain(3)
    twin = dataclasses.replace(entries[1], filename="other.mp4")
    assert manifest.check_chain([*entries, twin]) == ["Camera BL-1: 2 different recordings carry the number 2."]


def test_a_camera_that_starts_its_chain_anew_is_found():
    entries = chain(3)
    entries[2] = dataclasses.replace(entries[2], previous=FIRST_PREVIOUS)
    assert manifest.check_chain(entries) == ["Camera BL-1: recording 3 claims to be the camera's first."]
    assert manifest.check_chain([entry(previous="ab" * 32)]) == [
        "Camera BL-000123: recording 1 refers to one before it."
    ]


def test_cameras_are_checked_apart():
    problems = manifest.check_chain([*chain(3), *[one for one in chain(3, "BL-2") if one.sequence != 2]])
    assert problems == ["Camera BL-2: recording 2 is missing."]
