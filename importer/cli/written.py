"""Text -> files for people to edit, signed so that an edited file is never overwritten."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from importer.account.editor_schema import NARROWED
from importer.formats import schemas
from importer.formats.atomic import write_shared
from importer.model.errors import UsageError

T = TypeVar("T")

INCIDENT_SCHEMA = ".incident.schema.json"
"""Next to the files, for editors; hidden, so that it is not read as a file of incidents."""

_SIGNATURE = re.compile(
    r"# Written by importer (.*), ([0-9a-f]{64})\. Once edited it is never overwritten\.\n"
)


def signed(text: str, by: str) -> str:
    """Return a text with a second line that has the command that wrote it and the hash of all other lines."""
    first, _, rest = text.partition("\n")
    signature = (
        f"# Written by importer {signature_name(by)}, {_hash(text)}. Once edited it is never overwritten."
    )
    return f"{first}\n{signature}\n{rest}"


def signature_name(by: str) -> str:
    """Return a text as it appears in a signature."""
    return re.sub(r"[^\w .()/+-]", "_", by)


def is_own(path: Path) -> bool:
    """Return whether a file is unchanged since importer wrote it."""
    first, _, rest = _text(path).partition("\n")
    match = _SIGNATURE.match(rest)
    return match is not None and match[2] == _hash(f"{first}\n{rest[match.end() :]}")


def author(path: Path) -> str:
    """Return the command that wrote a file, such as `init --from export.csv`; empty if importer did not."""
    lines = _text(path).split("\n", 2)
    match = _SIGNATURE.match(f"{lines[1]}\n") if len(lines) > 1 else None
    return match[1] if match else ""


def check_unedited(paths: Iterable[Path], *, force: bool) -> None:
    """Raise UsageError if a file exists that was edited, or that importer did not write."""
    foreign = [
        str(path) for path in paths if path.exists() and not (path.is_file() and (force or is_own(path)))
    ]
    if foreign:
        raise UsageError(
            f"will not overwrite {', '.join(foreign)}: edited, or not written by importer",
            hint="move your edits, or choose another folder; convert and pull overwrite with --force",
        )


def group_by_file(items: Iterable[T], name: Callable[[T], str]) -> dict[str, list[T]]:
    """Group items by the name of their file, without its suffix."""
    files: dict[str, list[T]] = {}
    for each in items:
        files.setdefault(name(each), []).append(each)
    return dict(sorted(files.items()))


def written_before(found: Iterable[Path], now: Iterable[Path]) -> str:
    """Return the files that importer wrote in an earlier run, of those found."""
    return ", ".join(str(each) for each in sorted(set(found) - set(now)) if is_own(each))


def write_schema(folder: Path, name: str = "incident") -> None:
    """Write the schema that the files of a folder name in their first lines, unless it was narrowed to an
    account."""
    path = folder / f".{name}.schema.json"
    if NARROWED not in _text(path):
        text = json.dumps(schemas.read(name), indent=2, ensure_ascii=False)
        write_shared(path, f"{text}\n")


def _text(path: Path) -> str:
    """Return the text of a file, or nothing if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
