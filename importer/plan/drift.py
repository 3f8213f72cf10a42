"""Differences -> their origin, the file or an edit in incident.io, and those that the policy keeps. Pure.

The ledger has the last declared value of each attribute and the account's answer, so this is a three-way
comparison.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from importer.model import (
    WRITE_ONLY_FIELDS,
    Attribute,
    Field,
    FieldChange,
    Incident,
    OnDrift,
    Origin,
    PostmortemDocument,
    Remembered,
)
from importer.model.diagnostics import Diagnostics
from importer.model.forms import differs_in_form
from importer.plan.differences import same


def judge(change: FieldChange, remembered: Mapping[Attribute, Remembered]) -> FieldChange | None:
    """Return a difference with its origin, or None if it is not one. Without remembered values the origin is
    unknown.

    An attribute that the API does not return is compared with the last declared value. If the file has not
    changed since the last apply, the server's own form is not a difference, even if only later reads show it,
    and any other value is drift.
    """
    if not remembered:
        return replace(change, origin=Origin.UNKNOWN)
    known = remembered.get(change.attribute)
    unseen = change.attribute.is_child or change.attribute.field in WRITE_ONLY_FIELDS
    if unseen and change.before is None and known is not None:
        is_same = same(known.declared, change.after) or _was_answered(known, change)
        return None if is_same else replace(change, before=known.declared)
    if known is None or not same(known.declared, change.after):
        return change
    is_form = same(known.answered, change.before) or _is_another_form(change)
    return None if is_form else replace(change, origin=Origin.DRIFT)


def _is_another_form(change: FieldChange) -> bool:
    """Whether a text or link that the file did not change shows in another form. The text of a custom field
    must not: it may be the marker."""
    is_custom_text = change.attribute.field is Field.CUSTOM_FIELD and isinstance(change.after, str)
    return not is_custom_text and differs_in_form(change.before, change.after)


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
