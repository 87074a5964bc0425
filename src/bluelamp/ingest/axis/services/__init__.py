"""The verbs of the Axis content destination. Each module below holds those of one matter."""

from bluelamp.ingest.axis.services.alerts import raise_alert, settle_alert
from bluelamp.ingest.axis.services.announced import announce_device, announce_system, announce_user, link_user
from bluelamp.ingest.axis.services.connections import issue, revoke, seen
from bluelamp.ingest.axis.services.containers import post_container, put_container
from bluelamp.ingest.axis.services.objects import (
    claim_clip,
    compare,
    note_md5,
    post_object,
    put_announcement,
    put_side,
)
from bluelamp.ingest.axis.services.refusals import refuse_credentials, refuse_device, refuse_user
from bluelamp.ingest.axis.services.rejected import decide_rejected
from bluelamp.ingest.axis.services.settling import settle, settle_waiting
from bluelamp.ingest.axis.services.tidying import tidy
from bluelamp.ingest.axis.services.unwrapping import unwrap, unwrap_waiting

__all__ = [
    "announce_device",
    "announce_system",
    "announce_user",
    "claim_clip",
    "compare",
    "decide_rejected",
    "issue",
    "link_user",
    "note_md5",
    "post_container",
    "post_object",
    "put_announcement",
    "put_container",
    "put_side",
    "raise_alert",
    "refuse_credentials",
    "refuse_device",
    "refuse_user",
    "revoke",
    "seen",
    "settle",
    "settle_alert",
    "settle_waiting",
    "tidy",
    "unwrap",
    "unwrap_waiting",
]
