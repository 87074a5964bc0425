"""Runs the media pipelines over untrusted footage in a confined child process.

The child gets no path, no key and no network: it asks for byte ranges over a socket pair and the parent serves
them, in practice from the sealed object. What comes back is checked before it is believed.
"""

import json
import logging
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from bluelamp.media import wire
from bluelamp.media.errors import MediaFailed, MediaRejected
from bluelamp.media.facts import MediaFacts, Storyboard
from bluelamp.media.wire import Kind

ReadAt = Callable[[int, int], bytes]
WANTABLE = ("facts", "poster", "storyboard", "waveform")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """What one piece of footage may cost. Sizes in bytes, times in seconds.

    memory_bytes is address space. read_times bounds how often the footage may be read over (256 MiB are free).
    """

    memory_bytes: int = 2 * 1024**3
    cpu_seconds: int = 900
    wall_seconds: float = 1200.0
    copy_bytes: int = 16 * 1024**3
    read_times: int = 16


@dataclass
class Processed:
    """What the pipelines found; None for what was not wanted or, for the waveform, could not be made.

    waveform is empty where there is no sound track. viewing_copy is None (none was needed or wanted), "copied"
    or "transcoded"; its bytes went to the sink. confinement names what held the child.
    """

    facts: MediaFacts
    poster: bytes | None = None
    storyboard: Storyboard | None = None
    waveform: list[int] | None = None
    viewing_copy: str | None = None
    confinement: list[str] = field(default_factory=list)


def process(
    read_at: ReadAt,
    size: int,
    *,
    want: Sequence[str] = WANTABLE,
    on_viewing_copy: Callable[[bytes], None] | None = None,
    limits: Limits | None = None,
) -> Processed:
    """Look at footage of `size` bytes; `read_at(offset, length)` serves exactly that range of it.

    on_viewing_copy, where given, is called with the pieces of a viewing copy in order, if browsers need one.
    Raises MediaRejected (no video, or none that can be shown), MediaFailed (crashed, out of time or memory), and
    whatever read_at or on_viewing_copy raise. In all of these cases what went to the sink must be thrown away.
    """
    unknown = set(want) - set(WANTABLE)
    if unknown:
        raise ValueError(f"nothing is known of {', '.join(sorted(unknown))}")
    limits = limits or Limits()
    deadline = time.monotonic() + limits.wall_seconds
    ours, theirs = socket.socketpair()
    with ours, tempfile.TemporaryFile() as complaints:
        with theirs:
            child = _start(theirs, complaints)
        try:
            talk = _Conversation(ours, read_at, size, want, on_viewing_copy, limits, deadline)
            return talk.run()
        except (wire.Closed, BrokenPipeError, ConnectionResetError) as error:
            _explain_end(child, complaints, error)
        except wire.BrokenTalk as error:
            logger.warning("media child broke the protocol: %s", error)
            raise MediaFailed("Working on the video was stopped: it behaved as no video should.") from error
        except TimeoutError as error:
            raise MediaFailed(
                f"Working on the video took longer than the {limits.wall_seconds:.0f} seconds allowed."
            ) from error
        finally:
            ours.close()
            child.kill()
            child.wait()


_NICE = 19
_TRIES = 3


def _start(channel: socket.socket, complaints: Any) -> subprocess.Popen[bytes]:
    """The child in a session of its own, with no environment but what the interpreter may need to load."""
    environment = {"OPENBLAS_NUM_THREADS": "1"}
    for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"):
        if name in os.environ:
            environment[name] = os.environ[name]
    child = subprocess.Popen(
        [sys.executable, "-I", "-B", "-m", "bluelamp.media.child", str(channel.fileno())],
        pass_fds=(channel.fileno(),),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        # A file and not a pipe: confined, the child cannot write to it any more, nor fill it up and block.
        stderr=complaints,
        cwd="/",
        env=environment,
        start_new_session=True,
    )
    # A shift's footage comes in faster than it can be prepared for viewing: who docks must not wait for that.
    _stand_back(child.pid)
    return child


