"""The order of the stages: load, resolve, refresh, plan, apply, adopt, pull. Only this module knows it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Protocol

from importer import __version__, pull
from importer.account.catalogue import default_status, marker
from importer.account.resolver import needs, resolve
from importer.account.rules import check_marker, check_resolved
from importer.apply import gate, sending
from importer.apply.answers import LIST_LAG
from importer.apply.applier import ApplyResult, Limits, Observer, apply
from importer.apply.execution import Execution
from importer.apply.rediscovery import IncidentFinder, Rediscovery, newest_carrier
from importer.apply.sent_creation import Rivals
from importer.model import (
    Account,
    Adopt,
    Adopted,
    Applied,
    Catalogue,
    Change,
    Create,
    Diagnostic,
    Field,
    Incident,
    LiveIncident,
    Needs,
    OnDrift,
    Pending,
    Plan,
    Scope,
    Update,
    Workflow,
)
from importer.model.diagnostics import grouped
from importer.model.errors import Refused, UsageError
from importer.model.identity import Marker
from importer.model.settings import Settings
from importer.model.steps import CREATE
from importer.plan import privacy, refresh
from importer.plan.changes import is_acting, left_to_people, only_drift, without_keys
from importer.plan.history import by_month
from importer.plan.matching import LiveIndex, Match, Ours
from importer.plan.planner import PlanContext, is_recovered, plan_changes
from importer.plan.preflight import check_key, check_namespace, check_roles, check_safety, check_workflows
from importer.plan.selection import selected, within_limit
from importer.plan.staleness import created_since, edited_since, unproven, with_stale_blocked
from importer.pull import ChildCollector, Declared, Filters, PullWarnings
from importer.sources import Loaded, load
from importer.sources.revision import git_revision
from importer.sources.rules import check_declared
from importer.state.ledger import Ledger, check_account

_REFERENCE = re.compile(r"\D*([0-9]+)")
"""INC-48 or 48. The prefix varies, and the API takes only the bare number."""


class AccountApi(
    refresh.IncidentReader,
    sending.IncidentWriter,
    IncidentFinder,
    pull.ChildReader,
    Protocol,
):
    """What all the stages require of the account."""

    def catalogue(self, needs: Needs) -> Catalogue: ...
    def workflows(self) -> tuple[Workflow, ...] | None: ...


@dataclass(frozen=True, slots=True)
class Session:
    """What the stages work on since it `began`: the settings, the account and its API, the state and the
    clock. `wait` waits for some seconds. `seen` collects the IDs of incidents that plans saw."""

    settings: Settings
    account: Account
    api: AccountApi
    ledger: Ledger
    now: Callable[[], datetime]
    wait: Callable[[float], None]
    began: datetime
    seen: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class PullSelection:
    """Incidents to pull, oldest first, with their keys by ID, the catalogue, and what is left out."""

    incidents: tuple[LiveIncident, ...]
    keys: Mapping[str, str]
    catalogue: Catalogue
    tally: PullWarnings


def load_declared(settings: Settings, paths: Sequence[Path], *, now: datetime) -> Loaded:
    """Load the files and run the checks that do not need the account."""
    loaded = load(settings, paths)
    return replace(loaded, diagnostics=loaded.diagnostics + check_declared(loaded.incidents, now=now))


def preflight(session: Session) -> tuple[Diagnostic, ...]:
    """Check the account before anything is planned: roles, risky workflows, the namespace, the marker
    field."""
    catalogue = session.api.catalogue(needs((), session.settings))
    known = session.ledger.memory()
    found = check_key(session.account) + check_workflows(session.api.workflows())
    found += check_namespace(session.settings, is_first=not (known.bindings or known.sent))
    return grouped(found + check_marker(catalogue, session.settings, session.account))


def make_plan(session: Session, loaded: Loaded, scope: Scope) -> Plan:
    """Compare the files with the account. A plan with errors has no changes, only diagnostics, each with all
    its locations.

    Raises Refused if the state belongs to another account, UsageError if --only matches no incident, ApiError
    and NoAnswer.
    """
    settings = session.settings
    check_account(session.ledger, session.account)
    chosen = selected(loaded.incidents, scope)
    catalogue = session.api.catalogue(needs(chosen, settings))
    resolved = resolve(chosen, catalogue, settings)
    carrier, closed = _carrier(session, catalogue), default_status(catalogue)
    checks = check_resolved(resolved.incidents, catalogue, settings, session.account, carrier)
    not_compared = len(loaded.incidents) - len(chosen)
    empty = Plan(
        account=session.account,
        made_at=session.now(),
        tool_version=__version__,
        inputs=loaded.inputs,
        revision=git_revision(settings.root),
        changes=(),
        diagnostics=loaded.diagnostics + resolved.diagnostics + checks,
        severities=tuple(each.name for each in catalogue.severities),
        scope=replace(scope, left_out=not_compared, not_compared=not_compared),
        namespace=settings.namespace,
    )
    if empty.errored:
        return _with_grouped_problems(empty, privacy.of_incidents(loaded.incidents))
    context = PlanContext(settings, carrier, closed, resolved.unreadable)
    incidents = _under_scope(resolved.incidents, scope)
    keys = frozenset(each.key for each in loaded.incidents)
    plan = _compared(session, empty, context, incidents, keys)
    secrets = privacy.of_changes(plan.changes)
    if scope.drift_only:
        return _with_grouped_problems(within_limit(only_drift(plan)), secrets)
    plan = within_limit(plan)
    checks = check_roles(session.account, plan.changes) + check_safety(plan, settings)
    return _with_grouped_problems(replace(plan, diagnostics=plan.diagnostics + checks), secrets)


def _with_grouped_problems(plan: Plan, secrets: privacy.Secrets) -> Plan:
    """Group a plan's problems by cause, and mark those that contain text of private incidents."""
    return replace(plan, diagnostics=grouped(map(secrets.marked, plan.diagnostics), places=None))


