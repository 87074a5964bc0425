"""Who may do what, in tables that a person can read and check against the force's policy.

Columns are roles: OFF front-line officer, SUP supervisor, BWV body-worn video manager, INV investigator, RIG
information rights officer, PSD professional standards, PIM post-incident manager, AUD auditor, OPR operator.

    yes   allowed
    why   allowed, but only with a stated reason
    -     refused

The tables are written by hand from the force's rules, not made from the code. Everybody in them has one role,
and, where it matters, a unit: the officer's and the supervisor's is the unit named in the table's title.
"""

from __future__ import annotations

import pytest

from bluelamp.people.policy import RECORDING_ACTIONS, Action, Actor, Role, Thing, may, watches

COLUMNS = {
    "OFF": Role.OFFICER,
    "SUP": Role.SUPERVISOR,
    "BWV": Role.BWV_MANAGER,
    "INV": Role.INVESTIGATOR,
    "RIG": Role.RIGHTS_OFFICER,
    "PSD": Role.PROFESSIONAL_STANDARDS,
    "PIM": Role.POST_INCIDENT_MANAGER,
    "AUD": Role.AUDITOR,
    "OPR": Role.OPERATOR,
}

INSTALLATION = """
                   OFF  SUP  BWV  INV  RIG  PSD  PIM  AUD  OPR
search             yes  yes  yes  yes  yes  yes  yes  -    -
add_footage        yes  yes  yes  yes  -    yes  -    -    -
manage_cases       -    -    -    yes  -    yes  -    -    -
view_fleet         -    yes  yes  -    -    -    -    yes  yes
manage_fleet       -    -    yes  -    -    -    -    -    -
view_people        -    yes  yes  -    -    yes  -    yes  yes
manage_people      -    -    yes  -    -    -    -    -    -
view_requests      -    -    -    -    yes  yes  -    yes  -
handle_requests    -    -    -    -    yes  -    -    -    -
view_oversight     -    yes  yes  -    yes  yes  -    yes  yes
accept_losses      -    -    yes  -    -    yes  -    -    -
view_audit         -    -    -    -    -    yes  -    yes  -
erase_details      -    -    -    -    yes  yes  -    -    -
view_policy        yes  yes  yes  yes  yes  yes  yes  yes  yes
manage_policy      -    -    yes  -    yes  -    -    -    -
approve_policy     -    -    yes  -    yes  yes  -    -    -
review_retention   -    -    yes  -    yes  yes  -    -    -
"""

# A supervisor assigns cameras of the own units and those below; the manager all of them.
CAMERA_OF_MY_UNIT = """
                   OFF  SUP  BWV  INV  RIG  PSD  PIM  AUD  OPR
issue_camera       -    yes  yes  -    -    -    -    -    -
"""

CAMERA_OF_ANOTHER_UNIT = """
                   OFF  SUP  BWV  INV  RIG  PSD  PIM  AUD  OPR
issue_camera       -    -    yes  -    -    -    -    -    -
"""

# Own footage is watched without a reason, whatever the role. Nobody ends the keeping of own footage as such.
MY_OWN_RECORDING = """
                   OFF  SUP  BWV  INV  RIG  PSD  PIM  AUD  OPR
watch              yes  yes  yes  yes  yes  yes  yes  yes  yes
view_facts         yes  yes  yes  yes  yes  yes  yes  yes  yes
flag               yes  yes  yes  yes  yes  yes  yes  yes  yes
note               yes  yes  yes  yes  yes  yes  yes  yes  yes
extend             yes  yes  yes  yes  yes  yes  yes  yes  yes
view_history       yes  yes  yes  yes  yes  yes  yes  yes  yes
release            -    -    yes  -    -    yes  -    -    -
hold               -    -    yes  -    yes  yes  -    -    -
lock               -    -    -    -    -    yes  yes  -    -
unlock             -    -    -    -    -    -    -    -    -
share              -    -    yes  -    -    -    -    -    -
"""

# A colleague of the same unit, or of one below it, recorded it.
OF_MY_UNIT = """
                   OFF  SUP  BWV  INV  RIG  PSD  PIM  AUD  OPR
watch              why  why  why  why  why  why  why  -    -
view_facts         yes  yes  yes  yes  yes  yes  yes  yes  -
flag               -    yes  yes  yes  -    yes  -    -    -
note               -    yes  -    yes  yes  yes  -    -    -
extend             -    yes  yes  yes  yes  yes  -    -    -
view_history       -    yes  yes  yes  yes  yes  -    yes  -
release            -    -    yes  -    -    yes  -    -    -
hold               -    -    yes  -    yes  yes  -    -    -
lock               -    -    -    -    -    yes  yes  -    -
unlock             -    -    -    -    -    -    yes  -    -
share              -    -    yes  -    -    -    -    -    -
"""

