"""One event proven in three steps; where it breaks when somebody changed something; who may see and take the proof."""

from __future__ import annotations

import dataclasses
import json

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings as django_settings
from django.test import Client
from psycopg.conninfo import make_conninfo

from bluelamp import custody
from bluelamp.cases import services as cases
from bluelamp.custody import keys, proving, sequencer
from bluelamp.custody import queries as custody_queries
from bluelamp.custody.models import CustodyCosignature
from bluelamp.formats import checkpoint as checkpoints
from bluelamp.formats import signed_note
from bluelamp.formats.add_checkpoint import WitnessAddress
from bluelamp.formats.cosignature import WitnessKey, cosign
from bluelamp.formats.disclosure import DisclosedEvent
from bluelamp.formats.log_proof import LogProof
from bluelamp.formats.signed_note import VerifierKey
from bluelamp.kernel import clock
from bluelamp.kernel.transaction import atomic
from bluelamp.oversight import proofs
from bluelamp.people.events import SignedIn
from bluelamp.people.policy import Role
from tests import factories, signin
from tests.oversight import story


def events(count):
    with atomic():
        return custody.record_all(
            [
                SignedIn(actor=f"person:{number}", subject=f"person:{number}", address="::1", second_factor=True)
                for number in range(count)
            ]
        )


@pytest.fixture
def wearer(db):
    return factories.person(Role.OFFICER, unit=factories.unit(), name="Olu Bright")


