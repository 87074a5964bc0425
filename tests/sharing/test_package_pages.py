"""Packages' pages: an officer makes one and hands it out, a prosecutor fetches one, everybody else stays outside."""

from __future__ import annotations

import pytest
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from bluelamp.cases import services as cases
from bluelamp.custody import queries as ledger
from bluelamp.footage import services as footage
from bluelamp.footage.models import Recording
from bluelamp.kernel import clock
from bluelamp.people.policy import Role
from bluelamp.sharing import services as sharing
from bluelamp.sharing.packages import queries, services
from bluelamp.sharing.packages.models import Package, PackageDownload
from tests import factories, signin
from tests.pages import text_of
from tests.sharing import packing, post

pytestmark = pytest.mark.django_db

_OUTSIDERS = [Role.OFFICER, Role.SUPERVISOR, Role.INVESTIGATOR, Role.RIGHTS_OFFICER, Role.OPERATOR]


@pytest.fixture
def story(story):
    packing.collected(story[0])
    return story


def _form(recording, **more):
    return {
        f"take_{recording.pk}": "on",
        f"exhibit_{recording.pk}": "ABC/1",
        "recipient": "Jo Reid, CPS",
        "purpose": "prosecution",
        **more,
    }


# Officers


def test_an_officer_in_the_case_makes_a_package_and_takes_it_away(client, story):
    recording, case, detective = story
    signin.quickly(client, detective)
    assert (
        reverse("packages:make", args=[case.pk]) in client.get(reverse("cases:case", args=[case.pk])).content.decode()
    )
    made = client.post(reverse("packages:make", args=[case.pk]), _form(recording))
    package = Package.objects.get()
    assert made.url == reverse("packages:package", args=[package.pk])
    assert ProcrastinateJob.objects.filter(task_name="packages.finish", status="todo").count() == 1
    assert "The package is being made" in text_of(client.get(made.url))
    assert "Waiting to be made" in text_of(client.get(reverse("packages:now", args=[package.pk])))
    packing.finished(package)
    assert client.get(reverse("packages:now", args=[package.pk]))["HX-Refresh"] == "true"
    page = text_of(client.get(made.url))
    assert "Download the package" in page
    assert package.tag_manifest_sha256 in page
    answer = client.post(reverse("packages:download", args=[package.pk]), {"reason": "To hand it to the court"})
    download = PackageDownload.objects.get()
    assert answer.url.startswith(f"/media/package/{download.pk}/ABC-1-")
    last = ledger.history(recording.custody_id)[-1]
    assert (last.tag, last.actor, last.reason) == (
        "package.downloaded",
        detective.custody_id,
        "To hand it to the court",
    )
    assert "To hand it to the court" in text_of(client.get(made.url))


def test_the_form_offers_the_officers_next_reference_and_the_one_that_footage_has(client, story):
    recording, case, detective = story
    detective.name = "Łukasz Ngũgĩ Brown"
    assert queries.exhibits_for(case, [recording], detective.name) == {recording.pk: ""}
    assert queries.exhibits_for(case, [recording], "Ada Okafor") == {recording.pk: "AO/1"}
    packing.asked(story)
    assert queries.exhibits_for(case, [recording], "Ada Okafor") == {recording.pk: packing.REFERENCE}
    signin.quickly(client, detective)
    assert 'value="ABC/1"' in client.get(reverse("packages:make", args=[case.pk])).content.decode()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"recipient": ""}, "Fill in “Who it is for”"),
        ({"purpose": "nonsense"}, "nonsense is not one of the available choices"),
        ({"exhibit": "one"}, "Give an exhibit reference such as ABC/1"),
        ({"take": ""}, "Choose at least one recording"),
    ],
)
def test_a_form_with_a_mistake_says_which_and_makes_nothing(client, story, more, words):
    recording, case, detective = story
    signin.quickly(client, detective)
    given = {(f"{name}_{recording.pk}" if name in ("exhibit", "take") else name): value for name, value in more.items()}
    answer = client.post(reverse("packages:make", args=[case.pk]), _form(recording, **given))
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert not Package.objects.exists()


def test_footage_of_another_case_or_locked_is_not_offered_and_not_taken_from_a_forged_form(client, story):
    recording, case, detective = story
    foreign = factories.recording(recording.wearer, sealed=True)
    footage.flag(foreign, category=factories.category(), reason="Else", by=recording.wearer)
    Recording.objects.filter(pk=recording.pk).update(locked_at=clock.now())
    signin.quickly(client, detective)
    page = client.get(reverse("packages:make", args=[case.pk]))
    assert "No footage of this case can be put into a package now" in text_of(page)
    for forged in (recording, foreign):
        assert client.post(reverse("packages:make", args=[case.pk]), _form(forged)).status_code == 422
    assert not Package.objects.exists()


