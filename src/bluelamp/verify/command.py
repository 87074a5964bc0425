"""The verifier of packages at a terminal: progress on standard error, the result on standard output."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from bluelamp.formats.timestamp import TimestampError, certificates
from bluelamp.verify.package import verify_package
from bluelamp.verify.report import GOOD, TAMPERING, Problem, Report, words

_STATUS = {"good": "Good", "bad": "NOT GOOD", "cannot-tell": "Cannot tell", "not-run": "Not checked"}
_MOST_SHOWN = 50
_EVERY_SECONDS = 0.2


def run(
    path: Path,
    keys: Sequence[str],
    witnesses: Sequence[str],
    *,
    as_json: bool = False,
    authorities: Sequence[Path] = (),
) -> int:
    """Verify the package and print the report. Returns the exit code: 0 good, 1 tampering or damage, 2 cannot tell.

    `authorities`: files with certificates (PEM) of time-stamping authorities that the reader trusts.
    """
    progress = _Progress(sys.stderr) if sys.stderr.isatty() else None
    try:
        trusted = [one for file in authorities for one in certificates(file.read_bytes())]
        with path.open("rb") as file:
            report = verify_package(file, keys, witnesses, progress, trusted)
    except TimestampError as error:
        report = Report(problems=[Problem(0, "certificate-malformed", detail=str(error))])
    except OSError as error:
        report = Report(problems=[Problem(0, "unreadable", detail=str(error))])
    if as_json:
        text = json.dumps(report.document(), ensure_ascii=False, indent=2) + "\n"
    else:
        text = "".join(f"{_printable(line)}\n" for line in _lines(report, path))
    # A terminal or pipe that is not UTF-8 shows what it can.
    sys.stdout.buffer.write(text.encode(sys.stdout.encoding or "utf-8", "replace"))
    sys.stdout.flush()
    return report.exit_code


def _lines(report: Report, path: Path) -> Iterator[str]:
    verdict = words()["verdicts"][report.verdict]
    first = report.problems[0] if report.problems else None
    yield f"{verdict['title']}: {path.name}"
    yield first.means if first and first.step == 0 else verdict["text"]
    if report.problems:
        yield ""
    for problem in report.problems[:_MOST_SHOWN]:
        yield f"* {problem.text}{f' ({problem.detail})' if problem.detail else ''}"
        yield f"  {problem.means}"
        yield f"  What to do: {problem.next_step}"
    if len(report.problems) > _MOST_SHOWN:
        yield f"  There are {len(report.problems) - _MOST_SHOWN} more: --json names them all."
    yield ""
    for number, (step, status) in enumerate(zip(words()["steps"], report.steps, strict=True), 1):
        yield f"{number}. {_STATUS[status]:12} {step['title']}"
    if report.claims:
        yield ""
        yield "The package:" if report.exit_code == GOOD else "What the package says of itself:"
        yield from (f"  {name.replace('_', ' '):10} {value}" for name, value in report.claims.items() if value)
        yield f"  {report.files} files, {report.size:,} bytes, {report.events} events"
    for title, keys in (
        ("Signed with this key that you gave:", report.trusted),
        ("It says that it is signed with (compare with /log/keys):", [] if report.exit_code == GOOD else report.keys),
    ):
        if keys and report.exit_code != TAMPERING:
            yield ""
            yield title
            yield from (f"  {key}" for key in keys)
    for each in report.cosignatures:
        known = "a witness that you named" if each["trusted"] else "named by the package alone"
        yield f"  Cosigned by {each['witness']} ({known}), {_moment(each['time'])}, {each['where']}"
    if report.timestamp and report.exit_code != TAMPERING:
        yield f"  {_timestamp(report.timestamp)}"
    if report.exit_code == GOOD:
        yield ""
        yield words()["limits"]


def _timestamp(found: dict[str, Any]) -> str:
    said = str(words()["timestamps"][found["status"]]).replace("{size}", f"{found['size']:,}")
    return said.replace("{at}", str(found.get("at"))).replace("{authority}", str(found.get("authority")))


def _printable(line: str) -> str:
    """Without control characters: what a package says must not steer the terminal."""
    return "".join(char if char.isprintable() else "?" for char in line)


def _moment(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return f"{seconds} seconds after 1970"


class _Progress:
    """One line that is written over: per cent, size, seconds left."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._begun = time.monotonic()
        self._told = 0.0

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._told < _EVERY_SECONDS and done < total:
            return
        self._told = now
        elapsed = now - self._begun
        left = f", about {elapsed * (total - done) / done:.0f} s left" if elapsed > 1 else ""
        text = f"{100 * done // total} % of {total / 1e6:,.0f} MB{left}"
        self._stream.write(f"\r{text:60}" + ("\n" if done >= total else ""))
        self._stream.flush()
