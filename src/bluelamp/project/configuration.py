"""Every setting an operator can make: one table, read from `BLUELAMP_*` environment variables.

`docs/guides/settings.md` lists the same names; a test holds one to the other.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bluelamp.formats.add_checkpoint import WitnessAddress, parse_witnesses
from bluelamp.kernel import secretfile

_ADDRESS = re.compile(r"[^@\s<>]+@[^@\s<>]+", re.ASCII)
_INVENTED_CONTACT = "Information Rights Unit|Bluelamp Constabulary|1 Lantern Street|Northgate NG1 1BL|0100 555 0199"


@dataclass(frozen=True)
class Setting:
    name: str
    default: str
    meaning: str


SETTINGS = (
    Setting("BLUELAMP_DATA", "./bluelamp-data", "Data folder: store, staging, keyring, keys, logs."),
    Setting(
        "BLUELAMP_DATABASE_URL",
        "",
        "PostgreSQL 16+ for web and workers, as a role that owns no table; empty: embedded.",
    ),
    Setting(
        "BLUELAMP_DATABASE_OWNER_URL",
        "",
        "The same database as the role that owns the tables; used by migrations only.",
    ),
    Setting(
        "BLUELAMP_STORE_URL",
        "",
        "Where sealed footage goes (s3://bucket/prefix, file:///path); empty: <data>/store.",
    ),
    Setting("BLUELAMP_KEYRING_URL", "", "Where data keys are kept (sqlite:///path); empty: <data>/keyring."),
    Setting(
        "BLUELAMP_BASE_URL",
        "http://localhost:8000",
        "The address people use; links in e-mails begin with it.",
    ),
    Setting("BLUELAMP_FORCE", "Bluelamp Constabulary", "The force's name, on pages, receipts and certificates."),
    Setting(
        "BLUELAMP_PUBLIC_CONTACT",
        "",
        "How the public reaches the force about its requests: lines separated by | (postal address, telephone, "
        "e-mail); empty: pages and letters name no way.",
    ),
    Setting(
        "BLUELAMP_SECRET_KEY_FILE",
        "",
        "File with the key that signs sessions; empty: <data>/keys/session.key, made at first start.",
    ),
    Setting(
        "BLUELAMP_EMAIL_URL",
        "file",
        "How e-mail leaves: file (to <data>/mail), console, smtp://user:password@host:port (STARTTLS unless the port "
        "is 25), or smtps://.",
    ),
    Setting("BLUELAMP_EMAIL_FROM", "Bluelamp <no-reply@localhost>", "Sender of e-mails."),
    Setting(
        "BLUELAMP_TRUSTED_PROXIES",
        "127.0.0.1",
        "Addresses of reverse proxies, separated by commas, whose X-Forwarded-For is believed: limits and lock-outs "
        "count by address.",
    ),
    Setting("BLUELAMP_SESSION_IDLE_MINUTES", "30", "Minutes without a request after which a sign-in ends."),
    Setting("BLUELAMP_WEB_PROCESSES", "1", "Web server processes that share the listening socket."),
    Setting("BLUELAMP_WEB_THREADS", "12", "Threads for pages in each web process."),
    Setting(
        "BLUELAMP_CHECKPOINT_SECONDS",
        "0.5",
        "Longest wait, in seconds, until a custody event stands in a signed checkpoint.",
    ),
    Setting(
        "BLUELAMP_WITNESSES",
        "",
        "Independent witnesses that are shown every checkpoint of the ledger: pairs URL=VKEY, separated by white space "
        "or commas.",
    ),
    Setting(
        "BLUELAMP_FIXITY_DAYS",
        "30",
        "Days within which every stored object is read again and authenticated, so that a flipped bit is found.",
    ),
    Setting(
        "BLUELAMP_ALERT_EMAIL",
        "",
        "E-mail addresses, separated by commas, that are told when a check that runs by itself fails, and when it "
        "passes again; empty: nobody.",
    ),
    Setting(
        "BLUELAMP_HEARTBEAT_URL",
        "",
        "Address (http:// or https://) that each web process asks for once a minute while the database answers and a "
        "worker runs, so that somebody outside is alarmed when none comes; empty: none.",
    ),
    Setting(
        "BLUELAMP_TIMESTAMP_URL",
        "",
        "Time-stamping authority (RFC 3161, over HTTP) that is asked for a timestamp of the ledger every hour; empty: "
        "none.",
    ),
    Setting(
        "BLUELAMP_TIMESTAMP_CERTIFICATE",
        "",
        "File with the certificate (PEM) at the root of that authority's, and others between them; without it no "
        "timestamp is asked for.",
    ),
    Setting("BLUELAMP_MAX_UPLOAD_BYTES", "68719476736", "Largest recording accepted, in bytes."),
    Setting(
        "BLUELAMP_TLS_CERTIFICATE",
        "",
        "File with the web server's certificate and those above it (PEM), for TLS without a proxy; empty: plain HTTP.",
    ),
    Setting("BLUELAMP_TLS_KEY", "", "File with that certificate's private key (PEM, not encrypted)."),
    Setting(
        "BLUELAMP_UPLOADS_AT_ONCE",
        "32",
        "Uploads whose bytes each web process receives at the same time, some 8 MiB of memory each; further ones wait "
        "their turn.",
    ),
    Setting(
        "BLUELAMP_FSYNC",
        "1",
        "0 acknowledges uploads before the disk has them, so that a power cut loses acknowledged footage. For "
        "measuring only; `bluelamp doctor` objects.",
    ),
    Setting("BLUELAMP_LOG_LEVEL", "INFO", "DEBUG, INFO, WARNING or ERROR."),
)


@dataclass(frozen=True)
class Configuration:
    """The settings of this process, parsed. Paths are absolute."""

    data: Path
    database_url: str
    database_owner_url: str
    store_url: str | None
    keyring_url: str | None
    base_url: str
    force: str
    public_contact: tuple[str, ...]
    email_url: str
    email_from: str
    trusted_proxies: str
    session_idle_minutes: int
    web_processes: int
    web_threads: int
    checkpoint_seconds: float
    witnesses: tuple[WitnessAddress, ...]
    fixity_days: float
    alert_email: tuple[str, ...]
    heartbeat_url: str
    timestamp_url: str
    timestamp_certificate: str
    max_upload_bytes: int
    tls_certificate: str
    tls_key: str
    uploads_at_once: int
    fsync: bool
    log_level: str
    demonstration: bool

    @property
    def staging(self) -> Path:
        return self.data / "staging"

    @property
    def keys(self) -> Path:
        return self.data / "keys"


def load(environ: dict[str, str] | None = None) -> Configuration:
    """Read the configuration from the environment; without a database URL, from what `bluelamp up` left behind."""
    environ = dict(os.environ) if environ is None else environ
    value = {setting.name: environ.get(setting.name) or setting.default for setting in SETTINGS}
    data = Path(value["BLUELAMP_DATA"]).expanduser().resolve()
    running = _json(data / "run" / "database.json")
    demonstration = bool(_json(data / "instance.json").get("demonstration", False))
    return Configuration(
        data=data,
        database_url=value["BLUELAMP_DATABASE_URL"] or running.get("app", ""),
        database_owner_url=value["BLUELAMP_DATABASE_OWNER_URL"] or running.get("owner", ""),
        store_url=value["BLUELAMP_STORE_URL"] or None,
        keyring_url=value["BLUELAMP_KEYRING_URL"] or None,
        base_url=value["BLUELAMP_BASE_URL"].rstrip("/"),
        force=value["BLUELAMP_FORCE"],
        public_contact=lines(value["BLUELAMP_PUBLIC_CONTACT"] or (_INVENTED_CONTACT if demonstration else "")),
        email_url=value["BLUELAMP_EMAIL_URL"],
        email_from=value["BLUELAMP_EMAIL_FROM"],
        trusted_proxies=value["BLUELAMP_TRUSTED_PROXIES"],
        session_idle_minutes=int(value["BLUELAMP_SESSION_IDLE_MINUTES"]),
        web_processes=int(value["BLUELAMP_WEB_PROCESSES"]),
        web_threads=int(value["BLUELAMP_WEB_THREADS"]),
        checkpoint_seconds=float(value["BLUELAMP_CHECKPOINT_SECONDS"]),
        witnesses=parse_witnesses(value["BLUELAMP_WITNESSES"]),
        fixity_days=float(value["BLUELAMP_FIXITY_DAYS"]),
        alert_email=addresses(value["BLUELAMP_ALERT_EMAIL"]),
        heartbeat_url=web_address("BLUELAMP_HEARTBEAT_URL", value["BLUELAMP_HEARTBEAT_URL"]),
        timestamp_url=value["BLUELAMP_TIMESTAMP_URL"],
        timestamp_certificate=value["BLUELAMP_TIMESTAMP_CERTIFICATE"],
        max_upload_bytes=int(value["BLUELAMP_MAX_UPLOAD_BYTES"]),
        tls_certificate=value["BLUELAMP_TLS_CERTIFICATE"],
        tls_key=value["BLUELAMP_TLS_KEY"],
        uploads_at_once=int(value["BLUELAMP_UPLOADS_AT_ONCE"]),
        fsync=value["BLUELAMP_FSYNC"] != "0",
        log_level=value["BLUELAMP_LOG_LEVEL"].upper(),
        demonstration=demonstration,
    )


def addresses(text: str) -> tuple[str, ...]:
    """E-mail addresses separated by commas, each once. Raises ValueError for what cannot be one."""
    found = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    for address in found:
        if not _ADDRESS.fullmatch(address):
            raise ValueError(f"BLUELAMP_ALERT_EMAIL: {address!r} is not an e-mail address.")
    return found


def lines(text: str) -> tuple[str, ...]:
    """The lines of an address that a setting gives on one, separated by `|`; those without words are left out."""
    return tuple(part.strip() for part in text.split("|") if part.strip())


def web_address(name: str, text: str) -> str:
    """An address to ask for, or none. Raises ValueError, without the address: it may hold a secret."""
    parts = urlsplit(text.strip())
    if text.strip() and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ValueError(f"{name} does not begin with http:// or https:// and a host.")
    return text.strip()


@dataclass(frozen=True)
class MailServer:
    """Where e-mail is handed over: TLS from the first byte, STARTTLS, or (port 25 only) neither."""

    host: str
    port: int
    user: str
    password: str
    tls: bool
    starttls: bool


def mail_server(url: str) -> MailServer:
    """Parse `smtp://` or `smtps://`. Passwords and codes leave in the clear only to port 25, a relay nearby."""
    parts = urlsplit(url)
    tls = parts.scheme == "smtps"
    port = parts.port or (465 if tls else 587)
    return MailServer(
        host=parts.hostname or "localhost",
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        tls=tls,
        starttls=not tls and port != 25,
    )


def secret_key(configuration: Configuration, environ: dict[str, str] | None = None) -> str:
    """The key that signs sessions: read from its file, made at first start with mode 0600."""
    environ = dict(os.environ) if environ is None else environ
    path = Path(environ.get("BLUELAMP_SECRET_KEY_FILE") or configuration.keys / "session.key")
    if not path.exists():
        secretfile.create(path, secrets.token_urlsafe(50).encode())
    return path.read_text().strip()


def _json(path: Path) -> dict[str, object] | dict[str, str]:
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
