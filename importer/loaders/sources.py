"""Paths, folders and globs -> the files to read, each once, in the order of their names."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from importer.config import CONFIG_NAME, Settings
from importer.diagnostics import Diagnostics
from importer.model import Location

SUFFIXES = frozenset({".yaml", ".yml", ".json", ".jsonl", ".csv", ".tsv"})
_FRONT_MATTER = b"---"
_WILD = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Found:
    """A file to read. `shown` is its name in messages; `named` says that somebody asked for this one."""

    path: Path
    shown: str
    named: bool


def find(settings: Settings, paths: Sequence[Path], diagnostics: Diagnostics) -> tuple[Found, ...]:
    """Return the files below `paths`, else those of the sources of importer.yaml, else those of its folder.

    Passed over are hidden files and folders, importer.yaml, and what has another suffix.
    """
    if paths:
        groups = [_at(path, settings, diagnostics) for path in paths]
    elif settings.sources:
        groups = [_source(pattern, settings, diagnostics) for pattern in settings.sources]
    else:
        groups = [_in_folder(settings.root, settings, diagnostics)]
    every = sorted(
        (found for group in groups for found in group), key=lambda each: (each.shown, not each.named)
    )
    return tuple({_identity(found.path): found for found in reversed(every)}.values())[::-1]


def shown(path: Path, root: Path) -> str:
    """Return a path relative to `root` where it lies below that, else as it is."""
    absolute, base = (Path(os.path.normpath(each.absolute())) for each in (path, root))
    return (absolute.relative_to(base) if absolute.is_relative_to(base) else path).as_posix()


def _identity(path: Path) -> Path:
    return path.resolve()


def _at(path: Path, settings: Settings, diagnostics: Diagnostics) -> list[Found]:
    if path.is_dir():
        return _in_folder(path, settings, diagnostics)
    name = shown(path, settings.root)
    if not path.is_file():
        diagnostics.error("no-such-file", f"there is no file or folder `{name}`", hint="check the path")
        return []
    if path.suffix.lower() not in SUFFIXES:
        diagnostics.error(
            "not-supported", f"files of the kind `{path.suffix}` cannot be read", Location(name, 1)
        )
        return []
    return [Found(path, name, named=True)]


def _source(pattern: str, settings: Settings, diagnostics: Diagnostics) -> list[Found]:
    if _WILD.isdisjoint(pattern):
        return _at(settings.root / pattern, settings, diagnostics)
    try:
        found = [Found(path, shown(path, settings.root), named=False) for path in _matches(pattern, settings)]
    except (ValueError, NotImplementedError) as error:
        diagnostics.error(
            "bad-value", f"the source `{pattern}` is no glob", _config(settings), detail=str(error)
        )
        return []
    if not found:
        diagnostics.error(
            "no-match",
            f"the source `{pattern}` matches no file",
            _config(settings),
            hint=f"files end in {', '.join(sorted(SUFFIXES))}; hidden ones are passed over",
        )
    return found


def _matches(pattern: str, settings: Settings) -> Iterator[Path]:
    anchor = Path(pattern).anchor
    base = Path(anchor) if anchor else settings.root
    for path in base.glob(pattern.removeprefix(anchor)):
        if _is_source(path, settings) and not _is_hidden(path, pattern, base):
            yield path


def _is_hidden(path: Path, pattern: str, base: Path) -> bool:
    """Whether a part of the path is hidden that the pattern does not name."""
    asked = Path(pattern).parts
    return any(part.startswith(".") and part not in asked for part in path.relative_to(base).parts)


def _is_source(path: Path, settings: Settings) -> bool:
    """Whether a file can hold incidents, by its name."""
    own = (settings.root / CONFIG_NAME, settings.path)
    return path.suffix.lower() in SUFFIXES and path not in own and path.is_file()


def _in_folder(folder: Path, settings: Settings, diagnostics: Diagnostics) -> list[Found]:
    found: list[Found] = []
    for path in _walk(folder, diagnostics):
        name = shown(path, settings.root)
        if _is_source(path, settings):
            found.append(Found(path, name, named=False))
        elif path.suffix.lower() == ".md" and _has_front_matter(path):
            diagnostics.warning(
                "not-supported", "Markdown files are not read as incidents", Location(name, 1)
            )
    if not found:
        diagnostics.error(
            "no-match",
            f"the folder `{shown(folder, settings.root)}` has no file of incidents",
            hint=f"files end in {', '.join(sorted(SUFFIXES))}; hidden ones are passed over",
        )
    return found


def _walk(folder: Path, diagnostics: Diagnostics) -> Iterator[Path]:
    """Yield every file that is not hidden. Links are followed, but no folder is entered twice."""

    def unreadable(error: OSError) -> None:
        diagnostics.error(
            "unreadable", f"a folder cannot be read: {error.strerror}", Location(error.filename, 1)
        )

    entered: set[Path] = set()
    for current, folders, names in os.walk(folder, followlinks=True, onerror=unreadable):
        here = Path(current)
        if here.resolve() in entered:
            folders.clear()
            continue
        entered.add(here.resolve())
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (here / name for name in names if not name.startswith("."))


def _has_front_matter(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_FRONT_MATTER)) == _FRONT_MATTER


def _config(settings: Settings) -> Location | None:
    return Location(shown(settings.path, settings.root), 1) if settings.path else None
