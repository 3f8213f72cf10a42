"""Text -> a file, atomically: after a crash the file is either complete or unchanged."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from importer.model.errors import UsageError


def write_private(path: Path, pieces: Iterable[str]) -> None:
    """Write a text that only the owner can read. Raises UsageError if the file cannot be written."""
    with _usage_error(path, hint="choose a file in a writable folder"):
        _replace(path, pieces, mode=0o600)


def write_shared(path: Path, text: str) -> None:
    """Write a text with the permissions that the umask allows, and create its missing folders.

    Raises UsageError if the file or a folder cannot be written.
    """
    with _usage_error(path, hint="choose a writable folder"):
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, [text], mode=0o666 & ~_umask())


@contextmanager
def _usage_error(path: Path, *, hint: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}", hint=hint) from None


def _replace(path: Path, pieces: Iterable[str], *, mode: int) -> None:
    # mkstemp creates the file with mode 0600.
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            stream.writelines(pieces)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    """Return the umask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
