"""A rule and a record -> the value of a field, as an incident file would have it.

Rules are compiled once per file, into one function per field that runs for each record.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from importer.formats import paths
from importer.formats.record import IMPLICIT_NAMES, MAX_CELL
from importer.formats.tree import Block, Node, Series, has_lone_surrogate
from importer.mapping import dates
from importer.mapping.markups import converted
from importer.mapping.model import (
    Bare,
    Columns,
    Expression,
    InvalidRule,
    InvalidValue,
    Markup,
    Named,
    Rule,
    Target,
    Template,
)
from importer.mapping.templates import NoSuchName, Rendering, Templates, identifier, nearest
from importer.model import Location, normalise
from importer.model.moments import InvalidMoment

ALL_OTHERS = "*"
"""The key of `values` for all values that it does not name."""

_IMPLICIT = frozenset({"file.stem", "file.name", "row_number"})
"""Names of every record that are not columns, unless the table has a column with that name."""

_BLANK_LINES = re.compile(r"\A(?:[^\S\n]*\n)+")

Raw = Callable[[Mapping[str, Any]], Any]
Reader = Callable[[Mapping[str, Any]], Node]
"""The values of a record -> the value of a field; None if there is none."""


@dataclass(frozen=True, slots=True)
class RuleContext:
    """What all rules of a file share: its columns (None if it is not a table), the templates, the folded
    texts that count as blank, and the calendar of each rule."""

    columns: Mapping[str, int] | None
    templates: Templates
    blank: frozenset[str]
    calendar: Callable[[Rule], dates.Calendar]


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """The type of a field: a time, a list, or a text; `label` is its name in messages."""

    label: str
    is_moment: bool = False
    is_list: bool = False


def compile_rule(rule: Rule, spec: FieldSpec, context: RuleContext) -> Reader:
    """Return the function that reads a field. Raises a Problem if the rule is invalid."""
    find = raw(rule, context)
    read = _moment(rule, spec, context) if spec.is_moment else _single(rule, spec)
    default = _node(rule.default, rule)
    blank = context.blank | {normalise.folded(each) for each in rule.blank or ()}
    several = _several(rule, spec, read, blank)
    is_plain = not spec.is_moment and rule.markup is None and rule.values is None and rule.by is None
    is_split = rule.split is not None

    def value(values: Mapping[str, Any]) -> Node:
        found = None if find is None else find(values)
        node: Node
        if isinstance(found, list):
            node = several(found)
        elif not isinstance(found, str):
            node = None if found is None else read(found)
        elif is_blank(found, blank):
            node = None
        elif is_split:
            node = several(found)
        else:
            node = found if is_plain and found.isascii() and len(found) <= MAX_CELL else read(found)
        if node is None and default is None and rule.required:
            hint = "the mapping requires a value (`required: true`)"
            raise InvalidValue("missing-field", f"`{spec.label}` is blank", hint=hint)
        return default if node is None else node

    return value


def is_blank(text: str, blank: frozenset[str]) -> bool:
    """Whether a text is blank, or listed in `blank` in the mapping."""
    return not text or text.isspace() or (bool(blank) and normalise.folded(text) in blank)


def scalar_text(raw: Any) -> str:
    """Return a scalar as text, as written in its file. Raises InvalidValue for any other value."""
    match raw:
        case str():
            if len(raw) > MAX_CELL:
                raise InvalidValue(
                    "too-large",
                    f"a text has more than {MAX_CELL // 10**6} million characters",
                    detail=f"it begins with `{raw[:40]}`",
                    hint="if it is an attachment, map another value, or leave the record out with `where`",
                )
            if not raw.isascii() and has_lone_surrogate(raw):
                raise InvalidValue("bad-value", "invalid Unicode: half of a surrogate pair")
            return raw
        case bool():
            return "true" if raw else "false"
        case int() | float():
            return str(raw)
        case Decimal():
            return format(raw, "f")
        case datetime():
            return raw.isoformat(" ")
        case date():
            return raw.isoformat()
        case _:
            names = ", ".join(raw) if isinstance(raw, dict) else f"{type(raw).__name__}"
            raise InvalidValue(
                "wrong-type",
                "expected text",
                detail=f"found an object with {names}" if isinstance(raw, dict) else f"found a {names}",
                hint="select one value in it with `path`, or build a text with `template`",
            )


def raw(rule: Rule, context: RuleContext) -> Raw | None:
    """Return the function that finds a rule's raw value in a record."""
    match rule.origin:
        case None:
            return None
        case Bare(text=text):
            is_column = context.columns is not None and (text not in _IMPLICIT or text in context.columns)
            return _column((text,), rule, context) if is_column else _path(text)
        case Columns(names=names, any_of=True):
            return _column(names, rule, context)
        case Columns(names=names):
            _existing(names, rule, context, every=True)
            return lambda values: [values.get(name) for name in names]
        case Expression(text=text):
            return _path(text)
        case Template(text=text):
            return template(text, rule.place, context)


