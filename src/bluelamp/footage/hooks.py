"""What rooms above footage may register, so that footage never imports them.

`arriving(recordings, met)`: in the transaction of acceptance, before the rows are written; retention sets `due_at`,
`due_rule` and `review_until` there. `met` are the ids of those of their incidents that had files before. Answers with
the events to record about each of them after its recording.collected, by the recording's id.
`accepted(recordings)`: in the transaction of acceptance, once the rows and their first events are written.
`facts_changed(recording)`: in the transaction of every change that may bear on how long a recording is kept; after a
flag, a release or a lock also for the other files of its incident.
`flag_replaced(recording, former)`: in the transaction that puts a new flag in place of the `former` one, before
`facts_changed`.
`flag_released(recording, flag)`: in the transaction that releases a flag, before `facts_changed`.
`category_changed(recording, former, by, reason)`: in the transaction that puts another category in place of the
`former` one (None: there was none), before `facts_changed`.
`deleted(recordings)`: in the transaction that closes their rows to tombstones; whoever wrote about the content clears
it, with the same few statements for a thousand of them.
`members(recording)`: the ids of people with a role in a case that the recording belongs to.
`recordings_of_member(person_id)`: the ids of recordings that a person may see through a role in a case.
`grants`: by the first part of a viewing's grant ("share" for "share:<uuid>"), a function that says whether the grant
still stands; asked again at every request for bytes. "person" is built in (see `footage.delivery`).
"""

from __future__ import annotations

from collections.abc import Callable

from bluelamp.footage.models import Viewing
from bluelamp.kernel.hooks import Hook

arriving = Hook("footage.arriving")
accepted = Hook("footage.accepted")
facts_changed = Hook("footage.facts_changed")
flag_replaced = Hook("footage.flag_replaced")
flag_released = Hook("footage.flag_released")
category_changed = Hook("footage.category_changed")
deleted = Hook("footage.deleted")
members = Hook("footage.members")
recordings_of_member = Hook("footage.recordings_of_member")

grants: dict[str, Callable[[Viewing], bool]] = {}
