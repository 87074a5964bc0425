"""The examples in docs/protocols are what the code makes and accepts."""

import json
import re
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bluelamp.formats import canonical, manifest, merkle, receipt, sealed
from bluelamp.formats.ed25519 import public_key_text

PROTOCOLS = Path(__file__).parents[2] / "docs" / "protocols"


def _page(name):
    return (PROTOCOLS / f"{name}.md").read_text()


def _block(page, language):
    return re.search(rf"```{language}\n(.*?)```", page, re.DOTALL)[1]


def test_the_documented_manifest_entry_verifies_and_has_the_documented_hash():
    page = _page("manifest")
    key = public_key_text(Ed25519PrivateKey.from_private_bytes(b"k" * 32))
    entry = manifest.verify_entry(manifest.SignedEntry.from_json(_block(page, "json")), key)
    assert f"`{entry.hash()}`" in page


def test_every_field_and_event_kind_of_the_manifest_is_documented():
    page = _page("manifest")
    assert all(f"`{name}`" in page for name in manifest.FIELD_NAMES | manifest.EVENT_KINDS)


def test_the_documented_receipt_verifies_and_every_field_is_documented():
    page = _page("receipt")
    key = public_key_text(Ed25519PrivateKey.from_private_bytes(b"s" * 32))
    assert f"`{key}`" in page
    receipt.verify_receipt(json.loads(_block(page, "json")), key)
    assert all(f"`{name}`" in page for name in receipt.FIELD_NAMES)


def test_the_documented_sealed_object_is_what_is_written():
    page = _page("sealed-object")
    writer = sealed.SealingWriter(bytes(range(32)), b"recordings/example", salt=b"s" * 32, prefix=b"prefix.")
    writer.update(b"the blue lamp")
    assert (writer.header + writer.finish()).hex() == "".join(_block(page, "hex").split())
    assert f"{sealed.FIRST_FULL:,}" in page
    assert f"{sealed.FULL:,}" in page


def test_the_documented_leaf_follows_from_the_documented_fields():
    page = _page("custody-leaf")
    assert canonical.encode({"a": -7, "b": [None, True]}).hex() == "".join(_block(page, "hex").split())
    rows = re.findall(r"^\| `([a-z.]+)` \| `(.*)` \| `([0-9a-f]{32})` \|$", page, re.MULTILINE)
    fields = {name: json.loads(value) for name, value, _ in rows}
    entry = canonical.commit(fields, {name: bytes.fromhex(salt) for name, _, salt in rows})
    assert {"tag", "operation", "at", "actor", "subject", "also", "reason"} <= fields.keys()
    assert f"Entry `{entry.hex()}`, leaf `{merkle.leaf_hash(entry).hex()}`" in page
