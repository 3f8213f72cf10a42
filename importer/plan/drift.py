"""Differences -> whose they are, the file's or somebody's edit, and what the policy leaves of them. Pure.

For each attribute the ledger has what was last declared and what the account answered: so a difference is
judged by three values, not by two.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from importer.model import (
    WRITE_ONLY_FIELDS,
    Attribute,
    FieldChange,
    Incident,
    OnDrift,
    Origin,
    PostmortemDocument,
    Remembered,
)
from importer.model.diagnostics import Diagnostics
from importer.plan.differences import same


def judge(change: FieldChange, remembered: Mapping[Attribute, Remembered]) -> FieldChange | None:
    """Tell where a difference comes from, or that it is none. Of an incident of which nothing is remembered,
    nobody knows.

    An attribute that no answer shows is compared with what was last declared. Where the file has not
    changed since the last apply, the server's own form of it is no difference, and any other value is drift.
    """
    if not remembered:
        return replace(change, origin=Origin.UNKNOWN)
    known = remembered.get(change.attribute)
    unseen = change.attribute.is_child or change.attribute.field in WRITE_ONLY_FIELDS
    if unseen and change.before is None and known is not None:
        is_so = same(known.declared, change.after) or _was_answered(known, change)
        return None if is_so else replace(change, before=known.declared)
    if known is None or not same(known.declared, change.after):
        return change
    return None if same(known.answered, change.before) else replace(change, origin=Origin.DRIFT)


def _was_answered(known: Remembered, change: FieldChange) -> bool:
    """Whether the last answer shows the value, as it does the status that a new follow-up has. Of a
    post-mortem no answer shows the content."""
    is_shown = known.answered is not None and not isinstance(change.after, PostmortemDocument)
    return is_shown and same(known.answered, change.after)


def after_policy(
    incident: Incident, found: list[FieldChange], marker: Attribute | None, diagnostics: Diagnostics
) -> list[FieldChange]:
    """Return the differences that `on_drift` leaves, and say which it does not. The marker is nobody's to
    edit: without it, a lost state would be lost."""
    policy = incident.policy.on_drift
    editable = [each for each in found if each.attribute != marker]
    unknown = [each for each in editable if each.origin is Origin.UNKNOWN]
    drifted = [each for each in editable if each.origin is Origin.DRIFT]
    if policy is OnDrift.OVERWRITE:
        return found
    if unknown:
        diagnostics.warning(
            "drift-unknown",
            "on_drift cannot tell edits made in incident.io from changes of the files without the state",
            incident.location,
            detail=_named(incident, unknown),
            hint="bring the state (importer state import), or see that the plan overwrites no edit",
        )
    if drifted and policy is OnDrift.FAIL:
        diagnostics.error(
            "drift",
            "incidents were edited in incident.io",
            incident.location,
            detail=_named(incident, drifted),
            hint="take the edits into the files, or set on_drift: overwrite or keep",
        )
    elif drifted:
        diagnostics.warning(
            "drift-kept",
            "edits made in incident.io are kept, since on_drift is keep",
            incident.location,
            detail=_named(incident, drifted),
        )
    return [each for each in found if each not in drifted]


def _named(incident: Incident, changes: Iterable[FieldChange]) -> str:
    return f"incident '{incident.key}': {', '.join(each.attribute.label for each in changes)}"
