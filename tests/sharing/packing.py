"""Makes packages as the worker would, with the log sequenced in between, and takes them apart again."""

from __future__ import annotations

import io
import threading
import zipfile

from django.db import connection

from bluelamp import custody
from bluelamp.cases import services as cases
from bluelamp.custody import keys, sequencer
from bluelamp.footage import services as footage
from bluelamp.footage.events import RecordingCollected
from bluelamp.kernel.transaction import atomic
from bluelamp.people.models import Organisation
from bluelamp.people.policy import Role
from bluelamp.sharing import services as sharing
from bluelamp.sharing.packages import queries, services
from bluelamp.sharing.packages.services import making
from bluelamp.sharing.packages.services.gathering import gather
from tests import factories, signin

REFERENCE = "ABC/1"


def asked(story, **more):
    """A package of the story's recording, asked for and not made yet."""
    recording, case, detective = story
    given = {"recipient": "Jo Reid, CPS", "purpose": "prosecution", "by": detective, **more}
    return services.make(case, {recording.pk: REFERENCE}, **given)


def finished(package):
    """The same package, ready."""
    making.read_media(package)
    sequencer.drain()
    making.seal(package, gather(package))
    sequencer.drain()
    making.attach(package)
    package.refresh_from_db()
    return package


def zipped(package) -> bytes:
    """The whole ZIP file."""
    archive = queries.archive(package)
    return b"".join(bytes(piece) for piece in archive.iter(0, archive.size))


def unzipped(package) -> dict[str, bytes]:
    """The files of the bag by their paths in it."""
    with zipfile.ZipFile(io.BytesIO(zipped(package))) as archive:
        return {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}


def collected(recording) -> None:
    """Record the event that a real acceptance of this recording would have recorded."""
    with atomic():
        custody.record(
            RecordingCollected(
                actor="dock:1",
                subject=recording.custody_id,
                sha256=recording.sha256,
                size=recording.size,
                camera=None,
                sequence=None,
                started_at=recording.started_at,
                ended_at=recording.ended_at,
                received_at=recording.received_at,
                wearer=recording.wearer.custody_id,
                unit=None,
                incident=None,
                part=1,
                clock_status="good",
                clock_offset_ms=0,
            )
        )


def keep_sequencing(stop: threading.Event) -> None:
    """What the worker's thread does, until told to stop."""
    try:
        while not stop.wait(0.05):
            sequencer.run_once()
    finally:
        connection.close()


def seed() -> dict[str, str]:
    """For a live server: a detective who can sign in, a case with flagged footage, and a share with a prosecutor."""
    person = factories.person(Role.INVESTIGATOR, unit=factories.unit(), name="Ada Beth Cole")
    person.set_password(signin.PASSWORD)
    person.save()
    recording = factories.recording(person, sealed=True, content=bytes(range(256)) * 2**14)
    collected(recording)
    case = cases.open_case("Lantern", opened_by=person, urn="01AB1")
    cases.add_recording(case, recording, actor=person, reason="Shows it")
    footage.flag(recording, category=factories.category(), reason="Assault", by=person)
    cps = Organisation.objects.create(name="CPS", kind=Organisation.Kind.CPS, email_domains=["cps.example"])
    share = sharing.share(
        recording,
        name="Jo Reid",
        email="jo@cps.example",
        organisation=cps,
        summary="The assault",
        urn="01AB1",
        may_download=True,
        days=30,
        by=person,
        case=case,
    )
    return {
        "username": person.username,
        "secret": signin.secret_of(person),
        "case": str(case.pk),
        "share": str(share.pk),
        "vkey": keys.own_vkey(),
    }