OF_ANOTHER_UNIT = """
                   OFF  SUP  BWV  INV  RIG  PSD  PIM  AUD  OPR
watch              -    -    why  why  why  why  why  -    -
view_facts         -    -    yes  yes  yes  yes  yes  yes  -
flag               -    -    yes  yes  -    yes  -    -    -
note               -    -    -    yes  yes  yes  -    -    -
extend             -    -    yes  yes  yes  yes  -    -    -
view_history       -    -    yes  yes  yes  yes  -    yes  -
release            -    -    yes  -    -    yes  -    -    -
hold               -    -    yes  -    yes  yes  -    -    -
lock               -    -    -    -    -    yes  yes  -    -
unlock             -    -    -    -    -    -    yes  -    -
share              -    -    yes  -    -    -    -    -    -
"""

# Another unit recorded it, and the person has a role in a case that it belongs to.
IN_MY_CASE = """
                   OFF  SUP  BWV  INV  RIG  PSD  PIM  AUD  OPR
watch              yes  yes  yes  yes  yes  yes  yes  yes  yes
view_facts         yes  yes  yes  yes  yes  yes  yes  yes  yes
flag               yes  yes  yes  yes  yes  yes  yes  yes  yes
note               yes  yes  yes  yes  yes  yes  yes  yes  yes
extend             yes  yes  yes  yes  yes  yes  yes  yes  yes
view_history       yes  yes  yes  yes  yes  yes  yes  yes  yes
release            -    -    yes  -    -    yes  -    -    -
hold               -    -    yes  -    yes  yes  -    -    -
lock               -    -    -    -    -    yes  yes  -    -
unlock             -    -    -    -    -    -    yes  -    -
share              yes  yes  yes  yes  yes  yes  yes  yes  yes
"""

# I added it: CCTV, say, that nobody of the force recorded. It is not own footage, so it is watched with a reason.
THAT_I_ADDED = """
                   OFF  SUP  BWV  INV  RIG  PSD  PIM  AUD  OPR
watch              why  why  why  why  why  why  why  -    -
view_facts         yes  yes  yes  yes  yes  yes  yes  yes  yes
flag               yes  yes  yes  yes  yes  yes  yes  yes  yes
note               yes  yes  yes  yes  yes  yes  yes  yes  yes
extend             yes  yes  yes  yes  yes  yes  yes  yes  yes
view_history       yes  yes  yes  yes  yes  yes  yes  yes  yes
release            -    -    yes  -    -    yes  -    -    -
hold               -    -    yes  -    yes  yes  -    -    -
lock               -    -    -    -    -    yes  yes  -    -
unlock             -    -    -    -    -    -    yes  -    -
share              -    -    yes  -    -    -    -    -    -
"""

# After a death or serious injury: neither the wearer, nor supervisors, nor anybody but the post-incident manager.
LOCKED_MY_OWN = """
                   OFF  SUP  BWV  INV  RIG  PSD  PIM  AUD  OPR
watch              -    -    -    -    -    -    -    -    -
view_facts         yes  yes  yes  yes  yes  yes  yes  yes  yes
flag               yes  yes  yes  yes  yes  yes  yes  yes  yes
note               yes  yes  yes  yes  yes  yes  yes  yes  yes
extend             yes  yes  yes  yes  yes  yes  yes  yes  yes
view_history       yes  yes  yes  yes  yes  yes  yes  yes  yes
release            -    -    yes  -    -    yes  -    -    -
hold               -    -    yes  -    yes  yes  -    -    -
lock               -    -    -    -    -    yes  yes  -    -
unlock             -    -    -    -    -    -    -    -    -
share              -    -    -    -    -    -    -    -    -
"""

LOCKED_OF_MY_UNIT = """
                   OFF  SUP  BWV  INV  RIG  PSD  PIM  AUD  OPR
watch              -    -    -    -    -    -    why  -    -
view_facts         yes  yes  yes  yes  yes  yes  yes  yes  -
flag               -    yes  yes  yes  -    yes  -    -    -
note               -    yes  -    yes  yes  yes  -    -    -
extend             -    yes  yes  yes  yes  yes  -    -    -
view_history       -    yes  yes  yes  yes  yes  -    yes  -
release            -    -    yes  -    -    yes  -    -    -
hold               -    -    yes  -    yes  yes  -    -    -
lock               -    -    -    -    -    yes  yes  -    -
unlock             -    -    -    -    -    -    yes  -    -
share              -    -    -    -    -    -    -    -    -
"""

