from __future__ import annotations

import pytest
from django.core.cache import cache

from bluelamp.kernel.limiter import Limiter
from bluelamp.people.services import sign_in


@pytest.fixture(autouse=True)
def _a_place_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is limited for each address starts anew: all tests come from one."""
    cache.clear()
    for name in ("_strangers", "_knocking", "_closings"):
        monkeypatch.setattr(sign_in, name, Limiter())
