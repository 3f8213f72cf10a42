"""Incidents, live or to be created -> how many of them began in each month, by severity.

The month is that of the earliest timestamp. The time of creation in the account would be useless: an import
creates years of history on one day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from importer.model import Attribute, Attributes, Entity, Field, MonthCount, earliest


def by_month(incidents: Iterable[Attributes]) -> tuple[MonthCount, ...]:
    """Count incidents by month and severity, sorted by both; those without a month come first."""
    count = Counter((month_of(each), _severity(each)) for each in incidents)
    return tuple(MonthCount(month, severity, count[month, severity]) for month, severity in sorted(count))


def month_of(attributes: Attributes) -> str:
    """Return the month of the earliest timestamp, like `2023-04`, or "" if there is none."""
    began = earliest(attributes)
    return began.isoformat()[:7] if began else ""


def _severity(attributes: Attributes) -> str:
    severity = attributes.get(Attribute(Field.SEVERITY))
    return severity.name or severity.id if isinstance(severity, Entity) else ""
