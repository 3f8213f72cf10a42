"""The counts of runs, which can be added up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Figures:
    """The counts of one run or a campaign. `lost` counts declared incidents that the account lacks at the end,
    `duplicates` those that it has more than once, `scenarios` the runs in which each option was drawn."""

    counts: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    exits: Counter[str] = field(default_factory=Counter)
    scenarios: Counter[str] = field(default_factory=Counter)

    def add(self, other: Figures) -> None:
        """Add the counts of another run."""
        self.counts += other.counts
        self.faults += other.faults
        self.exits += other.exits
        self.scenarios += other.scenarios

    def wire(self) -> dict[str, Any]:
        """Return the figures as JSON."""
        words: Iterable[str] = _WORDS
        return {
            **{word: self.counts[word] for word in words},
            "faults": dict(sorted(self.faults.items())),
            "exit_codes": dict(sorted(self.exits.items())),
            "scenarios": dict(sorted(self.scenarios.items())),
        }


_WORDS = (
    "runs",
    "processes",
    "kills",
    "kills before a change began",
    "creations not answered",
    "interrupts",
    "states lost",
    "states swapped",
    "dashboard edits",
    "adopted by hand",
    "left for a person",
    "attempts with refused routes",
    "attempts with refused edits",
    "fields refused",
    "incidents",
    "children",
    "children of people",
    "namesakes",
    "foreign",
    "duplicates",
    "lost",
    "foreign touched",
    "announcements",
)


def lines(figures: Mapping[str, Any], seconds: float) -> str:
    """Return the figures as text, one per line."""
    plain = [f"{word:30}{value:>8}" for word, value in figures.items() if not isinstance(value, dict)]
    nested = [
        f"{word + ': ' + str(name):30}{value:>8}"
        for word, values in figures.items()
        if isinstance(values, dict)
        for name, value in values.items()
    ]
    return "\n".join([*plain, *nested, f"{'seconds':30}{seconds:>8.0f}"])


def rate_of_duplicates(figures: Figures) -> str:
    """Return how many incidents there are twice, for each incident and for each creation that was in doubt."""
    duplicates, incidents = figures.counts["duplicates"], figures.counts["incidents"]
    doubtful = figures.counts["creations not answered"] + figures.counts["kills"]
    return (
        f"{duplicates} duplicates: {duplicates / max(incidents, 1):.2%} of {incidents} incidents,"
        f" {duplicates / max(doubtful, 1):.2f} for each kill or lost answer ({doubtful})"
    )
