from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def bluelamp(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    import os

    command = [sys.executable, "-P", "-m", "bluelamp.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, timeout=60)


def test_help_lists_what_there_is_and_loads_neither_django_nor_media() -> None:
    script = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from bluelamp.cli.main import app\n"
        "result = CliRunner().invoke(app, ['--help'])\n"
        "print(result.output)\n"
        "print('heavy:', sorted({'django', 'av', 'psycopg', 'uvicorn'} & set(sys.modules)))\n"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    for name in ("up", "web", "worker", "migrate", "doctor", "docks"):
        assert f" {name} " in result.stdout
    assert "heavy: []" in result.stdout


def test_every_listed_command_has_its_own_help() -> None:
    from bluelamp.cli.main import _COMMANDS, _is_there, _Lazy

    for entry in _COMMANDS:
        if _is_there(entry):
            assert _Lazy(entry)._real() is not None


def test_an_unknown_command_is_refused() -> None:
    result = bluelamp("camelot")
    assert result.returncode == 2
    assert "No such command" in result.stderr


def test_an_error_is_one_sentence_and_an_exit_code(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = bluelamp("up", "--data", str(tmp_path / "file"))
    assert result.returncode == 2
    assert (
        result.stderr.strip()
        == f"{tmp_path / 'file'} is not a folder. Nothing was started. Choose another with --data."
    )


def test_a_measurement_without_its_peers_says_which_is_missing_and_starts_nothing(tmp_path: Path) -> None:
    result = bluelamp("bench", "ingest", PATH=str(tmp_path))
    assert result.returncode == 2
    assert result.stderr.startswith("node is not installed, and Bluelamp is measured beside it. Nothing was measured.")


@pytest.mark.parametrize(
    "command",
    [("import", "."), ("docks", "list"), ("axis", "list")],
)
def test_a_mistyped_folder_is_no_installation_and_does_not_become_one(tmp_path: Path, command: tuple[str, ...]) -> None:
    result = bluelamp(*command, "--data", str(tmp_path / "typo"), BLUELAMP_DATABASE_URL="")
    assert (result.returncode, result.stdout) == (5, "")
    assert result.stderr.startswith(f"There is no Bluelamp installation in {tmp_path / 'typo'}. Nothing was changed.")
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_does_not_answer_is_said_in_words(tmp_path: Path) -> None:
    url = f"postgresql://bluelamp_app@/bluelamp?host={tmp_path}"
    result = bluelamp("migrate", "--data", str(tmp_path / "data"), BLUELAMP_DATABASE_URL=url)
    assert result.returncode == 7
    assert "cannot be reached" in result.stderr
    assert "Traceback" not in result.stderr
