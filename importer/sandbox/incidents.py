"""Turn create and edit payloads into stored incidents, by incident.io's rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import assert_never

from importer.sandbox import moments, replay, views
from importer.sandbox.account import Account, unknown
from importer.sandbox.assignments import Assignments, is_link, read_assignments, tidy
from importer.sandbox.choices import CreatesAs
from importer.sandbox.exchange import Exchange
from importer.sandbox.problems import Problem, Refusal, conflict, invalid, refuse_if, required
from importer.sandbox.promotion import promote_timeline
from importer.sandbox.records import LIVE_CATEGORIES, RETROSPECTIVE, Condition, StoredIncident, Wire

_HOUR = 3_600_000
_TAKEN = "external ID already exists"
_EXTERNAL_FIELD = "retrospective_incident_options.external_id"


def show(exchange: Exchange) -> Wire:
    """GET /v2/incidents/{id}: by ID, or by the bare number of the reference."""
    stored = exchange.account.incident_at(exchange.key, exchange.arguments["id"])
    return {"incident": views.incident(exchange.account, stored)}


def create(exchange: Exchange) -> Wire:
    """POST /v2/incidents: one incident per idempotency key."""
    account = exchange.account
    with account.store.transaction():
        if account.options.external_id_first:
            _refuse_taken_number(exchange)
        stored = _known(exchange)
        if stored is None:
            _refuse_beyond_hourly_limit(account)
            stored = _create(exchange)
    return {"incident": views.incident(account, stored)}


def _known(exchange: Exchange) -> StoredIncident | None:
    """Return the incident that an earlier request with this idempotency key created."""
    known = None if exchange.problems else replay.recall(exchange, replay.INCIDENT)
    return None if known is None else exchange.account.store.incident(known)


def _refuse_taken_number(exchange: Exchange) -> None:
    options = exchange.payload.get("retrospective_incident_options", {})
    if "external_id" in options:
        refuse_if(_external_id_problems(exchange.account, options["external_id"]))


def _refuse_beyond_hourly_limit(account: Account) -> None:
    limit = account.options.creations_per_hour
    if limit is None:
        return
    within_an_hour = Condition("created > ?", (account.now() - _HOUR,))
    if account.store.count_incidents(within_an_hour) >= limit:
        problem = Problem("rate_limit_reached", "Too many incidents have been created in the last hour")
        raise Refusal(429, "rate_limit_reached", [problem])


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The choices of a create payload, with the account's defaults for missing ones."""

    mode: str
    status_id: str
    type_id: str

    @property
    def is_retrospective(self) -> bool:
        return self.mode == RETROSPECTIVE


def _choose(account: Account, payload: Wire) -> _Chosen:
    mode = payload.get("mode", "standard")
    category = "closed" if mode == RETROSPECTIVE else "triage"
    return _Chosen(
        mode=mode,
        status_id=payload.get("incident_status_id") or account.catalogue.status_of(category),
        type_id=payload.get("incident_type_id") or account.catalogue.default_type,
    )


def _create(exchange: Exchange) -> StoredIncident:
    account, payload = exchange.account, exchange.payload
    chosen = _choose(account, payload)
    assigned = read_assignments(account, payload)
    refuse_if(
        [
            *exchange.problems,
            *_choice_problems(account, payload, chosen),
            *_option_problems(account, payload, chosen),
            *assigned.problems,
            *(_form_problems(account, payload, chosen, assigned) if account.options.enforces_forms else ()),
        ]
    )
    stored = account.put_incident(_new_incident(exchange, chosen, assigned))
    replay.remember(exchange, replay.INCIDENT, stored.id)
    _note_update(exchange, stored)
    if account.options.promotes_timeline:
        promote_timeline(exchange, stored)
    if stored.mode != RETROSPECTIVE:
        account.store.announce(f"{views.reference(stored)} was declared in mode {stored.mode}")
    return stored