@pytest.fixture
def watched(wearer):
    """A recording, and the event of a colleague's opening it with a reason."""
    recording = factories.recording(wearer)
    colleague = factories.person(Role.SUPERVISOR, unit=wearer.unit)
    story.opened(recording, colleague, reason="Complaint 17/26")
    sequencer.drain()
    (item,) = custody_queries.search(tag="recording.viewed")
    return recording, item


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 9, 256, 300])
def test_every_event_of_a_tree_of_any_size_is_proven_in_three_steps(count):
    made = events(count)
    sequencer.drain()
    for record in {made[0].id: made[0], made[-1].id: made[-1], made[count // 2].id: made[count // 2]}.values():
        found = proofs.steps(record.id)
        assert found.good
        assert (found.says_good, found.path_good, found.signed_good, found.breaks_at) == (True, True, True, None)
        assert found.levels[-1].hash == found.root
        assert len(found.levels) == len(found.proof.path) + 1
        assert not any(level.wrong for level in found.levels)


@pytest.fixture
def changed(committed_db, postgres):
    """A function that changes what nobody may, as somebody with full power over the database."""
    url = make_conninfo(postgres.url("admin"), dbname=psycopg.conninfo.conninfo_to_dict(committed_db)["dbname"])

    def run(sql, *values):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute(sql, values)

    return run


def test_what_an_event_says_was_changed_and_it_breaks_at_the_first_step(changed):
    made = events(9)
    sequencer.drain()
    changed("UPDATE custody_detail SET stored = set_byte(stored, 20, 7) WHERE event_id = %s", made[4].id)
    found = proofs.steps(made[4].id)
    assert found.breaks_at == 1
    assert not found.good
    assert found.verdict
    assert proofs.steps(made[5].id).good, "the others still hold"


def test_an_event_and_its_fingerprint_were_changed_together_and_it_breaks_on_the_way_to_the_root(changed):
    made = events(9)
    sequencer.drain()
    changed(
        "UPDATE custody_detail SET stored = o.stored FROM custody_detail o "
        "WHERE o.event_id = %s AND custody_detail.event_id = %s",
        made[2].id,
        made[4].id,
    )
    changed(
        "UPDATE custody_event SET entry = (SELECT entry FROM custody_event WHERE id = %s) WHERE id = %s",
        made[2].id,
        made[4].id,
    )
    found = proofs.steps(made[4].id)
    assert (found.says_good, found.path_good, found.breaks_at) == (True, False, 2)


def test_a_wrong_hash_beside_the_path_is_named_with_the_leaves_that_it_stands_for(changed):
    made = events(600)
    sequencer.drain()
    changed("UPDATE custody_tile SET root = sha256('x'), hashes = sha256('x') || substr(hashes, 33) WHERE index = 0")
    found = proofs.steps(made[400].id)
    assert found.breaks_at == 2
    (wrong,) = [level for level in found.levels if level.wrong]
    assert (wrong.first, wrong.last) == (0, 255)


def test_a_checkpoint_that_was_not_signed_by_the_log_breaks_the_third_step(changed):
    made = events(3)
    sequencer.drain()
    under = proving.latest()
    other = Ed25519PrivateKey.generate()
    text = checkpoints.Checkpoint(keys.log_origin(), under.size, bytes(under.root)).text()
    changed("UPDATE custody_checkpoint SET note = %s", signed_note.sign_note(text, keys.log_origin(), other))
    found = proofs.steps(made[1].id)
    assert (found.says_good, found.path_good, found.signed_good, found.breaks_at) == (True, True, False, 3)
    assert not found.log.good


@pytest.fixture
def witness(db, settings):
    """A configured witness, and a function that keeps its cosignature of `text`, of the latest checkpoint's if none."""
    key = Ed25519PrivateKey.generate()
    known = WitnessKey("witness.example/mopac", key.public_key())
    address = WitnessAddress("http://127.0.0.1:9", known)
    settings.BLUELAMP = dataclasses.replace(django_settings.BLUELAMP, witnesses=(address,))

    def cosigns(text=""):
        under = proving.latest()
        text = text or checkpoints.Checkpoint(keys.log_origin(), under.size, bytes(under.root)).text()
        line = cosign(text, known.name, key, 1_780_000_000)
        CustodyCosignature(size=under.size, witness=str(known), line=line, at=clock.now()).save(force_insert=True)

    return known, cosigns


def test_witnesses_are_shown_with_the_time_of_their_own_clock(witness, settings):
    known, cosigns = witness
    made = events(3)
    sequencer.drain()
    assert proofs.steps(made[0].id).witnesses == ()
    cosigns()
    found = proofs.steps(made[0].id)
    (one,) = found.witnesses
    assert (one.name, one.good, int(one.at.timestamp())) == (known.name, True, 1_780_000_000)
    assert found.good
    stranger = WitnessAddress("http://127.0.0.1:9", WitnessKey(known.name, Ed25519PrivateKey.generate().public_key()))
    settings.BLUELAMP = dataclasses.replace(settings.BLUELAMP, witnesses=(stranger,))
    assert proofs.steps(made[0].id).witnesses == (), "a key that nobody configured is no witness"


def test_a_cosignature_of_another_checkpoint_breaks_the_third_step(witness):
    _, cosigns = witness
    made = events(3)
    sequencer.drain()
    cosigns(checkpoints.Checkpoint(keys.log_origin(), 2, b"x" * 32).text())
    found = proofs.steps(made[0].id)
    (one,) = found.witnesses
    assert not one.good
    assert (found.says_good, found.path_good, found.breaks_at) == (True, True, 3)


@pytest.mark.django_db
def test_the_page_shows_three_steps_and_a_picture_and_reading_it_is_recorded(as_auditor, auditor, watched):
    _, item = watched
    page = as_auditor.get(f"/audit/events/{item.id}/proof/").content.decode()
    assert page.count("Holds") == 3
    assert "Evidence of tampering" not in page
    assert '<svg role="img" aria-labelledby="path-title path-desc"' in page
    found = proofs.steps(item.id)
    for level in found.levels:
        assert level.hash.hex() in page
    (said,) = custody_queries.search(tag="ledger.consulted", limit=1)
    assert (said.actor, said.details["page"]) == (auditor.custody_id, "proof")


def test_the_page_says_at_which_step_a_changed_event_breaks(changed):
    client = Client()
    signin.quickly(client, factories.person(Role.AUDITOR))
    made = events(5)
    sequencer.drain()
    changed("UPDATE custody_detail SET stored = set_byte(stored, 20, 7) WHERE event_id = %s", made[2].id)
    page = client.get(f"/audit/events/{made[2].id}/proof/").content.decode()
    assert "It breaks at step 1" in page
    assert "what the event says was changed after it was written" in page
    changed("UPDATE custody_detail SET stored = 'nonsense' WHERE event_id = %s", made[3].id)
    page = client.get(f"/audit/events/{made[3].id}/proof/").content.decode()
    assert "It breaks at step 1" in page
    assert "cannot be read" in page
    assert client.get(f"/audit/events/{made[3].id}/event.json").status_code == 404


@pytest.mark.django_db
def test_an_event_that_no_checkpoint_covers_yet_is_told_to_wait(as_auditor):
    (record,) = events(1)
    page = as_auditor.get(f"/audit/events/{record.id}/proof/").content.decode()
    assert "Try again in a moment" in page
    assert as_auditor.get(f"/audit/events/{record.id}/event.tlog-proof").status_code == 404
    assert as_auditor.get("/audit/events/999999999/proof/").status_code == 404


@pytest.mark.django_db
def test_the_two_files_prove_the_event_to_anybody_and_taking_them_is_recorded(as_auditor, auditor, watched):
    recording, item = watched
    event = as_auditor.get(f"/audit/events/{item.id}/event.json")
    proof = as_auditor.get(f"/audit/events/{item.id}/event.tlog-proof")
    disclosed = DisclosedEvent.parse(json.loads(event.content))
    assert disclosed.fields["reason"] == "Complaint 17/26"
    LogProof.parse(proof.content.decode()).verify(disclosed.entry(), VerifierKey.parse(keys.own_vkey()))
    taken = custody_queries.search(tag="ledger.proof_taken")
    assert {(one.actor, one.subject, one.details["what"]) for one in taken} == {
        (auditor.custody_id, recording.custody_id, "event"),
        (auditor.custody_id, recording.custody_id, "proof"),
    }


PAGES = ("proof/", "event.json", "event.tlog-proof")


def statuses(client, item):
    return {client.get(f"/audit/events/{item.id}/{page}").status_code for page in PAGES}


@pytest.mark.django_db
def test_who_reads_the_history_of_the_recording_may_prove_its_events(watched, signed_in):
    _, item = watched
    for role in (Role.INVESTIGATOR, Role.BWV_MANAGER, Role.RIGHTS_OFFICER, Role.PROFESSIONAL_STANDARDS, Role.AUDITOR):
        assert statuses(signed_in(factories.person(role)), item) == {200}, role


@pytest.mark.django_db
def test_the_wearer_a_case_member_and_a_supervisor_do_not_learn_others_reasons_through_a_proof(
    watched, wearer, signed_in
):
    recording, item = watched
    supervisor = factories.person(Role.SUPERVISOR, unit=wearer.unit)
    member = factories.person(Role.OFFICER, unit=factories.unit())
    case = cases.open_case("Lantern", opened_by=factories.person(Role.INVESTIGATOR), urn="")
    cases.add_recording(case, recording, actor=case.opened_by, reason="Shows it")
    cases.add_member(case, member, role="investigator", actor=case.opened_by)
    for person in (wearer, supervisor, member):
        client = signed_in(person)
        before = custody_queries.count("access.refused")
        assert statuses(client, item) == {403}, person.roles
        assert custody_queries.count("access.refused") == before + len(PAGES)
    assert custody_queries.count("ledger.proof_taken") == 0


@pytest.mark.django_db
def test_whoever_did_it_may_prove_it(watched, wearer, signed_in):
    recording, _ = watched
    story.opened(recording, wearer)
    sequencer.drain()
    (own,) = [item for item in custody_queries.search(tag="recording.viewed") if item.actor == wearer.custody_id]
    assert statuses(signed_in(wearer), own) == {200}


@pytest.mark.django_db
def test_nobody_proves_what_is_about_no_recording_without_auditing(signed_in):
    (record,) = events(1)
    sequencer.drain()
    for role in (Role.OFFICER, Role.INVESTIGATOR, Role.BWV_MANAGER, Role.OPERATOR):
        assert signed_in(factories.person(role)).get(f"/audit/events/{record.id}/proof/").status_code == 403
    assert Client().get(f"/audit/events/{record.id}/proof/").status_code == 302


@pytest.mark.django_db
def test_an_officer_is_told_the_same_of_an_event_that_exists_and_of_one_that_does_not(signed_in, watched):
    _, item = watched
    client = signed_in(factories.person(Role.OFFICER))
    assert client.get(f"/audit/events/{item.id}/proof/").status_code == 403
    assert client.get("/audit/events/999999999/proof/").status_code == 403
