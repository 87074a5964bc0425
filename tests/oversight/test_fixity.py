"""Stored footage is read again: what was flipped, cut, removed or exchanged is found and named; what is whole, not."""

from __future__ import annotations

import csv
import hashlib
import io
import os
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.test import Client

from bluelamp import custody
from bluelamp.custody import queries as custody_queries
from bluelamp.footage import services as footage
from bluelamp.footage.events import RecordingCollected
from bluelamp.footage.models import Derivative, Recording
from bluelamp.kernel import clock
from bluelamp.kernel.transaction import atomic
from bluelamp.oversight import fixity, rules, services
from bluelamp.oversight.models import Check, CheckRun, Finding, Fixity
from bluelamp.oversight.queries import checks
from bluelamp.people.policy import Role
from bluelamp.rights.models import RequestMatch
from bluelamp.vault import objects
from bluelamp.vault.errors import StoreUnavailable
from bluelamp.vault.keyring import get_keyring
from bluelamp.vault.stores import get_store
from tests import factories
from tests.oversight import story

pytestmark = pytest.mark.django_db

CONTENT = bytes(range(256)) * 9_000  # three segments


@pytest.fixture
def wearer():
    return factories.person(Role.OFFICER, unit=factories.unit())


def kept(wearer, days=20, content=CONTENT, **more):
    """A recording that has been here for some days, its bytes really sealed in the store."""
    received = clock.now() - timedelta(days=days)
    return factories.recording(wearer, content=content, sealed=True, started_at=received, received_at=received, **more)


def stored_file(name):
    return django_settings.BLUELAMP.data / "store" / name


def flip(name, at):
    path = stored_file(name)
    os.chmod(path, 0o600)
    with path.open("r+b") as file:
        file.seek(at, os.SEEK_END if at < 0 else os.SEEK_SET)
        (byte,) = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 1]))


def truncate(name, by):
    path = stored_file(name)
    os.chmod(path, 0o600)
    os.truncate(path, path.stat().st_size - by)


def standing():
    return {(item.recording_id, item.problem) for item in Finding.objects.filter(ended_at=None)}


def run(**more):
    return services.check_fixity(everything=True, pause=lambda _: None, **more)


def test_untouched_footage_is_read_to_its_last_byte_and_raises_no_alarm(wearer):
    recordings = [kept(wearer), kept(wearer, content=b"x"), kept(wearer, content=b"")]
    recordings[2].size = 22
    done = run()
    assert (done.outcome, done.checked, done.found) == (CheckRun.Outcome.GOOD, 3, 0)
    assert done.bytes == sum(item.size for item in recordings)
    assert not Finding.objects.exists()
    assert custody_queries.count("fixity.failed") == 0
    (said,) = custody_queries.search(tag="fixity.checked")
    assert said.details == {"recordings": 3, "bytes": done.bytes, "problems": 0}


@pytest.mark.parametrize("at", [0, 33, 41, 1_048_576, 2_000_000, -1], ids=str)
def test_one_flipped_bit_anywhere_in_an_object_is_found_and_its_recording_named(wearer, at):
    good, bad = kept(wearer), kept(wearer)
    flip(bad.original, at)
    done = run()
    assert (done.outcome, done.checked, done.found) == (CheckRun.Outcome.BAD, 2, 1)
    assert standing() == {(bad.pk, Finding.Problem.DAMAGED)}
    (event,) = custody_queries.search(tag="fixity.failed")
    assert event.subject == bad.custody_id
    assert event.details["object"] == bad.original
    assert good.original not in str(done.problems)
    assert bad.original in done.problems[0]


@pytest.mark.parametrize("by", [1, 1_048_576], ids=["a byte", "a segment"])
def test_an_object_that_lost_its_end_is_found_by_its_size(wearer, by):
    bad = kept(wearer)
    truncate(bad.original, by)
    run()
    assert standing() == {(bad.pk, Finding.Problem.SIZE)}


def test_an_object_that_is_gone_is_found(wearer):
    bad, _ = kept(wearer), kept(wearer)
    get_store().delete(bad.original)
    run()
    assert standing() == {(bad.pk, Finding.Problem.MISSING)}