@pytest.mark.parametrize("role", [*_OUTSIDERS, Role.AUDITOR])
def test_nobody_outside_the_case_makes_a_package_of_it(client, story, role):
    recording, case, _ = story
    signin.quickly(client, factories.person(role, unit=factories.unit()))
    address = reverse("packages:make", args=[case.pk])
    assert client.get(address).status_code == 403
    assert client.post(address, _form(recording)).status_code == 403
    assert ledger.history(case.custody_id)[-1].tag == "access.refused"
    assert not Package.objects.exists()


@pytest.mark.parametrize("role", _OUTSIDERS)
@pytest.mark.parametrize("name", ["package", "now", "download", "withdraw"])
def test_a_package_is_closed_to_whoever_has_nothing_to_do_with_it(client, story, role, name):
    package = packing.asked(story)
    signin.quickly(client, factories.person(role, unit=factories.unit()))
    address = reverse(f"packages:{name}", args=[package.pk])
    send = client.post if name in ("download", "withdraw") else client.get
    assert send(address, {"reason": "Curious"}).status_code == 403
    assert ledger.history(package.custody_id)[-1].tag == "access.refused"


@pytest.mark.parametrize("name", ["index", "package", "now", "download", "withdraw", "make"])
def test_who_is_not_signed_in_is_sent_to_sign_in(client, story, name):
    package = packing.asked(story)
    which = {"index": [], "make": [story[1].pk]}.get(name, [package.pk])
    address = reverse(f"packages:{name}", args=which)
    answer = client.post(address, {"reason": "x"}) if name in ("download", "withdraw") else client.get(address)
    assert answer.status_code == 302
    assert answer.url.startswith("/account/login/")


def test_an_auditor_sees_a_package_and_can_neither_download_nor_withdraw_it(client, story):
    package = packing.finished(packing.asked(story))
    signin.quickly(client, factories.person(Role.AUDITOR))
    page = text_of(client.get(reverse("packages:package", args=[package.pk])))
    assert "You cannot download it" in page
    assert "Withdraw the package" not in page
    for name in ("download", "withdraw"):
        assert client.post(reverse(f"packages:{name}", args=[package.pk]), {"reason": "x"}).status_code == 403
    assert not PackageDownload.objects.exists()


def test_a_download_needs_a_reason(client, story):
    package = packing.finished(packing.asked(story))
    signin.quickly(client, story[2])
    answer = client.post(reverse("packages:download", args=[package.pk]), {"reason": "  "})
    assert answer.status_code == 422
    assert "Fill in “Why you download it”" in text_of(answer)
    assert not PackageDownload.objects.exists()


def test_a_withdrawn_package_says_so_and_is_not_handed_out(client, story):
    package = packing.finished(packing.asked(story))
    signin.quickly(client, story[2])
    assert client.post(reverse("packages:withdraw", args=[package.pk]), {"reason": "Wrong person"}).status_code == 302
    page = text_of(client.get(reverse("packages:package", args=[package.pk])))
    assert "This package was withdrawn." in page
    assert "Download the package" not in page
    answer = client.post(reverse("packages:download", args=[package.pk]), {"reason": "x"})
    assert answer.status_code == 403
    assert "This package was withdrawn." in text_of(answer)
    (event,) = [item for item in ledger.history(story[0].custody_id) if item.tag == "package.withdrawn"]
    assert event.reason == "Wrong person"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"locked_at": True}, "Footage in this package is not available at the moment."),
        ({"state": Recording.State.DELETED}, "Footage in this package was deleted."),
    ],
)
def test_a_package_whose_footage_left_use_says_so_in_words(client, story, change, words):
    package = packing.finished(packing.asked(story))
    values = {name: clock.now() if value is True else value for name, value in change.items()}
    Recording.objects.filter(pk=story[0].pk).update(**values)
    signin.quickly(client, story[2])
    page = client.get(reverse("packages:package", args=[package.pk]))
    assert page.status_code == 200
    assert words in text_of(page)
    assert client.post(reverse("packages:download", args=[package.pk]), {"reason": "x"}).status_code == 403


def test_reading_packages_pages_is_in_the_ledger(client, story):
    package = packing.asked(story)
    signin.quickly(client, story[2])
    for address, page in (
        (reverse("packages:index"), "packages"),
        (reverse("packages:package", args=[package.pk]), package.custody_id),
    ):
        assert client.get(address).status_code == 200
        last = ledger.history(story[0].custody_id)[-1]
        assert (last.tag, last.details["filters"]) == ("footage.listed", {"page": page})


# Recipients


def _signed_in(client, email="jo@cps.example"):
    client.post(reverse("share:sign_in"), {"email": email})
    post.deliver()
    client.post(reverse("share:code"), {"code": post.code()})


