"""Whether a package's bytes may leave, asked anew at each request and again while a long answer is on its way."""

from __future__ import annotations

from dataclasses import dataclass
from hmac import compare_digest
from uuid import UUID

from django.urls import reverse

from bluelamp.footage.delivery import is_live
from bluelamp.footage.services.viewing import session_hash
from bluelamp.kernel import clock
from bluelamp.kernel.errors import NotAllowed, NotFound
from bluelamp.people import access
from bluelamp.people.sessions import person_of_session
from bluelamp.sharing.packages import queries, services
from bluelamp.sharing.packages.archive import Archive
from bluelamp.sharing.packages.models import Package, PackageDownload
from bluelamp.sharing.packages.rules import Standing

_NEXT = "Open the package's page and download it from there."


@dataclass(frozen=True)
class Delivery:
    """A download that may go on, and what it sends."""

    download: PackageDownload
    archive: Archive
    filename: str


def deliver(download_id: UUID, session_key: str | None) -> Delivery:
    """What a download sends. Raises NotFound, and NotAllowed, which is recorded."""
    download = check(download_id, session_key)
    return Delivery(download, queries.archive(download.package), queries.file_name(download.package))


def check(download_id: UUID, session_key: str | None) -> PackageDownload:
    """The download, if its bytes may leave to this session now.

    Raises NotFound for an unknown id, else NotAllowed, which is recorded: another session's download, one whose time is
    over, a package that was withdrawn or whose share or footage does not stand, a person who may not share it any more.
    """
    found = PackageDownload.objects.select_related("package__case", "package__share__recording").filter(pk=download_id)
    download = found.first()
    if download is None:
        raise NotFound("There is no such download.", "Nothing left.", _NEXT)
    if not is_live(session_key) or not compare_digest(session_hash(session_key or ""), download.session_sha256):
        raise _refused(download, "public", "It was opened in another sign-in.")
    if download.expires_at <= clock.real_now():
        raise _refused(download, download.who, "The time for which it was opened is over.")
    where = queries.standing(download.package)
    if where is not Standing.READY:
        raise _refused(download, download.who, services.ended_words(where)[0])
    if download.who.startswith("person:") and (why := _person_may_not(download, session_key)):
        raise _refused(download, download.who, why)
    return download


def page_of(download_id: UUID) -> str:
    """The address of the page of the package that a download is of; empty where there is none."""
    package = Package.objects.filter(downloads=download_id).first()
    if package is None:
        return ""
    if package.share_id:
        return reverse("share:package", args=[package.share_id])
    return reverse("packages:package", args=[package.pk])


def _person_may_not(download: PackageDownload, session_key: str | None) -> str:
    person = person_of_session(session_key) if session_key else None
    if person is None or person.custody_id != download.who:
        return "It was opened by somebody else."
    return queries.why_not(access.actor(person), download.package)


def _refused(download: PackageDownload, actor: str, why: str) -> NotAllowed:
    services.record_refusal(download.package, actor=actor, why=why)
    return NotAllowed(why, "Nothing more of the package leaves. The attempt was logged.", _NEXT)
