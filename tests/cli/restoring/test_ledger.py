"""After a restore the ledger goes on under a new name, and says what it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bluelamp.custody import keys, restoring, sequencer
from bluelamp.custody import queries as custody
from bluelamp.custody.verification import verify_ledger
from bluelamp.formats.errors import FormatError
from bluelamp.formats.log_proof import verify_checkpoint
from bluelamp.formats.signed_note import VerifierKey, sign_note, verify_note
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Invalid
from bluelamp.oversight.services.restoring import Reconciled
from tests.cli.restoring.story import Story, Urls, restore


def test_the_ledger_goes_on_under_a_new_name_and_cites_what_was_shown_of_the_old_one(
    story: Story, restored: Any
) -> None:
    sequencer.drain()
    latest = custody.latest_checkpoint()
    assert latest is not None
    own, former = VerifierKey.parse(keys.own_vkey()), VerifierKey.parse(keys.log_vkeys()[0])
    assert former.name == keys.log_origin()
    assert own.name == restored.origin != former.name
    assert verify_checkpoint(latest.note, own).size == latest.size
    with pytest.raises(FormatError, match=r"is of the log .*/restored-.*, not of"):
        verify_checkpoint(latest.note, former)
    (said,) = custody.search(tag="ledger.restored")
    shown = verify_checkpoint(story.former_note, former)
    assert (said.details["kept"], said.details["shown"]) == (story.manifest.ledger_size, shown.size)
    assert said.details["note"] == story.former_note
    assert shown.size > story.manifest.ledger_size
    report, _ = verify_ledger()
    assert report.good, report.problems
    # Whoever remembers a checkpoint up to the backup finds the same events; of a later one, that they are not there.
    report, _ = verify_ledger(kept_note=story.manifest.checkpoint)
    assert report.good, report.problems
    report, _ = verify_ledger(kept_note=story.former_note)
    assert not report.good


def test_restoring_the_same_backup_twice_never_gives_the_log_the_same_name(story: Story, restored: Any) -> None:
    again = restoring.begin_anew(taken_at=clock.now(), reason="Again", actor="system:operator")
    assert again != restored.origin


def test_a_note_that_this_log_never_signed_is_refused(story: Story, restored: Any) -> None:
    forged = story.former_note.replace(keys.log_origin(), "bluelamp/other")
    assert not restoring.is_later(forged)
    with pytest.raises(Invalid, match="cannot be trusted"):
        restoring.begin_anew(taken_at=clock.now(), reason="x", actor="system:operator", note=forged)


def test_a_second_restore_names_the_first_restored_log_and_cites_the_last_that_it_showed(
    story: Story, restored: Reconciled, new_database: Callable[[], Urls]
) -> None:
    sequencer.drain()
    latest = custody.latest_checkpoint()
    assert latest is not None
    first = VerifierKey.parse(keys.own_vkey())
    again = restore(story, new_database(), note=latest.note)
    (said,) = custody.search(tag="ledger.restored")
    assert said.details["note"] == latest.note
    assert said.details["former"] == restored.origin == first.name != again.origin
    assert said.details["shown"] == verify_checkpoint(latest.note, first).size == latest.size
    # A name of that kind is no proof of anything: the key is.
    forged = sign_note(verify_note(latest.note, first), first.name, Ed25519PrivateKey.generate())
    assert not restoring.is_later(forged)
