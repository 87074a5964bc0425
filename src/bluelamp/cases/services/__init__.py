"""The verbs of cases. `casework` holds those of the case itself, `subjects` those of the persons whom it is about."""

from bluelamp.cases.services.casework import (
    add_member,
    add_recording,
    close_case,
    forget_content,
    open_case,
    remove_member,
)
from bluelamp.cases.services.subjects import add_subject, log_consultation, record_known, review_group

__all__ = [
    "add_member",
    "add_recording",
    "add_subject",
    "close_case",
    "forget_content",
    "log_consultation",
    "open_case",
    "record_known",
    "remove_member",
    "review_group",
]
