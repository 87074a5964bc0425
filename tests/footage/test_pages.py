"""The pages of footage: what they show, and to whom they stay shut."""

from __future__ import annotations

import uuid

import pytest
from django.urls import reverse

from bluelamp.custody import queries as ledger
from bluelamp.footage import queries, services
from bluelamp.footage.models import Category, Recording, Viewing
from bluelamp.people.policy import Role
from tests import factories
from tests.footage.conftest import prepared
from tests.pages import text_of

pytestmark = pytest.mark.django_db

POSTS = (
    "watch",
    "download",
    "flag",
    "release",
    "category",
    "reference",
    "note",
    "lock",
    "unlock",
    "let_watch",
    "try_again",
)


def _url(name, recording):
    return reverse(f"footage:{name}", args=[recording.pk])


def _page(client, recording):
    return client.get(_url("recording", recording))


def _tags(recording):
    return [item.tag for item in ledger.history(recording.custody_id)]


# Shut doors


@pytest.mark.parametrize("name", ["recording", "state", *POSTS])
def test_nobody_reaches_a_recording_without_signing_in(client, recording, name):
    method = client.get if name in ("recording", "state") else client.post
    response = method(_url(name, recording))
    assert response.status_code == 302
    assert response["Location"].startswith("/account/login/")
    assert not Viewing.objects.exists()


def test_nobody_searches_without_signing_in(client):
    assert client.get("/footage/").status_code == 302


@pytest.mark.parametrize("name", ["recording", "state", *POSTS])
def test_another_units_officer_is_refused_everything_and_it_is_logged(sign_in, recording, stranger, name):
    client = sign_in(stranger)
    method = client.get if name in ("recording", "state") else client.post
    response = method(_url(name, recording), {"reason": "Curiosity"})
    assert response.status_code == 403
    assert "Ada Okafor" not in text_of(response)
    assert ledger.search(tag="access.refused")[0].actor == stranger.custody_id
    assert not Viewing.objects.exists()


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("flag", {"category": "5", "reason": "x"}),
        ("release", {"reason": "x"}),
        ("category", {"category": "5"}),
        ("reference", {"kind": "cad", "value": "1"}),
        ("note", {"text": "x"}),
        ("lock", {"reason": "x"}),
        ("unlock", {"reason": "x"}),
        ("let_watch", {"warrant_number": "W1", "reason": "x"}),
        ("download", {"reason": "x"}),
    ],
)
def test_a_colleague_may_read_the_facts_but_change_nothing(sign_in, recording, colleague, name, given):
    client = sign_in(colleague)
    assert _page(client, recording).status_code == 200
    before = _tags(recording)
    assert client.post(_url(name, recording), given).status_code == 403
    assert [tag for tag in _tags(recording) if tag not in before] == ["access.refused"]


def test_an_auditor_reads_facts_and_history_but_never_watches(sign_in, recording, auditor):
    client = sign_in(auditor)
    response = _page(client, recording)
    assert response.status_code == 200
    assert "<video" not in response.content.decode()
    assert "Custody history" in text_of(response)
    assert client.post(_url("watch", recording), {"reason": "Audit"}).status_code == 403
    assert client.get("/footage/").status_code == 403


def test_the_operator_sees_no_footage_at_all(sign_in, recording):
    client = sign_in(factories.person(Role.OPERATOR))
    assert client.get("/footage/").status_code == 403
    assert _page(client, recording).status_code == 403


def test_forms_cannot_be_sent_from_elsewhere(recording, officer):
    from django.test import Client

    from tests import signin

    client = Client(enforce_csrf_checks=True)
    signin.quickly(client, officer)
    response = client.post(_url("flag", recording), {"category": "5", "reason": "x"})
    assert response.status_code == 403
    assert queries.standing_flag(recording) is None


@pytest.mark.parametrize("name", POSTS)
def test_nothing_is_changed_by_opening_an_address(sign_in, recording, officer, name):
    assert sign_in(officer).get(_url(name, recording)).status_code == 405


def test_an_unknown_address_is_not_found(sign_in, officer):
    client = sign_in(officer)
    assert client.get(f"/footage/{uuid.uuid4()}/").status_code == 404
    assert client.get("/footage/1/").status_code == 404
    assert client.get("/footage/../etc/passwd").status_code == 404


# Watching


