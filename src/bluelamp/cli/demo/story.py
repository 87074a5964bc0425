"""What happens to the footage: watched, flagged, brought into a case, shared, asked for, and past day 31."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from django.db import connection

from bluelamp.cases import services as cases
from bluelamp.cases.models import Case
from bluelamp.cli.demo.browser import Browser, Mail
from bluelamp.cli.demo.force import Account, Force
from bluelamp.footage import services as footage
from bluelamp.footage.models import Category, Recording
from bluelamp.kernel import clock
from bluelamp.people.policy import Role
from bluelamp.retention import services as retention
from bluelamp.retention.models import Hold
from bluelamp.rights.models import Request
from bluelamp.sharing import services as sharing
from bluelamp.sharing.models import Share

Say = Callable[[str], None]

PROSECUTOR = ("Jonathan Reid", "j.reid@cps.example")
REQUESTER = ("Mary Whitfield", "mary.whitfield@mail.example")

_FLAGS = (
    ("violent_offence", "Assault on emergency worker, suspect identified in the footage", "crime", "3312345/26"),
    ("stop_search", "Stop and search with a find", "stop_search", "SS-88213"),
    ("domestic_abuse", "First account of the victim", "crime", "3312388/26"),
    ("use_of_force", "Restraint on the ground", "use_of_force", "UOF-5521"),
    ("traffic", "Drink drive, breath test refused", "cad", "4417/21NOV26"),
    ("arrest", "Arrest for burglary", "custody", "NG/26/9917"),
)


@dataclass
class Told:
    """What the story made, by id."""

    recording: Recording
    case: Case
    share: Share
    request: Request
    watched: int


def wait_until_prepared(count: int, say: Say, seconds: float = 150) -> int:
    """Wait until every recording's poster and facts are there; returns how many are ready."""
    deadline = time.monotonic() + seconds
    while True:
        ready = Recording.objects.filter(processing=Recording.Processing.READY).count()
        waiting = Recording.objects.filter(processing=Recording.Processing.WAITING).count()
        if ready >= count or not waiting or time.monotonic() > deadline:
            return ready
        say(f"  {ready} of {count} prepared for viewing")
        connection.close()
        time.sleep(2)


def tell(force: Force, base_url: str, data: Path, say: Say) -> Told:
    """Everything that people do in the first days."""
    mail = Mail(data / "mail")
    watched = _officer_watches(force, base_url, say)
    flagged = _flag(force, say)
    case = _open_case(force, flagged, say)
    share, by_prosecutor = _share(force, case, flagged[0], base_url, mail, say)
    request = _ask(force, base_url, mail, say)
    _complain(force, say)
    return Told(flagged[0], case, share, request, watched + by_prosecutor)


def let_days_pass(say: Say) -> None:
    """Move the clock past day 31, in steps, so that quarantine comes before deletion."""
    for days in (20, 7, 2, 1, 1, 1):
        clock.advance(timedelta(days=days))
        retention.sweep(clock.now())
        left = Recording.objects.filter(state=Recording.State.LIVE).count()
        quarantined = Recording.objects.filter(state=Recording.State.QUARANTINED).count()
        gone = Recording.objects.filter(state=Recording.State.DELETED).count()
        say(f"  {clock.now():%d %B %Y}: {left} kept, {quarantined} in quarantine, {gone} deleted")


def _account(force: Force, role: Role) -> Account:
    return next(account for account in force.accounts if account.role == role.value)


def _officer_watches(force: Force, base_url: str, say: Say) -> int:
    officer = force.officers[0]
    own = Recording.objects.filter(wearer=officer, processing=Recording.Processing.READY).order_by("started_at").first()
    if own is None:
        raise RuntimeError("The first officer's recording was not prepared")
    browser = Browser(base_url)
    browser.sign_in(_account(force, Role.OFFICER))
    received = browser.watch(browser.get(f"/footage/{own.pk}/"))
    say(f"  {officer.name} watched an own recording: {received:,} bytes in ranges")
    return 1