LOCKED_IN_MY_CASE = """
                   OFF  SUP  BWV  INV  RIG  PSD  PIM  AUD  OPR
watch              -    -    -    -    -    -    why  -    -
view_facts         yes  yes  yes  yes  yes  yes  yes  yes  yes
flag               yes  yes  yes  yes  yes  yes  yes  yes  yes
note               yes  yes  yes  yes  yes  yes  yes  yes  yes
extend             yes  yes  yes  yes  yes  yes  yes  yes  yes
view_history       yes  yes  yes  yes  yes  yes  yes  yes  yes
release            -    -    yes  -    -    yes  -    -    -
hold               -    -    yes  -    yes  yes  -    -    -
lock               -    -    -    -    -    yes  yes  -    -
unlock             -    -    -    -    -    -    yes  -    -
share              -    -    -    -    -    -    yes  -    -
"""

# The post-incident manager released it to this person by name; it is the person's own recording.
LOCKED_MY_OWN_BUT_RELEASED_TO_ME = """
                   OFF  SUP  BWV  INV  RIG  PSD  PIM  AUD  OPR
watch              why  why  why  why  why  why  why  why  why
view_facts         yes  yes  yes  yes  yes  yes  yes  yes  yes
flag               yes  yes  yes  yes  yes  yes  yes  yes  yes
note               yes  yes  yes  yes  yes  yes  yes  yes  yes
extend             yes  yes  yes  yes  yes  yes  yes  yes  yes
view_history       yes  yes  yes  yes  yes  yes  yes  yes  yes
release            -    -    yes  -    -    yes  -    -    -
hold               -    -    yes  -    yes  yes  -    -    -
lock               -    -    -    -    -    yes  yes  -    -
unlock             -    -    -    -    -    -    -    -    -
share              -    -    yes  -    -    -    -    -    -
"""

# Released by name to somebody of another unit without a role in its case: to watch, and to nothing else.
LOCKED_OF_ANOTHER_UNIT_BUT_RELEASED_TO_ME = """
                   OFF  SUP  BWV  INV  RIG  PSD  PIM  AUD  OPR
watch              why  why  why  why  why  why  why  why  why
view_facts         -    -    yes  yes  yes  yes  yes  yes  -
flag               -    -    yes  yes  -    yes  -    -    -
note               -    -    -    yes  yes  yes  -    -    -
extend             -    -    yes  yes  yes  yes  -    -    -
view_history       -    -    yes  yes  yes  yes  -    yes  -
release            -    -    yes  -    -    yes  -    -    -
hold               -    -    yes  -    yes  yes  -    -    -
lock               -    -    -    -    -    yes  yes  -    -
unlock             -    -    -    -    -    -    yes  -    -
share              -    -    yes  -    -    -    -    -    -
"""

# Whoever made a share, or has a role in its case, can end it; a lock or the case's end takes that from nobody.
A_SHARE_OF_MINE = """
                   OFF  SUP  BWV  INV  RIG  PSD  PIM  AUD  OPR
revoke_share       yes  yes  yes  yes  yes  yes  yes  yes  yes
"""

A_SHARE_OF_OTHERS = """
                   OFF  SUP  BWV  INV  RIG  PSD  PIM  AUD  OPR
revoke_share       -    -    yes  -    -    yes  -    -    -
"""

ME, COLLEAGUE, MY_UNIT, OTHER_UNIT = 7, 8, 70, 80


def recording(**facts: object) -> Thing:
    return Thing("recording:1", **{"wearer": COLLEAGUE, "unit": OTHER_UNIT, **facts})


SITUATIONS: dict[str, tuple[Thing | None, str]] = {
    "the installation": (None, INSTALLATION),
    "a camera of my unit": (Thing("camera:X1", unit=MY_UNIT), CAMERA_OF_MY_UNIT),
    "a camera of another unit": (Thing("camera:X1", unit=OTHER_UNIT), CAMERA_OF_ANOTHER_UNIT),
    "a share that I made": (Thing("share:1", maker=ME), A_SHARE_OF_MINE),
    "a share that I made, its footage locked": (Thing("share:1", maker=ME, locked=True), A_SHARE_OF_MINE),
    "a share in my case": (Thing("share:1", maker=COLLEAGUE, members=frozenset({ME})), A_SHARE_OF_MINE),
    "a share in my case, its footage locked": (
        Thing("share:1", maker=COLLEAGUE, members=frozenset({ME}), locked=True),
        A_SHARE_OF_MINE,
    ),
    "a share of others": (Thing("share:1", maker=COLLEAGUE), A_SHARE_OF_OTHERS),
    "a share of others of my own footage": (Thing("share:1", maker=COLLEAGUE, wearer=ME), A_SHARE_OF_OTHERS),
    "a share of others, its footage locked": (Thing("share:1", maker=COLLEAGUE, locked=True), A_SHARE_OF_OTHERS),
    "my own recording": (recording(wearer=ME, unit=MY_UNIT), MY_OWN_RECORDING),
    "a recording of my unit": (recording(unit=MY_UNIT), OF_MY_UNIT),
    "a recording of another unit": (recording(), OF_ANOTHER_UNIT),
    "a recording in my case": (recording(members=frozenset({ME})), IN_MY_CASE),
    "a recording that I added": (recording(wearer=None, adder=ME), THAT_I_ADDED),
    "locked, my own": (recording(wearer=ME, unit=MY_UNIT, locked=True), LOCKED_MY_OWN),
    "locked, of my unit": (recording(unit=MY_UNIT, locked=True), LOCKED_OF_MY_UNIT),
    "locked, in my case": (recording(members=frozenset({ME}), locked=True), LOCKED_IN_MY_CASE),
    "locked, my own, released to me": (
        recording(wearer=ME, unit=MY_UNIT, locked=True, released_to=frozenset({ME})),
        LOCKED_MY_OWN_BUT_RELEASED_TO_ME,
    ),
    "locked, of another unit, released to me": (
        recording(locked=True, released_to=frozenset({ME})),
        LOCKED_OF_ANOTHER_UNIT_BUT_RELEASED_TO_ME,
    ),
}


