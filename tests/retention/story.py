"""A force in which retention has work: footage of every age, edits held back, holds due, changes proposed."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

from bluelamp.cases import services as cases
from bluelamp.cases.services.subjects import today
from bluelamp.footage import services as footage
from bluelamp.footage.models import Category, Recording
from bluelamp.kernel import clock
from bluelamp.people.models import Unit
from bluelamp.people.policy import Role
from bluelamp.retention import queries, services
from bluelamp.retention.models import Hold
from bluelamp.retention.rules import MopiGroup, Stage, calendar
from bluelamp.retention.terms import Terms
from tests import factories, signin
from tests.cases.outcomes import ago, grouped, happened

DAY = timedelta(days=1)
PASSWORD = "a lamp in the fog 1829"


def empty_force() -> dict[str, str]:
    """Nothing recorded yet; returns the manager's sign-in. Runs in a child process of a live server."""
    factories.unit("Bluelamp Constabulary", kind=Unit.Kind.FORCE)
    return _sign_in(factories.person(Role.BWV_MANAGER, name="Mo Manager"))


def work() -> dict[str, str]:
    """Adds the work to the empty force; returns the ids of what to look at, and a second person's sign-in."""
    # This is another process than the one that made the empty force; its numbers begin anew.
    factories._numbers = itertools.count(100)
    unit = factories.unit("Northgate", kind=Unit.Kind.BOROUGH)
    officer = factories.person(Role.OFFICER, unit=unit, name="PC Ola Hale")
    manager = Role.BWV_MANAGER
    editor = factories.person(manager, name="Ed Itor")
    recordings = [_recording(officer, hours, size=(300 + 7 * hours % 900) * 1_000) for hours in range(3, 720, 11)]
    for number, recording in enumerate(recordings[:9]):
        for code in ("violent_offence", "stop_search") if number % 3 else ("arrest",):
            footage.flag(recording, category=Category.objects.get(code=code), reason="Evidence", by=editor)
    for number, recording in enumerate(recordings[10:22]):
        kind = (Hold.Kind.COMPLAINT, Hold.Kind.LEGAL, Hold.Kind.FOI)[number % 3]
        owner = "role:rights_officer" if number % 2 else ""
        services.place_hold(recording, kind, f"Matter {number} of 2026", "", editor.custody_id, owner=owner)
    Hold.objects.filter(recording__in=[each.pk for each in recordings[10:18]]).update(review_at=clock.now() - DAY)
    now = Terms.from_json(queries.latest_version().terms)
    longer = services.propose_policy(
        replace(now, longest_extension_days=365),
        effective_at=clock.now(),
        reason="Nobody needs seven years at a time.",
        actor=editor.custody_id,
    )
    services.approve_policy(longer.pk, reason="", actor=editor.custody_id)
    services.carry_out_policy()
    now = Terms.from_json(queries.latest_version().terms)
    shorter = replace(now, default_days=14, special={"training": 10}, keep={**now.keep, "arrest": 31})
    proposal = services.propose_policy(
        shorter, effective_at=clock.now(), reason="The board wants less kept (minute 17/26).", actor=editor.custody_id
    )
    second = factories.person(Role.PROFESSIONAL_STANDARDS, name="Pat Standards")
    of_flag = queries.shortenings()[0]
    _corrected_case(recordings[31])
    return {
        "proposal": str(proposal.pk),
        "shortening": str(of_flag.pk),
        "correction": str(queries.shortenings(cause="case").get().pk),
        "hold": str(queries.holds_due()[0].pk),
        "plain": str(recordings[30].pk),
        **_sign_in(second),
    }


def what_checks_find() -> list[str]:
    """What the checks that run by themselves on a live server would log as errors, whichever of them comes by."""
    from bluelamp.oversight import services as oversight

    runs = (oversight.check_fixity(everything=True), oversight.check_presence(), oversight.check_keys())
    return [problem for run in runs if run for problem in run.problems]


def _corrected_case(recording: Recording) -> None:
    """A closed case in which a date of release was corrected to an earlier one."""
    detective = factories.person(Role.INVESTIGATOR, name="DC Iris Dawn")
    case = cases.open_case("Lantern", opened_by=detective)
    cases.add_recording(case, recording, actor=detective, reason="Shows the arrest")
    subject = cases.add_subject(case, "Custody 12/26", actor=detective)
    happened(subject, Stage.CONVICTED, ago(1), custodial=True, released_on=today() + 900 * DAY)
    grouped(subject, MopiGroup.SERIOUS, clear_from=calendar.add_years(ago(3), -10), reason="Robbery")
    cases.close_case(case, actor=detective, outcome="Convicted")
    released = today() + 300 * DAY
    happened(subject, Stage.CONVICTED, ago(1), custodial=True, released_on=released, reason="Misread the warrant")


def _recording(officer, hours: int, size: int) -> Recording:
    """Footage that really stands in the vault: the live server reads what is stored whenever it likes."""
    started = clock.now() - timedelta(hours=hours)
    recording = factories.recording(
        officer,
        started_at=started,
        received_at=started + timedelta(hours=2),
        content=bytes(size),
        sealed=True,
        due_at=None,
        due_rule="",
    )
    services.recompute(recording)
    return Recording.objects.get(pk=recording.pk)


def _sign_in(person) -> dict[str, str]:
    from bluelamp.people import services as people

    people.set_own_password(person, PASSWORD)
    return {"username": person.username, "password": PASSWORD, "totp_secret": signin.secret_of(person)}
