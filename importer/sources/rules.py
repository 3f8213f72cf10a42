"""Declared incidents -> the mistakes that a schema cannot find, without an account to compare with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from difflib import get_close_matches
from itertools import pairwise

from importer.model import (
    WRITE_ONLY_FIELDS,
    Attribute,
    Diagnostic,
    Field,
    Ignored,
    Incident,
    Location,
    Membership,
    Reference,
    Severity,
    StatusPageIncident,
    TimelineItem,
)
from importer.model.diagnostics import Diagnostics, cannot_be_cleared
from importer.model.identity import is_safe
from importer.model.policy import with_folded_title

LARGEST_NUMBER = 2**63 - 1
"""external_id is an int64 (API page: Incidents V2, Create)."""

_VISIBILITY = Attribute(Field.VISIBILITY)
_RESOLVED = "resolved"
_LONGEST_PAGE_NAME = 200
_STARTED = "impact started"


def check_declared(incidents: Iterable[Incident], *, now: datetime) -> tuple[Diagnostic, ...]:
    """Return the problems of incidents before resolving: first of pairs, then of each incident."""
    declared = tuple(incidents)
    problems = Diagnostics()
    problems.found += [
        *_duplicates(declared, "duplicate-key", "two incidents have the same key", lambda each: each.key),
        *_duplicates(
            declared,
            "duplicate-external-id",
            "two incidents have the same external_id",
            lambda each: None if each.external_id is None else str(each.external_id),
        ),
        *_duplicates(
            declared,
            "duplicate-idempotency-key",
            "two incidents have the same idempotency_key",
            lambda each: each.idempotency_key,
        ),
    ]
    for incident in declared:
        _check_identity(incident, problems)
        _check_moments(incident, problems, now)
        _check_members(incident, problems)
        _check_timeline(incident, problems)
        _check_status_page(incident, problems, now)
        _check_cleared(incident, problems)
    _check_ignored_titles(declared, problems)
    return tuple(problems.found)


def _duplicates(
    incidents: tuple[Incident, ...], code: str, summary: str, value_of: Callable[[Incident], str | None]
) -> Iterator[Diagnostic]:
    """Yield an error, with both places, for each incident that has the value of an earlier one."""
    first: dict[str, Incident] = {}
    for incident in incidents:
        value = value_of(incident)
        if value is None:
            continue
        earlier = first.setdefault(value, incident)
        if earlier is not incident:
            yield Diagnostic(
                Severity.ERROR,
                code,
                summary,
                detail=f"`{value}` at {earlier.location} and {incident.location}",
                hint="remove or rename one of them",
                locations=(earlier.location, incident.location),
            )


def _check_identity(incident: Incident, problems: Diagnostics) -> None:
    number, key, place = incident.external_id, incident.idempotency_key, incident.location
    if number is not None and not 1 <= number <= LARGEST_NUMBER:
        summary = f"an external_id must be a whole number from 1 to {LARGEST_NUMBER}"
        problems.error("bad-external-id", summary, place, detail=str(number))
    if key is not None and not is_safe(key):
        summary = "an idempotency_key must be 1 to 64 of the characters A-Z a-z 0-9 . _ : -"
        problems.error("bad-idempotency-key", summary, place, detail=f"`{key}`")


def _check_moments(incident: Incident, problems: Diagnostics, now: datetime) -> None:
    """Warn about odd timestamps. The order is judged by name: ranks are the order of display, not of time."""
    moments = [
        (attribute.key, value)
        for attribute, value in incident.attributes.items()
        if isinstance(attribute.key, Reference) and isinstance(value, datetime)
    ]
    for key, moment in moments:
        if moment > now:
            detail = f"{_shown(moment)}, incident `{incident.key}`"
            problems.warning("future-moment", f"`{key.name}` is in the future", key.location, detail=detail)
    started = [moment for key, moment in moments if _STARTED in key.name.casefold()]
    for key, moment in moments:
        if _RESOLVED in key.name.casefold() and started and moment < min(started):
            summary = f"`{key.name}` is before the impact started"
            detail = f"{_shown(moment)} is before {_shown(min(started))}, incident `{incident.key}`"
            problems.warning("resolved-before-started", summary, key.location, detail=detail)


def _check_members(incident: Incident, problems: Diagnostics) -> None:
    members = [key for key, value in incident.attributes.items() if isinstance(value, Membership)]
    if members and incident.attributes.get(_VISIBILITY) != "private":
        key = members[0].key
        problems.error(
            "members-of-public",
            "a public incident has members",
            (key.location if isinstance(key, Reference) else None) or incident.location,
            detail=f"incident `{incident.key}`",
            hint="remove `members`, or set `visibility: private`",
        )


def _check_timeline(incident: Incident, problems: Diagnostics) -> None:
    items = [value for value in incident.attributes.values() if isinstance(value, TimelineItem)]
    if any(later.at < earlier.at for earlier, later in pairwise(items)):
        summary, detail = "a timeline is not in chronological order", f"incident `{incident.key}`"
        problems.warning("timeline-order", summary, incident.location, detail=detail)


def _check_status_page(incident: Incident, problems: Diagnostics, now: datetime) -> None:
    """Report what the API would refuse: updates must be in order, in the past, and end with `resolved` (API
    page: Status Pages V2, Create retrospective incident)."""
    place, detail = incident.location, f"incident `{incident.key}`"
    for value in incident.attributes.values():
        if not isinstance(value, StatusPageIncident) or not value.updates:
            continue
        if any(later.at < earlier.at for earlier, later in pairwise(value.updates)):
            summary = "the updates of a status page are not in chronological order"
            problems.error("status-page-order", summary, place, detail=detail)
        if len(value.name) > _LONGEST_PAGE_NAME:
            summary = f"a name on a status page has more than {_LONGEST_PAGE_NAME} characters"
            hint = "set `status_page.name`: without it, the name of the incident is used"
            problems.error("status-page-name", summary, place, detail=detail, hint=hint)
        if value.updates[-1].status != _RESOLVED:
            summary = "the last update of a status page is not resolved"
            problems.error("status-page-unresolved", summary, place, detail=detail)
        if any(update.at > now for update in value.updates):
            summary = "an update of a status page is in the future"
            problems.error("status-page-future", summary, place, detail=detail)


def _check_cleared(incident: Incident, problems: Diagnostics) -> None:
    """Warn of cleared values that the API never shows: no request of importer clears them."""
    for attribute, value in incident.attributes.items():
        if value is None and attribute.field in WRITE_ONLY_FIELDS:
            problems.found.append(cannot_be_cleared(incident, attribute.label))


def _check_ignored_titles(incidents: Sequence[Incident], problems: Diagnostics) -> None:
    """Report entries of `ignore_changes` with the title of a child that no incident has. For an entry outside
    of the incident this is a warning: the incident may be in a file that is not read now."""
    unfit: dict[tuple[Ignored, Location | None], bool] = {}
    titles: set[str] = set()
    for incident in incidents:
        entries = [each for each in incident.policy.ignore_changes if isinstance(each.attribute.key, str)]
        if not entries:
            continue
        children = {with_folded_title(each) for each in incident.attributes}
        titles |= {each.label for each in incident.attributes if isinstance(each.key, str)}
        for each in entries:
            place = (each, each.location)
            unfit[place] = unfit.get(place, True) and each.attribute not in children
    own = {incident.location.path for incident in incidents}
    for (each, at), is_unfit in unfit.items():
        if is_unfit:
            near = get_close_matches(each.word, titles, 1)
            report = problems.error if at and at.path in own else problems.warning
            summary = f"`ignore_changes` has `{each.word}`, but no incident declares it"
            hint = f"did you mean `{near[0]}`?" if near else "correct the title, or remove the entry"
            report("unknown-title", summary, at, hint=hint)


def _shown(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
