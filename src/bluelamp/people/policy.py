"""Who may do what: one pure function over plain facts, deny by default.

The tables below are the whole policy; `tests/people/test_policy.py` states the expected answer for every role and every
action. Sources: DPA 2018 s.62 (a reason for consultation), College of Policing guidance on body-worn video as summed up
in the force's policy: own footage may be watched, that of others needs a role in the case or a stated reason; after a
death or serious injury nobody watches before the post-incident manager releases it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    OFFICER = "officer"
    SUPERVISOR = "supervisor"
    BWV_MANAGER = "bwv_manager"
    INVESTIGATOR = "investigator"
    RIGHTS_OFFICER = "rights_officer"
    PROFESSIONAL_STANDARDS = "professional_standards"
    POST_INCIDENT_MANAGER = "post_incident_manager"
    AUDITOR = "auditor"
    OPERATOR = "operator"

    @property
    def words(self) -> str:
        """The role as the force calls it."""
        return _WORDS.get(self, self.value.replace("_", " ").capitalize())


_WORDS = {
    Role.OFFICER: "Front-line officer",
    Role.BWV_MANAGER: "Body-worn video manager",
    Role.RIGHTS_OFFICER: "Information rights officer",
    Role.POST_INCIDENT_MANAGER: "Post-incident manager",
}


class Action(StrEnum):
    """What can be asked for: of one recording, of a share, of a camera, and, the rest, of the installation."""

    WATCH = "watch"
    VIEW_FACTS = "view_facts"
    FLAG = "flag"
    NOTE = "note"
    EXTEND = "extend"
    RELEASE = "release"
    HOLD = "hold"
    LOCK = "lock"
    UNLOCK = "unlock"
    VIEW_HISTORY = "view_history"
    SHARE = "share"

    REVOKE_SHARE = "revoke_share"

    ISSUE_CAMERA = "issue_camera"

    SEARCH = "search"
    ADD_FOOTAGE = "add_footage"
    MANAGE_CASES = "manage_cases"
    VIEW_FLEET = "view_fleet"
    MANAGE_FLEET = "manage_fleet"
    VIEW_PEOPLE = "view_people"
    MANAGE_PEOPLE = "manage_people"
    VIEW_REQUESTS = "view_requests"
    HANDLE_REQUESTS = "handle_requests"
    VIEW_OVERSIGHT = "view_oversight"
    ACCEPT_LOSSES = "accept_losses"
    VIEW_AUDIT = "view_audit"
    ERASE_DETAILS = "erase_details"
    VIEW_POLICY = "view_policy"
    MANAGE_POLICY = "manage_policy"
    APPROVE_POLICY = "approve_policy"
    REVIEW_RETENTION = "review_retention"


@dataclass(frozen=True)
class Actor:
    """Who asks. `units` are the person's own unit and every unit below it."""

    id: int | None
    roles: frozenset[Role] = frozenset()
    units: frozenset[int] = frozenset()
    name: str = ""

    @property
    def custody_id(self) -> str:
        return "public" if self.id is None else f"person:{self.id}"


@dataclass(frozen=True)
class Thing:
    """What it is asked about: the facts of one recording, share or camera that bear on the answer.

    `wearer` is the person who recorded it, `adder` who added it where it is footage from elsewhere, `members` are
    people with a role in an open case that it belongs to, `released_to` those whom the post-incident manager lets watch
    it in spite of a lock. Of a share only `maker`, who shared, and `members` are looked at: people with a role in its
    case, closed or not. Of a camera only `unit` is.
    """

    subject: str
    wearer: int | None = None
    unit: int | None = None
    adder: int | None = None
    members: frozenset[int] = frozenset()
    locked: bool = False
    released_to: frozenset[int] = frozenset()
    maker: int | None = None


@dataclass(frozen=True)
class Decision:
    """The answer, in words that can be shown. `needs_reason`: allowed only with a stated reason."""

    allowed: bool
    why: str
    needs_reason: bool = False


_R = Role