def _stand_back(pid: int) -> None:
    """Give a process that leads a session what processor time all others leave."""
    os.setpriority(os.PRIO_PROCESS, pid, _NICE)
    # With autogroups Linux shares the processors among sessions, and that value counts only inside one (sched(7)).
    group = Path(f"/proc/{pid}/autogroup")
    for _ in range(_TRIES):
        try:
            group.write_text(str(_NICE))
        except BlockingIOError:  # an ordinary user may do this ten times a second
            time.sleep(0.1)
        except OSError:
            return  # no autogroups here, or the child has ended already
        else:
            return


def _explain_end(child: subprocess.Popen[bytes], complaints: Any, error: Exception) -> NoReturn:
    try:
        code = child.wait(timeout=5)
    except subprocess.TimeoutExpired:
        code = 0
    if code == -signal.SIGXCPU:
        raise MediaFailed("Working on the video took more processor time than is allowed.") from error
    if code == -signal.SIGKILL:
        raise MediaFailed("Working on the video was stopped from outside, perhaps for want of memory.") from error
    complaints.seek(0)
    logger.warning("media child ended with %s: %s", code, complaints.read(4096).decode(errors="replace"))
    raise MediaFailed("Working on the video crashed.") from error


class _Conversation:
    """The parent's side: serves ranges, takes results, believes nothing unchecked."""

    def __init__(
        self,
        channel: socket.socket,
        read_at: ReadAt,
        size: int,
        want: Sequence[str],
        on_viewing_copy: Callable[[bytes], None] | None,
        limits: Limits,
        deadline: float,
    ) -> None:
        self._channel, self._deadline = channel, deadline
        self._read_at, self._size = read_at, size
        self._on_viewing_copy = on_viewing_copy
        self._limits = limits
        self._may_read = limits.read_times * size + 256 * 1024**2
        self._may_copy = limits.copy_bytes if on_viewing_copy else 0
        self._want = want
        self._results: dict[Kind, Any] = {}
        self._awaited = {Kind.READY}

    def run(self) -> Processed:
        job = {
            "size": self._size,
            "want": list(self._want),
            "viewing_copy": self._on_viewing_copy is not None,
            "memory_bytes": self._limits.memory_bytes,
            "cpu_seconds": self._limits.cpu_seconds,
        }
        self._send(Kind.JOB, json.dumps(job).encode())
        while True:
            kind, payload = wire.receive(self._channel, self._longest, self._deadline)
            if kind is Kind.DONE:
                return self._finished()
            try:
                content = _understood(kind, payload)
            except (ValueError, KeyError, TypeError, RecursionError, struct.error) as error:
                raise wire.BrokenTalk(f"{kind.name} message does not make sense") from error
            self._take(kind, content)

    def _longest(self, kind: Kind) -> int:
        if kind not in self._awaited:
            raise wire.BrokenTalk(f"{kind.name} message was not expected")
        return wire.LONGEST[kind]

    def _send(self, kind: Kind, payload: bytes) -> None:
        self._channel.settimeout(max(0.001, self._deadline - time.monotonic()))
        wire.send(self._channel, kind, payload)

    def _take(self, kind: Kind, content: Any) -> None:
        match kind:
            case Kind.READ:
                self._serve(*content)
            case Kind.COPY:
                self._take_copy(content)
            case Kind.REJECTED:
                raise MediaRejected(content)
            case Kind.FAILED:
                _raise_failed(content)
            case _:
                self._results[kind] = content
                self._awaited -= {kind}
        if kind is Kind.READY:
            self._awaited = {Kind.READ, Kind.FACTS, Kind.REJECTED, Kind.FAILED}
        elif kind is Kind.FACTS:
            self._await_results()
        elif kind is Kind.COPY_END:
            self._awaited -= {Kind.COPY}

    def _await_results(self) -> None:
        self._awaited |= {Kind.DONE}
        for name, kind in (
            ("poster", Kind.POSTER),
            ("storyboard", Kind.STORYBOARD),
            ("waveform", Kind.WAVEFORM),
        ):
            if name in self._want:
                self._awaited |= {kind}
        if self._on_viewing_copy:
            self._awaited |= {Kind.COPY, Kind.COPY_END}

    def _serve(self, offset: int, length: int) -> None:
        if not 0 < length <= wire.LARGEST_RANGE or offset + length > self._size:
            raise wire.BrokenTalk(f"asked for {length} bytes at {offset} of {self._size}")
        self._may_read -= length
        if self._may_read < 0:
            raise wire.BrokenTalk("asked for the footage over and over")
        data = self._read_at(offset, length)
        if len(data) != length:
            raise MediaFailed("The footage could not be read whole while it was being looked at.")
        self._send(Kind.BYTES, data)

    def _take_copy(self, payload: bytes) -> None:
        self._may_copy -= len(payload)
        if self._may_copy < 0 or self._on_viewing_copy is None:
            raise MediaFailed("The viewing copy grew larger than is allowed.")
        self._on_viewing_copy(payload)

    def _finished(self) -> Processed:
        for name, kind in (("poster", Kind.POSTER), ("storyboard", Kind.STORYBOARD)):
            if name in self._want and kind not in self._results:
                raise wire.BrokenTalk(f"no {name} came")
        return Processed(
            facts=self._results[Kind.FACTS],
            poster=self._results.get(Kind.POSTER),
            storyboard=self._results.get(Kind.STORYBOARD),
            waveform=self._results.get(Kind.WAVEFORM),
            viewing_copy=self._results.get(Kind.COPY_END),
            confinement=self._results[Kind.READY],
        )


