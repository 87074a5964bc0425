"""Who sends bytes: a dock with its token, or a signed-in person's browser."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import Request

from bluelamp.fleet.models import Dock
from bluelamp.ingest.answers import authenticated
from bluelamp.ingest.models import Upload
from bluelamp.ingest.threads import in_database
from bluelamp.kernel.errors import NotAllowed, NotSignedIn
from bluelamp.people.models import Person
from bluelamp.people.sessions import person_of_session


class SignedOut(NotSignedIn):
    """The browser's sign-in has ended."""

    title = "You are signed out"

    def __init__(self) -> None:
        super().__init__(
            "Your sign-in has ended.",
            "What has arrived of the file is kept.",
            "Sign in again and add the same file: it goes on where it stopped.",
        )


@dataclass(frozen=True)
class Sender:
    """A dock, or a person. `owner` is what their uploads are known by."""

    dock: Dock | None = None
    person: Person | None = None

    @property
    def owner(self) -> str:
        """The sender's custody id."""
        return self.dock.custody_id if self.dock else self.person.custody_id if self.person else "public"

    @property
    def origin(self) -> Upload.Origin:
        """What its uploads come from."""
        return Upload.Origin.DOCK if self.dock else Upload.Origin.BROWSER


async def admitted(request: Request, session_cookie: str) -> Sender:
    """The sender of a request: by bearer token, else by the session cookie of that name.

    Raises DockUnknown (and records it), SignedOut; NotAllowed for a browser that comes from another site's page.
    """
    cookie = request.cookies.get(session_cookie)
    if cookie is None or "authorization" in request.headers:
        if "authorization" not in request.headers and "sec-fetch-site" in request.headers:
            raise SignedOut  # a browser, which says so itself, whose session cookie has gone
        return Sender(dock=await authenticated(request))
    person = await in_database(person_of_session, cookie)
    if person is None:
        raise SignedOut
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise NotAllowed(
            "The request came from another site's page.",
            "Nothing was taken.",
            "Add footage on this site's own page.",
        )
    return Sender(person=person)
