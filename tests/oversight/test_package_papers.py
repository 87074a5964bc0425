"""Papers of packages are stored objects, too: looked for and read again, and none of it calls footage lost."""

from __future__ import annotations

import os

import pytest
from django.conf import settings

from bluelamp.cases import services as cases
from bluelamp.custody import queries as ledger
from bluelamp.footage import services as footage
from bluelamp.oversight import services
from bluelamp.oversight.models import CheckRun, Finding, Loss
from bluelamp.people.policy import Role
from bluelamp.sharing.packages.models import Package
from bluelamp.vault import objects
from bluelamp.vault.objects import SealedReader
from bluelamp.vault.stores import get_store
from tests import factories
from tests.sharing import packing

pytestmark = pytest.mark.django_db


@pytest.fixture
def package():
    """A package that is ready, of one recording."""
    unit = factories.unit()
    wearer, detective = factories.person(Role.OFFICER, unit=unit), factories.person(Role.INVESTIGATOR, unit=unit)
    recording = factories.recording(wearer, sealed=True, content=b"film" * 1000)
    packing.collected(recording)
    case = cases.open_case("Lantern", opened_by=detective)
    cases.add_recording(case, recording, actor=detective, reason="Shows it")
    footage.flag(recording, category=factories.category(), reason="Assault", by=wearer)
    return packing.finished(packing.asked((recording, case, detective)))


def read_again():
    return services.check_fixity(everything=True, pause=lambda _: None)


def flip(name, at):
    path = settings.BLUELAMP.data / "store" / name
    os.chmod(path, 0o600)
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def standing():
    return list(Finding.objects.filter(ended_at=None).values_list("problem", "object_name"))


def test_whole_papers_are_read_to_their_last_byte_and_raise_no_alarm(package):
    item = package.items.get()
    papers = sum(row["size"] for row in package.layout if "at" in row)
    done = read_again()
    assert (done.outcome, done.bytes) == (CheckRun.Outcome.GOOD, item.recording.size + papers)
    assert services.check_presence().found == 0


@pytest.mark.parametrize("at", [50, -1], ids=["near the beginning", "the last byte"])
def test_a_flipped_bit_in_papers_is_found_and_no_footage_is_called_lost(package, at):
    flip(package.papers, at)
    assert read_again().found == 1
    assert standing() == [("papers", package.papers)]
    assert "withdraw it and make another" in Finding.objects.get().detail
    assert not Loss.objects.exists()


def test_papers_that_are_gone_are_missed_the_same_night_and_mended_the_night_after_they_came_back(package):
    path = settings.BLUELAMP.data / "store" / package.papers
    content = path.read_bytes()
    get_store().delete(package.papers)
    assert services.check_presence().found == 1
    assert standing() == [("papers", package.papers)]
    path.write_bytes(content)
    services.check_presence()
    assert standing() == []
    assert ledger.count("fixity.restored") == 1


def replaced(package, old, new):
    """The papers sealed once more, under their own key and name, one text in them exchanged for another as long."""
    key_id = package.items.get().recording.key_id
    reader = SealedReader(package.papers, key_id)
    content = reader.read(0, reader.size)
    assert content.count(old)
    assert len(old) == len(new)
    get_store().delete(package.papers)
    objects.seal_bytes(package.papers, key_id, content.replace(old, new))


def test_other_papers_sealed_under_the_same_key_and_name_are_found_by_the_hashes_of_the_manifests(package):
    replaced(package, b"ABC/1", b"ABC/2")
    read_again()
    assert standing() == [("papers", package.papers)]
    assert "package.json" in Finding.objects.get().detail


def test_a_list_of_files_that_the_ledger_does_not_know_is_found_though_the_register_was_changed_to_fit_it(package):
    replaced(package, b"  bagit.txt", b"  bagit.txu")
    Package.objects.filter(pk=package.pk).update(tag_manifest_sha256="0" * 64)
    read_again()
    assert "not the one that was sealed" in Finding.objects.get().detail


def test_papers_of_a_package_whose_footage_was_deleted_are_looked_for_no_more(package):
    name = package.papers
    Package.objects.filter(pk=package.pk).update(papers="", layout=[])
    get_store().delete(name)
    assert read_again().found == 0
    assert services.check_presence().found == 0
