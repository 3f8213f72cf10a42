"""Declared and live incidents -> the changes that make the account match the files. Pure.

Each difference is either changed, shown as blocked because the API cannot change it, or ignored because the
server merely keeps its own form of the declared value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import assert_never

from importer.model import (
    Adopt,
    Attribute,
    Attributes,
    Blocked,
    Change,
    Create,
    Diagnostic,
    Entity,
    Field,
    FieldChange,
    Incident,
    LiveIncident,
    Memory,
    NoOp,
    Pending,
    Unmanaged,
    Update,
    Value,
)
from importer.model.diagnostics import Diagnostics
from importer.model.forms import is_same_form
from importer.model.identity import Marker, idempotency_key
from importer.model.settings import Settings
from importer.model.wording import numbered
from importer.plan.comparison import (
    Comparison,
    Differences,
    number_change,
    unlisted_children,
    why_blocked,
)
from importer.plan.differences import differences, without
from importer.plan.matching import Absent, Claimed, Conflict, Hidden, LiveIndex, Match, NotOurs, Ours, Sent


@dataclass(frozen=True, slots=True)
class Planned:
    """The changes, oldest incident first, the bindings that no file declares, and the problems found."""

    changes: tuple[Change, ...]
    unmanaged: tuple[Unmanaged, ...]
    diagnostics: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class PlanContext:
    """What plans of incidents depend on: the settings, the account's marker field and closed status, and the
    attributes that this key cannot read, with the reason."""

    settings: Settings
    marker: Marker | None
    closed: Entity | None
    unreadable: Mapping[Attribute, str] = field(default_factory=dict)


def plan_changes(
    incidents: Iterable[Incident],
    index: LiveIndex,
    *,
    memory: Memory,
    context: PlanContext,
    declared_keys: frozenset[str],
) -> Planned:
    """Plan each resolved incident. `declared_keys` are all keys in the files, including incidents that are
    not planned now; a bound key that is not among them is no longer managed."""
    planner = _Planner(context, memory, index, declared_keys, Diagnostics())
    ordered = sorted(incidents, key=_by_history)
    changes = [change for each in ordered if (change := planner.change(each, index.match(each))) is not None]
    planner.warn_of_undeclared()
    undeclared = sorted(memory.bindings.keys() - declared_keys)
    unmanaged = tuple(Unmanaged(key, memory.bindings[key].reference) for key in undeclared)
    return Planned(tuple(changes), unmanaged, tuple(planner.diagnostics.found))


@dataclass(frozen=True, slots=True)
class _Planner:
    context: PlanContext
    memory: Memory
    index: LiveIndex
    declared_keys: frozenset[str]
    diagnostics: Diagnostics

    def change(self, incident: Incident, match: Match) -> Change | None:
        """Return the change of one incident, or None if its identity is in conflict."""
        match match:
            case Ours(live=live):
                return self._update(incident, live)
            case Claimed(live=live):
                return Adopt(incident, live, *self._compare(incident, live))
            case Hidden():
                return self._hidden(incident, match)
            case NotOurs():
                return self._not_ours(incident, match)
            case Conflict(explanation=explanation):
                self.diagnostics.error(
                    "identity-conflict",
                    f"key '{incident.key}' points at different incidents: {explanation}",
                    incident.location,
                    hint="correct the marker field in incident.io, or `importer state forget` the wrong key",
                )
                return None
            case Sent(idempotency_key=sent_with, resembles=resembles, content=content):
                self._warn_of_resemblance(incident, resembles, "unconfirmed incidents")
                sent, people, blocked = self._creation(incident)
                return Pending(incident, sent_with, sent, people, content, blocked)
            case Absent(resembles=resembles):
                self._warn_of_resemblance(incident, resembles, "incidents to be created")
                return Create(incident, self._key(incident), *self._creation(incident))
            case _:
                assert_never(match)

    def _key(self, incident: Incident) -> str:
        namespace = self.context.settings.namespace
        return incident.idempotency_key or idempotency_key(namespace=namespace, key=incident.key)

    @property
    def _marker(self) -> Attribute | None:
        return self.context.marker.attribute if self.context.marker else None

    def _desired(self, incident: Incident) -> Attributes:
        """Return the declared attributes with the marker, if there is one."""
        marker = self.context.marker
        carried = {marker.attribute: marker.text(incident.key)} if marker else {}
        return {**incident.attributes, **carried}

    def _creation(
        self, incident: Incident
    ) -> tuple[Attributes, frozenset[Attribute], tuple[FieldChange, ...]]:
        """Return all attributes that a creation sends, with defaults that must not be left to the server and
        without cleared ones, those of them that are left to people afterwards, and the children that must
        not be created."""
        defaults: dict[Attribute, Value] = {Attribute(Field.VISIBILITY): "public"}
        if self.context.closed:
            defaults[Attribute(Field.STATUS)] = self.context.closed
        declared = {a: value for a, value in self._desired(incident).items() if value is not None}
        blocked = tuple(unlisted_children(declared, self.index, self.context.unreadable))
        sent = without({**defaults, **declared}, *(each.attribute for each in blocked))
        return sent, frozenset(sent) - self._compared(incident).keys() - defaults.keys(), blocked

    def _update(self, incident: Incident, live: LiveIncident) -> Change:
        changes, blocked = self._compare(incident, live)
        if changes:
            return Update(incident, live, changes, blocked)
        return _impossible(incident, live, blocked) if blocked else NoOp(incident, live.id, live.reference)

    def _compare(self, incident: Incident, live: LiveIncident) -> Differences:
        return self._comparison.compare(incident, live, self._compared(incident))

    @property
    def _comparison(self) -> Comparison:
        return Comparison(self.memory, self.index, self._marker, self.context.unreadable, self.diagnostics)

    def _compared(self, incident: Incident) -> Attributes:
        """Return the declared attributes without those left to people. The marker is always included: without
        it, a lost state could not be rebuilt."""
        return {
            attribute: value
            for attribute, value in self._desired(incident).items()
            if attribute == self._marker or not incident.policy.ignores(attribute)
        }

    def _not_ours(self, incident: Incident, found: NotOurs) -> Change:
        if incident.key == found.live.id:
            is_declared = found.owner in self.declared_keys
            if not is_declared and (unchanged := self._as_it_was_pulled(incident, found.live)):
                return unchanged
        elif found.owner is None and is_recovered(incident, found.live, self.context.marker):
            if self.context.settings.adopt_matching:
                return Adopt(incident, found.live, ())
            self._warn_of_match(incident, found.live)
        return _blocked(incident, found)

    def _warn_of_match(self, incident: Incident, live: LiveIncident) -> None:
        self.diagnostics.warning(
            "matches-existing",
            "incidents in the account have the declared number and values, but nothing proves that this"
            " importer created them",
            incident.location,
            detail=f"incident '{incident.key}': {live.reference}",
            hint="if the state was lost, adopt all of them with --adopt-matching",
        )

    def _as_it_was_pulled(self, incident: Incident, live: LiveIncident) -> NoOp | Blocked | None:
        """Return a NoOp if everything is as declared, as after a pull: if there is nothing to do, it does not
        matter whose the incident is. What this key cannot list is blocked. Return None for any other
        difference."""
        declared = {a: value for a, value in self._compared(incident).items() if a != self._marker}
        found = self._comparison.unproven(incident, live, declared)
        if not found:
            return NoOp(incident, live.id, live.reference)
        return _impossible(incident, live, tuple(found)) if all(each.obstacle for each in found) else None

    def _hidden(self, incident: Incident, hidden: Hidden) -> Change:
        """Plan an incident that the API key cannot see. It is compared with what was last declared: if that
        has not changed, there is nothing to do."""
        binding = hidden.binding
        remembered = self.memory.remembered(incident.key)
        as_declared = {attribute: known.declared for attribute, known in remembered.items()}
        changed = (
            *number_change(incident, binding.reference),
            *differences(as_declared, self._compared(incident)),
        )
        self.diagnostics.warning(
            "not-visible",
            "incidents that were imported earlier are not visible to this API key",
            incident.location,
            detail=f"incident '{incident.key}' ({binding.reference})",
            hint="private incidents need a key with the role global_access",
        )
        if not changed:
            return NoOp(incident, binding.incident_id, binding.reference)
        return Blocked(
            incident,
            binding.incident_id,
            binding.reference,
            "not-visible",
            "this API key cannot see the incident: use a key with the role global_access, or, if it was "
            f"deleted in incident.io, run `importer state forget {incident.key}`",
            changed,
        )

    def _warn_of_resemblance(self, incident: Incident, resembles: tuple[NotOurs, ...], which: str) -> None:
        """Warn of similar incidents: if the server forgot the key, creation would make a duplicate."""
        unmanaged = [each for each in resembles if each.owner not in self.declared_keys]
        if unmanaged:
            first = unmanaged[0]
            hint = f"if they are the same: importer adopt {incident.key} {first.live.reference}"
            if first.owner:
                hint = f"if the key was renamed, keep the old one: {first.owner}"
            elif first.mark:
                hint = f"if the namespace was changed, keep the old one: the marker field has {first.mark}"
            self.diagnostics.warning(
                "resembles-existing",
                f"{which} have the same name and timestamps as unmanaged incidents in the account",
                incident.location,
                detail=f"incident '{incident.key}' resembles "
                + ", ".join(each.live.reference for each in unmanaged),
                hint=hint,
            )

    def warn_of_undeclared(self) -> None:
        """Warn of unanswered creations that no file declares any longer, so that no apply settles them."""
        for key in sorted(self.memory.sent.keys() - self.declared_keys):
            self.diagnostics.warning(
                "sent-undeclared",
                "a run that did not finish sent creations that no file declares any longer",
                detail=f"incident '{key}'",
                hint="declare them again with the same key: the next apply settles them",
            )


def is_recovered(incident: Incident, live: LiveIncident, marker: Marker | None) -> bool:
    """Whether an incident was imported with the declared number and has all declared values, but no marker:
    probably ours, from before the state was lost. It is no proof: another importer may have created it."""
    is_imported = live.mode == "retrospective" and live.number == incident.external_id
    is_unmarked = marker is None or marker.read(live) is None
    own = {a: value for a, value in incident.attributes.items() if not a.is_child}
    declared = without(own, marker.attribute) if marker else own
    found = differences(live.attributes, declared)
    return is_imported and is_unmarked and all(is_same_form(each.before, each.after) for each in found)


def _impossible(incident: Incident, live: LiveIncident, blocked: tuple[FieldChange, ...]) -> Blocked:
    """Return the change of an incident whose only differences are blocked."""
    reason, why = "create-only", why_blocked(blocked)
    if all(each.obstacle for each in blocked):
        reason, why = "not-possible", why_blocked(blocked)
    return Blocked(incident, live.id, live.reference, reason, why, blocked)


def _blocked(incident: Incident, found: NotOurs) -> Blocked:
    if found.owner:
        reason, why = "number-taken", f"{found.live.reference} belongs to the key '{found.owner}'"
        step = "give one of them another external_id, or keep the old key if it was renamed"
    elif found.mark:
        reason = "number-taken"
        why = f"another namespace imported {found.live.reference}: its marker field has '{found.mark}'"
        step = "give one of them another external_id, or keep the old namespace if it was changed"
    else:
        reason, why = "not-ours", f"{found.live.described} exists and was not created by this importer"
        other = "if it is a different incident, remove external_id; " if incident.external_id else ""
        step = f"{other}if it is the same incident, run: importer adopt {incident.key} {found.live.reference}"
    return Blocked(incident, found.live.id, found.live.reference, reason, f"{why}; {step}")


def _by_history(incident: Incident) -> tuple[bool, str, str]:
    began = incident.began
    return (began is None, began.isoformat() if began else "", incident.key)


def exceeded(changes: Mapping[str, int], settings: Settings) -> str | None:
    """Return a message if the number of creations or updates exceeds its safety limit."""
    for action, limit in (("create", settings.max_creates), ("update", settings.max_updates)):
        if limit is not None and changes[action] > limit:
            count = numbered(changes[action], "incident")
            return f"the plan has {count} to {action}; safety.max_{action}s allows {limit}"
    return None