def test_ones_own_recording_opens_with_the_player_at_once(sign_in, recording, officer):
    client = sign_in(officer)
    html = _page(client, recording).content.decode()
    viewing = Viewing.objects.get()
    assert f'src="/media/{viewing.pk}/original"' in html
    assert "recording.viewed" in _tags(recording)
    _page(client, recording)
    assert Viewing.objects.count() == 1


def test_the_footage_of_a_colleague_asks_for_a_reason_first(sign_in, recording, colleague):
    client = sign_in(colleague)
    response = _page(client, recording)
    assert "<video" not in response.content.decode()
    assert "/media/" not in response.content.decode()
    assert "say why you need to watch it" in text_of(response)
    assert _tags(recording)[-1] == "recording.consulted"
    assert not Viewing.objects.exists()

    response = client.post(_url("watch", recording), {"reason": "  "})
    assert response.status_code == 422
    assert "Say why you need to watch this recording." in text_of(response)
    assert not Viewing.objects.exists()

    response = client.post(_url("watch", recording), {"reason": "Statement for CAD 1234"})
    assert response.status_code == 302
    assert Viewing.objects.get().reason == "Statement for CAD 1234"
    assert "<video" in _page(client, recording).content.decode()


def test_a_reason_given_in_one_session_does_not_open_another(sign_in, recording, colleague):
    client = sign_in(colleague)
    client.post(_url("watch", recording), {"reason": "Statement"})
    client.logout()
    sign_in(colleague)
    assert "<video" not in _page(client, recording).content.decode()


def test_a_locked_recording_explains_itself_to_the_wearer(sign_in, recording, officer, pim):
    services.lock(recording, reason="Death in custody suite", by=pim)
    client = sign_in(officer)
    response = _page(client, recording)
    assert response.status_code == 200
    assert "Locked: nobody may watch this now" in text_of(response)
    assert "Death in custody suite" not in text_of(response)
    assert "<video" not in response.content.decode()
    assert "/media/" not in response.content.decode()
    assert client.post(_url("watch", recording), {"reason": "Mine"}).status_code == 403
    assert ledger.search(tag="access.refused")[0].subject == recording.custody_id


def test_a_lock_closes_the_player_that_was_open(sign_in, recording, officer, pim):
    client = sign_in(officer)
    assert "<video" in _page(client, recording).content.decode()
    services.lock(recording, reason="Serious injury", by=pim)
    assert "<video" not in _page(client, recording).content.decode()


def test_the_pim_lets_one_person_watch_and_ends_the_lock(sign_in, recording, officer, pim, standards):
    client = sign_in(standards)
    client.post(_url("lock", recording), {"reason": "Serious injury"})
    recording.refresh_from_db()
    assert recording.locked_by == standards
    assert client.post(_url("unlock", recording), {"reason": "x"}).status_code == 403

    client = sign_in(pim)
    response = client.post(_url("let_watch", recording), {"warrant_number": "nobody", "reason": "x"})
    assert response.status_code == 422
    assert "Nobody was let in by name." in text_of(response)
    given = {"warrant_number": officer.warrant_number.lower(), "reason": "First account is given"}
    assert client.post(_url("let_watch", recording), given).status_code == 302
    assert f"Let in by name: {officer}. Else only post-incident managers" in text_of(_page(client, recording))
    client = sign_in(officer)
    assert client.post(_url("watch", recording), {"reason": "Second account"}).status_code == 302
    assert "<video" in _page(client, recording).content.decode()

    client = sign_in(pim)
    assert client.post(_url("unlock", recording), {"reason": "Over"}).status_code == 302
    recording.refresh_from_db()
    assert recording.locked_at is None


def test_a_download_is_for_those_who_may_share_and_says_why(sign_in, recording, manager):
    client = sign_in(manager)
    assert client.post(_url("download", recording), {"reason": ""}).status_code == 422
    response = client.post(_url("download", recording), {"reason": "For the coroner"})
    viewing = Viewing.objects.get(purpose="download")
    assert response["Location"] == f"/media/{viewing.pk}/download"
    assert "<video" not in _page(client, recording).content.decode()


# States


def test_a_waiting_recording_reloads_itself_when_it_is_ready(sign_in, officer):
    recording = factories.recording(officer)
    client = sign_in(officer)
    response = _page(client, recording)
    assert "Being prepared for viewing" in text_of(response)
    assert f'hx-get="{_url("state", recording)}"' in response.content.decode()
    assert "HX-Refresh" not in client.get(_url("state", recording))
    Recording.objects.update(processing="failed", processing_error="The file is not a video.")
    assert client.get(_url("state", recording))["HX-Refresh"] == "true"