# Actions that need only a role.
_BY_ROLE: dict[Action, frozenset[Role]] = {
    Action.SEARCH: frozenset(_R) - {_R.OPERATOR, _R.AUDITOR},
    # Whoever meets the public, or builds a case, is handed footage.
    Action.ADD_FOOTAGE: frozenset(
        {_R.OFFICER, _R.SUPERVISOR, _R.INVESTIGATOR, _R.BWV_MANAGER, _R.PROFESSIONAL_STANDARDS}
    ),
    Action.MANAGE_CASES: frozenset({_R.INVESTIGATOR, _R.PROFESSIONAL_STANDARDS}),
    Action.VIEW_FLEET: frozenset({_R.SUPERVISOR, _R.BWV_MANAGER, _R.AUDITOR, _R.OPERATOR}),
    Action.MANAGE_FLEET: frozenset({_R.BWV_MANAGER}),
    Action.ISSUE_CAMERA: frozenset({_R.BWV_MANAGER}),
    Action.VIEW_PEOPLE: frozenset({_R.SUPERVISOR, _R.BWV_MANAGER, _R.PROFESSIONAL_STANDARDS, _R.AUDITOR, _R.OPERATOR}),
    # Not the operator: whoever runs the machine must not be able to make himself an investigator.
    Action.MANAGE_PEOPLE: frozenset({_R.BWV_MANAGER}),
    Action.VIEW_REQUESTS: frozenset({_R.RIGHTS_OFFICER, _R.PROFESSIONAL_STANDARDS, _R.AUDITOR}),
    Action.HANDLE_REQUESTS: frozenset({_R.RIGHTS_OFFICER}),
    Action.VIEW_OVERSIGHT: frozenset(
        {_R.SUPERVISOR, _R.BWV_MANAGER, _R.RIGHTS_OFFICER, _R.PROFESSIONAL_STANDARDS, _R.AUDITOR, _R.OPERATOR}
    ),
    # To say that lost footage will not come back, and to agree with somebody else who said so.
    Action.ACCEPT_LOSSES: frozenset({_R.BWV_MANAGER, _R.PROFESSIONAL_STANDARDS}),
    Action.VIEW_AUDIT: frozenset({_R.AUDITOR, _R.PROFESSIONAL_STANDARDS}),
    # To ask, and to decide on what somebody else asked for.
    Action.ERASE_DETAILS: frozenset({_R.RIGHTS_OFFICER, _R.PROFESSIONAL_STANDARDS}),
    Action.VIEW_POLICY: frozenset(_R),
    # To propose a change of how long footage is kept, and to decide on what somebody else proposed.
    Action.MANAGE_POLICY: frozenset({_R.BWV_MANAGER, _R.RIGHTS_OFFICER}),
    Action.APPROVE_POLICY: frozenset({_R.BWV_MANAGER, _R.RIGHTS_OFFICER, _R.PROFESSIONAL_STANDARDS}),
    # Holds with their reasons, and edits that would shorten: those who may place or release a hold.
    Action.REVIEW_RETENTION: frozenset({_R.BWV_MANAGER, _R.RIGHTS_OFFICER, _R.PROFESSIONAL_STANDARDS}),
    Action.LOCK: frozenset({_R.POST_INCIDENT_MANAGER, _R.PROFESSIONAL_STANDARDS}),
    Action.UNLOCK: frozenset({_R.POST_INCIDENT_MANAGER}),
    Action.HOLD: frozenset({_R.RIGHTS_OFFICER, _R.PROFESSIONAL_STANDARDS, _R.BWV_MANAGER}),
    Action.VIEW_HISTORY: frozenset(
        {_R.BWV_MANAGER, _R.INVESTIGATOR, _R.RIGHTS_OFFICER, _R.PROFESSIONAL_STANDARDS, _R.AUDITOR}
    ),
    Action.VIEW_FACTS: frozenset(
        {
            _R.BWV_MANAGER,
            _R.INVESTIGATOR,
            _R.RIGHTS_OFFICER,
            _R.PROFESSIONAL_STANDARDS,
            _R.POST_INCIDENT_MANAGER,
            _R.AUDITOR,
        }
    ),
    Action.RELEASE: frozenset({_R.BWV_MANAGER, _R.PROFESSIONAL_STANDARDS}),
    Action.EXTEND: frozenset({_R.BWV_MANAGER, _R.INVESTIGATOR, _R.PROFESSIONAL_STANDARDS, _R.RIGHTS_OFFICER}),
    Action.FLAG: frozenset({_R.INVESTIGATOR, _R.PROFESSIONAL_STANDARDS, _R.BWV_MANAGER}),
    Action.NOTE: frozenset({_R.INVESTIGATOR, _R.PROFESSIONAL_STANDARDS, _R.RIGHTS_OFFICER}),
    Action.SHARE: frozenset({_R.BWV_MANAGER}),
    Action.REVOKE_SHARE: frozenset({_R.BWV_MANAGER, _R.PROFESSIONAL_STANDARDS}),
    Action.WATCH: frozenset(),
}

# What the wearer may do with own footage, people in its case with it, and a supervisor with that of the own units.
_WEARER = frozenset({Action.VIEW_FACTS, Action.FLAG, Action.NOTE, Action.EXTEND, Action.VIEW_HISTORY})
_SUPERVISOR = _WEARER
_ADDER = _WEARER  # of the footage itself: who added CCTV must see that it arrived, and say what it is
_CASE_MEMBER = _WEARER | {Action.SHARE}

# Roles that may watch others' footage when they say why; an officer may do so within the own unit's tree.
_WATCH_WITH_REASON = frozenset(
    {_R.INVESTIGATOR, _R.PROFESSIONAL_STANDARDS, _R.RIGHTS_OFFICER, _R.BWV_MANAGER, _R.POST_INCIDENT_MANAGER}
)

# Roles whose work includes watching at all; whoever holds none of them is not told to ask for a role in a case.
_WATCHING = _WATCH_WITH_REASON | {_R.OFFICER, _R.SUPERVISOR}

