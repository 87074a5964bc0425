from __future__ import annotations

import dataclasses
from datetime import UTC, timedelta

import pytest
from django.conf import settings
from django.db import DatabaseError, connection

from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict, Invalid


def test_a_demonstrations_clock_moves_forward_for_every_reader(db):
    before = clock.now()
    clock.advance(timedelta(days=31))
    assert timedelta(days=31) <= clock.now() - before < timedelta(days=31, minutes=1)
    assert clock.now().tzinfo is UTC


def test_the_clock_does_not_move_back(db):
    with pytest.raises(Invalid):
        clock.advance(timedelta(seconds=-1))


def test_the_database_itself_refuses_a_clock_that_moves_back(db):
    clock.advance(timedelta(days=1))
    with pytest.raises(DatabaseError, match="only moves forward"), connection.cursor() as cursor:
        cursor.execute("UPDATE kernel_clock_offset SET seconds = 0")


def test_outside_a_demonstration_the_clock_is_plain_time_and_cannot_be_moved(db, monkeypatch):
    clock.advance(timedelta(days=1))
    monkeypatch.setattr(settings, "BLUELAMP", dataclasses.replace(settings.BLUELAMP, demonstration=False))
    assert clock.offset() == timedelta()
    with pytest.raises(Conflict):
        clock.advance(timedelta(days=1))
