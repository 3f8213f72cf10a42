"""A declared incident and the live one -> the differences to make, those that cannot be made and why, and
warnings of what is left out. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import assert_never

from importer.model import (
    WRITE_ONLY_FIELDS,
    Attribute,
    Attributes,
    Field,
    FieldChange,
    Incident,
    LiveIncident,
    Memory,
    Value,
    number_of,
)
from importer.model.diagnostics import Diagnostics, cannot_be_cleared
from importer.model.normalise import by_label
from importer.model.plain import plain
from importer.model.steps import LATER
from importer.plan.differences import differences
from importer.plan.drift import ShownDifferently, after_policy, judge
from importer.plan.matching import LiveIndex, kind_of
from importer.plan.steps import edit_steps

_LONGEST_VALUE = 60

Differences = tuple[tuple[FieldChange, ...], tuple[FieldChange, ...]]
"""The differences that apply can make, and those that it cannot."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Compares incidents with what the state remembers and the account shows; adds to `diagnostics`."""

    memory: Memory
    index: LiveIndex
    marker: Attribute | None
    unreadable: Mapping[Attribute, str]
    diagnostics: Diagnostics

    def compare(self, incident: Incident, live: LiveIncident, declared: Attributes) -> Differences:
        """Return the differences between an incident and its `declared` attributes."""
        found = self._without_unclearable(differences(live.attributes, declared), incident)
        if found:
            found = self._judged(found, incident, live)
        blocked = [each for each in found if not _is_possible(each)]
        blocked[:0] = number_change(incident, live.reference)
        return tuple(each for each in found if _is_possible(each)), tuple(blocked)

    def unproven(self, incident: Incident, live: LiveIncident, declared: Attributes) -> list[FieldChange]:
        """Return what differs in an incident that nothing proves to be ours."""
        found = (*number_change(incident, live.reference), *differences(live.attributes, declared))
        kept = self._without_unclearable(found, incident)
        return [_blocked(each, self._unlisted(each.attribute, live)) for each in kept]

    def _judged(
        self, found: Iterable[FieldChange], incident: Incident, live: LiveIncident
    ) -> list[FieldChange]:
        """Return the differences that are changes, with their origin, under the policy."""
        remembered = self.memory.remembered(incident.key)
        binding = self.memory.bindings.get(incident.key)
        is_unedited = binding is not None and binding.was_last_to_write(live)
        changes: list[FieldChange] = []
        for each in found:
            known = remembered.get(each.attribute)
            match judge(each, remembered, is_unedited=is_unedited):
                case ShownDifferently(answered=answered):
                    self._warn_shown_differently(incident, live, each, answered)
                case FieldChange() as change:
                    refused = known.refused if known and known.was_refused(each.after) else None
                    changes.append(_blocked(change, self._unlisted(each.attribute, live) or refused))
                case None:
                    # An earlier apply tried to clear it, and the account answered with the old value.
                    if each.after is None:
                        self.diagnostics.found.append(cannot_be_cleared(incident, each.attribute.label))
                case other:
                    assert_never(other)
        kept = after_policy(incident, changes, self.marker, self.diagnostics)
        if not remembered and all(each.attribute.field in WRITE_ONLY_FIELDS for each in kept):
            return []  # the state was lost, so it is unknown whether this is a change
        return kept

    def _unlisted(self, attribute: Attribute, live: LiveIncident) -> str | None:
        """Return why children cannot be looked up, and so must not be created, or None if they can."""
        return self.unreadable.get(attribute) or self.index.unlisted(live, attribute.field)

    def _without_unclearable(self, found: Iterable[FieldChange], incident: Incident) -> list[FieldChange]:
        """Return the differences without those that no request can clear; warn of these."""
        kept = []
        for each in found:
            if each.attribute.is_create_only and each.after is None:
                self.diagnostics.found.append(cannot_be_cleared(incident, each.attribute.label))
            else:
                kept.append(each)
        return kept

    def _warn_shown_differently(
        self, incident: Incident, live: LiveIncident, change: FieldChange, answered: Value
    ) -> None:
        shown, stored = _short(change.before), _short(answered)
        self.diagnostics.warning(
            "shown-differently",
            "the account shows a different value than it returned for the last write, though nobody has"
            " edited the incident since: the value is left as it is",
            incident.location,
            detail=f"incident '{incident.key}' ({live.reference}): {change.attribute.label} was returned as"
            f" {stored} and is now shown as {shown}",
            hint="check one in incident.io; to write the declared value again, change it in the file",
        )


def unlisted_children(
    attributes: Attributes, index: LiveIndex, unreadable: Mapping[Attribute, str]
) -> Iterator[FieldChange]:
    """Yield the children of a new incident that must not be created, as this key cannot look them up."""
    for attribute in sorted((each for each in attributes if each.is_child), key=by_label):
        reason = unreadable.get(attribute) or index.unlisted_kind(kind_of(attribute))
        if reason:
            yield FieldChange(attribute, None, attributes[attribute], obstacle=reason)


def why_blocked(blocked: Iterable[FieldChange]) -> str:
    """Return a sentence about differences that cannot be made, with the next step."""
    causes: dict[str, list[str]] = {}
    for each in blocked:
        causes.setdefault(each.obstacle or "", []).append(each.attribute.label)
    return "; ".join(_cause(", ".join(labels), reason) for reason, labels in causes.items())


def _cause(labels: str, reason: str) -> str:
    if reason:
        return f"{labels}: {reason}"
    return f"the API cannot change {labels} of an existing incident: change the file or incident.io"


def number_change(incident: Incident, reference: str) -> tuple[FieldChange, ...]:
    """Return the difference between the declared number and that in a reference; it is always blocked."""
    number = incident.external_id
    if number is None or number == number_of(reference):
        return ()
    return (FieldChange(Attribute(Field.EXTERNAL_ID), reference, str(number)),)


def _blocked(change: FieldChange, reason: str | None) -> FieldChange:
    return replace(change, obstacle=reason) if reason else change


def _is_possible(change: FieldChange) -> bool:
    """Whether the API has a request that makes this change, and nothing stands against it."""
    return change.obstacle is None and bool(edit_steps(LATER, [change]))


def _short(value: Value) -> str:
    text = json.dumps(plain(value), ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."
