"""A State <-> the JSON that a team commits: sorted, the same bytes for the same state, one line per value.

It contains no secrets. The caller decides whether to leave out private incidents.
"""

from __future__ import annotations

import json
from pathlib import Path

from importer.formats import schemas
from importer.formats.json_pieces import JsonObject, major_version
from importer.model import Account, Attribute, Binding, Field, Remembered, Unanswered
from importer.model.codec import (
    decode_moment,
    decode_record,
    decode_value,
    encode_moment,
    encode_record,
    encode_value,
)
from importer.model.errors import UsageError
from importer.model.normalise import by_label
from importer.state.merge import BoundIncident, State
from importer.state.migrations import renewed
from importer.wire.sent import sent_attributes

_MAJOR_VERSION = 1
FORMAT_VERSION = f"{_MAJOR_VERSION}.2"
"""A reader accepts any minor version, ignoring unknown keys, and refuses another major version."""


def export_text(state: State) -> str:
    """Return the document in ASCII: bindings and unanswered creations by key, values by attribute."""
    account = state.account and encode_record(state.account)
    bound = [_bound(state.bound[key]) for key in sorted(state.bound)]
    sent = [json.dumps(_sent(key, state.unanswered[key])) for key in sorted(state.unanswered)]
    parts = {
        "format_version": json.dumps(FORMAT_VERSION),
        "account": json.dumps(account),
        "bindings": _list(bound),
        "unanswered": _list(sent),
    }
    return "{\n" + ",\n".join(f'"{name}": {part}' for name, part in parts.items()) + "\n}\n"


def read_export(path: Path) -> State:
    """Return the state in a file. Raises UsageError if it is not a state export of a supported version."""
    import jsonschema_rs  # noqa: PLC0415 - needed only to read a file

    document = _document(path)
    try:
        if not jsonschema_rs.validator_for(schemas.read("state")).is_valid(document):
            raise ValueError("it does not match `importer schema state`")
        return _state(document)
    except (ValueError, OverflowError, RecursionError) as error:
        raise _damaged(path, str(error)) from None


def _bound(each: BoundIncident) -> str:
    """Return the entry of a key: its binding on the first line, then one line per value."""
    head = json.dumps({**encode_record(each.binding), "at": encode_moment(each.at)})
    fields = [
        json.dumps(_field(attribute, each.fields[attribute]), sort_keys=True)
        for attribute in sorted(each.fields, key=by_label)
    ]
    return f'{head[:-1]}, "fields": {_list(fields)}}}'


def _sent(key: str, request: Unanswered) -> JsonObject:
    """Return the entry of a creation in doubt, with its body and when it was first sent, if known."""
    first_sent = encode_moment(request.first_sent) if request.first_sent else None
    optional = {"content": request.content, "first_sent": first_sent}
    known = {name: part for name, part in optional.items() if part is not None}
    return {"key": key, "idempotency_key": request.idempotency_key, **known}


def _field(attribute: Attribute, known: Remembered) -> JsonObject:
    """Return the declared value of an attribute, the answered one if it differs, and the ID of a child."""
    found: JsonObject = {"attribute": encode_record(attribute), "declared": encode_value(known.declared)}
    answered = encode_value(known.answered)
    if answered != found["declared"]:
        found["answered"] = answered
    more = {"child_id": known.child_id, "refused": known.refused}
    return found | {name: part for name, part in more.items() if part is not None}


def _list(entries: list[str]) -> str:
    return "[\n" + ",\n".join(entries) + "\n]" if entries else "[]"


def _document(path: Path) -> JsonObject:
    try:
        document: JsonObject = json.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(
            f"cannot read {path}: {error.strerror}", hint="make one with: importer state export FILE"
        ) from None
    except (ValueError, RecursionError) as error:
        raise _damaged(path, str(error)) from None
    version = major_version(document)
    if version is None:
        raise _damaged(path, "it has no format_version")
    if version != _MAJOR_VERSION:
        raise UsageError(
            f"{path} has the format version {document['format_version']}; this version of importer reads"
            f" {FORMAT_VERSION}",
            hint="upgrade importer: pip install --upgrade incident-importer",
            code="state-version",
        )
    return document


def _damaged(path: Path, why: str) -> UsageError:
    return UsageError(
        f"{path} is not a state export, or is damaged: {why}",
        hint="make one with: importer state export FILE; or use an earlier commit if this one is damaged",
        code="not-a-state-export",
    )


def _state(document: JsonObject) -> State:
    """Return the state of a document that matches the schema. Raises ValueError if it contradicts itself."""
    _check_characters(document)
    account = document["account"]
    if (document["bindings"] or document["unanswered"]) and not account:
        raise ValueError("it has entries but no account")
    bound: dict[str, BoundIncident] = {}
    owners: dict[str, str] = {}
    for entry in document["bindings"]:
        key, incident_id = entry["key"], entry["incident_id"]
        if key in bound:
            raise ValueError(f"it binds '{key}' twice")
        if incident_id in owners:
            raise ValueError(f"it binds {entry['reference']} to '{owners[incident_id]}' and to '{key}'")
        owners[incident_id] = key
        bound[key] = _bound_from(entry)
    unanswered = {entry["key"]: _sent_from(entry) for entry in document["unanswered"]}
    if len(unanswered) < len(document["unanswered"]) or unanswered.keys() & bound.keys():
        raise ValueError("a key in `unanswered` appears twice, or is bound as well")
    return State(
        account=account and decode_record(Account, account),
        bound=bound,
        unanswered=unanswered,
    )


def _check_characters(document: JsonObject) -> None:
    """Raise ValueError for a lone surrogate outside the values: SQLite cannot store it."""
    heads = [{**each, "fields": []} for each in document["bindings"]]
    json.dumps([document["account"], heads, document["unanswered"]], ensure_ascii=False).encode()


def _bound_from(entry: JsonObject) -> BoundIncident:
    fields = dict(_field_from(each) for each in entry["fields"])
    if len({decode_record(Attribute, each["attribute"]) for each in entry["fields"]}) < len(entry["fields"]):
        raise ValueError(f"it has two values of one attribute of '{entry['key']}'")
    return BoundIncident(decode_record(Binding, entry), decode_moment(entry["at"]), fields)


def _sent_from(entry: JsonObject) -> Unanswered:
    """Return a creation in doubt. Raises ValueError if its body is not JSON in ASCII, as it is sent."""
    content, first_sent = entry.get("content"), entry.get("first_sent")
    if content is not None and not _is_creation(content, entry["idempotency_key"]):
        raise ValueError(f"the content of '{entry['key']}' is not the request of a creation")
    return Unanswered(entry["idempotency_key"], content, decode_moment(first_sent) if first_sent else None)


def _is_creation(content: str, idempotency_key: str) -> bool:
    """Whether a text is the body of a creation with this idempotency key, in ASCII, as it is sent."""
    body = json.loads(content)
    try:
        declared = sent_attributes(body)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
        return False
    has_key = body.get("idempotency_key") == idempotency_key
    return content.isascii() and has_key and Attribute(Field.VISIBILITY) in declared


def _field_from(entry: JsonObject) -> tuple[Attribute, Remembered]:
    field = renewed(entry)
    declared = decode_value(field["declared"])
    answered = decode_value(field["answered"]) if "answered" in field else declared
    known = Remembered(declared, answered, field.get("child_id"), field.get("refused"))
    return decode_record(Attribute, field["attribute"]), known
