"""The verbs of the force: accounts and roles, units and organisations, and what happens at sign-in.

`actor` is always a custody id, such as `person:7` or `system:command-line`.
"""

from bluelamp.people.services.accounts import (
    create_person,
    deactivate,
    end_lockout,
    reactivate,
    reset_password,
    reset_second_factor,
    set_roles,
    update_person,
)
from bluelamp.people.services.force import create_organisation, create_unit
from bluelamp.people.services.sign_in import (
    claim_code,
    note_failed_sign_in,
    note_lockout,
    note_recovery_codes,
    note_second_factor,
    note_sign_in,
    note_sign_out,
    set_own_password,
)

__all__ = [
    "claim_code",
    "create_organisation",
    "create_person",
    "create_unit",
    "deactivate",
    "end_lockout",
    "note_failed_sign_in",
    "note_lockout",
    "note_recovery_codes",
    "note_second_factor",
    "note_sign_in",
    "note_sign_out",
    "reactivate",
    "reset_password",
    "reset_second_factor",
    "set_own_password",
    "set_roles",
    "update_person",
]
