"""Turn the custom fields, roles and timestamps of a payload into identifiers and values, and into problems.

Shapes were checked before (payload.py): an item of a wrong shape is None, so that others keep their place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import assert_never
from urllib.parse import urlsplit

from importer.sandbox.account import Account, unknown
from importer.sandbox.choices import Clearing, UnknownEmail
from importer.sandbox.problems import Problem, invalid, required
from importer.sandbox.records import Wire

_VALUE_KEYS = ("value_option_id", "value_catalog_entry_id", "value_text", "value_link", "value_numeric")
_KEYS_BY_TYPE = {"text": "value_text", "link": "value_link", "numeric": "value_numeric"}


@dataclass(frozen=True, slots=True)
class Assignments:
    """What a payload sets, by identifier. An empty tuple, an empty string or None clears; what is absent is
    kept. `reporters` are the positions of assignments to a reporter role."""

    custom_fields: Mapping[str, tuple[str, ...]]
    roles: Mapping[str, str]
    timestamps: Mapping[str, int | None]
    reporters: tuple[int, ...]
    problems: tuple[Problem, ...]


@dataclass(slots=True)
class _Reading:
    account: Account
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, path: str, message: str) -> None:
        self.problems.append(invalid(path, message))


def read_assignments(account: Account, payload: Wire) -> Assignments:
    """Return everything that a create or edit payload assigns."""
    reading = _Reading(account)
    roles, reporters = _roles(reading, payload.get("incident_role_assignments", ()))
    return Assignments(
        custom_fields=_custom_fields(reading, payload.get("custom_field_entries", ())),
        roles=roles,
        timestamps=_timestamps(reading, payload.get("incident_timestamp_values", ())),
        reporters=reporters,
        problems=tuple(reading.problems),
    )


def _present(name: str, items: Sequence[Wire | None], identifier: str) -> Iterator[tuple[str, Wire]]:
    """Yield the items that have this identifier, each with its path."""
    for place, item in enumerate(items):
        if item is not None and identifier in item:
            yield f"{name}.{place}", item


def _custom_fields(reading: _Reading, entries: Sequence[Wire | None]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for path, entry in _present("custom_field_entries", entries, "custom_field_id"):
        identifier = entry["custom_field_id"]
        custom_field = reading.account.catalogue.custom_fields.get(identifier)
        if custom_field is None:
            reading.problems.append(unknown(f"{path}.custom_field_id", identifier))
        elif identifier in found:
            reading.refuse(f"{path}.custom_field_id", "a custom field may have one entry only")
        else:
            found[identifier] = _values(reading, custom_field, entry.get("values", ()), f"{path}.values")
    return found


def _values(
    reading: _Reading, custom_field: Wire, values: Sequence[Wire | None], path: str
) -> tuple[str, ...]:
    if len(values) > 1 and custom_field["field_type"] != "multi_select":
        reading.refuse(path, f"a {custom_field['field_type']} field takes one value")
    read = [
        _value(reading, custom_field, value, f"{path}.{place}")
        for place, value in enumerate(values)
        if value is not None
    ]
    return tuple(dict.fromkeys(value for value in read if value))


def _value(reading: _Reading, custom_field: Wire, value: Wire, path: str) -> str:
    key = _KEYS_BY_TYPE.get(custom_field["field_type"])
    if key is None:
        key = "value_catalog_entry_id" if "catalog_type_id" in custom_field else "value_option_id"
    if any(other in value for other in _VALUE_KEYS if other != key) or key not in value:
        reading.refuse(path, f"the custom field {custom_field['name']!r} takes {key}")
        return ""
    return _VALUE_READERS[key](reading, custom_field, value[key], f"{path}.{key}")


def _option(reading: _Reading, custom_field: Wire, text: str, path: str) -> str:
    option = reading.account.store.options().get(text)
    if option is None or option["custom_field_id"] != custom_field["id"]:
        reading.refuse(path, f"no option of {custom_field['name']!r} has the ID {text!r}")
        return ""
    return text


def _catalog_entry(reading: _Reading, custom_field: Wire, text: str, path: str) -> str:
    entries = reading.account.catalogue.entries_by_identifier
    entry = entries.get((custom_field["catalog_type_id"], text))
    if entry is None:
        reading.refuse(path, f"no catalog entry for {custom_field['name']!r} has the identifier {text!r}")
        return ""
    return str(entry["id"])


def _text(_reading: _Reading, _custom_field: Wire, text: str, _path: str) -> str:
    return text


def _link(reading: _Reading, _custom_field: Wire, text: str, path: str) -> str:
    if text and not is_link(text):
        reading.refuse(path, f"{text!r} is not a valid URL")
    return text


def _numeric(reading: _Reading, _custom_field: Wire, text: str, path: str) -> str:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if text and not number.is_finite():
        reading.refuse(path, f"{text!r} is not a number")
        return ""
    return text


_VALUE_READERS: dict[str, Callable[[_Reading, Wire, str, str], str]] = {
    "value_option_id": _option,
    "value_catalog_entry_id": _catalog_entry,
    "value_text": _text,
    "value_link": _link,
    "value_numeric": _numeric,
}


def _roles(reading: _Reading, assignments: Sequence[Wire | None]) -> tuple[dict[str, str], tuple[int, ...]]:
    found: dict[str, str] = {}
    reporters: list[int] = []
    for path, assignment in _present("incident_role_assignments", assignments, "incident_role_id"):
        identifier = assignment["incident_role_id"]
        role = reading.account.catalogue.roles.get(identifier)
        if role is None:
            reading.problems.append(unknown(f"{path}.incident_role_id", identifier))
            continue
        if role["role_type"] == "reporter":
            reporters.append(int(path.rpartition(".")[2]))
        assignee = assignment.get("assignee")
        if assignee is not None:
            user = _assignee(reading, assignee, f"{path}.assignee")
        elif _clears(reading, assignment, f"{path}.assignee"):
            user = ""
        else:
            continue
        if user is not None:
            found[identifier] = user
    return found, tuple(reporters)


def _clears(reading: _Reading, item: Wire, path: str) -> bool:
    """Return whether an item without a value clears; it may have null, or no property at all."""
    match reading.account.options.clearing:
        case Clearing.OMITTED:
            return True
        case Clearing.NULL:
            return path.rpartition(".")[2] in item
        case Clearing.NEVER:
            return False
        case Clearing.REFUSED:
            reading.problems.append(required(path))
            return False
        case never:
            assert_never(never)


def _assignee(reading: _Reading, assignee: Wire, path: str) -> str | None:
    """Return the ID of the assigned user, or None if the assignment is to be ignored."""
    options, users = reading.account.options, reading.account.catalogue.users
    for key in ("id", "slack_user_id", "email"):
        if text := assignee.get(key):
            matching = [user for user in users.values() if user.get(key) == text]
            # Merges leave several users with one email; the active one is meant.
            active = [user for user in matching if user["is_active"]] or matching
            if not active and key == "email" and options.unknown_email is UnknownEmail.IGNORED:
                return None
            if len(active) != 1:
                reading.refuse(f"{path}.{key}", f"{len(active)} users have the {key} {text!r}")
            elif options.refuses_inactive and not active[0]["is_active"]:
                reading.refuse(f"{path}.{key}", f"the user {active[0]['name']!r} is not active")
            else:
                return str(active[0]["id"])
            return None
    reading.problems.append(required(path, "an assignee needs an id, an email or a slack_user_id"))
    return None


def _timestamps(reading: _Reading, values: Sequence[Wire | None]) -> dict[str, int | None]:
    found: dict[str, int | None] = {}
    now = reading.account.now()
    for path, value in _present("incident_timestamp_values", values, "incident_timestamp_id"):
        identifier, moment = value["incident_timestamp_id"], value.get("value")
        if identifier not in reading.account.catalogue.timestamps:
            reading.problems.append(unknown(f"{path}.incident_timestamp_id", identifier))
        elif moment is not None and reading.account.options.refuses_future and moment > now:
            reading.refuse(f"{path}.value", "the timestamp is in the future")
        elif moment is not None or _clears(reading, value, f"{path}.value"):
            found[identifier] = moment
    return found


def is_link(text: str) -> bool:
    """Return whether a text is an absolute http(s) URL."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc)
