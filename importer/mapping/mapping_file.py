"""A mapping file, with what it extends -> a Mapping, or all of its mistakes with their lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Mapping as Table
from dataclasses import fields as fields_of
from dataclasses import replace
from difflib import get_close_matches
from functools import cache, partial
from pathlib import Path
from typing import Any

from importer.formats import paths, shape
from importer.formats.text_file import check_encoding
from importer.formats.tree import Block, Node, texts
from importer.mapping import dates, months, templates
from importer.mapping.model import (
    Bare,
    Columns,
    Condition,
    Expression,
    Fold,
    Format,
    InvalidRule,
    Items,
    Keep,
    Mapping,
    Markup,
    Named,
    Origin,
    Rule,
    Target,
    Template,
    Unit,
    rule_at,
)
from importer.model import Location, moments
from importer.model.diagnostics import Diagnostics

PRESETS = Path(__file__).parent / "presets"

_SUFFIXES = (".yaml", ".yml")
_ITEMS = frozenset({"timeline", "follow_ups", "attachments", "status_page.updates"})
_ITEM_OPTIONS = frozenset({"each", "split", "into"})
_ORIGINS = ("column", "columns", "path", "template")
_DELIMITERS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "bar": "|", "pipe": "|"}


def read_mapping(path: Path, diagnostics: Diagnostics, *, shown: str = "") -> Mapping | None:
    """Read a mapping, called `shown` in messages; None after reporting its mistakes."""
    before = len(diagnostics.found)
    mapping = _read(path, shown or path.as_posix(), diagnostics, ())
    if mapping is not None:
        for place, check in _checks(mapping):
            try:
                with rule_at(place):
                    check()
            except InvalidRule as problem:
                diagnostics.report(problem)
        if mapping.fields.keys().isdisjoint(("key", "external_id")):
            diagnostics.error(
                "missing-field",
                "the mapping has no `key`",
                mapping.place("fields"),
                hint="name the column that identifies an incident and never changes",
            )
    return mapping if len(diagnostics.found) == before else None


def read_preset(name: str, diagnostics: Diagnostics, *, at: Location | None = None) -> Mapping | None:
    """Return the preset that is named at `at`; None after reporting that it is unknown."""
    path = _preset_path(name, diagnostics, at)
    return None if path is None else read_mapping(path, diagnostics, shown=f"presets/{name}.yaml")


@cache
def preset_names() -> tuple[str, ...]:
    """Return the names of the built-in mappings, sorted."""
    return tuple(sorted(path.stem for path in PRESETS.glob("*.yaml")))


def _read(path: Path, shown: str, diagnostics: Diagnostics, chain: tuple[Path, ...]) -> Mapping | None:
    try:
        block = shape.read(path.read_bytes(), shape.MAPPING, shown, diagnostics)
    except OSError as error:
        diagnostics.error("unreadable", f"the mapping `{shown}` cannot be read", detail=error.strerror or "")
        return None
    if block is None:
        return None
    base = _base(block, path, shown, diagnostics, (*chain, path.resolve()))
    if base is None:
        return None
    try:
        own = _mapping(block, shown, base)
    except InvalidRule as problem:
        diagnostics.report(problem)
        return None
    return replace(own, files=(*base.files, path))


def _base(
    block: Block, path: Path, shown: str, diagnostics: Diagnostics, chain: tuple[Path, ...]
) -> Mapping | None:
    """Return the mapping that another extends: a preset, or a file relative to it; empty by default."""
    name = _text(block, "extends")
    if not name:
        return Mapping(shown=shown)
    place = block.place(shown, "extends")
    if name.endswith(_SUFFIXES):
        target, base_shown = path.parent / name, (Path(shown).parent / name).as_posix()
    elif preset := _preset_path(name, diagnostics, place):
        target, base_shown = preset, f"presets/{name}.yaml"
    else:
        return None
    if target.resolve() in chain:
        diagnostics.error("bad-value", f"`{name}` extends itself", place)
        return None
    return _read(target, base_shown, diagnostics, chain)


def _preset_path(name: str, diagnostics: Diagnostics, at: Location | None) -> Path | None:
    """Return the file of a preset, or None after reporting that it is unknown."""
    if name in preset_names():
        return PRESETS / f"{name}.yaml"
    near = get_close_matches(name.casefold(), preset_names(), 1)
    hint = f"did you mean `{near[0]}`?" if near else f"the presets are {', '.join(preset_names())}"
    diagnostics.error("unknown-preset", f"unknown preset `{name}`", at, hint=hint)
    return None


def _mapping(block: Block, shown: str, base: Mapping) -> Mapping:
    """Return the mapping of a valid block, merged with its base. Raises InvalidRule."""
    text = {key: _text(block, key) for key in block}
    places = {key: block.place(shown, key) for key in block}
    changes: dict[str, Any] = {key: text[key] for key in ("sheet", "timezone", "records") if text.get(key)}
    if "where" in block:
        own = Condition(text["where"], places["where"])
        changes["where"] = () if block["where"] is None else (*base.where, own)
    if text.get("encoding", "auto") != "auto":
        changes["encoding"] = text["encoding"]
    if text.get("delimiter", "auto") != "auto":
        changes["delimiter"] = _DELIMITERS.get(text["delimiter"], text["delimiter"])
    if "header_row" in block:
        changes["header_row"] = int(text["header_row"])
    for key, kind in (("format", Format), ("keep", Keep), ("fold", Fold)):
        if key in block:
            changes[key] = kind(text[key])
    for key in ("datetime_formats", "blank"):
        if key in block:
            changes[key] = texts(block[key])
    if "months" in block:
        changes["months"] = _months(block, shown)
    rules = {**base.fields, **_rules(block, shown, base)}
    changes["fields"] = {label: rule for label, rule in rules.items() if rule is not None}
    return replace(base, shown=shown, places={**base.places, **places}, **changes)


def _rules(block: Block, shown: str, base: Mapping) -> dict[str, Rule | Items | None]:
    """Return the rules of a file, each merged with its base's; None for a rule that the file removes."""
    found: dict[str, Rule | Items | None] = {}
    fields = _section(block, "fields")
    for label, node in fields.items():
        place = fields.place(shown, label)
        known = base.fields.get(label)
        if node is None:
            found[label] = None
        elif label in _ITEMS:
            found[label] = _items(node, shown, place)
        else:
            found[label] = _merged(_rule(node, shown, place), known if isinstance(known, Rule) else None)
    defaults = _section(block, "defaults")
    for label, node in defaults.items():
        rule = found.get(label) or base.fields.get(label)
        base_rule = rule if isinstance(rule, Rule) else Rule(place=defaults.place(shown, label))
        found[label] = replace(base_rule, default=_target(node))
    return found