def _understood(kind: Kind, payload: bytes) -> Any:
    """What a message says. Raises ValueError, KeyError, TypeError, RecursionError or struct.error for nonsense."""
    match kind:
        case Kind.READ:
            return wire.RANGE.unpack(payload)
        case Kind.READY:
            return [str(name) for name in json.loads(payload)]
        case Kind.FACTS:
            return MediaFacts.from_dict(json.loads(payload))
        case Kind.POSTER:
            return _checked_jpeg(payload)
        case Kind.STORYBOARD:
            return _checked_storyboard(payload)
        case Kind.WAVEFORM:
            return [_checked_level(level) for level in payload]
        case Kind.COPY_END:
            return _checked_way(payload.decode())
        case Kind.REJECTED | Kind.FAILED:
            return _sentence(payload)
    return payload


def _checked_level(level: int) -> int:
    if level > 100:
        raise ValueError("level out of range")
    return level


def _checked_way(how: str) -> str:
    if how not in ("copied", "transcoded"):
        raise ValueError("unknown way of copying")
    return how


def _checked_jpeg(data: bytes) -> bytes:
    """A JPEG from start to end marker. It is not decoded here: only browsers do that, sandboxed themselves."""
    if not (data.startswith(b"\xff\xd8\xff") and data.endswith(b"\xff\xd9")):
        raise ValueError("not a JPEG")
    return data


def _checked_storyboard(payload: bytes) -> Storyboard:
    described, _, jpeg = payload.partition(b"\0")
    values = json.loads(described)
    if any(type(value) is not int or not 0 < value < 10**9 for value in values.values()):
        raise ValueError("measures of the storyboard are not numbers")
    return Storyboard(jpeg=_checked_jpeg(jpeg), **values)


def _sentence(payload: bytes) -> str:
    """Text from the child, made harmless to print."""
    text = payload.decode(errors="replace")[:300]
    return "".join(character if character.isprintable() else " " for character in text)


def _raise_failed(why: str) -> NoReturn:
    if why == "memory":
        raise MediaFailed("Working on the video needed more memory than is allowed.")
    logger.warning("media child failed: %s", why)
    raise MediaFailed("Working on the video failed.")
