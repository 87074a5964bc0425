"""A person's browser that adds footage from elsewhere: pages through Django, uploads through the docks' entrance."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import httpx
from django.conf import settings
from django.test import Client

from bluelamp.ingest.models import Addition
from bluelamp.people.models import Person
from tests import signin
from tests.ingest.docks import BYTES, TUS, metadata

FORM = {
    "kind": "cctv",
    "place": "14 High Street",
    "day": "2026-11-20",
    "time": "22:14:05",
    "clock": "fast",
    "off_minutes": "3",
    "off_seconds": "",
    "handed_over": "J. Brook, the manager, on a USB stick",
    "exhibit": "JB/1",
    "reference_kind": "crime",
    "reference": "3312345/26",
    "category": "",
    "reason": "",
}


class Browser:
    """A signed-in person's browser: pages through Django, uploads through the docks' entrance."""

    def __init__(self, entrance: str, person: Person) -> None:
        self.person, self.base = person, entrance
        self.pages = Client()
        signin.quickly(self.pages, person)
        self.session = str(self.pages.session.session_key)

    def begin(self, **changes: str) -> Addition:
        answer = self.pages.post("/footage/add/", {**FORM, **changes})
        assert answer.status_code == 302, answer.content.decode()
        return Addition.objects.get(pk=answer["Location"].split("/")[-2])

    def tus(self, method: str, path: str, headers: dict[str, str], content: bytes = b"") -> httpx.Response:
        url = self.base + path.removeprefix(self.base)
        cookies = {settings.SESSION_COOKIE_NAME: self.session}
        return httpx.request(method, url, headers={**TUS, **headers}, content=content, cookies=cookies, timeout=30)

    def create(
        self, addition: Addition | uuid.UUID | str, length: int, name: str = "till.mp4", **headers: str
    ) -> httpx.Response:
        about = {"addition": str(getattr(addition, "pk", addition)), "filename": name, "mark": "a" * 64}
        given = {"Upload-Length": str(length), "Upload-Metadata": metadata(about), **headers}
        return self.tus("POST", "/dock/tus/", given)

    def patch(self, url: str, offset: int, content: bytes) -> httpx.Response:
        return self.tus("PATCH", url, {**BYTES, "Upload-Offset": str(offset)}, content)

    def send(self, addition: Addition, content: bytes, name: str = "till.mp4") -> httpx.Response:
        made = self.create(addition, len(content), name)
        assert made.status_code == 201, made.text
        return self.patch(made.headers["Location"], 0, content)


Browsers = Callable[..., Browser]
"""A browser of a new person with these roles, of this `unit` or one of their own."""
