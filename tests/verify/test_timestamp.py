"""The timestamp that comes with a package, checked by the command with the authority's certificate (`openssl ts`)."""

from __future__ import annotations

import base64
import io
import json
import sys
from datetime import UTC, datetime, timedelta

import pytest

from bluelamp.formats import package as bag
from bluelamp.formats import timestamp
from bluelamp.verify.command import run
from bluelamp.verify.package import verify_package
from tests.custody.time_authority import Authority
from tests.verify.build import VKEY, Recipe
from tests.verify.package_cases import document


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("time") / "one")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("time") / "two", "Somebody Else")


def stamp(authority):
    return lambda text: authority.reply(timestamp.request(text)[0])


@pytest.fixture(scope="module")
def package(authority):
    return Recipe(stamp=stamp(authority)).zip()


def checked(package, *authorities, keys=(VKEY,)):
    trusted = [one for each in authorities for one in timestamp.certificates(each.root.read_bytes())]
    return verify_package(io.BytesIO(package), keys, (), None, trusted)


def test_a_good_timestamp_says_when_the_log_was_so_and_who_vouches_for_it(package, authority):
    report = checked(package, authority)
    assert (report.exit_code, report.problems) == (0, [])
    assert report.timestamp["status"] == "good"
    assert report.timestamp["size"] == 5
    assert report.timestamp["authority"] == "CN=Stamp 1,O=Independent Time"
    assert abs(datetime.fromisoformat(report.timestamp["at"]) - datetime.now(UTC)) < timedelta(minutes=5)


def test_without_a_certificate_it_is_not_checked_and_takes_nothing_away(package):
    report = checked(package)
    assert (report.exit_code, report.timestamp) == (0, {"status": "not-checked", "size": 5})


def doubted(report):
    assert report.exit_code == 2
    assert [problem.code for problem in report.problems] == ["timestamp"]
    assert report.steps == ["good"] * 5 + ["cannot-tell"]
    assert report.timestamp == {"status": "bad", "size": 5}


def test_another_authoritys_certificate_leaves_it_undecided(package, stranger):
    doubted(checked(package, stranger))


def test_a_timestamp_of_another_checkpoint_is_not_taken(authority):
    doubted(checked(Recipe(stamp=lambda text: stamp(authority)(text.replace("5", "6"))).zip(), authority))


def test_a_timestamp_of_a_tree_that_the_log_did_not_continue_is_not_taken(authority):
    """The answer is good, for a tree that never was this log's: the path does not lead from there."""

    def elsewhere(plain):
        lines = plain["timestamp"]["checkpoint"].split("\n")
        other = "\n".join([lines[0], lines[1], "A" * 43 + "=", ""])
        answer = stamp(authority)(other)
        assert timestamp.check(answer, other, timestamp.certificates(authority.root.read_bytes()))
        plain["timestamp"].update(checkpoint=other, response=base64.b64encode(answer).decode())

    forged = Recipe(stamp=stamp(authority), sealed={bag.CUSTODY: document(elsewhere)}).zip()
    doubted(checked(forged, authority))


def test_a_timestamp_of_another_log_is_not_taken(authority):
    def elsewhere(plain):
        plain["timestamp"]["checkpoint"] = plain["timestamp"]["checkpoint"].replace("log.force", "log.other")

    doubted(checked(Recipe(stamp=stamp(authority), sealed={bag.CUSTODY: document(elsewhere)}).zip(), authority))


def test_a_package_without_one_is_as_good_as_before_and_that_is_said(authority):
    report = checked(Recipe().zip(), authority)
    assert (report.exit_code, report.timestamp["status"]) == (0, "none")


def test_a_tampered_package_stays_tampered_whatever_its_timestamp(package, authority):
    report = checked(package.replace(b"moving pictures", b"moving pictureZ", 1), authority)
    assert report.exit_code == 1


def test_without_a_key_of_the_log_a_good_timestamp_proves_nothing_of_the_force(package, authority):
    report = checked(package, authority, keys=())
    assert (report.exit_code, [problem.code for problem in report.problems]) == (2, ["no-key"])


def test_where_the_library_is_missing_everything_else_is_checked_and_that_is_said(package, authority, monkeypatch):
    monkeypatch.setitem(sys.modules, "rfc3161_client", None)
    report = checked(package, authority)
    assert (report.exit_code, [problem.code for problem in report.problems]) == (2, ["timestamp-library"])
    assert report.timestamp["status"] == "not-checked"
    assert checked(package).exit_code == 0


def test_the_command_prints_what_was_proved_and_what_was_not(package, authority, tmp_path, capsysbinary):
    file = tmp_path / "package.zip"
    file.write_bytes(package)
    assert run(file, [VKEY], [], authorities=[authority.root]) == 0
    said = capsysbinary.readouterr().out.decode()
    assert "The log had its first 5 events, as they are, at 20" in said
    assert "timestamp by CN=Stamp 1,O=Independent Time" in said
    assert run(file, [VKEY], []) == 0
    assert "It was not checked" in capsysbinary.readouterr().out.decode()
    assert run(file, [VKEY], [], as_json=True, authorities=[authority.root]) == 0
    assert json.loads(capsysbinary.readouterr().out)["timestamp"]["status"] == "good"


@pytest.mark.parametrize("content", [None, b"", b"no certificate"], ids=["none", "empty", "another file"])
def test_a_certificate_that_cannot_be_read_is_said_and_nothing_is_called_good(package, tmp_path, capsysbinary, content):
    file, certificate = tmp_path / "package.zip", tmp_path / "authority.pem"
    file.write_bytes(package)
    if content is not None:
        certificate.write_bytes(content)
    assert run(file, [VKEY], [], authorities=[certificate]) == 2
    assert b"certificate" in capsysbinary.readouterr().out or content is None
