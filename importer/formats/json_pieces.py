"""A JSON document with one long list <-> its pieces, with one entry of the list in memory at a time.

The document ends with its seal: the SHA-256 of all the rest in canonical form (sorted keys, no spaces,
ASCII). The layout may change; a change of any value is detected.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

JsonObject = dict[str, Any]
_MOST_DIGITS = 10


def canonical(value: Any) -> str:
    """Return JSON in the canonical form that is hashed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def document_chunks(
    head: JsonObject, name: str, entries: Iterable[JsonObject], *, seal: str
) -> Iterator[str]:
    """Yield a document's text in ASCII: a line for each key of `head`, for each entry of the list `name`, and
    for the key `seal`."""
    digest = _Digest(head, name)
    yield "{\n"
    for key, value in head.items():
        yield f"{json.dumps(key)}: {json.dumps(value)},\n"
    yield f"{json.dumps(name)}: ["
    separator = "\n"
    for entry in map(canonical, entries):
        digest.add(entry)
        yield separator + entry
        separator = ",\n"
    yield ("" if separator == "\n" else "\n") + f"],\n{json.dumps(seal)}: {json.dumps(digest.end())}\n}}\n"


class Document:
    """A document that is read in pieces: `head` at once, then `entries`, then `is_sealed`.

    A document that another program reformatted is read whole. Raises OSError, and ValueError if it is not a
    JSON object with a list of that name.
    """

    def __init__(self, stream: TextIO, name: str, *, seal: str) -> None:
        self._stream = stream
        self._name = name
        self._seal = seal
        self.sealed_with = ""
        self._entries: Iterator[tuple[JsonObject, str]]
        self.head: JsonObject
        lines = iter(stream)
        try:
            self.head, is_long = _head(lines, name)
            self._entries = self._by_line(lines) if is_long else iter(())
        except ValueError:
            stream.seek(0)
            self.head = self._whole(json.load(stream, object_pairs_hook=_unique_keys))
        self._digest = _Digest(self.head, name)

    def entries(self) -> Iterator[JsonObject]:
        """Yield the entries of the list, once. Raises ValueError if the document is truncated."""
        for entry, form in self._entries:
            self._digest.add(form)
            yield entry

    def is_sealed(self) -> bool:
        """Whether the document is unchanged since it was sealed. Call it after the last entry."""
        return self.sealed_with == self._digest.end()

    def _by_line(self, lines: Iterator[str]) -> Iterator[tuple[JsonObject, str]]:
        for line in lines:
            if line.startswith("]"):
                rest = _parsed("{" + "".join(lines))
                self.sealed_with = str(rest.pop(self._seal, ""))
                if rest:
                    raise ValueError("keys after the list")
                return
            yield _entry(line.rstrip().removesuffix(","))
        raise ValueError("the list has no end")

    def _whole(self, document: Any) -> JsonObject:
        if not isinstance(document, dict) or not isinstance(document.get(self._name), list):
            raise ValueError("not an object with the list")
        self._entries = ((each, canonical(each)) for each in document.pop(self._name))
        self.sealed_with = str(document.pop(self._seal, ""))
        return document


def major_version(document: Any) -> int | None:
    """Return the number before the dot of a document's `format_version`; None if there is none."""
    version = document.get("format_version") if isinstance(document, dict) else None
    major = version.partition(".")[0] if isinstance(version, str) else ""
    return int(major) if major.isdecimal() and len(major) < _MOST_DIGITS else None


def open_text(path: Path) -> TextIO:
    """Open a document for reading."""
    return path.open(encoding="utf-8")


def _head(lines: Iterator[str], name: str) -> tuple[JsonObject, bool]:
    """Return the keys before the list, and whether the list's entries are on lines of their own. Raises
    ValueError if the layout is not the one that `document_chunks` writes."""
    head: JsonObject = {}
    if next(lines, "").rstrip() != "{":
        raise ValueError("unexpected layout")
    for line in lines:
        if line.rstrip() == f"{json.dumps(name)}: [":
            return head, True
        member = _parsed("{" + line.rstrip().removesuffix(",") + "}")
        if not head.keys().isdisjoint(member):
            raise ValueError("a repeated key")
        head |= member
    raise ValueError("unexpected layout")


def _entry(line: str) -> tuple[JsonObject, str]:
    """Return an entry and its hashed form. A line in that form has no repeated key; others are checked."""
    entry: JsonObject = json.loads(line)
    form = canonical(entry)
    return (entry if form == line else _parsed(line)), form


def _parsed(text: str) -> JsonObject:
    parsed: JsonObject = json.loads(text, object_pairs_hook=_unique_keys)
    return parsed


def _unique_keys(pairs: list[tuple[str, Any]]) -> JsonObject:
    """Return an object. Raises ValueError if a key is repeated: programs differ in which value counts."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a repeated key")
    return found


class _Digest:
    """The SHA-256 of a document whose long list is added entry by entry."""

    def __init__(self, head: JsonObject, name: str) -> None:
        members = {key: f"{json.dumps(key)}:{canonical(value)}" for key, value in head.items()}
        self._hash = hashlib.sha256(b"{")
        for key in sorted(key for key in members if key < name):
            self._update(members[key] + ",")
        self._update(f"{json.dumps(name)}:[")
        self._after = "]" + "".join(f",{members[key]}" for key in sorted(members) if key > name) + "}"
        self._separator = ""

    def add(self, entry: str) -> None:
        self._update(self._separator + entry)
        self._separator = ","

    def end(self) -> str:
        complete = self._hash.copy()
        complete.update(self._after.encode("ascii"))
        return f"sha256:{complete.hexdigest()}"

    def _update(self, text: str) -> None:
        self._hash.update(text.encode("ascii"))
