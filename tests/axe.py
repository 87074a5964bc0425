"""Accessibility, checked by axe-core in the page itself: every rule that it has, no finding allowed."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

AXE = Path(__file__).parents[1] / "node_modules" / "axe-core" / "axe.min.js"


@cache
def _source() -> str:
    if not AXE.exists():
        pytest.fail(f"{AXE} is missing: run `npm ci`.")
    return AXE.read_text()


def findings(page: Page) -> list[dict[str, Any]]:
    """axe-core's violations on the page as it stands now."""
    # Evaluated by the debugger rather than added as a script, since our content security policy forbids the latter.
    page.evaluate(_source())
    result: dict[str, Any] = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return list(result["violations"])


def assert_accessible(page: Page, where: str) -> None:
    """Fails with the rule, the element and the remedy of every finding; `where` names the page in that message."""
    found = findings(page)
    if not found:
        return
    lines = [f"axe-core found {len(found)} problem(s) on {where} ({page.url}):"]
    for violation in found:
        lines.append(f"- {violation['id']} ({violation['impact']}): {violation['help']}")
        for node in violation["nodes"]:
            lines.append(f"    {node['html'][:200]}")
            lines += [f"      {line.strip()}" for line in (node.get("failureSummary") or "").splitlines()]
    pytest.fail("\n".join(lines))
