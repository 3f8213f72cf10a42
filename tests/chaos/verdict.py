"""The account, files and outputs at the end of a run -> every broken promise.

It compares the account's own JSON with the declared one and shares no code with the importer.
"""

from __future__ import annotations

import signal
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.chaos.account import KEY, Account, Wire
from tests.chaos.declared import Declared
from tests.chaos.machine import CommandResult

_CODES = {0, 1, 2, 3, 4, 130, -signal.SIGKILL, -signal.SIGTERM}
"""The documented exit codes, and the signals that a program cannot handle, or not before it has started."""


def key_of(incident: Wire) -> str:
    """Return the key in the summary of an incident, or an empty string for one that is not the importer's."""
    word = (incident.get("summary") or "").split(" ", 1)[0]
    return word if word.startswith("K-") else ""


def by_key(account: Account) -> dict[str, list[Wire]]:
    """Return the importer's incidents of an account."""
    found: defaultdict[str, list[Wire]] = defaultdict(list)
    for each in account.incidents():
        found[key_of(each)].append(each)
    found.pop("", None)
    return found


def foreign(account: Account) -> dict[str, Wire]:
    """Return everything in the account about incidents that are not the importer's, by ID."""
    follow_ups = _grouped(account.follow_ups())
    return {
        each["id"]: {
            "incident": each,
            "follow_ups": follow_ups.get(each["id"], []),
            "timeline": account.timeline(each["id"]),
            "attachments": account.attachments(each["id"]),
        }
        for each in account.incidents()
        if not key_of(each)
    }


def of_account(account: Account, declared: Iterable[Declared]) -> Iterator[str]:
    """Yield the errors of the account: of incidents, their fields and their children."""
    live, follow_ups = by_key(account), _grouped(account.follow_ups())
    for incident in declared:
        found = live.pop(incident["key"], [])
        if len(found) != 1:
            word = "duplicates" if found else "lost"
            yield f"{word}: {incident['key']} is {[each['reference'] for each in found]}"
            continue
        yield from (f"{incident['key']}: {each}" for each in _fields(incident, found[0]))
        children = _children(account, found[0]["id"], follow_ups.get(found[0]["id"], []))
        for kind, titles in _declared_children(incident).items():
            if children[kind] != titles:
                yield f"{incident['key']}: {kind} are {dict(children[kind])}, not {dict(titles)}"
    yield from (f"nobody declared {key}" for key in live)
    for announcement in account.journal()["announcements"]:
        yield f"announcements: {announcement}"


def of_outputs(results: Iterable[CommandResult]) -> Iterator[str]:
    """Yield exit codes and messages that no command may end with."""
    for each in results:
        what = f"{' '.join(each.words)} ({each.code})"
        if each.code not in _CODES:
            yield f"exit code of {what}"
        if each.code in (1, 4) and each.began:
            yield f"exit code claims that nothing was written, but it began: {what}"
        if "Traceback" in each.out + each.err or "internal error" in each.err:
            yield f"a bug shows: {what}: {each.err[-2000:]}"


def of_files(folder: Path) -> Iterator[str]:
    """Yield the files that contain the API key."""
    for path in folder.rglob("*"):
        if path.is_file() and KEY.encode() in path.read_bytes():
            yield f"the API key is in {path}"


def _fields(incident: Declared, live: Wire) -> Iterator[str]:
    for name, wanted in _wanted(incident).items():
        found = _found(live).get(name)
        if found != wanted:
            yield f"{name} is {found!r}, not {wanted!r}"


def _wanted(incident: Declared) -> dict[str, Any]:
    """Return the declared attributes in the form that `_found` returns for live ones."""
    wanted = {
        "mode": "retrospective",
        "visibility": incident.get("visibility", "public"),
        "type": incident.get("incident_type", "Production"),
        "status": "Closed",
        "name": incident["name"],
        "summary": _text(incident["summary"]),
        "severity": incident["severity"],
        "call_url": incident.get("call_url"),
        "postmortem": incident.get("postmortem", {}).get("url"),
        **{name: _moment(at) for name, at in incident["timestamps"].items()},
        **incident.get("roles", {}),
    }
    if "external_id" in incident:
        wanted["reference"] = f"INC-{incident['external_id']}"
    for name, value in incident.get("custom_fields", {}).items():
        values = value if isinstance(value, list) else [value]
        wanted[name] = {Decimal(each) if name == "Customers affected" else each for each in values}
    return wanted


def _found(live: Wire) -> dict[str, Any]:
    found = {
        "mode": live["mode"],
        "visibility": live["visibility"],
        "type": live["incident_type"]["name"],
        "status": live["incident_status"]["name"],
        "name": live["name"],
        "summary": _text(live.get("summary", "")),
        "severity": live["severity"]["name"],
        "call_url": live.get("call_url"),
        "postmortem": live.get("postmortem_document_url"),
        "reference": live["reference"],
    }
    for each in live["incident_timestamp_values"]:
        if each.get("value"):
            found[each["incident_timestamp"]["name"]] = _moment(each["value"]["value"])
    for each in live["incident_role_assignments"]:
        if each.get("assignee"):
            found[each["role"]["name"]] = each["assignee"]["email"]
    for each in live["custom_field_entries"]:
        if each["values"]:
            found[each["custom_field"]["name"]] = {_value(value) for value in each["values"]}
    return found


def _value(value: Wire) -> Any:
    if "value_numeric" in value:
        return Decimal(value["value_numeric"])
    option = value.get("value_option") or {"value": value.get("value_catalog_entry", {}).get("name")}
    return option["value"] or value.get("value_text") or value.get("value_link")


def _children(account: Account, incident_id: str, follow_ups: list[Wire]) -> dict[str, Counter[Any]]:
    return {
        "follow-ups": Counter(
            (each["title"], each["status"], each.get("assignee", {}).get("email")) for each in follow_ups
        ),
        "timeline": Counter(
            (each["title"], _moment(each["timestamp"])) for each in account.timeline(incident_id)
        ),
        "attachments": Counter(each["resource"]["permalink"] for each in account.attachments(incident_id)),
    }


def _declared_children(incident: Declared) -> dict[str, Counter[Any]]:
    return {
        "follow-ups": Counter(
            (each["title"], each.get("status", "outstanding"), each.get("assignee"))
            for each in incident.get("follow_ups", [])
        ),
        "timeline": Counter((each["title"], _moment(each["at"])) for each in incident.get("timeline", [])),
        "attachments": Counter(each["url"] for each in incident.get("attachments", [])),
    }


def _grouped(children: Iterable[Wire]) -> dict[str, list[Wire]]:
    found: defaultdict[str, list[Wire]] = defaultdict(list)
    for each in children:
        found[each["incident_id"]].append(each)
    return found


def _text(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
