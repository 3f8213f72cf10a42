"""Diagnostics -> annotations that a code host shows next to their lines: GitHub, GitLab, SARIF.

Locations are relative to `folder`, which is relative to the root of the checkout: `""`, or `incidents/`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import Any
from urllib.parse import quote

from importer import __version__
from importer.model import Diagnostic, Location, Severity
from importer.renderers.values import sanitised_lines

_FALLBACK = Location("importer.yaml", 1)
"""The location of a problem without one, for a host that requires a location."""
_SARIF = "https://json.schemastore.org/sarif-2.1.0.json"


def github(diagnostics: Sequence[Diagnostic], folder: str) -> str:
    """Return one workflow command per line: `::error file=a.yaml,line=3,title=code::message`.

    GitHub shows ten errors and ten warnings per step, so the first location of every problem comes first.
    """
    placed = sorted(_placed(diagnostics), key=lambda each: each[2])
    return "".join(f"{_command(diagnostic, place, folder)}\n" for diagnostic, place, _ in placed)


def gitlab(diagnostics: Sequence[Diagnostic], folder: str) -> str:
    """Return a Code Quality report: a JSON list with `description`, `check_name`, `fingerprint`, `severity`
    and `location` for each location."""
    known: set[str] = set()
    return _json(
        [_finding(each, place or _FALLBACK, folder, known) for each, place, _ in _placed(diagnostics)]
    )


def sarif(diagnostics: Sequence[Diagnostic], folder: str) -> str:
    """Return a SARIF 2.1.0 log of one run, with one result for each location."""
    driver = {
        "name": "importer",
        "version": __version__,
        "rules": [{"id": code} for code in sorted({each.code for each in diagnostics})],
    }
    results = [_result(each, place, folder) for each, place, _ in _placed(diagnostics)]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return _json({"$schema": _SARIF, "version": "2.1.0", "runs": [run]})


def _placed(diagnostics: Iterable[Diagnostic]) -> Iterator[tuple[Diagnostic, Location | None, int]]:
    """Yield each problem with each of its locations and the index of that, or once with None."""
    for each in diagnostics:
        for number, place in enumerate(each.locations or (None,)):
            yield each, place, number


def _command(diagnostic: Diagnostic, place: Location | None, folder: str) -> str:
    known: dict[str, object] = {}
    if place:
        known |= {"file": folder + place.path, "line": place.line}
        known |= {} if place.column is None else {"col": place.column}
    known["title"] = diagnostic.code
    properties = ",".join(f"{name}={_escaped(str(value), ':,')}" for name, value in known.items())
    return f"::{diagnostic.severity.value} {properties}::{_escaped(_message(diagnostic), '')}"


def _escaped(text: str, more: str) -> str:
    """Escape the characters that end a workflow command or one of its properties."""
    for character in "%\r\n" + more:
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def _finding(diagnostic: Diagnostic, place: Location, folder: str, known: set[str]) -> dict[str, Any]:
    """Return one finding. GitLab requires a unique fingerprint for each."""
    base = f"{diagnostic.code}\0{diagnostic.summary}\0{place}"
    prints = (
        hashlib.sha256(f"{base}\0{number}".encode("utf-8", "replace")).hexdigest() for number in count()
    )
    fingerprint = next(each for each in prints if each not in known)
    known.add(fingerprint)
    return {
        "description": _message(diagnostic),
        "check_name": diagnostic.code,
        "fingerprint": fingerprint,
        "severity": "major" if diagnostic.severity is Severity.ERROR else "minor",
        "location": {"path": folder + place.path, "lines": {"begin": place.line}},
    }


def _result(diagnostic: Diagnostic, place: Location | None, folder: str) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "level": diagnostic.severity.value,
        "message": {"text": _message(diagnostic)},
    }
    if place:
        region = {"startLine": place.line}
        region |= {} if place.column is None else {"startColumn": place.column}
        uri = quote(folder + place.path, errors="replace")
        location = {"artifactLocation": {"uri": uri}, "region": region}
        result["locations"] = [{"physicalLocation": location}]
    return result


def _message(diagnostic: Diagnostic) -> str:
    """Return the summary, the detail and the hint of a problem."""
    more = diagnostic.count - 1
    parts = [
        diagnostic.summary,
        *([f"(and {more} more)"] if more else []),
        *([diagnostic.detail] if diagnostic.detail else []),
        *([f"hint: {diagnostic.hint}"] if diagnostic.hint else []),
    ]
    return "\n".join(line for part in parts for line in sanitised_lines(part))


def _json(document: object) -> str:
    return json.dumps(document, indent=2) + "\n"