def test_another_content_sealed_under_the_same_key_and_name_is_found_by_its_hash(wearer):
    bad = kept(wearer)
    get_store().delete(bad.original)
    objects.seal_bytes(bad.original, bad.key_id, CONTENT[::-1])
    run()
    assert standing() == {(bad.pk, Finding.Problem.CONTENT)}


def test_another_content_is_found_though_the_register_was_changed_to_fit_it(wearer):
    bad = kept(wearer)
    with atomic():
        custody.record(
            RecordingCollected(
                actor="dock:1", subject=bad.custody_id, sha256=bad.sha256, size=bad.size, camera=None, sequence=None,
                started_at=bad.started_at, ended_at=bad.ended_at, received_at=bad.received_at, wearer=None, unit=None,
                incident=None, part=1, clock_status="good", clock_offset_ms=0,
            )
        )  # fmt: skip
    other = CONTENT[::-1]
    get_store().delete(bad.original)
    objects.seal_bytes(bad.original, bad.key_id, other)
    Recording.objects.filter(pk=bad.pk).update(sha256=hashlib.sha256(other).hexdigest())
    run()
    ((found, problem),) = standing()
    assert (found, problem) == (bad.pk, Finding.Problem.CONTENT)
    assert f"the ledger {bad.sha256}" in Finding.objects.get().detail


def test_derivatives_are_read_too(wearer):
    item = kept(wearer)
    name = f"recordings/{item.pk}/poster-1"
    objects.seal_bytes(name, item.key_id, b"a picture")
    Derivative.objects.create(recording=item, kind="poster", object_name=name, content_type="image/jpeg", size=9)
    assert run().found == 0
    flip(name, -3)
    run()
    assert Finding.objects.get(ended_at=None).object_name == name


def test_a_finding_names_the_case_the_share_and_the_request_that_hang_on_the_recording(wearer, as_auditor):
    bad = kept(wearer)
    share = story.shared(bad)
    request = story.request()
    RequestMatch.objects.create(request=request, recording=bad, matched_at=clock.now())
    flip(bad.original, 100)
    run()
    (event,) = custody_queries.search(tag="fixity.failed")
    assert set(event.also) == {f"case:{share.case_id}", share.custody_id, request.custody_id}
    assert event.id in {item.id for item in custody_queries.history(share.custody_id)}
    page = as_auditor.get("/oversight/").content.decode()
    assert f"/audit/recordings/{bad.pk}/" in page
    assert "Damaged" in page
    assert bad.original in page
    assert "Case Lantern (01AB1)" in page
    assert request.reference in page


def test_what_is_mended_ends_its_finding_and_the_ledger_says_so(wearer):
    bad = kept(wearer)
    flip(bad.original, 500)
    run()
    run()
    assert custody_queries.count("fixity.failed") == 1, "a finding that stands is told once"
    flip(bad.original, 500)
    assert run().outcome == CheckRun.Outcome.GOOD
    assert standing() == set()
    (event,) = custody_queries.search(tag="fixity.restored")
    assert event.details == {"object": bad.original, "problem": "damaged"}


def test_a_deleted_recording_is_not_missed(wearer):
    gone = kept(wearer)
    run()
    get_keyring().erase(gone.key_id)
    get_store().delete(gone.original)
    footage.mark_deleted(gone)
    assert not Fixity.objects.filter(recording=gone).exists()
    assert services.check_fixity(everything=True) is None
    assert standing() == set()


def test_a_recording_deleted_while_it_is_read_raises_no_alarm(wearer):
    gone = kept(wearer)

    def meanwhile(_):
        get_store().delete(gone.original)
        Recording.objects.filter(pk=gone.pk).update(state=Recording.State.DELETED)

    assert fixity.examine(gone.pk, meanwhile) is None


def test_a_store_that_does_not_answer_is_no_finding_and_the_next_run_goes_on(wearer, monkeypatch):
    kept(wearer)

    def away(*_):
        raise StoreUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(type(get_store()), "size", away)
        done = run()
    assert (done.outcome, done.checked, done.found) == (CheckRun.Outcome.INTERRUPTED, 0, 0)
    assert standing() == set()
    assert run().checked == 1


