"""The ledger: who did what to which footage, when and why, in the same transaction as the change itself.

Rooms define their events in `<room>/events.py` and record them with `custody.record(event)` inside a service.
"""

from bluelamp.custody.event import Event, Operation, event_type, registered_types
from bluelamp.custody.recording import CustodyRecord, record, record_all
from bluelamp.custody.service import ServiceWithoutEvent, nothing_changed, service, unrecorded

__all__ = [
    "CustodyRecord",
    "Event",
    "Operation",
    "ServiceWithoutEvent",
    "event_type",
    "nothing_changed",
    "record",
    "record_all",
    "registered_types",
    "service",
    "unrecorded",
]
