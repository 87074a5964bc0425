import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from bluelamp.formats import signed_note
from bluelamp.formats.checkpoint import Checkpoint
from bluelamp.formats.signed_note import NoteError

# The example in the documentation of golang.org/x/mod/sumdb/note, the format's first implementation.
KEY = Ed25519PrivateKey.from_private_bytes(base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:])
VERIFIER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
NOTE = (
    TEXT + "\n— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
OTHER = Ed25519PrivateKey.from_private_bytes(b"o" * 32)


def test_signing_gives_the_published_note_and_verifier_key():
    assert signed_note.sign_note(TEXT, "PeterNeumann", KEY) == NOTE
    assert signed_note.verifier_key("PeterNeumann", KEY) == VERIFIER


def test_the_published_note_verifies():
    assert signed_note.verify_note(NOTE, VERIFIER) == TEXT


def test_the_verifier_key_of_gos_checksum_database_is_read():
    vkey = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
    assert str(signed_note.VerifierKey.parse(vkey)) == vkey


def test_other_signatures_are_ignored_and_any_of_ours_is_found():
    other_line = signed_note.sign_note(TEXT, "Other", OTHER).rpartition("\n\n")[2]
    assert signed_note.verify_note(NOTE + other_line, VERIFIER) == TEXT
    assert signed_note.verify_note(f"{TEXT}\n{other_line}{NOTE.rpartition(chr(10) * 2)[2]}", VERIFIER) == TEXT


def test_a_text_with_empty_lines_of_its_own_survives():
    text = "one\n\n— not a signature\n\n"
    assert signed_note.verify_note(signed_note.sign_note(text, "PeterNeumann", KEY), VERIFIER) == text


def test_a_note_signed_by_somebody_else_under_the_same_name_is_refused():
    with pytest.raises(NoteError, match="no signature by PeterNeumann"):
        signed_note.verify_note(signed_note.sign_note(TEXT, "PeterNeumann", OTHER), VERIFIER)


@pytest.mark.parametrize(
    "note",
    [
        pytest.param(NOTE.replace("answer", "anwser"), id="changed text"),
        pytest.param(NOTE.replace("x08go/ZJ", "x08go/ZK"), id="changed signature"),
        pytest.param(NOTE.replace("x08go/ZJ", "x18go/ZJ"), id="changed key hash"),
        pytest.param(NOTE.replace("—", "-"), id="hyphen for the dash"),
        pytest.param(NOTE.replace("nAM=", "nAM"), id="broken base64"),
        pytest.param(
            NOTE.replace(
                "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=", "x08g"
            ),
            id="short",
        ),
        pytest.param(NOTE[:-1], id="no final newline"),
        pytest.param(NOTE.replace("\n\n", "\n"), id="no empty line"),
        pytest.param(NOTE.replace("problem,", "problem\r,"), id="control character"),
        pytest.param(NOTE.replace("problem,", "problem\ud800,"), id="half a surrogate pair"),
        pytest.param(NOTE + "— x AAAAAAAA\n" * 100, id="too many signatures"),
        pytest.param("", id="nothing"),
        pytest.param("x" * 1_000_001, id="too long"),
    ],
)
def test_a_hostile_note_is_refused(note):
    with pytest.raises(NoteError):
        signed_note.verify_note(note, VERIFIER)


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "PeterNeumann",
        VERIFIER.replace("Peter", "Petra"),
        VERIFIER.replace("c74f20a3", "C74F20A3"),
        VERIFIER.replace("+ARpc", "+BRpc"),
        VERIFIER + "A",
        "a b+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ],
)
def test_a_malformed_verifier_key_is_refused(vkey):
    with pytest.raises(NoteError):
        signed_note.verify_note(NOTE, vkey)


@pytest.mark.parametrize(("text", "name"), [("no newline", "name"), ("a\tb\n", "name"), ("a\n", "a+b"), ("a\n", "")])
def test_a_text_or_name_outside_the_format_is_not_signed(text, name):
    with pytest.raises(NoteError):
        signed_note.sign_note(text, name, KEY)


@given(st.text())
def test_any_text_at_all_either_verifies_or_raises_note_error(note):
    with pytest.raises(NoteError):
        signed_note.verify_note(note, VERIFIER)


def test_a_checkpoint_travels_as_a_note():
    checkpoint = Checkpoint("police.example/log", 42, b"r" * 32)
    note = signed_note.sign_note(checkpoint.text(), "police.example/log", KEY)
    vkey = signed_note.verifier_key("police.example/log", KEY)
    assert Checkpoint.parse(signed_note.verify_note(note, vkey)) == checkpoint
