"""The API key's roles and the account's workflows -> warnings before anything is sent. Pure.

Role names and what they allow: API page Utilities V1, Identity.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import assert_never

from importer.account.rules import SEES_PRIVATE, lacks_role
from importer.model import (
    Account,
    Attribute,
    Blocked,
    Change,
    Create,
    Diagnostic,
    Field,
    NoOp,
    Pending,
    Plan,
    Severity,
    Workflow,
)
from importer.model.diagnostics import Diagnostics
from importer.model.errors import UsageError
from importer.model.identity import DEFAULT_NAMESPACE, is_incident_id
from importer.model.settings import Settings
from importer.model.steps import (
    AttachPostmortem,
    CorrectIncident,
    CreateChild,
    CreateIncident,
    CreateOption,
    EditChild,
    EditIncident,
    SetChildStatus,
    Step,
)
from importer.plan.planner import exceeded
from importer.plan.steps import option_steps, steps
from importer.plan.summary import summarise

_READS = "viewer"
_CREATES = "incident_creator"
_EDITS = "incident_editor"
_PURPOSES = {
    _READS: "read the account",
    _CREATES: "create incidents",
    _EDITS: "edit incidents",
    "incident_memberships_editor": "give people access to private incidents",
    "status_page_publisher": "publish on status pages",
    "postmortems_manage": "import post-mortems",
    "manage_settings": "create options of custom fields",
}
_WORK = {"plan": _READS, "create": _CREATES, "edit": _EDITS}
"""The role that each kind of work needs."""
_CHILDREN = {
    Field.MEMBER: "incident_memberships_editor",
    Field.STATUS_PAGE: "status_page_publisher",
    Field.POSTMORTEM: "postmortems_manage",
}
"""The kinds of children with a role of their own, judging by the names of the roles on the API page."""

_ROLES = frozenset(
    re.findall(
        r"\w+",
        """
        act_on_behalf_of_users api_keys_manage call_transcripts_viewer catalog_editor catalog_viewer
        documents_viewer escalation_creator global_access glossary_entries_manage heartbeats_ping
        incident_creator incident_editor incident_memberships_editor incident_workload_private_viewer
        incident_workload_viewer investigation_download investigations_editor manage_settings
        notification_methods_manage notification_methods_unredacted_viewer on_call_editor on_call_viewer
        pay_configs_editor pay_configs_viewer pay_reports_editor pay_reports_viewer policies_viewer
        policy_findings_manage post_incident_flow_opt_out postmortems_manage
        private_escalation_workflows_editor private_workflows_editor schedule_overrides_editor
        schedules_editor schedules_reader secrets_manage secrets_use security_settings_editor
        status_page_publisher status_page_viewer team_memberships_manage telemetry_data_source_update
        telemetry_query_restricted telemetry_viewer viewer workflows_editor workflows_viewer
        """,
    )
)
"""The roles of the API page Utilities V1, Identity. Only a role that is not among them may be a new one that
lets a key create incidents."""

_NEW_KEY = "roles are set when a key is created: create a new key in incident.io under Settings, API keys"


def check_roles(account: Account, changes: Sequence[Change]) -> tuple[Diagnostic, ...]:
    """Warn of changes that the API key may not make; refuse to create what may already exist."""
    problems = Diagnostics()
    doubtful = [each for each in changes if isinstance(each, Create) and is_incident_id(each.incident.key)]
    if any(_was_pulled_here(each) for each in changes):
        _refuse_deleted(doubtful, problems)
    elif lacks_role(account, SEES_PRIVATE):
        _refuse_unseen(doubtful, problems)
    every = chain(option_steps(changes), chain.from_iterable(map(steps, changes)))
    wanted = set(map(_role, every))
    _warn_lacking(account, [role for role in _PURPOSES if role in wanted], problems)
    return tuple(problems.found)


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether a key can do a kind of work. It is unknown (None) if a `missing_role` may be covered by a role
    that this version does not know."""

    work: str
    is_ready: bool | None
    missing_role: str = ""


def readiness(account: Account, problems: Iterable[Diagnostic]) -> tuple[Readiness, ...]:
    """Return whether an API key can plan, create incidents and edit them, judging by its roles and by the
    problems of the account, of which an error stops all."""
    if any(each.severity is Severity.ERROR for each in problems):
        return tuple(Readiness(work, is_ready=False) for work in _WORK)
    may_have_more = not set(account.roles) <= _ROLES
    found: list[Readiness] = []
    for work, role in _WORK.items():
        is_lacking = lacks_role(account, role)
        is_ready = None if is_lacking and may_have_more else not is_lacking
        found.append(Readiness(work, is_ready, role if is_lacking else ""))
    return tuple(found)


def refuse_powerless(account: Account, changes: Iterable[Change]) -> None:
    """Raise UsageError if something is to be created with a key that certainly cannot. A role that importer
    does not know may allow it."""
    is_certain = account.roles and _CREATES not in account.roles and set(account.roles) <= _ROLES
    if is_certain and any(isinstance(each, Create | Pending) for each in changes):
        raise UsageError(
            f"the API key lacks the role {_CREATES}, needed to {_PURPOSES[_CREATES]}: nothing was sent",
            hint=_NEW_KEY,
            code="key-lacks-role",
        )


