"""A recording's history as a story: days, sentences, gaps; what each reader may learn of it; verified at a press."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.test import Client
from psycopg.conninfo import make_conninfo

from bluelamp import custody
from bluelamp.custody import queries as custody_queries
from bluelamp.custody import sequencer
from bluelamp.custody.queries import HistoryItem
from bluelamp.footage import services as footage
from bluelamp.footage.events import RecordingCollected
from bluelamp.footage.models import Recording
from bluelamp.footage.services.viewing import log_refusal
from bluelamp.kernel.transaction import atomic
from bluelamp.oversight import story as telling
from bluelamp.people.models import Organisation
from bluelamp.people.policy import Role
from bluelamp.sharing import services as sharing
from tests import factories, signin
from tests.oversight import story
from tests.pages import text_of

START = datetime(2026, 11, 20, 21, 50, tzinfo=UTC)
NAMES = {"dock:1": "Dock Brixton 2", "person:7": "Kit Marsh (W7)", "person:8": "Ada Wren (W8)"}


@pytest.fixture(autouse=True)
def _mail(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


def facts(**more):
    given = {
        "started_at": START,
        "ended_at": START + timedelta(minutes=12),
        "received_at": START + timedelta(hours=9),
        "wearer": "Olu Bright",
        "camera": "camera BL000123",
        "added_by": "",
        "docked": True,
        "signed": True,
        "clock": "",
        "size": 63_200_000,
        "sha256": "ab12cd34ef56" + "0" * 52,
    }
    return telling.Facts(**{**given, **more})


def item(number, tag, at, actor="person:7", reason="", **details):
    return HistoryItem(number, at, tag, "", actor, "recording:1", (), reason, details, number)


def told(items, discreet=False, **more):
    return telling.tell(items, NAMES, facts(**more), discreet=discreet)


def steps(days):
    return [step for day in days for step in day.steps]


def test_it_begins_with_the_camera_and_goes_day_by_day_in_london():
    days = told(
        [
            item(1, "recording.collected", START + timedelta(hours=9), "dock:1"),
            item(2, "recording.flagged", START + timedelta(hours=10), reason="Assault", category=None),
        ]
    )
    assert [str(day.day) for day in days] == ["2026-11-20", "2026-11-21"]
    first, arrived, flagged = steps(days)
    assert first.text == "Olu Bright recorded it with camera BL000123."
    assert first.notes == ["It lasts 12 min 00 s."]
    assert arrived.notes[0].startswith(
        "63.2 MB, received through Dock Brixton 2. Its fingerprint (SHA-256) begins ab12cd"
    )
    assert flagged.text == "Kit Marsh (W7) marked it as evidence."
    assert (flagged.why, flagged.clock) == ("Assault", "07:50")


def test_the_time_in_the_camera_alone_is_said_and_matters_where_nothing_proves_it():
    arrival = [item(1, "recording.collected", START + timedelta(hours=9), "dock:1")]
    (_, signed) = steps(told(arrival))
    assert signed.gap.startswith("For 8 hours only the camera had it. The camera had signed")
    assert not signed.gap_matters
    (_, unsigned) = steps(told(arrival, signed=False))
    assert unsigned.gap.startswith("For 8 hours only the camera had it. Nothing here proves")
    assert unsigned.gap_matters
    (_, imported) = steps(told(arrival, docked=False))
    assert imported.gap.startswith("For 8 hours it was not here yet. The camera had signed")
    (_, deleted) = steps(told(arrival, signed=None))
    assert deleted.gap == "For 8 hours only the camera had it."
    assert not deleted.gap_matters
    late = told(arrival, received_at=START + timedelta(days=5))
    assert steps(late)[1].gap.startswith("For 4 days only the camera had it.")
    assert steps(late)[1].gap_matters


def test_days_in_which_nothing_happened_are_said_to_whoever_sees_all_of_it_only():
    events = [
        item(1, "recording.collected", START + timedelta(hours=9), "dock:1"),
        item(2, "recording.consulted", START + timedelta(days=11)),
    ]
    assert steps(told(events))[2].gap == "For 10 days nobody opened it, and nothing was done to it."
    assert steps(told(events, discreet=True))[2].gap == ""


def test_a_players_many_ranges_are_one_step_with_what_was_watched():
    at = START + timedelta(days=1)
    opened = item(5, "recording.viewed", at, reason="Statement", viewing="v1", purpose="view", grant="person")
    ranges = [
        item(6 + n, "recording.range_served", at, viewing="v1", from_ms=n * 1000, to_ms=n * 1000 + 1500)
        for n in range(10)
    ]
    (_, step) = steps(told([opened, *ranges]))
    assert step.text == "Kit Marsh (W7) opened it to watch."
    assert step.why == "Statement"
    assert step.notes == ["It was sent from 0:00 to 0:10, approximately."]
    assert step.events == list(range(5, 16))


def test_reading_its_page_again_and_again_is_one_step_a_day():
    reads = [item(n, "recording.consulted", START + timedelta(days=1, minutes=n)) for n in range(1, 4)]
    (_, step) = steps(told(reads))
    assert step.text == "Kit Marsh (W7) read its page, without seeing the pictures."
    assert step.notes == ["3 times that day."]


def test_a_clock_that_was_wrong_is_said_with_how_wrong():
    assert steps(told([], clock="Clock differed; it was 3 minutes slow"))[0].notes[1].endswith("3 minutes slow.")
    assert len(steps(told([]))[0].notes) == 1


@pytest.mark.django_db
def test_the_journey_says_what_is_known_of_the_clock_and_of_the_way(as_auditor, recording, wearer):
    lived(recording, wearer)
    change = Recording.objects.filter(pk=recording.pk).update
    received = recording.ended_at + timedelta(hours=8)
    change(clock_status="unset", received_at=received, manifest={"signature": "s"})
    page = text_of(as_auditor.get(address(recording)))
    assert "Clock was not set, or plainly wrong; the time of arrival is used." in page
    assert "For 8 hours only the camera had it. The camera had signed what it recorded" in page
    change(clock_status="drifting", clock_offset_ms=-180_000, added_by=factories.person(), manifest={"addition": "a"})
    page = text_of(as_auditor.get(address(recording)))
    assert "As stated by whoever added it, its clock was 3 minutes fast" in page
    assert "signed what it recorded" not in page
    change(added_by=None, state="deleted", manifest={})
    page = text_of(as_auditor.get(address(recording)))
    assert "only the camera had it." in page
    assert "Nothing here proves" not in page


def test_an_event_that_nobody_wrote_a_sentence_for_is_told_as_pages_tell_it():
    (_, step) = steps(told([item(1, "recording.unheard_of", START + timedelta(days=1))]))
    assert step.text == "Recording: unheard of."
    assert step.who == "Kit Marsh (W7)"


# On the page


@pytest.fixture
def wearer(db):
    return factories.person(Role.OFFICER, unit=factories.unit("Brixton"), name="Olu Bright")


@pytest.fixture
def recording(wearer):
    return factories.recording(wearer, camera=factories.camera(wearer.unit, serial="BL000777"), sealed=True)


def lived(recording, wearer):
    collected = RecordingCollected(
        actor="dock:1",
        subject=recording.custody_id,
        sha256=recording.sha256,
        size=recording.size,
        camera="BL000777",
        sequence=1,
        started_at=recording.started_at,
        ended_at=recording.ended_at,
        received_at=recording.received_at,
        wearer=wearer.custody_id,
        unit=None,
        incident=None,
        part=1,
        clock_status="good",
        clock_offset_ms=0,
    )
    with atomic():
        custody.record(collected)
    standards = factories.person(Role.PROFESSIONAL_STANDARDS, name="Vera Standards")
    story.opened(recording, standards, reason="Complaint 17/26")
    colleague = factories.person(Role.SUPERVISOR, unit=wearer.unit, name="Kit Marsh")
    story.opened(recording, colleague, reason="Dip sample 44")
    log_refusal(recording, actor=colleague.custody_id, what="media", why="It is locked.")
    story.opened(recording, wearer)


def address(recording):
    return f"/footage/{recording.pk}/history/"


@pytest.mark.django_db
def test_an_auditor_reads_everything_with_links_to_each_proof(as_auditor, recording, wearer):
    lived(recording, wearer)
    page = as_auditor.get(address(recording)).content.decode()
    for words in ("Olu Bright recorded it with camera BL000777.", "Vera Standards", "Complaint 17/26", "Dip sample 44"):
        assert words in page, words
    (opened, *_) = custody_queries.search(tag="recording.viewed")
    assert f"/audit/events/{opened.id}/proof/" in page
    assert f'href="{address(recording)}"' in as_auditor.get(f"/audit/recordings/{recording.pk}/").content.decode()


@pytest.mark.django_db
def test_the_wearer_learns_who_watched_but_neither_why_nor_that_standards_did(signed_in, recording, wearer):
    lived(recording, wearer)
    page = signed_in(wearer).get(address(recording)).content.decode()
    assert "Kit Marsh" in page
    for secret in ("Vera Standards", "Complaint 17/26", "Dip sample 44", "nobody opened it"):
        assert secret not in page, secret
    assert "some events may be left out" in page


@pytest.mark.django_db
def test_the_wearer_is_not_told_that_a_body_which_looks_into_officers_was_given_it(signed_in, recording, wearer):
    detective = factories.person(Role.BWV_MANAGER)
    footage.flag(recording, category=factories.category(), reason="Assault", by=detective)
    for name, kind in (("Conduct Office", Organisation.Kind.OTHER), ("CPS London", Organisation.Kind.CPS)):
        body = Organisation.objects.create(name=name, kind=kind, email_domains=["body.example"])
        sharing.share(
            recording, name=f"Jo of {name}", email=f"jo{kind}@body.example", organisation=body, summary="S",
            urn="01ab1", may_download=False, days=9, by=detective,
        )  # fmt: skip
    mine = signed_in(wearer).get(address(recording)).content.decode()
    assert mine.count("gave somebody outside the force leave") == 1
    assert "Conduct Office" not in mine
    audited = signed_in(factories.person(Role.AUDITOR)).get(address(recording)).content.decode()
    assert audited.count("gave somebody outside the force leave") == 2


@pytest.mark.django_db
def test_whoever_may_not_read_the_history_is_refused_and_that_is_recorded(signed_in, recording):
    stranger = factories.person(Role.OFFICER, unit=factories.unit())
    client = signed_in(stranger)
    for ask in (client.get, client.post):
        assert ask(address(recording)).status_code == 403
    assert custody_queries.count("access.refused") == 2
    assert custody_queries.count("ledger.verified") == 0
    assert signed_in(factories.person(Role.OPERATOR)).get(address(recording)).status_code == 403
    assert Client().get(address(recording)).status_code == 302
    assert Client().post(address(recording)).status_code == 302


@pytest.mark.django_db
def test_verify_now_proves_every_event_of_the_story_and_is_recorded(as_auditor, auditor, recording, wearer):
    lived(recording, wearer)
    assert "Nothing can be verified yet" in as_auditor.post(address(recording)).content.decode()
    sequencer.drain()
    page = as_auditor.post(address(recording)).content.decode()
    assert "in the ledger exactly as written" in page
    assert "Evidence of tampering" not in page
    (said,) = [one for one in custody_queries.history(recording.custody_id) if one.tag == "ledger.verified"]
    assert (said.actor, said.details["problems"]) == (auditor.custody_id, 0)


def test_verify_now_names_the_event_that_was_changed(committed_db, postgres):
    url = make_conninfo(postgres.url("admin"), dbname=psycopg.conninfo.conninfo_to_dict(committed_db)["dbname"])
    wearer = factories.person(Role.OFFICER, unit=factories.unit(), name="Olu Bright")
    recording = factories.recording(wearer, sealed=True)
    lived(recording, wearer)
    sequencer.drain()
    client = Client()
    signin.quickly(client, factories.person(Role.AUDITOR))
    bad, *_ = custody_queries.search(tag="recording.viewed")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE custody_detail SET stored = set_byte(stored, 20, 7) WHERE event_id = %s", [bad.id])
    page = client.post(address(recording)).content.decode()
    assert "Evidence of tampering" in page
    assert f"Event {bad.id:,}</a>: What it says is not what was recorded." in page


@pytest.mark.django_db
def test_verify_now_reads_the_stored_file_as_well(as_auditor, recording):
    from bluelamp.oversight.models import Finding
    from bluelamp.vault.stores import get_store

    page = as_auditor.post(address(recording)).content.decode()
    assert "The stored file was read just now, all 22 bytes of it" in page
    get_store().delete(recording.original)
    page = as_auditor.post(address(recording)).content.decode()
    assert "The stored file is not what was sealed" in page
    assert Finding.objects.get(ended_at=None).recording_id == recording.pk
    assert as_auditor.get(address(recording)).status_code == 200


@pytest.mark.django_db
def test_a_stored_file_too_large_to_wait_for_is_told_when_it_was_read(as_auditor, recording, monkeypatch):
    from bluelamp.oversight import history_views, services

    monkeypatch.setattr(history_views, "MOST_READ_AT_ONCE", 1)
    assert "too large to be read while you wait" in as_auditor.post(address(recording)).content.decode()
    services.check_fixity(everything=True)
    assert "was last read and found whole" in as_auditor.post(address(recording)).content.decode()


@pytest.mark.django_db
def test_what_is_counted_for_the_wearer_does_not_betray_what_is_hidden(signed_in, recording, wearer):
    lived(recording, wearer)
    sequencer.drain()
    page = signed_in(wearer).post(address(recording)).content.decode()
    hidden = [item for item in custody_queries.history(recording.custody_id) if "17/26" in item.reason]
    shown = len([i for i in custody_queries.history(recording.custody_id) if i.leaf is not None]) - len(hidden)
    assert f"All {shown} events behind these steps" in page


# Who looked at my footage


@pytest.mark.django_db
def test_an_officer_sees_who_opened_their_footage_and_when(signed_in, recording, wearer):
    lived(recording, wearer)
    other = factories.recording(factories.person(Role.OFFICER, unit=wearer.unit))
    story.opened(other, factories.person(Role.SUPERVISOR, unit=wearer.unit, name="Pat Elsewhere"), reason="x")
    page = signed_in(wearer).get("/footage/mine/who-looked/").content.decode()
    assert "Kit Marsh" in page
    assert "They gave a reason" in page
    for hidden in ("Vera Standards", "Complaint 17/26", "Dip sample 44", "Pat Elsewhere"):
        assert hidden not in page, hidden
    (said,) = custody_queries.search(tag="ledger.consulted", limit=1)
    assert (said.details["page"], said.details["shown"]) == ("who looked at mine", 1)


@pytest.mark.django_db
def test_somebody_who_left_professional_standards_since_stays_hidden(signed_in, recording, wearer):
    from bluelamp.people import services as people

    manager = factories.person(Role.BWV_MANAGER)
    moved = factories.person(Role.OFFICER, unit=wearer.unit, name="Mo Moved")
    people.set_roles(moved, [Role.PROFESSIONAL_STANDARDS], actor=manager.custody_id, reason="Posted")
    story.opened(recording, moved, reason="Inquiry")
    people.set_roles(moved, [Role.OFFICER], actor=manager.custody_id, reason="Moved")
    moved.refresh_from_db()
    assert moved.roles == [Role.OFFICER.value]
    for page in ("/footage/mine/who-looked/", address(recording)):
        assert "Mo Moved" not in signed_in(wearer).get(page).content.decode(), page


@pytest.mark.django_db
def test_what_is_opened_while_a_recording_is_locked_is_not_told(signed_in, recording, wearer):
    manager = factories.person(Role.POST_INCIDENT_MANAGER, name="Pim Manager")
    early = factories.person(Role.SUPERVISOR, unit=wearer.unit, name="Early Bird")
    story.opened(recording, early, reason="x")
    footage.lock(recording, reason="Death in custody", by=manager)
    recording.refresh_from_db()
    story.opened(recording, manager, reason="Release?")
    page = signed_in(wearer).get("/footage/mine/who-looked/").content.decode()
    assert "Early Bird" in page
    assert "Pim Manager" not in page


@pytest.mark.django_db
def test_somebody_without_footage_is_told_that_there_is_nothing(signed_in):
    page = signed_in(factories.person(Role.AUDITOR)).get("/footage/mine/who-looked/").content.decode()
    assert "Nobody else has opened your footage" in page
    assert Client().get("/footage/mine/who-looked/").status_code == 302
