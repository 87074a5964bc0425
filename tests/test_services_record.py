"""Nothing changes without a custody event: held for every service there is, and for those still to come."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

import bluelamp

ROOT = Path(bluelamp.__file__).parent
_WRITES = {
    "save",
    "create",
    "bulk_create",
    "bulk_update",
    "update",
    "delete",
    "get_or_create",
    "update_or_create",
}


def _services_modules() -> list[str]:
    names = []
    for module in pkgutil.walk_packages([str(ROOT)], "bluelamp."):
        parts = module.name.split(".")
        if "services" in parts[2:] and not parts[-1].startswith("_"):
            names.append(module.name)
    return names


@pytest.mark.parametrize("module_name", _services_modules())
def test_every_public_function_of_a_services_module_records_an_event_or_says_why_not(module_name):
    module = importlib.import_module(module_name)
    silent = [
        name
        for name, function in vars(module).items()
        if inspect.isfunction(function)
        and function.__module__ == module_name
        and not name.startswith("_")
        and not getattr(function, "is_custody_service", False)
        and not getattr(function, "custody_unrecorded", "")
    ]
    assert not silent, f"{module_name}: neither @custody.service nor @custody.unrecorded(why): {', '.join(silent)}"


def test_there_are_services_in_every_room_that_changes_state():
    rooms = {name.split(".")[1] for name in _services_modules()}
    assert {"people", "fleet", "footage", "retention", "ingest", "cases", "sharing", "rights"} <= rooms


def _writes_in(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr in _WRITES and _touches_a_manager(node.func.value):
            found.append(f"{path.relative_to(ROOT)}:{node.lineno} .{node.func.attr}(")
    return found


def _touches_a_manager(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Attribute) and part.attr == "objects" for part in ast.walk(node))


def test_views_queries_and_tasks_write_nothing():
    readers = [
        path
        for path in ROOT.rglob("*.py")
        if path.stem in {"views", "queries", "tasks", "rules", "asgi"} or {"views", "queries"} & set(path.parts)
    ]
    assert readers
    assert not [write for path in readers for write in _writes_in(path)]
