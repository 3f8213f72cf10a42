"""The key's roles and the account's workflows -> what will fail, before anything is sent. Pure.

Role names and what they allow: API page Utilities V1, Identity.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import assert_never

from importer.account.rules import SEES_PRIVATE, lacks_role
from importer.model import Account, Attribute, Blocked, Change, Create, Diagnostic, Field, NoOp, Workflow
from importer.model.diagnostics import Diagnostics
from importer.model.identity import is_incident_id
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
from importer.plan.steps import option_steps, steps

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
_CHILDREN = {
    Field.MEMBER: "incident_memberships_editor",
    Field.STATUS_PAGE: "status_page_publisher",
    Field.POSTMORTEM: "postmortems_manage",
}
"""The children that have a role of their own, by the roles' names; for the others the API pages name none."""

_NEW_KEY = "roles are chosen when a key is created: make another one in incident.io under Settings, API keys"


def check_roles(account: Account, changes: Sequence[Change]) -> tuple[Diagnostic, ...]:
    """Warn of changes that the key seems not to be allowed to make; refuse to create what may be there."""
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


def check_key(account: Account) -> tuple[Diagnostic, ...]:
    """Warn of what an import as a whole needs and the key seems to lack."""
    problems = Diagnostics()
    _warn_lacking(account, (_READS, _CREATES, _EDITS), problems)
    if lacks_role(account, SEES_PRIVATE):
        problems.warning(
            "key-without-private",
            "the API key does not see private incidents",
            hint="to import private ones, use a key with the role global_access",
        )
    return tuple(problems.found)


def check_workflows(workflows: Sequence[Workflow] | None) -> tuple[Diagnostic, ...]:
    """Warn of workflows that would run on every incident that is imported."""
    problems = Diagnostics()
    if workflows is None:
        problems.warning(
            "workflows-unknown",
            "this key may not list workflows, so whether some run on retrospective incidents is not known",
            hint="look in incident.io under Workflows, or use a key with the role workflows_viewer",
        )
    for each in workflows or ():
        if each.state == "active" and "retrospective" in each.modes:
            problems.warning(
                "risky-workflow",
                "active workflows run on retrospective incidents, and so on every incident that is imported",
                detail=f"workflow '{each.name}'",
                hint="pause them in incident.io while you import, or take retrospective out of them",
            )
    return tuple(problems.found)


def _role(step: Step) -> str:
    """Return the role that a step's request needs."""
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
    """Incidents that were pulled from this account are or were in it; to make them again is no import."""
    for change in doubtful:
        problems.error(
            "pulled-in-doubt",
            "incidents that were pulled would be created, since this account does not show them any longer",
            change.incident.location,
            detail=f"incident '{change.incident.key}'",
            hint=f"use a key with the role {SEES_PRIVATE} if they are private; if they are gone, take them"
            " out of the files, or give each another key to make it anew",
        )


def _refuse_unseen(doubtful: Iterable[Create], problems: Diagnostics) -> None:
    """A private incident whose key is an incident's ID may have been pulled from this account with another
    key, and this one would not see it."""
    for change in doubtful:
        if _is_private(change):
            problems.error(
                "private-in-doubt",
                "private incidents that were pulled would be created, but they may be in this account, where "
                f"the API key lacks the role {SEES_PRIVATE} to see them",
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
