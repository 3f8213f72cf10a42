"""What importer.yaml says, as values: settings, sources, and the files that the sources have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from importer.model.errors import UsageError
from importer.model.policy import Policy

CONFIG_NAME = "importer.yaml"
DEFAULT_ON_UNRESOLVED = "default"
"""The key of `Settings.on_unresolved` for all kinds that it does not name."""
MAPPED_SUFFIXES = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".md": "markdown",
    ".markdown": "markdown",
}
"""What a mapping reads in a folder, and the format that it is."""
_RATE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(%|/ ?min)")


class OnUnresolved(StrEnum):
    """What becomes of a name that the account lacks: stop, leave the incident out, leave the value out."""

    ERROR = "error"
    SKIP = "skip"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Rate:
    """The importer's own ceiling: requests a minute, or a share (0 to 1) of what the server allows."""

    per_minute: float | None = None
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class PlainSource:
    """A file, folder or glob of incidents. `timezone` is that of their times without an offset, `policy` what
    counts for them instead of that of the settings, `line` where importer.yaml says so."""

    path: str
    timezone: str | None = None
    line: int = 1
    policy: Policy | None = None


@dataclass(frozen=True, slots=True)
class MappedSource:
    """A file, folder or glob that is read by a mapping: a file, or a preset by its name. `timezone` is that
    of its times without an offset, `encoding` that of a text that is not UTF-8; both go before those of the
    mapping. `line` is where importer.yaml says so, `policy` what counts instead of that of the settings."""

    path: str
    mapping: str | None = None
    preset: str | None = None
    timezone: str | None = None
    line: int = 1
    encoding: str | None = None
    policy: Policy | None = None


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to read. `shown` is its name in messages; `named` says that somebody asked for this one;
    `mapped` is the source that says by which mapping it is read; `timezone` and `policy` are those of a
    source without one."""

    path: Path
    shown: str
    named: bool
    mapped: MappedSource | None = None
    timezone: str | None = None
    policy: Policy | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """importer.yaml, or its defaults. `root` is its folder: all paths in it are relative to that."""

    root: Path
    path: Path | None = None
    sources: tuple[str | PlainSource | MappedSource, ...] = ()
    defaults: Mapping[str, str] = field(default_factory=dict)
    timezone: str | None = None
    namespace: str = "default"
    marker_field: str | None = None
    aliases: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    on_unresolved: Mapping[str, OnUnresolved] = field(default_factory=dict)
    create_missing: frozenset[str] = frozenset()
    policy: Policy = field(default_factory=Policy)
    max_creates: int | None = None
    max_updates: int | None = None
    rate: Rate = Rate()
    state: Path = Path(".importer/state.db")


def parse_rate(text: str) -> Rate:
    """Return a ceiling from `80%` or `600/min`. Raises UsageError for anything else, 0 and 101% included."""
    match = _RATE.fullmatch(text.strip())
    amount = float(match[1]) if match else 0.0
    if match is None or amount == 0 or (match[2] == "%" and amount > 100):
        raise UsageError(
            f"invalid rate `{text}`", hint="write a share from 1% to 100%, or requests a minute: 80%, 600/min"
        )
    return Rate(share=amount / 100) if match[2] == "%" else Rate(per_minute=amount)
