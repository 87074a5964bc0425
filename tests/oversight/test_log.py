"""/log/: what tools of others read, and what strangers try."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from bluelamp import custody
from bluelamp.custody import keys, proving, sequencer
from bluelamp.custody.models import CustodyCosignature
from bluelamp.formats import merkle, proofs, tiles
from bluelamp.formats.log_proof import LogProof, verify_checkpoint
from bluelamp.formats.signed_note import VerifierKey
from bluelamp.kernel import clock
from bluelamp.people.events import SignedIn

pytestmark = pytest.mark.django_db
SIZE = 600


@pytest.fixture
def log():
    """600 events, sequenced in three batches."""
    made = []
    for count in (5, 300, SIZE - 305):
        with transaction.atomic():
            made += custody.record_all(
                [
                    SignedIn(actor=f"person:{n}", subject="person:1", address="::1", second_factor=True)
                    for n in range(count)
                ]
            )
        sequencer.drain()
    return made


def _get(path, status=200):
    response = Client().get(f"/log/{path}")
    assert response.status_code == status, path
    return response


def _nodes(size):
    return tiles.TileNodes(size, lambda tile: _get(tile.path).content)


def _key():
    return VerifierKey.parse(_get("keys").content.decode().splitlines()[-1])


def test_the_tree_can_be_rebuilt_from_what_is_published(log):
    note = _get("checkpoint").content.decode()
    checkpoint = verify_checkpoint(note, _key())
    assert checkpoint.size == SIZE
    entries = []
    for index in range(-(-SIZE // 256)):
        bundle = tiles.Tile(-1, index, min(256, SIZE - index * 256))
        entries += tiles.read_bundle(_get(bundle.path).content, bundle.width)
    assert [record.entry for record in log] == entries
    assert merkle.root([merkle.leaf_hash(entry) for entry in entries]) == checkpoint.root
    assert proofs.tree_root(SIZE, _nodes(SIZE)) == checkpoint.root


def test_each_event_is_proven_under_each_checkpoint_that_covers_it(log):
    for record in (log[0], log[4], log[255], log[256], log[-1]):
        proof = LogProof.parse(proving.log_proof(record.id).text())
        assert proof.verify(record.entry, _key()).size == SIZE
        with pytest.raises(proofs.ProofError):
            proof.verify(bytes(32), _key())


def test_every_published_checkpoint_continues_the_one_before(log):
    roots = {5: None, 305: None, SIZE: None}
    for size in roots:
        roots[size] = proofs.tree_root(size, _nodes(size))
    for old, new in ((5, 305), (305, SIZE), (5, SIZE)):
        proofs.verify_consistency(old, new, proving.consistency(old, new), roots[old], roots[new])


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/003",
        "tile/0/002",
        "tile/0/002.p/89",
        "tile/1/000",
        "tile/1/000.p/3",
        "tile/entries/002",
        "tile/8/0/000",
        "tile/0/0",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/00/000",
        "tile/0/x000/000",
        "tile/-1/000",
        "tile/0/999",
        "tile/0/" + "x999/" * 30 + "999",
        "tile/0/000.p/1.p/1",
        "tile/0/٠٠٠",
        "../audit/",
        "tile/0/000/",
        "nothing",
    ],
)
def test_what_the_log_does_not_have_is_not_found(log, path):
    _get(path, 404)


def test_tiles_are_kept_for_ever_and_checkpoints_for_a_moment(log):
    for path in ("tile/0/000", "tile/0/000.p/5", "tile/entries/001.p/49", "tile/1/000.p/2"):
        assert "immutable" in _get(path)["Cache-Control"]
    for path in ("checkpoint", "keys"):
        assert _get(path)["Cache-Control"] == "public, max-age=2"
        assert "Cookie" not in _get(path).get("Vary", "")


def test_a_checkpoint_carries_the_cosignatures_that_it_has(log):
    _get("checkpoint/cosigned", 404)
    line = "— witness AAAA\n"
    CustodyCosignature.objects.create(size=305, witness="witness", line=line, at=clock.now())
    assert line not in _get("checkpoint").content.decode()
    assert _get("checkpoint/cosigned").content.decode().endswith(line)


def test_the_page_says_what_it_is_and_gives_the_key(log):
    page = Client().get(reverse("log:index")).content.decode()
    assert keys.own_vkey().replace("+", "&#43;") in page or keys.own_vkey() in page
    assert "The log only grows" in page


def test_a_log_without_a_checkpoint_says_so():
    _get("checkpoint", 404)
    _get("tile/0/000.p/1", 404)
    assert "There is no checkpoint yet" in Client().get("/log/").content.decode()


@pytest.mark.parametrize("path", ["", "checkpoint", "keys", "tile/0/000.p/1"])
def test_the_log_is_only_read(log, path):
    assert Client().post(f"/log/{path}").status_code == 405
