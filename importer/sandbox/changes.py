"""Turn what a payload assigns into a changed incident, by the rules that creations and edits share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from importer.sandbox import moments, views
from importer.sandbox.account import Account
from importer.sandbox.assignments import Assignments
from importer.sandbox.exchange import Exchange
from importer.sandbox.problems import Problem, invalid
from importer.sandbox.records import StoredIncident, Wire


def assign(stored: StoredIncident, assigned: Assignments) -> StoredIncident:
    """Return an incident with what is assigned; what is cleared goes."""
    custom_fields = {**stored.custom_fields, **assigned.custom_fields}
    roles = {**stored.roles, **assigned.roles}
    timestamps = {**stored.timestamps, **assigned.timestamps}
    return replace(
        stored,
        custom_fields={name: values for name, values in custom_fields.items() if values},
        roles={name: user for name, user in roles.items() if user},
        timestamps={name: moment for name, moment in timestamps.items() if moment is not None},
    )


def with_set_timestamps(account: Account, stored: StoredIncident, *occasions: str) -> StoredIncident:
    """Set the timestamps that an occasion (`declare`, or the category of a new status) sets, if the options
    enable it; those that have a value keep it."""
    if not account.options.sets_timestamps:
        return stored
    set_on = account.catalogue.set_on.items()
    automatic = {name: account.now() for name, occasion in set_on if occasion in occasions}
    return replace(stored, timestamps={**automatic, **stored.timestamps})


def order_problems(account: Account, stored: StoredIncident) -> Iterator[Problem]:
    """Yield the problem of an incident that was closed before another of its timestamps."""
    if not account.options.refuses_disorder:
        return
    closed = [
        moment for name, moment in stored.timestamps.items() if account.catalogue.set_on.get(name) == "closed"
    ]
    if closed and min(closed) < max(stored.timestamps.values()):
        yield invalid("incident_timestamp_values", "an incident cannot be closed before its other timestamps")


def note_update(exchange: Exchange, stored: StoredIncident) -> None:
    """Add the incident update that records a new status or severity."""
    account = exchange.account
    wire: Wire = {
        "id": account.new_identifier(),
        "incident_id": stored.id,
        "created_at": moments.to_text(account.now()),
        "new_incident_status": account.catalogue.statuses[stored.status_id],
        "updater": views.actor(exchange.key, exchange.key.id),
    }
    if stored.severity_id:
        wire["new_severity"] = account.catalogue.severities[stored.severity_id]
    account.put_child("update", stored.id, wire)
