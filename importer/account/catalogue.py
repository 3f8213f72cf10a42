"""The account's things by name: a Reference -> its Entity, or why there is none and which names are near."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from heapq import nlargest

from importer.model import CatalogEntry, Catalogue, CustomField, Entity, Kind, Reference, Status, User
from importer.model.normalise import folded
from importer.model.settings import Settings

MAX_NEAREST = 3
MAX_KNOWN = 10
MAX_COMPARED = 20


@dataclass(frozen=True, slots=True)
class Found:
    """The one thing meant. `passed_over` are inactive users who share the email of an active one."""

    entity: Entity
    passed_over: tuple[Entity, ...] = ()


@dataclass(frozen=True, slots=True)
class Missing:
    """No such thing. `nearest` are like the word, best first; `known` are all names, if they are few."""

    nearest: tuple[str, ...] = ()
    known: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Several things answer to the word; in the order of their IDs."""

    candidates: tuple[Entity, ...]


Answer = Found | Missing | Ambiguous


@dataclass(slots=True)
class Index:
    """Finds things in a catalogue. Each kind is indexed once, when it is first asked for."""

    catalogue: Catalogue
    _indexes: dict[tuple[Kind, str], _KindIndex] = field(default_factory=dict)

    def find(self, reference: Reference, within: Entity | None = None) -> Answer:
        """Find what a reference means. An exact word beats one that only differs in case, spacing or
        Unicode form; nothing is guessed.

        `within` is the custom field of an option or a catalog entry, and the status page of a component.
        """
        scope = (reference.kind, within.id if within else "")
        index = self._indexes.get(scope)
        if index is None:
            index = self._indexes[scope] = _kind_index(self.catalogue, *scope)
        for tier in index.tiers.get(reference.by, ()):
            if things := tier.things.get(tier.form(reference.name)):
                return _one_of(things, tier.inactive)
        words = index.words.get(reference.by, {})
        known = tuple(words.values()) if len(words) <= MAX_KNOWN else ()
        return Missing(_nearest(folded(reference.name), words), known)


def default_status(catalogue: Catalogue) -> Entity | None:
    """Return the closed status with the lowest rank: the one of an incident that declares none."""

    def order(status: Status) -> tuple[int, str]:
        return (status.rank, status.entity.id)

    closed = (each for each in catalogue.statuses if each.category == "closed")
    lowest = min(closed, key=order, default=None)
    return lowest.entity if lowest else None


def marker(catalogue: Catalogue, settings: Settings) -> Entity | None:
    """Return the custom field that carries the key; None if none is configured, or none is certain."""
    if settings.marker_field is None:
        return None
    answer = Index(catalogue).find(Reference(Kind.CUSTOM_FIELD, settings.marker_field))
    return answer.entity if isinstance(answer, Found) else None


def find_custom_field(catalogue: Catalogue, field_id: str) -> CustomField | None:
    """Return a custom field with its type."""
    return next((each for each in catalogue.custom_fields if each.entity.id == field_id), None)


@dataclass(frozen=True, slots=True)
class _Tier:
    """One way to say which: `things` by the word in its `form`. Among several, those in `inactive` yield."""

    form: Callable[[str], str]
    things: Mapping[str, tuple[Entity, ...]]
    inactive: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _KindIndex:
    """Things of one kind. For each `Reference.by`: the tiers in order of precedence, and the words to
    suggest by their folded form."""

    tiers: Mapping[str, tuple[_Tier, ...]]
    words: Mapping[str, Mapping[str, str]]


def _one_of(things: tuple[Entity, ...], inactive: frozenset[str]) -> Found | Ambiguous:
    if len(things) == 1:
        return Found(things[0])
    active = [each for each in things if each.id not in inactive]
    if len(active) == 1:
        return Found(active[0], tuple(each for each in things if each != active[0]))
    return Ambiguous(things)


