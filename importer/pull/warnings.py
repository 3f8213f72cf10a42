"""What a pull leaves out -> one warning per reason, with the first incidents concerned."""

from __future__ import annotations

from dataclasses import dataclass, field

from importer.model import Diagnostic, LiveIncident, Severity
from importer.model.wording import numbered

_SHOWN = 5


@dataclass(slots=True)
class PullWarnings:
    """Counts incidents by reason: a code, a summary that fits all of them, and a hint."""

    _found: dict[tuple[str, str, str], dict[str, str]] = field(default_factory=dict)

    def warning(self, code: str, summary: str, live: LiveIncident, *, hint: str) -> None:
        """Count an incident once per reason."""
        self._found.setdefault((code, summary, hint), {})[live.id] = live.reference

    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Return a warning per reason, in order of first appearance."""
        return tuple(
            Diagnostic(
                Severity.WARNING, code, summary, _shown(list(concerned.values())), hint, count=len(concerned)
            )
            for (code, summary, hint), concerned in self._found.items()
        )


def _shown(references: list[str]) -> str:
    more = f" and {len(references) - _SHOWN} more" if len(references) > _SHOWN else ""
    return f"{numbered(len(references), 'incident')}: {', '.join(references[:_SHOWN])}{more}"
