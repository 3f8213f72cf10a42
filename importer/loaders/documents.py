"""The bytes of a file -> the mappings in it that declare incidents, whatever its format."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from itertools import chain

from importer.diagnostics import Diagnostics
from importer.loaders import csv_file, json_file, shape, yaml_file
from importer.loaders.encoding import decode, physical_line
from importer.loaders.sources import Found
from importer.loaders.tree import Block, Malformed, Node, Series
from importer.model import Location, Severity


@dataclass(frozen=True, slots=True)
class _Format:
    """How to read a file, and how to count its lines."""

    read: Callable[[str, str, Diagnostics], Iterable[Node]]
    line_after: Callable[[str], int] = physical_line


_FORMATS = {
    ".yaml": _Format(yaml_file.read),
    ".yml": _Format(yaml_file.read),
    ".json": _Format(json_file.read),
    ".jsonl": _Format(json_file.read_lines),
    ".csv": _Format(csv_file.read, csv_file.row_after),
    ".tsv": _Format(partial(csv_file.read, delimiter="\t"), csv_file.row_after),
}
_OWN_PRODUCT = re.compile(r'\s*\{[^{\[]*"(?:format_version|importer_report)"\s*:|importer_report,')
"""Plans, state exports and reports say so before anything nested, or in their first header."""
_TELLING = frozenset({"incidents", "key", "external_id"})
"""Keys of which one is enough to tell a file of incidents from any other YAML or JSON."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A value that should be an incident, and the line where it begins."""

    node: Node
    line: int


def candidates(found: Found, data: bytes, diagnostics: Diagnostics) -> Iterator[Candidate]:
    """Yield what a file declares. A file that declares nothing is an error if it was named, else a warning;
    what this program wrote itself is passed over unless it was named."""
    suffix = found.path.suffix.lower()
    before = len(diagnostics.found)
    try:
        text = decode(data, _FORMATS[suffix].line_after)
    except Malformed as problem:
        problem.report(found.shown, diagnostics)
        return
    if _OWN_PRODUCT.match(text):
        if found.named:
            place = Location(found.shown, 1)
            hint = "`importer show` renders a plan, `importer apply` carries it out"
            diagnostics.error("not-an-incident-file", "this is a file that importer wrote", place, hint=hint)
        return
    declared = False
    for node in _if_one_declares(_FORMATS[suffix].read(text, found.shown, diagnostics)):
        for candidate in _unpacked(node, found.shown, diagnostics):
            declared = True
            yield candidate
    if not declared and not any(each.severity is Severity.ERROR for each in diagnostics.found[before:]):
        _report_nothing(found, diagnostics)


def _if_one_declares(nodes: Iterable[Node]) -> Iterator[Node]:
    """Yield the documents that are not empty, unless none of them looks like incidents. What comes after the
    first that does is not waited for, so that of a long table one row is in memory, not all."""
    held: list[Node] = []
    documents = (node for node in nodes if node is not None)
    for node in documents:
        held.append(node)
        if _declares(node):
            yield from chain(held, documents)


def _declares(node: Node) -> bool:
    """Whether a document looks like incidents: by a telling key, or by two fields that incidents have."""
    match node:
        case Block() if node.get("incidents"):
            return _declares(node["incidents"])
        case Block():
            return not _TELLING.isdisjoint(node) or len(_fields() & node.keys()) > 1
        case Series():
            return any(_declares(each) for each in node)
        case _:
            return False


@cache
def _fields() -> frozenset[str]:
    return frozenset(shape.document(shape.INCIDENT)["$defs"]["incident"]["properties"])


def _unpacked(node: Node, path: str, diagnostics: Diagnostics) -> list[Candidate]:
    """Return the incidents of a document: one mapping, a list, or a mapping with `incidents`."""
    match node:
        case Series():
            return [Candidate(each, line) for each, line in zip(node, node.lines, strict=True)]
        case Block() if "incidents" in node:
            diagnostics.found += shape.problems(
                _without_contents(node), shape.INCIDENT_FILE, path, line=node.line
            )
            return (
                _unpacked(node["incidents"], path, diagnostics)
                if isinstance(node["incidents"], Series)
                else []
            )
        case Block():
            return [Candidate(node, node.line)]
        case _:
            return [Candidate(node, 1)]


def _without_contents(file: Block) -> Block:
    """Return a file's mapping with an empty list of incidents, which are checked one by one."""
    outside = Block(file.line)
    outside.update(file)
    outside.lines = file.lines
    if isinstance(file["incidents"], Series):
        outside["incidents"] = Series()
    return outside


def _report_nothing(found: Found, diagnostics: Diagnostics) -> None:
    report = diagnostics.error if found.named else diagnostics.warning
    report(
        "not-an-incident-file",
        "the file declares no incident",
        Location(found.shown, 1),
        hint="an incident has a `key` and a `name`; `sources` of importer.yaml says which files to read",
    )
