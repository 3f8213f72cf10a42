"""Text -> a file that its owner alone may read: after a crash there is the whole of it, or what was there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from importer.model.errors import UsageError


def write(path: Path, pieces: Iterable[str]) -> None:
    """Write the pieces of a text in ASCII, mode 0600. Raises UsageError where the file cannot be written."""
    try:
        # A temporary file of this kind has mode 0600 from the start.
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="ascii", newline="\n") as stream:
                stream.writelines(pieces)
                stream.flush()
                os.fsync(stream.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(
            f"cannot write {path}: {error.strerror}", hint="name a file in a folder that you may write to"
        ) from None