def _compared(
    session: Session, empty: Plan, context: PlanContext, incidents: tuple[Incident, ...], keys: frozenset[str]
) -> Plan:
    """Return an empty plan with the changes that make the account match the incidents. `keys` are all keys in
    the files."""
    memory = session.ledger.memory()
    index = refresh.refresh(session.api, incidents, memory, context.marker)
    session.seen.update(each.id for each in index.live())
    planned = plan_changes(incidents, index, memory=memory, context=context, declared_keys=keys)
    return replace(
        empty,
        changes=planned.changes,
        left_to_people=left_to_people(planned.changes),
        unmanaged=planned.unmanaged,
        diagnostics=empty.diagnostics + planned.diagnostics,
        history=by_month(each.attributes for each in index.live()) if index.is_whole else None,
    )


def remaining_changes(session: Session, plan: Plan, plan_hash: str) -> Plan:
    """Return what earlier runs of a saved plan have not applied; what was edited meanwhile is blocked.

    A creation without an answer whose key an incident now carries is recorded as applied: sending it again
    would create a duplicate if the server has forgotten the idempotency key.
    """
    sent = session.ledger.memory().sent
    doubtful = [each for each in plan.changes if each.incident.key in sent]
    for key, match in _carriers(session, doubtful, _marker(session) if doubtful else None).items():
        if isinstance(match, Ours):
            is_found = not sent[key].precedes(match.live.created_at)
            session.ledger.confirmed(
                key, CREATE, live=match.live, declared={}, answered={}, is_found=is_found
            )
    left = without_keys(plan, session.ledger.applied_by(plan_hash))
    if not session.ledger.begun_by(plan_hash):
        return left
    memory = session.ledger.memory()
    changes = with_stale_blocked(left.changes, refresh.present(session.api, left.changes, memory), memory)
    return replace(left, changes=tuple(changes))


def carry_out(
    session: Session,
    plan: Plan,
    *,
    limits: Limits,
    observers: Sequence[Observer],
    stop: Event,
    plan_hash: str = "",
) -> ApplyResult:
    """Make the changes of a plan or a part of one. `plan_hash` is its saved plan's hash, if it has one."""
    ledger, carrier = session.ledger, _marker(session)
    ledger.bind_account(session.account)
    _refuse_unlisted(session, plan, carrier)
    ledger.planned((each.incident.key for each in plan.changes if is_acting(each)), plan_hash=plan_hash)
    rivals = Rivals(plan.changes, ledger.memory().sent, lambda key: ledger.binding(key) is not None)
    work = Execution(
        session.api,
        ledger,
        session.now,
        session.wait,
        Rediscovery(session.api, ledger.owner, carrier, rivals.of),
        _proof(session.settings, carrier),
        plan_hash,
        gate=gate.FirstRequestGate(stop),
        seen=session.seen,
    )
    return apply(plan, work, limits=limits, observers=observers, stop=stop)


