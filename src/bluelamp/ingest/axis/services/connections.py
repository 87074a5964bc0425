"""Connection files: who may send, under which password and to which key."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)
from django.conf import settings

from bluelamp import __version__, custody
from bluelamp.ingest.axis import connection_file, naming, tokens
from bluelamp.ingest.axis.events import AxisConnectionIssued, AxisConnectionRevoked
from bluelamp.ingest.models import AxisConnection, AxisContainer
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict, Invalid
from bluelamp.people.models import Unit
from bluelamp.vault.keyring import get_keyring

# What the maker's own reference server makes, and so what every system in the field is known to take. It wraps a key
# for the way here only: what arrives is opened and sealed under our own keys.
RSA_BITS = 2048
_KEY_BYTES = 32
_SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a connection file is to say. None: as the last one said, or the protocol's default."""

    name: str
    site: str = ""
    uris: Sequence[str] = ()
    certificates: Sequence[str] = ()
    ntp_server: bool = False
    container_type: str | None = None
    want_encryption: bool | None = None
    full_store_and_read: bool | None = None
    unit: Unit | None = None


@dataclass(frozen=True)
class Issued:
    """An issued connection file; its `text` holds the password `key`, which is kept nowhere else."""

    connection: AxisConnection
    text: str = field(repr=False)
    key: str = field(repr=False)


@custody.service
def issue(wanted: Wanted, *, actor: str) -> Issued:
    """Issue a connection file, the first or another one for the same system; an earlier password ends at once.

    Raises Invalid for what no body-worn manager would take, Conflict for what a system that is set up cannot change:
    encryption and full support never go back to false, and the container type stays.
    """
    name = wanted.name.strip()
    if not name:
        raise Invalid("A body-worn system needs a name.", "No connection file was made.", "Name it after its site.")
    connection = AxisConnection.objects.select_for_update(of=("self",)).filter(name=name).first()
    if connection is None:
        connection = AxisConnection(name=name, user=f"bodyworn-{secrets.token_hex(6)}", unit=_unit(wanted.unit))
    elif wanted.unit is not None:
        connection.unit = wanted.unit
    _change(connection, wanted)
    key = secrets.token_urlsafe(_KEY_BYTES)
    connection.key_sha256, connection.active, connection.issued_at = tokens.key_sha256(key), True, clock.now()
    connection.save()
    AxisContainer.objects.get_or_create(
        connection=connection,
        name=naming.SYSTEM,
        defaults={"kind": AxisContainer.Kind.SYSTEM, "created_at": clock.now()},
    )
    public_key = _public_key(connection)
    uris = tuple(wanted.uris) or (connection_file.token_uri(settings.BLUELAMP.base_url),)
    text = connection_file.ConnectionFile(
        site=wanted.site.strip() or settings.BLUELAMP.force,
        version=__version__,
        uris=uris,
        user=connection.user,
        key=key,
        certificates=wanted.certificates,
        ntp_server=wanted.ntp_server,
        container_type=connection.container_type,
        full_store_and_read=connection.full_store_and_read,
        public_key=public_key,
        public_key_id=connection.public_key_id if public_key else "",
    ).text()
    custody.record(
        AxisConnectionIssued(
            actor=actor,
            subject=connection.custody_id,
            name=name,
            unit=connection.unit.code,
            addresses=list(uris),
            certificates=len(wanted.certificates),
            container_type=connection.container_type,
            want_encryption=connection.want_encryption,
            full_store_and_read=connection.full_store_and_read,
            public_key_id=connection.public_key_id,
            public_key_sha256=hashlib.sha256(public_key.encode()).hexdigest() if public_key else "",
        )
    )
    return Issued(connection, text, key)


@custody.service
def revoke(connection: AxisConnection, *, actor: str, reason: str = "") -> None:
    """End a system's password and tokens at once. Its keys stay, for what it has sent."""
    if not AxisConnection.objects.filter(pk=connection.pk, active=True).update(active=False):
        custody.nothing_changed()
        return
    custody.record(
        AxisConnectionRevoked(actor=actor, subject=connection.custody_id, reason=reason.strip(), name=connection.name)
    )


@custody.unrecorded("a time of day, for the page")
def seen(connection: AxisConnection) -> None:
    """Note that the system called."""
    now = clock.now()
    if connection.last_seen_at is None or now - connection.last_seen_at > _SEEN_EVERY:
        AxisConnection.objects.filter(pk=connection.pk).update(last_seen_at=now)


@custody.unrecorded("reads a key")
def private_key(public_key_id: str) -> rsa.RSAPrivateKey:
    """The private key of a public key's id. Raises KeyUnknown."""
    loaded = load_der_private_key(get_keyring().secret(_secret_name(public_key_id)), None)
    if not isinstance(loaded, rsa.RSAPrivateKey):
        raise TypeError("The keyring holds another kind of key.")
    return loaded


@custody.unrecorded("reads")
def public_key_prefix(connection: AxisConnection) -> str:
    """How the ids of the system's own public keys begin, and no other system's."""
    return f"bluelamp-{connection.user}-"


def _change(connection: AxisConnection, wanted: Wanted) -> None:
    if connection.want_encryption and wanted.want_encryption is False:
        raise _one_way("Encryption is on, and a body-worn system never turns it off again.")
    if connection.full_store_and_read and wanted.full_store_and_read is False:
        raise _one_way("Full store and read support was declared, and what was declared is expected for ever.")
    if connection.pk and wanted.container_type not in (None, connection.container_type):
        raise _one_way(f"This system was set up for {connection.container_type} files, and cannot change that.")
    if wanted.container_type is not None:
        if wanted.container_type not in AxisConnection.ContainerType.values:
            raise Invalid("The container type is mkv or mp4.", "No connection file was made.", "Choose one of them.")
        connection.container_type = wanted.container_type
    connection.want_encryption = connection.want_encryption or bool(wanted.want_encryption)
    connection.full_store_and_read = connection.full_store_and_read or bool(wanted.full_store_and_read)


def _public_key(connection: AxisConnection) -> str:
    """The PEM of the system's public key, made when encryption is first wanted; empty where it is not."""
    if not connection.want_encryption:
        return ""
    if not connection.public_key_id:
        made = rsa.generate_private_key(65537, RSA_BITS)
        # A name of its own each time: a key whose connection was rolled back is in nobody's way.
        connection.public_key_id = f"{public_key_prefix(connection)}{secrets.token_hex(4)}"
        secret = made.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        get_keyring().keep_secret(_secret_name(connection.public_key_id), secret)
        AxisConnection.objects.filter(pk=connection.pk).update(public_key_id=connection.public_key_id)
    public = private_key(connection.public_key_id).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _secret_name(public_key_id: str) -> str:
    return f"axis/{public_key_id}"


def _unit(given: Unit | None) -> Unit:
    found = given or Unit.objects.filter(parent=None).order_by("pk").first()
    if found is None:
        raise Invalid(
            "There is no unit yet that the system's cameras could belong to.",
            "No connection file was made.",
            "Add the force itself as the first unit, on the People pages.",
        )
    return found


def _one_way(what: str) -> Conflict:
    return Conflict(
        what,
        "No connection file was made; the one that the system has stays good.",
        "To change it the body-worn system must be reset: issue a file under another name for it then.",
    )