RECORDING_ACTIONS = frozenset(
    {
        Action.WATCH,
        Action.VIEW_FACTS,
        Action.FLAG,
        Action.NOTE,
        Action.EXTEND,
        Action.RELEASE,
        Action.HOLD,
        Action.LOCK,
        Action.UNLOCK,
        Action.VIEW_HISTORY,
        Action.SHARE,
    }
)

_NO = "Your role does not include this."
_LOCKED = (
    "The recording is locked after a death or serious injury. "
    "The post-incident manager decides who may watch it, and when."
)


def may(actor: Actor, action: Action, thing: Thing | None = None) -> Decision:
    """Whether `actor` may do `action`, to `thing` where the action concerns one recording or one camera."""
    if actor.id is None:
        return Decision(False, "Sign in first.")
    if not actor.roles:
        return Decision(False, "Your account has no role.")
    if action in RECORDING_ACTIONS:
        if thing is None:
            return Decision(False, "This is about one recording, and none was named.")
        return _watch(actor, thing) if action is Action.WATCH else _act(actor, action, thing)
    if actor.roles & _BY_ROLE[action]:
        return Decision(True, "Your role includes this.")
    if action is Action.ISSUE_CAMERA and thing is not None and _supervises(actor, thing):
        return Decision(True, "It is a camera of a unit that you supervise.")
    if action is Action.REVOKE_SHARE and thing is not None:
        return _revoke(actor, thing)
    return Decision(False, _NO)


def _act(actor: Actor, action: Action, thing: Thing) -> Decision:
    if action is Action.UNLOCK and thing.wearer == actor.id:
        return Decision(False, "Nobody unlocks own footage: another post-incident manager decides.")
    if action is Action.SHARE and thing.locked and not _released(actor, thing):
        # Otherwise the recipient of a share would watch what nobody here may.
        return Decision(False, _LOCKED)
    if actor.roles & _BY_ROLE[action]:
        return Decision(True, "Your role includes this.")
    if thing.wearer == actor.id and action in _WEARER:
        return Decision(True, "It is your own recording.")
    if thing.adder == actor.id and action in _ADDER:
        return Decision(True, "You added it.")
    if actor.id in thing.members and action in _CASE_MEMBER:
        return Decision(True, "You have a role in its case.")
    if _supervises(actor, thing) and action in _SUPERVISOR:
        return Decision(True, "You supervise the unit that recorded it.")
    if Role.OFFICER in actor.roles and thing.unit in actor.units and action is Action.VIEW_FACTS:
        return Decision(True, "Your unit recorded it.")
    return Decision(False, _NO)


def _revoke(actor: Actor, thing: Thing) -> Decision:
    """A lock or a closed case stops nobody here: a share must end at once, whatever became of its footage."""
    if thing.maker == actor.id:
        return Decision(True, "You made this share.")
    if actor.id in thing.members:
        return Decision(True, "You have a role in its case.")
    return Decision(False, "You did not make this share and have no role in its case.")


def _watch(actor: Actor, thing: Thing) -> Decision:
    if thing.locked:
        if _released(actor, thing):
            return Decision(
                True, "The recording is locked after an incident; you are released to watch it.", needs_reason=True
            )
        return Decision(False, _LOCKED)
    if thing.wearer == actor.id:
        return Decision(True, "It is your own recording.")
    if actor.id in thing.members:
        return Decision(True, "You have a role in its case.")
    if thing.adder == actor.id and watches(actor):
        # Not as the wearer: it shows what somebody else recorded, and adding it gives no standing leave to watch it.
        return Decision(True, "You added it, and somebody else recorded it: say why you need to watch it.", True)
    if actor.roles & _WATCH_WITH_REASON:
        return Decision(True, "It is not your own recording: say why you need to watch it.", needs_reason=True)
    if actor.roles & {Role.SUPERVISOR, Role.OFFICER} and thing.unit in actor.units:
        return Decision(True, "A colleague recorded it: say why you need to watch it.", needs_reason=True)
    if watches(actor):
        return Decision(False, "It was recorded by another unit, and you have no role in its case.")
    if actor.roles & _BY_ROLE[Action.VIEW_FACTS]:
        return Decision(False, "Your role sees the facts and the history of footage, and does not include watching it.")
    return Decision(False, "Your role does not include watching footage.")


def watches(actor: Actor) -> bool:
    """Whether the work of `actor` includes watching footage, be it this or that."""
    return bool(actor.roles & _WATCHING)


def _supervises(actor: Actor, thing: Thing) -> bool:
    return Role.SUPERVISOR in actor.roles and thing.unit in actor.units


def _released(actor: Actor, thing: Thing) -> bool:
    """Whether a lock does not stop `actor`: released by name, or a post-incident manager who did not record it."""
    if actor.id in thing.released_to:
        return True
    return Role.POST_INCIDENT_MANAGER in actor.roles and thing.wearer != actor.id