def _merged(rule: Rule, base: Rule | None) -> Rule:
    """Return a rule with its unset options from its base; `values` are merged, its own first. A rule with its
    own origin replaces the base's rule."""
    if base is None or rule.origin is not None:
        return rule
    own = {each.name: getattr(rule, each.name) for each in fields_of(rule)}
    kept = {name: value for name, value in own.items() if value is not None}
    if base.values and rule.values:
        kept["values"] = {**base.values, **rule.values}
    return replace(base, **kept)


def _rule(node: Node, shown: str, place: Location) -> Rule:
    if isinstance(node, str):
        return Rule(place=place, origin=Bare(node.strip()))
    block = node if isinstance(node, Block) else Block(place.line)
    values = block.get("values")
    formats = block.get("datetime_formats")
    return Rule(
        place=Location(place.path, block.line),
        origin=_origin(block, shown),
        join=block.text("join"),
        split=block.text("split"),
        values={word: _target(each) for word, each in values.items()} if isinstance(values, Block) else None,
        default=_target(block.get("default")),
        timezone=_text(block, "timezone") or None,
        datetime_formats=texts(formats) if formats is not None else None,
        fold=Fold(_text(block, "fold")) if "fold" in block else None,
        unit=Unit(_text(block, "unit")) if "unit" in block else None,
        markup=Markup(_text(block, "markup")) if "markup" in block else None,
        by=_text(block, "by") or None,
        blank=texts(block["blank"]) if "blank" in block else None,
        required=_boolean(block, "required"),
        optional=_boolean(block, "optional"),
    )


