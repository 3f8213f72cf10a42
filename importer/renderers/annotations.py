"""Diagnostics -> what a code host shows beside the line that each is about: GitHub, GitLab, SARIF.

`folder` is where the places of the diagnostics begin, from the top of the checkout: `""`, or `incidents/`.
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
"""Where a problem of no file is shown by a host that shows none without one."""
_SARIF = "https://json.schemastore.org/sarif-2.1.0.json"


def github(diagnostics: Sequence[Diagnostic], folder: str) -> str:
    """Return a workflow command a line: `::error file=a.yaml,line=3,title=code::words`.

    GitHub shows ten errors and ten warnings of a step, so the first place of every cause comes first.
    """
    found = sorted(_placed(diagnostics), key=lambda each: each[2])
    return "".join(f"{_command(diagnostic, place, folder)}\n" for diagnostic, place, _ in found)


def gitlab(diagnostics: Sequence[Diagnostic], folder: str) -> str:
    """Return a Code Quality report: a JSON list with `description`, `check_name`, `fingerprint`, `severity`
    and `location` of each place."""
    known: set[str] = set()
    return _json(
        [_finding(each, place or _FALLBACK, folder, known) for each, place, _ in _placed(diagnostics)]
    )


def sarif(diagnostics: Sequence[Diagnostic], folder: str) -> str:
    """Return a SARIF 2.1.0 log of one run, with one result for each place."""
    driver = {
        "name": "importer",
        "version": __version__,
        "rules": [{"id": code} for code in sorted({each.code for each in diagnostics})],
    }
    results = [_result(each, place, folder) for each, place, _ in _placed(diagnostics)]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return _json({"$schema": _SARIF, "version": "2.1.0", "runs": [run]})


def _placed(diagnostics: Iterable[Diagnostic]) -> Iterator[tuple[Diagnostic, Location | None, int]]:
    """Yield each problem with each of its places and the number of that, or once without any."""
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
    return f"::{diagnostic.severity.value} {properties}::{_escaped(_words(diagnostic), '')}"


def _escaped(text: str, more: str) -> str:
    """Escape what ends a workflow command or one of its properties."""
    for character in "%\r\n" + more:
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def _finding(diagnostic: Diagnostic, place: Location, folder: str, known: set[str]) -> dict[str, Any]:
    """Return one finding; GitLab tells them apart by a fingerprint, which must not occur twice."""
    base = f"{diagnostic.code}\0{diagnostic.summary}\0{place}"
    prints = (
        hashlib.sha256(f"{base}\0{number}".encode("utf-8", "replace")).hexdigest() for number in count()
    )
    fingerprint = next(each for each in prints if each not in known)
    known.add(fingerprint)
    return {
        "description": _words(diagnostic),
        "check_name": diagnostic.code,
        "fingerprint": fingerprint,
        "severity": "major" if diagnostic.severity is Severity.ERROR else "minor",
        "location": {"path": folder + place.path, "lines": {"begin": place.line}},
    }


def _result(diagnostic: Diagnostic, place: Location | None, folder: str) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "level": diagnostic.severity.value,
        "message": {"text": _words(diagnostic)},
    }
    if place:
        region = {"startLine": place.line}
        region |= {} if place.column is None else {"startColumn": place.column}
        uri = quote(folder + place.path, errors="replace")
        where = {"artifactLocation": {"uri": uri}, "region": region}
        result["locations"] = [{"physicalLocation": where}]
    return result


def _words(diagnostic: Diagnostic) -> str:
    """Return the problem, what is known of it, and the next step."""
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
