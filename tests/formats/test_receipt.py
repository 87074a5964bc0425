import copy

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from bluelamp.formats import receipt
from bluelamp.formats.ed25519 import public_key_text
from bluelamp.formats.receipt import Receipt, ReceiptError

KEY = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
RECEIPT = Receipt(
    recording_id="0190a6c0-0000-7000-8000-000000000000",
    serial="BL-000123",
    sequence=7,
    sha256="ab" * 32,
    size=5_000_000_000,
    leaf_entry="cd" * 32,
    received_at="2026-11-22T07:19:05Z",
    max_merge_delay_seconds=60,
)
DOCUMENT = receipt.sign_receipt(RECEIPT, KEY, "police.example/receipts")


def test_a_receipt_verifies_with_the_servers_key():
    assert receipt.verify_receipt(DOCUMENT, KEY.public_key()) == RECEIPT
    assert receipt.verify_receipt(copy.deepcopy(DOCUMENT), public_key_text(KEY)) == RECEIPT


def test_a_receipt_by_another_key_is_refused_and_says_to_keep_the_recording():
    other = Ed25519PrivateKey.from_private_bytes(b"x" * 32)
    with pytest.raises(ReceiptError, match="Keep the recording"):
        receipt.verify_receipt(DOCUMENT, other.public_key())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("recording_id", "0190a6c0-0000-7000-8000-000000000001"),
        ("serial", "BL-000124"),
        ("sequence", 8),
        ("sha256", "ac" * 32),
        ("size", 5),
        ("leaf_entry", "ce" * 32),
        ("received_at", "2026-11-22T07:19:06Z"),
        ("max_merge_delay_seconds", 61),
        ("key", "elsewhere.example"),
    ],
)
def test_a_change_of_any_field_breaks_the_signature(field, value):
    with pytest.raises(ReceiptError, match="signature is not"):
        receipt.verify_receipt({**DOCUMENT, field: value}, KEY.public_key())


@pytest.mark.parametrize("field", sorted(DOCUMENT))
def test_a_missing_field_is_named(field):
    with pytest.raises(ReceiptError, match=f"lacks '{field}'"):
        receipt.verify_receipt({name: value for name, value in DOCUMENT.items() if name != field}, KEY.public_key())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("recording_id", None),
        ("serial", ""),
        ("sequence", "7"),
        ("sha256", "ab"),
        ("size", 1.5),
        ("leaf_entry", []),
        ("received_at", "2026-11-22"),
        ("max_merge_delay_seconds", -1),
        ("format", "bluelamp-receipt-0"),
        ("format", []),
        ("key", ""),
        ("key", "\ud800"),
        ("signature", "x"),
        ("signature", {}),
        ("stray", 1),
    ],
)
def test_a_value_outside_the_format_is_refused(field, value):
    with pytest.raises(ReceiptError):
        receipt.verify_receipt({**DOCUMENT, field: value}, KEY.public_key())


@given(st.none() | st.integers() | st.text() | st.lists(st.integers()) | st.dictionaries(st.text(), st.text()))
def test_whatever_a_server_answers_it_is_a_receipt_or_a_receipt_error(document):
    with pytest.raises(ReceiptError):
        receipt.verify_receipt(document, KEY.public_key())


def test_a_public_key_that_is_none_gives_a_receipt_error():
    with pytest.raises(ReceiptError):
        receipt.verify_receipt(DOCUMENT, "not a key")


def test_a_receipt_that_could_not_be_verified_is_not_made():
    with pytest.raises(ReceiptError):
        Receipt("x", "BL", 1, "ab" * 32, 1, "cd" * 32, "2026-11-22T07:19:05Z", 60)
    with pytest.raises(ReceiptError):
        receipt.sign_receipt(RECEIPT, KEY, "")
