"""Clips that the system encrypted from end to end."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta

import pytest

from tests import factories
from tests.axis.conftest import connect, content, recordings, settle
from tests.axis.system import System, encrypt, meta, times, trail


def _key(system: System, key: bytes, part: int = 1, name: str = "") -> int:
    name = name or f"{system.clip_name(part).removesuffix('.mkv')}.key"
    said = meta("Object", FileType="key", **times("StartTime", system.began + timedelta(minutes=part - 1)))
    return system.put(f"{system.container}/{name}", said, key).status_code


def _work() -> None:
    """As the jobs do."""
    from bluelamp.ingest.axis import services
    from bluelamp.ingest.models import AxisObject

    settle()
    for item in AxisObject.objects.filter(encrypted=True).exclude(stored_at=None):
        services.unwrap(item.pk)


@pytest.mark.parametrize("clip_first", [True, False])
@pytest.mark.parametrize("suffix", ["", ".mkv"])
def test_a_clip_and_its_key_become_a_recording_whichever_comes_first(
    encrypting: System, mkv, clip_first: bool, suffix: str
) -> None:
    from bluelamp.custody import queries as ledger
    from bluelamp.vault.stores import get_store

    sealed, key = encrypt(mkv, encrypting.file)
    name = f"{encrypting.clip_name().removesuffix('.mkv')}{suffix}.key"
    encrypting.open()
    if clip_first:
        assert encrypting.clip(sealed).headers["Etag"] == hashlib.md5(sealed).hexdigest()
        (waiting,) = recordings(encrypting)
        assert waiting.processing == "keyless"
        assert "has not come yet" in waiting.processing_error
        assert content(waiting) == sealed
    assert _key(encrypting, key, name=name) == 201
    if not clip_first:
        assert encrypting.clip(sealed).status_code == 201
    _work()
    (recording,) = recordings(encrypting)
    assert recording.processing == "waiting"
    assert content(recording) == mkv
    assert (recording.sha256, recording.size) == (hashlib.sha256(mkv).hexdigest(), len(mkv))
    unwrapped = next(item for item in ledger.history(recording.custody_id) if item.tag == "recording.unwrapped")
    assert unwrapped.details == {
        "received_sha256": hashlib.sha256(sealed).hexdigest(),
        "received_size": len(sealed),
        "sha256": hashlib.sha256(mkv).hexdigest(),
        "size": len(mkv),
    }
    assert list(get_store().list(f"recordings/{recording.pk}")) == [recording.original]
    # The system repeats what it sent: the received form is known still.
    assert encrypting.clip(sealed).headers["Etag"] == hashlib.md5(sealed).hexdigest()
    assert len(recordings(encrypting)) == 1


def test_a_crash_at_any_point_of_the_opening_leaves_it_to_be_done_again(encrypting: System, mkv, monkeypatch) -> None:
    from bluelamp.ingest.axis.services import unwrapping
    from bluelamp.ingest.models import AxisObject
    from bluelamp.vault import objects
    from bluelamp.vault.stores import get_store

    sealed, key = encrypt(mkv, encrypting.file)
    encrypting.open()
    encrypting.clip(sealed)
    _key(encrypting, key)
    (recording,) = recordings(encrypting)
    item = AxisObject.objects.get(recording=recording.pk)

    class Crash(Exception):
        pass

    def crash(*_: object, **__: object) -> None:
        raise Crash

    for module, name in ((objects, "seal_stream"), (unwrapping, "_point"), (objects, "delete")):
        with monkeypatch.context() as patched:
            patched.setattr(module, name, crash)
            with pytest.raises(Crash):
                unwrapping.unwrap(item.pk)
    (recording,) = recordings(encrypting)
    assert content(recording) == mkv
    assert len(list(get_store().list(f"recordings/{recording.pk}"))) == 2
    unwrapping.unwrap(item.pk)
    assert list(get_store().list(f"recordings/{recording.pk}")) == [recording.original]


@pytest.mark.parametrize("trouble", ["other rsa key", "other aes key", "other iv length", "not json", "cut off"])
def test_a_key_that_does_not_fit_leaves_the_received_bytes_and_raises_an_alert(
    encrypting: System, entrance, unit, mkv, trouble: str
) -> None:
    from bluelamp.custody import queries as ledger
    from bluelamp.ingest.models import AxisAlert

    sealed, key = encrypt(mkv, encrypting.file)
    said = json.loads(key)
    if trouble == "other rsa key":
        with connect(entrance, unit, want_encryption=True) as other:
            said["EncryptedKey"] = json.loads(encrypt(b"x", other.file)[1])["EncryptedKey"]
    elif trouble == "other aes key":
        said["EncryptedKey"] = json.loads(encrypt(b"x", encrypting.file)[1])["EncryptedKey"]
    elif trouble == "other iv length":
        said["ContentEncryptionIV"] = "AAAA"
    wrong = b"{" if trouble == "not json" else json.dumps(said).encode()
    received = sealed[:-16] if trouble == "cut off" else sealed
    encrypting.open()
    assert encrypting.clip(received).status_code == 201
    assert _key(encrypting, wrong) == 201
    _work()
    _work()
    (recording,) = recordings(encrypting)
    assert recording.processing == "keyless"
    assert recording.processing_error.startswith("It could not be opened: ")
    assert content(recording) == received
    assert AxisAlert.objects.filter(kind="key", recording=recording.pk).count() == 1
    assert [item.tag for item in ledger.history(recording.custody_id)].count("axis.key_failed") == 1
    if trouble != "cut off":
        assert _key(encrypting, key) == 201, "the right key comes after all"
        _work()
        (recording,) = recordings(encrypting)
        assert content(recording) == mkv


def test_a_key_wrapped_for_another_system_is_never_opened_whatever_it_says(
    encrypting: System, entrance, unit, officer, mkv
) -> None:
    sealed, key = encrypt(mkv, encrypting.file)
    with connect(entrance, unit, want_encryption=True) as other:
        other.announce(user_id=officer.warrant_number or "")
        other.open()
        assert other.clip(sealed).status_code == 201
        assert _key(other, key) == 201
        _work()
        (recording,) = recordings(other)
    assert recording.processing == "keyless"
    assert content(recording) == sealed


def test_a_clip_opened_while_its_received_form_is_held_in_the_store_is_held_in_its_new_form_alone(
    encrypting: System, mkv, monkeypatch
) -> None:
    from bluelamp.footage import services as footage
    from bluelamp.ingest.axis import services
    from bluelamp.ingest.models import AxisObject
    from bluelamp.retention import object_hold
    from bluelamp.vault.errors import HeldInStore
    from bluelamp.vault.stores import get_store
    from bluelamp.vault.stores.local import LocalStore

    held: set[str] = set()
    order: list[tuple[str, str]] = []
    remove = LocalStore.delete

    def delete(store: LocalStore, name: str) -> None:
        if name in held:
            raise HeldInStore(name)
        remove(store, name)

    def hold(_: LocalStore, name: str, on: bool) -> None:
        (held.add if on else held.discard)(name)
        order.append(("held" if on else "released", name.rpartition("/")[2]))

    # A store with legal holds of its own: what it does with them, and nothing of ours.
    monkeypatch.setattr(LocalStore, "delete", delete)
    monkeypatch.setattr(LocalStore, "hold", hold)
    monkeypatch.setattr(LocalStore, "supports_hold", lambda _: True)
    sealed, key = encrypt(mkv, encrypting.file)
    encrypting.open()
    encrypting.clip(sealed)
    (recording,) = recordings(encrypting)
    footage.flag(recording, category=factories.category(), reason="Assault", by=recording.wearer)
    object_hold.align(recording.pk)
    assert held == {recording.original}
    _key(encrypting, key)
    settle()
    assert services.unwrap(AxisObject.objects.get(recording=recording.pk).pk)
    (recording,) = recordings(encrypting)
    assert content(recording) == mkv
    assert held == {recording.original}
    assert order == [("held", "original"), ("held", "original-2"), ("released", "original")]
    assert AxisObject.objects.get(recording=recording.pk).received_object == ""
    assert list(get_store().list(f"recordings/{recording.pk}")) == [recording.original]


def test_an_encrypted_track_is_opened_with_its_own_key(encrypting: System, mkv) -> None:
    track = trail((encrypting.began, 51.5, -0.1), start=encrypting.began)
    sealed, key = encrypt(mkv, encrypting.file)
    sealed_track, track_key = encrypt(track, encrypting.file)
    stem = f"{encrypting.began:%Y%m%d_%H%M%S}_a1b2_{encrypting.serial}_gpstrail"
    encrypting.open(TriggerOnLocation="")
    encrypting.clip(sealed)
    encrypting.put(f"{encrypting.container}/{stem}.json", meta("Object", FileType="json"), sealed_track)
    _work()
    assert recordings(encrypting)[0].track == []
    assert _key(encrypting, track_key, name=f"{stem}.key") == 201
    assert _key(encrypting, key) == 201
    encrypting.complete()
    _work()
    (recording,) = recordings(encrypting)
    assert content(recording) == mkv
    assert [place["lat"] for place in recording.track] == ["51.5"]


def test_a_plain_clip_of_a_system_that_encrypts_is_an_ordinary_recording(encrypting: System, mkv) -> None:
    encrypting.open()
    encrypting.clip(mkv)
    (recording,) = recordings(encrypting)
    assert recording.processing == "waiting"


def test_a_key_that_comes_after_the_deletion_opens_nothing_and_is_cleared_in_its_time(encrypting: System, mkv) -> None:
    from bluelamp.footage import services as footage
    from bluelamp.ingest.axis import services
    from bluelamp.ingest.models import AxisContainer, AxisObject

    sealed, key = encrypt(mkv, encrypting.file)
    encrypting.open()
    encrypting.clip(sealed)
    (recording,) = recordings(encrypting)
    footage.mark_deleted(recording)
    _key(encrypting, key)
    assert services.unwrap(AxisObject.objects.get(recording=recording.pk).pk) is False
    container = AxisContainer.objects.filter(name=encrypting.container)
    container.update(created_at=encrypting.began - timedelta(days=32))
    services.tidy()
    assert not container.get().objects_sent.exclude(content=None)
