"""Reading footage."""

from bluelamp.footage.queries.listing import Listing, page
from bluelamp.footage.queries.one import (
    categories,
    members,
    parts,
    recording,
    recordings_of_member,
    standing_flag,
    thing,
    things,
)
from bluelamp.footage.queries.watching import Watched, open_viewing, watched

__all__ = [
    "Listing",
    "Watched",
    "categories",
    "members",
    "open_viewing",
    "page",
    "parts",
    "recording",
    "recordings_of_member",
    "standing_flag",
    "thing",
    "things",
    "watched",
]
