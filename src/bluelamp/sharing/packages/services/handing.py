"""Packages handed out: each download opened with who and why, what left counted; and packages withdrawn."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.db.models import F
from procrastinate.contrib.django import app

from bluelamp import custody
from bluelamp.footage.models import Recording
from bluelamp.footage.services.viewing import session_hash
from bluelamp.kernel import clock
from bluelamp.kernel.among import among
from bluelamp.kernel.errors import Conflict, Invalid, NotAllowed
from bluelamp.people.models import Person
from bluelamp.sharing.packages import events, queries
from bluelamp.sharing.packages.models import Package, PackageDownload, PackageItem
from bluelamp.sharing.packages.rules import Standing
from bluelamp.sharing.packages.services.making import subjects
from bluelamp.vault import objects

_HOURS = 8
_LONGEST_REASON = 500

_WORDS = {
    Standing.MAKING: ("This package is not ready yet.", "It is being made.", "Look again in a moment."),
    Standing.FAILED: ("This package could not be made.", "Nothing was handed out.", "Make another one."),
    Standing.WITHDRAWN: ("This package was withdrawn.", "It is handed out no more.", ""),
    Standing.ENDED: ("The share that this package belongs to has ended.", "It is handed out no more.", ""),
    Standing.GONE: ("Footage in this package is not available at the moment.", "It is not handed out.", ""),
    Standing.DELETED: ("Footage in this package was deleted.", "The package went with it.", ""),
}


@custody.service
def open_download(package: Package, *, who: str, who_name: str, reason: str, session_key: str) -> PackageDownload:
    """Open one download of a package to `who` (a custody id), before its first byte leaves, for a day's work.

    Whether `who` may have it is the caller's to ask. Raises Invalid without a reason or a session, NotAllowed where the
    package does not stand.
    """
    if not reason.strip():
        raise Invalid("Say why you download the package.", "Nothing left.")
    if not session_key:
        raise Invalid("Your sign-in has ended.", "Nothing left.", "Sign in again.")
    must_stand(package)
    download = PackageDownload.objects.create(
        package=package,
        who=who,
        who_name=who_name,
        reason=reason.strip()[:_LONGEST_REASON],
        session_sha256=session_hash(session_key),
        opened_at=clock.now(),
        expires_at=clock.real_now() + timedelta(hours=_HOURS),
    )
    custody.record(
        events.PackageDownloaded(
            actor=who,
            subject=package.custody_id,
            also=subjects(package),
            reason=download.reason,
            download=download.pk,
            who_name=who_name,
            recipient=package.recipient,
            bytes=package.size or 0,
        )
    )
    return download


@custody.service
def record_served(download: PackageDownload, first: int, last: int, size: int) -> None:
    """Bytes `first` to `last` of `size` have left for a download; the recordings' histories tell of the download."""
    PackageDownload.objects.filter(pk=download.pk).update(bytes_sent=F("bytes_sent") + last - first + 1)
    custody.record(
        events.PackageBytesServed(
            actor=download.who,
            subject=download.package.custody_id,
            download=download.pk,
            first_byte=first,
            last_byte=last,
            size=size,
        )
    )


@custody.service
def withdraw(package: Package, *, by: Person, reason: str) -> None:
    """End a package: not one more byte of it leaves. Raises Invalid without a reason, Conflict where it has ended."""
    if not reason.strip():
        raise Invalid("Say why the package is withdrawn.", "It still stands.")
    changed = Package.objects.filter(pk=package.pk, withdrawn_at=None).update(
        withdrawn_at=clock.now(), withdrawn_by=by, withdraw_reason=reason.strip()
    )
    if not changed:
        raise Conflict("This package has been withdrawn already.", "Nothing was changed.")
    package.refresh_from_db()
    custody.record(
        events.PackageWithdrawn(
            actor=by.custody_id, subject=package.custody_id, also=subjects(package), reason=reason.strip()
        )
    )


@custody.service
def record_refusal(package: Package, *, actor: str, why: str) -> None:
    """That somebody was refused a package."""
    custody.record(
        events.PackageRefused(actor=actor, subject=package.custody_id, also=subjects(package), why=why[:500])
    )


@custody.unrecorded("asks, changes nothing")
def must_stand(package: Package) -> None:
    """Raises NotAllowed, in words, for a package that cannot be had now."""
    where = queries.standing(package)
    if where is not Standing.READY:
        raise NotAllowed(*_WORDS[where])


@custody.unrecorded("words only")
def ended_words(where: Standing) -> tuple[str, str, str]:
    """What is told of a package that does not stand."""
    return _WORDS[where]


@custody.unrecorded("part of a recording's deletion, which is recorded")
def forget_content(recordings: Sequence[Recording]) -> None:
    """Clear what packages held and said of recordings that are being deleted; that they were handed out stays known."""
    items = PackageItem.objects.filter(recording__in=among(recording.pk for recording in recordings))
    touched = Package.objects.filter(pk__in=list(items.values_list("package", flat=True)))
    for name in touched.exclude(papers="").values_list("papers", flat=True):
        # It may lie with another recording, whose key stays.
        app.configure_task("packages.remove_papers").defer(name=name)
    ids = list(touched.values_list("pk", flat=True))
    PackageItem.objects.filter(package__in=ids).update(exhibit="", file="", crc32=None)
    Package.objects.filter(pk__in=ids).update(papers="", layout=[], seal="", withdraw_reason="", failure="")


@custody.unrecorded("part of a recording's deletion, which is recorded")
def remove_papers(name: str) -> None:
    """Remove a deleted package's papers from the store."""
    objects.delete(name)