def read(table: str) -> dict[tuple[Action, Role], str]:
    head, *rows = [line.split() for line in table.strip().splitlines()]
    assert head == list(COLUMNS)
    return {(Action(row[0]), COLUMNS[column]): cell for row in rows for column, cell in zip(head, row[1:], strict=True)}


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("role", Role)
def test_everybody_may_do_what_the_table_says_and_nothing_else(situation: str, role: Role) -> None:
    thing, table = SITUATIONS[situation]
    me = Actor(id=ME, roles=frozenset({role}), units=frozenset({MY_UNIT}))
    for (action, column), expected in read(table).items():
        if column is role:
            decision = may(me, action, thing)
            answer = ("why" if decision.needs_reason else "yes") if decision.allowed else "-"
            assert answer == expected, f"{role} / {action} / {situation}: {decision.why}"
            assert decision.why


def test_the_tables_speak_of_every_role_and_every_action() -> None:
    assert set(COLUMNS.values()) == set(Role)
    for situation, (thing, table) in SITUATIONS.items():
        actions = {action for action, _ in read(table)}
        if thing is None:
            assert actions == set(Action) - RECORDING_ACTIONS - {Action.ISSUE_CAMERA, Action.REVOKE_SHARE}
        elif "camera" in situation:
            assert actions == {Action.ISSUE_CAMERA}
        elif "share" in situation:
            assert actions == {Action.REVOKE_SHARE}
        else:
            assert actions == RECORDING_ACTIONS, situation


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("thing", [None, recording(), recording(members=frozenset({ME}))])
def test_the_public_may_do_nothing(action: Action, thing: Thing | None) -> None:
    assert not may(Actor(id=None, roles=frozenset(Role), units=frozenset({OTHER_UNIT})), action, thing).allowed


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("thing", [None, recording(wearer=ME), recording(members=frozenset({ME}))])
def test_an_account_without_a_role_may_do_nothing_even_with_own_footage(action: Action, thing: Thing | None) -> None:
    assert not may(Actor(id=ME, units=frozenset({OTHER_UNIT})), action, thing).allowed


@pytest.mark.parametrize("action", sorted(RECORDING_ACTIONS))
def test_what_concerns_a_recording_is_refused_without_one(action: Action) -> None:
    assert not may(Actor(id=ME, roles=frozenset(Role)), action).allowed


def test_footage_that_belongs_to_no_unit_is_nobodys_units() -> None:
    orphan = recording(unit=None, wearer=None)
    for role in (Role.OFFICER, Role.SUPERVISOR):
        me = Actor(id=ME, roles=frozenset({role}), units=frozenset({MY_UNIT}))
        assert not any(may(me, action, orphan).allowed for action in RECORDING_ACTIONS)


def test_several_roles_add_up() -> None:
    both = Actor(id=ME, roles=frozenset({Role.OFFICER, Role.AUDITOR}), units=frozenset({MY_UNIT}))
    assert may(both, Action.SEARCH).allowed
    assert may(both, Action.VIEW_AUDIT).allowed


def test_the_refusal_of_a_locked_recording_says_who_decides() -> None:
    me = Actor(id=ME, roles=frozenset({Role.OFFICER}), units=frozenset({MY_UNIT}))
    assert "post-incident manager" in may(me, Action.WATCH, recording(wearer=ME, locked=True)).why


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.OPERATOR])
def test_who_never_watches_is_told_so_and_not_that_a_role_in_the_case_is_missing(role: Role) -> None:
    actor = Actor(id=7, roles=frozenset({role}))
    decision = may(actor, Action.WATCH, Thing("recording:x", wearer=1, unit=2))
    assert not decision.allowed
    assert "does not include watching" in decision.why
    assert "case" not in decision.why
    assert not watches(actor)
    assert watches(Actor(id=7, roles=frozenset({role, Role.OFFICER})))