def _choice_problems(account: Account, payload: Wire, chosen: _Chosen) -> Iterator[Problem]:
    catalogue = account.catalogue
    severity_id = payload.get("severity_id", "")
    if severity_id and severity_id not in catalogue.severities:
        yield unknown("severity_id", severity_id)
    status = catalogue.statuses.get(chosen.status_id)
    if status is None:
        yield unknown("incident_status_id", chosen.status_id)
    elif chosen.is_retrospective and status["category"] in LIVE_CATEGORIES:
        yield invalid("incident_status_id", "Retrospective incidents cannot have active statuses")
    elif status["category"] == "live" and not severity_id:
        yield required("severity_id", "A severity is required to open an incident")
    incident_type = catalogue.types.get(chosen.type_id)
    if incident_type is None and chosen.type_id:
        yield unknown("incident_type_id", chosen.type_id)
    elif incident_type and incident_type["private_incidents_only"] and payload.get("visibility") == "public":
        yield invalid("visibility", "visibility mismatch: this incident type allows private incidents only")


def _option_problems(account: Account, payload: Wire, chosen: _Chosen) -> Iterator[Problem]:
    options = payload.get("retrospective_incident_options", {})
    if options and not chosen.is_retrospective:
        yield invalid("retrospective_incident_options", "these options are for retrospective incidents only")
    if "external_id" in options:
        yield from _external_id_problems(account, options["external_id"])
    url = options.get("postmortem_document_url", "")
    if url and not is_link(url):
        yield invalid("retrospective_incident_options.postmortem_document_url", f"{url!r} is not a valid URL")


def _external_id_problems(account: Account, external_id: int) -> Iterator[Problem]:
    if "external_id" not in account.catalogue.features:
        yield invalid(_EXTERNAL_FIELD, "external_id requires a feature flag: please talk to us first")
    elif external_id < 1:
        yield invalid(_EXTERNAL_FIELD, "external_id must be at least 1")
    elif account.store.incident_numbered(external_id) is not None:
        if account.options.taken_external_id_status == 409:
            raise conflict(_TAKEN, _EXTERNAL_FIELD)
        yield invalid(_EXTERNAL_FIELD, _TAKEN)


def _form_problems(
    account: Account, payload: Wire, chosen: _Chosen, assigned: Assignments
) -> Iterator[Problem]:
    """Yield a problem for each attribute that the type's form always requires and the payload lacks."""
    form_type = RETROSPECTIVE if chosen.is_retrospective else "declare"
    forms = [form for form in account.catalogue.forms.values() if form["form_type"] == form_type]
    of_type = [form for form in forms if form.get("incident_type_id") == chosen.type_id]
    general = [form for form in forms if "incident_type_id" not in form]
    for form in (of_type or general)[:1]:
        for element in form["lifecycle_elements"]:
            if element.get("required_if") == "always_require":
                yield from _element_problems(element, payload, assigned)


def _element_problems(element: Wire, payload: Wire, assigned: Assignments) -> Iterator[Problem]:
    match element["element_type"]:
        case "name" | "summary" as name if not payload.get(name):
            yield required(name)
        case "severity" if not payload.get("severity_id"):
            yield required("severity_id", "A severity is required to open an incident")
        case "custom_field" if not assigned.custom_fields.get(element["custom_field_id"]):
            yield required(f"custom_field_entries.{element['custom_field_id']}")
        case "incident_role" if not assigned.roles.get(element["incident_role_id"]):
            yield required(f"incident_role_assignments.{element['incident_role_id']}")
        case "timestamp" if assigned.timestamps.get(element["incident_timestamp_id"]) is None:
            yield required(f"incident_timestamp_values.{element['incident_timestamp_id']}")
        case _:
            return


def _new_incident(exchange: Exchange, chosen: _Chosen, assigned: Assignments) -> StoredIncident:
    account, payload, now = exchange.account, exchange.payload, exchange.account.now()
    options = payload.get("retrospective_incident_options", {})
    stored = StoredIncident(
        id=account.new_identifier(),
        number=options.get("external_id") or account.store.next_number(),
        mode=chosen.mode,
        visibility=payload["visibility"],
        status_id=chosen.status_id,
        type_id=chosen.type_id,
        creator_id=exchange.key.id,
        created=now,
        updated=now,
        name=tidy(account, payload.get("name", "")),
        summary=tidy(account, payload.get("summary", "")),
        severity_id=payload.get("severity_id", ""),
        slack_channel_id=options.get("slack_channel_id", ""),
        slack_channel_name=payload.get("slack_channel_name_override", ""),
        slack_team_id=payload.get("slack_team_id", ""),
        postmortem_document_url=options.get("postmortem_document_url", ""),
    )
    stored = _as_created(account, stored, options.get("external_id"))
    return _with_channel(account, _with_set_timestamps(account, _assign(stored, assigned)))


