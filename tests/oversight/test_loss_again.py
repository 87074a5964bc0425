"""What befalls a loss later: more goes wrong, it was recovered and is deleted, or went while it was checked."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest

from bluelamp.custody import queries as custody
from bluelamp.footage.models import Recording
from bluelamp.kernel import clock
from bluelamp.oversight import services
from bluelamp.oversight.models import Finding, Loss
from bluelamp.oversight.services.losses import accept, propose_acceptance
from bluelamp.oversight.services.recovering import recover
from bluelamp.people.policy import Role
from bluelamp.retention import services as retention
from bluelamp.vault import objects
from bluelamp.vault.errors import StoreUnavailable
from bluelamp.vault.stores.local import LocalStore
from tests import factories
from tests.oversight.test_losses import DAY, copied, kept, lose, stored

pytestmark = pytest.mark.django_db


@pytest.fixture
def wearer():
    return factories.person(Role.OFFICER, unit=factories.unit())


def with_poster(recording: Recording) -> str:
    name = f"recordings/{recording.pk}/poster.jpg"
    objects.seal_stream(name, recording.key_id, iter([b"picture"]))
    recording.derivatives.create(kind="poster", object_name=name, size=7, content_type="image/jpeg")
    return name


def written_off(recording: Recording) -> Loss:
    """Its poster was lost, and two people accepted that."""
    stored(with_poster(recording)).unlink()
    services.check_presence()
    loss = Loss.objects.get()
    propose_acceptance([loss.pk], reason="Only a picture", actor="person:1")
    accept([loss.pk], reason="Only a picture", actor="person:2")
    return loss


def test_who_accepted_that_a_poster_is_lost_has_not_accepted_that_the_recording_is(wearer):
    bad = kept(wearer)
    loss = written_off(bad)
    services.check_presence()
    loss.refresh_from_db()
    assert loss.state == Loss.State.ACCEPTED, "the same again is what they knew of"
    lose(bad)
    services.check_presence()
    loss.refresh_from_db()
    assert (loss.state, loss.proposed_by, loss.accepted_by, loss.files) == (Loss.State.LOST, "", "", 2)
    assert custody.count("loss.found") == 2


def test_a_second_person_agrees_to_no_more_than_the_first_proposed(wearer):
    bad = kept(wearer)
    stored(with_poster(bad)).unlink()
    services.check_presence()
    loss = Loss.objects.get()
    propose_acceptance([loss.pk], reason="Only a picture", actor="person:1")
    lose(bad)
    services.check_presence()
    loss.refresh_from_db()
    assert loss.proposed_by == ""


def test_of_a_loss_that_had_ended_no_words_outlive_the_recording(wearer, tmp_path):
    bad = kept(wearer, days=40)
    folder = copied(tmp_path, bad)
    lose(bad)
    services.check_presence()
    propose_acceptance([Loss.objects.get().pk], reason="Mrs Hale has no copy", actor="person:1")
    assert recover(folder).recovered == [bad.pk]
    Recording.objects.filter(pk=bad.pk).update(due_at=clock.now() - DAY, due_rule="default")
    retention.sweep()
    retention.sweep()
    loss = Loss.objects.get()
    assert (loss.state, loss.proposal_reason, loss.recovered_from) == (Loss.State.RECOVERED, "", "")
    bad.refresh_from_db()
    assert retention.prove_gone(bad, actor="person:1").left == ()


def test_what_was_deleted_while_it_was_being_checked_is_no_loss(wearer):
    bad = kept(wearer, days=40)
    missing = services.checking.Wrong(bad.original, Finding.Problem.MISSING, "not in the store")
    Recording.objects.filter(pk=bad.pk).update(due_at=clock.now() - DAY, due_rule="default")
    retention.sweep()
    retention.sweep()
    services.checking._settle("fixity", bad.pk, [missing])
    assert (Loss.objects.count(), Finding.objects.count()) == (0, 0)


def test_a_flipped_bit_may_be_older_than_the_last_look_at_names_and_sizes(wearer):
    bad = kept(wearer, days=5)
    services.check_fixity(everything=True, pause=lambda _: None)
    read = clock.now()
    clock.advance(3 * DAY)
    services.check_presence()
    path = stored(bad.original)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    os.chmod(path, 0o600)
    path.write_bytes(content)
    clock.advance(40 * DAY)
    services.check_fixity(everything=True, pause=lambda _: None)
    assert Loss.objects.get().good_until <= read + timedelta(minutes=1)


def test_a_copy_that_the_store_does_not_take_is_told(wearer, tmp_path, monkeypatch):
    bad = kept(wearer)
    folder = copied(tmp_path, bad)
    lose(bad)
    services.check_presence()

    def refuse(*_: object, **__: object) -> None:
        raise StoreUnavailable

    monkeypatch.setattr(LocalStore, "put_file", refuse)
    done = recover(folder)
    assert (done.put_back, done.left) == (0, 1)
    (said,) = done.not_put_back
    assert said.startswith(f"{bad.original}: ")
