"""Problems collected along the way, so that a user sees all of them at once, grouped by cause."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice

from importer.model.values import Diagnostic, Location, Severity

SHOWN_LOCATIONS = 5
"""Places of one cause that are shown where nobody asked for all."""


class Problem(Exception):
    """A mistake in what a user wrote, raised by code that may not know where it stands.

    `summary` is the cause, without the user's own words; `detail` has these. `line` counts in the text that
    was read, from 1; `at` is the place where it is known.
    """

    def __init__(
        self,
        code: str,
        summary: str,
        line: int = 1,
        *,
        detail: str = "",
        hint: str = "",
        at: Location | None = None,
    ) -> None:
        super().__init__(summary)
        self.code = code
        self.summary = summary
        self.line = line
        self.detail = detail
        self.hint = hint
        self.at = at


@dataclass(slots=True)
class Diagnostics:
    """A list that stages add to."""

    found: list[Diagnostic] = field(default_factory=list)

    def error(
        self, code: str, summary: str, at: Location | None = None, *, detail: str = "", hint: str = ""
    ) -> None:
        self._add(Severity.ERROR, code, summary, at, detail, hint)

    def report(self, problem: Problem, at: Location | None = None) -> None:
        """Add a problem as an error at its own place, else at the place given."""
        self.error(problem.code, problem.summary, problem.at or at, detail=problem.detail, hint=problem.hint)

    def warning(
        self, code: str, summary: str, at: Location | None = None, *, detail: str = "", hint: str = ""
    ) -> None:
        self._add(Severity.WARNING, code, summary, at, detail, hint)

    def _add(
        self, severity: Severity, code: str, summary: str, at: Location | None, detail: str, hint: str
    ) -> None:
        locations = (at,) if at else ()
        self.found.append(Diagnostic(severity, code, summary, detail, hint, locations))

    @property
    def has_errors(self) -> bool:
        return any(each.severity is Severity.ERROR for each in self.found)


def grouped(
    diagnostics: Iterable[Diagnostic], places: int | None = SHOWN_LOCATIONS
) -> tuple[Diagnostic, ...]:
    """Merge diagnostics of one cause (severity, code and summary), errors first, else in order of appearance;
    what is private stays apart from what is not.

    The group keeps the detail and hint of its first member, the number of all, and the first so many `places`
    of them; all of them for None.
    """
    groups: dict[tuple[Severity, str, str, bool], list[Diagnostic]] = {}
    for each in diagnostics:
        groups.setdefault((each.severity, each.code, each.summary, each.is_private), []).append(each)
    merged = [_merged(members, places) for members in groups.values()]
    return tuple(sorted(merged, key=lambda each: each.severity is not Severity.ERROR))


def _merged(members: Sequence[Diagnostic], places: int | None) -> Diagnostic:
    located = chain.from_iterable(each.locations for each in members)
    count = sum(each.count for each in members)
    return replace(members[0], count=count, locations=tuple(islice(located, places)))
