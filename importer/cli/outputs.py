"""Files that a command writes besides its output; checked before the work begins."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from importer.model.errors import UsageError

_OWN = (b'"format_version"', b"importer_report", b"<!-- importer plan -->")
"""One of these is in the first bytes of every output file."""


def check_outputs(*paths: Path | None) -> None:
    """Raise UsageError if a file is not writable, or exists and was not written by importer."""
    for path in paths:
        if path is None:
            continue
        if not path.exists():
            if not os.access(path.parent, os.W_OK):
                raise UsageError(
                    f"cannot write {path}: {path.parent} is not a writable folder",
                    hint="choose a file in a folder that exists",
                )
        elif not path.is_file() or not os.access(path, os.W_OK):
            raise UsageError(f"cannot write {path}: it is not a writable file", hint="choose another file")
        elif not _is_own(path):
            raise UsageError(
                f"{path} already exists, and importer did not write it",
                hint="choose another file, or remove this one first",
            )


@contextmanager
def open_lines(path: Path | None) -> Iterator[Callable[[str], None] | None]:
    """Yield a function that writes a line to a file that only its owner may read; None without a path."""
    if path is None:
        yield None
        return
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", buffering=1) as stream:
        yield lambda line: print(line.rstrip("\n"), file=stream)


def _is_own(path: Path) -> bool:
    with path.open("rb") as stream:
        beginning = stream.read(500)
    return not beginning or any(mark in beginning for mark in _OWN)
