"""Packages made: what is in them, what proves them, and what is refused."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import zipfile

import bagit
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from bluelamp.cases import services as cases
from bluelamp.custody import keys, restoring, sequencer, timestamping
from bluelamp.custody import queries as ledger
from bluelamp.custody.models import CustodyCheckpoint, CustodyCosignature
from bluelamp.footage import services as footage
from bluelamp.footage.models import Recording
from bluelamp.formats.add_checkpoint import WitnessAddress
from bluelamp.formats.cosignature import WitnessKey, cosign
from bluelamp.formats.package import TAG_FILES, Custody, PackageInfo, Seal
from bluelamp.formats.timestamp import certificates
from bluelamp.kernel import clock
from bluelamp.kernel.errors import Conflict, Invalid
from bluelamp.sharing.packages import queries, services
from bluelamp.sharing.packages.models import Package
from bluelamp.sharing.packages.rules import Standing
from bluelamp.sharing.packages.services import making
from bluelamp.sharing.packages.services.gathering import NotYet, gather
from bluelamp.vault import objects
from bluelamp.vault.stores import get_store
from bluelamp.verify.package import verify_package
from tests import factories
from tests.custody.time_authority import Authority, serving
from tests.sharing import packing

pytestmark = pytest.mark.django_db

_WITNESS = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
_STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))


@pytest.fixture
def story(story):
    """With the event that a real acceptance would have recorded."""
    packing.collected(story[0])
    return story


def test_a_package_is_good_to_the_verifier_with_the_logs_key(story):
    package = packing.finished(packing.asked(story))
    report = verify_package(io.BytesIO(packing.zipped(package)), [keys.own_vkey()])
    assert (report.exit_code, report.problems) == (0, [])
    assert report.claims["exhibit"] == packing.REFERENCE
    assert package.size == len(packing.zipped(package))


def test_a_log_that_was_restored_makes_packages_under_its_new_name(story):
    sequencer.drain()
    former = keys.own_vkey()
    restoring.begin_anew(taken_at=clock.now(), reason="The disk died", actor="system:operator")
    package = packing.finished(packing.asked(story))
    report = verify_package(io.BytesIO(packing.zipped(package)), [keys.own_vkey()])
    assert (report.exit_code, report.problems) == (0, [])
    assert verify_package(io.BytesIO(packing.zipped(package)), [former]).exit_code == 2


def test_a_package_carries_the_latest_timestamp_before_it_and_the_way_from_there(story, settings, tmp_path):
    authority = Authority(tmp_path / "time")
    with serving(lambda query, _: authority.reply(query)) as (url, _):
        settings.BLUELAMP = dataclasses.replace(
            settings.BLUELAMP, timestamp_url=url, timestamp_certificate=str(authority.root)
        )
        sequencer.drain()
        stamped = timestamping.stamp()
    package = packing.finished(packing.asked(story))
    trusted = certificates(authority.root.read_bytes())
    report = verify_package(io.BytesIO(packing.zipped(package)), [keys.own_vkey()], (), None, trusted)
    assert (report.exit_code, report.problems) == (0, [])
    assert (report.timestamp["status"], report.timestamp["size"]) == ("good", stamped.size)
    assert stamped.size < Custody.parse(packing.unzipped(package)["custody.json"]).events[-1].index + 1


def test_without_a_trusted_key_the_verifier_cannot_tell_and_with_another_neither(story):
    package = packing.finished(packing.asked(story))
    other = keys.own_vkey().replace("bluelamp/", "bluelamp2/", 1)
    assert verify_package(io.BytesIO(packing.zipped(package))).exit_code == 2
    assert verify_package(io.BytesIO(packing.zipped(package)), [other]).exit_code != 0


def test_a_changed_byte_anywhere_is_found(story):
    content = packing.zipped(packing.finished(packing.asked(story)))
    for place in range(40, len(content), len(content) // 60):
        changed = bytearray(content)
        changed[place] ^= 1
        assert verify_package(io.BytesIO(changed), [keys.own_vkey()]).exit_code == 1, place


def test_the_unzipped_bag_is_valid_to_bagit(story, tmp_path):
    package = packing.finished(packing.asked(story))
    with zipfile.ZipFile(io.BytesIO(packing.zipped(package))) as archive:
        archive.extractall(tmp_path)
    (top,) = tmp_path.iterdir()
    bag = bagit.Bag(str(top))
    bag.validate()
    assert bag.info["External-Identifier"] == str(package.pk)
    (top / "data" / "custody-report.json").write_text("{}")
    with pytest.raises(bagit.BagValidationError):
        bagit.Bag(str(top)).validate()


def test_a_package_holds_the_original_and_nothing_that_the_protocol_does_not_name(story):
    package = packing.finished(packing.asked(story))
    files = packing.unzipped(package)
    (item,) = package.items.all()
    assert files[item.file] == b"not a video, but bytes"
    papers = {"data/exhibit-label.pdf", "data/custody-report.pdf", "data/custody-report.json"}
    assert set(files) == {*TAG_FILES, "tagmanifest-sha256.txt", "seal.json", *papers, item.file}
    assert item.file.startswith("data/ABC-1_")
    info = PackageInfo.parse(files["package.json"])
    assert (info.id, info.recipient, info.case) == (str(package.pk), "Jo Reid, CPS", "Lantern (URN 01AB1)")


def test_the_hash_in_the_ledger_the_note_and_the_file_are_one(story):
    package = packing.finished(packing.asked(story))
    files = packing.unzipped(package)
    digest = hashlib.sha256(files["tagmanifest-sha256.txt"]).hexdigest()
    (sealed,) = [item for item in ledger.history(package.custody_id) if item.tag == "package.sealed"]
    seal = Seal.parse(files["seal.json"])
    assert sealed.details["tag_manifest_sha256"] == package.tag_manifest_sha256 == digest
    assert seal.event.fields["detail.tag_manifest_sha256"] == digest
    assert digest in seal.note
    assert sealed.operation == "disclosure"
    assert set(sealed.also) == {story[0].custody_id, story[1].custody_id}


def test_each_step_stands_in_the_ledger_under_who_asked_for_it(story):
    package = packing.finished(packing.asked(story))
    made, sealed = [item for item in ledger.history(package.custody_id) if item.tag.startswith("package.")]
    assert (made.tag, made.actor) == ("package.made", story[2].custody_id)
    assert made.details["recipient"] == "Jo Reid, CPS"
    assert sealed.actor == "system:packages"


def test_a_package_cannot_be_sealed_before_the_log_covers_its_making(story):
    package = packing.asked(story)
    making.read_media(package)
    with pytest.raises(NotYet):
        gather(package)


def test_several_recordings_become_several_exhibits(story):
    recording, case, detective = story
    other = factories.recording(recording.wearer, sealed=True, content=b"another one")
    packing.collected(other)
    footage.flag(other, category=factories.category(), reason="Also", by=recording.wearer)
    cases.add_recording(case, other, actor=detective, reason="Also shows it")
    asked = services.make(
        case, {recording.pk: "abc/1", other.pk: " ABC/2 "}, recipient="X", purpose="court", by=detective
    )
    package = packing.finished(asked)
    report = verify_package(io.BytesIO(packing.zipped(package)), [keys.own_vkey()])
    assert report.exit_code == 0
    assert report.claims["exhibit"] == "ABC/1, ABC/2"
    assert len(PackageInfo.parse(packing.unzipped(package)["package.json"]).media) == 2


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"recipient": " \u202e "}, "whom the package is for"),
        ({"purpose": "fun"}, "what the package is for"),
    ],
)
def test_what_cannot_be_right_is_refused_in_words(story, more, words):
    with pytest.raises(Invalid, match=words):
        packing.asked(story, **more)
    assert Package.objects.count() == 0


@pytest.mark.parametrize("reference", ["", "ABC", "1/ABC", "ABC/0", "../x", "A/1", "ABC/1\u202e2x"])
def test_only_exhibit_references_are_taken(story, reference):
    recording, case, detective = story
    with pytest.raises(Invalid, match="exhibit reference"):
        services.make(case, {recording.pk: reference}, recipient="X", purpose="court", by=detective)


def test_one_reference_is_not_two_exhibits(story):
    recording, case, detective = story
    other = factories.recording(recording.wearer, sealed=True)
    with pytest.raises(Invalid, match="same exhibit reference"):
        services.make(case, {recording.pk: "AB/1", other.pk: "ab/1"}, recipient="X", purpose="court", by=detective)


def test_footage_of_another_case_cannot_come_along(story):
    recording, case, detective = story
    other = factories.recording(recording.wearer, sealed=True)
    footage.flag(other, category=factories.category(), reason="Else", by=recording.wearer)
    with pytest.raises(Invalid, match="does not belong to this case"):
        services.make(case, {recording.pk: "AB/1", other.pk: "AB/2"}, recipient="X", purpose="court", by=detective)


@pytest.mark.parametrize(
    ("change", "words"),
    [({"locked_at": True}, "locked"), ({"state": Recording.State.QUARANTINED}, "leaving or has gone")],
)
def test_footage_that_may_not_be_shared_makes_no_package(story, change, words):
    values = {name: clock.now() if value is True else value for name, value in change.items()}
    Recording.objects.filter(pk=story[0].pk).update(**values)
    with pytest.raises(Conflict, match=words):
        packing.asked(story)


def test_footage_that_is_locked_while_its_package_is_made_is_not_sealed(story):
    package = packing.asked(story)
    making.read_media(package)
    sequencer.drain()
    gathered = gather(package)
    Recording.objects.filter(pk=story[0].pk).update(locked_at=clock.now())
    with pytest.raises(Conflict, match="locked"):
        making.seal(package, gathered)
    assert not [item for item in ledger.history(package.custody_id) if item.tag == "package.sealed"]


def test_footage_that_is_not_what_was_received_makes_the_package_fail_in_words(story):
    recording = story[0]
    objects.seal_bytes(recording.original, recording.key_id, b"other bytes than those")
    package = packing.asked(story)
    services.finish(package.pk)
    package.refresh_from_db()
    assert queries.standing(package) is Standing.FAILED
    assert "SHA-256 differs" in package.failure
    assert ledger.history(package.custody_id)[-1].tag == "package.failed"


def test_the_deletion_of_its_footage_ends_a_package_and_leaves_nothing_of_it_in_the_store(story):
    package = packing.finished(packing.asked(story))
    assert get_store().exists(package.papers)
    papers = package.papers
    footage.mark_deleted(story[0], reason="Test")
    package.refresh_from_db()
    assert queries.standing(package) is Standing.DELETED
    assert (package.layout, package.seal, package.papers) == ([], "", "")
    assert package.items.get().exhibit == ""
    services.remove_papers(papers)
    assert not get_store().exists(papers)


def test_the_papers_lie_with_the_recording_and_under_its_key(story):
    package = packing.finished(packing.asked(story))
    assert package.papers.startswith(f"recordings/{story[0].pk}/")
    reader = objects.SealedReader(package.papers, story[0].key_id)
    assert reader.read(0, 7) == b"BagIt-V"


def test_the_events_in_the_package_are_those_of_its_recordings(story):
    stranger = factories.recording(story[0].wearer, sealed=True)
    packing.collected(stranger)
    custody = Custody.parse(packing.unzipped(packing.finished(packing.asked(story)))["custody.json"])
    tags = [event.event.fields.get("tag") for event in custody.events]
    assert {"recording.flagged", "case.recording_added"} < set(tags)
    assert tags[-1] == "package.made"
    assert tags.count("recording.collected") == 1
    assert str(stranger.pk) not in json.dumps([event.document() for event in custody.events])


# Witnesses and keys


@pytest.fixture
def witness(settings):
    """A witness whom the force asks, and one whom it does not."""
    address = WitnessAddress("http://witness.example", WitnessKey("witness.example", _WITNESS.public_key()))
    settings.BLUELAMP = dataclasses.replace(settings.BLUELAMP, witnesses=(address,))
    return str(address.key)


def _cosign() -> int:
    """Have the latest checkpoint cosigned by both; its size."""
    latest = CustodyCheckpoint.objects.order_by("-size").first()
    text = latest.note.partition("\n\n")[0] + "\n"
    for name, key in (("witness.example", _WITNESS), ("stranger.example", _STRANGER)):
        line = cosign(text, name, key, 1_795_000_000)
        CustodyCosignature.objects.create(size=latest.size, witness=name, line=line, at=clock.now())
    return latest.size


def test_a_cosigned_checkpoint_is_taken_where_it_covers_the_package_with_the_lines_of_known_witnesses_only(
    story, witness
):
    package = packing.asked(story)
    sequencer.drain()
    size = _cosign()
    footage.add_note(story[0], text="Later", by=story[2])
    sequencer.drain()
    making.read_media(package)
    making.seal(package, gather(package))
    sequencer.drain()
    _cosign()
    making.attach(package)
    custody = Custody.parse(packing.unzipped(package)["custody.json"])
    assert custody.checkpoint.split("\n")[1] == str(size)
    assert custody.witnesses == (witness,)
    assert "stranger.example" not in custody.checkpoint
    report = verify_package(io.BytesIO(packing.zipped(package)), [keys.own_vkey()], [witness])
    assert report.exit_code == 0
    assert [each["witness"] for each in report.cosignatures] == ["witness.example"] * 2
    assert all(each["trusted"] for each in report.cosignatures)


def test_where_the_cosigned_checkpoint_is_older_the_latest_is_taken(story, witness):
    sequencer.drain()
    size = _cosign()
    package = packing.finished(packing.asked(story))
    custody = Custody.parse(packing.unzipped(package)["custody.json"])
    assert int(custody.checkpoint.split("\n")[1]) > size
    assert verify_package(io.BytesIO(packing.zipped(package)), [keys.own_vkey()]).exit_code == 0


def test_a_key_that_is_changed_in_the_middle_spoils_no_package_silently(story):
    package = packing.asked(story)
    making.read_media(package)
    sequencer.drain()
    making.seal(package, gather(package))
    sequencer.drain()
    old = (settings.BLUELAMP.keys / "log.key").read_bytes()
    try:
        keys.rotate_log_key()
        with pytest.raises(Conflict, match="key was changed"):
            making.attach(package)
        again = packing.finished(packing.asked(story))
        assert verify_package(io.BytesIO(packing.zipped(again)), [keys.own_vkey()]).exit_code == 0
    finally:
        (settings.BLUELAMP.keys / "log.key").write_bytes(old)
        (settings.BLUELAMP.keys / "log-former.key").unlink()