def check_key(account: Account) -> tuple[Diagnostic, ...]:
    """Warn of the roles that an import needs and the API key lacks."""
    problems = Diagnostics()
    _warn_lacking(account, (_READS, _CREATES, _EDITS), problems)
    if lacks_role(account, SEES_PRIVATE):
        problems.warning(
            "key-without-private",
            "the API key cannot see private incidents",
            hint="to import private ones, use a key with the role global_access",
        )
    return tuple(problems.found)


def check_safety(plan: Plan, settings: Settings) -> tuple[Diagnostic, ...]:
    """Warn when the plan is reviewed, not only when apply refuses it."""
    count = summarise(plan)
    too_many = exceeded({"create": count.create, "update": count.update}, settings)
    hint = "apply will refuse it: raise the limit in importer.yaml, or plan less with --limit or --only"
    return (Diagnostic(Severity.WARNING, "safety-limit", too_many, hint=hint),) if too_many else ()


def check_namespace(settings: Settings, *, is_first: bool) -> tuple[Diagnostic, ...]:
    """Warn of the default namespace. `is_first` means that nothing was applied yet, so that it can change."""
    if settings.namespace != DEFAULT_NAMESPACE:
        return ()
    problems = Diagnostics()
    problems.warning(
        "default-namespace",
        "`identity.namespace` is the default: another repository that imports into this account may have the"
        " same keys, and each would take the other's incidents for its own",
        hint="before the first apply, set `identity.namespace` in importer.yaml to a name that no other"
        " repository uses"
        if is_first
        else "keep it, since a change would make every incident a new one; set `identity.namespace` in each"
        " other repository that imports into this account, before its first apply",
    )
    return tuple(problems.found)


def check_workflows(workflows: Sequence[Workflow] | None) -> tuple[Diagnostic, ...]:
    """Warn of active workflows that run on imported incidents, or of not knowing them."""
    problems = Diagnostics()
    if workflows is None:
        problems.warning(
            "workflows-unknown",
            "the API key cannot list workflows, so whether any run on retrospective incidents is unknown",
            hint="check Workflows in incident.io, or use a key with the role workflows_viewer",
        )
    for each in workflows or ():
        if each.state == "active" and "retrospective" in each.modes:
            problems.warning(
                "risky-workflow",
                "active workflows run on retrospective incidents, and so on every imported incident",
                detail=f"workflow '{each.name}'",
                hint="pause them in incident.io during the import, or exclude retrospective incidents",
            )
    return tuple(problems.found)


def _role(step: Step) -> str:
    """Return the role that the request of a step needs."""
    match step:
        case CreateOption():
            return "manage_settings"
        case CreateIncident():
            return _CREATES
        case EditIncident() | CorrectIncident() | AttachPostmortem():
            return _EDITS
        case (
            CreateChild(attribute=attribute)
            | EditChild(attribute=attribute)
            | SetChildStatus(attribute=attribute)
        ):
            return _CHILDREN.get(attribute.field, _EDITS)
        case _:
            assert_never(step)


def _was_pulled_here(change: Change) -> bool:
    """Whether the key is the ID of the incident in this account."""
    return isinstance(change, NoOp | Blocked) and change.incident_id == change.incident.key


def _refuse_deleted(doubtful: Iterable[Create], problems: Diagnostics) -> None:
    """Refuse to create incidents that were pulled from this account: they are, or were, in it."""
    for change in doubtful:
        problems.error(
            "pulled-in-doubt",
            "pulled incidents would be created again, because this account does not show them any longer",
            change.incident.location,
            detail=f"incident '{change.incident.key}'",
            hint=f"if they are private, use a key with the role {SEES_PRIVATE}; if they were deleted, remove"
            " them from the files, or give each a new key to create it again",
        )


def _refuse_unseen(doubtful: Iterable[Create], problems: Diagnostics) -> None:
    """Refuse to create private incidents whose key is an incident ID: they may have been pulled from this
    account with another API key, and this one could not see them."""
    for change in doubtful:
        if _is_private(change):
            problems.error(
                "private-in-doubt",
                "pulled private incidents would be created, but this account may have them: the API key "
                f"lacks the role {SEES_PRIVATE} to see them",
                change.incident.location,
                hint=f"use a key with the role {SEES_PRIVATE}, or leave them out",
            )


def _is_private(change: Create) -> bool:
    return change.attributes.get(Attribute(Field.VISIBILITY)) == "private"


def _warn_lacking(account: Account, roles: Iterable[str], problems: Diagnostics) -> None:
    for role in roles:
        if lacks_role(account, role):
            summary = f"the API key lacks the role {role}, needed to {_PURPOSES[role]}"
            problems.warning("key-lacks-role", summary, hint=_NEW_KEY)
