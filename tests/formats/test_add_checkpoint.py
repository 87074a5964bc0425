"""What is sent to a witness, and how a witness is named."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bluelamp.formats.add_checkpoint import (
    Submission,
    SubmissionError,
    WitnessAddress,
    parse_size,
    parse_witnesses,
)
from bluelamp.formats.cosignature import CosignatureError, WitnessKey

NOTE = "force.example/log\n1\nroot\n\n— force.example/log c2ln\n"
HASH = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
VKEY = str(WitnessKey("witness.example/w1", Ed25519PrivateKey.from_private_bytes(b"w" * 32).public_key()))
OTHER = str(WitnessKey("witness.example/w2", Ed25519PrivateKey.from_private_bytes(b"x" * 32).public_key()))


def test_the_body_is_the_old_size_the_proof_an_empty_line_and_the_checkpoint():
    body = f"old 20852014\n{HASH}\n{HASH}\n\n{NOTE}".encode()
    submission = Submission.parse(body)
    assert submission == Submission(20852014, (bytes(range(32)),) * 2, NOTE)
    assert submission.body() == body


def test_without_a_proof_the_empty_line_follows_the_old_size():
    assert Submission(0, (), NOTE).body() == f"old 0\n\n{NOTE}".encode()
    assert Submission.parse(f"old 0\n\n{NOTE}".encode()) == Submission(0, (), NOTE)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0\n",
        f"old 01\n\n{NOTE}".encode(),
        f"old -1\n\n{NOTE}".encode(),
        f"old  1\n\n{NOTE}".encode(),
        f"old 9223372036854775808\n\n{NOTE}".encode(),
        f"Old 1\n\n{NOTE}".encode(),
        f"old 1\r\n\r\n{NOTE}".encode(),
        f"old 1\n{HASH} \n\n{NOTE}".encode(),
        f"old 1\n{HASH[:-4]}\n\n{NOTE}".encode(),
        f"old 1\n{HASH[:-2]}9=\n\n{NOTE}".encode(),
        f"old 1\n{f'{HASH}{chr(10)}' * 64}\n{NOTE}".encode(),
        b"old 1\n\n\xff",
    ],
)
def test_a_malformed_body_is_refused(body):
    with pytest.raises(SubmissionError):
        Submission.parse(body)


def test_sixty_three_hashes_are_taken():
    body = f"old 1\n{f'{HASH}{chr(10)}' * 63}\n{NOTE}".encode()
    assert len(Submission.parse(body).proof) == 63


def test_the_size_in_a_conflict_is_a_number_and_a_newline():
    assert parse_size(b"20852014\n") == 20852014
    for wrong in (b"", b"01\n", b"1\n1\n", b"one\n", b"<html>", b"9223372036854775808\n", b"\xff\n"):
        with pytest.raises(SubmissionError):
            parse_size(wrong)


def test_witnesses_are_pairs_separated_by_white_space_or_commas():
    found = parse_witnesses(f"https://w1.example/prefix/={VKEY},\n  http://[::1]:8400={OTHER}")
    assert [(each.url, str(each.key)) for each in found] == [
        ("https://w1.example/prefix", VKEY),
        ("http://[::1]:8400", OTHER),
    ]
    assert parse_witnesses("") == ()


@pytest.mark.parametrize(
    "text", [VKEY, f"w1.example={VKEY}", f"ftp://w1.example={VKEY}", f"https://={VKEY}", f"https://w1.example?a={VKEY}"]
)
def test_a_witness_without_a_usable_address_is_refused(text):
    with pytest.raises(SubmissionError):
        WitnessAddress.parse(text)


def test_a_witness_with_a_wrong_key_is_refused():
    with pytest.raises(CosignatureError):
        WitnessAddress.parse(f"https://w1.example={VKEY[:-1]}")


def test_a_witness_stands_once():
    with pytest.raises(SubmissionError, match="twice"):
        parse_witnesses(f"https://w1.example={VKEY} https://w2.example={VKEY}")
