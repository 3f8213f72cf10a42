"""Declared and listed children -> which listed child each declared one is. Pure.

A child is recognised by its ID, then by its exact title, then by a tolerant form of its title and content,
since an account may store both in another form. An incident can have children of the same title that are not
ours: what the state knows decides how little is enough.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from importer.model import (
    Attribute,
    Child,
    ChildHistory,
    Entity,
    Field,
    FollowUp,
    LiveChild,
    Remembered,
    StatusPageIncident,
    TimelineItem,
)
from importer.model.steps import child_name
from importer.plan.child_forms import (
    adapted,
    has_equal_content,
    has_nothing_else,
    has_similar_content,
    has_similar_title,
    has_title,
    have_similar_updates,
    is_at_same_times,
    title_of,
)
from importer.plan.differences import same
from importer.wire.children import sent_value

_CLOCK_SLACK = timedelta(days=1)
"""How far our clock and the server's may be apart."""

_IDENTIFIED = frozenset({Field.ATTACHMENT, Field.POSTMORTEM})
"""Kinds whose title or link the API cannot change, so that the account's form of it is no difference."""


def recognise(
    declared: Mapping[Attribute, Child],
    listed: Iterable[LiveChild],
    *,
    known: Mapping[Attribute, Remembered],
    history: ChildHistory,
) -> dict[Attribute, LiveChild]:
    """Return the listed child of each declared one, as far as there is one. Each is used once, and one whose
    ID belongs to another child is never taken. Where only the form of a text differs, the result has the
    declared form. All declared children of a kind must be given: which one is left for which depends on it.

    A child that `is_foreign` is returned only if it is exactly as declared: it must not be edited.
    """
    children = tuple(listed)
    ids = {attribute: each.child_id for attribute, each in known.items() if each.child_id}
    # What the state knows by its ID was created or adopted with the incident, whoever made it.
    by_id = {each.id: replace(each, is_foreign=False) for each in children}
    result = {
        attribute: _as(attribute, by_id[ids[attribute]], value if attribute.field in _IDENTIFIED else None)
        for attribute, value in declared.items()
        if ids.get(attribute) in by_id
    }
    no_longer_declared = {a: k.declared for a, k in known.items() if isinstance(k.declared, Child)}
    taken = set(ids.values())
    free = [each for each in children if each.id not in taken]
    left = [
        _search(attribute, value, known, history)
        for attribute, value in {**no_longer_declared, **declared}.items()
        if attribute not in ids
    ]
    left.sort(key=lambda search: _ordinal(search.attribute, search.value))
    for fits in _RANKS:
        for search in tuple(left):
            child = next((each for each in free if search.admits(each) and fits(search, each)), None)
            if child is not None:
                result[search.attribute] = _as(search.attribute, child, search.value)
                free.remove(child)
                left.remove(search)
    return {attribute: child for attribute, child in result.items() if attribute in declared}


def other_postmortems(
    declared: Iterable[Attribute], listed: Iterable[LiveChild], recognised: Mapping[Attribute, LiveChild]
) -> dict[Attribute, LiveChild]:
    """Return the post-mortem that the incident has instead of the declared one: it can have only one, and no
    request can change it into another."""
    found = next((each for each in listed if each.attribute.field is Field.POSTMORTEM), None)
    missing = [each for each in declared if each.field is Field.POSTMORTEM and each not in recognised]
    return dict.fromkeys(missing, found) if found else {}


@dataclass(frozen=True, slots=True)
class _Search:
    """What a listed child must be to be the declared one: it has one of the `forms`, which were declared or
    sent. If the search `is_loose`, the title alone is enough, and if it `is_strict`, nothing may differ but
    the form. `takes_foreign` admits a foreign child without a difference."""

    attribute: Attribute
    value: Child
    forms: tuple[Child, ...]
    is_loose: bool = False
    is_strict: bool = False
    takes_foreign: bool = False
    not_before: datetime | None = None

    def admits(self, child: LiveChild) -> bool:
        """Whether a listed child may be the declared one at all."""
        if child.attribute.field is not self.attribute.field:
            return False
        is_older = bool(self.not_before and child.created_at and child.created_at < self.not_before)
        return not is_older and (self.takes_foreign or not child.is_foreign)


