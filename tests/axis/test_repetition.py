"""The same clip again, other bytes under its name, and what is left after a cut."""

from __future__ import annotations

import hashlib
import socket
from urllib.parse import urlsplit

import pytest

from tests.axis.conftest import content, recordings
from tests.axis.system import System


def test_a_clip_that_comes_again_is_acknowledged_and_not_stored_twice(system: System, mkv) -> None:
    system.open()
    answers = [system.clip(mkv) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 201]
    assert {answer.headers["Etag"] for answer in answers} == {hashlib.md5(mkv).hexdigest()}
    assert len(recordings(system)) == 1


def test_a_clip_without_a_length_is_compared_as_well(system: System, mkv) -> None:
    system.open()
    for _ in range(2):
        assert system.clip(iter([mkv[:1000], mkv[1000:]])).status_code == 201
    assert len(recordings(system)) == 1


def test_other_bytes_under_a_name_never_replace_the_first(system: System, mkv) -> None:
    from bluelamp.custody import queries as ledger
    from bluelamp.ingest.models import AxisAlert

    other = mkv[:-1] + bytes((mkv[-1] ^ 1,))
    system.open()
    assert system.clip(mkv).status_code == 201
    asked_again = system.clip(other)
    assert asked_again.status_code == 503
    assert asked_again.headers["Retry-After"]
    answer = system.clip(other)
    assert (answer.status_code, answer.headers["Etag"]) == (201, hashlib.md5(other).hexdigest())
    first, second = recordings(system)
    assert (content(first), content(second)) == (mkv, other)
    assert first.incident_id == second.incident_id
    assert "axis.object_disputed" in [item.tag for item in ledger.history(second.custody_id)]
    assert AxisAlert.objects.filter(kind="disputed", recording=second.pk).count() == 1
    # From now on either is known.
    assert system.clip(mkv).headers["Etag"] == hashlib.md5(mkv).hexdigest()
    assert system.clip(other).headers["Etag"] == hashlib.md5(other).hexdigest()
    assert len(recordings(system)) == 2


def test_a_longer_file_under_the_same_name_is_kept_beside_the_first_at_once(system: System, mkv) -> None:
    system.open()
    system.clip(mkv)
    assert system.clip(mkv + b"more").status_code == 201
    assert sorted(content(recording) for recording in recordings(system)) == sorted([mkv, mkv + b"more"])


def test_a_body_that_is_cut_off_leaves_nothing_and_the_repetition_is_taken(system: System, mkv) -> None:
    from bluelamp.ingest.models import Upload

    system.open()
    parts = urlsplit(system.storage)
    head = [f"PUT {parts.path}/{system.container}/{system.clip_name()} HTTP/1.1", f"Host: {parts.netloc}"]
    head += [f"{name}: {value}" for name, value in {**system.headers, **system.clip_meta()}.items()]
    head += [f"Content-Length: {len(mkv)}", "", ""]
    with socket.create_connection((parts.hostname, parts.port)) as connection:
        connection.sendall("\r\n".join(head).encode() + mkv[:5000])
    answer = system.clip(mkv)
    while answer.status_code == 503:  # the server is still putting the broken attempt away
        answer = system.clip(mkv)
    assert answer.status_code == 201
    (recording,) = recordings(system)
    assert content(recording) == mkv
    assert not Upload.objects.filter(owner=f"axis:{recording.manifest['axis'] and _number(system)}", cleared=False)


def _number(system: System) -> int:
    from bluelamp.ingest.models import AxisConnection

    return AxisConnection.objects.get(user=system.file["BlobAPIUserName"]).pk


def test_a_body_that_changed_on_its_way_is_not_taken(system: System, mkv) -> None:
    system.open()
    wrong = {**system.clip_meta(), "Etag": hashlib.md5(b"something else").hexdigest()}
    path = f"{system.container}/{system.clip_name()}"
    assert system.put(path, wrong, mkv).status_code == 503
    assert not recordings(system)
    right = {**system.clip_meta(), "Etag": hashlib.md5(mkv).hexdigest()}
    assert system.put(path, right, mkv).status_code == 201


@pytest.mark.parametrize("known", ["nothing", "the clip"])
def test_a_body_without_a_length_that_changed_on_its_way_is_not_taken(system: System, mkv, known: str) -> None:
    from bluelamp.ingest.models import AxisObject

    system.open()
    path = f"{system.container}/{system.clip_name()}"
    if known == "the clip":
        assert system.clip(mkv).status_code == 201
    wrong = {**system.clip_meta(), "Etag": hashlib.md5(b"something else").hexdigest()}
    before = recordings(system)
    for _ in range(2):
        assert system.put(path, wrong, iter([mkv[:1000], mkv[1000:-1]])).status_code == 503
    assert recordings(system) == before
    assert not AxisObject.objects.filter(name=system.clip_name()).exclude(disputed="")
    right = {**system.clip_meta(), "Etag": hashlib.md5(mkv).hexdigest().upper()}
    assert system.put(path, right, iter([mkv[:1000], mkv[1000:]])).status_code == 201
    assert len(recordings(system)) == 1


def test_a_small_object_that_changed_on_its_way_is_not_taken(system: System) -> None:
    system.open()
    for path in (f"{system.container}/x.key", f"{system.container}/bookmark_1", "Users/somebody", "System/x"):
        assert system.put(path, {"Etag": hashlib.md5(b"else").hexdigest()}, b"{}").status_code == 503, path
        assert system.call("HEAD", path).status_code == 404, path
        assert system.put(path, {"Etag": f'"{hashlib.md5(b"{}").hexdigest()}"'}, b"{}").status_code == 201, path


def test_a_clip_that_was_accepted_before_the_answer_was_lost_is_found(system: System, mkv) -> None:
    """As after a crash between the acceptance and the answer: the MD5 was never noted."""
    from bluelamp.ingest.models import AxisObject

    system.open()
    system.clip(mkv)
    (recording,) = recordings(system)
    AxisObject.objects.filter(recording=recording.pk).update(md5="")
    assert system.clip(mkv).headers["Etag"] == hashlib.md5(mkv).hexdigest()
    assert AxisObject.objects.get(recording=recording.pk).md5 == hashlib.md5(mkv).hexdigest()
    assert len(recordings(system)) == 1


def test_two_connections_that_send_the_same_clip_at_once_make_one_recording(system: System, mkv) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def send(_: int) -> int:
        answer = system.clip(mkv)
        while answer.status_code == 503:
            answer = system.clip(mkv)
        return answer.status_code

    system.open()
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(send, range(4))) == [201] * 4
    (recording,) = recordings(system)
    assert content(recording) == mkv


def test_a_clip_whose_turn_does_not_come_leaves_no_trace_and_is_taken_later(
    system: System, mkv, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bluelamp.custody import queries as ledger
    from bluelamp.ingest import deposit_http
    from bluelamp.ingest.admission import Admission
    from bluelamp.ingest.models import Upload

    system.open()
    uploads, abandoned = Upload.objects.count(), ledger.count("upload.abandoned")
    full = Admission(0, wait_seconds=0.05)
    with monkeypatch.context() as patched:
        patched.setattr(deposit_http, "admission", lambda: full)
        for _ in range(3):
            answer = system.clip(mkv)
            assert answer.status_code == 503
            assert int(answer.headers["Retry-After"]) >= 1
    assert Upload.objects.count() == uploads
    assert ledger.count("upload.abandoned") == abandoned
    assert system.clip(mkv).status_code == 201
    assert len(recordings(system)) == 1
