"""The verbs of packages."""

from bluelamp.sharing.packages.services.handing import (
    ended_words,
    forget_content,
    must_stand,
    open_download,
    record_refusal,
    record_served,
    remove_papers,
    withdraw,
)
from bluelamp.sharing.packages.services.making import finish, make, make_of_share

__all__ = [
    "ended_words",
    "finish",
    "forget_content",
    "make",
    "make_of_share",
    "must_stand",
    "open_download",
    "record_refusal",
    "record_served",
    "remove_papers",
    "withdraw",
]
