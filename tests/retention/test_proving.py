"""Whether something is left of a deleted recording: each place where it could be is planted, and each is found."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.test import Client

from bluelamp.custody import queries as custody
from bluelamp.footage.models import Derivative, EvidenceFlag, Note, Recording, Reference
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict
from bluelamp.people.policy import Role
from bluelamp.retention import queries, services
from bluelamp.retention.models import Certificate, Hold, PolicyProposal, Shortening
from bluelamp.retention.services.proving import MAY_KEEP, prove_gone
from bluelamp.retention.terms import Terms
from bluelamp.vault import keyring
from bluelamp.vault.stores import get_store
from tests import factories

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
ACTOR = "person:9001"


@pytest.fixture
def officer():
    return factories.person(Role.OFFICER, unit=factories.unit())


@pytest.fixture
def gone(officer) -> Recording:
    """A recording that was held, flagged, noted, prepared, and swept."""
    from bluelamp.footage import services as footage

    recording = factories.recording(
        officer, sealed=True, due_rule="default", place="Oxford Street", waveform=[1, 2], track=[{"lat": "51"}]
    )
    get_store().put_stream(f"recordings/{recording.pk}/poster-1", [b"sealed"])
    Derivative.objects.create(
        recording=recording, kind="poster", object_name=f"recordings/{recording.pk}/poster-1", size=1, content_type="x"
    )
    footage.flag(recording, category=factories.category(keep_days=1), reason="A fight", by=officer)
    hold = services.place_hold(recording, Hold.Kind.COMPLAINT, "Mr Smith complains", "", ACTOR)
    services.release_hold(hold, "Settled with Mr Smith", "person:9002")
    clock.advance(60 * DAY)
    services.sweep()
    clock.advance(10 * DAY)
    services.sweep()
    recording.refresh_from_db()
    assert recording.state == Recording.State.DELETED
    return recording


def left(recording: Recording) -> tuple[str, ...]:
    return prove_gone(Recording.objects.get(pk=recording.pk), actor=ACTOR).left


def test_of_a_recording_that_was_swept_only_the_tombstone_is_found(gone):
    search = prove_gone(gone, actor=ACTOR)
    assert search.left == ()
    assert search.gone
    found = {each.place: each for each in search.looked}
    assert found["footage.Recording"].found == 1
    assert found["retention.Hold"].found == 1
    assert found["retention.Certificate"].kept == "The certificate"
    assert {"Search", "Keyring", "Store", "Staging"} <= found.keys()
    (said,) = custody.search(tag="recording.searched_for", subject=gone.custody_id)
    assert said.actor == ACTOR
    assert said.details["left"] == []
    assert {each["place"] for each in said.details["searched"]} == found.keys()
    assert "Smith" not in str(said.details)


def _note(recording):
    Note.objects.create(recording=recording, text="x", written_by=recording.wearer, written_at=clock.now())


def _reference(recording):
    Reference.objects.create(
        recording=recording, kind="cad", value="1", added_by=recording.wearer, added_at=clock.now()
    )


def _derivative(recording):
    Derivative.objects.create(recording=recording, kind="viewing", object_name="x/y", size=1, content_type="video/mp4")


def _field(**values):
    def plant(recording):
        Recording.objects.filter(pk=recording.pk).update(**values)

    return plant


def _reason(recording):
    Hold.objects.filter(recording=recording).update(reason="Mr Smith complains")


def _flag_reason(recording):
    EvidenceFlag.objects.filter(recording=recording).update(reason="A fight")


def _released_to(recording):
    recording.released_to.add(recording.wearer)


def _searchable(recording):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE footage_recording SET search = to_tsvector('smith') WHERE id = %s", [recording.pk])


def _master(recording):
    get_store().put_stream(recording.original, [b"sealed"])


def _elsewhere(recording):
    Recording.objects.filter(pk=recording.pk).update(original=f"axis/{recording.pk}")
    get_store().put_stream(f"axis/{recording.pk}", [b"sealed"])


def _derived(recording):
    get_store().put_stream(f"recordings/{recording.pk}/storyboard-3", [b"sealed"])


def _half_put(recording):
    folder: Path = settings.BLUELAMP.data / "store" / "recordings" / str(recording.pk)
    folder.mkdir(parents=True)
    (folder / ".tmp-0011").write_bytes(b"sealed")


def _staged(recording):
    folder = settings.BLUELAMP.staging / str(recording.pk)
    folder.mkdir(parents=True)
    (folder / "data").write_bytes(b"x")


@pytest.mark.parametrize(
    ("plant", "place", "says"),
    [
        (_note, "footage.Note", "nobody has said that it may stay"),
        (_reference, "footage.Reference", "nobody has said that it may stay"),
        (_derivative, "footage.Derivative", "nobody has said that it may stay"),
        (_released_to, "footage.Recording_released_to", "nobody has said that it may stay"),
        (_field(place="Oxford Street"), "footage.Recording", "place is not empty"),
        (_field(manifest={"serial": "x"}), "footage.Recording", "manifest is not empty"),
        (_field(waveform=[1]), "footage.Recording", "waveform is not empty"),
        (_field(filename="BL1-7.mp4"), "footage.Recording", "filename is not empty"),
        (_reason, "retention.Hold", "reason is not empty"),
        (_flag_reason, "footage.EvidenceFlag", "reason is not empty"),
        (_searchable, "Search", "found by its words"),
        (_master, "Store", "/original"),
        (_elsewhere, "Store", "axis/"),
        (_derived, "Store", "storyboard-3"),
        (_half_put, "Store", ".tmp-0011"),
        (_staged, "Staging", ""),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_whatever_is_left_is_found_and_named(gone, plant, place, says):
    plant(gone)
    try:
        found = [one for one in left(gone) if one.startswith(f"{place}: ")]
        assert found, left(gone)
        assert says in found[0]
    finally:
        _tidy(gone)


def _tidy(recording):
    import shutil

    for folder in (settings.BLUELAMP.staging, settings.BLUELAMP.data / "store" / "recordings"):
        shutil.rmtree(folder / str(recording.pk), ignore_errors=True)
    get_store().delete(f"axis/{recording.pk}")


def test_a_key_that_is_still_there_is_found(gone, monkeypatch):
    monkeypatch.setattr(keyring.SqliteKeyring, "has", lambda self, key_id: True)
    assert "Keyring: its key is there" in left(gone)


def test_a_keyring_that_never_erased_the_key_is_found(gone, monkeypatch):
    monkeypatch.setattr(keyring.SqliteKeyring, "erased_at", lambda self, key_id: None)
    assert any("does not say that its key was erased" in one for one in left(gone))


def test_every_table_that_refers_to_recordings_is_looked_at_though_nobody_listed_it(gone):
    referring = {
        model._meta.label
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.concrete_fields
        if field.is_relation and field.related_model is Recording
    }
    kept = {label for label in referring if label in MAY_KEEP}
    # What is not named there must have nothing of a deleted recording; what is named must exist.
    assert referring - kept <= {
        "footage.Derivative", "footage.Note", "footage.Reference", "footage.Recording_released_to", "oversight.Fixity",
    }  # fmt: skip
    for label, allowed in MAY_KEEP.items():
        columns = {field.name for field in apps.get_model(label)._meta.concrete_fields}
        assert allowed.columns <= columns, (label, allowed.columns - columns)


def test_a_recording_that_is_here_is_not_searched_for(officer):
    recording = factories.recording(officer, sealed=True)
    with pytest.raises(Conflict, match="not deleted yet"):
        prove_gone(recording, actor=ACTOR)


# --- the certificate's page


def client_of(*roles: Role) -> Client:
    client = Client()
    person = factories.person(*roles, unit=factories.unit())
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def test_whoever_reads_the_certificate_searches_and_sees_where_and_when(gone):
    certificate = Certificate.objects.get(recording=gone)
    url = f"/policy/deletions/{certificate.pk}/"
    client = client_of(Role.OFFICER)
    assert "Nobody has searched" in client.get(url).content.decode()
    answer = client.post(f"{url}search/", follow=True)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Nothing is left" in page
    assert "Keyring" in page
    assert "Staging" in page


def test_what_is_left_stands_on_the_page_in_red_and_tells_no_content(gone):
    _field(place="Oxford Street")(gone)
    certificate = Certificate.objects.get(recording=gone)
    page = client_of(Role.AUDITOR).post(f"/policy/deletions/{certificate.pk}/search/", follow=True).content.decode()
    assert "place is not empty" in page
    assert "Oxford Street" not in page


def test_searching_takes_a_sign_in_and_a_post(gone):
    url = f"/policy/deletions/{Certificate.objects.get(recording=gone).pk}/search/"
    assert Client().post(url).status_code in (302, 401, 403)
    assert client_of(Role.OFFICER).get(url).status_code == 405
    assert (
        client_of(Role.OFFICER).post("/policy/deletions/00000000-0000-0000-0000-000000000000/search/").status_code
        == 404
    )
    assert custody.search(tag="recording.searched_for") == []


def test_the_certificate_names_who_approved_as_a_second_person_that_it_went_earlier(officer):
    manager = factories.person(Role.BWV_MANAGER, name="Alex Moore")
    recording = factories.recording(officer, sealed=True, due_rule="default")
    now = clock.now()
    Shortening.objects.create(
        recording=recording,
        cause=Shortening.Cause.DATE,
        former_due_at=now + 90 * DAY,
        would_be_due_at=now,
        edited_by="person:9001",
        edited_at=now,
        state=Shortening.State.APPROVED,
        decided_by=manager.custody_id,
        decided_at=now,
        not_before=now + DAY,
    )
    clock.advance(100 * DAY)
    services.sweep()
    certificate = Certificate.objects.get(recording=recording)
    assert certificate.body["approved_by"] == manager.custody_id
    assert "Alex Moore" in client_of(Role.AUDITOR).get(f"/policy/deletions/{certificate.pk}/").content.decode()


def test_an_auditor_reaches_the_proof_in_the_ledger_from_the_certificate(gone):
    certificate = Certificate.objects.get(recording=gone)
    (erased,) = custody.search(tag="recording.erased", subject=gone.custody_id)
    page = client_of(Role.AUDITOR).get(f"/policy/deletions/{certificate.pk}/").content.decode()
    assert f"/audit/events/{erased.id}/proof/" in page
    assert "/proof/" not in client_of(Role.OFFICER).get(f"/policy/deletions/{certificate.pk}/").content.decode()


def test_a_waiting_proposal_or_an_edit_of_another_file_may_name_it_and_tells_nothing_of_it(gone, officer):
    other = factories.recording(officer)
    now = clock.now()
    Shortening.objects.create(
        recording=other,
        cause=Shortening.Cause.FLAG,
        source=f"evidence:{gone.pk}",
        before="Arrest (until somebody decides)",
        former_due_at=None,
        would_be_due_at=now,
        edited_at=now,
    )
    terms = replace(Terms.from_json(queries.latest_version().terms), default_days=20)
    proposal = services.propose_policy(terms, effective_at=now, reason="Less", actor="person:9001")
    drawn = {**proposal.dry_run, "drawn": [[str(gone.pk), None, now.isoformat()]]}
    PolicyProposal.objects.update(dry_run=drawn)
    assert services.prove_gone(gone, actor="person:9009").gone
    services.refuse_policy(proposal.pk, reason="No", actor="person:9002")
    proposal.refresh_from_db()
    assert proposal.dry_run is None
    PolicyProposal.objects.update(reason=f"Because of {gone.pk}")
    assert not services.prove_gone(gone, actor="person:9009").gone
