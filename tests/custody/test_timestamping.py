"""Timestamps of checkpoints by `openssl ts`: asked for when due, believed only when good, never in the log's way."""

from __future__ import annotations

import dataclasses
import threading
import time
from datetime import timedelta

import psycopg
import pytest
from django.db import connection

from bluelamp.custody import keys, outside, proving, sequencer, timestamping
from bluelamp.custody.models import CustodyTimestamp
from bluelamp.custody.verification import verify_ledger
from bluelamp.formats import timestamp
from bluelamp.formats.anchor import Anchor
from bluelamp.formats.checkpoint import Checkpoint
from bluelamp.formats.errors import FormatError
from bluelamp.formats.timestamp import LibraryMissing, OtherText, TimestampError, UnknownAuthority
from bluelamp.kernel import clock
from bluelamp.oversight.queries import outside as outside_queries
from tests.custody.test_ledger import _record
from tests.custody.time_authority import Authority, serving, verified

TEXT = Checkpoint("log.force.example", 12, bytes(range(32))).text()


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("time") / "one")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("time") / "two", "Somebody Else")


@pytest.fixture(scope="module")
def answered(authority):
    """A good answer for TEXT, and the nonce that was asked with."""
    query, nonce = timestamp.request(TEXT)
    return authority.reply(query), nonce


def known(authority):
    return timestamp.certificates(authority.root.read_bytes())


# What is believed


def test_a_good_answer_names_its_time_and_signer_and_openssl_takes_it_too(authority, answered, tmp_path):
    response, nonce = answered
    said = timestamp.check(response, TEXT, known(authority), nonce=nonce)
    assert abs(said.at - clock.real_now()) < timedelta(minutes=5)
    assert said.authority == "CN=Stamp 1,O=Independent Time"
    assert verified(response, TEXT, authority.root, tmp_path)
    assert not verified(response, TEXT.replace("12", "13"), authority.root, tmp_path)


def test_an_answer_for_another_checkpoint_is_refused(authority, answered):
    with pytest.raises(OtherText):
        timestamp.check(answered[0], TEXT.replace("12", "13"), known(authority))


def test_an_answer_to_another_question_is_refused(authority, answered):
    with pytest.raises(TimestampError, match="Nonce"):
        timestamp.check(answered[0], TEXT, known(authority), nonce=answered[1] + 1)


def test_an_answer_of_an_authority_that_is_not_trusted_is_refused(authority, stranger, answered):
    with pytest.raises(UnknownAuthority):
        timestamp.check(answered[0], TEXT, known(stranger))
    with pytest.raises(TimestampError, match="No certificate"):
        timestamp.check(answered[0], TEXT, ())


def test_an_authoritys_refusal_is_said_in_its_words(tmp_path):
    fussy = Authority(tmp_path / "fussy", digests="sha512")
    query, _ = timestamp.request(TEXT)
    with pytest.raises(TimestampError, match=r"refused \(status 2\).*not supported"):
        timestamp.check(fussy.reply(query), TEXT, known(fussy))


def test_whatever_bit_of_an_answer_is_flipped_it_never_says_anything_else(authority, answered):
    """Some bits are outside of what is signed; those that are accepted must say the same as before."""
    response, nonce = answered
    right, refused = timestamp.check(response, TEXT, known(authority), nonce=nonce), 0
    for at in range(len(response)):
        changed = bytearray(response)
        changed[at] ^= 1
        try:
            assert timestamp.check(bytes(changed), TEXT, known(authority), nonce=nonce) == right
        except TimestampError:
            refused += 1
    assert refused > len(response) // 3


def test_an_answer_cut_off_anywhere_is_refused(authority, answered):
    for end in range(0, len(answered[0]), 13):
        with pytest.raises(TimestampError):
            timestamp.check(answered[0][:end], TEXT, known(authority))


@pytest.mark.parametrize(
    "junk",
    [b"", b"\x30", b"\x30\x80", b"\x30\x84\xff\xff\xff\xff", b"<html>", bytes(timestamp.MOST_BYTES + 1)],
    ids=str,
)
def test_what_is_no_answer_at_all_is_refused(authority, junk):
    with pytest.raises(TimestampError):
        timestamp.check(junk, TEXT, known(authority))


def test_certificates_in_either_order_are_read(authority, answered):
    """OpenSSL sends them in the order of its file; both orders occur, and the order is not signed."""
    response, nonce = answered
    (outer,) = timestamp._parts(response, 0, len(response))
    token = timestamp._parts(response, *outer.inside)[1]
    signed = timestamp._parts(response, *timestamp._parts(response, *token.inside)[1].inside)[0]
    held = next(part for part in timestamp._parts(response, *signed.inside) if part.tag == 0xA0)
    one, two = (response[part.start : part.end] for part in timestamp._parts(response, *held.inside))
    first, end = held.inside
    for order in (one + two, two + one):
        turned = response[:first] + order + response[end:]
        assert timestamp.check(turned, TEXT, known(authority), nonce=nonce)


