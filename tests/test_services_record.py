"""Nothing changes without a custody event: held for every service there is, and for those still to come."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest
from django.apps import apps

import bluelamp

ROOT = Path(bluelamp.__file__).parent
# Names that only Django's models, querysets and related managers use for writing, here at least.
_WRITES = {
    "save",
    "asave",
    "create",
    "acreate",
    "bulk_create",
    "bulk_update",
    "delete",
    "adelete",
    "get_or_create",
    "update_or_create",
    "select_for_update",
    "carry_out",
}
# Those that sets, dictionaries and hashes have as well: only where a manager, a queryset or a relation is in front.
_AMBIGUOUS = {"update", "aupdate", "add", "set", "remove", "clear"}
_MANAGING = {"objects", "filter", "exclude", "all", "order_by"}
_READERS = {"queries", "tasks", "rules", "asgi", "delivery", "panels", "page", "signals"}


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


def _writes(source: str) -> list[tuple[int, str]]:
    """Line and name of every call in `source` that changes the database."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        name, receiver = node.func.attr, node.func.value
        if name in _WRITES or (name in _AMBIGUOUS and (_is_managed(receiver) or _is_relation(receiver))):
            found.append((node.lineno, name))
    return found


def _is_managed(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Attribute) and part.attr in _MANAGING for part in ast.walk(node))


def _is_relation(node: ast.AST) -> bool:
    """`case.members`, `recording.marks`: an attribute of something that is neither a module nor the object itself."""
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.attr in _relations()


@functools.cache
def _relations() -> frozenset[str]:
    """The names under which models reach many others."""
    many = set()
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if field.one_to_many or field.many_to_many:
                many.add(field.get_accessor_name() if field.auto_created else field.name)
    return frozenset(name for name in many if name)


def _reads_only(path: Path) -> bool:
    stem = path.stem
    return stem.endswith("views") or stem in _READERS or bool({"views", "queries"} & set(path.parts))


def test_views_queries_and_tasks_write_nothing():
    readers = [path for path in ROOT.rglob("*.py") if _reads_only(path)]
    assert {"account_views", "portal_views", "public_views", "rollout_views"} <= {path.stem for path in readers}
    found = [
        f"{path.relative_to(ROOT)}:{line} .{name}(" for path in readers for line, name in _writes(path.read_text())
    ]
    assert not found


@pytest.mark.parametrize(
    "line",
    [
        "person.save()",
        "queries.person(7).delete()",
        "person.save(update_fields=['name'])",
        "Person.objects.create(name='x')",
        "Person.objects.filter(pk=7).update(name='x')",
        "queries.people().filter(pk=7).update(name='x')",
        "case.members.add(person)",
        "case.members.create(person=person)",
        "unit.people.all().update(unit=None)",
        "form.save()",
    ],
)
def test_a_write_is_seen_in_each_of_its_shapes(line):
    assert _writes(line)


@pytest.mark.parametrize("line", ["known.update(more)", "seen.add(7)", "cache.set('a', 1)", "digest.update(b'x')"])
def test_what_only_looks_like_a_write_is_let_through(line):
    assert not _writes(line)