def test_a_recipient_gets_what_was_shared_as_a_package_made_for_them(client, story, shared):
    share = shared(may_download=True)
    _signed_in(client)
    watch = client.get(reverse("share:watch", args=[share.pk])).content.decode()
    address = reverse("share:package", args=[share.pk])
    assert address in watch
    assert "Make the package" in text_of(client.get(address))
    assert client.post(address).url == address
    package = Package.objects.get()
    assert (package.recipient, package.maker) == ("Jo Reid, CPS", share.recipient.custody_id)
    assert package.get_purpose_display() == "Disclosure to the prosecution"
    assert "The package is being made" in text_of(client.get(address))
    assert "Waiting" in text_of(client.get(reverse("share:package_now", args=[share.pk])))
    packing.finished(package)
    assert client.get(reverse("share:package_now", args=[share.pk]))["HX-Refresh"] == "true"
    assert "Download the package" in text_of(client.get(address))
    answer = client.post(reverse("share:package_download", args=[share.pk]))
    assert answer.url.startswith(f"/media/package/{PackageDownload.objects.get().pk}/")
    last = ledger.history(story[0].custody_id)[-1]
    assert (last.tag, last.actor) == ("package.downloaded", share.recipient.custody_id)
    assert last.reason == f"Shared by {story[2].name}"


def test_asking_twice_makes_one_package(client, shared):
    share = shared(may_download=True)
    _signed_in(client)
    for _ in range(3):
        client.post(reverse("share:package", args=[share.pk]))
    assert Package.objects.count() == 1


def test_a_share_for_watching_gives_no_package(client, shared):
    share = shared()
    _signed_in(client)
    assert (
        reverse("share:package", args=[share.pk])
        not in client.get(reverse("share:watch", args=[share.pk])).content.decode()
    )
    for name, send in (("package", client.get), ("package", client.post), ("package_download", client.post)):
        answer = send(reverse(f"share:{name}", args=[share.pk]))
        assert answer.status_code == 403
        assert "watching only" in text_of(answer)
    assert not Package.objects.exists()


def test_a_revoked_share_takes_its_package_with_it_and_says_so(client, story, shared):
    share = shared(may_download=True)
    package = packing.finished(services.make_of_share(share))
    _signed_in(client)
    sharing.revoke(share, by=story[2], reason="Over")
    for name, send in (("package", client.get), ("package", client.post), ("package_download", client.post)):
        answer = send(reverse(f"share:{name}", args=[share.pk]))
        assert answer.status_code == 403
        assert "ended by the police" in text_of(answer)
    assert queries.standing(package).value == "ended"
    assert not PackageDownload.objects.exists()


def test_another_recipient_gets_nothing_of_it_and_that_is_recorded(client, shared):
    mine = shared(may_download=True)
    theirs = shared(name="Else", email="else@cps.example", may_download=True)
    packing.finished(services.make_of_share(theirs))
    _signed_in(client, mine.recipient.email)
    for name, send in (
        ("package", client.get),
        ("package", client.post),
        ("package_now", client.get),
        ("package_download", client.post),
    ):
        assert send(reverse(f"share:{name}", args=[theirs.pk])).status_code == 404
    assert [item.tag for item in ledger.history(theirs.custody_id)].count("recipient.refused") == 4
    assert not PackageDownload.objects.exists()


@pytest.mark.parametrize("name", ["package", "package_now", "package_download"])
def test_the_portals_package_pages_are_closed_to_whoever_has_not_signed_in(client, shared, name):
    share = shared(may_download=True)
    address = reverse(f"share:{name}", args=[share.pk])
    answer = client.post(address) if name == "package_download" else client.get(address)
    assert (answer.status_code, answer.url) == (302, reverse("share:sign_in"))


def test_an_officers_package_of_the_same_footage_is_not_the_recipients(client, story, shared):
    share = shared(may_download=True)
    packing.finished(packing.asked(story))
    _signed_in(client)
    assert "Make the package" in text_of(client.get(reverse("share:package", args=[share.pk])))
    assert client.post(reverse("share:package_download", args=[share.pk])).status_code == 404


def test_the_exhibit_keeps_the_reference_that_the_officer_gave_it(story, shared):
    packing.asked(story)
    package = services.make_of_share(shared(may_download=True))
    assert package.items.get().exhibit == packing.REFERENCE


def test_a_case_that_is_closed_ends_nothing_for_its_recipient_but_the_making_by_its_officers(client, story, shared):
    share = shared(may_download=True)
    package = packing.finished(services.make_of_share(share))
    cases.close_case(story[1], actor=story[2], outcome="Convicted")
    assert queries.standing(package).value == "ready"
    signin.quickly(client, story[2])
    page = client.get(reverse("packages:make", args=[story[1].pk]))
    assert "No footage of this case can be put into a package now" in text_of(page)
