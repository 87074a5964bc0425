"""Footage that is gone from the store: named exactly, tracked until it is back, and never written off by one person."""

from __future__ import annotations

import csv
import io
import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import IntegrityError
from django.test import Client

from bluelamp.cases import services as cases
from bluelamp.custody import keys
from bluelamp.custody import queries as custody
from bluelamp.footage.models import Derivative, Recording
from bluelamp.formats import canonical
from bluelamp.formats.ed25519 import SIGNATURE_SIZE, decode_base64, signature_is_good
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict, Invalid, NotAllowed
from bluelamp.oversight import services
from bluelamp.oversight.models import CheckRun, Finding, Loss
from bluelamp.oversight.queries import checks, losses
from bluelamp.oversight.services.losses import accept, propose_acceptance, take_list
from bluelamp.oversight.services.recovering import recover
from bluelamp.people.policy import Role
from bluelamp.retention import services as retention
from bluelamp.retention.models import Certificate
from bluelamp.vault import objects
from bluelamp.vault.keyring import get_keyring
from bluelamp.vault.stores import get_store
from tests import factories

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
CONTENT = b"what the camera saw " * 50


@pytest.fixture
def wearer():
    return factories.person(Role.OFFICER, unit=factories.unit())


def kept(wearer, content=CONTENT, days=5, **more) -> Recording:
    received = clock.now() - timedelta(days=days)
    return factories.recording(wearer, content=content, sealed=True, started_at=received, received_at=received, **more)


def stored(name: str) -> Path:
    return settings.BLUELAMP.data / "store" / name


def lose(recording: Recording) -> None:
    """As a third party does: behind our back."""
    stored(recording.original).unlink()


def states() -> dict:
    return {loss.recording_id: loss.state for loss in Loss.objects.all()}


def test_a_loss_says_until_when_all_was_well_and_what_it_touches(wearer):
    good, bad = kept(wearer), kept(wearer)
    case = cases.open_case("Lantern", opened_by=factories.person(Role.INVESTIGATOR), urn="01AB1")
    cases.add_recording(case, bad, actor=case.opened_by, reason="Shows it")
    services.check_presence()
    seen = CheckRun.objects.get().started_at
    clock.advance(DAY)
    lose(bad)
    services.check_presence()
    assert states() == {bad.pk: Loss.State.LOST}
    (line,) = losses.listing(None)
    assert line.loss.good_until == seen
    assert line.depends.cases == (f"case:{case.pk}",)
    assert line.files == (f"{bad.original}: not in the store",)
    (event,) = custody.search(tag="loss.found")
    assert event.subject == bad.custody_id
    assert f"case:{case.pk}" in event.also
    assert good.pk not in states()


def test_a_check_that_finds_the_same_again_opens_no_second_loss(wearer):
    bad = kept(wearer)
    lose(bad)
    services.check_presence()
    services.check_presence()
    services.check_fixity(everything=True, pause=lambda _: None)
    assert Loss.objects.count() == 1
    assert custody.count("loss.found") == 1


def test_a_key_that_is_missing_is_a_loss_and_one_that_should_be_gone_is_not(wearer):
    bad = kept(wearer)
    other = factories.recording(wearer)  # never had a key, nor an object
    services.check_keys()
    assert states() == {other.pk: Loss.State.LOST}
    assert bad.pk not in states()


def copied(tmp_path: Path, *recordings: Recording) -> Path:
    """A copy of the store's files under other names."""
    folder = tmp_path / "copy"
    folder.mkdir()
    for number, recording in enumerate(recordings):
        shutil.copy(stored(recording.original), folder / f"{number}.bin")
    return folder


def test_a_sealed_copy_under_any_name_brings_it_back(wearer, tmp_path):
    bad, other = kept(wearer), kept(wearer, content=b"x" * 1000)
    folder = copied(tmp_path, other, bad)
    lose(bad)
    lose(other)
    services.check_presence()
    done = recover(folder)
    assert (done.looked_at, done.put_back, done.left) == (2, 2, 0)
    assert sorted(done.recovered) == sorted([bad.pk, other.pk])
    assert objects.SealedReader(bad.original, bad.key_id).read(0, 10_000) == CONTENT
    assert states() == {bad.pk: Loss.State.RECOVERED, other.pk: Loss.State.RECOVERED}
    assert not Finding.objects.filter(ended_at=None).exists()
    assert {item.details["source"] for item in custody.search(tag="loss.recovered")} == {str(folder)}


