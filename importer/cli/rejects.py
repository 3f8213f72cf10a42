"""What was loaded -> a file of the records of a mapped source that are wrong, for a person to put right."""

from __future__ import annotations

from pathlib import Path

from importer.formats.atomic import write_shared
from importer.model.errors import UsageError
from importer.sources import Loaded


def check_rejects_file(path: Path | None) -> None:
    """Raise UsageError where a file is there that is no list of rejects."""
    from importer.mapping.rejects import REASON  # noqa: PLC0415  it loads all formats

    if path is None or not path.exists():
        return
    if not (path.is_file() and REASON.encode() in path.read_bytes().lstrip().partition(b"\n")[0]):
        raise UsageError(f"{path} already exists and is not a file of rejects", hint="choose another file")


def rejects_table(loaded: Loaded) -> str:
    """Return the table of the rejects; without one a header alone.

    Raises UsageError where several sources have some: a table that is fed again by one mapping must not have
    what only another one can read.
    """
    from importer.mapping.blocks import RecordCounts  # noqa: PLC0415  as above

    refused = [path for path, counts in loaded.record_counts.items() if counts.rejects]
    if len(refused) > 1:
        raise UsageError(
            f"{', '.join(refused)} have rejected records, and one file cannot hold those of several sources",
            hint="run once for each source, with its path and a file of rejects of its own",
        )
    return (loaded.record_counts[refused[0]] if refused else RecordCounts()).rejected()


def write_rejects(loaded: Loaded, path: Path | None) -> None:
    """Write the rejects where somebody asked for them. Raises UsageError as `rejects_table` does."""
    if path is not None:
        write_shared(path, rejects_table(loaded))
