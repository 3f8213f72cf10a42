"""All live incidents -> the ones to pull, oldest first; open incidents are counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from importer.account.catalogue import Found, Index
from importer.model import Attribute, Catalogue, Entity, Field, Kind, LiveIncident, Reference, earliest
from importer.model.errors import UsageError
from importer.pull.warnings import PullWarnings

MODES = ("standard", "retrospective")
"""The modes to pull. Test and tutorial incidents are not among them: the API's list omits them, so a plan
could not find them either."""

CATEGORIES = ("closed", "learning", "declined", "canceled", "merged")
"""The status categories that an imported incident may have; the others are live."""

_STATUS = Attribute(Field.STATUS)
_SEVERITY = Attribute(Field.SEVERITY)


@dataclass(frozen=True, slots=True)
class Filters:
    """What to pull: incidents that began at `since` or later and have one of these modes, status categories
    and severities. An empty `severities` means any."""

    since: datetime | None = None
    modes: frozenset[str] = frozenset(MODES)
    categories: frozenset[str] = frozenset(CATEGORIES)
    severities: tuple[str, ...] = ()


def began(live: LiveIncident) -> datetime:
    """Return the earliest timestamp of an incident, or its creation time if it has none."""
    return earliest(live.attributes) or live.created_at


def chosen(
    incidents: Iterable[LiveIncident], filters: Filters, catalogue: Catalogue, warnings: PullWarnings
) -> tuple[LiveIncident, ...]:
    """Return the incidents to pull, oldest first. Raises UsageError for an unknown severity."""
    severities = frozenset(_severity(name, catalogue) for name in filters.severities)
    categories = {each.entity: each.category for each in catalogue.statuses}
    kept = []
    for live in incidents:
        if not _fits(live, filters) or (severities and live.attributes.get(_SEVERITY) not in severities):
            continue
        status = live.attributes.get(_STATUS)
        category = categories.get(status, "") if isinstance(status, Entity) else ""
        if category in filters.categories:
            kept.append(live)
        elif category not in CATEGORIES:
            warnings.warning(
                "live-not-pulled",
                "incidents in a live status are not pulled, since an imported incident cannot be in one",
                live,
                hint="pull again when they are closed",
            )
    return tuple(sorted(kept, key=lambda live: (began(live), live.id)))


def _severity(name: str, catalogue: Catalogue) -> Entity:
    answer = Index(catalogue).find(Reference(Kind.SEVERITY, name))
    if isinstance(answer, Found):
        return answer.entity
    known = ", ".join(each.name for each in catalogue.severities)
    raise UsageError(f"the account does not have exactly one severity '{name}'", hint=f"it has {known}")


def _fits(live: LiveIncident, filters: Filters) -> bool:
    return live.mode in filters.modes and (filters.since is None or began(live) >= filters.since)