def _search(
    attribute: Attribute, value: Child, known: Mapping[Attribute, Remembered], history: ChildHistory
) -> _Search:
    """Return the search for a child whose ID is not known. With a whole history, a child that was never sent
    can only be one that another state of ours created, so it must not differ in anything."""
    sent = history.sent.get(child_name(attribute))
    if attribute in known:
        before = known[attribute]
        forms = [value, *(each for each in (before.declared, before.answered) if isinstance(each, Child))]
        return _Search(attribute, value, tuple(forms), is_loose=True, takes_foreign=not history.is_whole)
    if not history.is_whole:
        return _Search(attribute, value, (value,), is_loose=True, takes_foreign=True)
    if sent is None:
        return _Search(attribute, value, (value,), is_strict=True)
    as_sent = _as_sent(attribute, sent.content)
    forms = [value, as_sent] if as_sent else [value]
    earliest = sent.first_at - _CLOCK_SLACK
    return _Search(attribute, value, tuple(forms), is_loose=as_sent is None, not_before=earliest)


def _as_sent(attribute: Attribute, content: str | None) -> Child | None:
    return sent_value(attribute, json.loads(content)) if content else None


def _is_equal(search: _Search, child: LiveChild) -> bool:
    """Title and content are exactly as declared or sent."""
    if child.is_foreign or not any(has_title(child, search.attribute, form) for form in search.forms):
        return False
    if search.is_strict:
        return _has_the_same(child.value, search.value)
    return any(has_equal_content(child.value, form) for form in search.forms)


def _has_key_as_title(search: _Search, child: LiveChild) -> bool:
    """The title is the key, such as `Update #2`, which earlier versions sent."""
    is_own = title_of(child.attribute, child.value) == search.attribute.key
    return search.is_loose and not child.is_foreign and is_own and _is_in_place(search, child)


def _has_equal_title(search: _Search, child: LiveChild) -> bool:
    is_equal = any(has_title(child, search.attribute, form) for form in search.forms)
    return search.is_loose and not child.is_foreign and is_equal and _is_in_place(search, child)


def _is_similar(search: _Search, child: LiveChild) -> bool:
    """Title and content differ only in their form."""
    if child.is_foreign:
        return False
    if search.is_strict:
        is_titled = has_similar_title(child, search.attribute, search.value)
        return is_titled and _has_the_same(adapted(child.value, search.value), search.value)
    return any(
        has_similar_title(child, search.attribute, form) and has_similar_content(child.value, form)
        for form in search.forms
    )


def _has_similar_updates(search: _Search, child: LiveChild) -> bool:
    """A status page incident has all updates of the declared one, under another name: it was renamed while
    the state was lost."""
    live, forms = child.value, search.forms
    return (
        search.is_loose
        and isinstance(live, StatusPageIncident)
        and any(isinstance(form, StatusPageIncident) and have_similar_updates(live, form) for form in forms)
    )


def _is_foreign_and_equal(search: _Search, child: LiveChild) -> bool:
    is_titled = any(has_title(child, search.attribute, form) for form in search.forms)
    return child.is_foreign and is_titled and _is_as_declared(search, child)


_RANKS: tuple[Callable[[_Search, LiveChild], bool], ...] = (
    _is_equal,
    _has_key_as_title,
    _has_equal_title,
    _is_similar,
    _has_similar_updates,
    _is_foreign_and_equal,
)
"""From the best evidence to the weakest; each is tried for all children before the next."""


def _has_the_same(live: Child, declared: Child) -> bool:
    return has_equal_content(live, declared) and has_nothing_else(live, declared)


def _is_as_declared(search: _Search, child: LiveChild) -> bool:
    live = adapted(child.value, search.value) if child.attribute.field is Field.POSTMORTEM else child.value
    return same(live, search.value)


def _is_in_place(search: _Search, child: LiveChild) -> bool:
    """Nothing links a status page incident to an incident, so the name alone is not enough."""
    if not isinstance(child.value, StatusPageIncident):
        return True
    return any(is_at_same_times(child.value, form) for form in search.forms)


def _as(attribute: Attribute, child: LiveChild, declared: Child | None) -> LiveChild:
    """Return a listed child under the attribute that it was recognised as, with the declared form of its
    texts, if given."""
    value = child.value
    if isinstance(value, TimelineItem | FollowUp):
        title = title_of(child.attribute, value)
        value = replace(value, title=None if title == attribute.key else title)
    return replace(child, attribute=attribute, value=adapted(value, declared) if declared else value)


def _ordinal(attribute: Attribute, value: Child) -> tuple[str, int, str]:
    """Return the sort key of children with the same title: the n of `title #n`."""
    key = attribute.key.name if isinstance(attribute.key, Entity) else str(attribute.key)
    title = title_of(attribute, value)
    number = key.removeprefix(f"{title} #")
    return (title, int(number) if number.isdecimal() and number != key else 1, key)
