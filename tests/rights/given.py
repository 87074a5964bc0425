"""Requests as tests make them."""

from __future__ import annotations

from datetime import datetime, timedelta

from bluelamp.people.models import Unit
from bluelamp.rights import services, tasks
from bluelamp.rights.models import Message, Request
from bluelamp.rights.queries import LONDON


def particulars(borough: Unit, at: datetime, **more: object) -> services.Particulars:
    given = {
        "kind": "subject_access",
        "name": "Mary",
        "email": "mary@mail.example",
        "borough": borough,
        "place": "High Street",
        "from_at": at - timedelta(minutes=10),
        "until_at": at + timedelta(minutes=30),
        "role": "stopped",
    }
    return services.Particulars(**{**given, **more})


def ask(borough: Unit, at: datetime, **more: object) -> Request:
    return services.receive_request(particulars(borough, at, **more), peer="192.0.2.1")


def form(borough: Unit, at: datetime) -> dict[str, object]:
    """What the public form sends."""
    local = at.astimezone(LONDON)
    return {
        "kind": "subject_access",
        "name": "Mary Whitfield",
        "email": "mary@mail.example",
        "borough": borough.pk,
        "place": "High Street",
        "day": f"{local:%Y-%m-%d}",
        "from_time": f"{local - timedelta(minutes=10):%H:%M}",
        "until_time": f"{local + timedelta(minutes=30):%H:%M}",
        "role": "stopped",
        "proof_photo": "passport",
        "proof_other": "utility bill",
    }


def deliver() -> None:
    """Do what the worker does: run the job of each message that has not been sent."""
    for message in Message.objects.filter(sent_at=None):
        tasks.send_message(message_id=message.pk)
