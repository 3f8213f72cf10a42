"""Paths, folders and globs -> the files to read, each once, sorted by name."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from importer.formats.markdown_file import begins_with_front_matter
from importer.model import Location
from importer.model.diagnostics import Diagnostics
from importer.model.settings import (
    CONFIG_NAME,
    MAPPED_SUFFIXES,
    MappedSource,
    PlainSource,
    Settings,
    SourceFile,
)

MARKDOWN, WORKBOOK = ".md", ".xlsx"
SUFFIXES = frozenset({".yaml", ".yml", ".json", ".jsonl", ".csv", ".tsv", MARKDOWN, WORKBOOK})
_MARKDOWN_SUFFIXES = frozenset(name for name, kind in MAPPED_SUFFIXES.items() if kind == "markdown")
_LOCK = "~$"
"""The prefix of the lock file that Excel writes next to an open workbook."""
_WILDCARDS = frozenset("*?[")


def discover(settings: Settings, paths: Sequence[Path], diagnostics: Diagnostics) -> tuple[SourceFile, ...]:
    """Return the files below `paths`, or else of the sources in importer.yaml, or else of its folder.

    Hidden files and folders, importer.yaml and files with an unknown suffix are skipped.
    """
    if paths:
        groups = [_requested(path, settings, diagnostics) for path in paths]
    elif settings.sources:
        groups = [_source(source, settings, diagnostics) for source in settings.sources]
    else:
        groups = [_in_folder(settings.root, settings, diagnostics)]
    every = sorted(
        (found for group in groups for found in group),
        key=lambda each: (each.shown, each.mapped is None, not each.named),
    )
    found = tuple({found.path.resolve(): found for found in reversed(every)}.values())[::-1]
    return _with_source_options(found, settings)


def display_path(path: Path, root: Path) -> str:
    """Return a path relative to `root` if it is below it, otherwise unchanged."""
    absolute, base = (Path(os.path.normpath(each.absolute())) for each in (path, root))
    return (absolute.relative_to(base) if absolute.is_relative_to(base) else path).as_posix()


def _requested(path: Path, settings: Settings, diagnostics: Diagnostics) -> list[SourceFile]:
    """Return the files at a path of the command line. A file of a source with a mapping is read with that
    mapping."""
    mapped = [
        found
        for source in settings.sources
        if isinstance(source, MappedSource)
        for found in _mapped(source, settings, Diagnostics())
    ]
    requested = path.resolve()
    below = [found for found in mapped if found.path.resolve().is_relative_to(requested)]
    if below and path.is_file():
        return [replace(below[0], named=True)]
    return below + _at(path, settings, Diagnostics() if below else diagnostics)


def _at(path: Path, settings: Settings, diagnostics: Diagnostics) -> list[SourceFile]:
    if path.is_dir():
        return _in_folder(path, settings, diagnostics)
    name = display_path(path, settings.root)
    if not path.is_file():
        _report_missing(name, None, diagnostics)
        return []
    if path.suffix.lower() not in SUFFIXES:
        summary = f"files of type `{path.suffix}` cannot be read"
        diagnostics.error("not-supported", summary, Location(name, 1))
        return []
    return [SourceFile(path, name, named=True)]


def _with_source_options(found: Sequence[SourceFile], settings: Settings) -> tuple[SourceFile, ...]:
    """Return the files with the options of their sources in importer.yaml, however they were found. If a file
    belongs to several sources, the last one wins."""
    options = {
        each.path.resolve(): source
        for source in settings.sources
        if isinstance(source, PlainSource)
        for each in _matching(source.path, settings, Diagnostics())
    }
    return tuple(
        replace(each, timezone=source.timezone, policy=source.policy)
        if (source := options.get(each.path.resolve())) and each.mapped is None
        else each
        for each in found
    )


def _source(
    source: str | PlainSource | MappedSource, settings: Settings, diagnostics: Diagnostics
) -> list[SourceFile]:
    match source:
        case MappedSource():
            return _mapped(source, settings, diagnostics)
        case PlainSource(path=path, line=line):
            return _matching(path, settings, diagnostics, line)
        case _:
            return _matching(source, settings, diagnostics)


def _mapped(source: MappedSource, settings: Settings, diagnostics: Diagnostics) -> list[SourceFile]:
    """Return the files of a source with a mapping. In folders and globs, files of types that mappings cannot
    read are skipped."""
    path = settings.root / source.path
    place = config_place(settings, source.line)
    if _WILDCARDS.isdisjoint(source.path) and not path.is_dir():
        if path.is_file():
            return [SourceFile(path, display_path(path, settings.root), named=True, mapped=source)]
        _report_missing(source.path, place, diagnostics)
        return []
    every = _walk(path, diagnostics) if path.is_dir() else _matches(source.path, settings)
    found = [
        SourceFile(each, display_path(each, settings.root), named=False, mapped=source)
        for each in every
        if each.suffix.lower() in MAPPED_SUFFIXES and _may_declare(each)
    ]
    if not found:
        summary = f"the source `{source.path}` matches no file"
        _report_no_match(summary, MAPPED_SUFFIXES, place, diagnostics)
    return found


def _matching(pattern: str, settings: Settings, diagnostics: Diagnostics, line: int = 1) -> list[SourceFile]:
    if _WILDCARDS.isdisjoint(pattern):
        return _at(settings.root / pattern, settings, diagnostics)
    place = config_place(settings, line)
    try:
        found = _incident_files(_matches(pattern, settings), settings)
    except (ValueError, NotImplementedError) as error:
        diagnostics.error(
            "bad-value", f"the source `{pattern}` is not a valid glob", place, detail=str(error)
        )
        return []
    if not found:
        _report_no_match(f"the source `{pattern}` matches no file", SUFFIXES, place, diagnostics)
    return found


def _matches(pattern: str, settings: Settings) -> Iterator[Path]:
    """Yield what a glob matches. `**` at its end means every file below, which pathlib reads in two ways."""
    if pattern.rstrip("/").endswith("**"):
        pattern = pattern.rstrip("/") + "/*"
    anchor = Path(pattern).anchor
    base = Path(anchor) if anchor else settings.root
    for path in base.glob(pattern.removeprefix(anchor)):
        if not _is_hidden(path, pattern, base):
            yield path


def _is_hidden(path: Path, pattern: str, base: Path) -> bool:
    """Whether a part of the path is hidden and not named by the pattern."""
    named = Path(pattern).parts
    return any(part.startswith(".") and part not in named for part in path.relative_to(base).parts)


def _incident_files(paths: Iterable[Path], settings: Settings) -> list[SourceFile]:
    """Return the discovered files that are read as incident files."""
    mappings = (each.mapping for each in settings.sources if isinstance(each, MappedSource) and each.mapping)
    own = {each.resolve() for each in (settings.path, *(settings.root / each for each in mappings)) if each}
    return [
        SourceFile(path, display_path(path, settings.root), named=False)
        for path in paths
        if path.suffix.lower() in SUFFIXES and path.name != CONFIG_NAME
        if path.resolve() not in own and _may_declare(path)
    ]


def _may_declare(path: Path) -> bool:
    """Whether a file of a known type can hold incidents: not a lock file or Markdown without front matter."""
    if path.name.startswith(_LOCK) or not path.is_file():
        return False
    return path.suffix.lower() not in _MARKDOWN_SUFFIXES or begins_with_front_matter(path)


def _in_folder(folder: Path, settings: Settings, diagnostics: Diagnostics) -> list[SourceFile]:
    found = _incident_files(_walk(folder, diagnostics), settings)
    if not found:
        summary = f"the folder `{display_path(folder, settings.root)}` has no incident files"
        _report_no_match(summary, SUFFIXES, None, diagnostics)
    return found


def _walk(folder: Path, diagnostics: Diagnostics) -> Iterator[Path]:
    """Yield every file that is not hidden. Links are followed, but each folder is entered once."""

    def unreadable(error: OSError) -> None:
        summary = f"a folder cannot be read: {error.strerror}"
        diagnostics.error("unreadable", summary, Location(error.filename, 1))

    entered: set[Path] = set()
    for current, folders, names in os.walk(folder, followlinks=True, onerror=unreadable):
        here = Path(current)
        if here.resolve() in entered:
            folders.clear()
            continue
        entered.add(here.resolve())
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (here / name for name in names if not name.startswith("."))


def _report_missing(name: str, place: Location | None, diagnostics: Diagnostics) -> None:
    summary = f"there is no file or folder `{name}`"
    diagnostics.error("no-such-file", summary, place, hint="check the path")


def _report_no_match(
    summary: str, suffixes: Iterable[str], place: Location | None, diagnostics: Diagnostics
) -> None:
    hint = f"file names must end in {', '.join(sorted(suffixes))}; hidden files are skipped"
    diagnostics.error("no-match", summary, place, hint=hint)


def config_place(settings: Settings, line: int) -> Location | None:
    """Return the place of a line of importer.yaml; None without that file."""
    return Location(display_path(settings.path, settings.root), line) if settings.path else None
