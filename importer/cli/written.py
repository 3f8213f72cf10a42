"""Text -> files for people to edit: signed, so that what somebody edited is never overwritten."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from importer.model.errors import UsageError

INCIDENT_SCHEMA = ".incident.schema.json"
"""Beside the files, for editors; hidden, so that it is not read as a file of incidents."""

_SIGNATURE = re.compile(
    r"# Written by importer (.*), ([0-9a-f]{64})\. Once edited it is never overwritten\.\n"
)


def signed(text: str, by: str) -> str:
    """Return a text with a second line that tells who wrote it, and the hash of all other lines."""
    first, _, rest = text.partition("\n")
    told = f"# Written by importer {plain(by)}, {_hash(text)}. Once edited it is never overwritten."
    return f"{first}\n{told}\n{rest}"


def plain(by: str) -> str:
    """Return a text as a signature has it."""
    return re.sub(r"[^\w .()/+-]", "_", by)


def is_own(path: Path) -> bool:
    """Whether a file is as importer wrote it."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    first, _, rest = text.partition("\n")
    match = _SIGNATURE.match(rest)
    return match is not None and match[2] == _hash(f"{first}\n{rest[match.end() :]}")


def author(path: Path) -> str:
    """Return by what importer wrote a file, such as `init --from export.csv`; nothing where it did not."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n", 2)
    except (OSError, UnicodeDecodeError):
        return ""
    match = _SIGNATURE.match(f"{lines[1]}\n") if len(lines) > 1 else None
    return match[1] if match else ""


def check(paths: Iterable[Path], *, force: bool) -> None:
    """Raise UsageError where a file is there that importer did not write as it is now."""
    foreign = [
        str(path) for path in paths if path.exists() and not (path.is_file() and (force or is_own(path)))
    ]
    if foreign:
        raise UsageError(
            f"{', '.join(foreign)} is there already, and not as importer wrote it",
            hint="move your edits away, or name another folder; convert and pull overwrite with --force",
        )


def write(pages: Mapping[Path, str]) -> None:
    """Write files and the folders that they are in, each whole or not at all.

    Raises UsageError where one cannot be written.
    """
    for path, text in pages.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _replace(path, text)
        except OSError as error:
            raise UsageError(
                f"cannot write {path}: {error.strerror}", hint="name a folder that you may write to"
            ) from None


def write_schema(folder: Path, name: str = "incident") -> None:
    """Write the schema that the files of a folder name in their first lines. One that somebody narrowed to an
    account stays."""
    from importer.formats import schemas  # noqa: PLC0415  it reads files

    path = folder / f".{name}.schema.json"
    if not _is_narrowed(path):
        text = json.dumps(schemas.read(name), indent=2, ensure_ascii=False)
        write({path: f"{text}\n"})


def _is_narrowed(path: Path) -> bool:
    from importer.account.editor_schema import NARROWED  # noqa: PLC0415  most commands write nothing

    try:
        return NARROWED in path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False


def _replace(path: Path, text: str) -> None:
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o666 & ~_mask())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _mask() -> int:
    """Return the mask for the modes of new files, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
