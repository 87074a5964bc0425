from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bluelamp.cli.axis import app
from bluelamp.ingest.models import AxisConnection
from bluelamp.kernel.errors import Conflict, Invalid, NotFound
from tests import factories

pytestmark = pytest.mark.django_db


def run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, [str(each) for each in arguments], catch_exceptions=False, standalone_mode=False)
    if isinstance(result.exception, Exception):
        raise result.exception
    return result.stdout


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "connection.json"


def test_the_file_is_written_for_its_owner_alone_and_the_password_is_not_printed(out: Path) -> None:
    unit = factories.unit("Northgate")
    printed = run("connection-file", "--out", out, "--name", "Northgate", "--unit", unit.code, "--encryption")
    said = json.loads(out.read_text())
    assert said["BlobAPIKey"] not in printed
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert AxisConnection.objects.get(name="Northgate").user == said["BlobAPIUserName"]
    assert list(out.parent.iterdir()) == [out]
    again = run("connection-file", "--out", out, "--name", "Northgate")
    assert "Northgate" in again
    second = json.loads(out.read_text())
    assert second["WantEncryption"] is True
    assert second["BlobAPIKey"] != said["BlobAPIKey"]
    with pytest.raises(Conflict, match="never turns it off"):
        run("connection-file", "--out", out, "--name", "Northgate", "--no-encryption")
    assert json.loads(out.read_text()) == second, "what was there stays, and stays good"


def test_nothing_is_issued_where_the_file_cannot_be_written_or_a_certificate_read(out: Path, tmp_path: Path) -> None:
    factories.unit()
    with pytest.raises(Invalid, match="cannot be written"):
        run("connection-file", "--out", tmp_path)
    with pytest.raises(Invalid, match="cannot be written"):
        run("connection-file", "--out", tmp_path / "nowhere" / "x.json")
    with pytest.raises(Invalid, match="cannot be read"):
        run("connection-file", "--out", out, "--certificate", tmp_path / "none.pem")
    with pytest.raises(NotFound):
        run("connection-file", "--out", out, "--unit", "NOPE")
    assert not AxisConnection.objects.exists()


def test_systems_are_listed_and_revoked(out: Path) -> None:
    factories.unit()
    run("connection-file", "--out", out, "--name", "Northgate [1]")
    assert "Northgate [1]" in run("list")
    assert "can no longer send" in run("revoke", "Northgate [1]", "--reason", "Moved")
    assert "revoked" in run("list")
    with pytest.raises(NotFound):
        run("revoke", "Southgate")