def _column(names: Sequence[str], rule: Rule, context: RuleContext) -> Raw | None:
    known = _existing(names, rule, context, every=False)
    if len(known) == 1:
        (name,) = known
        return lambda values: values.get(name)

    def first(values: Mapping[str, Any]) -> Any:
        found = (values.get(name) for name in known)
        return next((each for each in found if each is not None and str(each).strip()), None)

    return first if known else None


def _existing(names: Sequence[str], rule: Rule, context: RuleContext, *, every: bool) -> list[str]:
    """Return the names that are columns. Raises InvalidRule if a column that the rule needs is missing."""
    columns = context.columns
    if columns is None:
        return list(names)
    missing = [name for name in names if name not in columns]
    if missing and (every or len(missing) == len(names)) and not rule.optional:
        hint = nearest(missing[0], columns)
        raise InvalidRule("unknown-column", f"there is no column `{missing[0]}`", hint=hint)
    return [name for name in names if name in columns]


def _path(text: str) -> Raw:
    paths.compile_path(text)
    if text.isidentifier():
        return lambda values: values.get(text)

    def find(values: Mapping[str, Any]) -> Any:
        try:
            return paths.search_path(text, values)
        except paths.InvalidPath as problem:
            raise InvalidValue(problem.code, problem.summary, detail=problem.detail) from None

    return find


def template(text: str, place: Location, context: RuleContext) -> Raw:
    """Return the function that renders a template for a record, without the leading blank lines and trailing
    white space that its tags leave. Raises InvalidTemplate."""
    rendering = context.templates.compiled(text)
    variables = _variables(rendering, context)

    def render(values: Mapping[str, Any]) -> str:
        try:
            return _BLANK_LINES.sub("", rendering.render(variables(values))).rstrip()
        except NoSuchName as problem:
            raise InvalidRule(
                "unknown-column",
                f"the template uses `{problem.name}`, which is not a column",
                hint=nearest(problem.name, context.columns or ()),
                at=place,
            ) from None

    return render


def _variables(rendering: Rendering, context: RuleContext) -> Callable[[Mapping[str, Any]], dict[str, Any]]:

    if context.columns is None:
        return lambda values: {**values, "row": values}
    named: dict[str, list[str]] = {}
    for header in context.columns:
        named.setdefault(identifier(header), []).append(header)
    implicit = {name: [name] for name in IMPLICIT_NAMES if name not in named}
    used = [
        (word, headers[0])
        for word, headers in (named | implicit).items()
        if len(headers) == 1 and word in rendering.names
    ]
    return lambda values: {"row": values, **{word: values.get(header) for word, header in used}}


def _several(
    rule: Rule, spec: FieldSpec, read: Callable[[Any], Node], blank: frozenset[str]
) -> Callable[[Any], Node]:
    """Return the function that reads a list, or a text that `split` turns into one."""

    def several(found: Any) -> Node:
        texts = found.split(rule.split) if isinstance(found, str) else _parts(found, rule.split)
        kept = [
            each.strip() if isinstance(each, str) else each
            for each in texts
            if each is not None and not (isinstance(each, str) and is_blank(each, blank))
        ]
        if rule.join is not None:
            joined = rule.join.join(scalar_text(each) for each in kept)
            return read(joined) if joined else None
        if spec.is_list:
            nodes = [node for each in kept if (node := read(each)) is not None]
            return Series(nodes, [1] * len(nodes)) if nodes else None
        return _only(kept, spec, read)

    return several


