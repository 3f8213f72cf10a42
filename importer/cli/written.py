"""Text -> files for people to edit: signed, so that what somebody edited is never overwritten."""

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
"""Beside the files, for editors; hidden, so that it is not read as a file of incidents."""

_SIGNATURE = re.compile(
    r"# Written by importer (.*), ([0-9a-f]{64})\. Once edited it is never overwritten\.\n"
)


def signed(text: str, by: str) -> str:
    """Return a text with a second line that names what wrote it, and the hash of all other lines."""
    first, _, rest = text.partition("\n")
    signature = (
        f"# Written by importer {signature_name(by)}, {_hash(text)}. Once edited it is never overwritten."
    )
    return f"{first}\n{signature}\n{rest}"


def signature_name(by: str) -> str:
    """Return a text as a signature has it."""
    return re.sub(r"[^\w .()/+-]", "_", by)


def is_own(path: Path) -> bool:
    """Whether a file is as importer wrote it."""
    first, _, rest = _text(path).partition("\n")
    match = _SIGNATURE.match(rest)
    return match is not None and match[2] == _hash(f"{first}\n{rest[match.end() :]}")


def author(path: Path) -> str:
    """Return by what importer wrote a file, such as `init --from export.csv`; nothing where it did not."""
    lines = _text(path).split("\n", 2)
    match = _SIGNATURE.match(f"{lines[1]}\n") if len(lines) > 1 else None
    return match[1] if match else ""


def check_unedited(paths: Iterable[Path], *, force: bool) -> None:
    """Raise UsageError where a file is there that importer did not write as it is now."""
    foreign = [
        str(path) for path in paths if path.exists() and not (path.is_file() and (force or is_own(path)))
    ]
    if foreign:
        raise UsageError(
            f"{', '.join(foreign)} already exists, and importer did not write it or it was edited since",
            hint="move your edits away, or choose another folder; convert and pull overwrite with --force",
        )


def group_by_file(items: Iterable[T], name: Callable[[T], str]) -> dict[str, list[T]]:
    """Return the items of each file, by its name without the suffix."""
    files: dict[str, list[T]] = {}
    for each in items:
        files.setdefault(name(each), []).append(each)
    return dict(sorted(files.items()))


def written_before(found: Iterable[Path], now: Iterable[Path]) -> str:
    """Return which of the files that were found importer wrote, other than now."""
    return ", ".join(str(each) for each in sorted(set(found) - set(now)) if is_own(each))


def write_schema(folder: Path, name: str = "incident") -> None:
    """Write the schema that the files of a folder name in their first lines. One that somebody narrowed to an
    account stays."""
    path = folder / f".{name}.schema.json"
    if NARROWED not in _text(path):
        text = json.dumps(schemas.read(name), indent=2, ensure_ascii=False)
        write_shared(path, f"{text}\n")


def _text(path: Path) -> str:
    """Return what is in a file; nothing where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
