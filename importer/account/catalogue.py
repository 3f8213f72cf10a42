"""A Reference -> its Entity in the account, or why there is none, with similar names."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from heapq import nlargest

from importer.model import (
    Attribute,
    CatalogEntry,
    Catalogue,
    CustomField,
    Entity,
    Field,
    Kind,
    Reference,
    Status,
    User,
)
from importer.model.identity import Marker
from importer.model.normalise import folded
from importer.model.settings import Settings

MAX_NEAREST = 3
MAX_KNOWN = 10
MAX_COMPARED = 20


@dataclass(frozen=True, slots=True)
class Found:
    """The one entity that matches. `passed_over` are inactive users who share the email of an active one."""

    entity: Entity
    passed_over: tuple[Entity, ...] = ()


@dataclass(frozen=True, slots=True)
class Missing:
    """No entity matches. `nearest` are similar names, best first; `known` are all names, if they are few."""

    nearest: tuple[str, ...] = ()
    known: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Several entities match; `candidates` are in the order of their IDs."""

    candidates: tuple[Entity, ...]


Answer = Found | Missing | Ambiguous


@dataclass(slots=True)
class Index:
    """An index of a catalogue by name. Each kind is indexed when it is first needed."""

    catalogue: Catalogue
    _indexes: dict[tuple[Kind, str], _KindIndex] = field(default_factory=dict)

    def find(self, reference: Reference, within: Entity | None = None) -> Answer:
        """Find the entity of a reference. An exact match beats one that differs in case, spacing or Unicode
        form; nothing is guessed.

        `within` is the custom field of an option or catalog entry, or the status page of a component.
        """
        scope = (reference.kind, within.id if within else "")
        index = self._indexes.get(scope)
        if index is None:
            index = self._indexes[scope] = _kind_index(self.catalogue, *scope)
        for tier in index.tiers.get(reference.by, ()):
            if entities := tier.entities.get(tier.form(reference.name)):
                return _one_of(entities, tier.inactive)
        words = index.words.get(reference.by, {})
        known = tuple(words.values()) if len(words) <= MAX_KNOWN else ()
        return Missing(_nearest(folded(reference.name), words), known)


def default_status(catalogue: Catalogue) -> Entity | None:
    """Return the closed status with the lowest rank, the default for incidents that declare none."""

    def order(status: Status) -> tuple[int, str]:
        return (status.rank, status.entity.id)

    closed = (each for each in catalogue.statuses if each.category == "closed")
    lowest = min(closed, key=order, default=None)
    return lowest.entity if lowest else None


def marker(catalogue: Catalogue, settings: Settings) -> Marker | None:
    """Return the custom field that holds keys, or None if it is not configured, missing or ambiguous."""
    if settings.marker_field is None:
        return None
    answer = Index(catalogue).find(Reference(Kind.CUSTOM_FIELD, settings.marker_field))
    if not isinstance(answer, Found):
        return None
    return Marker(Attribute(Field.CUSTOM_FIELD, answer.entity), settings.namespace)


def find_custom_field(catalogue: Catalogue, field_id: str) -> CustomField | None:
    """Return the custom field with an ID, or None if there is none."""
    return next((each for each in catalogue.custom_fields if each.entity.id == field_id), None)


@dataclass(frozen=True, slots=True)
class _Tier:
    """One way to name entities: by a name in its `form`. Active ones beat those in `inactive`."""

    form: Callable[[str], str]
    entities: Mapping[str, tuple[Entity, ...]]
    inactive: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _KindIndex:
    """The entities of one kind. For each `Reference.by`: the tiers in order of precedence, and the names to
    suggest, keyed by their folded form."""

    tiers: Mapping[str, tuple[_Tier, ...]]
    words: Mapping[str, Mapping[str, str]]


def _one_of(entities: tuple[Entity, ...], inactive: frozenset[str]) -> Found | Ambiguous:
    if len(entities) == 1:
        return Found(entities[0])
    active = [each for each in entities if each.id not in inactive]
    if len(active) == 1:
        return Found(active[0], tuple(each for each in entities if each != active[0]))
    return Ambiguous(entities)


def _kind_index(catalogue: Catalogue, kind: Kind, within: str) -> _KindIndex:
    match kind:
        case Kind.USER:
            return _users(catalogue.users)
        case Kind.OPTION | Kind.CATALOG_ENTRY:
            owner = find_custom_field(catalogue, within)
            if owner is not None and owner.catalog_type_id is not None:
                return _entries(catalogue.catalog_entries.get(owner.catalog_type_id, ()))
            return _options(catalogue.options.get(within, ()))
        case Kind.COMPONENT:
            pages = (page for page in catalogue.status_pages if page.entity.id == within)
            return _named(component for page in pages for component in page.components)
        case _:
            return _named(_listed(catalogue)[kind])