def _refuse_unlisted(session: Session, plan: Plan, carrier: Marker | None) -> None:
    """If the state is new, look at the newest incidents once more: an earlier run, whose state is lost, may
    have created incidents that the account's lists did not show yet when the plan was made. Raises Refused if
    one carries the key of an incident that the plan creates.
    """
    memory = session.ledger.memory()
    created = {each.incident.key for each in plan.changes if isinstance(each, Create)}
    if carrier is None or not created or memory.bindings or memory.sent:
        return
    session.wait(max(0.0, LIST_LAG - (session.now() - session.began).total_seconds()))
    found = newest_carrier(session.api, carrier, created, now=session.api.server_time())
    if found:
        what = f"'{carrier.read(found)}' was created since the plan was made, as {found.reference}"
        raise Refused(f"the plan is stale: {what}", hint="run the same command again", code="stale-plan")


def mark_applied(session: Session, result: ApplyResult, plan_hash: str) -> None:
    """Record that a saved plan cannot be applied again, if this run completed it."""
    if all(isinstance(each, Applied | Adopted) and not each.missing for each in result.outcomes):
        session.ledger.finished(plan_hash)


def refuse_stale(session: Session, plan: Plan, plan_hash: str = "") -> None:
    """Raise Refused if a saved plan is another account's, was applied, or no longer holds. One that a run has
    begun goes on: what was edited meanwhile, or is not proven to be ours, is left out and named."""
    if plan.scope.drift_only:
        raise Refused(
            "the plan is a drift report and cannot be applied", hint="make a plan without --drift-only"
        )
    _refuse_foreign(session, plan, plan_hash)
    begun = session.ledger.begun_by(plan_hash) if plan_hash else frozenset()
    fresh = [change for change in plan.changes if change.incident.key not in begun]
    memory, carrier = session.ledger.memory(), _marker(session) if fresh else None
    creations = [each for each in fresh if isinstance(each, Create | Pending)]
    # A pending creation is not looked up by its marker field: that it was made is no surprise.
    matches = _carriers(session, [each for each in creations if isinstance(each, Create)], carrier)
    found = list(created_since(creations, memory, matches))
    if not begun:
        edits = [change for change in fresh if isinstance(change, Update | Adopt)]
        current, proof = refresh.present(session.api, edits, memory), _proof(session.settings, carrier)
        found += [*unproven(edits, current, memory, proof), *edited_since(edits, current)]
    if found:
        raise Refused(
            "the plan is stale: " + "; ".join(found),
            hint="make a new plan and review it",
            code="stale-plan",
        )


def adopt(session: Session, key: str, reference: str) -> LiveIncident:
    """Bind a key to an existing incident, by its reference (INC-48), number or ID; nothing is sent.

    Raises Refused if the key or the incident is bound otherwise, UsageError if there is no such incident.
    """
    session.ledger.bind_account(session.account)
    number = _REFERENCE.fullmatch(reference.strip())
    live = session.api.incident(number[1] if number else reference.strip())
    if live is None:
        raise UsageError(
            f"the account has no incident {reference}, or this API key cannot see it",
            hint="write the reference as incident.io shows it, like INC-48",
        )
    for binding in session.ledger.bindings():
        if (binding.key == key) != (binding.incident_id == live.id):
            taken_key = f"the key '{key}' is already bound to {binding.reference}"
            taken_incident = f"{live.reference} is already bound to the key '{binding.key}'"
            raise Refused(
                taken_key if binding.key == key else taken_incident,
                hint=f"if that is wrong, run `importer state forget {binding.key}` first",
            )
    session.ledger.adopt(key, live)
    return live


