"""Bringing the database to this version of Bluelamp, and knowing quickly that it is there already.

A start with nothing to do must be quick, so the last successful run leaves a fingerprint as the comment of the table
`django_migrations`: of the code it came from and of the rows it left there. It travels with a dump of the database, and
a migration undone by hand changes the rows; either way the full run happens again.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from importlib import metadata
from pathlib import Path
from typing import Any

import psycopg
from psycopg import conninfo, sql

from bluelamp.cli import django_ready
from bluelamp.kernel.errors import Busy

_PACKAGES_WITH_TABLES = ("django", "django-allauth", "django-axes", "procrastinate")
_ADVISORY_LOCK = 0x626C756D  # "blum": one machine migrates at a time
_READ = "SELECT obj_description(to_regclass('django_migrations'), 'pg_class')"


def are_current(owner_url: str, app_url: str) -> bool:
    """Whether the last run left the database as this version wants it. Loads no Django.

    Raises Busy when the database cannot be reached.
    """
    try:
        with psycopg.connect(owner_url, connect_timeout=10) as connection:
            row = connection.execute(_READ).fetchone()
            left = row[0] if row else None
            return left is not None and left == _fingerprint(connection, app_url)
    except psycopg.OperationalError as error:
        raise unreachable(owner_url, error) from None


def load() -> None:
    """Load what `migrate` needs, the migrations included; no database is asked for it."""
    django_ready()
    from django.db.migrations.loader import MigrationLoader

    import bluelamp.project.migrate  # noqa: F401  loaded now, used later

    MigrationLoader(None)


def migrate() -> bool:
    """Apply migrations, grant rights, leave the fingerprint; returns whether any migration was applied.

    The role that owns the tables is BLUELAMP_DATABASE_OWNER_URL; the application's role, which gets its rights, is
    the user of BLUELAMP_DATABASE_URL. Raises Busy when the database cannot be reached.
    """
    django_ready()
    from django.conf import settings

    from bluelamp.project.migrate import migrate as apply_and_grant

    app_url = settings.BLUELAMP.database_url
    owner_url = settings.BLUELAMP.database_owner_url or app_url
    try:
        with psycopg.connect(owner_url, autocommit=True, connect_timeout=10) as connection:
            connection.execute("SELECT pg_advisory_lock(%s)", [_ADVISORY_LOCK])
            applied = apply_and_grant()
            fingerprint = sql.Literal(_fingerprint(connection, app_url))
            connection.execute(sql.SQL("COMMENT ON TABLE django_migrations IS {}").format(fingerprint))
    except psycopg.OperationalError as error:
        raise unreachable(owner_url, error) from None
    return applied


def unreachable(url: str, error: Exception) -> Busy:
    """What to say when the database does not answer."""
    return Busy(
        f"The database {without_password(url)} cannot be reached: {' '.join(str(error).split())}",
        "Footage that was acknowledged is safe; none can be received or watched meanwhile.",
        "Start it (`bluelamp up` starts the embedded one), or correct BLUELAMP_DATABASE_URL.",
    )


def without_password(url: str) -> str:
    """A database URL as it may be shown."""
    parts: dict[str, Any] = conninfo.conninfo_to_dict(url)
    parts.pop("password", None)
    return conninfo.make_conninfo(**parts)


def _fingerprint(connection: psycopg.Connection, app_url: str) -> str:
    digest = hashlib.sha256(f"{_user(app_url)}\n".encode())
    for package in _PACKAGES_WITH_TABLES:
        digest.update(f"{package} {metadata.version(package)}\n".encode())
    for path in _sources():
        digest.update(path.read_bytes())
    for row in connection.execute("SELECT app, name FROM django_migrations ORDER BY app, name"):
        digest.update(f"{row}\n".encode())
    return digest.hexdigest()


def _sources() -> list[Path]:
    """The code that decides what the database looks like: migrations, the list of applications, rights."""
    spec = importlib.util.find_spec("bluelamp")
    assert spec is not None
    assert spec.origin is not None
    root = Path(spec.origin).parent
    return [
        *sorted(root.glob("*/migrations/*.py")),
        root / "project" / "migrate.py",
        root / "project" / "settings.py",
        root / "custody" / "models.py",
        Path(__file__),
    ]


def _user(url: str) -> str:
    return str(conninfo.conninfo_to_dict(url).get("user") or os.environ.get("PGUSER") or "")
