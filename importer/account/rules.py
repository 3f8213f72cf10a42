"""Resolved incidents and their account -> diagnostics of the rules that depend on the account."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Sequence
from typing import assert_never

from importer.account.catalogue import (
    Ambiguous,
    Found,
    Index,
    Missing,
    default_status,
    find_custom_field,
)
from importer.model import (
    Account,
    Attribute,
    Catalogue,
    Diagnostic,
    Entity,
    Field,
    Incident,
    Kind,
    Location,
    Reference,
)
from importer.model.diagnostics import Diagnostics, grouped
from importer.model.identity import Marker
from importer.model.normalise import text
from importer.model.settings import Settings
from importer.wire import paths

SEES_PRIVATE = "global_access"
"""The API key role that allows reading every private incident."""

LIVE = frozenset({"triage", "live", "paused"})
"""The status categories that an imported incident cannot have."""

_PRIVATE = "private"
_STATUS = Attribute(Field.STATUS)
_TYPE = Attribute(Field.INCIDENT_TYPE)
_VISIBILITY = Attribute(Field.VISIBILITY)


def lacks_role(account: Account, role: str) -> bool:
    """Whether the API key lacks a role. False if the account lists no roles: then the server decides."""
    return bool(account.roles) and role not in account.roles


def check_resolved(
    incidents: Sequence[Incident],
    catalogue: Catalogue,
    settings: Settings,
    account: Account,
    carrier: Marker | None,
) -> tuple[Diagnostic, ...]:
    """Return the errors and warnings about incidents in this account, grouped by cause. `carrier` is the
    marker field, if there is one, with what the state has learned of it."""
    problems = Diagnostics()
    _check_statuses(incidents, catalogue, problems)
    _check_visibility(incidents, catalogue, account, problems)
    if settings.marker_field is not None:
        _report_marker(settings.marker_field, catalogue, account, problems)
        if carrier:
            _check_keys(incidents, carrier, problems)
    return grouped(problems.found, places=None)


def check_marker(catalogue: Catalogue, settings: Settings, account: Account) -> tuple[Diagnostic, ...]:
    """Return the problems of the marker field, if importer.yaml sets one."""
    problems = Diagnostics()
    if settings.marker_field is not None:
        _report_marker(settings.marker_field, catalogue, account, problems)
    return tuple(problems.found)


def _check_statuses(incidents: Iterable[Incident], catalogue: Catalogue, problems: Diagnostics) -> None:
    """Check statuses. Without a closed status as the default, the API would choose a live one."""
    categories = {each.entity: each.category for each in catalogue.statuses}
    closed = default_status(catalogue)
    for incident in incidents:
        status = incident.attributes.get(_STATUS, closed)
        if isinstance(status, Entity):
            _check_status(status, categories[status], incident.location, problems)
        elif _STATUS in incident.attributes:
            hint = "leave the status out: the incident will be closed"
            problems.error("cleared-status", "a status cannot be cleared", incident.location, hint=hint)
        else:
            hint = "declare the status of each incident, or set defaults.status in importer.yaml"
            problems.error(
                "no-closed-status", "the account has no closed status", incident.location, hint=hint
            )


def _check_status(status: Entity, category: str, at: Location, problems: Diagnostics) -> None:
    """Check one status. A retrospective incident cannot be in a live status. Which others the API accepts is
    not documented, except that a learning status creates post-incident tasks."""
    hint = "leave the status out: the incident will be closed"
    if category in LIVE:
        summary = f"status {status.name!r} ({category}) is live, which an imported incident cannot be"
        problems.error("live-status", summary, at, hint=hint)
    elif category == "learning":
        summary = f"status {status.name!r} starts the post-incident flow, which creates tasks for people"
        problems.warning("learning-status", summary, at, hint=hint)
    elif category != "closed":
        summary = f"the API may refuse an imported incident in status {status.name!r} ({category})"
        problems.warning("doubtful-status", summary, at, hint="try one incident first: apply --canary")


def _check_visibility(
    incidents: Iterable[Incident], catalogue: Catalogue, account: Account, problems: Diagnostics
) -> None:
    """Check visibility: by default it is public, and the incident type is the default one."""
    types = {each.entity: each for each in catalogue.incident_types}
    default = next((each for each in catalogue.incident_types if each.is_default), None)
    for incident in incidents:
        declared = incident.attributes.get(_TYPE)
        incident_type = types[declared] if isinstance(declared, Entity) else default
        if incident.attributes.get(_VISIBILITY) == _PRIVATE:
            if lacks_role(account, SEES_PRIVATE):
                summary = f"the API key lacks the role {SEES_PRIVATE}: it may not see private incidents"
                hint = f"use a key with the role {SEES_PRIVATE}, or the next plan may not find them"
                problems.warning("private-unseen", summary, incident.location, hint=hint)
        elif incident_type is not None and incident_type.private_only:
            summary = f"incident type {incident_type.entity.name!r} allows private incidents only"
            hint = "set `visibility: private`, or another incident_type"
            problems.error("private-only-type", summary, incident.location, hint=hint)


def _report_marker(name: str, catalogue: Catalogue, account: Account, problems: Diagnostics) -> None:
    """Report the problems of the marker field: a wrong type, or not exactly one field of that name."""
    field = f"custom field {name!r} (identity.marker_field in importer.yaml)"
    answer = Index(catalogue).find(Reference(Kind.CUSTOM_FIELD, name))
    match answer:
        case Found(entity):
            known = find_custom_field(catalogue, entity.id)
            if known is not None and known.type != "text":
                hint = "create a custom field of type text for the keys, and name it in identity.marker_field"
                problems.error("marker-field-type", f"{field} is of type {known.type}, not text", hint=hint)
        case Missing(nearest):
            hint = _creation(name, account)
            if nearest:
                hint = f"correct it to {' or '.join(map(repr, nearest))}, or {hint}"
            problems.error("marker-field-missing", f"{field} is not in the account", hint=hint)
        case Ambiguous(candidates):
            identities = ", ".join(f"{each.name!r} ({each.id})" for each in candidates)
            hint = "use the exact name, or rename the others in incident.io"
            summary = f"{field} is ambiguous: it matches {identities}"
            problems.error("marker-field-ambiguous", summary, hint=hint)
        case _:
            assert_never(answer)


def _creation(name: str, account: Account) -> str:
    """Return how to create the field. Only the official Terraform provider shows this request, so importer
    does not send it."""
    body = json.dumps({"name": name, "description": "Source key", "field_type": "text"})
    return (
        "create it with type text in incident.io under Settings, Custom fields; or with a key that has the"
        f" role manage_settings:\ncurl {shlex.quote(account.endpoint + paths.CUSTOM_FIELDS)} \\\n"
        f'-H "Authorization: Bearer $INCIDENT_API_KEY" \\\n--json {shlex.quote(body)}'
    )


def _check_keys(incidents: Iterable[Incident], carrier: Marker, problems: Diagnostics) -> None:
    """Check that the marker field can hold each key, unchanged and unique, and that files do not set it."""
    first: dict[str, Incident] = {}
    for incident in incidents:
        carried = text(incident.key)
        at = incident.location
        if carried != incident.key:
            hint = "use composed Unicode and no trailing white space"
            detail = f"the key is {incident.key!r}, the field would hold {carried!r}"
            problems.error(
                "unmarkable-key", "the marker field would change the key", at, detail=detail, hint=hint
            )
        other = first.setdefault(carrier.form(incident.key), incident)
        if other is not incident:
            detail = f"{incident.key!r} here, {other.key!r} at {other.location}"
            changed = "case, spaces" if carrier.ignores_case else "spaces"
            hint = f"give each incident a key that differs in more than {changed}, escapes and Unicode form"
            problems.error(
                "same-marker", "two keys are the same in the marker field", at, detail=detail, hint=hint
            )
        declared = incident.attributes.get(carrier.attribute, incident.key)
        if declared not in (incident.key, carrier.text(incident.key)):
            detail = f"the key is {incident.key!r}, the field is {declared!r}"
            hint = "leave the marker field out: importer sets it to the key"
            summary = "the marker field differs from the key"
            problems.error("marker-differs", summary, at, detail=detail, hint=hint)
