"""The policy's versions: the one in force, what comes, all former ones, and what is proposed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bluelamp.footage.models import Category
from bluelamp.kernel.errors import NotFound
from bluelamp.retention.models import PolicyProposal, PolicyVersion, RetentionPolicy
from bluelamp.retention.terms import Change, Terms, changes


@dataclass(frozen=True)
class VersionLine:
    """A version with what it changed of the one before. `state`: "in force", "to come" or "former".

    Nothing that it makes due goes before `not_before`; None where it shortens nothing.
    """

    version: PolicyVersion
    state: str
    changes: tuple[Change, ...]
    not_before: datetime | None


def latest_version() -> PolicyVersion:
    """The version with the highest number, in force or still to come."""
    return PolicyVersion.objects.order_by("-number")[0]


def version_in_force() -> PolicyVersion:
    """The version that decisions are made by now."""
    return PolicyVersion.objects.get(number=RetentionPolicy.objects.values("version").get(pk=1)["version"])


def versions() -> list[VersionLine]:
    """Every version, the newest first, each with its differences from the one before."""
    in_force = RetentionPolicy.objects.values_list("version", flat=True).get(pk=1)
    names = category_names()
    listed = list(PolicyVersion.objects.select_related("in_force").order_by("-number"))
    terms = {version.number: Terms.from_json(version.terms) for version in listed}

    def state(number: int) -> str:
        return "in force" if number == in_force else "to come" if number > in_force else "former"

    return [
        VersionLine(
            version,
            state(version.number),
            tuple(changes(terms[version.number - 1], terms[version.number], names)) if version.number > 1 else (),
            version.in_force.cooled_at if 1 < version.number <= in_force else version.not_before,
        )
        for version in listed
    ]


def proposals() -> list[PolicyProposal]:
    """The proposals that wait to be confirmed or approved, the newest first."""
    return list(PolicyProposal.objects.filter(state=PolicyProposal.State.WAITING))


def proposal(proposal_id: int) -> PolicyProposal:
    """One proposal. Raises NotFound."""
    found = PolicyProposal.objects.filter(pk=proposal_id).first()
    if found is None:
        raise NotFound("There is no such proposal.", next_step="Look at the retention policy's page.")
    return found


def proposed_changes(proposal: PolicyProposal) -> list[Change]:
    """What it would change of the version that it was made against."""
    before = PolicyVersion.objects.get(number=proposal.based_on)
    return changes(Terms.from_json(before.terms), Terms.from_json(proposal.terms), category_names())


def not_before(proposal: PolicyProposal, now: datetime) -> datetime:
    """Before when nothing goes that the proposal makes due, were it approved at `now`.

    The cooling period counts from the version's effect, so that quarantine lies inside it; it is that of the version
    before, or no change could be waited for.
    """
    before = PolicyVersion.objects.get(number=proposal.based_on)
    return max(proposal.effective_at, now) + timedelta(days=Terms.from_json(before.terms).cooling_days)


def category_names() -> dict[str, str]:
    """The categories' names by code, in their order."""
    return dict(Category.objects.values_list("code", "name"))
