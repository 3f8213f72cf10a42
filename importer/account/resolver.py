"""Incidents with names from files -> incidents with the account's entities, and all problems.

A problem is one diagnostic, however many incidents have it; it has their number and all their locations.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import chain
from typing import assert_never

from importer.account.naming import WORDS, Aliases, Names, alias_lines, names_of, section_of
from importer.account.policies import Policies
from importer.model import (
    Attachment,
    Attribute,
    Catalogue,
    Child,
    CustomField,
    Diagnostic,
    Entity,
    Field,
    FollowUp,
    Incident,
    Kind,
    Link,
    Location,
    Membership,
    Needs,
    NewOption,
    Packed,
    PostmortemDocument,
    Reference,
    Severity,
    StatusPageIncident,
    StatusPageUpdate,
    TimelineItem,
    Value,
)
from importer.model.diagnostics import grouped
from importer.model.normalise import folded, number, several, text
from importer.model.settings import Settings

Kept = tuple[Value, ...]
"""The one value of an attribute (None clears it), or empty if the attribute is left out."""

_HTTP_URL = re.compile(r"https?://[^\s/?#]+\S*", re.IGNORECASE)
_SEVERITY = Attribute(Field.SEVERITY)


@dataclass(frozen=True, slots=True)
class Resolved:
    """The incidents in their order, without those that `on_unresolved: skip` leaves out, and all problems. An
    attribute with an error is left out of its incident, so that later checks can still cover the rest;
    nothing may be planned if there are errors. Attributes whose names the account does not let this key read
    are `unreadable`, with the reason: they are not resolved."""

    incidents: tuple[Incident, ...]
    diagnostics: tuple[Diagnostic, ...]
    unreadable: Mapping[Attribute, str] = field(default_factory=dict)


def needs(incidents: Iterable[Incident], settings: Settings) -> Needs:
    """Return what the incidents need from the catalogue, after applying aliases of custom fields."""
    written: set[Reference] = set()
    users = status_pages = False
    policies = set(settings.policies)
    for incident in incidents:
        policies.add(incident.policy)
        for attribute, value in incident.attributes.items():
            if attribute.field is Field.CUSTOM_FIELD and isinstance(attribute.key, Reference):
                written.add(attribute.key)
            users = users or _names_user(attribute, value)
            status_pages = status_pages or isinstance(value, StatusPageIncident)
    ignored = {each.attribute for policy in policies for each in policy.ignore_changes if each.attribute.key}
    users = users or any(each.field is Field.MEMBER for each in ignored)
    status_pages = status_pages or any(each.field is Field.STATUS_PAGE for each in ignored)
    aliases = Aliases(settings.aliases.get(WORDS[Kind.CUSTOM_FIELD], {}).items())
    named = {target for reference in written for target in _without_alias(reference, aliases)}
    if settings.marker_field is not None:
        named.add(Reference(Kind.CUSTOM_FIELD, settings.marker_field))
    return Needs(frozenset(named), users, status_pages)


def resolve(incidents: Iterable[Incident], catalogue: Catalogue, settings: Settings) -> Resolved:
    """Replace every reference in keys, values and children with its entity. Nothing unknown is guessed."""
    names, problems = names_of(catalogue, settings)
    fields = {each.entity.id: each for each in catalogue.custom_fields}
    walk = _Walk(names, fields, _unreadable_pages(catalogue), Policies(names.strict()))
    for policy in settings.policies:
        walk.policies.resolved(policy)
    resolved = tuple(one for incident in incidents for one in walk.incident(incident))
    walk.compare_spellings()
    problems += grouped(walk.problems + walk.policies.problems(), places=None)
    return Resolved(resolved, problems, walk.unreadable)


def _unreadable_pages(catalogue: Catalogue) -> Mapping[Entity | None, str]:
    """Return the status pages whose components cannot be read, with the reason; None stands for all."""
    if catalogue.no_status_pages:
        return {None: catalogue.no_status_pages}
    return {each.entity: each.unreadable for each in catalogue.status_pages if each.unreadable}


def _names_user(attribute: Attribute, value: Value) -> bool:
    named = [value, value.assignee if isinstance(value, FollowUp) else None]
    named += [attribute.key] if attribute.field is Field.MEMBER else []
    return any(isinstance(each, Reference) and each.kind is Kind.USER for each in named)


def _without_alias(reference: Reference, aliases: Aliases) -> Iterator[Reference]:
    targets = aliases.targets(reference.name) if reference.by != "id" else ()
    if not targets:
        yield reference
    for target in targets:
        if target is not None:
            yield Reference(Kind.CUSTOM_FIELD, target)


@dataclass(slots=True)
class _Walk:
    """Resolves the incidents one by one. `is_skipped` and the causes `_found` are about the present incident:
    a problem counts once per incident."""

    names: Names
    fields: Mapping[str, CustomField]
    unreadable_pages: Mapping[Entity | None, str]
    policies: Policies
    unreadable: dict[Attribute, str] = field(default_factory=dict)
    problems: list[Diagnostic] = field(default_factory=list)
    is_skipped: bool = False
    _found: set[tuple[Severity, str, str]] = field(default_factory=set)
    _spellings: dict[tuple[Entity, str], dict[str, Location]] = field(default_factory=dict)

    def incident(self, declared: Incident) -> tuple[Incident, ...]:
        """Return the incident with entities, or an empty tuple if it is left out."""
        self.is_skipped = False
        self._found.clear()
        attributes: dict[Attribute, Value] = {}
        for attribute, value in declared.attributes.items():
            at = declared.location
            if isinstance(attribute.key, Reference) and attribute.key.location is not None:
                at = attribute.key.location
            for key, kept in self._resolved(attribute, value, at):
                if attributes.setdefault(key, kept) != kept:
                    summary = f"{key.label} is set twice, under two names, to different values"
                    self._error("given-twice", summary, at, hint="keep one of them")
        if declared.attributes.get(_SEVERITY) is None:
            hint = "add a severity, or a default for all in importer.yaml:\ndefaults:\n  severity: NAME"
            self._error("missing-severity", "the incident has no severity", declared.location, hint=hint)
        return (
            ()
            if self.is_skipped
            else (replace(declared, attributes=attributes, policy=self.policies.resolved(declared.policy)),)
        )

    def compare_spellings(self) -> None:
        """Report options to be created that differ only in spelling: the account would keep both."""
        for (owner, _), places in self._spellings.items():
            first, *others = sorted(places)
            for other in others:
                options = f"new options {first!r} and {other!r} of custom field {owner.name!r}"
                lines = alias_lines(section_of(Kind.OPTION, owner), other, first)
                hint = f"use one spelling everywhere, or add to importer.yaml:\n{lines}"
                self._error(
                    "option-spelled-twice", f"{options} differ only in spelling", places[other], hint=hint
                )

    def _error(self, code: str, summary: str, at: Location, *, detail: str = "", hint: str = "") -> None:
        self._add(Diagnostic(Severity.ERROR, code, summary, detail, hint), at)

    def _add(self, problem: Diagnostic, at: Location) -> None:
        cause = (problem.severity, problem.code, problem.summary)
        if cause not in self._found:
            self._found.add(cause)
            self.problems.append(replace(problem, locations=(at,)))

    def _resolved(
        self, attribute: Attribute, value: Value, at: Location
    ) -> Iterator[tuple[Attribute, Value]]:
        """Yield the attribute with its value, or nothing if it is left out."""
        if not isinstance(attribute.key, Reference):
            yield from ((attribute, kept) for kept in self._value(value, at))
        elif attribute.field is Field.CUSTOM_FIELD:
            yield from self._custom_field(attribute.key, value, at)
        elif attribute.field is Field.STATUS_PAGE and self.unreadable_pages:
            yield from self._status_page(attribute, attribute.key, value, at)
        else:
            entity = self._entity(attribute.key, at)
            for kept in self._value(value, at):
                if entity is not None:
                    yield Attribute(attribute.field, entity), kept

    def _status_page(
        self, attribute: Attribute, reference: Reference, value: Value, at: Location
    ) -> Iterator[tuple[Attribute, Value]]:
        """Yield the history on a status page, unresolved if the page cannot be read."""
        page = None if None in self.unreadable_pages else self._entity(reference, at)
        reason = self.unreadable_pages.get(page)
        if reason:
            found = Attribute(attribute.field, page or reference)
            self.unreadable[found] = reason
            yield found, value
        elif page:
            yield from ((Attribute(attribute.field, page), kept) for kept in self._value(value, at))

    def _custom_field(
        self, reference: Reference, value: Value, at: Location
    ) -> Iterator[tuple[Attribute, Value]]:
        entity = self._entity(reference, at)
        if entity is not None:
            for kept in self._custom_value(self.fields[entity.id], value, at):
                yield Attribute(Field.CUSTOM_FIELD, entity), kept

    def _value(self, value: Value, at: Location) -> Kept:
        if isinstance(value, Child):
            return self._child(value, at)
        if isinstance(value, Reference):
            entity = self._entity(value, at)
            return () if entity is None else (entity,)
        return (value,)

    def _child(self, child: Child, at: Location) -> Kept:
        match child:
            case FollowUp(assignee=assignee):
                return (replace(child, assignee=self._entity(assignee, at)) if assignee else child,)
            case StatusPageIncident():
                page = self._entity(child.page, at)
                if page is None:
                    return ()
                updates = tuple(self._status_page_update(each, page, at) for each in child.updates)
                return (StatusPageIncident(page, child.name, updates),)
            case TimelineItem() | Attachment() | PostmortemDocument() | Membership():
                return (child,)
            case _:
                assert_never(child)

    def _status_page_update(self, update: StatusPageUpdate, page: Entity, at: Location) -> StatusPageUpdate:
        statuses: dict[Entity, str] = {}
        for written, status in update.components:
            component = self._entity(written, at, within=page)
            if component is not None and statuses.setdefault(component, status) != status:
                summary = f"component {component.name!r} has two statuses in one update"
                self._error("given-twice", summary, at, hint="keep one of them")
        return replace(update, components=tuple(sorted(statuses.items(), key=lambda pair: pair[0].name)))

    def _entity(
        self, reference: Reference | Entity, at: Location, *, within: Entity | None = None
    ) -> Entity | None:
        if isinstance(reference, Entity):
            return reference
        entity = self._looked_up(reference, at, within=within)
        return entity if isinstance(entity, Entity) else None

    def _looked_up(
        self, reference: Reference, at: Location, *, within: Entity | None
    ) -> Entity | NewOption | None:
        verdict = self.names.verdict(reference, within)
        if verdict.problem is not None:
            self._add(verdict.problem, reference.location or at)
        self.is_skipped = self.is_skipped or verdict.skips_incident
        return verdict.entity

    def _custom_value(self, custom: CustomField, value: Value, at: Location) -> Kept:
        if value is None:
            return (None,)
        if custom.type in {"single_select", "multi_select"}:
            return self._selected(custom, _words(custom, value), at)
        read = _scalar(custom, value)
        if isinstance(read, Diagnostic):
            self._add(read, at)
            return ()
        return (read,)

    def _selected(self, custom: CustomField, words: tuple[str | Reference, ...], at: Location) -> Kept:
        """Return the chosen options. Words can be left out; if all of them are, the field is not cleared."""
        if not words:
            return (None,)
        if custom.type == "single_select" and len(words) > 1:
            summary = f"custom field {custom.entity.name!r} takes one option, not several"
            self._error("several-values", summary, at, detail=", ".join(map(_shown, words)))
            return ()
        chosen = several(each for word in words for each in self._option(custom.entity, word, at))
        return () if chosen is None else (chosen,)

    def _option(self, owner: Entity, word: str | Reference, at: Location) -> tuple[Entity | NewOption, ...]:
        reference = word if isinstance(word, Reference) else Reference(Kind.OPTION, word)
        option = self._looked_up(reference, at, within=owner)
        if isinstance(option, NewOption):
            self._spellings.setdefault((owner, folded(option.name)), {}).setdefault(option.name, at)
        return () if option is None else (option,)


def _words(custom: CustomField, value: Value) -> tuple[str | Reference, ...]:
    """Return the words of a select field, without blanks and duplicates. Only table cells are split, and only
    if the field takes several values: otherwise `;` is part of the name."""
    members = value if isinstance(value, tuple) else (value,)
    words = chain.from_iterable(_words_of(custom, each) for each in members)
    return tuple(dict.fromkeys(word for word in words if isinstance(word, Reference) or word.strip()))


def _words_of(custom: CustomField, member: Value) -> Iterable[str | Reference]:
    match member:
        case Packed(text=cell):
            return [part.strip() for part in (cell.split(";") if custom.type == "multi_select" else [cell])]
        case Reference():
            return (member,)
        case _:
            return (str(member),)


def _scalar(custom: CustomField, value: Value) -> Value | Diagnostic:
    """Read text, a link or a number; blank text clears the field."""
    match value:
        case str(written) | Packed(text=written) if not written.strip():
            return None
        case str(written) | Packed(text=written):
            return _read(custom, written)
        case _:
            summary = (
                f"custom field {custom.entity.name!r} takes one {custom.type} value, not a list or an ID"
            )
            return Diagnostic(Severity.ERROR, "wrong-type", summary)


def _read(custom: CustomField, written: str) -> Value | Diagnostic:
    match custom.type:
        case "text":
            return text(written)
        case "link":
            url = written.strip()
            if _HTTP_URL.fullmatch(url):
                return Link(url)
            return _unreadable(custom, "a link", written, hint="write the full URL, with http:// or https://")
        case "numeric":
            exact = _number(written)
            if exact is not None:
                return exact
            hint = "use digits with a decimal point and no other separators: 1200.5"
            return _unreadable(custom, "a number of at most 28 digits", written, hint=hint)
        case _:
            summary = (
                f"custom field {custom.entity.name!r} is of type {custom.type!r}, which cannot be imported"
            )
            return Diagnostic(Severity.ERROR, "unsupported-type", summary, hint="leave it out of the files")


def _number(written: str) -> Decimal | None:
    """Return the number, or None if it is not a number or would lose digits."""
    try:
        value = number(written)
    except ArithmeticError:
        return None
    return value if value == Decimal(written.strip()) else None


def _unreadable(custom: CustomField, expected: str, written: str, *, hint: str) -> Diagnostic:
    summary = f"custom field {custom.entity.name!r} takes {expected}"
    return Diagnostic(Severity.ERROR, "wrong-value", summary, f"the value is {written!r}", hint)


def _shown(word: str | Reference) -> str:
    return repr(word.name if isinstance(word, Reference) else word)
