"""Problems collected from all stages, so that a user sees them all at once, grouped by cause."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice

from importer.model.incidents import Incident
from importer.model.values import Diagnostic, Location, Severity
from importer.model.wording import first_few

SHOWN_LOCATIONS = 5
"""How many locations of one cause are shown by default."""

_SHOWN_HINTS = 3


class Problem(Exception):
    """A mistake in the user's input, raised by code that may not know the location.

    `summary` is the cause, without the user's own text, which goes into `detail`. `line` is the line in the
    text that was read, from 1; `at` is the location, if known.
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
    """A list of problems that the stages add to."""

    found: list[Diagnostic] = field(default_factory=list)

    def error(
        self, code: str, summary: str, at: Location | None = None, *, detail: str = "", hint: str = ""
    ) -> None:
        self._add(Severity.ERROR, code, summary, at, detail, hint)

    def report(self, problem: Problem, at: Location | None = None) -> None:
        """Add a problem as an error, at its own location if it has one, otherwise at `at`."""
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
    """Merge diagnostics with the same cause (severity, code and summary): errors first, otherwise in order of
    appearance. Private and public ones are not merged.

    A group has the detail of its first member, the first different hints, the total count, and the first
    `places` locations, or all of them if `places` is None.
    """
    groups: dict[tuple[Severity, str, str, bool], list[Diagnostic]] = {}
    for each in diagnostics:
        groups.setdefault((each.severity, each.code, each.summary, each.is_private), []).append(each)
    merged = [_merged(members, places) for members in groups.values()]
    return tuple(sorted(merged, key=lambda each: each.severity is not Severity.ERROR))


def _merged(members: Sequence[Diagnostic], places: int | None) -> Diagnostic:
    located = chain.from_iterable(each.locations for each in members)
    count = sum(each.count for each in members)
    hints = list(dict.fromkeys(each.hint for each in members if each.hint))
    hint = first_few(hints, _SHOWN_HINTS, "; ")
    return replace(members[0], hint=hint, count=count, locations=tuple(islice(located, places)))


def cannot_be_cleared(incident: Incident, label: str) -> Diagnostic:
    """Return the warning that a declared null, "" or [] does not clear a value of an incident."""
    return Diagnostic(
        Severity.WARNING,
        "cannot-be-cleared",
        "values that cannot be cleared stay as they are",
        f"incident '{incident.key}': {label}",
        "leave them out of the file",
        (incident.location,),
    )
