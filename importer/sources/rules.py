"""Declared incidents -> what is wrong with them beyond their shape, without an account to compare with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import pairwise

from importer.model import (
    Attribute,
    Diagnostic,
    Field,
    Incident,
    Location,
    Membership,
    Reference,
    Severity,
    StatusPageIncident,
    TimelineItem,
)
from importer.model.identity import is_safe

LARGEST_NUMBER = 2**63 - 1
"""external_id is an int64 (API page: Incidents V2, Create)."""

_VISIBILITY = Attribute(Field.VISIBILITY)
_RESOLVED = "resolved"
_STARTED = "impact started"


def check_declared(incidents: Iterable[Incident], *, now: datetime) -> tuple[Diagnostic, ...]:
    """Return the problems of incidents that are not resolved yet: first those of pairs, then of each."""
    declared = tuple(incidents)
    found = [
        *_twice(declared, "duplicate-key", "two incidents have one key", lambda each: each.key),
        *_twice(
            declared,
            "duplicate-external-id",
            "two incidents have one external_id",
            lambda each: None if each.external_id is None else str(each.external_id),
        ),
        *_twice(
            declared,
            "duplicate-idempotency-key",
            "two incidents have one idempotency_key",
            lambda each: each.idempotency_key,
        ),
    ]
    for incident in declared:
        found += _identity(incident)
        found += _moments(incident, now)
        found += _members(incident)
        found += _timeline(incident)
        found += _status_page(incident, now)
    return tuple(found)


def _twice(
    incidents: tuple[Incident, ...], code: str, summary: str, word: Callable[[Incident], str | None]
) -> Iterator[Diagnostic]:
    """Yield an error for each incident that says what an earlier one said; it names both places."""
    first: dict[str, Incident] = {}
    for incident in incidents:
        said = word(incident)
        if said is None:
            continue
        earlier = first.setdefault(said, incident)
        if earlier is not incident:
            yield Diagnostic(
                Severity.ERROR,
                code,
                summary,
                detail=f"`{said}` at {earlier.location} and {incident.location}",
                hint="remove or rename one of them; which one is meant, nobody can tell",
                locations=(earlier.location, incident.location),
            )


def _identity(incident: Incident) -> Iterator[Diagnostic]:
    number, key = incident.external_id, incident.idempotency_key
    if number is not None and not 1 <= number <= LARGEST_NUMBER:
        yield _error(
            "bad-external-id", "an external_id is not a number from 1", incident.location, str(number)
        )
    if key is not None and not is_safe(key):
        summary = "an idempotency_key is not 1 to 64 characters of A-Z a-z 0-9 . _ : -"
        yield _error("bad-idempotency-key", summary, incident.location, f"`{key}`")


def _moments(incident: Incident, now: datetime) -> Iterator[Diagnostic]:
    """Yield warnings on timestamps. Order is judged by name: rank is the order of display, not of time."""
    moments = [
        (attribute.key, value)
        for attribute, value in incident.attributes.items()
        if isinstance(attribute.key, Reference) and isinstance(value, datetime)
    ]
    for key, moment in moments:
        if moment > now:
            yield _warning(
                "future-moment",
                f"`{key.name}` is in the future",
                key.location,
                f"{_shown(moment)}, incident `{incident.key}`",
            )
    started = [moment for key, moment in moments if _STARTED in key.name.casefold()]
    for key, moment in moments:
        if _RESOLVED in key.name.casefold() and started and moment < min(started):
            detail = f"{_shown(moment)} is before {_shown(min(started))}, incident `{incident.key}`"
            yield _warning(
                "resolved-before-started", f"`{key.name}` is before the impact started", key.location, detail
            )


def _members(incident: Incident) -> Iterator[Diagnostic]:
    members = [key for key, value in incident.attributes.items() if isinstance(value, Membership)]
    if members and incident.attributes.get(_VISIBILITY) != "private":
        yield Diagnostic(
            Severity.ERROR,
            "members-of-public",
            "a public incident has members",
            detail=f"incident `{incident.key}`",
            hint="remove `members`, or set `visibility: private`",
            locations=(_place(members[0], incident),),
        )


def _timeline(incident: Incident) -> Iterator[Diagnostic]:
    items = [value for value in incident.attributes.values() if isinstance(value, TimelineItem)]
    if any(later.at < earlier.at for earlier, later in pairwise(items)):
        summary = "a timeline is not in the order of time"
        yield _warning("timeline-order", summary, incident.location, f"incident `{incident.key}`")


def _status_page(incident: Incident, now: datetime) -> Iterator[Diagnostic]:
    """Yield what the API would refuse: updates go forward, lie in the past, and end with `resolved`
    (API page: Status Pages V2, Create retrospective incident)."""
    for value in incident.attributes.values():
        if not isinstance(value, StatusPageIncident) or not value.updates:
            continue
        where = f"incident `{incident.key}`"
        if any(later.at < earlier.at for earlier, later in pairwise(value.updates)):
            summary = "the updates of a status page are not in the order of time"
            yield _error("status-page-order", summary, incident.location, where)
        if value.updates[-1].status != _RESOLVED:
            summary = "the last update of a status page is not resolved"
            yield _error("status-page-unresolved", summary, incident.location, where)
        if any(update.at > now for update in value.updates):
            summary = "an update of a status page is in the future"
            yield _error("status-page-future", summary, incident.location, where)


def _place(attribute: Attribute, incident: Incident) -> Location:
    key = attribute.key
    return (key.location if isinstance(key, Reference) else None) or incident.location


def _shown(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _error(code: str, summary: str, at: Location, detail: str) -> Diagnostic:
    return Diagnostic(Severity.ERROR, code, summary, detail=detail, locations=(at,))


def _warning(code: str, summary: str, at: Location | None, detail: str) -> Diagnostic:
    return Diagnostic(Severity.WARNING, code, summary, detail=detail, locations=(at,) if at else ())