def test_without_the_library_nothing_is_said_of_a_timestamp(authority, answered, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "rfc3161_client", None)
    with pytest.raises(LibraryMissing):
        timestamp.check(answered[0], TEXT, known(authority))


def test_a_file_without_a_certificate_is_refused():
    with pytest.raises(TimestampError, match="no certificate"):
        timestamp.certificates(b"-----BEGIN NOTHING-----")


# The log's side


@pytest.fixture
def asking(settings, authority):
    """A function: the settings for an authority at an address."""

    def configure(url, root=authority.root):
        settings.BLUELAMP = dataclasses.replace(settings.BLUELAMP, timestamp_url=url, timestamp_certificate=str(root))

    return configure


def grown(count=3):
    for _ in range(count):
        _record()
    sequencer.drain()
    return proving.latest()


def good(authority):
    return lambda query, _: authority.reply(query)


def test_the_latest_checkpoint_is_stamped_and_openssl_agrees(db, asking, authority, tmp_path):
    latest = grown()
    with serving(good(authority)) as (url, _):
        asking(url)
        kept = timestamping.stamp()
    assert kept.size == latest.size
    assert abs(kept.at - clock.real_now()) < timedelta(minutes=5)
    text = timestamping.text_of(latest)
    assert text == Checkpoint(keys.present_origin(), latest.size, bytes(latest.root)).text()
    assert verified(bytes(CustodyTimestamp.objects.get().response), text, authority.root, tmp_path)


def test_it_is_asked_once_an_hour_and_only_when_the_log_grew(db, asking, authority, monkeypatch):
    grown()
    with serving(good(authority)) as (url, queries):
        asking(url)
        assert timestamping.stamp()
        assert timestamping.stamp() is None
        grown()
        assert timestamping.stamp() is None
        monkeypatch.setattr(timestamping, "_EVERY", timedelta())
        assert timestamping.stamp()
        assert timestamping.stamp() is None
    assert len(queries) == 2


def test_without_an_authority_nothing_is_asked_and_nothing_shown(db, settings):
    grown()
    assert timestamping.stamp() is None
    assert outside_queries.authorities(clock.now()) == []


def _refusing(status):
    def answer(_, handler):
        handler.send_response(status)
        handler.end_headers()

    return answer


def _trickling(_, handler):
    """A byte now and then, for ever."""
    handler.send_response(200)
    handler.end_headers()
    for _ in range(200):
        try:
            handler.wfile.write(b"\x30")
            handler.wfile.flush()
        except OSError:
            return
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("answer", "refused"),
    [
        (_refusing(500), False),
        (_refusing(302), False),
        (_trickling, False),
        (lambda *_: bytes(timestamp.MOST_BYTES + 1), False),
        (lambda *_: b"<html>Sign in to the guest network</html>", True),
        (lambda *_: b"", True),
    ],
    ids=["an error", "another address", "a trickle", "too much", "a page", "nothing"],
)
def test_whatever_else_is_answered_is_not_kept_and_the_log_goes_on(db, asking, monkeypatch, answer, refused):
    monkeypatch.setattr(timestamping, "_ANSWER_SECONDS", 0.3)
    before = grown()
    with serving(answer) as (url, _):
        asking(url)
        assert timestamping.stamp() is None
    assert not CustodyTimestamp.objects.exists()
    said = outside.of(timestamping.PARTY)
    assert said.failing_since is not None
    assert said.refused is refused
    assert grown().size == before.size + 3


def test_an_authority_that_is_dead_is_told_of_only_after_hours_and_mended_by_the_next_answer(db, asking, authority):
    grown()
    asking("http://127.0.0.1:9/tsr")
    assert timestamping.stamp() is None
    (soon,) = outside_queries.authorities(clock.now() + timedelta(hours=1))
    (late,) = outside_queries.authorities(clock.now() + timedelta(hours=4))
    assert (soon.good, late.good) == (None, False)
    with serving(good(authority)) as (url, _):
        asking(url)
        assert timestamping.stamp()
    (now,) = outside_queries.authorities(clock.now() + timedelta(hours=1))
    assert now.good is True


def test_an_answer_that_was_given_before_is_not_taken_for_a_new_one(db, asking, authority, answered):
    grown()
    with serving(lambda *_: answered[0]) as (url, _):
        asking(url)
        assert timestamping.stamp() is None
    (found,) = outside_queries.authorities(clock.now())
    assert found.good is False
    assert "no timestamp that is good" in found.note


def test_an_answer_by_somebody_else_on_the_way_is_not_kept(db, asking, stranger):
    grown()
    with serving(good(stranger)) as (url, _):
        asking(url)
        assert timestamping.stamp() is None
    assert outside.of(timestamping.PARTY).refused


def test_an_authority_whose_clock_is_far_from_ours_is_not_believed(db, asking, authority, monkeypatch):
    grown()
    real = clock.real_now()
    monkeypatch.setattr(clock, "real_now", lambda: real + timedelta(hours=2))
    with serving(good(authority)) as (url, _):
        asking(url)
        assert timestamping.stamp() is None
    assert "one of the two clocks is wrong" in outside.of(timestamping.PARTY).reason