def find_incidents(session: Session, filters: Filters, key_field: str | None) -> PullSelection:
    """List the incidents to pull and the catalogue that names their entities. `key_field` is a custom field
    with keys, next to the marker field. The state of another account is not used for keys.

    Raises UsageError for a severity or custom field that the account does not have, Refused if keys conflict.
    """
    listed = tuple(session.api.incidents())
    catalogue = session.api.catalogue(pull.needed(listed))
    tally = PullWarnings()
    chosen = pull.chosen(listed, filters, catalogue, tally)
    is_of_account = session.ledger.account() in (None, session.account)
    bindings = session.ledger.memory().bindings if is_of_account else {}
    carriers = pull.carriers(catalogue, session.settings, key_field)
    return PullSelection(chosen, pull.keys(chosen, bindings, carriers), catalogue, tally)


def read_declared(session: Session, found: PullSelection, kinds: frozenset[Field]) -> tuple[Declared, ...]:
    """Return the declarations of the incidents found, with these kinds of children. Values that a file cannot
    hold are added to the warnings of `found`."""
    reader = ChildCollector(session.api, kinds, found.tally)
    incidents = [reader.with_children(each) for each in found.incidents]
    return pull.declare_live(incidents, found.keys, found.catalogue, session.settings, found.tally)


def bind_pulled(session: Session, declared: Sequence[Declared]) -> int:
    """Bind the keys of pulled incidents in the state; return how many were not bound before. Nothing is sent.

    Raises Refused if the state belongs to another account.
    """
    session.ledger.bind_account(session.account)
    settled = {each.key for each in session.ledger.bindings() if each.settled}
    fresh = [each for each in declared if each.incident.key not in settled]
    session.ledger.bind_all((each.incident.key, each.live, each.attributes) for each in fresh)
    return len(fresh)


def _under_scope(incidents: tuple[Incident, ...], scope: Scope) -> tuple[Incident, ...]:
    """Return the incidents with the policy for this scope: a drift report shows all drift, whatever apply
    would do about it."""
    if not scope.drift_only:
        return incidents
    return tuple(replace(each, policy=replace(each.policy, on_drift=OnDrift.OVERWRITE)) for each in incidents)


def _refuse_foreign(session: Session, plan: Plan, plan_hash: str) -> None:
    if plan.account != session.account:
        raise Refused(
            f"the plan is for {plan.account.dashboard_url} at {plan.account.endpoint}, but this key and"
            f" endpoint are {session.account.dashboard_url} at {session.account.endpoint}",
            hint="use the key and endpoint that the plan was made with",
            code="foreign-account",
        )
    check_account(session.ledger, session.account)
    if plan_hash and session.ledger.is_finished(plan_hash):
        raise Refused(
            "the plan was already applied; a saved plan can be applied only once",
            hint="make a new plan: it shows what is left, if anything",
            code="plan-applied",
        )


def _marker(session: Session) -> Marker | None:
    """Return the account's marker field, if the settings name one."""
    if not session.settings.marker_field:
        return None
    return _carrier(session, session.api.catalogue(needs((), session.settings)))


def _carrier(session: Session, catalogue: Catalogue) -> Marker | None:
    """Return the marker field, with what the state has learned of it."""
    found = marker(catalogue, session.settings)
    return found and replace(found, ignores_case=session.ledger.changes_case(found.attribute))


def _proof(settings: Settings, carrier: Marker | None) -> Callable[[Incident, LiveIncident], bool]:
    """Return a function that tells whether an incident that the state does not bind proves to be a declared
    one: by the marker field or, in a recovery, by its number and all declared values."""

    def is_ours(incident: Incident, live: LiveIncident) -> bool:
        is_carrier = carrier is not None and carrier.carries(live, incident.key)
        return is_carrier or (settings.adopt_matching and is_recovered(incident, live, carrier))

    return is_ours


def _carriers(session: Session, changes: Sequence[Change], carrier: Marker | None) -> dict[str, Match]:
    """Return the current match of each change's key, or nothing if no field of the account holds keys."""
    if carrier is None or not changes:
        return {}
    index = LiveIndex(session.api.incidents(), session.ledger.memory(), carrier)
    return {change.incident.key: index.match(change.incident) for change in changes}
