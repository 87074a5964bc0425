"""`bluelamp verify --follow`: the monitor's loop, its memory on disk, and its voice.

Exit code with --once: 0 nothing wrong, 1 an alarm, 2 cannot tell.
"""

from __future__ import annotations

import json as json_module
import os
import shlex
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from bluelamp.formats.add_checkpoint import WitnessAddress
from bluelamp.formats.cosignature import WitnessKey
from bluelamp.formats.errors import FormatError
from bluelamp.formats.log_proof import verify_checkpoint
from bluelamp.formats.signed_note import VerifierKey
from bluelamp.kernel.errors import Invalid
from bluelamp.verify import memory as memories
from bluelamp.verify.follow import Finding, Follower, Look, Memory

_LEAST_EVERY = 1.0
_RECHECK_SECONDS = 5.0
_REPEAT_SECONDS = 3600
_COMMAND_SECONDS = 60


@dataclass(frozen=True)
class Limits:
    """How often it looks (`every`, seconds) or once, whether it reads the entries, and after how long it shouts."""

    every: float = 60.0
    once: bool = False
    entries: bool = True
    stall_minutes: float = 1440.0
    cosign_minutes: float = 15.0


def run(
    url: str,
    keys: list[str],
    witnesses: list[str],
    state: Path | None,
    limits: Limits,
    *,
    json: bool = False,
    on_alarm: str = "",
) -> int:
    """Follow the log at `url`, until stopped or once. Returns the exit code. Raises Invalid.

    `witnesses`: VKEY or URL=VKEY each. `on_alarm`: a command that is run with the alarm's words on its standard input.
    """
    follower = _follower(url, keys, witnesses, limits)
    remembered, standing = _remembered(state, follower)
    voice = _Voice(standing, state, json=json, once=limits.once, on_alarm=on_alarm)
    if not limits.once:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _stop)
    while True:
        look = follower.look(remembered, int(time.time()))
        remembered = look.memory
        voice.say(look, follower)
        _remember(state, remembered, voice.standing)
        if limits.once:
            return 1 if look.findings else 2 if look.unknown else 0
        time.sleep(max(_LEAST_EVERY, limits.every))


class _Voice:
    """Tells a person, and a command, what was found: what is new at once, what stands once an hour."""

    def __init__(self, standing: list[str], state: Path | None, *, json: bool, once: bool, on_alarm: str) -> None:
        self.standing = standing
        self._state, self._json, self._once, self._on_alarm = state, json, once, on_alarm
        self._told_at = float("-inf")
        self._unknown_since: float | None = None
        self._unknown = ""
        self._is_first = True

    def say(self, look: Look, follower: Follower) -> None:
        findings = [*look.findings, *self._away_too_long(look, follower)]
        words = [finding.kind for finding in findings]
        is_news = words != self.standing
        due = time.monotonic() - self._told_at >= _REPEAT_SECONDS
        if self._json:
            typer.echo(json_module.dumps(_document(look, findings), ensure_ascii=False))
        else:
            self._print(look, findings, is_news or due)
        if findings and (is_news or due):
            self._told_at = time.monotonic()
            if is_news:
                _write_down(self._state, look, findings)
            _call(self._on_alarm, findings)
        if not look.unknown or findings:
            self.standing = words

    def _away_too_long(self, look: Look, follower: Follower) -> list[Finding]:
        """In the long run, a log that cannot be reached is as bad as one that stands still."""
        if not look.unknown:
            self._unknown_since = None
            return []
        if self._unknown_since is None:
            self._unknown_since = time.monotonic()
        away = time.monotonic() - self._unknown_since
        if self._once or away <= follower.stall_seconds:
            return []
        return [Finding("unreachable", f"The log could not be checked for {away / 60:,.0f} minutes. {look.unknown}")]

    def _print(self, look: Look, findings: list[Finding], aloud: bool) -> None:
        now = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime())
        for remark in look.remarks:
            if self._once:
                typer.echo(remark, err=True)
        if findings and aloud:
            for finding in findings:
                typer.secho(f"{now} ALARM ({finding.kind}): {finding.words}", fg="red", bold=True, err=True)
                for name, text in finding.evidence.items():
                    typer.echo("\n".join([f"  {name}:", *(f"    {line}" for line in text.splitlines())]), err=True)
            typer.echo(
                "Keep this output and the checkpoints that you hold. The footage itself is not touched by this check; "
                "ask whoever runs the log, and whoever watches over it, for an explanation.",
                err=True,
            )
        elif look.unknown and look.unknown != self._unknown:
            typer.echo(f"{now} Cannot tell: {look.unknown}", err=True)
        elif look.checkpoint and not findings and (self._is_first or self.standing or self._unknown):
            typer.echo(f"{now} Good. {_summary(look)}")
        self._unknown, self._is_first = look.unknown, False


