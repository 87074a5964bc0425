from __future__ import annotations

import pytest
from django.core.mail import EmailMessage

from bluelamp.project.configuration import mail_server
from bluelamp.project.mail import PrivateFiles


@pytest.mark.parametrize(
    ("url", "port", "tls", "starttls"),
    [
        ("smtp://relay.example:587", 587, False, True),
        ("smtp://relay.example", 587, False, True),
        ("smtp://relay.example:25", 25, False, False),
        ("smtps://relay.example", 465, True, False),
    ],
)
def test_a_password_never_leaves_in_the_clear(url, port, tls, starttls):
    server = mail_server(url)
    assert (server.port, server.tls, server.starttls) == (port, tls, starttls)


def test_user_and_password_are_decoded():
    server = mail_server("smtp://a%40b.example:p%2Fw@relay.example")
    assert (server.user, server.password) == ("a@b.example", "p/w")


def test_messages_in_files_are_their_owners_alone(tmp_path):
    folder = tmp_path / "mail"
    backend = PrivateFiles(file_path=str(folder))
    assert EmailMessage("Subject", "Code 123456", to=["a@b.example"], connection=backend).send() == 1
    (message,) = folder.iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert message.stat().st_mode & 0o777 == 0o600
    assert b"123456" in message.read_bytes()
