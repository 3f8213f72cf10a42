"""Turn edit payloads into changed incidents, by incident.io's rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from importer.sandbox import views
from importer.sandbox.account import Account, unknown
from importer.sandbox.assignments import Assignments, is_link, read_assignments
from importer.sandbox.changes import assign, note_update, order_problems, with_set_timestamps
from importer.sandbox.choices import TimestampEdits
from importer.sandbox.exchange import Exchange
from importer.sandbox.forms import filled_by, form_problems
from importer.sandbox.problems import Problem, invalid, refuse_if, required
from importer.sandbox.records import LIVE_CATEGORIES, RETROSPECTIVE, StoredIncident, Wire


def edit(exchange: Exchange) -> Wire:
    """POST /v2/incidents/{id}/actions/edit: set what is given and keep the rest."""
    account = exchange.account
    changes = exchange.payload.get("incident", {})
    exchange.key.require(_scope(name, value) for name, value in changes.items())
    with account.store.transaction():
        stored = account.incident_at(exchange.key, exchange.arguments["id"])
        assigned = read_assignments(account, changes)
        found = [*_edit_problems(account, stored, changes, assigned), *assigned.problems]
        refuse_if([*exchange.problems, *_in_incident(found)])
        edited = _edited(account, stored, changes, assigned)
        refuse_if(_in_incident(_result_problems(account, edited)))
        edited = account.put_incident(edited)
        if (edited.status_id, edited.severity_id) != (stored.status_id, stored.severity_id):
            note_update(exchange, edited)
        if exchange.payload["notify_incident_channel"]:
            account.store.announce(f"{views.reference(stored)} was edited, and its channel notified")
    return {"incident": views.incident(account, edited)}


def _in_incident(found: Iterator[Problem] | list[Problem]) -> list[Problem]:
    return [replace(each, field=f"incident.{each.field}") for each in found]


_SCOPES = {
    "name": "incidents.update_name",
    "slack_channel_name_override": "incidents.update_name",
    "summary": "incidents.update_summary",
    "severity_id": "incidents.update_severity",
    "incident_status_id": "incidents.update_status",
    "custom_field_entries": "incidents.update_custom_fields",
    "incident_timestamp_values": "incidents.update_timestamps",
    "incident_role_assignments": "incidents.update_role_assignments",
    "call_url": "incident_calls.create",
}


def _scope(name: str, value: object) -> str:
    return "incident_calls.destroy" if name == "call_url" and value == "" else _SCOPES[name]


def _edit_problems(
    account: Account, stored: StoredIncident, changes: Wire, assigned: Assignments
) -> Iterator[Problem]:
    if changes.get("name") == "":
        yield required("name", "name must not be blank")
    severity_id = changes.get("severity_id")
    if severity_id is not None and severity_id not in account.catalogue.severities:
        yield unknown("severity_id", severity_id)
    if changes.get("call_url") and not is_link(changes["call_url"]):
        yield invalid("call_url", f"{changes['call_url']!r} is not a valid URL")
    if "incident_status_id" in changes:
        yield from _transition_problems(account, stored, changes["incident_status_id"])
    yield from _frozen_problems(account, stored, changes)
    yield from _overwriting_problems(account, stored, assigned)
    for place in assigned.reporters:
        field = f"incident_role_assignments.{place}.incident_role_id"
        yield invalid(field, "the reporter role can only be assigned when creating an incident")


def _frozen_problems(account: Account, stored: StoredIncident, changes: Wire) -> Iterator[Problem]:
    """Yield a problem for each field that cannot be edited once a retrospective incident is closed."""
    category = account.catalogue.statuses[stored.status_id]["category"]
    if stored.mode == RETROSPECTIVE and category == "closed":
        for name in changes:
            if name in account.options.frozen_fields:
                yield invalid(name, f"{name} of a closed retrospective incident cannot be edited")


def _overwriting_problems(
    account: Account, stored: StoredIncident, assigned: Assignments
) -> Iterator[Problem]:
    if account.options.timestamp_edits is TimestampEdits.REFUSED:
        for name, moment in assigned.timestamps.items():
            if stored.timestamps.get(name, moment) != moment:
                yield invalid("incident_timestamp_values", f"the timestamp {name} has a value already")


def _result_problems(account: Account, edited: StoredIncident) -> Iterator[Problem]:
    """Yield the problems of the incident that an edit would leave."""
    yield from order_problems(account, edited)
    if account.options.enforces_forms_on_edits:
        yield from form_problems(account, filled_by(edited))


def _edited(account: Account, stored: StoredIncident, changes: Wire, assigned: Assignments) -> StoredIncident:
    edited = assign(_with_changes(stored, changes), assigned)
    if account.options.timestamp_edits is TimestampEdits.IGNORED:
        edited = replace(edited, timestamps={**edited.timestamps, **stored.timestamps})
    category = account.catalogue.statuses[edited.status_id]["category"]
    if category != account.catalogue.statuses[stored.status_id]["category"]:
        edited = with_set_timestamps(account, edited, category)
    return replace(edited, updated=account.now())


def _transition_problems(account: Account, stored: StoredIncident, status_id: str) -> Iterator[Problem]:
    """Yield the problem of a forbidden transition. Allowed: within a category, from a live one to learning
    or closed, from learning to closed (IncidentEditPayloadV2.incident_status_id)."""
    status = account.catalogue.statuses.get(status_id)
    if status is None:
        yield unknown("incident_status_id", status_id)
        return
    before, after = account.catalogue.statuses[stored.status_id]["category"], status["category"]
    resolves = before in LIVE_CATEGORIES and after in {"learning", "closed"}
    closes = before == "learning" and after == "closed"
    if before != after and not resolves and not closes:
        yield invalid("incident_status_id", f"an incident cannot move from {before} to {after}")


def _with_changes(stored: StoredIncident, changes: Wire) -> StoredIncident:
    has_channel = bool(stored.slack_channel_id)
    channel_name = changes.get("slack_channel_name_override") if has_channel else None
    return replace(
        stored,
        name=changes.get("name", stored.name),
        summary=changes.get("summary", stored.summary),
        severity_id=changes.get("severity_id", stored.severity_id),
        status_id=changes.get("incident_status_id", stored.status_id),
        call_url=changes.get("call_url", stored.call_url),
        slack_channel_name=channel_name or stored.slack_channel_name,
    )
