"""Turn the external_id of a creation into the incident's number, or into problems."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import assert_never

from importer.sandbox.account import Account
from importer.sandbox.choices import CreatesAs, ExternalIds
from importer.sandbox.problems import Problem, conflict, invalid, unavailable
from importer.sandbox.records import StoredIncident

_NO_FEATURE = "external_id requires a feature flag: please talk to us first"
_TAKEN = "external ID already exists"
_FIELD = "retrospective_incident_options.external_id"


def next_number(account: Account) -> int:
    """Return the number of the next incident that does not choose its own."""
    store = account.store
    return store.lowest_free_number() if account.options.counter_stays else store.next_number()


def external_id_problems(account: Account, external_id: int) -> Iterator[Problem]:
    """Yield the problems of a chosen number. Raises a 403 or 409 if that is the account's answer."""
    allowed = account.options.external_ids
    if allowed is ExternalIds.FORBIDDEN:
        raise unavailable(_NO_FEATURE, _FIELD)
    if allowed is ExternalIds.REFUSED or "external_id" not in account.catalogue.features:
        yield invalid(_FIELD, _NO_FEATURE)
    elif external_id < 1:
        yield invalid(_FIELD, "external_id must be at least 1")
    elif account.store.incident_numbered(external_id) is not None:
        if account.options.taken_external_id_status == 409:
            raise conflict(_TAKEN, _FIELD)
        yield invalid(_FIELD, _TAKEN)
    elif account.options.refuses_low_numbers and external_id < next_number(account):
        yield invalid(_FIELD, "external_id must not be below the next number")


def as_created(account: Account, stored: StoredIncident, external_id: int | None) -> StoredIncident:
    """Return a new incident as the options make it, whatever was sent."""
    match account.options.creates_as:
        case CreatesAs.LIVE:
            return replace(stored, mode="standard")
        case CreatesAs.PUBLIC:
            return replace(stored, visibility="public")
        case CreatesAs.RENUMBERED if external_id:
            return replace(stored, number=max(account.store.next_number(), external_id + 1))
        case CreatesAs.AS_SENT | CreatesAs.RENUMBERED:
            return stored
        case never:
            assert_never(never)
