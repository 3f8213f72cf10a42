"""Turn create payloads into stored incidents, by incident.io's rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from importer.sandbox import replay, views
from importer.sandbox.account import Account, unknown
from importer.sandbox.assignments import Assignments, is_link, read_assignments
from importer.sandbox.changes import assign, note_update, order_problems, with_set_timestamps
from importer.sandbox.choices import OmittedStatus, TriageTypes
from importer.sandbox.exchange import Exchange
from importer.sandbox.forms import Filled, form_problems
from importer.sandbox.hourly import refuse_beyond_hourly_limit
from importer.sandbox.numbering import as_created, external_id_problems, next_number
from importer.sandbox.postmortems import make_document
from importer.sandbox.problems import Problem, invalid, refuse_if, required
from importer.sandbox.promotion import promote_timeline
from importer.sandbox.records import LIVE_CATEGORIES, RETROSPECTIVE, StoredIncident, Wire


def show(exchange: Exchange) -> Wire:
    """GET /v2/incidents/{id}: by ID, or by the bare number of the reference."""
    stored = exchange.account.incident_at(exchange.key, exchange.arguments["id"])
    return {"incident": views.incident(exchange.account, stored)}


def create(exchange: Exchange) -> Wire:
    """POST /v2/incidents: one incident per idempotency key."""
    account = exchange.account
    with replay.burn_if_refused(exchange, replay.INCIDENT), account.store.transaction():
        if account.options.external_id_first:
            _refuse_taken_number(exchange)
        if account.options.counts_retries:
            refuse_beyond_hourly_limit(account)
        stored = _known(exchange)
        if stored is None:
            refuse_beyond_hourly_limit(account)
            stored = _create(exchange)
        elif account.options.counts_retries:
            account.store.note_retry(account.now())
    return {"incident": views.incident(account, stored)}


def _known(exchange: Exchange) -> StoredIncident | None:
    """Return the incident that an earlier request with this idempotency key created."""
    known = None if exchange.problems else replay.recall(exchange, replay.INCIDENT)
    return None if known is None else exchange.account.store.incident(known)


def _refuse_taken_number(exchange: Exchange) -> None:
    options = exchange.payload.get("retrospective_incident_options", {})
    if "external_id" in options:
        refuse_if(external_id_problems(exchange.account, options["external_id"]))


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The choices of a create payload, with the account's defaults for missing ones. `in_triage` means that
    the type puts the incident there, whatever status was sent."""

    mode: str
    status_id: str
    type_id: str
    in_triage: bool

    @property
    def is_retrospective(self) -> bool:
        return self.mode == RETROSPECTIVE


def _choose(account: Account, payload: Wire) -> _Chosen:
    mode, options = payload.get("mode", "standard"), account.options
    is_live = mode != RETROSPECTIVE or options.omitted_status is OmittedStatus.TRIAGE
    category = "triage" if is_live else "closed"
    type_id = payload.get("incident_type_id") or account.catalogue.default_type
    incident_type = account.catalogue.types.get(type_id, {})
    return _Chosen(
        mode=mode,
        status_id=payload.get("incident_status_id") or account.catalogue.status_of(category),
        type_id=type_id,
        in_triage=mode == RETROSPECTIVE and incident_type.get("create_in_triage") == "always",
    )


def _filled(payload: Wire, chosen: _Chosen, assigned: Assignments) -> Filled:
    return Filled(
        mode=chosen.mode,
        type_id=chosen.type_id,
        texts=payload,
        custom_fields=assigned.custom_fields,
        roles=assigned.roles,
        timestamps=assigned.timestamps,
    )


def _create(exchange: Exchange) -> StoredIncident:
    account, payload = exchange.account, exchange.payload
    chosen = _choose(account, payload)
    enforces_forms = account.options.enforces_forms
    assigned = read_assignments(account, payload)
    refuse_if(
        [
            *exchange.problems,
            *_choice_problems(account, payload, chosen),
            *_option_problems(account, payload, chosen),
            *assigned.problems,
            *(form_problems(account, _filled(payload, chosen, assigned)) if enforces_forms else ()),
        ]
    )
    new = _new_incident(exchange, chosen, assigned)
    refuse_if(order_problems(account, new))
    stored = account.put_incident(new)
    replay.remember(exchange, replay.INCIDENT, stored.id)
    note_update(exchange, stored)
    if account.options.url_makes_document and stored.postmortem_document_url:
        stored = make_document(exchange, stored)
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
    yield from _status_problems(account, payload, chosen)
    incident_type = catalogue.types.get(chosen.type_id)
    if incident_type is None and chosen.type_id:
        yield unknown("incident_type_id", chosen.type_id)
    elif incident_type and incident_type["private_incidents_only"] and payload.get("visibility") == "public":
        yield invalid("visibility", "visibility mismatch: this incident type allows private incidents only")


def _status_problems(account: Account, payload: Wire, chosen: _Chosen) -> Iterator[Problem]:
    options, field = account.options, "incident_status_id"
    status = account.catalogue.statuses.get(chosen.status_id)
    is_sent = bool(payload.get(field))
    if status is None:
        yield unknown(field, chosen.status_id)
    elif not chosen.is_retrospective:
        if status["category"] == "live" and not payload.get("severity_id"):
            yield required("severity_id", "A severity is required to open an incident")
    elif not is_sent:
        if options.omitted_status is OmittedStatus.REFUSED:
            yield required(field)
    elif status["category"] in LIVE_CATEGORIES:
        yield invalid(field, "Retrospective incidents cannot have active statuses")
    elif options.only_closed and status["category"] != "closed":
        yield invalid(field, "Retrospective incidents must be closed")
    if chosen.in_triage and options.triage_types is TriageTypes.REFUSED:
        yield invalid("incident_type_id", "incidents of this type are created in triage")


def _option_problems(account: Account, payload: Wire, chosen: _Chosen) -> Iterator[Problem]:
    options = payload.get("retrospective_incident_options", {})
    if options and not chosen.is_retrospective:
        yield invalid("retrospective_incident_options", "these options are for retrospective incidents only")
    if "external_id" in options:
        yield from external_id_problems(account, options["external_id"])
    url = options.get("postmortem_document_url", "")
    if url and not is_link(url):
        yield invalid("retrospective_incident_options.postmortem_document_url", f"{url!r} is not a valid URL")


def _new_incident(exchange: Exchange, chosen: _Chosen, assigned: Assignments) -> StoredIncident:
    account, payload, now = exchange.account, exchange.payload, exchange.account.now()
    options = payload.get("retrospective_incident_options", {})
    honours_triage = chosen.in_triage and account.options.triage_types is TriageTypes.HONOURED
    triage = account.catalogue.status_of("triage")
    stored = StoredIncident(
        id=account.new_identifier(),
        number=options.get("external_id") or next_number(account),
        mode=chosen.mode,
        visibility=payload["visibility"],
        status_id=triage if honours_triage else chosen.status_id,
        type_id=chosen.type_id,
        creator_id=exchange.key.id,
        created=now,
        updated=now,
        name=payload.get("name", ""),
        summary=payload.get("summary", ""),
        severity_id=payload.get("severity_id", ""),
        slack_channel_id=options.get("slack_channel_id", ""),
        slack_channel_name=payload.get("slack_channel_name_override", ""),
        slack_team_id=payload.get("slack_team_id", ""),
        postmortem_document_url=options.get("postmortem_document_url", ""),
    )
    stored = as_created(account, stored, options.get("external_id"))
    category = account.catalogue.statuses[stored.status_id]["category"]
    return _with_channel(account, with_set_timestamps(account, assign(stored, assigned), "declare", category))


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
