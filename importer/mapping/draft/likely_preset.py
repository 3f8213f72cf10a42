"""The names in a source -> the presets of the tracker that it probably comes from, if any."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from importer.mapping.draft.inspection import COMMON
from importer.mapping.mapping_file import preset_names, read_preset
from importer.mapping.model import TABLES, Columns, Format, Items, Mapping, Rule, Template
from importer.model.diagnostics import Diagnostics

_PATH = re.compile(r"[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*", re.ASCII)
_QUOTED = re.compile(r"'[^']*'")
_SHARE = 0.6
"""The share of a preset's fields that a source must have to match."""


def likely(columns: Collection[str], source: Format) -> tuple[str, ...]:
    """Return the presets that read the most columns; empty if the columns are not distinctive.

    The source must have all required fields of a preset, and at least one name that no other tracker has.
    """
    loaded = {name: found for name in preset_names() if (found := read_preset(name, Diagnostics()))}
    known = _names_in(columns)
    ranked: list[tuple[int, str]] = []
    for name, preset in loaded.items():
        others = (each for other, each in loaded.items() if _family(other) != _family(name))
        common = COMMON.union(*(_names_read(rule) for each in others for rule in _rules(each)))
        rules = [rule for rule in _rules(preset) if not isinstance(rule.origin, Template)]
        hits = [rule for rule in rules if _names_read(rule) & known]
        is_complete = all(rule in hits or rule.optional for rule in rules)
        is_distinctive = any((_names_read(rule) & known) - common for rule in _rules(preset))
        can_read = preset.format in (None, source) or {preset.format, source} <= TABLES
        if can_read and is_complete and is_distinctive and len(hits) >= _SHARE * len(rules):
            ranked.append((len(hits), name))
    return tuple(name for hits, name in ranked if hits == max(ranked)[0])


def _family(name: str) -> str:
    """Return the tracker of a preset: `jira-rest` is Jira's too."""
    return name.partition("-")[0]


def _rules(preset: Mapping) -> list[Rule]:
    return [rule for rule in preset.fields.values() if not isinstance(rule, Items)]


def _names_read(rule: Rule) -> set[str]:
    """Return the names that a rule reads, and words that look like names: functions, statements."""
    names = set(rule.sources)
    if not isinstance(rule.origin, Columns):
        names |= {each for text in rule.sources for each in _PATH.findall(_QUOTED.sub("", text))}
    return names


def _names_in(columns: Iterable[str]) -> set[str]:
    """Return the names of columns and of their parents, without the `[]` of lists."""
    known: set[str] = set()
    for column in columns:
        steps = column.removesuffix("[]").split(".")
        known |= {column, *(".".join(steps[:count]) for count in range(1, len(steps) + 1))}
    return known