def test_the_one_that_waited_longest_is_read_first_and_a_run_goes_on_where_the_last_one_stopped(wearer):
    recordings = [kept(wearer, days=days, content=b"x") for days in (17, 29, 20, 25)]
    first = services.check_fixity(seconds=0, pause=lambda _: None)
    assert first.checked == 1
    order = []
    for _ in range(3):
        before = dict(Fixity.objects.values_list("recording_id", "checked_at"))
        services.check_fixity(seconds=0, pause=lambda _: None)
        after = dict(Fixity.objects.values_list("recording_id", "checked_at"))
        order += [key for key in after if after[key] != before[key]]
    assert order == [recordings[3].pk, recordings[2].pk, recordings[0].pk]
    assert services.check_fixity(seconds=0, pause=lambda _: None) is None, "nothing is due twice"


def test_what_was_read_lately_is_left_alone(wearer):
    kept(wearer, days=14)
    assert services.check_fixity() is None
    assert not CheckRun.objects.exists()


def test_the_pace_reads_everything_within_the_period_and_no_more_than_is_needed():
    period = timedelta(days=30)
    pace = rules.pace(180 * 10**12, period)
    runs = period / rules.FIXITY_EVERY
    assert pace.bytes_a_run * runs > 180 * 10**12
    assert pace.bytes_a_run * runs < 1.5 * 180 * 10**12
    assert pace.bytes_a_run / pace.bytes_a_second <= 60
    assert rules.pace(0, period).bytes_a_second == 20_000_000


def test_reading_waits_where_it_is_ahead_of_its_pace(wearer):
    kept(wearer, content=b"x" * 30_000_000)
    waits = []
    services.check_fixity(everything=True, pause=waits.append)
    assert sum(waits) > 0.5, "30 MB at 20 MB/s are ahead after a fraction of a second"


# Presence: a loss is known within a day


def test_a_store_in_which_everything_is_there_raises_no_alarm(wearer):
    for _ in range(3):
        kept(wearer, days=0)
    done = services.check_presence()
    assert (done.outcome, done.checked, done.found) == (CheckRun.Outcome.GOOD, 3, 0)
    (said,) = custody_queries.search(tag="store.checked")
    assert said.details == {"objects": 3, "problems": 0}


def test_what_vanished_today_is_listed_tonight_and_struck_off_when_it_comes_back(wearer, as_auditor):
    whole, lost, cut = (kept(wearer, days=0) for _ in range(3))
    copy = stored_file(lost.original).read_bytes()
    get_store().delete(lost.original)
    truncate(cut.original, 5)
    done = services.check_presence()
    assert (done.outcome, done.checked, done.found) == (CheckRun.Outcome.BAD, 3, 2)
    assert standing() == {(lost.pk, Finding.Problem.MISSING), (cut.pk, Finding.Problem.SIZE)}
    get_store().put_stream(lost.original, [copy])
    services.check_presence()
    assert standing() == {(cut.pk, Finding.Problem.SIZE)}
    rows = list(csv.DictReader(io.StringIO(as_auditor.get("/oversight/findings.csv").content.decode("utf-8-sig"))))
    assert {(row["recording"], row["what is wrong"], bool(row["mended (UTC)"])) for row in rows} == {
        (str(lost.pk), "Not in the store", True),
        (str(cut.pk), "Wrong size", False),
    }
    assert whole.sha256 not in {row["recording"] for row in rows}


def test_the_list_of_findings_is_for_those_who_oversee_and_names_cases_to_those_who_audit(wearer, signed_in):
    bad = kept(wearer)
    story.shared(bad)
    get_store().delete(bad.original)
    services.check_presence()
    assert signed_in(wearer).get("/oversight/findings.csv").status_code == 403
    assert Client().get("/oversight/findings.csv").status_code == 302
    told = signed_in(factories.person(Role.OPERATOR)).get("/oversight/findings.csv").content.decode()
    assert "1 case, 1 share" in told
    assert "Lantern" not in told
    assert "Lantern" in signed_in(factories.person(Role.AUDITOR)).get("/oversight/findings.csv").content.decode()


