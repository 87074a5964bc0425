"""The certificate's format, held to its documentation."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bluelamp.formats.ed25519 import load_public_key
from bluelamp.retention import certificates

_PAGE = (Path(__file__).parents[2] / "docs" / "protocols" / "deletion-certificate.md").read_text()
_EXAMPLE = json.loads(re.search(r"```json\n(.*?)```", _PAGE, re.DOTALL).group(1))


def test_the_documented_example_verifies_with_the_documented_key():
    (key,) = re.findall(r"in base64, `([^`]+)`", _PAGE)
    read = certificates.verify(_EXAMPLE, load_public_key(key))
    assert certificates.sign(read, Ed25519PrivateKey.from_private_bytes(b"s" * 32), _EXAMPLE["key"]) == _EXAMPLE


def test_every_field_is_documented():
    for field in fields(certificates.DeletionCertificate):
        assert f"`{field.name}`" in _PAGE


@pytest.mark.parametrize("name", sorted(certificates.FIELD_NAMES))
def test_a_certificate_with_a_field_missing_or_of_another_kind_is_refused(name):
    key = Ed25519PrivateKey.from_private_bytes(b"s" * 32).public_key()
    lacking = {field: value for field, value in _EXAMPLE.items() if field != name}
    for document in (lacking, {**_EXAMPLE, name: None}, {**_EXAMPLE, name: ["x"]}):
        with pytest.raises(certificates.CertificateError):
            certificates.verify(document, key)


@pytest.mark.parametrize("document", [None, [], "certificate", {}, {**_EXAMPLE, "signature": "AAAA"}])
def test_what_is_no_certificate_is_refused(document):
    with pytest.raises(certificates.CertificateError):
        certificates.verify(document, Ed25519PrivateKey.from_private_bytes(b"s" * 32).public_key())