def _parts(found: list[Any], split: str | None) -> list[Any]:
    if split is None:
        return found
    return [part for each in found for part in (each.split(split) if isinstance(each, str) else [each])]


def _only(kept: list[Any], spec: FieldSpec, read: Callable[[Any], Node]) -> Node:
    different = list(dict.fromkeys(map(scalar_text, kept)))
    if len(different) > 1:
        raise InvalidValue(
            "several-values",
            f"`{spec.label}` takes one value, but several were found",
            detail=", ".join(f"`{each[:40]}`" for each in different[:5]),
            hint="combine them with `join`, or select one with `path` or `template`",
        )
    return read(kept[0]) if kept else None


def _single(rule: Rule, spec: FieldSpec) -> Callable[[Any], Node]:
    """Return the function that reads one value."""
    markup, values = rule.markup, rule.values
    table = None if values is None else _Values(values, rule, spec.label)

    def single(raw: Any) -> Node:
        text = _converted(raw, markup) if markup is not None else scalar_text(raw)
        if table is not None:
            return table.node(text)
        return text if rule.by is None else _block(rule.by, text.strip(), rule)

    return single


def _converted(raw: Any, markup: Markup) -> str:
    try:
        return converted(raw if isinstance(raw, (dict, list)) else scalar_text(raw), markup)
    except (ValueError, InvalidValue) as error:
        raise InvalidValue("bad-value", f"invalid {markup.upper()}", detail=str(error)) from None


def _moment(rule: Rule, spec: FieldSpec, context: RuleContext) -> Callable[[Any], Node]:
    calendar = context.calendar(rule)
    values = None if rule.values is None else _Values(rule.values, rule, spec.label)

    def moment(raw: Any) -> Node:
        if values is not None and isinstance(raw, str) and values.knows(raw):
            return values.node(raw)
        written = raw if isinstance(raw, (date, datetime)) else scalar_text(raw)
        try:
            return dates.format_instant(dates.instant_of(written, calendar))
        except InvalidMoment as problem:
            summary = f"`{spec.label}`: {problem.summary}"
            raise InvalidValue(problem.code, summary, detail=problem.detail, hint=problem.hint) from None

    return moment


class _Values:
    """The replacements of values; names match exactly, or else ignoring case and spacing."""

    __slots__ = ("fallback", "has_fallback", "label", "nodes", "place")

    def __init__(self, values: Mapping[str, Target], rule: Rule, label: str) -> None:
        self.label = label
        self.place = rule.place
        named = {name: _node(target, rule) for name, target in values.items() if name != ALL_OTHERS}
        targets = {each for each in values.values() if isinstance(each, str)}
        self.nodes: dict[str, Node] = {normalise.folded(each): each for each in targets}
        self.nodes |= {normalise.folded(name): node for name, node in named.items()}
        self.nodes |= named
        self.has_fallback = ALL_OTHERS in values
        self.fallback = _node(values.get(ALL_OTHERS), rule)

    def knows(self, text: str) -> bool:
        return text in self.nodes or normalise.folded(text) in self.nodes

    def node(self, text: str) -> Node:
        if text in self.nodes:
            return self.nodes[text]
        folded = normalise.folded(text)
        if folded in self.nodes:
            return self.nodes[folded]
        if self.has_fallback:
            return self.fallback
        raise InvalidValue(
            "unmapped-value",
            f"{self.label} `{text.strip()[:80]}` is not in its `values`",
            hint=f'add it to the `values` of {self.label} at {self.place}, or `"*"` for all other values',
        )


def _node(target: Target, rule: Rule) -> Node:
    return _block(target.by, target.name, rule) if isinstance(target, Named) else target


def _block(by: str, name: str, rule: Rule) -> Block:
    block = Block(rule.place.line)
    block[by] = name
    return block
