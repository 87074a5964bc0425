"""Changing the policy: its versions, a proposal with what it would do, and the decision on it."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bluelamp.custody import words
from bluelamp.footage import services as footage_services
from bluelamp.kernel import clock
from bluelamp.kernel.errors import BluelampError, NotFound
from bluelamp.people import access
from bluelamp.people.models import Person
from bluelamp.people.policy import Action
from bluelamp.retention import pages, queries, services
from bluelamp.retention.forms import DecisionForm, PolicyForm
from bluelamp.retention.models import PolicyProposal
from bluelamp.retention.terms import Terms
from bluelamp.web.responses import render


@require_GET
@access.signed_in
def versions(request: HttpRequest) -> HttpResponse:
    """The version in force, those to come, all former ones, and what waits for a decision."""
    access.require(request, Action.VIEW_POLICY)
    lines, waiting = queries.versions(), queries.proposals()
    people = {line.version.proposed_by for line in lines} | {line.version.approved_by for line in lines}
    context = {
        "lines": lines,
        "waiting": waiting,
        "names": words.names(people | {each.proposed_by for each in waiting}),
        "may_propose": access.allows(request, Action.MANAGE_POLICY),
        "pages": pages.subnav(request, "versions"),
    }
    return render(request, "retention/versions.html", context)


@require_http_methods(["GET", "POST"])
@access.signed_in
def propose(request: HttpRequest) -> HttpResponse:
    """Fill in the policy as it should be; the next page shows what that would do."""
    access.require(request, Action.MANAGE_POLICY)
    now = Terms.from_json(queries.latest_version().terms)
    form = PolicyForm(request.POST or None, now, queries.category_names(), queries.today())
    if form.is_valid():
        try:
            made = services.propose_policy(
                form.terms,
                effective_at=form.effective_at,
                reason=form.cleaned_data["reason"],
                actor=access.request_actor(request).custody_id,
            )
        except BluelampError as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect("retention:proposal", made.pk)
    return render(request, "retention/propose.html", {"form": form}, status=422 if form.errors else 200)


@require_GET
@access.signed_in
def proposal(request: HttpRequest, proposal_id: int) -> HttpResponse:
    """One proposal: its differences, what would go earlier or later, and the decision."""
    access.require(request, Action.VIEW_POLICY)
    return _page(request, queries.proposal(proposal_id), DecisionForm())


@require_POST
@access.signed_in
def decide(request: HttpRequest, proposal_id: int) -> HttpResponse:
    """Confirm, approve, refuse or withdraw."""
    found, who = queries.proposal(proposal_id), access.request_actor(request).custody_id
    own, approving = found.proposed_by == who, request.POST.get("decision") == "approve"
    access.require(request, Action.MANAGE_POLICY if own else Action.APPROVE_POLICY)
    form = DecisionForm(request.POST)
    # Its author confirms what shortens nothing; the reason was given with the proposal.
    if own and approving:
        form.fields["reason"].required = False
    if form.is_valid():
        act = services.approve_policy if approving else services.refuse_policy
        try:
            act(found.pk, reason=form.cleaned_data["reason"], actor=who)
        except NotFound:
            raise
        except BluelampError as refusal:
            form.add_error(None, str(refusal))
        else:
            done = "There is a new version of the policy." if approving else "The policy stays as it is."
            messages.success(request, done)
            return redirect("retention:versions")
    return _page(request, queries.proposal(proposal_id), form, status=422)


@require_POST
@access.signed_in
def reckon(request: HttpRequest, proposal_id: int) -> HttpResponse:
    """Reckon anew what a proposal would do."""
    access.require(request, Action.APPROVE_POLICY)
    services.reckon_proposal(queries.proposal(proposal_id).pk)
    return redirect("retention:proposal", proposal_id)


def _page(request: HttpRequest, found: PolicyProposal, form: DecisionForm, status: int = 200) -> HttpResponse:
    who = access.request_actor(request)
    changed = queries.proposed_changes(found)
    shortens = any(change.shortens for change in changed)
    waiting = found.state == PolicyProposal.State.WAITING
    stale = waiting and found.based_on != queries.latest_version().number
    not_before = queries.not_before(found, clock.now()) if shortens else None
    dry, sample = None, []
    if waiting and not stale and found.dry_run is not None:
        dry = queries.DryRun.from_json(found.dry_run)
        sample = queries.sampled(dry, who)
        recordings = [each.recording for each in sample]
        footage_services.log_listing(cast(Person, request.user), recordings, {"page": "proposal"})
    own = found.proposed_by == who.custody_id
    context = {
        "proposal": found,
        "changes": changed,
        "shortens": shortens,
        "stale": stale,
        "not_before": not_before,
        "dry": dry,
        "sample": sample,
        # What was reckoned then cooled from then on.
        "cools_until": queries.not_before(found, found.reckoned_at) if found.reckoned_at else None,
        "may_reckon": access.allows(request, Action.APPROVE_POLICY),
        "names": words.names({found.proposed_by, found.decided_by}),
        "own": own,
        "may_decide": access.allows(request, Action.MANAGE_POLICY if own else Action.APPROVE_POLICY),
        "form": form,
        "waiting": waiting,
        "soon_days": queries.SOON.days,
    }
    return render(request, "retention/proposal.html", context, status=status)
