"""Live incidents and their keys -> equal incidents of a file; values that no file can hold are counted.

Each incident is resolved again as a plan would do it. A value that does not come back the same is left out:
then it is unmanaged, where a plan would otherwise show a false difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import assert_never

from importer.account.catalogue import marker
from importer.account.resolver import resolve
from importer.account.rules import check_resolved
from importer.model import (
    Account,
    Attachment,
    Attribute,
    Attributes,
    Catalogue,
    Child,
    Entity,
    Field,
    FollowUp,
    Incident,
    Kind,
    Link,
    LiveIncident,
    Location,
    Membership,
    Needs,
    PostmortemDocument,
    Reference,
    Scalar,
    Severity,
    StatusPageIncident,
    TimelineItem,
    Value,
)
from importer.model.identity import Marker
from importer.model.normalise import line, several
from importer.model.settings import Settings
from importer.plan.differences import same
from importer.pull.naming import ReferenceFinder, reference_finder
from importer.pull.round_trip import lost_attributes
from importer.pull.warnings import PullWarnings
from importer.sources.rules import LARGEST_NUMBER

NOT_CARRIED = frozenset({Field.SLACK_CHANNEL_ID, Field.SLACK_TEAM_ID})
"""A Slack channel belongs to one workspace and to one incident; a copy must not take it."""

_NEEDED = (Attribute(Field.NAME), Attribute(Field.SEVERITY))
_READABLE_YEARS = range(1900, 2101)
_FOLLOW_UP_STATUSES = frozenset({"outstanding", "completed", "not_doing"})
_POSTMORTEM_STATUSES = frozenset({"in_progress", "in_review", "completed"})
_TITLED = "arbitrary_url"
_NOBODY = Account("", "")
"""A stand-in: whether the key may see private incidents does not matter for what it pulled."""

Draft = dict[Attribute, tuple[Attribute, Value]]
"""For each live attribute, the attribute and the value of the file."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A live incident, its declaration in a file, and the attributes that this resolves to."""

    live: LiveIncident
    incident: Incident
    attributes: Attributes


def needed(incidents: Iterable[LiveIncident]) -> Needs:
    """Return what the catalogue must contain to name the entities of these incidents; follow-ups may name any
    user."""
    fields = {
        Reference(Kind.CUSTOM_FIELD, attribute.key.id, "id")
        for live in incidents
        for attribute in live.attributes
        if attribute.field is Field.CUSTOM_FIELD and isinstance(attribute.key, Entity)
    }
    return Needs(frozenset(fields), users=True)


def declare_live(
    incidents: Sequence[LiveIncident],
    keys: Mapping[str, str],
    catalogue: Catalogue,
    settings: Settings,
    warnings: PullWarnings,
) -> tuple[Declared, ...]:
    """Return the incidents that a file can declare; `keys` are by ID. What it cannot hold is a warning.

    Names are looked up without the aliases of importer.yaml, which are for names that the account lacks. A
    name that an alias turns into another entity of the account is not used.
    """
    writer = _Writer(reference_finder(catalogue, settings), _single_selects(catalogue))
    carrier = marker(catalogue, settings)
    sources = [replace(each, attributes=_writable(each.attributes, carrier)) for each in incidents]
    drafts = [writer.draft(live) for live in sources]
    numbers = Counter(live.number for live in incidents)
    declared = [
        Incident(keys[live.id], _number(live, numbers), dict(draft.values()), Location("", place))
        for place, (live, draft) in enumerate(zip(sources, drafts, strict=True), start=1)
    ]
    neutral = replace(settings, aliases={}, on_unresolved={}, create_missing=frozenset(), marker_field=None)
    resolved = resolve(declared, catalogue, neutral).incidents
    checked = [
        _checked(live, draft, incident, resolved_again, warnings)
        for live, draft, incident, resolved_again in zip(sources, drafts, declared, resolved, strict=True)
    ]
    return _plannable([each for each in checked if each is not None], catalogue, neutral, warnings)


def without_numbers(declared: Iterable[Declared]) -> tuple[Declared, ...]:
    """Return the incidents without their numbers, so that an account assigns its own."""
    return tuple(replace(each, incident=replace(each.incident, external_id=None)) for each in declared)


def _single_selects(catalogue: Catalogue) -> frozenset[Entity]:
    return frozenset(each.entity for each in catalogue.custom_fields if each.type == "single_select")


def _writable(attributes: Attributes, carrier: Marker | None) -> Attributes:
    """Leave out what no file should declare. The marker field is set to the key automatically."""
    return {
        attribute: value
        for attribute, value in attributes.items()
        if attribute.field not in NOT_CARRIED and not (carrier and attribute == carrier.attribute)
    }


def _number(live: LiveIncident, numbers: Counter[int | None]) -> int | None:
    """Return the number of an incident, or None if a file cannot declare it or another has it too."""
    number = live.number
    return number if number and number <= LARGEST_NUMBER and numbers[number] == 1 else None


