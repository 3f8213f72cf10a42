"""Loaded files -> a file of the rejected records of a mapped source, for a person to correct."""

from __future__ import annotations

from pathlib import Path

from importer.formats.atomic import write_shared
from importer.model.errors import UsageError
from importer.sources import Loaded


def check_rejects_file(path: Path | None) -> None:
    """Raise UsageError if the file exists and is not a file of rejects."""
    from importer.mapping.rejects import REASON  # noqa: PLC0415 - it imports every format

    if path is None or not path.exists():
        return
    if not (path.is_file() and REASON.encode() in path.read_bytes().lstrip().partition(b"\n")[0]):
        raise UsageError(f"{path} already exists and is not a file of rejects", hint="choose another file")


def rejects_table(loaded: Loaded) -> str:
    """Return the table of the rejects, or only its header if there are none.

    Raises UsageError if several sources have rejects: the table is read again with one mapping.
    """
    from importer.mapping.blocks import RecordCounts  # noqa: PLC0415 - as above

    rejected = [path for path, counts in loaded.record_counts.items() if counts.rejects]
    if len(rejected) > 1:
        raise UsageError(
            f"{', '.join(rejected)} have rejected records, and one file cannot hold those of several sources",
            hint="run once for each source, with its path and a file of rejects of its own",
        )
    return (loaded.record_counts[rejected[0]] if rejected else RecordCounts()).rejected()


def write_rejects(loaded: Loaded, path: Path | None) -> None:
    """Write the rejects, if a path is given. Raises UsageError as `rejects_table` does."""
    if path is not None:
        write_shared(path, rejects_table(loaded))