def _listed(catalogue: Catalogue) -> Mapping[Kind, tuple[Entity, ...]]:
    """Return the account's short lists. Roles are found as either kind: a file does not mark the reporter."""
    return {
        Kind.SEVERITY: catalogue.severities,
        Kind.STATUS: tuple(each.entity for each in catalogue.statuses),
        Kind.INCIDENT_TYPE: tuple(each.entity for each in catalogue.incident_types),
        Kind.ROLE: catalogue.roles,
        Kind.REPORTER: catalogue.roles,
        Kind.TIMESTAMP: catalogue.timestamps,
        Kind.CUSTOM_FIELD: tuple(each.entity for each in catalogue.custom_fields),
        Kind.STATUS_PAGE: tuple(each.entity for each in catalogue.status_pages),
    }


def _named(entities: Iterable[Entity]) -> _KindIndex:
    listed = tuple(entities)
    names = [(each.name, each) for each in listed]
    return _KindIndex(
        {"name": (_tier(str, names), _tier(folded, names)), "id": (_by_id(listed),)}, {"name": _words(names)}
    )


def _options(options: tuple[Entity, ...]) -> _KindIndex:
    """Index options, by ID as well: a list of values has no other place for an ID."""
    names = [(each.name, each) for each in options]
    identity = _by_id(options)
    return _KindIndex(
        {"name": (_tier(str, names), identity, _tier(folded, names)), "id": (identity,)},
        {"name": _words(names)},
    )


def _entries(entries: tuple[CatalogEntry, ...]) -> _KindIndex:
    """Index catalog entries by ID, external ID, alias and name, in this order.

    The API also accepts an external ID or an alias (API page: Incidents V2, custom_field_entries).
    """
    identity = _by_id(tuple(each.entity for each in entries))
    external = [(each.external_id, each.entity) for each in entries]
    aliases = [(alias, each.entity) for each in entries for alias in each.aliases]
    names = [(each.entity.name, each.entity) for each in entries]
    exact = (identity, _tier(str, external), _tier(str, aliases), _tier(str, names))
    loose = (_tier(folded, external), _tier(folded, aliases), _tier(folded, names))
    return _KindIndex({"name": exact + loose, "id": (identity,)}, {"name": _words(names)})


def _users(users: tuple[User, ...]) -> _KindIndex:
    """Index users by email in any case, Slack ID, ID and full name, in this order.

    Several users may share one email, left over from merges: a single active one among them is found.
    """
    inactive = frozenset(each.entity.id for each in users if not each.is_active)
    emails = [(each.email, each.entity) for each in users]
    names = [(each.entity.name, each.entity) for each in users]
    identity = _by_id(tuple(each.entity for each in users))
    email = _tier(folded, emails, inactive)
    slack = _tier(str, [(each.slack_user_id, each.entity) for each in users])
    return _KindIndex(
        {
            "name": (email, slack, identity, _tier(str, names), _tier(folded, names)),
            "email": (email,),
            "slack_user_id": (slack,),
            "id": (identity,),
        },
        {"name": _words([*emails, *names]), "email": _words(emails)},
    )


def _by_id(entities: tuple[Entity, ...]) -> _Tier:
    return _tier(str, [(each.id, each) for each in entities])


def _tier(
    form: Callable[[str], str],
    pairs: Iterable[tuple[str | None, Entity]],
    inactive: frozenset[str] = frozenset(),
) -> _Tier:
    entities: dict[str, dict[str, Entity]] = {}
    for word, entity in pairs:
        if word:
            entities.setdefault(form(word), {})[entity.id] = entity
    return _Tier(
        form, {word: tuple(same[each] for each in sorted(same)) for word, same in entities.items()}, inactive
    )


def _words(pairs: Iterable[tuple[str | None, Entity]]) -> Mapping[str, str]:
    return {folded(word): word for word in sorted({word for word, _ in pairs if word})}


_ALIKE = 0.6
"""difflib's own threshold for a close match."""


def _nearest(wanted: str, words: Mapping[str, str]) -> tuple[str, ...]:
    """Return the words most similar to the wanted one, best first.

    difflib alone takes half a second on ten thousand emails of one domain, so candidates are preselected by
    shared pairs of letters.
    """
    likely = nlargest(MAX_COMPARED, words, key=lambda word: _shared_pairs(wanted, word))
    near = difflib.get_close_matches(wanted, likely, n=MAX_NEAREST)
    return tuple(words[each] for each in near if _may_be_same_person(wanted, each))


def _may_be_same_person(one: str, other: str) -> bool:
    """Whether the parts before the @ are similar; a shared domain means nothing."""
    left, right = one.partition("@"), other.partition("@")
    if not (left[1] and right[1]):
        return True
    return difflib.SequenceMatcher(None, left[0], right[0]).ratio() >= _ALIKE


def _shared_pairs(one: str, other: str) -> float:
    """Return Dice's coefficient of the pairs of neighbouring letters, from 0 (none shared) to 1 (all)."""
    left, right = _pairs(one), _pairs(other)
    return 2 * len(left & right) / (len(left) + len(right) or 1)


@lru_cache(maxsize=1 << 16)
def _pairs(word: str) -> frozenset[str]:
    return frozenset(word[at : at + 2] for at in range(len(word) - 1))
