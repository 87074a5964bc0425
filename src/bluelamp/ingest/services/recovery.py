"""What a crash, a full disk or an absent camera left behind is settled or cleared away."""

from __future__ import annotations

import structlog
from django.db.models import Q
from procrastinate.contrib.django import app

from bluelamp import custody
from bluelamp.fleet.models import Camera
from bluelamp.ingest import staging
from bluelamp.ingest.models import Upload
from bluelamp.ingest.services.acceptance import accept_upload
from bluelamp.ingest.services.joining import join
from bluelamp.ingest.services.uploads import abandon, clear
from bluelamp.kernel import clock
from bluelamp.vault.errors import StoreUnavailable
from bluelamp.vault.stores import LocalStore, get_store

log = structlog.get_logger()

_TEMPORARY_SECONDS = 3600.0


@custody.unrecorded("each upload that it settles records its own event")
def recover(camera: Camera | None = None) -> int:
    """Settle every complete upload, of one camera or of all, and clear what ended ones left. Returns how many.

    Uploads that somebody is writing are left to them. One that cannot be settled now (the disk is full, say) stays for
    the next time and stops no other; a store that does not answer ends the run. Of one camera nothing is joined: that
    takes long, and has a job of its own.
    """
    uploads = Upload.objects.filter(Q(state__in=Upload.LIVE) | Q(cleared=False))
    if camera is not None:
        uploads = uploads.filter(camera=camera)
    settled = 0
    for upload in uploads.order_by("created_at"):
        joining = upload.concat == Upload.Concat.FINAL
        if upload.is_live and (upload.is_part or (joining and camera is not None)):
            continue
        if upload.state == Upload.State.RECEIVING and not joining and not _looks_complete(upload):
            continue
        try:
            settled += not (join if joining else accept_upload)(upload.pk).is_live
        except StoreUnavailable:
            log.warning("upload.unsettled", upload=str(upload.pk), exc_info=True)
            break  # the others would wait for it in vain as well
        except Exception:  # whatever it is, it must not stop the others
            log.exception("upload.unsettled", upload=str(upload.pk))
    if camera is None:
        _remove_strangers()
        _sweep_store()
    return settled


@custody.unrecorded("each upload that it settles records its own event")
def recover_docked(camera: Camera) -> None:
    """`recover` a camera that is being docked: at once where that is quick, else soon: no dock waits for a store."""
    if isinstance(get_store(), LocalStore):
        recover(camera)
    else:
        app.configure_task("ingest.recover_camera").defer(camera_id=camera.pk)


@custody.unrecorded("each upload that it gives up records upload.abandoned")
def expire() -> int:
    """Give up uploads that have waited too long for more bytes. Returns how many."""
    expired = 0
    late = Upload.objects.filter(state=Upload.State.RECEIVING, expires_at__lt=clock.now())
    for upload_id in late.values_list("pk", flat=True):
        lease = staging.Lease.acquire(staging.folder_of(upload_id))
        if lease is None:
            continue
        with lease:
            upload = Upload.objects.get(pk=upload_id)
            if upload.expires_at >= clock.now():  # bytes came meanwhile
                continue
            if _looks_complete(upload) and not upload.is_part:
                accept_upload(upload_id, lease)
                continue
            if abandon(upload_id, actor="system:intake", reason="No more bytes came before it expired."):
                clear(upload_id, lease)
                expired += 1
    return expired


def _looks_complete(upload: Upload) -> bool:
    return staging.acknowledged_offset(staging.folder_of(upload.pk)) == upload.length


def _remove_strangers() -> None:
    """Remove folders in staging that no open upload names."""
    folders = dict(staging.all_folders())
    known = set(Upload.objects.filter(pk__in=folders, cleared=False).values_list("pk", flat=True))
    for upload_id, path in folders.items():
        if upload_id in known:
            continue
        lease = staging.Lease.acquire(path)
        if lease is not None:
            with lease:
                lease.remove_folder()


def _sweep_store() -> None:
    """Remove what interrupted puts left in the store, once none can still be under way."""
    try:
        get_store().sweep_temporary(_TEMPORARY_SECONDS)
    except Exception:  # a store that does not answer must not keep the worker from starting
        log.exception("store.unswept")