def _flag(force: Force, say: Say) -> list[Recording]:
    recordings = list(Recording.objects.order_by("camera__serial", "started_at"))[::5]
    flagged = []
    for recording, (code, reason, kind, value) in zip(recordings, _FLAGS, strict=False):
        category = Category.objects.get(code=code)
        officer = recording.wearer
        if officer is None:
            continue
        footage.add_reference(recording, kind=kind, value=value, by=officer)
        footage.flag(recording, category=category, reason=reason, by=officer)
        recording.refresh_from_db()
        flagged.append(recording)
    footage.add_note(
        flagged[0], text="Suspect's face is clearest here.", by=flagged[0].wearer or force.officers[0], at_ms=2000
    )
    say(f"  {len(flagged)} recordings flagged as evidence")
    return flagged


def _open_case(force: Force, flagged: list[Recording], say: Say) -> Case:
    detective = force.staff[Role.INVESTIGATOR]
    case = cases.open_case("Operation Lantern", opened_by=detective, urn="01BC1234526", crime_reference="3312345/26")
    for recording in flagged[:2]:
        cases.add_recording(case, recording, actor=detective, reason="Shows the suspect")
    cases.add_member(case, force.officers[0], role="investigator", actor=detective)
    say(f"  {detective.name} opened {case.name} with two recordings")
    return case


def _share(force: Force, case: Case, recording: Recording, base_url: str, mail: Mail, say: Say) -> tuple[Share, int]:
    name, email = PROSECUTOR
    share = sharing.share(
        recording,
        name=name,
        email=email,
        organisation=force.cps,
        summary="The assault outside the station; the suspect's face from the second minute on.",
        urn=case.urn,
        may_download=True,
        days=180,
        by=force.staff[Role.INVESTIGATOR],
        case=case,
    )
    browser = Browser(base_url)
    link = mail.newest_to(email, r"(http\S+/share/invitation/\S+)")
    page = browser.submit(link, {})
    page = browser.submit(page, {"code": mail.newest_to(email, r"one-time code is (\d{6})")})
    page = browser.submit(page, {})
    received = browser.watch(page)
    browser.submit(page, {}, to=f"/share/{share.pk}/acknowledge/")
    say(f"  {name} (CPS) opened the share and watched: {received:,} bytes")
    return share, 1


def _ask(force: Force, base_url: str, mail: Mail, say: Say) -> Request:
    name, email = REQUESTER
    unflagged = (
        Recording.objects.filter(flags=None, unit=force.units[4]).order_by("started_at").first()
        or Recording.objects.filter(flags=None).order_by("started_at").first()
    )
    if unflagged is None or unflagged.unit is None:
        raise RuntimeError("There is no unflagged recording to ask for")
    begins = (unflagged.started_at - timedelta(minutes=10)).astimezone(ZoneInfo("Europe/London"))
    ends = begins + timedelta(minutes=40)
    browser = Browser(base_url)
    page = browser.submit(
        "/public/ask/",
        {
            "kind": "subject_access",
            "name": name,
            "email": email,
            "borough": str(unflagged.unit.parent_id),
            "place": "Outside the railway station",
            "day": f"{begins:%Y-%m-%d}",
            "from_time": f"{begins:%H:%M}",
            "until_time": f"{ends:%H:%M}",
            "role": "stopped",
            "clothing": "Yellow raincoat",
            "proof_photo": "passport",
            "proof_other": "utility bill",
        },
    )
    if "/public/asked/" not in str(page.url):
        raise RuntimeError("The public form was not accepted")
    browser.submit(mail.newest_to(email, r"(http\S+/public/confirm/\S+)"), {})
    request = Request.objects.get(email=email)
    say(f"  {name} asked for footage ({request.reference}): {request.matches.count()} recordings held")
    return request


def _complain(force: Force, say: Say) -> None:
    recording = Recording.objects.filter(flags=None, holds=None).order_by("-started_at").first()
    if recording is None:
        return
    standards = force.staff[Role.PROFESSIONAL_STANDARDS]
    retention.place_hold(
        recording, Hold.Kind.COMPLAINT, "Complaint about manner received by telephone", "", standards.custody_id
    )
    say("  Professional standards held one recording for a complaint")
