"""Text -> a file: after a crash there is the whole of it, or what was there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from importer.model.errors import UsageError


def write_private(path: Path, pieces: Iterable[str]) -> None:
    """Write the pieces of a text for the owner alone. Raises UsageError where the file cannot be written."""
    with _usage_error(path, hint="choose a file in a writable folder"):
        _replace(path, pieces, mode=0o600)


def write_shared(path: Path, text: str) -> None:
    """Write a text, and the folders that it is in, for all whom the umask lets read it.

    Raises UsageError where one cannot be written.
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
    # A temporary file of this kind has mode 0600 from the start.
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
    """Return the mask for the modes of new files, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
