"""The server's side of docking as the dock sees it: opening a session, asking for receipts."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from bluelamp.camera.errors import CameraError

KEPT = "Nothing was erased: the recordings are still on the camera."
WORTH_RETRYING = frozenset({423, 425, 429, 500, 502, 503, 504, 507})
LONGEST_PAUSE = 30.0
_REPORT_SECONDS = 5.0


class Refused(CameraError):
    """The server answered and said no."""


class Unreachable(CameraError):
    """The server did not answer, or was too busy for too long."""


@dataclass(frozen=True)
class Wanted:
    """The server's answer about one recording: state is "needed", "have" or "refused"."""

    sequence: int
    state: str
    upload_url: str | None
    receipt: dict[str, Any] | None
    why: str


@dataclass(frozen=True)
class Session:
    """An open docking session. clock_offset_ms is the server's clock minus the camera's, in milliseconds."""

    id: str
    clock_offset_ms: int
    receipt_key: str
    recordings: tuple[Wanted, ...]


class Patience:
    """How long a failing request is repeated: pauses that double, the server's Retry-After where it gives one."""

    def __init__(self, seconds: float, sleep: Callable[[float], None] = time.sleep) -> None:
        self._seconds = seconds
        self._sleep = sleep
        self.progressed()

    def progressed(self) -> None:
        """Something went well: be patient anew."""
        self._left = self._seconds
        self._next = 0.5

    def pause(self, retry_after: str | None = None) -> bool:
        """Wait before trying again; False when patience is at its end."""
        if self._left <= 0:
            return False
        # The spread keeps a shift's cameras from all coming back in the same instant.
        wait = retry_after_seconds(retry_after) or self._next * random.uniform(0.75, 1.25)  # noqa: S311  not a secret
        wait = min(wait, LONGEST_PAUSE, self._left)
        self._next = min(self._next * 2, LONGEST_PAUSE)
        self._left -= wait
        self._sleep(wait)
        return True


def retry_after_seconds(header: str | None) -> float | None:
    """RFC 9110, 10.2.3, in seconds; a date is not needed between a dock and its server."""
    return min(float(header), LONGEST_PAUSE) if header and header.isascii() and header.isdigit() else None


class DockServer:
    """Requests to one server with one dock's token."""

    def __init__(self, server: str, token: str, patience_seconds: float) -> None:
        parts = urlsplit(server)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise CameraError(f"{server} is no server's address.", KEPT, "Write it like https://bwv.example.police.uk")
        self.url = server.rstrip("/")
        self.headers = {"Authorization": f"Bearer {token}"}
        self._patience_seconds = patience_seconds
        self._client = httpx.Client(headers=self.headers, timeout=httpx.Timeout(60, connect=10))

    def close(self) -> None:
        self._client.close()

    def patience(self) -> Patience:
        return Patience(self._patience_seconds)

    def own_url(self, url: str) -> str | None:
        """The absolute address, or None for one on another host: the token is for this server alone."""
        absolute = urljoin(self.url + "/", url)
        mine, theirs = urlsplit(self.url), urlsplit(absolute)
        return absolute if (mine.scheme, mine.netloc) == (theirs.scheme, theirs.netloc) else None

    def open_session(self, body: dict[str, Any]) -> Session:
        """Tell the server what docked. Raises Refused, Unreachable."""
        answer = self._ask("POST", f"{self.url}/api/v1/docking", json=body)
        if answer.status_code != 200:
            raise self._refusal(answer)
        try:
            return _session(answer.json())
        except (ValueError, KeyError, TypeError) as error:
            raise self.nonsense() from error

    def receipt(self, session: str, sequence: int, wait_seconds: float) -> dict[str, Any]:
        """The signed receipt, once the server has accepted the recording. Raises Refused, Unreachable."""
        patience = Patience(wait_seconds)
        while True:
            answer = self._ask("GET", f"{self.url}/api/v1/docking/{session}/receipts/{sequence}")
            if answer.status_code == 200:
                try:
                    document = answer.json()
                except ValueError as error:
                    raise self.nonsense() from error
                if not isinstance(document, dict):
                    raise self.nonsense()
                return document
            if answer.status_code != 202:
                raise self._refusal(answer)
            if not patience.pause(answer.headers.get("Retry-After")):
                raise Unreachable(
                    f"The server has not acknowledged recording {sequence} within {wait_seconds:.0f} seconds.",
                    KEPT,
                    "Dock again later: the upload need not be repeated.",
                )

    def report_unavailable(self, session: str, sequence: int, why: str) -> bool:
        """Say that a recording cannot be sent: "gone", "altered" or "unreadable". False where it is not awaited at all.

        Raises Refused, Unreachable.
        """
        url = f"{self.url}/api/v1/docking/{session}/unavailable/{sequence}"
        answer = self._ask("POST", url, Patience(min(self._patience_seconds, _REPORT_SECONDS)), json={"why": why})
        if answer.status_code not in (204, 409):
            raise self._refusal(answer)
        return answer.status_code == 204

    def _ask(self, method: str, url: str, patience: Patience | None = None, **content: Any) -> httpx.Response:
        patience = patience or self.patience()
        while True:
            retry_after = None
            try:
                answer = self._client.request(method, url, **content)
            except httpx.TransportError as error:
                what = f"The server {self.url} does not answer ({type(error).__name__})."
                problem: CameraError = Unreachable(what, KEPT, "Check the network, then dock again.")
            else:
                if answer.status_code not in WORTH_RETRYING:
                    return answer
                retry_after = answer.headers.get("Retry-After")
                problem = self._refusal(answer)
            if not patience.pause(retry_after):
                raise problem

    def _refusal(self, answer: httpx.Response) -> CameraError:
        """The server's problem document (RFC 9457) in its own words, as far as it gives any."""
        if answer.status_code == 401:
            return Refused(
                f"The server {self.url} does not know this dock's token.",
                KEPT,
                "Ask for a new token: bluelamp docks add NAME",
            )
        try:
            document = answer.json()
        except ValueError:
            document = None
        document = document if isinstance(document, dict) else {}
        told = str(document.get("detail") or document.get("title") or f"It answered {answer.status_code}.")
        return Refused(
            f"The server refused: {told}",
            str(document.get("meaning") or KEPT),
            str(document.get("next_step") or ""),
        )

    def nonsense(self) -> Refused:
        """For an answer outside the protocol."""
        return Refused(
            f"What answers at {self.url} does not speak Bluelamp's docking protocol.",
            KEPT,
            "Check the server's address.",
        )


def _session(document: Any) -> Session:
    recordings = tuple(
        Wanted(
            sequence=int(item["sequence"]),
            state=str(item["state"]),
            upload_url=item.get("upload_url"),
            receipt=item.get("receipt"),
            why=str(item.get("why") or ""),
        )
        for item in document["recordings"]
    )
    return Session(
        id=str(document["session"]),
        clock_offset_ms=int(document["clock_offset_ms"]),
        receipt_key=str(document["receipt_key"]),
        recordings=recordings,
    )
