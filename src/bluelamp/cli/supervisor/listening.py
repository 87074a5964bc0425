"""The listening sockets: bound by the supervisor and handed to the web processes.

Since they stay open while a web process is started again, a connection made meanwhile waits instead of being refused.
"""

from __future__ import annotations

import errno
import http.client
import os
import socket
import ssl

from bluelamp.kernel.errors import Conflict, Invalid

_BACKLOG = 2048
_ANYWHERE = {"0.0.0.0", "::", ""}  # noqa: S104  compared with, not bound to
_LOCAL = {"localhost", "127.0.0.1", "::1"}


def bind(host: str, port: int) -> list[socket.socket]:
    """Sockets that listen on every address of `host`, all at the same port (0: any free one).

    `localhost` is usually two addresses, and browsers try either. Raises Conflict when the port is taken or may not
    be used, Invalid for an unknown host.
    """
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror:
        raise Invalid(
            f"The host {host} is not known to this machine.", "Nothing was started.", "Give another with --host."
        ) from None
    sockets: list[socket.socket] = []
    failure: OSError | None = None
    for family, *_, address in found:
        try:
            sockets.append(_listen(family, (address[0], port, *address[2:])))
        except OSError as error:
            if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                close(sockets)
                raise _refused(host, port, error) from None
            failure = error  # no IPv6 here, say; another address will do
        else:
            port = sockets[-1].getsockname()[1]
    if not sockets:
        raise _refused(host, port, failure)
    return sockets


def close(sockets: list[socket.socket]) -> None:
    for listener in sockets:
        listener.close()


def address(host: str, port: int, *, tls: bool = False) -> str:
    """The address that a person on this machine opens; `localhost` for itself, since passkeys refuse 127.0.0.1."""
    if host in _ANYWHERE | _LOCAL:
        host = "localhost"
    return f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"


def get_status(descriptor: int, path: str, *, tls: bool = False) -> int:
    """The HTTP status that the server behind a listening socket answers for `path`; 0 where it does not answer."""
    try:
        with socket.socket(fileno=os.dup(descriptor)) as listener:
            host, port = _reachable(listener)
        connection = http.client.HTTPConnection(host, port, timeout=5)
        if tls:
            # It is our own child behind our own socket: whose name the certificate bears does not matter here.
            context = ssl._create_unverified_context()  # noqa: S323
            connection = http.client.HTTPSConnection(host, port, timeout=5, context=context)
        try:
            connection.request("GET", path, headers={"Host": "localhost"})
            return connection.getresponse().status
        finally:
            connection.close()
    except (OSError, http.client.HTTPException):
        return 0


def _reachable(listener: socket.socket) -> tuple[str, int]:
    host, port = listener.getsockname()[:2]
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port  # noqa: S104  compared with


def _listen(family: int, where: tuple[object, ...]) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(where)
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _refused(host: str, port: int, error: OSError | None) -> Conflict:
    reason = "is used by another program" if error and error.errno == errno.EADDRINUSE else f"cannot be used ({error})"
    return Conflict(
        f"Port {port} on {host or 'this machine'} {reason}.",
        "Nothing was started and no footage is affected.",
        "Choose another with --port, or stop the other program.",
    )
