"""Problems collected while going on, so that a user sees all of them at once, grouped by cause."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from importer.model import Diagnostic, Location, Severity

SHOWN_LOCATIONS = 5


@dataclass(slots=True)
class Diagnostics:
    """A list that stages add to."""

    found: list[Diagnostic] = field(default_factory=list)

    def error(
        self, code: str, summary: str, at: Location | None = None, *, detail: str = "", hint: str = ""
    ) -> None:
        self._add(Severity.ERROR, code, summary, at, detail, hint)

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


def grouped(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Merge diagnostics of one cause (severity, code and summary), errors first, else in order of appearance.

    The group keeps the detail and hint of its first member, the number of all, and the first few locations.
    """
    groups: dict[tuple[Severity, str, str], Diagnostic] = {}
    for each in diagnostics:
        cause = (each.severity, each.code, each.summary)
        known = groups.get(cause)
        groups[cause] = (
            each
            if known is None
            else replace(
                known,
                count=known.count + each.count,
                locations=(known.locations + each.locations)[:SHOWN_LOCATIONS],
            )
        )
    return tuple(sorted(groups.values(), key=lambda each: each.severity is not Severity.ERROR))
