"""Paths, folders and globs -> the files to read, each once, in the order of their names."""

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
"""What Excel puts before the name of a workbook that is open, for a small file beside it."""
_WILD = frozenset("*?[")


def discover(settings: Settings, paths: Sequence[Path], diagnostics: Diagnostics) -> tuple[SourceFile, ...]:
    """Return the files below `paths`, else those of the sources of importer.yaml, else those of its folder.

    Passed over are hidden files and folders, importer.yaml, and what has another suffix.
    """
    if paths:
        groups = [_given(path, settings, diagnostics) for path in paths]
    elif settings.sources:
        groups = [_source(source, settings, diagnostics) for source in settings.sources]
    else:
        groups = [_in_folder(settings.root, settings, diagnostics)]
    every = sorted(
        (found for group in groups for found in group),
        key=lambda each: (each.shown, each.mapped is None, not each.named),
    )
    found = tuple({found.path.resolve(): found for found in reversed(every)}.values())[::-1]
    return _with_words_of_sources(found, settings)


def display_path(path: Path, root: Path) -> str:
    """Return a path relative to `root` where it lies below that, else as it is."""
    absolute, base = (Path(os.path.normpath(each.absolute())) for each in (path, root))
    return (absolute.relative_to(base) if absolute.is_relative_to(base) else path).as_posix()


def _given(path: Path, settings: Settings, diagnostics: Diagnostics) -> list[SourceFile]:
    """Return the files at a path of the command line. What a source of importer.yaml reads by a mapping is
    read by that, however it was found."""
    mapped = [
        found
        for source in settings.sources
        if isinstance(source, MappedSource)
        for found in _mapped(source, settings, Diagnostics())
    ]
    asked = path.resolve()
    below = [found for found in mapped if found.path.resolve().is_relative_to(asked)]
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


def _with_words_of_sources(found: Sequence[SourceFile], settings: Settings) -> tuple[SourceFile, ...]:
    """Return the files with what importer.yaml says of them, however they were found; of several sources that
    have a file the last one counts."""
    words = {
        each.path.resolve(): source
        for source in settings.sources
        if isinstance(source, PlainSource)
        for each in _matching(source.path, settings, Diagnostics())
    }
    return tuple(
        replace(each, timezone=source.timezone, policy=source.policy)
        if (source := words.get(each.path.resolve())) and each.mapped is None
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
    """Return the files that a mapping reads. In a folder and among those of a glob, other kinds of files than
    those that mappings read are passed over."""
    path = settings.root / source.path
    place = config_place(settings, source.line)
    if _WILD.isdisjoint(source.path) and not path.is_dir():
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
    if _WILD.isdisjoint(pattern):
        return _at(settings.root / pattern, settings, diagnostics)
    place = config_place(settings, line)
    try:
        found = _files_of_incidents(_matches(pattern, settings), settings)
    except (ValueError, NotImplementedError) as error:
        diagnostics.error(
            "bad-value", f"the source `{pattern}` is not a valid glob", place, detail=str(error)
        )
        return []
    if not found:
        _report_no_match(f"the source `{pattern}` matches no file", SUFFIXES, place, diagnostics)
    return found


def _matches(pattern: str, settings: Settings) -> Iterator[Path]:
    anchor = Path(pattern).anchor
    base = Path(anchor) if anchor else settings.root
    for path in base.glob(pattern.removeprefix(anchor)):
        if not _is_hidden(path, pattern, base):
            yield path


def _is_hidden(path: Path, pattern: str, base: Path) -> bool:
    """Whether a part of the path is hidden that the pattern does not name."""
    asked = Path(pattern).parts
    return any(part.startswith(".") and part not in asked for part in path.relative_to(base).parts)


def _files_of_incidents(paths: Iterable[Path], settings: Settings) -> list[SourceFile]:
    """Return those of the files that nobody named which are read as files of incidents."""
    mappings = (each.mapping for each in settings.sources if isinstance(each, MappedSource) and each.mapping)
    own = (settings.root / CONFIG_NAME, settings.path, *(settings.root / each for each in mappings))
    return [
        SourceFile(path, display_path(path, settings.root), named=False)
        for path in paths
        if path.suffix.lower() in SUFFIXES and path not in own and _may_declare(path)
    ]


def _may_declare(path: Path) -> bool:
    """Whether a file of a known kind can hold incidents: no lock, no Markdown without front matter."""
    if path.name.startswith(_LOCK) or not path.is_file():
        return False
    return path.suffix.lower() not in _MARKDOWN_SUFFIXES or begins_with_front_matter(path)


def _in_folder(folder: Path, settings: Settings, diagnostics: Diagnostics) -> list[SourceFile]:
    found = _files_of_incidents(_walk(folder, diagnostics), settings)
    if not found:
        summary = f"the folder `{display_path(folder, settings.root)}` has no file of incidents"
        _report_no_match(summary, SUFFIXES, None, diagnostics)
    return found


def _walk(folder: Path, diagnostics: Diagnostics) -> Iterator[Path]:
    """Yield every file that is not hidden. Links are followed, but no folder is entered twice."""

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
    hint = f"files end in {', '.join(sorted(suffixes))}; hidden files are skipped"
    diagnostics.error("no-match", summary, place, hint=hint)


def config_place(settings: Settings, line: int) -> Location | None:
    """Return the place of a line of importer.yaml, if there is one."""
    return Location(display_path(settings.path, settings.root), line) if settings.path else None
