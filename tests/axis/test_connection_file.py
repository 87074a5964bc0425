"""The connection file: everything in it, what may change and what may not, and where its secrets stay."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_public_key
from cryptography.x509.oid import NameOID

from bluelamp.ingest.axis import connection_file, services, tokens
from bluelamp.ingest.axis.services.connections import Wanted, private_key
from bluelamp.ingest.models import AxisConnection
from bluelamp.kernel.errors import Conflict, Invalid
from tests import factories

pytestmark = pytest.mark.django_db

HTTPS = "https://bwv.force.example/auth/v1.0"


@pytest.fixture
def unit():
    return factories.unit("Northgate")


@pytest.fixture(scope="module")
def server() -> tuple[bytes, bytes]:
    """A server's certificate and its private key, both PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bwv.force.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=9))
    ).sign(key, SHA256())
    return made.public_bytes(Encoding.PEM), key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _issue(**wanted):
    return services.issue(Wanted(**{"name": "Northgate", **wanted}), actor="person:1")


def test_the_file_says_everything_that_the_protocol_lists(unit, server, settings) -> None:
    certificate, _ = server
    issued = _issue(
        unit=unit,
        site="Northgate, Züri",
        uris=(HTTPS, "https://10.0.0.7/auth/v1.0"),
        certificates=(connection_file.certificate(certificate),),
        ntp_server=True,
        want_encryption=True,
    )
    said = json.loads(issued.text)
    public = base64.b64decode(said.pop("PublicKey"))
    assert base64.b64decode(said.pop("HTTPSCertificate")[0]) == certificate
    assert said == {
        "ConnectionFileVersion": "1.0",
        "SiteName": "Northgate, Züri",
        "ApplicationName": "Bluelamp",
        "ApplicationVersion": said["ApplicationVersion"],
        "ContentDestinationAsNTPServer": True,
        "AuthenticationTokenURI": [HTTPS, "https://10.0.0.7/auth/v1.0"],
        "BlobAPI": "Swift 1.0",
        "BlobAPIKey": issued.key,
        "BlobAPIUserName": issued.connection.user,
        "ContainerType": "mkv",
        "FullStoreAndReadSupport": False,
        "WantEncryption": True,
        "PublicKeyId": issued.connection.public_key_id,
    }
    assert public.startswith(b"-----BEGIN PUBLIC KEY-----"), "the whole PEM, as the maker's own server does"
    key = load_pem_public_key(public)
    assert isinstance(key, rsa.RSAPublicKey)
    assert key.key_size == 2048
    assert private_key(issued.connection.public_key_id).public_key().public_numbers() == key.public_numbers()
    assert len(issued.key) <= 64
    assert len(issued.text.encode()) < 64 * 1024


def test_without_encryption_there_is_no_key_and_without_a_certificate_no_https(unit) -> None:
    said = json.loads(_issue(unit=unit).text)
    assert said["WantEncryption"] is False
    assert not {"PublicKey", "PublicKeyId", "HTTPSCertificate"} & set(said)
    assert said["AuthenticationTokenURI"] == ["http://localhost:8000/auth/v1.0"]


def test_the_password_is_kept_nowhere(unit, settings) -> None:
    from bluelamp.custody import queries as ledger

    issued = _issue(unit=unit, want_encryption=True)
    row = AxisConnection.objects.filter(pk=issued.connection.pk).values().get()
    (event,) = ledger.history(issued.connection.custody_id)
    secret = private_key(issued.connection.public_key_id)
    assert issued.key not in str(row) + str(event)
    assert issued.key not in repr(issued)
    assert "PRIVATE" not in str(row) + str(event)
    numbers = secret.private_numbers()
    keyring = settings.BLUELAMP.data / "keyring" / "keyring.sqlite"
    assert numbers.p.to_bytes(128, "big") not in keyring.read_bytes(), "only wrapped by the root key"


def test_a_second_file_has_a_new_password_and_the_same_key_and_ends_the_first(unit) -> None:
    first = _issue(unit=unit, want_encryption=True)
    token = tokens.issue(first.connection)
    assert tokens.holder(token) == first.connection
    second = _issue()
    assert second.connection == first.connection
    assert json.loads(second.text)["PublicKey"] == json.loads(first.text)["PublicKey"]
    assert not tokens.is_key(second.connection, first.key)
    assert tokens.is_key(second.connection, second.key)
    assert tokens.holder(token) is None


@pytest.mark.parametrize("what", ["want_encryption", "full_store_and_read"])
def test_what_was_promised_never_goes_back_to_false(unit, what: str) -> None:
    _issue(unit=unit)
    assert _issue(**{what: True})
    with pytest.raises(Conflict) as refused:
        _issue(**{what: False})
    assert "reset" in str(refused.value)
    assert getattr(_issue().connection, what) is True


def test_the_container_type_of_a_system_stays(unit) -> None:
    assert json.loads(_issue(unit=unit, container_type="mp4").text)["ContainerType"] == "mp4"
    with pytest.raises(Conflict):
        _issue(container_type="mkv")
    assert json.loads(_issue(container_type="mp4").text)["ContainerType"] == "mp4"


@pytest.mark.parametrize(
    "wanted",
    [
        {"site": "x" * 65},
        {"uris": ("ftp://x/auth/v1.0",)},
        {"uris": ("http://x/",)},
        {"uris": ("http://x/" + "y" * 512 + "/auth/v1.0",)},
        {"uris": ("http://x/auth/v1.0",) * 11},
        {"uris": (HTTPS,)},
        {"container_type": "avi"},
        {"name": " "},
    ],
)
def test_a_file_that_no_body_worn_manager_would_take_is_not_made(unit, wanted: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        _issue(**{"unit": unit, **wanted})
    assert not AxisConnection.objects.exists()


def test_certificates_come_as_pem_or_der_and_never_with_a_private_key(unit, server) -> None:
    certificate, key = server
    der = x509.load_pem_x509_certificate(certificate).public_bytes(Encoding.DER)
    assert connection_file.certificate(der) == certificate.decode()
    for wrong in (b"", b"no certificate", certificate + key, certificate[:-60]):
        with pytest.raises(Invalid):
            connection_file.certificate(wrong)
    with pytest.raises(Invalid, match="do not fit"):
        _issue(unit=unit, uris=("http://x/auth/v1.0",), certificates=(certificate.decode(),))
    with pytest.raises(Invalid, match="at most"):
        _issue(unit=unit, uris=(HTTPS,), certificates=(certificate.decode(),) * 11)


def test_without_any_unit_there_is_nowhere_for_cameras_to_belong() -> None:
    with pytest.raises(Invalid, match="unit"):
        _issue()


def test_a_token_is_good_for_half_an_hour_and_cannot_be_altered(unit) -> None:
    from bluelamp.kernel import clock

    connection = _issue(unit=unit).connection
    now = clock.real_now()
    token = tokens.issue(connection, now)
    assert tokens.holder(token, now + timedelta(minutes=29)) == connection
    assert tokens.holder(token, now + timedelta(minutes=31)) is None
    number, until, mac = token.split(".")
    other = _issue(name="Other", unit=unit).connection
    for forged in (
        f"{other.pk}.{until}.{mac}",
        f"{number}.{int(until) + 600}.{mac}",
        f"{number}.{until}.",
        f"{number}.{until}",
        "..",
        "",
        "9" * 30 + ".1.x",
        "٣.1.x",
        token + "x",
    ):
        assert tokens.holder(forged, now) is None, forged
    services.revoke(connection, actor="person:1", reason="Stolen.")
    assert tokens.holder(token, now) is None
