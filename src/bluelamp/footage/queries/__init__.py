"""Reading footage."""

from bluelamp.footage.queries.deciding import Undecided, in_review, lately_by, undecided
from bluelamp.footage.queries.listing import Listing, arrived, page
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
    "Undecided",
    "Watched",
    "arrived",
    "categories",
    "in_review",
    "lately_by",
    "members",
    "open_viewing",
    "page",
    "parts",
    "recording",
    "recordings_of_member",
    "standing_flag",
    "thing",
    "things",
    "undecided",
    "watched",
]
