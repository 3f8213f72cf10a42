"""The bytes of a file of any format -> the values in it that declare incidents."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from itertools import chain

from importer.formats import csv_file, json_file, markdown_file, shape, yaml_file
from importer.formats.text_file import decode_text, physical_line
from importer.formats.tree import Block, Malformed, Node, Series
from importer.model import Location, Severity
from importer.model.diagnostics import Diagnostics
from importer.model.settings import SourceFile
from importer.sources import columns, front_matter
from importer.sources.discovery import MARKDOWN, WORKBOOK

_READERS: dict[str, Callable[[str, str, Diagnostics], Iterable[Node]]] = {
    ".yaml": yaml_file.read,
    ".yml": yaml_file.read,
    ".json": json_file.read,
    ".jsonl": json_file.read_lines,
    ".csv": columns.read_csv,
    ".tsv": partial(columns.read_csv, delimiter="\t"),
    MARKDOWN: front_matter.read_markdown,
}
_WRITTEN_BY_IMPORTER = re.compile(r'\s*\{[^{\[]*"(?:format_version|importer_report)"\s*:|importer_report,')
"""Plans, state exports and reports are marked before any nested value, or in their first header."""
_MARKER_KEYS = frozenset({"incidents", "key", "external_id"})
"""Any one of these keys marks an incident file."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A value that should be an incident, the line on which it begins, and the display path of its file."""

    node: Node
    line: int
    path: str


def candidates(found: SourceFile, data: bytes, diagnostics: Diagnostics) -> Iterator[Candidate]:
    """Yield the incidents that a file declares. If it declares none, that is an error if the file was named,
    otherwise a warning; a file that importer wrote itself is skipped unless it was named."""
    before = len(diagnostics.found)
    declaring: dict[str, bool] = {}
    try:
        groups = _documents(found, data, diagnostics)
        if groups is None:
            return
        for shown, nodes in groups:
            declaring[shown] = False
            for node in _if_one_declares(nodes):
                for candidate in _unpacked(node, shown, diagnostics):
                    declaring[shown] = True
                    yield candidate
    except Malformed as problem:
        diagnostics.report(problem, Location(found.shown, problem.line))
        return
    if any(declaring.values()):
        for sheet in (sheet for sheet, declares in declaring.items() if not declares):
            diagnostics.warning("not-an-incident-file", "a sheet declares no incidents", Location(sheet, 1))
    elif not any(each.severity is Severity.ERROR for each in diagnostics.found[before:]):
        _report_nothing(found, diagnostics)


def _documents(
    found: SourceFile, data: bytes, diagnostics: Diagnostics
) -> Iterator[tuple[str, Iterable[Node]]] | None:
    """Return the display name and documents of a file, or of each sheet of a workbook; None if the file is
    skipped, or after reporting why it is not read. Raises Malformed, also during iteration."""
    suffix = found.path.suffix.lower()
    if suffix == WORKBOOK:
        from importer.formats import xlsx_file  # noqa: PLC0415  loaded only for a workbook

        return (
            (name, columns.read_rows(contents, name, diagnostics))
            for name, contents in xlsx_file.read_sheets(found.path, found.shown)
        )
    text = decode_text(data, csv_file.row_after if suffix in (".csv", ".tsv") else physical_line)
    if _WRITTEN_BY_IMPORTER.match(text):
        if found.named:
            place = Location(found.shown, 1)
            hint = "to render a plan, use `importer show`; to apply it, `importer apply`"
            diagnostics.error("not-an-incident-file", "importer wrote this file", place, hint=hint)
        return None
    if suffix == MARKDOWN and not found.named and not markdown_file.has_front_matter(text):
        hint = "it must end with a line like its first one"
        place = Location(found.shown, 1)
        diagnostics.warning("no-front-matter", "the front matter has no end", place, hint=hint)
        return None
    return iter([(found.shown, _READERS[suffix](text, found.shown, diagnostics))])


def _if_one_declares(nodes: Iterable[Node]) -> Iterator[Node]:
    """Yield the documents that are not empty, unless none looks like an incident. After the first that does,
    documents are streamed, so that only one row of a long table is in memory."""
    held: list[Node] = []
    documents = (node for node in nodes if node is not None)
    for node in documents:
        held.append(node)
        if _declares(node):
            yield from chain(held, documents)


def _declares(node: Node) -> bool:
    """Whether a document looks like incidents: it has a marker key, or two fields of incidents other than a
    post-mortem, which every Markdown file with a body has."""
    match node:
        case Block() if node.get("incidents"):
            return _declares(node["incidents"])
        case Block():
            return not _MARKER_KEYS.isdisjoint(node) or len(_fields() & node.keys()) > 1
        case Series():
            return any(_declares(each) for each in node)
        case _:
            return False


@cache
def _fields() -> frozenset[str]:
    return frozenset(shape.json_schema(shape.INCIDENT)["$defs"]["incident"]["properties"]) - {"postmortem"}


def _unpacked(node: Node, path: str, diagnostics: Diagnostics) -> list[Candidate]:
    """Return the incidents of a document: one mapping, a list, or a mapping with `incidents`."""
    match node:
        case Series():
            return [Candidate(each, line, path) for each, line in zip(node, node.lines, strict=True)]
        case Block() if "incidents" in node:
            file, listed = _without_contents(node), node["incidents"]
            diagnostics.found += shape.validate(file, shape.INCIDENT_FILE, path, line=node.line)
            return _unpacked(listed, path, diagnostics) if isinstance(listed, Series) else []
        case Block():
            return [Candidate(node, node.line, path)]
        case _:
            return [Candidate(node, 1, path)]


def _without_contents(file: Block) -> Block:
    """Return a file's mapping with an empty list of incidents, which are validated one by one."""
    outside = Block(file.line)
    outside.update(file)
    outside.lines = file.lines
    if isinstance(file["incidents"], Series):
        outside["incidents"] = Series()
    return outside


def _report_nothing(found: SourceFile, diagnostics: Diagnostics) -> None:
    report = diagnostics.error if found.named else diagnostics.warning
    report(
        "not-an-incident-file",
        "the file declares no incidents",
        Location(found.shown, 1),
        hint="an incident has a `key` and a `name`; for an export of another tracker: importer init --from "
        f"{found.shown}",
    )
