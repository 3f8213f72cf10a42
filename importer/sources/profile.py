"""A file or folder of an export -> one profile of its records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from importer.mapping.model import Format, Mapping
from importer.mapping.records import SourceProfile, no_records, profile_file
from importer.model.diagnostics import Diagnostics
from importer.model.errors import InvalidInput, UsageError
from importer.model.settings import MAPPED_SUFFIXES, MappedSource, Settings, SourceFile
from importer.sources.discovery import discover


def profile_source(path: Path, settings: Settings) -> tuple[SourceProfile, str | None]:
    """Return the combined profile of the files, and the JMESPath to their records if these are in the only
    list of an object.

    Raises UsageError if there are no files or several formats, InvalidInput if a file cannot be read or no
    file has records.
    """
    files = _files(path, settings)
    profiles = [profile_file(each.path, shown=each.shown) for each in files]
    records = _records(profiles[0])
    if records is not None:
        mapping = Mapping(shown=str(path), records=records)
        below = [profile_file(each.path, shown=each.shown, mapping=mapping) for each in files]
        if below[0].diagnostics.has_errors:  # the file is a list of one record, which contains a list
            records = None
        else:
            profiles = below
    found = [problem for each in profiles for problem in each.diagnostics.found]
    if any(each.diagnostics.has_errors for each in profiles):
        raise InvalidInput(tuple(found))
    if not any(each.records for each in profiles):
        raise InvalidInput(tuple(no_records(each.shown) for each in files))
    return _combined(profiles), records


def _files(path: Path, settings: Settings) -> list[SourceFile]:
    if path.is_file():
        return [SourceFile(path, str(path), named=True)]
    if not path.is_dir():
        raise UsageError(f"there is no file {path}", hint="`--from` takes a file or a folder of the export")
    source = MappedSource(str(path.absolute()), mapping="")
    found = discover(replace(settings, path=None, sources=(source,)), (), Diagnostics())
    formats = Counter(MAPPED_SUFFIXES[each.path.suffix.lower()] for each in found)
    if len(formats) != 1:
        counts = ", ".join(f"{count} {name}" for name, count in formats.items()) or "none"
        raise UsageError(
            f"{path} must contain files of one supported format, found {counts}",
            hint="choose one file, or move the files of one format into a separate folder",
        )
    return list(found)


def _records(profile: SourceProfile) -> str | None:
    """Return the path to the only list of objects of the only object."""
    lists = [
        name
        for name, seen in profile.distinct.items()
        if name.endswith("[]") and any(" objects with " in each for each in seen)
    ]
    return lists[0] if profile.records == 1 and len(lists) == 1 else None


def _combined(profiles: Sequence[SourceProfile]) -> SourceProfile:
    """Return several profiles as one. An encoding other than UTF-8 is kept: if a mapping names it, files in
    UTF-8 are still read."""
    distinct: dict[str, Counter[str]] = {}
    filled: Counter[str] = Counter()
    detected: dict[str, str] = {}
    for each in sorted(
        profiles, key=lambda each: not each.detected.get("encoding", "utf-8").startswith("utf-")
    ):
        detected |= each.detected
    for each in profiles:
        if each.format is Format.MARKDOWN:
            del each.distinct["file.name"]  # `file.stem` is equally distinctive
        filled.update(each.filled)
        for name, values in each.distinct.items():
            distinct.setdefault(name, Counter()).update(values)
    return replace(
        profiles[0],
        detected=detected,
        filled=dict(filled),
        distinct=distinct,
        records=sum(each.records for each in profiles),
    )