def test_the_master_itself_under_any_name_brings_it_back_sealed_anew(wearer, tmp_path):
    bad = kept(wearer)
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "holiday.mov").write_bytes(CONTENT)
    lose(bad)
    services.check_presence()
    assert recover(tmp_path).recovered == [bad.pk]
    assert CONTENT not in stored(bad.original).read_bytes()
    assert objects.SealedReader(bad.original, bad.key_id).read(0, 10_000) == CONTENT


def test_a_lost_derivative_comes_back_from_its_sealed_copy(wearer, tmp_path):
    item = kept(wearer)
    name = f"recordings/{item.pk}/poster-1"
    objects.seal_bytes(name, item.key_id, b"a picture")
    Derivative.objects.create(recording=item, kind="poster", object_name=name, content_type="image/jpeg", size=9)
    (tmp_path / "copy").mkdir()
    shutil.copy(stored(name), tmp_path / "copy" / "1")
    stored(name).unlink()
    services.check_presence()
    assert recover(tmp_path / "copy").recovered == [item.pk]


@pytest.mark.parametrize("harm", ["other content", "a bit", "cut", "of another recording", "empty"])
def test_a_copy_that_is_not_the_very_same_is_never_put_back(wearer, tmp_path, harm):
    bad, other = kept(wearer), kept(wearer, content=CONTENT[::-1])
    folder = copied(tmp_path, other if harm == "of another recording" else bad)
    file = folder / "0.bin"
    content = bytearray(file.read_bytes())
    if harm == "other content":
        file.write_bytes(CONTENT[::-1])
    elif harm == "a bit":
        content[-20] ^= 1
        file.write_bytes(content)
    elif harm == "cut":
        file.write_bytes(content[:-1])
    elif harm == "empty":
        file.write_bytes(b"")
    lose(bad)
    services.check_presence()
    done = recover(folder)
    assert (done.put_back, done.recovered, done.left) == (0, [], 1)
    assert not stored(bad.original).exists()
    assert states() == {bad.pk: Loss.State.LOST}


def test_links_are_not_followed_and_the_store_is_not_its_own_copy(wearer, tmp_path):
    bad = kept(wearer)
    copies = copied(tmp_path, bad)
    lose(bad)
    services.check_presence()
    links = tmp_path / "links"
    links.mkdir()
    (links / "a").symlink_to(copies / "0.bin")
    (links / "b").symlink_to(copies)
    assert recover(links).looked_at == 0
    with pytest.raises(Conflict, match="the store itself"):
        recover(settings.BLUELAMP.data / "store" / "recordings")
    with pytest.raises(Conflict, match="no folder"):
        recover(tmp_path / "nowhere")


def test_footage_that_was_deleted_is_not_brought_back_by_a_copy(wearer, tmp_path):
    bad = kept(wearer, due_rule="default")
    folder = copied(tmp_path, bad)
    lose(bad)
    services.check_presence()
    clock.advance(40 * DAY)
    retention.sweep()
    assert Recording.objects.get(pk=bad.pk).state == Recording.State.DELETED
    assert recover(folder).put_back == 0
    assert not stored(bad.original).exists()


def test_what_is_lost_is_deleted_under_its_rule_and_the_ledger_says_that_files_had_been_missing(wearer):
    bad = kept(wearer, due_rule="default")
    lose(bad)
    services.check_presence()
    clock.advance(40 * DAY)
    assert retention.sweep().deleted == 1
    assert states() == {bad.pk: Loss.State.DELETED}
    (event,) = custody.search(tag="loss.deleted")
    assert event.subject == bad.custody_id
    assert event.details["files"] == 1
    assert not get_keyring().has(bad.key_id)
    body = Certificate.objects.get(recording=bad).body
    assert body["objects_missing"] == 1
    assert body["objects_removed"] == 0


def test_a_certificate_of_what_was_whole_says_that_nothing_had_been_lost(wearer):
    whole, other = kept(wearer, due_rule="default"), kept(wearer, due_rule="default")
    lose(other)
    services.check_presence()
    clock.advance(40 * DAY)
    assert retention.sweep().deleted == 2
    missing = dict(Certificate.objects.values_list("recording", "body__objects_missing"))
    assert missing == {whole.pk: 0, other.pk: 1}


def test_what_is_held_stays_on_the_list_of_what_is_lost_and_is_not_swept(wearer):
    bad = kept(wearer, due_rule="default")
    retention.place_hold(bad, "complaint", "A complaint", "", "person:1")
    lose(bad)
    services.check_presence()
    clock.advance(40 * DAY)
    assert retention.sweep().deleted == 0
    assert states() == {bad.pk: Loss.State.LOST}


# --- accepting


def lost_ones(wearer, count=1) -> list[int]:
    for _ in range(count):
        lose(kept(wearer))
    services.check_presence()
    return list(Loss.objects.order_by("pk").values_list("pk", flat=True))