# Keys


def test_keys_that_are_there_while_the_recording_is_and_gone_after_it_raise_no_alarm(wearer):
    kept(wearer, due_at=clock.now() + timedelta(days=1))
    gone = kept(wearer)
    footage.mark_deleted(gone)
    get_keyring().erase(gone.key_id)
    done = services.check_keys()
    assert (done.outcome, done.checked, done.found) == (CheckRun.Outcome.GOOD, 2, 0)
    assert custody_queries.count("fixity.failed") == 0


def test_a_key_that_is_missing_is_found(wearer):
    there = kept(wearer, due_at=clock.now() + timedelta(days=1))
    get_keyring().erase(there.key_id)
    never = factories.recording(wearer, due_at=clock.now() + timedelta(days=1))
    done = services.check_keys()
    assert done.outcome == CheckRun.Outcome.BAD
    assert standing() == {(there.pk, Finding.Problem.NO_KEY), (never.pk, Finding.Problem.NO_KEY)}


def test_a_key_that_outlived_its_recording_is_found_and_its_finding_ends_with_it(wearer):
    gone = kept(wearer)
    footage.mark_deleted(gone)
    services.check_keys()
    assert standing() == {(gone.pk, Finding.Problem.KEY_LEFT)}
    get_keyring().erase(gone.key_id)
    services.check_keys()
    assert standing() == set()


def test_footage_past_its_day_of_deletion_is_found_by_its_key(wearer):
    kept(wearer, due_at=clock.now() - timedelta(minutes=30))
    late = kept(wearer, due_at=clock.now() - timedelta(hours=2))
    services.check_keys()
    assert standing() == {(late.pk, Finding.Problem.OVERDUE)}


# What is shown of it


def test_each_check_says_when_it_ran_last_and_what_came_of_it(wearer):
    never = {item.kind: item.good for item in checks.standing(clock.now())[0]}
    assert never == dict.fromkeys(Check)
    kept(wearer, due_at=clock.now() + timedelta(days=1))
    run()
    services.check_keys()
    found = {item.kind: item for item in checks.standing(clock.now())[0]}
    assert found[Check.FIXITY].good
    assert found[Check.KEYS].good
    assert found[Check.FIXITY].last.checked == 1


def test_a_check_that_has_not_run_for_too_long_is_not_called_good(wearer):
    kept(wearer, due_at=clock.now() + timedelta(days=1))
    run()
    services.check_keys()
    later = {item.kind: item.good for item in checks.standing(clock.now() + timedelta(days=31))[0]}
    assert later[Check.FIXITY] is False
    assert later[Check.KEYS] is False


def test_the_metrics_tell_a_failure(wearer, client):
    bad = kept(wearer)
    run()
    assert 'bluelamp_check_good{check="fixity"} 1.0' in client.get("/metrics").content.decode()
    flip(bad.original, 77)
    run()
    told = client.get("/metrics").content.decode()
    assert 'bluelamp_check_good{check="fixity"} 0.0' in told
    assert 'bluelamp_check_last_run_problems{check="fixity"} 1.0' in told
    assert client.get("/metrics", REMOTE_ADDR="192.0.2.7").status_code == 403


def test_whoever_oversees_without_auditing_learns_what_is_broken_but_not_whose_case_it_is(wearer, signed_in):
    bad = kept(wearer)
    story.shared(bad)
    flip(bad.original, 100)
    run()
    page = signed_in(factories.person(Role.OPERATOR)).get("/oversight/").content.decode()
    assert bad.original in page
    assert "Lantern" not in page
    assert "1 case, 1 share" in page
    assert signed_in(wearer).get("/oversight/").status_code == 403


def test_a_recording_can_be_read_again_at_once(wearer):
    item = kept(wearer, days=1)
    assert services.recheck(item.pk) == ()
    flip(item.original, 60)
    (wrong,) = services.recheck(item.pk)
    assert wrong.problem == Finding.Problem.DAMAGED
    assert standing() == {(item.pk, Finding.Problem.DAMAGED)}