def test_a_missing_certificate_is_said_and_nothing_is_asked(db, asking, authority, tmp_path):
    grown()
    with serving(good(authority)) as (url, queries):
        asking(url, tmp_path / "nowhere.pem")
        assert timestamping.stamp() is None
    assert queries == []
    assert "cannot be read" in outside.of(timestamping.PARTY).reason


def test_the_password_in_the_authoritys_address_is_shown_and_logged_nowhere(db, asking, capsys):
    grown()
    asking("http://user:secret@127.0.0.1:9/tsr")
    timestamping.stamp()
    (found,) = outside_queries.authorities(clock.now())
    assert found.title == "Timestamps by 127.0.0.1"
    assert "cannot be reached" in found.reason
    assert "secret" not in f"{found}{capsys.readouterr()}"


# What is done with it


def test_an_anchor_leads_to_a_later_checkpoint_and_to_no_other(db, asking, authority):
    grown(5)
    with serving(good(authority)) as (url, _):
        asking(url)
        timestamping.stamp()
    later = grown(7)
    anchor = Anchor.parse(timestamping.anchor(later).document())
    under = Checkpoint(keys.present_origin(), later.size, bytes(later.root))
    assert anchor.verify(under, known(authority)).authority == "CN=Stamp 1,O=Independent Time"
    for wrong in (
        dataclasses.replace(under, root=bytes(32)),
        dataclasses.replace(under, origin="log.other.example"),
        dataclasses.replace(under, size=4),
    ):
        with pytest.raises(FormatError):
            anchor.verify(wrong, known(authority))


def test_an_earlier_checkpoint_has_no_anchor_in_a_later_timestamp(db, asking, authority):
    early = grown()
    grown()
    with serving(good(authority)) as (url, _):
        asking(url)
        timestamping.stamp()
    assert timestamping.anchor(early) is None


def test_the_check_of_the_ledger_names_a_timestamp_that_is_of_another_checkpoint(
    committed_db, postgres, asking, authority, answered
):
    grown()
    with serving(good(authority)) as (url, _):
        asking(url)
        timestamping.stamp()
    assert verify_ledger()[0].good
    owner = psycopg.connect(postgres.url("admin"), dbname=connection.settings_dict["NAME"])
    with owner:
        owner.execute("SET session_replication_role = replica")
        owner.execute("UPDATE custody_timestamp SET response = %s", [answered[0]])
    owner.close()
    report, _ = verify_ledger()
    assert [problem for problem in report.problems if "The timestamp of the checkpoint of 3 events" in problem]


def test_another_authority_or_a_lost_certificate_is_no_sign_of_tampering(db, asking, authority, stranger, tmp_path):
    grown()
    with serving(good(authority)) as (url, _):
        asking(url)
        timestamping.stamp()
    for file in (stranger.root, tmp_path / "nowhere.pem", ""):
        asking(url, file)
        assert timestamping.problems() == []


def test_a_kept_timestamp_whose_signature_was_damaged_is_named(db, asking, authority):
    latest = grown()
    asking("http://127.0.0.1:9/tsr")
    damaged = bytearray(authority.reply(timestamp.request(timestamping.text_of(latest))[0]))
    damaged[-1] ^= 1
    CustodyTimestamp.objects.create(size=latest.size, response=bytes(damaged), at=clock.now())
    (problem,) = timestamping.problems()
    assert f"checkpoint of {latest.size} events is not good" in problem


def test_two_workers_do_not_both_ask(committed_db, asking, authority):
    grown()
    inside, go_on = threading.Event(), threading.Event()

    def slow(query, _):
        inside.set()
        go_on.wait(10)
        return authority.reply(query)

    with serving(slow) as (url, queries):
        asking(url)
        other = threading.Thread(target=lambda: (timestamping.stamp(), connection.close()))
        other.start()
        assert inside.wait(10)
        assert timestamping.stamp() is None
        go_on.set()
        other.join()
    assert len(queries) == 1
    assert CustodyTimestamp.objects.count() == 1


def test_the_log_page_shows_it_and_anybody_can_check_what_it_hands_out(db, asking, authority, client, tmp_path):
    latest = grown()
    assert client.get(f"/log/timestamp/{latest.size}").status_code == 404
    with serving(good(authority)) as (url, _):
        asking(url)
        timestamping.stamp()
    assert "Timestamp from outside" in client.get("/log/").content.decode()
    response = client.get(f"/log/timestamp/{latest.size}")
    assert response["Content-Type"] == "application/timestamp-reply"
    text = client.get(f"/log/timestamp/{latest.size}/checkpoint").content.decode()
    assert verified(response.content, text, authority.root, tmp_path)
    for missing in ("999", "999/checkpoint", "9" * 40, "9" * 40 + "/checkpoint", "-1", "x"):
        assert client.get(f"/log/timestamp/{missing}").status_code == 404
    assert client.post(f"/log/timestamp/{latest.size}").status_code == 405