def _as_created(account: Account, stored: StoredIncident, external_id: int | None) -> StoredIncident:
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


def _assign(stored: StoredIncident, assigned: Assignments) -> StoredIncident:
    custom_fields = {**stored.custom_fields, **assigned.custom_fields}
    roles = {**stored.roles, **assigned.roles}
    timestamps = {**stored.timestamps, **assigned.timestamps}
    return replace(
        stored,
        custom_fields={name: values for name, values in custom_fields.items() if values},
        roles={name: user for name, user in roles.items() if user},
        timestamps={name: moment for name, moment in timestamps.items() if moment is not None},
    )


def _with_set_timestamps(account: Account, stored: StoredIncident) -> StoredIncident:
    """Set the timestamps that the declaration or the status sets, if the options enable it."""
    if not account.options.sets_timestamps:
        return stored
    occasions = {"declare", account.catalogue.statuses[stored.status_id]["category"]}
    automatic = {name: stored.created for name, when in account.catalogue.set_on.items() if when in occasions}
    return replace(stored, timestamps={**automatic, **stored.timestamps})


def _with_channel(account: Account, stored: StoredIncident) -> StoredIncident:
    """Give an incident its Slack channel. "If not provided, no Slack channel will be created for this
    retrospective incident" (slack_channel_id)."""
    wants_one = stored.mode != RETROSPECTIVE or account.options.makes_slack_channels
    if not stored.slack_channel_id and not wants_one:
        return replace(stored, slack_channel_name="")
    return replace(
        stored,
        slack_channel_id=stored.slack_channel_id or f"C{stored.id[-10:]}",
        slack_channel_name=stored.slack_channel_name or f"inc-{stored.number}",
    )


def edit(exchange: Exchange) -> Wire:
    """POST /v2/incidents/{id}/actions/edit: set what is given and keep the rest."""
    account = exchange.account
    changes = exchange.payload.get("incident", {})
    exchange.key.require(_scope(name, value) for name, value in changes.items())
    with account.store.transaction():
        stored = account.incident_at(exchange.key, exchange.arguments["id"])
        assigned = read_assignments(account, changes)
        found = [*_edit_problems(account, stored, changes, assigned), *assigned.problems]
        refuse_if([*exchange.problems, *(replace(each, field=f"incident.{each.field}") for each in found)])
        edited = replace(_assign(_with_changes(account, stored, changes), assigned), updated=account.now())
        edited = account.put_incident(edited)
        if (edited.status_id, edited.severity_id) != (stored.status_id, stored.severity_id):
            _note_update(exchange, edited)
        if exchange.payload["notify_incident_channel"]:
            account.store.announce(f"{views.reference(stored)} was edited, and its channel notified")
    return {"incident": views.incident(account, edited)}


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
    for place in assigned.reporters:
        field = f"incident_role_assignments.{place}.incident_role_id"
        yield invalid(field, "the reporter role can only be assigned when creating an incident")


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


def _with_changes(account: Account, stored: StoredIncident, changes: Wire) -> StoredIncident:
    has_channel = bool(stored.slack_channel_id)
    channel_name = changes.get("slack_channel_name_override") if has_channel else None
    return replace(
        stored,
        name=tidy(account, changes.get("name", stored.name)),
        summary=tidy(account, changes.get("summary", stored.summary)),
        severity_id=changes.get("severity_id", stored.severity_id),
        status_id=changes.get("incident_status_id", stored.status_id),
        call_url=tidy(account, changes.get("call_url", stored.call_url)),
        slack_channel_name=channel_name or stored.slack_channel_name,
    )


def _note_update(exchange: Exchange, stored: StoredIncident) -> None:
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