def test_a_failed_recording_says_that_the_original_is_safe_and_can_be_tried_again(sign_in, officer, detective):
    recording = factories.recording(officer, processing="failed", processing_error="The file is not a video.")
    response = _page(sign_in(officer), recording)
    assert "The file is not a video." in text_of(response)
    assert "The original is safe" in text_of(response)
    client = sign_in(detective)
    assert client.post(_url("try_again", recording)).status_code == 302
    recording.refresh_from_db()
    assert recording.processing == "waiting"
    assert client.post(_url("try_again", recording)).status_code == 409


def test_a_quarantined_recording_cannot_be_watched(sign_in, recording, officer):
    services.mark_quarantined(recording)
    response = _page(sign_in(officer), recording)
    assert "In quarantine" in text_of(response)
    assert "<video" not in response.content.decode()
    assert not Viewing.objects.exists()


def test_a_deleted_recording_is_a_tombstone_without_content(sign_in, recording, officer, manager):
    services.add_note(recording, text="Very private remark", by=officer)
    services.mark_deleted(recording)
    response = _page(sign_in(manager), recording)
    assert response.status_code == 200
    text = text_of(response)
    assert "This recording was deleted on" in text
    assert recording.sha256 in text
    assert "Very private remark" not in text
    assert "/media/" not in response.content.decode()


# Saying things of it


def test_flagging_goes_through_the_form_with_category_reason_and_reference(sign_in, recording, officer):
    client = sign_in(officer)
    category = Category.objects.get(code="arrest")
    response = client.post(_url("flag", recording), {"category": category.pk, "reference": "12"})
    assert response.status_code == 422
    text = text_of(response)
    for problem in ("There is a problem", "Say why it is evidence.", "Choose what kind of reference it is."):
        assert problem in text
    given = {
        "category": category.pk,
        "reason": "Arrest at the scene",
        "reference_kind": "cad",
        "reference": "1234/22nov26",
    }
    assert client.post(_url("flag", recording), given).status_code == 302
    text = text_of(_page(client, recording))
    assert "Arrest at the scene" in text
    assert "1234/22NOV26" in text
    assert "Flagged as evidence: Arrest" in text


def test_only_some_release_a_flag(sign_in, recording, officer, manager):
    services.flag(recording, category=Category.objects.get(code="arrest"), reason="x", by=officer)
    assert sign_in(officer).post(_url("release", recording), {"reason": "Mistake"}).status_code == 403
    client = sign_in(manager)
    assert client.post(_url("release", recording), {"reason": ""}).status_code == 422
    assert client.post(_url("release", recording), {"reason": "Mistake"}).status_code == 302
    assert queries.standing_flag(recording) is None
    assert client.post(_url("release", recording), {"reason": "Again"}).status_code == 409


@pytest.mark.parametrize(
    ("at", "expected"), [("0:02", 2000), ("00:00:01.5", 1500), ("", None), ("abc", 422), ("9:99", 422), ("1:00", 422)]
)
def test_a_note_stands_at_the_moment_that_is_written(sign_in, recording, officer, at, expected):
    response = sign_in(officer).post(_url("note", recording), {"text": "He runs", "at": at})
    if expected == 422:
        assert response.status_code == 422
        page = response.content.decode()
        assert "There is a problem" in page
        assert ">He runs</textarea>" in page, "what was typed is not lost"
        assert not recording.notes.exists()
    else:
        assert response.status_code == 302
        assert recording.notes.get().at_ms == expected


def test_what_the_service_refuses_is_said_above_the_form_that_keeps_what_was_typed(sign_in, recording, officer):
    response = sign_in(officer).post(_url("note", recording), {"text": "He runs", "at": "1:00"})
    assert "That moment lies outside the recording. The note was not saved. Choose another" in text_of(response)


@pytest.mark.parametrize("reason", [".", "-", "x", "  ? ", "ab", "…"])
def test_a_reason_that_tells_nothing_opens_nothing(sign_in, recording, manager, reason):
    response = sign_in(manager).post(f"/footage/{recording.pk}/watch/", {"reason": reason})
    assert response.status_code == 422
    assert "Say it in words" in response.content.decode()


