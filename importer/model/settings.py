"""The contents of importer.yaml as values: settings, sources, and the files of the sources."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from importer.model.errors import UsageError
from importer.model.identity import DEFAULT_NAMESPACE
from importer.model.policy import Policy

CONFIG_NAME = "importer.yaml"
DEFAULT_ON_UNRESOLVED = "default"
"""The key in `Settings.on_unresolved` for all kinds without a key of their own."""
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
"""The file types that a mapping reads in a folder, and their formats."""
_RATE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(%|/ ?min)")


class OnUnresolved(StrEnum):
    """What to do about a name that the account lacks: stop, or leave out the incident or the value."""

    ERROR = "error"
    SKIP = "skip"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Rate:
    """The importer's own rate limit: requests per minute, or a share (0 to 1) of the server's limit."""

    per_minute: float | None = None
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class PlainSource:
    """A file, folder or glob of incidents. `timezone` applies to times without an offset, `policy` replaces
    the policy of the settings, `line` is the line in importer.yaml."""

    path: str
    timezone: str | None = None
    line: int = 1
    policy: Policy | None = None


@dataclass(frozen=True, slots=True)
class MappedSource:
    """A file, folder or glob that is read with a mapping file or a named preset. `timezone` (for times
    without an offset) and `encoding` (for text that is not UTF-8) override those of the mapping. `policy`
    replaces the policy of the settings, `line` is the line in importer.yaml."""

    path: str
    mapping: str | None = None
    preset: str | None = None
    timezone: str | None = None
    line: int = 1
    encoding: str | None = None
    policy: Policy | None = None


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to read. `shown` is its name in messages; `named` means that it was asked for by name; `mapped`
    is its source if that has a mapping; `timezone` and `policy` come from a source without one."""

    path: Path
    shown: str
    named: bool
    mapped: MappedSource | None = None
    timezone: str | None = None
    policy: Policy | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """importer.yaml, or its defaults. `root` is its folder; the paths in it are relative to that."""

    root: Path
    path: Path | None = None
    sources: tuple[str | PlainSource | MappedSource, ...] = ()
    defaults: Mapping[str, str] = field(default_factory=dict)
    timezone: str | None = None
    namespace: str = DEFAULT_NAMESPACE
    marker_field: str | None = None
    adopt_matching: bool = False
    aliases: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    on_unresolved: Mapping[str, OnUnresolved] = field(default_factory=dict)
    create_missing: frozenset[str] = frozenset()
    policy: Policy = field(default_factory=Policy)
    max_creates: int | None = None
    max_updates: int | None = None
    rate: Rate = Rate()
    state: Path = Path(".importer/state.db")

    @property
    def policies(self) -> tuple[Policy, ...]:
        """Return the policy of all incidents, and those that sources have of their own."""
        own = [None if isinstance(each, str) else each.policy for each in self.sources]
        return (self.policy, *(each for each in own if each is not None))


def parse_rate(text: str) -> Rate:
    """Return the rate of `80%` or `600/min`. Raises UsageError for anything else, including 0 and 101%."""
    match = _RATE.fullmatch(text.strip())
    amount = float(match[1]) if match else 0.0
    if match is None or amount == 0 or (match[2] == "%" and amount > 100):
        raise UsageError(
            f"invalid rate `{text}`", hint="use a share up to 100%, or requests per minute: 80%, 600/min"
        )
    return Rate(share=amount / 100) if match[2] == "%" else Rate(per_minute=amount)
