from __future__ import annotations

import pytest
from typer.testing import CliRunner

from bluelamp.cli.docks import app
from bluelamp.custody import queries as custody
from bluelamp.fleet import queries
from bluelamp.fleet.models import Dock
from bluelamp.kernel.errors import Conflict, NotFound
from tests import factories

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False, standalone_mode=False)
    if isinstance(result.exception, Exception):
        raise result.exception
    return result.stdout


def test_add_prints_the_token_alone_so_that_a_script_can_take_it() -> None:
    unit = factories.unit()
    token = run("add", "Northgate 1", "--unit", unit.code).strip()
    dock = queries.authenticate_dock(token)
    assert dock is not None
    assert (dock.name, dock.unit) == ("Northgate 1", unit)
    assert custody.history(dock.custody_id)[0].actor == "system:command-line"


def test_list_shows_every_dock_but_no_token() -> None:
    token = run("add", "Northgate [1]").strip()
    shown = run("list")
    assert "Northgate [1]" in shown
    assert "never" in shown
    assert token not in shown


def test_revoke_ends_the_access() -> None:
    token = run("add", "Northgate 1").strip()
    assert "can no longer upload" in run("revoke", "Northgate 1", "--reason", "Stolen")
    assert queries.authenticate_dock(token) is None
    assert "revoked" in run("list")


def test_wrong_names_are_refused_in_words() -> None:
    run("add", "Northgate 1")
    with pytest.raises(Conflict, match="Northgate 1 already"):
        run("add", "Northgate 1")
    with pytest.raises(NotFound, match="no unit with the code"):
        run("add", "Northgate 2", "--unit", "NOPE")
    with pytest.raises(NotFound, match="no dock named"):
        run("revoke", "Southgate")
    assert Dock.objects.count() == 1
