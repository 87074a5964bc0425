from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import pytest

from bluelamp import custody
from bluelamp.custody import Event, Operation


def _type(tag_text: str) -> type[Event]:
    @dataclass(frozen=True, kw_only=True)
    class Some(Event):
        tag = tag_text
        operation = Operation.CONSULTATION
        value: object = None

    return Some


@pytest.mark.parametrize("tag", ["recording", "Recording.viewed", "recording.viewed.again", "recording viewed"])
def test_a_tag_is_subject_dot_verb(tag):
    with pytest.raises(ValueError, match="not <subject>.<verb>"):
        custody.event_type(_type(tag))


def test_details_become_plain_values():
    event = _type("a.b")(
        actor="x",
        subject="y",
        value={"at": datetime(2026, 1, 2, tzinfo=UTC), "ids": (UUID(int=1),), "yes": True, "none": None},
    )
    assert event.details() == {
        "value": {
            "at": "2026-01-02T00:00:00Z",
            "ids": ["00000000-0000-0000-0000-000000000001"],
            "yes": True,
            "none": None,
        }
    }


def test_a_float_is_refused_because_it_has_no_one_encoding():
    with pytest.raises(TypeError):
        _type("a.b")(actor="x", subject="y", value=1.5).details()


def test_every_event_type_has_one_of_the_six_operations_of_section_62():
    for event in custody.registered_types().values():
        assert event.operation in Operation
