"""A change of a plan <-> its entry in the plan file.

An entry has everything twice: for a reader (before, after, changed_fields, requests) and, under `resolved`,
in the typed form that apply reads. `read_plan` checks that both agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, assert_never

from importer.model import (
    Adopt,
    Attribute,
    Attributes,
    Blocked,
    Create,
    FieldChange,
    Incident,
    LiveIncident,
    Origin,
    Pending,
    Update,
    Value,
)
from importer.model.codec import Json, decode_attributes, decode_record, encode_attributes, encode_record
from importer.model.normalise import by_label
from importer.model.plain import labels, named, plain
from importer.model.steps import LATER, CreateIncident, Step, is_ready
from importer.plan.changes import CANNOT_CHANGE, declared, is_shown
from importer.plan.steps import steps
from importer.plan.summary import Action, actions, reference_of
from importer.wire.requests import request

JsonObject = dict[str, Any]
_SHOWN_OF_LIVE = frozenset({"id", "reference", "updated_at"})
"""The fields of a live incident that are elsewhere in the entry."""

Written = Create | Pending | Update | Adopt | Blocked
"""The changes that have an entry; a NoOp has none."""


def change_to_json(change: Written) -> JsonObject:
    """Return the entry of one change."""
    before, after = _sides(change)
    changes, blocked = _differences(change)
    live = change.live if isinstance(change, Update | Adopt) else None
    return {
        "key": change.incident.key,
        "source": encode_record(change.incident.location),
        "actions": [each.value for each in actions(change)],
        "action_reason": _reason(change),
        "explanation": change.explanation if isinstance(change, Blocked) else "",
        "idempotency_key": change.idempotency_key if isinstance(change, Create | Pending) else None,
        "incident_id": live.id if live else change.incident_id if isinstance(change, Blocked) else None,
        "reference": reference_of(change) or None,
        "before": None if before is None else named(before),
        "after": named(after),
        "changed_fields": _fields(change, changes, lambda each: each.origin.value),
        "blocked_fields": _fields(change, blocked, lambda each: each.obstacle or CANNOT_CHANGE),
        "requests": [request_to_json(each) for each in steps(change)],
        "precondition": {"updated_at": live.updated_at} if live else None,
        "resolved": _resolved(change),
    }


def change_from_json(entry: JsonObject) -> Written:
    """Return the change of an entry that matches the schema. Raises ValueError, KeyError or TypeError."""
    resolved = entry["resolved"]
    incident = decode_record(Incident, {**resolved, "key": entry["key"], "location": entry["source"]})
    action = entry["actions"][0]
    blocked = tuple(decode_record(FieldChange, each) for each in resolved.get("blocked", ()))
    match action:
        case Action.CREATE | Action.PENDING:
            left_to_people = _attributes_from(resolved.get("left_to_people", ()))
            sent = _sent_from(incident.attributes, resolved)
            if action == Action.CREATE:
                return Create(incident, entry["idempotency_key"], sent, left_to_people, blocked)
            content = resolved.get("content")
            return Pending(incident, entry["idempotency_key"], sent, left_to_people, content, blocked)
        case Action.UPDATE | Action.ADOPT:
            edit = Update if action == Action.UPDATE else Adopt
            shown = {"id": entry["incident_id"], "reference": entry["reference"] or ""}
            live = decode_record(LiveIncident, {**resolved["live"], **entry["precondition"], **shown})
            changes = tuple(decode_record(FieldChange, each) for each in resolved["changes"])
            return edit(incident, live, changes, blocked)
        case _:
            reference = entry["reference"] or ""
            reason, why = entry["action_reason"], entry["explanation"]
            return Blocked(incident, entry["incident_id"], reference, reason, why, blocked)


def request_to_json(step: Step) -> JsonObject:
    """Return the request of a step. The body of a creation follows from the rest of the entry, so only its
    SHA-256 is included, unless it waits for an option."""
    sent = request(step)
    digest = sent.sha256 if is_ready(step) else LATER.value
    body = {"body_sha256": digest} if isinstance(step, CreateIncident) else {"body": sent.body}
    return {"method": sent.method, "path": sent.path, **body}


def _sides(change: Written) -> tuple[Attributes | None, Attributes]:
    """Return the managed attributes before and after apply. Blocked differences keep their value."""
    match change:
        case Create() | Pending():
            return None, declared(change)
        case (
            Update(live=live, changes=changes, blocked=blocked)
            | Adopt(live=live, changes=changes, blocked=blocked)
        ):
            found = {each: live.attributes.get(each) for each in change.incident.attributes}
            found |= {each.attribute: each.before for each in (*changes, *blocked)}
            return found, found | {each.attribute: each.after for each in changes}
        case Blocked(blocked=blocked):
            stays = {each.attribute: each.before for each in blocked}
            return stays, stays
        case _:
            assert_never(change)


def _differences(change: Written) -> tuple[tuple[FieldChange, ...], tuple[FieldChange, ...]]:
    match change:
        case Update(changes=changes, blocked=blocked) | Adopt(changes=changes, blocked=blocked):
            return changes, blocked
        case Blocked(blocked=blocked) | Create(blocked=blocked) | Pending(blocked=blocked):
            return (), blocked
        case _:
            assert_never(change)


def _fields(
    change: Written, changes: tuple[FieldChange, ...], reason: Callable[[FieldChange], str]
) -> list[JsonObject]:
    names = labels(each.attribute for each in changes)
    exists = not isinstance(change, Create | Pending)
    return [
        {
            "field": names[each.attribute],
            "before": {"not_shown": True} if exists and not is_shown(each) else plain(each.before),
            "after": plain(each.after),
            "reason": reason(each),
        }
        for each in changes
    ]


def _reason(change: Written) -> str:
    match change:
        case Create():
            return "not_found"
        case Pending():
            return "no_answer"
        case Update(changes=changes):
            origins = {each.origin for each in changes}
            return "drift" if origins == {Origin.DRIFT} else "config_changed"
        case Adopt():
            return "adopted"
        case Blocked(reason=reason):
            return reason
        case _:
            assert_never(change)


def _resolved(change: Written) -> JsonObject:
    incident = change.incident
    shared: JsonObject = {
        "external_id": incident.external_id,
        "idempotency_key": incident.idempotency_key,
        "attributes": encode_attributes(incident.attributes),
    }
    changes, blocked = _differences(change)
    match change:
        case Create(attributes=sent, left_to_people=people) | Pending(attributes=sent, left_to_people=people):
            content = change.content if isinstance(change, Pending) else None
            optional = {
                "left_to_people": _attributes_to(people) or None,
                "content": content,
                "blocked": [encode_record(each) for each in blocked] or None,
            }
            given = {name: part for name, part in optional.items() if part is not None}
            return shared | _sent_to(incident.attributes, sent) | given
        case Update(live=live) | Adopt(live=live):
            kept = {name: part for name, part in encode_record(live).items() if name not in _SHOWN_OF_LIVE}
            own = {"live": kept, "changes": [encode_record(each) for each in changes]}
            return shared | own | {"blocked": [encode_record(each) for each in blocked]}
        case Blocked():
            return shared | {"blocked": [encode_record(each) for each in blocked]}
        case _:
            assert_never(change)


def _sent_to(own: Attributes, sent: Attributes) -> JsonObject:
    """Return the difference between what is declared and what a creation sends."""
    missing = object()
    added = {each: value for each, value in sent.items() if own.get(each, missing) != value}
    return {"added": encode_attributes(added), "left_out": _attributes_to(own.keys() - sent.keys())}


def _sent_from(own: Attributes, resolved: JsonObject) -> dict[Attribute, Value]:
    left_out = _attributes_from(resolved["left_out"])
    sent = {**own, **decode_attributes(resolved["added"])}
    return {each: value for each, value in sent.items() if each not in left_out}


def _attributes_to(attributes: Iterable[Attribute]) -> list[Json]:
    return [encode_record(each) for each in sorted(attributes, key=by_label)]


def _attributes_from(listed: Iterable[Json]) -> frozenset[Attribute]:
    return frozenset(decode_record(Attribute, each) for each in listed)