def _kind_index(catalogue: Catalogue, kind: Kind, within: str) -> _KindIndex:
    match kind:
        case Kind.USER:
            return _people(catalogue.users)
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
    """Return the account's short lists. A role is found by either kind: files cannot tell a reporter."""
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
    things = tuple(entities)
    names = [(each.name, each) for each in things]
    return _KindIndex(
        {"name": (_tier(str, names), _tier(folded, names)), "id": (_by_id(things),)}, {"name": _words(names)}
    )


def _options(options: tuple[Entity, ...]) -> _KindIndex:
    """Options answer to their ID as well, since a list of values has no other place for one."""
    names = [(each.name, each) for each in options]
    identity = _by_id(options)
    return _KindIndex(
        {"name": (_tier(str, names), identity, _tier(folded, names)), "id": (identity,)},
        {"name": _words(names)},
    )


def _entries(entries: tuple[CatalogEntry, ...]) -> _KindIndex:
    """Catalog entries answer to ID, external ID, alias and name, in this order.

    The API takes an external ID or an alias too (API page: Incidents V2, custom_field_entries).
    """
    identity = _by_id(tuple(each.entity for each in entries))
    external = [(each.external_id, each.entity) for each in entries]
    aliases = [(alias, each.entity) for each in entries for alias in each.aliases]
    names = [(each.entity.name, each.entity) for each in entries]
    exact = (identity, _tier(str, external), _tier(str, aliases), _tier(str, names))
    loose = (_tier(folded, external), _tier(folded, aliases), _tier(folded, names))
    return _KindIndex({"name": exact + loose, "id": (identity,)}, {"name": _words(names)})


def _people(users: tuple[User, ...]) -> _KindIndex:
    """Users answer to email in any case, Slack ID, ID and full name, in this order.

    One email may belong to several users, left over from merges: the single active one is meant.
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


def _by_id(things: tuple[Entity, ...]) -> _Tier:
    return _tier(str, [(each.id, each) for each in things])


def _tier(
    form: Callable[[str], str],
    pairs: Iterable[tuple[str | None, Entity]],
    inactive: frozenset[str] = frozenset(),
) -> _Tier:
    things: dict[str, dict[str, Entity]] = {}
    for word, entity in pairs:
        if word:
            things.setdefault(form(word), {})[entity.id] = entity
    return _Tier(
        form, {word: tuple(same[each] for each in sorted(same)) for word, same in things.items()}, inactive
    )


def _words(pairs: Iterable[tuple[str | None, Entity]]) -> Mapping[str, str]:
    return {folded(word): word for word in sorted({word for word, _ in pairs if word})}


_ALIKE = 0.6
"""difflib's own measure of a close match."""


def _nearest(wanted: str, words: Mapping[str, str]) -> tuple[str, ...]:
    """Return the words most like the wanted one, best first.

    difflib alone takes half a second on ten thousand emails of one domain, so shared pairs of letters
    choose whom it sees.
    """
    likely = nlargest(MAX_COMPARED, words, key=lambda word: _shared_pairs(wanted, word))
    near = difflib.get_close_matches(wanted, likely, n=MAX_NEAREST)
    return tuple(words[each] for each in near if _may_be_same_person(wanted, each))


def _may_be_same_person(one: str, other: str) -> bool:
    """Whether what stands before the @ is alike; that two people have one domain says nothing."""
    left, right = one.partition("@"), other.partition("@")
    if not (left[1] and right[1]):
        return True
    return difflib.SequenceMatcher(None, left[0], right[0]).ratio() >= _ALIKE


def _shared_pairs(one: str, other: str) -> float:
    """Return Dice's coefficient of the pairs of neighbouring letters: 0 for nothing shared, 1 for all."""
    left, right = _pairs(one), _pairs(other)
    return 2 * len(left & right) / (len(left) + len(right) or 1)


@lru_cache(maxsize=1 << 16)
def _pairs(word: str) -> frozenset[str]:
    return frozenset(word[at : at + 2] for at in range(len(word) - 1))
