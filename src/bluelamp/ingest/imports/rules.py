"""Pure rules of reconciliation: when a source may be called deletable, and in which words not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Count:
    """Files of one state: how many, their bytes at the source, and how many were proven to be here, with bytes."""

    files: int = 0
    bytes: int = 0
    proven_files: int = 0
    proven_bytes: int = 0


@dataclass(frozen=True)
class Standing:
    """Where an import stands. `states` by the value of ImportItem.State; `claimed` is what the manifest lists."""

    states: dict[str, Count] = field(default_factory=dict)
    notes: Sequence[str] = ()
    running: bool = False
    has_manifest: bool = False
    claimed_files: int = 0
    damaged: int = 0
    """Files said to be here whose bytes in the store are not those that were read at the source."""

    def count(self, state: str) -> Count:
        """The files of one state."""
        return self.states.get(state, Count())

    @property
    def files(self) -> int:
        """All files that matter: of the manifest and of the source, a system's own files left out."""
        return sum(count.files for state, count in self.states.items() if state != "ignored")

    @property
    def bytes(self) -> int:
        """Their bytes at the source; of a missing one those that the manifest claims."""
        return sum(count.bytes for state, count in self.states.items() if state != "ignored")

    @property
    def here(self) -> Count:
        """Those that were imported or were here already."""
        imported, duplicate = self.count("imported"), self.count("duplicate")
        return Count(
            imported.files + duplicate.files,
            imported.bytes + duplicate.bytes,
            imported.proven_files + duplicate.proven_files,
            imported.proven_bytes + duplicate.proven_bytes,
        )


@dataclass(frozen=True)
class Verdict:
    """Whether the source may be deleted, the sentence that says so, and each reason why not."""

    may_delete: bool
    sentence: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Showing:
    """Of the files that were proven to be here: how many show nothing, and why.

    `unplayable` could not be prepared for viewing, `keyless` are encrypted by their device and not opened yet,
    `unprepared` wait for the worker. Whatever they show, of `unused` the list says something that could not be used.
    """

    empty: int = 0
    unplayable: int = 0
    keyless: int = 0
    unprepared: int = 0
    unused: int = 0

    @property
    def nothing(self) -> int:
        """Those that can be looked at one by one."""
        return self.empty + self.unplayable + self.keyless


def remarks(showing: Showing) -> list[str]:
    """What a verdict does not say: a file can be here to its last byte, and show nothing or lack its officer."""
    said = []
    if showing.empty:
        said.append(f"{_files(showing.empty)} {_are(showing.empty)} empty: 0 bytes, at the source as here.")
    if showing.unplayable:
        them = "it" if showing.unplayable == 1 else "them"
        said.append(
            f"{_files(showing.unplayable)} could not be prepared for viewing, though every byte of {them} is here. As "
            "a rule such a file was damaged before, or is of a kind that Bluelamp cannot show. Look while the source "
            "still exists."
        )
    if showing.keyless:
        one = showing.keyless == 1
        said.append(
            f"{_files(showing.keyless)} {_are(showing.keyless)} encrypted by {'its' if one else 'their'} device, and "
            f"{'shows' if one else 'show'} nothing until the key is here."
        )
    if showing.unprepared:
        said.append(
            f"{_files(showing.unprepared)} {_are(showing.unprepared)} not prepared for viewing yet. Whether they can "
            "be played shows later on the page of the import."
        )
    if showing.unused:
        remark = "the remark beside it" if showing.unused == 1 else "the remark beside each"
        said.append(
            f"{_files(showing.unused)} {_are(showing.unused)} here with something of the list that could not be used: "
            f"{remark} in the list of all files says what."
        )
    return said


_REASONS = (
    ("waiting", "{} still {} to be imported"),
    ("missing", "{} {} missing at the source"),
    ("corrupt", "{} {} not what the manifest says"),
    ("unreadable", "{} could not be read"),
    ("refused", "{} {} refused"),
    ("extra", "{} {} not in the manifest and {} not imported"),
    ("changed", "{} changed at the source after being imported"),
)


def verdict(standing: Standing) -> Verdict:
    """A source is deletable only when every file of it, and of its manifest, was read back here with the same hash.

    In 2023 a force lost 96,174 originals because the source was deleted before anybody had compared; so nothing less
    than all of it is called enough.
    """
    reasons = [_reason(words, standing.count(state).files) for state, words in _REASONS if standing.count(state).files]
    here = standing.here
    if standing.damaged:
        reasons.append(f"{_files(standing.damaged)} in the store here {_are(standing.damaged)} not what was read")
    unproven = here.files - here.proven_files - standing.damaged
    if unproven > 0:
        reasons.append(f"{_files(unproven)} here {_have(unproven)} not been read back and compared")
    reasons += [note.rstrip(".") for note in standing.notes]
    if standing.running:
        reasons.insert(0, "the import has not finished")
    if not standing.files:
        reasons.append("no file was found")
    if reasons:
        done = f"{here.proven_files:,} of {_files(standing.files)} {_are(here.proven_files)} proven to be here"
        listed = "; ".join(reasons)
        return Verdict(False, f"Do not delete the source: {listed}. {done}.", tuple(reasons))
    return Verdict(
        True,
        f"The source may be deleted: all {_files(standing.files)}, {here.proven_bytes:,} bytes, were read back here "
        "and have the hashes that were found at the source.",
    )


def _reason(words: str, files: int) -> str:
    verb = _have(files) if words.startswith("{} still") else _are(files)
    return words.format(_files(files), verb, "was" if files == 1 else "were")


def _files(number: int) -> str:
    return f"{number:,} file" if number == 1 else f"{number:,} files"


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _have(number: int) -> str:
    return "has" if number == 1 else "have"
