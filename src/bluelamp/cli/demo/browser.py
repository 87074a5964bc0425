"""The demonstration's people use the product over HTTP, as its users do: forms, cookies, mail, byte ranges."""

from __future__ import annotations

import re
import time
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from urllib.parse import urljoin

import httpx
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time

from bluelamp.cli.demo.force import Account

_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_VIDEO = re.compile(r'<video[^>]*\ssrc="([^"]+)"|<source[^>]*\ssrc="([^"]+)"', re.DOTALL)


class Browser:
    """One person's session."""

    def __init__(self, base_url: str) -> None:
        self._http = httpx.Client(base_url=base_url, follow_redirects=True, timeout=30)

    def get(self, path: str) -> httpx.Response:
        return self._http.get(path).raise_for_status()

    def submit(self, page: httpx.Response | str, data: dict[str, str], to: str = "") -> httpx.Response:
        """Fill in and send the form of a page; `to` where its action is another address."""
        shown = self.get(page) if isinstance(page, str) else page
        found = _TOKEN.search(shown.text)
        if found is None:
            raise RuntimeError(f"{shown.url} shows no form")
        address = urljoin(str(shown.url), to) if to else str(shown.url)
        answer = self._http.post(
            address, data={**data, "csrfmiddlewaretoken": found[1]}, headers={"Referer": str(shown.url)}
        )
        return answer.raise_for_status()

    def sign_in(self, account: Account) -> None:
        """With password and one-time password."""
        page = self.submit("/account/login/", {"login": account.username, "password": account.password or ""})
        if account.totp_secret:
            page = self.submit(page, {"code": one_time_code(account.totp_secret)})
        if "/account/" in str(page.url):
            raise RuntimeError(f"{account.username} could not sign in: the sign-in ended at {page.url}")

    def watch(self, page: httpx.Response) -> int:
        """Fetch the video of a page as a player does, in ranges; returns how many bytes came."""
        found = _VIDEO.search(page.text)
        if found is None:
            raise RuntimeError(f"{page.url} shows no video")
        source = found[1] or found[2]
        received, size = 0, 1
        while received < size:
            part = self._http.get(source, headers={"Range": f"bytes={received}-{received + (1 << 20) - 1}"})
            part.raise_for_status()
            size = int(part.headers["Content-Range"].rpartition("/")[2])
            received += len(part.content)
        return received


def one_time_code(secret: str) -> str:
    """What an authenticator app shows now (RFC 6238)."""
    counter = next(iter(yield_hotp_counters_from_time()))
    return format_hotp_value(hotp_value(secret, counter))


class Mail:
    """What was sent, as the file back end leaves it in the data folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def newest_to(self, address: str, pattern: str, seconds: float = 20) -> str:
        """The last match of `pattern`'s first group in messages to an address.

        Messages leave by the worker's jobs, so the first one is waited for, `seconds` at most. Raises RuntimeError.
        """
        deadline = time.monotonic() + seconds
        while not (found := self._newest(address, pattern)):
            if time.monotonic() > deadline:
                raise RuntimeError(f"No message to {address} says {pattern}")
            time.sleep(0.2)
        return found

    def _newest(self, address: str, pattern: str) -> str:
        found = ""
        for path in sorted(self._folder.glob("*.log"), key=lambda item: item.stat().st_mtime_ns):
            for raw in path.read_bytes().split(b"\n" + b"-" * 79 + b"\n"):
                message = message_from_bytes(raw.strip(), policy=default)
                if address in str(message.get("To", "")):
                    match = re.search(pattern, message.get_content())
                    found = match[1] if match else found
        return found