def test_two_people_accept_a_loss_and_it_no_longer_hides_the_next(wearer):
    ids = lost_ones(wearer, 2)
    assert propose_acceptance(ids, reason="No copy exists", actor="person:1") == 2
    assert losses.standing().waiting == 2
    assert accept(ids, reason="Asked the supplier too", actor="person:2") == 2
    assert losses.standing().accepted == 2
    services.check_presence()
    presence = next(item for item in checks.standing(clock.now())[0] if item.kind == "presence")
    assert presence.good
    lost_ones(wearer)
    presence = next(item for item in checks.standing(clock.now())[0] if item.kind == "presence")
    assert (presence.good, presence.value) == (False, "1")
    assert custody.search(tag="loss.accepted")[0].details["proposed_by"] == "person:1"


def test_nobody_accepts_what_he_proposed_himself(wearer):
    ids = lost_ones(wearer, 2)
    propose_acceptance(ids[:1], reason="x", actor="person:1")
    propose_acceptance(ids[1:], reason="x", actor="person:2")
    with pytest.raises(NotAllowed):
        accept(ids, reason="x", actor="person:1")
    assert losses.standing().accepted == 0
    with pytest.raises(IntegrityError):
        Loss.objects.filter(pk=ids[0]).update(state=Loss.State.ACCEPTED, accepted_by="person:1")


def test_a_loss_that_nobody_proposed_is_not_accepted(wearer):
    with pytest.raises(Conflict):
        accept(lost_ones(wearer), reason="x", actor="person:2")
    with pytest.raises(Invalid):
        propose_acceptance(lost_ones(wearer), reason=" ", actor="person:2")


def test_a_copy_that_turns_up_later_brings_back_what_was_accepted_as_lost(wearer, tmp_path):
    bad = kept(wearer)
    folder = copied(tmp_path, bad)
    lose(bad)
    services.check_presence()
    ids = [Loss.objects.get().pk]
    propose_acceptance(ids, reason="x", actor="person:1")
    accept(ids, reason="x", actor="person:2")
    assert recover(folder).recovered == [bad.pk]
    assert states() == {bad.pk: Loss.State.RECOVERED}


# --- a whole store emptied behind our back


@pytest.mark.parametrize("number", [120, pytest.param(4000, marks=pytest.mark.soak)])
def test_what_was_deleted_behind_our_back_is_named_exactly_and_tracked_to_the_last(wearer, tmp_path, number):
    recordings = [kept(wearer, content=f"recording {at}".encode() * 20) for at in range(number)]
    gone = recordings[::2]
    backup = tmp_path / "backup"
    backup.mkdir()
    for at, recording in enumerate(gone):
        shutil.copy(stored(recording.original), backup / f"{at:06}")
    services.check_presence()
    clock.advance(DAY)
    for recording in gone:
        lose(recording)

    found = services.check_presence()
    assert found is not None
    assert found.found == len(gone)
    assert states() == {recording.pk: Loss.State.LOST for recording in gone}
    listed = list(
        csv.DictReader(io.StringIO(take_list(actor="person:1", form="csv", with_names=True).decode("utf-8-sig")))
    )
    assert {row["recording"] for row in listed} == {str(recording.pk) for recording in gone}
    assert {row["sha256"] for row in listed} == {recording.sha256 for recording in gone}

    # The first copy has all but three, the second has those.
    second = tmp_path / "second"
    second.mkdir()
    for at in range(3):
        (backup / f"{at:06}").rename(second / f"{at}")
    first = recover(backup)
    assert (len(first.recovered), first.left) == (len(gone) - 3, 3)
    assert recover(second).left == 0
    assert set(states().values()) == {Loss.State.RECOVERED}
    last = services.check_presence()
    assert last is not None
    assert last.outcome == CheckRun.Outcome.GOOD


# --- pages


def client_of(*roles: Role) -> Client:
    client = Client()
    client.force_login(
        factories.person(*roles, unit=factories.unit()),
        backend="allauth.account.auth_backends.AuthenticationBackend",
    )
    return client


ADDRESSES = ("/oversight/losses/", "/oversight/losses/losses.csv", "/oversight/losses/losses.json")


@pytest.mark.parametrize("address", ADDRESSES)
def test_who_does_not_oversee_does_not_read_what_was_lost(wearer, address):
    lost_ones(wearer)
    assert Client().get(address).status_code in (302, 401, 403)
    for role in (Role.OFFICER, Role.INVESTIGATOR, Role.POST_INCIDENT_MANAGER):
        assert client_of(role).get(address).status_code == 403
    assert custody.search(tag="loss.list_taken") == []
    assert client_of(Role.AUDITOR).get(address).status_code == 200