def test_what_people_write_is_shown_as_text(sign_in, recording, officer):
    attack = "<script>alert(1)</script>\"'>"
    services.add_note(recording, text=attack, by=officer)
    services.flag(recording, category=Category.objects.get(code="arrest"), reason=attack, by=officer)
    Recording.objects.filter(pk=recording.pk).update(
        place=attack, events=[{"kind": "marker", "at": recording.started_at.isoformat(), "note": attack}]
    )
    client = sign_in(officer)
    for response in (_page(client, recording), client.get("/footage/", {"q": attack})):
        assert attack not in response.content.decode()
        assert "<script>alert" not in response.content.decode()


def test_a_camera_that_noted_thousands_of_events_does_not_make_the_page_endless(sign_in, recording, officer):
    at = recording.started_at.isoformat()
    Recording.objects.update(events=[{"kind": "marker", "at": at, "note": "x" * 50}] * 5000)
    html = _page(sign_in(officer), recording).content.decode()
    assert "4,800 later events" in html
    assert len(html) < 200_000


# Searching


def test_the_results_name_what_is_known_and_show_no_picture_of_others(sign_in, recording, officer, colleague):
    own = prepared(colleague)
    html = sign_in(colleague).get("/footage/").content.decode()
    assert f"/media/poster/{own.pk}" in html
    assert f"/media/poster/{recording.pk}" not in html
    assert "Give a reason to watch" in html
    assert "Goes on" in html
    (event,) = ledger.search(tag="footage.listed")
    assert event.also == (recording.custody_id,)


@pytest.mark.parametrize(
    ("processing", "said"), [("failed", "No picture could be made"), ("keyless", "Encrypted by its device")]
)
def test_nobody_is_invited_to_watch_what_cannot_be_shown(sign_in, officer, colleague, processing, said):
    factories.recording(officer, processing=processing)
    listed = text_of(sign_in(colleague).get("/footage/"))
    assert said in listed
    assert "Give a reason to watch" not in listed


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ({"format": "1", "entry": {}, "signature": "00", "public_key": "00"}, "that the camera gave it"),
        ({"import": 1, "source": "Former system"}, "that was computed here as it was stored"),
        ({"axis": {"system": "Other"}}, "that was computed here as it was stored"),
    ],
)
def test_only_what_a_camera_signed_has_its_hash_from_the_camera(sign_in, officer, manifest, said):
    camera = factories.camera(officer.unit)
    found = factories.recording(officer, camera=camera, processing="failed", manifest=manifest)
    assert f"The original is safe, with the SHA-256 {said}" in text_of(_page(sign_in(officer), found))


def test_wrong_dates_are_explained(sign_in, officer):
    client = sign_in(officer)
    for given in (
        {"since": "2026-11-22", "until": "2026-11-20"},
        {"since": "yesterday"},
        {"since_time": "10:00"},
        {"unit": "999999"},
    ):
        response = client.get("/footage/", given)
        assert response.status_code == 422, given
        assert "There is a problem" in text_of(response)


def test_each_filter_in_use_can_be_taken_away(sign_in, officer, recording):
    html = sign_in(officer).get("/footage/", {"q": "okafor", "flagged": "no"}).content.decode()
    assert 'href="?flagged=no"' in html
    assert 'href="?q=okafor"' in html


def test_an_empty_result_says_what_to_do(sign_in, officer):
    assert "No footage yet" in text_of(sign_in(officer).get("/footage/"))
    assert "Try fewer filters" in text_of(sign_in(officer).get("/footage/", {"q": "zebra"}))


# History


def test_the_wearer_does_not_learn_that_professional_standards_looked(sign_in, recording, officer, standards, manager):
    client = sign_in(standards)
    client.post(_url("watch", recording), {"reason": "Complaint about the officer"})
    client = sign_in(manager)
    client.post(_url("watch", recording), {"reason": "Camera fault"})
    page = _page(sign_in(officer), recording)
    assert "Complaint about the officer" not in text_of(page)
    assert "Fay Stone" not in text_of(page)
    assert "Eve Moor" in text_of(page)
    assert "Camera fault" not in text_of(page)
    page = _page(sign_in(manager), recording)
    assert "Camera fault" in text_of(page)
    page = _page(sign_in(standards), recording)
    assert "Complaint about the officer" in text_of(page)