def _checked(
    live: LiveIncident, draft: Draft, incident: Incident, resolved: Incident, warnings: PullWarnings
) -> Declared | None:
    """Leave out values that do not come back the same, and the whole incident if a required one does not."""
    found = {attribute: resolved.attributes.get(attribute) for attribute in draft}
    writable = {
        attribute: written
        for attribute, written in draft.items()
        if found[attribute] is not None and same(live.attributes[attribute], found[attribute])
    }
    lost = lost_attributes(replace(incident, attributes=dict(writable.values())))
    kept = {attribute: found[attribute] for attribute, (name, _) in writable.items() if name not in lost}
    for attribute in live.attributes:
        if attribute not in kept:
            warnings.warning(
                "value-not-pulled",
                f"{attribute.label} cannot be written to a file and read back unchanged: it is left out",
                live,
                hint="causes: two entities with one name, a deleted entity, or text that no file can hold",
            )
    missing = [each.label for each in _NEEDED if each not in kept]
    if missing:
        warnings.warning(
            "incident-not-pulled",
            f"incidents without a {missing[0]} are not pulled, since a file requires one",
            live,
            hint=f"add a {missing[0]} in incident.io and pull again",
        )
        return None
    return Declared(live, replace(incident, attributes=dict(writable[each] for each in kept)), kept)


def _plannable(
    declared: Sequence[Declared], catalogue: Catalogue, settings: Settings, warnings: PullWarnings
) -> tuple[Declared, ...]:
    """Leave out incidents that any plan would reject, such as public ones of a type that has become private:
    one error would fail the whole plan."""
    resolved = [replace(each.incident, attributes=each.attributes) for each in declared]
    found = check_resolved(resolved, catalogue, settings, _NOBODY, marker(catalogue, settings))
    refused = {at: each for each in found if each.severity is Severity.ERROR for at in each.locations}
    for each in declared:
        if problem := refused.get(each.incident.location):
            warnings.warning("incident-not-pulled", problem.summary, each.live, hint=problem.hint)
    return tuple(each for each in declared if each.incident.location not in refused)


@dataclass(frozen=True, slots=True)
class _Writer:
    """Turns live attributes into the attributes of a file."""

    finder: ReferenceFinder
    single_selects: frozenset[Entity]

    def draft(self, live: LiveIncident) -> Draft:
        """Return the attributes that a file can hold."""
        found: Draft = {}
        for attribute, value in live.attributes.items():
            name = self._key(attribute.key)
            written = self._value(attribute, value)
            if written is not None and (name is None) == (attribute.key is None):
                found[attribute] = (Attribute(attribute.field, name), written)
        return found

    def _key(self, key: Reference | Entity | str | None) -> Reference | str | None:
        """Return a key as a file writes it, which is always a name; None if it has no unique name."""
        match key:
            case Entity():
                return self.finder.unique(key)
            case str() if key and line(key) == key:
                return key
            case _:
                return None

    def _value(self, attribute: Attribute, value: Value) -> Value:
        """Return a value as a file writes it, or None if it cannot."""
        match value:
            case Entity():
                return self.finder.reference(value)
            case tuple() if isinstance(attribute.key, Entity):
                return self._choices(attribute.key, value)
            case Decimal():
                return format(value, "f")
            case Link(url=url):
                return url
            case datetime():
                return value if value.year in _READABLE_YEARS else None
            case _:
                return self._child(value) if isinstance(value, Child) else value

    def _choices(self, owner: Entity, chosen: tuple[Scalar, ...]) -> Value:
        """Return the options of a custom field; for a single select, the option itself."""
        found = [self.finder.reference(each, owner) for each in chosen if isinstance(each, Entity)]
        names = [each.name if each.by == "name" else each for each in found]
        return names[0] if owner in self.single_selects and len(names) == 1 else several(names)

    def _child(self, child: Child) -> Child:
        """Return a child without what a file cannot hold: an unknown assignee, a status that cannot be set,
        labels that are not single lines, a second identifier of a resource."""
        match child:
            case FollowUp(assignee=assignee, status=status):
                return replace(
                    child,
                    assignee=self.finder.known(assignee) if isinstance(assignee, Entity) else None,
                    status=status if status in _FOLLOW_UP_STATUSES else None,
                    labels=child.labels if all(each and line(each) == each for each in child.labels) else (),
                )
            case Attachment(resource_type=resource_type, url=url):
                return replace(
                    child,
                    external_id=None if url else child.external_id,
                    title=child.title if resource_type == _TITLED else None,
                )
            case PostmortemDocument(status=status):
                return replace(child, status=status if status in _POSTMORTEM_STATUSES else None)
            case TimelineItem() | Membership() | StatusPageIncident():
                return child
            case _:
                assert_never(child)
