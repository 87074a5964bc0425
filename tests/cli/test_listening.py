from __future__ import annotations

import socket

import pytest

from bluelamp.cli.supervisor import listening
from bluelamp.kernel.errors import Conflict, Invalid


def test_localhost_listens_on_each_of_its_addresses_at_the_same_port() -> None:
    listeners = listening.bind("localhost", 0)
    try:
        ports = {listener.getsockname()[1] for listener in listeners}
        assert len(ports) == 1
        hosts = {listener.getsockname()[0] for listener in listeners}
        assert hosts <= {"127.0.0.1", "::1"}
        for listener in listeners:
            socket.create_connection(listener.getsockname()[:2], timeout=1).close()
    finally:
        listening.close(listeners)


def test_a_port_in_use_is_refused_in_words() -> None:
    listeners = listening.bind("127.0.0.1", 0)
    try:
        with pytest.raises(Conflict, match="used by another program"):
            listening.bind("127.0.0.1", listeners[0].getsockname()[1])
    finally:
        listening.close(listeners)


def test_an_unknown_host_is_refused_in_words() -> None:
    with pytest.raises(Invalid, match="not known"):
        listening.bind("nowhere.invalid", 0)


def test_the_address_for_people_on_this_machine_is_localhost() -> None:
    assert listening.address("127.0.0.1", 8000) == "http://localhost:8000"
    assert listening.address("0.0.0.0", 8000) == "http://localhost:8000"
    assert listening.address("bwv.example.police.uk", 80) == "http://bwv.example.police.uk:80"
    assert listening.address("2001:db8::1", 8000) == "http://[2001:db8::1]:8000"


def test_a_server_that_does_not_answer_has_no_status() -> None:
    with socket.socket() as bound_only:
        bound_only.bind(("127.0.0.1", 0))
        assert listening.get_status(bound_only.fileno(), "/readyz") == 0