def _summary(look: Look) -> str:
    checkpoint, memory = look.checkpoint, look.memory
    assert checkpoint is not None  # whoever calls has one
    parts = [f"{checkpoint.origin} has {checkpoint.size:,} events."]
    if memory and memory.edge:
        parts.append("Its entries and tiles give the root that it signed.")
    for vkey, covered in (memory.witnesses if memory else {}).items():
        parts.append(f"Cosigned by {vkey.partition('+')[0]} up to {covered.size:,}.")
    return " ".join(parts)


def _document(look: Look, findings: list[Finding]) -> dict[str, Any]:
    checkpoint = look.checkpoint
    return {
        "origin": checkpoint.origin if checkpoint else None,
        "size": checkpoint.size if checkpoint else None,
        "root": checkpoint.root.hex() if checkpoint else None,
        "alarms": [{"kind": each.kind, "words": each.words, "evidence": each.evidence} for each in findings],
        "unknown": look.unknown,
        "remarks": list(look.remarks),
        "cosigned": {vkey: covered.size for vkey, covered in look.memory.witnesses.items()} if look.memory else {},
    }


def _follower(url: str, keys: list[str], witnesses: list[str], limits: Limits) -> Follower:
    try:
        trusted = tuple(VerifierKey.parse(text.strip()) for text in keys)
        expected = tuple(_witness(text.strip()) for text in witnesses)
    except FormatError as error:
        raise Invalid(
            f"A key cannot be understood: {error}", "Nothing was checked.", "Copy it as it was published."
        ) from None
    if len({key.name for key in trusted}) != 1:
        raise Invalid(
            "A log is followed with its key, or several of the same log.",
            "Nothing was checked.",
            "Give the key that the force published: --key VKEY.",
        )
    return Follower(
        url.rstrip("/"),
        trusted,
        expected,
        stall_seconds=int(limits.stall_minutes * 60),
        cosign_seconds=int(limits.cosign_minutes * 60),
        entries=limits.entries,
        recheck=min(_RECHECK_SECONDS, limits.every),
    )


def _witness(text: str) -> WitnessKey | WitnessAddress:
    return WitnessAddress.parse(text) if text.startswith(("http://", "https://")) else WitnessKey.parse(text)


def _remembered(state: Path | None, follower: Follower) -> tuple[Memory | None, list[str]]:
    if state is None:
        typer.echo(
            "Nothing is remembered after the end: give --state FILE, so that a rewritten history is seen.", err=True
        )
        return None, []
    try:
        found, alarms = memories.load(state)
        if found is not None:
            verify_checkpoint(found.note, follower.keys)
    except (memories.UnreadableMemory, FormatError) as error:
        raise Invalid(
            f"What was remembered cannot be used: {error}",
            "Nothing was checked.",
            "Give all keys of the log, its former ones too. Start a new file only if you know why this one fails.",
        ) from None
    return found, alarms


def _remember(state: Path | None, memory: Memory | None, standing: list[str]) -> None:
    if state is None:
        return
    try:
        memories.save(state, memory, standing)
    except OSError as error:
        raise Invalid(
            f"{state} cannot be written: {error.strerror}.",
            "What was seen now will not be remembered, so the watch ends here.",
            "Make room, or give another file with --state.",
        ) from None


def _write_down(state: Path | None, look: Look, findings: list[Finding]) -> None:
    """Evidence outlives the terminal: one line of JSON an alarm, beside the state file."""
    if state is not None:
        with state.with_name(f"{state.name}.alarms").open("a", encoding="utf-8") as file:
            file.write(
                json_module.dumps({"at": int(time.time()), **_document(look, findings)}, ensure_ascii=False) + "\n"
            )
            file.flush()
            os.fsync(file.fileno())


def _call(command: str, findings: list[Finding]) -> None:
    """Run the operator's own command, the words on its standard input; one that fails does not end the watch."""
    if not command:
        return
    words = "\n".join(f"{finding.kind}: {finding.words}" for finding in findings) + "\n"
    try:
        done = subprocess.run(shlex.split(command), input=words, text=True, timeout=_COMMAND_SECONDS, check=False)
        failed = f"it ended with {done.returncode}" if done.returncode else ""
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        failed = str(error)
    if failed:
        typer.echo(f"The command for alarms failed: {failed}.", err=True)


def _stop(number: int, frame: object) -> None:
    raise SystemExit(0)
