"""`bluelamp verify PACKAGE` and `python -m bluelamp.verify PACKAGE`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.verify import package_cases
from tests.verify.build import OTHER_VKEY, VKEY, WITNESS_VKEY, Recipe

# As on a computer where nothing but `cryptography` (with what it is made of) was installed.
_ALONE = """
import sys, importlib.abc
ALLOWED = {"cryptography", "_cffi_backend", "cffi"} | set(sys.stdlib_module_names)
class Wall(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top == "bluelamp":
            if name.split(".")[1:2] in ([], ["formats"], ["verify"]):
                return None
        elif top in ALLOWED:
            return None
        raise ModuleNotFoundError(f"{name} is not installed here")
sys.meta_path.insert(0, Wall())
import runpy
sys.argv = ["bluelamp.verify", *sys.argv[1:]]
runpy.run_module("bluelamp.verify", run_name="__main__", alter_sys=True)
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    path = tmp_path / "AB-1.zip"
    path.write_bytes(Recipe().zip())
    return path


@pytest.fixture
def tampered(tmp_path: Path) -> Path:
    path = tmp_path / "AB-1 changed.zip"
    path.write_bytes(Recipe(tampered={package_cases.MEDIUM: lambda content: content[:-1] + b"x"}).zip())
    return path


def _alone(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _ALONE, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)


def _bluelamp(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bluelamp.cli.main", "verify", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)


def test_the_verifier_needs_nothing_but_cryptography(package: Path) -> None:
    done = _alone(package, "--key", VKEY, "--witness", WITNESS_VKEY)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Good: AB-1.zip\n")
    assert "a witness that you named" in done.stdout


def test_the_wall_of_these_tests_holds() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _ALONE.replace("import runpy", "import django")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "django is not installed here" in done.stderr


def test_a_changed_file_is_named_and_ends_with_1(tampered: Path) -> None:
    done = _alone(tampered, "--key", VKEY)
    assert done.returncode == 1, done.stderr
    assert f"“{package_cases.MEDIUM}” is not the file that the force put into the package." in done.stdout
    assert "What to do:" in done.stdout


@pytest.mark.parametrize("arguments", [[], ["--key", OTHER_VKEY], ["--key", "hello"]])
def test_without_the_right_key_the_command_cannot_tell_and_ends_with_2(package: Path, arguments: list[str]) -> None:
    done = _alone(package, *arguments)
    assert done.returncode == 2, done.stderr
    assert done.stdout.startswith("Cannot tell: AB-1.zip\n")


def test_a_file_that_is_not_there_ends_with_2(tmp_path: Path) -> None:
    done = _alone(tmp_path / "gone.zip", "--key", VKEY)
    assert done.returncode == 2
    assert "cannot be read" in done.stdout


def test_the_result_as_json_has_the_steps_and_the_problems(tampered: Path) -> None:
    done = _alone(tampered, "--key", VKEY, "--json")
    result = json.loads(done.stdout)
    assert (result["format"], result["exit_code"], result["verdict"]) == ("bluelamp-verification-1", 1, "tampering")
    assert [step["status"] for step in result["steps"]] == ["good", "bad", *["not-run"] * 4]
    assert result["problems"][0]["where"] == package_cases.MEDIUM


def test_no_text_of_a_package_reaches_the_terminal_as_a_command(tmp_path: Path) -> None:
    lying = package_cases.document(lambda plain: plain["events"][0]["event"]["fields"].update(tag="\x1b[2JGood"))
    path = tmp_path / "escape.zip"
    edit = package_cases.document(lambda plain: plain["media"][0].update(kind="copy"))
    path.write_bytes(Recipe(sealed={"custody.json": lying, "package.json": edit}).zip())
    done = _alone(path, "--key", VKEY)
    assert done.returncode == 1
    assert "(?[2JGood)" in done.stdout
    assert "\x1b" not in done.stdout


def test_the_programs_own_command_verifies_packages_too(package: Path, tampered: Path) -> None:
    good = _bluelamp(package, "--key", VKEY, "--witness", f"https://witness.university.example/={WITNESS_VKEY}")
    assert good.returncode == 0, good.stderr
    assert "a witness that you named" in good.stdout
    assert _bluelamp(package).returncode == 2
    assert _bluelamp(tampered, "--key", VKEY).returncode == 1