def test_only_those_who_may_propose_and_agree_and_by_post(wearer):
    (pk,) = lost_ones(wearer)
    asked = {"loss": [pk], "reason": "No copy", "decision": "propose"}
    url = "/oversight/losses/decide/"
    assert Client().post(url, asked).status_code in (302, 401, 403)
    for role in (Role.OFFICER, Role.AUDITOR, Role.OPERATOR, Role.SUPERVISOR):
        assert client_of(role).post(url, asked).status_code == 403
    assert client_of(Role.BWV_MANAGER).get(url).status_code == 405
    assert losses.standing().waiting == 0


def test_a_manager_proposes_and_another_agrees_on_the_page(wearer):
    (pk,) = lost_ones(wearer)
    url = "/oversight/losses/decide/"
    manager, other = client_of(Role.BWV_MANAGER), client_of(Role.PROFESSIONAL_STANDARDS)
    assert manager.post(url, {"loss": [pk], "decision": "propose"}).status_code == 422
    assert manager.post(url, {"reason": "x", "decision": "propose"}).status_code == 422
    page = manager.post(url, {"loss": [pk], "reason": "No copy exists", "decision": "propose"}, follow=True)
    assert "proposes to accept it: No copy exists" in page.content.decode()
    again = manager.post(url, {"loss": [pk], "reason": "I agree with me", "decision": "accept"})
    assert again.status_code == 403
    assert "somebody else has to agree" in again.content.decode()
    assert other.post(url, {"loss": [pk], "reason": "Agreed", "decision": "accept"}).status_code == 302
    assert "Accepted as lost" in client_of(Role.AUDITOR).get("/oversight/losses/?state=accepted").content.decode()


def test_a_whole_list_is_proposed_and_agreed_to_at_once(wearer):
    lost_ones(wearer, 3)
    url, manager = "/oversight/losses/decide/", client_of(Role.BWV_MANAGER)
    manager.post(url, {"everything": "1", "reason": "No copy", "decision": "propose"})
    assert losses.standing().waiting == 3
    lost_ones(wearer)
    client_of(Role.PROFESSIONAL_STANDARDS).post(url, {"everything": "1", "reason": "Agreed", "decision": "accept"})
    assert (losses.standing().accepted, losses.standing().lost) == (3, 1), "nobody had proposed the fourth"


def test_ids_that_are_no_losses_are_refused(wearer):
    lost_ones(wearer)
    for wrong in ("0", "x", "99999999", "1 OR 1=1"):
        answer = client_of(Role.BWV_MANAGER).post(
            "/oversight/losses/decide/", {"loss": [wrong], "reason": "x", "decision": "propose"}
        )
        assert answer.status_code == 422


def test_the_list_is_signed_and_whoever_does_not_audit_reads_numbers_for_names(wearer):
    lose(recording := kept(wearer))
    services.check_presence()
    answer = client_of(Role.BWV_MANAGER).get("/oversight/losses/losses.json")
    document = json.loads(answer.content)
    signature = decode_base64(document.pop("signature"), SIGNATURE_SIZE, "signature")
    assert signature_is_good(keys.receipt_key().public_key(), signature, canonical.encode(document))
    assert document["losses"][0]["recording"] == str(recording.pk)
    document["losses"][0]["sha256"] = "0" * 64
    assert not signature_is_good(keys.receipt_key().public_key(), signature, canonical.encode(document))
    (event,) = custody.search(tag="loss.list_taken")
    assert event.details["recordings"] == 1


def test_the_oversight_page_and_the_metrics_say_how_much_is_lost(wearer):
    lost_ones(wearer, 2)
    page = client_of(Role.AUDITOR).get("/oversight/").content.decode()
    assert "Lost footage: 2 now, 0 recovered, 0 accepted as lost" in page
    from bluelamp.oversight.metrics import Checks

    family = next(each for each in Checks().collect() if each.name == "bluelamp_losses")
    assert {sample.labels["state"]: sample.value for sample in family.samples} == {
        "lost": 2, "accepted": 0, "recovered": 0, "deleted": 0,
    }  # fmt: skip


def test_the_object_is_looked_for_in_the_store_alone(wearer):
    # An object under a name that only looks like the store's is no copy of it.
    bad = kept(wearer)
    get_store().put_stream("elsewhere/original", [stored(bad.original).read_bytes()])
    lose(bad)
    services.check_presence()
    assert states() == {bad.pk: Loss.State.LOST}
    get_store().delete("elsewhere/original")
