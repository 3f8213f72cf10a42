"""Differences -> their origin, the file or an edit in incident.io, and those that the policy keeps. Pure.

The ledger has the last declared value of each attribute and the account's answer, so this is a three-way
comparison.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from importer.model import (
    WRITE_ONLY_FIELDS,
    Attribute,
    FieldChange,
    Incident,
    OnDrift,
    Origin,
    PostmortemDocument,
    Remembered,
    Value,
)
from importer.model.diagnostics import Diagnostics
from importer.model.forms import is_same_form
from importer.model.values import cleared_parts
from importer.plan.differences import same


@dataclass(frozen=True, slots=True)
class ShownDifferently:
    """The account shows another value than it answered to the last write, and nobody edited the incident."""

    answered: Value


def judge(
    change: FieldChange, remembered: Mapping[Attribute, Remembered], *, is_unedited: bool
) -> FieldChange | ShownDifferently | None:
    """Return a difference with its origin, or None if it is not one. Without remembered values the origin is
    unknown. `is_unedited` tells that nobody edited the incident since it was last written.

    An attribute that the API does not return is compared with the last declared value. If the file has not
    changed since the last apply, the account's own form is no difference, whether the answer showed it or
    only later reads do, and any other value is drift. What the account refused differs as long as the file
    declares it.
    """
    before, after, known = change.before, change.after, remembered.get(change.attribute)
    if not remembered:
        return None if is_same_form(before, after) else replace(change, origin=Origin.UNKNOWN)
    unseen = change.attribute.is_child or change.attribute.field in WRITE_ONLY_FIELDS
    if unseen and before is None and known is not None:
        is_same = is_declared(known, after) or _was_answered(known, change)
        return None if is_same else replace(change, before=known.declared)
    if known is None:
        return None if is_same_form(before, after) else change
    if not is_declared(known, after):
        return change
    if is_same_form(before, after):
        return None
    is_as_answered = same(known.answered, before) or is_same_form(before, known.answered)
    if known.refused is not None:
        return change if is_as_answered or is_unedited else replace(change, origin=Origin.DRIFT)
    if is_as_answered:
        return None
    return ShownDifferently(known.answered) if is_unedited else replace(change, origin=Origin.DRIFT)


def is_declared(known: Remembered, value: Value) -> bool:
    """Whether a value is the one last declared, also in the parts that it clears."""
    return same(known.declared, value) and set(cleared_parts(value)) <= set(cleared_parts(known.declared))


def _was_answered(known: Remembered, change: FieldChange) -> bool:
    """Whether the last answer shows the value, such as a new status. Post-mortem content is never shown."""
    is_shown = known.answered is not None and not isinstance(change.after, PostmortemDocument)
    return is_shown and same(known.answered, change.after)


def after_policy(
    incident: Incident, found: list[FieldChange], marker: Attribute | None, diagnostics: Diagnostics
) -> list[FieldChange]:
    """Return the differences to apply under `on_drift`, and report the others. The marker is always written
    back: without it, a lost state could not be rebuilt."""
    policy = incident.policy.on_drift
    editable = [each for each in found if each.attribute != marker]
    unknown = [each for each in editable if each.origin is Origin.UNKNOWN]
    drifted = [each for each in editable if each.origin is Origin.DRIFT]
    if policy is OnDrift.OVERWRITE:
        return found
    if unknown:
        diagnostics.warning(
            "drift-unknown",
            "without the state, on_drift cannot tell edits made in incident.io from changes in the files",
            incident.location,
            detail=_named(incident, unknown),
            hint="import the state (importer state import FILE), or check that the plan overwrites no edits",
        )
    if drifted and policy is OnDrift.FAIL:
        diagnostics.error(
            "drift",
            "incidents were edited in incident.io",
            incident.location,
            detail=_named(incident, drifted),
            hint="copy the edits into the files, or set on_drift to overwrite or keep",
        )
    elif drifted:
        diagnostics.warning(
            "drift-kept",
            "edits made in incident.io are kept, because on_drift is keep",
            incident.location,
            detail=_named(incident, drifted),
        )
    return [each for each in found if each not in drifted]


def _named(incident: Incident, changes: Iterable[FieldChange]) -> str:
    return f"incident '{incident.key}': {', '.join(each.attribute.label for each in changes)}"
