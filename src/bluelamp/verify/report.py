"""What a verifier found, in the words that the command and the page share (words.json)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

FORMAT = "bluelamp-verification-1"
GOOD, TAMPERING, CANNOT_TELL = 0, 1, 2
VERDICTS = ("good", "tampering", "cannot-tell")
STEPS = 6


@cache
def words() -> dict[str, Any]:
    """All sentences, by what they are about."""
    loaded: dict[str, Any] = json.loads((Path(__file__).parent / "words.json").read_text("utf-8"))
    return loaded


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, or missing for certainty: `step` (0 before the first), its code, the file or event."""

    step: int
    code: str
    where: str = ""
    detail: str = field(default="", compare=False)

    @property
    def text(self) -> str:
        """The sentence for people."""
        return str(words()["problems"][self.code]["text"]).replace("{where}", self.where)

    @property
    def means(self) -> str:
        """What it means."""
        return str(words()["problems"][self.code]["means"])

    @property
    def next_step(self) -> str:
        """What to do."""
        return str(words()["problems"][self.code]["next"])


@dataclass
class Report:
    """The result. `exit_code` is 0 (good), 1 (evidence of tampering or damage) or 2 (cannot tell).

    `timestamp` has its `status` ("none", "not-checked", "good" or "bad") and the `size` (events) that it is of; if
    good, also `at` and `authority`. Only the command can check it, given the authority's certificate.
    """

    exit_code: int = CANNOT_TELL
    steps: list[str] = field(default_factory=lambda: ["not-run"] * STEPS)
    problems: list[Problem] = field(default_factory=list)
    claims: dict[str, str] = field(default_factory=dict)
    files: int = 0
    size: int = 0  # bytes of the bag's files
    events: int = 0
    keys: list[str] = field(default_factory=list)  # that the package claims
    trusted: list[str] = field(default_factory=list)  # that the reader gave and that signed
    cosignatures: list[dict[str, Any]] = field(default_factory=list)
    timestamp: dict[str, Any] | None = None  # None: the package holds none

    @property
    def verdict(self) -> str:
        """ "good", "tampering" or "cannot-tell"."""
        return VERDICTS[self.exit_code]

    def document(self) -> dict[str, Any]:
        """As plain JSON values; the page's `window.bluelampResult` is the same but for `detail`."""
        return {
            "format": FORMAT,
            "exit_code": self.exit_code,
            "verdict": self.verdict,
            "steps": [
                {"step": number, "title": words()["steps"][number - 1]["title"], "status": status}
                for number, status in enumerate(self.steps, 1)
            ],
            "problems": [
                {"step": each.step, "code": each.code, "where": each.where, "text": each.text, "detail": each.detail}
                for each in self.problems
            ],
            "claims": self.claims,
            "files": self.files,
            "size": self.size,
            "events": self.events,
            "keys": self.keys,
            "trusted": self.trusted,
            "cosignatures": self.cosignatures,
            "timestamp": self.timestamp,
        }
