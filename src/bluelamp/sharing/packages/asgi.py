"""Packages' bytes, beside Django: a ZIP file of several GB in constant memory, in stretches where a browser asks so."""

from __future__ import annotations

from functools import partial

from django.conf import settings
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from bluelamp.footage.asgi import Answer, Outgoing, refuse, threads
from bluelamp.kernel.errors import BluelampError
from bluelamp.sharing.packages import delivery, services

_RECORD_EVERY = 2**30  # bytes: a package is fetched to its end, as a rule


class Packages:
    """/media/package/<download>/<name>.zip; the name is for the person who saves it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        session_key = HTTPConnection(scope).cookies.get(settings.SESSION_COOKIE_NAME)
        download_id = scope["path_params"]["download"]
        try:
            found = await threads.run(delivery.deliver, download_id, session_key)
        except BluelampError as error:
            page = await threads.run(delivery.page_of, download_id)
            if page and method == "GET" and "text/html" in HTTPConnection(scope).headers.get("accept", ""):
                # Somebody opened the address again: the package's own page says in words what became of it.
                await RedirectResponse(page, 303)(scope, receive, send)
            else:
                await refuse(send, error, method)
            return
        outgoing = Outgoing(
            name=str(download_id),
            reader=found.archive,
            content_type="application/zip",
            # A sealed package never changes, so a stretch asked for later is of the same bytes.
            etag=f'"{found.download.package_id}"',
            filename=found.filename,
            look_again=partial(delivery.check, download_id, session_key),
            record=partial(_record, found),
            record_every=_RECORD_EVERY,
        )
        await Answer(outgoing, scope, receive, send).give()


def _record(found: delivery.Delivery, first: int, last: int) -> None:
    services.record_served(found.download, first, last, found.archive.size)


routes: list[BaseRoute] = [
    Route("/media/package/{download:uuid}/{name:str}", Packages(), methods=["GET", "HEAD"]),
]
