"""Live incidents and their keys -> incidents of a file that mean the same; what cannot be said is counted.

Each incident is resolved again as a plan would do it. What does not come back as it was is left out: to leave
it unmanaged is true, a difference would not be.
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
"""Whether the key may see private incidents does not matter to what was pulled with it."""

Draft = dict[Attribute, tuple[Attribute, Value]]
"""For each live attribute what a file says: the attribute and the value."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A live incident, what a file says of it, and the attributes that this resolves to."""

    live: LiveIncident
    incident: Incident
    attributes: Attributes


def needed(incidents: Iterable[LiveIncident]) -> Needs:
    """Return what naming the things of these incidents asks of the catalogue; their follow-ups may name any
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

    Names are looked up without the aliases of importer.yaml: those are for words that the account lacks. What
    they turn to another thing that it has is not said by that name.
    """
    writer = _Writer(reference_finder(catalogue, settings), _single_selects(catalogue))
    carrier = Attribute(Field.CUSTOM_FIELD, marker(catalogue, settings))
    sources = [replace(each, attributes=_writable(each.attributes, carrier)) for each in incidents]
    drafts = [writer.draft(live) for live in sources]
    numbers = Counter(live.number for live in incidents)
    declared = [
        Incident(keys[live.id], _number(live, numbers), dict(draft.values()), Location("", place))
        for place, (live, draft) in enumerate(zip(sources, drafts, strict=True), start=1)
    ]
    neutral = replace(settings, aliases={}, on_unresolved={}, create_missing=frozenset(), marker_field=None)
    resolved = resolve(declared, catalogue, neutral).incidents
    made = [
        _checked(live, draft, incident, back, warnings)
        for live, draft, incident, back in zip(sources, drafts, declared, resolved, strict=True)
    ]
    return _plannable([each for each in made if each is not None], catalogue, neutral, warnings)


def without_numbers(declared: Iterable[Declared]) -> tuple[Declared, ...]:
    """Return incidents that get whatever number an account gives them next."""
    return tuple(replace(each, incident=replace(each.incident, external_id=None)) for each in declared)


def _single_selects(catalogue: Catalogue) -> frozenset[Entity]:
    return frozenset(each.entity for each in catalogue.custom_fields if each.type == "single_select")


def _writable(attributes: Attributes, carrier: Attribute) -> Attributes:
    """Leave out what no file should say. The marker field is set to the key by itself."""
    return {
        attribute: value
        for attribute, value in attributes.items()
        if attribute.field not in NOT_CARRIED and attribute != carrier
    }


def _number(live: LiveIncident, numbers: Counter[int | None]) -> int | None:
    """Return the number of a reference, unless it is none that a file can declare or not the only one."""
    number = live.number
    return number if number and number <= LARGEST_NUMBER and numbers[number] == 1 else None


def _checked(
    live: LiveIncident, draft: Draft, incident: Incident, resolved: Incident, warnings: PullWarnings
) -> Declared | None:
    """Leave out what does not come back; the whole incident where a file cannot be without that."""
    found = {attribute: resolved.attributes.get(attribute) for attribute in draft}
    sayable = {
        attribute: written
        for attribute, written in draft.items()
        if found[attribute] is not None and same(live.attributes[attribute], found[attribute])
    }
    lost = lost_attributes(replace(incident, attributes=dict(sayable.values())))
    kept = {attribute: found[attribute] for attribute, (word, _) in sayable.items() if word not in lost}
    for attribute in live.attributes:
        if attribute not in kept:
            warnings.warning(
                "value-not-pulled",
                f"{attribute.label} cannot be written so that a plan finds it again: it is left out",
                live,
                hint="two things of one name, what the account has deleted, or a text that no file can hold",
            )
    missing = [each.label for each in _NEEDED if each not in kept]
    if missing:
        warnings.warning(
            "incident-not-pulled",
            f"incidents without a {missing[0]} are not pulled, since a file needs one",
            live,
            hint=f"give them a {missing[0]} in incident.io, and pull again",
        )
        return None
    return Declared(live, replace(incident, attributes=dict(sayable[each] for each in kept)), kept)


def _plannable(
    declared: Sequence[Declared], catalogue: Catalogue, settings: Settings, warnings: PullWarnings
) -> tuple[Declared, ...]:
    """Leave out the incidents that a plan refuses whatever it is to do with them, such as public ones of a
    type that became private since: an error would be the end of the whole plan."""
    resolved = [replace(each.incident, attributes=each.attributes) for each in declared]
    found = check_resolved(resolved, catalogue, settings, _NOBODY)
    refused = {at: each for each in found if each.severity is Severity.ERROR for at in each.locations}
    for each in declared:
        if problem := refused.get(each.incident.location):
            warnings.warning("incident-not-pulled", problem.summary, each.live, hint=problem.hint)
    return tuple(each for each in declared if each.incident.location not in refused)


@dataclass(frozen=True, slots=True)
class _Writer:
    """Says in a file's words what live attributes are."""

    finder: ReferenceFinder
    single_selects: frozenset[Entity]

    def draft(self, live: LiveIncident) -> Draft:
        """Return what a file can hold."""
        found: Draft = {}
        for attribute, value in live.attributes.items():
            name = self._key(attribute.key)
            written = self._value(attribute, value)
            if written is not None and (name is None) == (attribute.key is None):
                found[attribute] = (Attribute(attribute.field, name), written)
        return found

    def _key(self, key: Reference | Entity | str | None) -> Reference | str | None:
        """Return a key in words: names alone, for a file has no other place than the name for one."""
        match key:
            case Entity():
                return self.finder.unique(key)
            case str() if key and line(key) == key:
                return key
            case _:
                return None

    def _value(self, attribute: Attribute, value: Value) -> Value:
        """Return a value in words; None if there are none."""
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
        """Return the options of a custom field; of one that takes a single option that alone."""
        found = [self.finder.reference(each, owner) for each in chosen if isinstance(each, Entity)]
        names = [each.name if each.by == "name" else each for each in found]
        return names[0] if owner in self.single_selects and len(names) == 1 else several(names)

    def _child(self, child: Child) -> Child:
        """Return a child as far as a file can say it: an assignee whom the account still knows, a status that
        can be set, labels that all are words, one word for a resource."""
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
