"""A mapping and the columns of one file -> a program that turns each record into the block of an incident."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from importer.formats.record import Record
from importer.formats.tree import Block, Node, Series
from importer.mapping import dates, markups
from importer.mapping.expressions import (
    FieldSpec,
    Reader,
    RuleContext,
    compile_rule,
    raw,
    scalar_text,
    template,
)
from importer.mapping.model import Bare, Columns, Expression, InvalidValue, Items, Mapping, Rule, rule_at
from importer.mapping.templates import Templates
from importer.model import Location, moments, normalise
from importer.model.diagnostics import Diagnostics

GROUPS = frozenset({"timestamps", "roles", "custom_fields", "postmortem", "status_page"})
"""Fields of an incident that are mappings; labels name their keys with a dot."""

_LISTS = frozenset({"members", "labels"})
_MOMENTS = frozenset({"timeline.at", "status_page.updates.at"})
_FALSE = frozenset({"", "false", "none", "0"})
_ITEM = "item"
_PARENT = "parent"

_ROOT = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class _CompiledField:
    """One field of the program: its target, its reader, and the column, or the first name of the path, of its
    value."""

    label: str
    group: str
    key: str
    read: Callable[[Table[str, Any], int], Node]
    column: int | None
    root: str
    is_expected: bool


@dataclass(slots=True)
class Program:
    """The compiled fields of a mapping. `hits` counts the values of each field that records should have."""

    entries: tuple[_CompiledField, ...]
    where: Callable[[Table[str, Any]], bool]
    columns: dict[str, int]
    groups: dict[str, dict[str, int]]
    hits: dict[str, int] = field(default_factory=dict)

    def block(self, record: Record, path: str, diagnostics: Diagnostics) -> Block:
        """Return the block of a record of the file at `path`. Invalid values are reported and left out.
        Raises InvalidRule if a rule cannot be used on any record of this file."""
        values, line = record.values, record.line
        block = Block(line)
        block.columns = self.columns
        groups = {"": block}
        for entry in self.entries:
            try:
                node = entry.read(values, line)
            except InvalidValue as problem:
                diagnostics.report(problem, Location(path, record.line_of(entry.root), entry.column))
                continue
            if node is None:
                continue
            if entry.is_expected:
                self.hits[entry.label] += 1
            target = groups.get(entry.group)
            if target is None:
                target = groups[entry.group] = block[entry.group] = Block(line)
                target.columns = self.groups[entry.group]
            target[entry.key] = node
            if record.lines:
                target.lines[entry.key] = record.line_of(entry.root)
        return block

    def labels_without_values(self) -> list[str]:
        """Return the labels of the fields that had no value in any record."""
        return [label for label, count in self.hits.items() if count == 0]


def compile_mapping(mapping: Mapping, columns: Table[str, int] | None) -> Program:
    """Compile a mapping for files with these columns, or for objects if None. Raises InvalidRule with the
    place of the rule."""
    calendar_of = partial(_calendar, mapping)
    own = calendar_of(Rule(place=mapping.place("fields")))
    templates = Templates(columns is not None, markups.filters(own))
    blank = frozenset(normalise.folded(each) for each in mapping.blank)
    context = RuleContext(columns, templates, blank, calendar_of)
    entries = tuple(_compile_field(label, rule, context) for label, rule in mapping.fields.items())
    groups: dict[str, dict[str, int]] = {group: {} for group in GROUPS}
    top: dict[str, int] = {}
    for entry in entries:
        if entry.column is not None:
            (groups[entry.group] if entry.group else top)[entry.key] = entry.column
            top.setdefault(entry.group or entry.key, entry.column)
    hits = {entry.label: 0 for entry in entries if entry.is_expected}
    return Program(entries, _where(mapping, context), top, groups, hits)


def _where(mapping: Mapping, context: RuleContext) -> Callable[[Table[str, Any]], bool]:
    conditions: list[Callable[[Table[str, Any]], str]] = []
    for each in mapping.where:
        with rule_at(each.place):
            conditions.append(template(each.text, each.place, context))
    return lambda values: all(render(values).lstrip().casefold() not in _FALSE for render in conditions)


def _compile_field(label: str, rule: Rule | Items, context: RuleContext) -> _CompiledField:
    group, _, key = label.partition(".")
    group, key = (group, key) if group in GROUPS else ("", label)
    if isinstance(rule, Items):
        return _CompiledField(label, group, key, _items(label, rule, context), None, "", is_expected=False)
    is_list = group == "custom_fields" or key in _LISTS
    spec = FieldSpec(label, is_moment=group == "timestamps", is_list=is_list)
    with_place = _compiled(rule, spec, context)
    expected = (
        context.columns is None
        and isinstance(rule.origin, (Bare, Columns, Expression))
        and rule.default is None
        and not rule.optional
    )
    return _CompiledField(
        label, group, key, _listed(with_place, key), _column(rule, context), _root(rule), is_expected=expected
    )


def _compiled(rule: Rule, spec: FieldSpec, context: RuleContext) -> Reader:
    with rule_at(rule.place):
        return compile_rule(rule, spec, context)


def _listed(read: Reader, key: str) -> Callable[[Table[str, Any], int], Node]:
    """Return the reader of a field, wrapped to return a list if the field is a list."""
    if key not in _LISTS:
        return lambda values, _line: read(values)

    def listed(values: Table[str, Any], line: int) -> Node:
        node = read(values)
        return node if node is None or isinstance(node, Series) else Series([node], [line])

    return listed


def _column(rule: Rule, context: RuleContext) -> int | None:
    columns = context.columns or {}
    match rule.origin:
        case Bare(text=text) if text in columns:
            return columns[text]
        case Bare(text=text) | Expression(text=text):
            roots = filter(None, (_ROOT.match(each.strip()) for each in text.split("||")))
            found = {columns[each[0]] for each in roots if each[0] in columns}
            return found.pop() if len(found) == 1 else None
        case Columns(names=names):
            return next((columns[name] for name in names if name in columns), None)
        case _:
            return None


def _root(rule: Rule) -> str:
    match rule.origin:
        case Bare(text=text) | Expression(text=text) if found := _ROOT.match(text):
            return found[0]
        case Columns(names=(name, *_)):
            return name
        case _:
            return ""


def _items(label: str, rule: Items, context: RuleContext) -> Callable[[Table[str, Any], int], Node]:
    within = context if rule.each is None else _inside(context)
    readers = [
        (name, each.origin is not None, _listed(_compiled(each, _spec(label, name), within), name))
        for name, each in rule.fields.items()
    ]
    values_of = _each(rule, context)

    def items(values: Table[str, Any], line: int) -> Node:
        found: list[Block] = []
        for each in values_of(values):
            at = getattr(each, "line", line)
            block = Block(at)
            has_value = False
            for name, is_read, read in readers:
                node = read(each, at)
                if node is not None:
                    block[name] = node
                    has_value = has_value or is_read
            if has_value:
                found.append(block)
        return Series(found, [each.line for each in found]) if found else None

    return items


def _inside(context: RuleContext) -> RuleContext:
    """Return the context of items that are objects, in any format."""
    lenient = Templates(strict=False, filters=context.templates.filters)
    return RuleContext(None, lenient, context.blank, context.calendar)


def _spec(label: str, name: str) -> FieldSpec:
    return FieldSpec(f"{label}.{name}", is_moment=f"{label}.{name}" in _MOMENTS, is_list=name in _LISTS)


def _each(rule: Items, context: RuleContext) -> Callable[[Table[str, Any]], Iterator[Table[str, Any]]]:
    """Return the function that yields each item's values: of an object or a text's parts, with `parent`."""
    if rule.each is None:
        return lambda values: iter((values,))
    with rule_at(rule.place):
        find = raw(Rule(place=rule.place, origin=rule.each), context)

    def each(values: Table[str, Any]) -> Iterator[Table[str, Any]]:
        found: Any = find(values) if find else None
        for value in found if isinstance(found, list) else [found]:
            if isinstance(value, dict):
                yield _Child(value, values)
            elif value is not None and str(value).strip():
                yield {**_parts(scalar_text(value), rule), _PARENT: values}

    return each


class _Child(dict[str, Any]):
    """An item with its line and its record."""

    __slots__ = ("line",)

    def __init__(self, value: dict[str, Any], parent: Table[str, Any]) -> None:
        super().__init__(value)
        self.setdefault(_PARENT, parent)
        self.line: int = getattr(value, "line", 1)


def _parts(text: str, rule: Items) -> dict[str, str]:
    if not rule.into:
        return {_ITEM: text}
    parts: Sequence[str] = text.split(rule.split, len(rule.into) - 1) if rule.split else [text]
    return {_ITEM: text, **dict(zip(rule.into, (each.strip() for each in parts), strict=False))}


def _calendar(mapping: Mapping, rule: Rule) -> dates.Calendar:
    """Return the calendar of a rule; what the rule does not set comes from the mapping."""
    zone = rule.timezone or mapping.timezone
    written = mapping.datetime_formats if rule.datetime_formats is None else rule.datetime_formats
    return dates.Calendar(
        patterns=tuple(dates.compile_format(each, mapping.months) for each in written),
        zone=moments.zone(zone) if zone else None,
        side=rule.fold or mapping.fold,
        unit=rule.unit,
    )
