"""A file's data against its JSON Schema -> a diagnostic for each mistake, in the user's own words.

A fast validator accepts valid data; a slow one, imported only for invalid data, explains the mistakes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any

import jsonschema_rs

from importer.formats import schemas, yaml_file
from importer.formats.text_file import decode_text
from importer.formats.tree import Block, Malformed, Node, Series, place
from importer.model import Diagnostic, Location, Severity
from importer.model.diagnostics import Diagnostics

_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Shape:
    """A schema, or one definition of it. `subject` is what messages call the whole value."""

    schema: str
    subject: str
    definition: str = ""


INCIDENT = Shape("incident", "the incident", "incident")
INCIDENT_FILE = Shape("incident", "the file")
CONFIG = Shape("config", "importer.yaml")
MAPPING = Shape("mapping", "the mapping")


def validate(node: Node, shape: Shape, path: str, *, line: int = 1) -> tuple[Diagnostic, ...]:
    """Return the mistakes in a value that begins at `line`, sorted by line; empty if it is valid."""
    if fast_validator(shape).is_valid(node):
        return ()
    found = dict.fromkeys(
        diagnostic
        for error in _slow_validator(shape).iter_errors(node)
        for diagnostic in _diagnostics(error, _Checked(node, shape, path, line))
    )
    return tuple(sorted(found, key=lambda each: (each.locations[0].line, each.locations[0].column or 0)))


def read(
    data: bytes, shape: Shape, path: str, diagnostics: Diagnostics, *, empty: Block | None = None
) -> Block | None:
    """Return the mapping that a YAML file holds, `empty` if the file is empty; None after reporting its
    mistakes."""
    before = len(diagnostics.found)
    try:
        documents = yaml_file.read(decode_text(data), path, diagnostics)
    except Malformed as problem:
        diagnostics.report(problem, Location(path, problem.line))
        return None
    if len(diagnostics.found) > before:
        return None
    if len(documents) > 1:
        diagnostics.error("wrong-type", f"{shape.subject} must be one YAML document", Location(path, 1))
        return None
    node = documents[0] if documents and documents[0] is not None else empty
    found = validate(node, shape, path)
    diagnostics.found += found
    return node if isinstance(node, Block) and not found else None


@cache
def fast_validator(shape: Shape) -> Any:
    """Return the validator that only accepts or rejects."""
    return jsonschema_rs.Draft202012Validator(json_schema(shape))


@cache
def _slow_validator(shape: Shape) -> Any:
    from jsonschema import Draft202012Validator  # noqa: PLC0415  loaded only for a file with mistakes

    return Draft202012Validator(json_schema(shape))


def json_schema(shape: Shape) -> dict[str, Any]:
    """Return the JSON Schema of a shape."""
    schema = schemas.read(shape.schema)
    if not shape.definition:
        return schema
    return {
        "$schema": schema["$schema"],
        "$ref": f"#/$defs/{shape.definition}",
        "$defs": schema["$defs"],
    }


@dataclass(frozen=True, slots=True)
class _Checked:
    """The value to check, and its place."""

    node: Node
    shape: Shape
    path: str
    line: int

    def place(self, steps: Sequence[str | int]) -> Location:
        return place(self.path, self.node, steps, line=self.line)

    def label(self, steps: Sequence[str | int]) -> str:
        """Return a place without its list positions, so that equal mistakes are grouped."""
        name = "".join("[]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")
        return f"`{name}`" if name else self.shape.subject


def _diagnostics(error: Any, subject: _Checked) -> Iterator[Diagnostic]:
    steps = list(error.absolute_path)
    match error.validator:
        case "additionalProperties":
            yield from _unknown(error, steps, subject)
        case "required":
            yield from _missing(error, steps, subject)
        case "type":
            yield _wrong("wrong-type", error, steps, subject)
        case _:
            yield _wrong("bad-value", error, steps, subject)


def _unknown(error: Any, steps: list[str | int], subject: _Checked) -> Iterator[Diagnostic]:
    known = sorted(error.schema["properties"])
    prefixes = error.schema.get("patternProperties", ())
    patterns = tuple(each.strip("^").replace("\\", "") for each in prefixes)
    for key in error.instance:
        if key in known or key.startswith(patterns):
            continue
        near = get_close_matches(key.casefold(), known, 1)
        yield _error(
            "unknown-field",
            f"unknown field {subject.label([*steps, key])}",
            subject.place([*steps, key]),
            hint=f"did you mean `{near[0]}`?" if near else f"the fields here are {', '.join(known)}",
        )


def _missing(error: Any, steps: list[str | int], subject: _Checked) -> Iterator[Diagnostic]:
    for key in error.validator_value:
        if key not in error.instance:
            yield _error(
                "missing-field",
                f"{subject.label([*steps, key])} is missing",
                subject.place(steps),
                hint=_description(subject, [*steps, key]),
            )


def _wrong(code: str, error: Any, steps: list[str | int], subject: _Checked) -> Diagnostic:
    near = _nearest(error)
    return _error(
        code,
        f"{subject.label(steps)} must be {error.schema['title']}",
        subject.place(steps),
        detail=f"found {_shown(error.instance)}",
        hint=f"did you mean `{near}`?" if near else _description(subject, steps),
    )


def _nearest(error: Any) -> str:
    """Return the valid word that the user probably meant, or an empty text. A pattern's valid words are its
    examples, and what follows a dot is kept."""
    if error.validator not in {"enum", "pattern"} or not isinstance(error.instance, str):
        return ""
    valid = error.validator_value if error.validator == "enum" else error.schema.get("examples", ())
    word, dot, name = error.instance.partition(".")
    near = [f"{each}{dot}{name}" for each in get_close_matches(word.casefold(), list(map(str, valid)), 1)]
    return near[0] if near and near[0] != error.instance else ""


def _error(code: str, summary: str, at: Location, *, detail: str = "", hint: str = "") -> Diagnostic:
    return Diagnostic(Severity.ERROR, code, summary, detail, hint, (at,))


def _description(subject: _Checked, steps: Sequence[str | int]) -> str:
    """Return the schema's description of the field at `steps`, or of its nearest described parent."""
    schema = json_schema(subject.shape)
    description = ""
    for step in steps:
        schema = _resolved(schema, subject.shape)
        below = schema.get("items") if isinstance(step, int) else schema.get("properties", {}).get(step)
        if not isinstance(below, dict):
            break
        description = below.get("description", description)
        schema = below
    return description


def _resolved(schema: dict[str, Any], shape: Shape) -> dict[str, Any]:
    """Return a schema, or the definition that its `$ref` names."""
    reference = schema.get("$ref")
    if reference is None:
        return schema
    definition: dict[str, Any] = schemas.read(shape.schema)["$defs"][reference.removeprefix("#/$defs/")]
    return definition


def _shown(found: Node) -> str:
    match found:
        case None:
            return "null"
        case Block():
            return f"a mapping of {', '.join(found)}" if found else "an empty mapping"
        case Series():
            return "a list" if found else "an empty list"
        case _:
            return f"`{found}`" if len(found) <= _SHOWN else f"`{found[:_SHOWN]}...`, {len(found)} characters"