def _origin(block: Block, shown: str) -> Origin | None:
    written = [name for name in _ORIGINS if name in block]
    if len(written) > 1:
        summary = f"a rule may have only one of {', '.join(_ORIGINS)}"
        detail = f"found {' and '.join(written)}"
        raise InvalidRule("bad-value", summary, detail=detail, at=block.place(shown, written[1]))
    match written:
        case ["column"]:
            return Columns(texts(block["column"]), any_of=True)
        case ["columns"]:
            return Columns(texts(block["columns"]), any_of=False)
        case ["path"]:
            return Expression(_text(block, "path"))
        case ["template"]:
            return Template(block.text("template") or "")
        case _:
            return None


def _items(node: Node, shown: str, place: Location) -> Items:
    block = node if isinstance(node, Block) else Block(place.line)
    each = block.get("each")
    rules = {
        name: _rule(rule, shown, block.place(shown, name))
        for name, rule in block.items()
        if name not in _ITEM_OPTIONS and rule is not None
    }
    return Items(
        place=place,
        fields=rules,
        each=Bare(each.strip()) if isinstance(each, str) else None,
        split=block.text("split"),
        into=texts(block.get("into")),
    )


def _months(block: Block, shown: str) -> Table[str, int]:
    """Return the month names of a language, or of a list of twelve."""
    written = block["months"]
    if isinstance(written, str):
        if written.strip() not in months.LANGUAGES:
            raise InvalidRule(
                "bad-value",
                f"unknown language `{written}` for month names",
                hint=f"the languages are {', '.join(months.LANGUAGES)}; for others, list the twelve names",
                at=block.place(shown, "months"),
            )
        return months.month_numbers(written.strip())
    return {months.fold_month(name): number for number, name in enumerate(texts(written), 1)}


def _checks(mapping: Mapping) -> Iterator[tuple[Location, Callable[[], object]]]:
    """Yield checks that raise a Problem if a text in the mapping is invalid for any file, with its place."""
    from importer.mapping import markups  # noqa: PLC0415

    compile_template = templates.Templates(strict=False, filters=markups.filters(dates.Calendar())).compiled
    yield mapping.place("timezone"), partial(moments.zone, mapping.timezone or "UTC")
    for written in mapping.datetime_formats:
        yield mapping.place("datetime_formats"), partial(dates.compile_format, written, mapping.months)
    yield mapping.place("encoding"), partial(check_encoding, mapping.encoding or "utf-8")
    if mapping.records is not None:
        yield mapping.place("records"), partial(paths.compile_path, mapping.records)
    for condition in mapping.where:
        yield condition.place, partial(compile_template, condition.text)
    for rule in mapping.rules():
        yield rule.place, partial(moments.zone, rule.timezone or "UTC")
        for written in rule.datetime_formats or ():
            yield rule.place, partial(dates.compile_format, written, mapping.months)
        if isinstance(rule.origin, Expression):
            yield rule.place, partial(paths.compile_path, rule.origin.text)
        if isinstance(rule.origin, Template):
            yield rule.place, partial(compile_template, rule.origin.text)


def _target(node: Node) -> Target:
    if isinstance(node, Block):
        ((by, name),) = node.items()
        return Named(by, str(name).strip())
    return node if isinstance(node, str) else None


def _text(block: Block, key: str) -> str:
    return (block.text(key) or "").strip()


def _section(block: Block, key: str) -> Block:
    value = block.get(key)
    return value if isinstance(value, Block) else Block(block.line)


def _boolean(block: Block, key: str) -> bool | None:
    return None if key not in block else _text(block, key) == "true"
