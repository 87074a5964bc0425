"""A port for a server that is told where to listen, and that may be ended and started again."""

from __future__ import annotations

import secrets
import socket

# Linux gives connections a port from 32768 on (ip(7), ip_local_port_range): one of those may be taken by anybody's
# connection while the server is away, and the server could not come back.
_PORTS = range(20_000, 32_000)


def free_port() -> int:
    """A port of the loopback that nobody has, and that no connection is given."""
    while True:
        port = secrets.choice(_PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
