"""The account, files and outputs at the end of a run -> every broken promise.

It compares the account's own JSON with the declared one and shares no code with the importer.
"""

from __future__ import annotations

import re
import signal
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.chaos.account import KEY, Account, Wire
from tests.chaos.declared import STATUS_PAGE, Declared, word
from tests.chaos.machine import CommandResult

_CODES = {0, 1, 2, 3, 4, 130, -signal.SIGKILL, -signal.SIGTERM}
"""The documented exit codes, and the signals that a program cannot handle, or not before it has started."""

_WORD = re.compile(r"[KLM]-\d+")


@dataclass(frozen=True, slots=True)
class Expected:
    """What an account should hold. `rewrites` are the forms in which it stores texts, `marker` returns the
    value of the marker field for a key, `people` has the IDs of the children that somebody else made, and
    `unchangeable` the words of incidents with a value that was revised and cannot be changed; `refused` has the
    fields, by word, that the account refused to change."""

    declared: Collection[Declared]
    rewrites: Collection[str] = ()
    namespace: str = ""
    marker_field: str = ""
    people: Collection[str] = ()
    unchangeable: Collection[str] = ()
    refused: Mapping[str, Collection[str]] = field(default_factory=dict)

    def text(self, text: str | None) -> str:
        """Return a text in a form that the account's rewriting does not change."""
        found = (text or "").replace("\r\n", "\n").strip()
        if "spaces" in self.rewrites:
            found = " ".join(found.split())
        if "escapes" in self.rewrites:
            found = found.replace("\\_", "_").replace("&amp;", "&")
        if "quotes" in self.rewrites:
            found = found.translate(_STRAIGHT)
        return found.casefold() if "case" in self.rewrites else found

    def link(self, url: str | None) -> str:
        """Return a link in a form that the account's rewriting does not change."""
        path, mark, query = self.text(url).partition("?")
        kept = path.rstrip("/") if "slash" in self.rewrites else path
        return kept if "query" in self.rewrites else f"{kept}{mark}{query}"

    def marker(self, key: str) -> str:
        """Return what the marker field of an incident holds."""
        is_bare = not self.namespace and "/" not in key
        return key if is_bare else f"{self.namespace or 'default'}/{key}"


_STRAIGHT = str.maketrans("\u2019\u2018\u201c\u201d", "''\"\"")


def key_of(incident: Wire) -> str:
    """Return the first word of an incident's summary, or an empty string for one that is not declared."""
    first = (incident.get("summary") or "").partition(" ")[0].upper()
    return first if _WORD.fullmatch(first) else ""


def by_key(account: Account) -> dict[str, list[Wire]]:
    """Return the declared incidents of an account by the first word of their summaries."""
    found: defaultdict[str, list[Wire]] = defaultdict(list)
    for each in account.incidents():
        found[key_of(each)].append(each)
    found.pop("", None)
    return found


def whole(account: Account, incidents: Iterable[Wire]) -> dict[str, Wire]:
    """Return everything in the account about these incidents, by ID."""
    follow_ups, documents = _grouped(account.follow_ups()), _grouped(account.postmortems())
    return {
        each["id"]: {
            "incident": each,
            "follow_ups": follow_ups.get(each["id"], []),
            "timeline": account.timeline(each["id"]),
            "attachments": account.attachments(each["id"]),
            "postmortems": documents.get(each["id"], []),
        }
        for each in incidents
    }


def foreign(account: Account) -> dict[str, Wire]:
    """Return everything in the account about incidents that no file declares, by ID."""
    return whole(account, [each for each in account.incidents() if not key_of(each)])


def of_account(account: Account, *expected: Expected) -> Iterator[str]:
    """Yield the errors of the account: of incidents, their fields and their children."""
    live, lists = by_key(account), _Lists.of(account)
    for each in expected:
        for incident in each.declared:
            found = live.pop(word(incident), [])
            if len(found) != 1:
                what = "duplicates" if found else "lost"
                yield f"{what}: {word(incident)} is {[one['reference'] for one in found]}"
                continue
            errors = (*_fields(each, incident, found[0]), *_children(each, incident, found[0], lists))
            yield from (f"{word(incident)}: {error}" for error in errors)
    yield from (f"nobody declared {key}" for key in live)
    for announcement in account.journal()["announcements"]:
        yield f"announcements: {announcement}"


def of_outputs(results: Iterable[CommandResult]) -> Iterator[str]:
    """Yield exit codes and messages that no command may end with."""
    for each in results:
        what = f"{' '.join(each.words)} ({each.code})"
        if each.code not in _CODES:
            yield f"exit code of {what}"
        yield from (f"{error}: {what}" for error in _untrue_counts(each))
        if "Traceback" in each.out + each.err or "internal error" in each.err:
            yield f"a bug shows: {what}: {each.err[-2000:]}"


def _untrue_counts(result: CommandResult) -> Iterator[str]:
    """Yield what the counts of an apply say against its own events and its exit code."""
    if result.code < 0:
        return
    events = result.events()
    done = Counter(each["outcome"] for each in events if each["type"] == "apply_complete")
    if result.code in (1, 4) and done:
        yield f"the exit code says that nothing was written, but {dict(done)}"
    for summary in (each for each in events if each["type"] == "apply_summary"):
        counted = {name: summary[name] for name in ("created", "updated", "adopted") if summary[name]}
        if counted != dict(done):
            yield f"the summary has {counted}, the events {dict(done)}"
        left = sum(summary[name] for name in ("failed", "unknown", "not_attempted", "incomplete", "blocked"))
        if (result.code == 0) != (left == 0):
            yield f"exit {result.code} with {left} left"
        if result.code not in (0, 1, 3, 130):
            yield f"exit {result.code} after an apply"


def of_files(folder: Path) -> Iterator[str]:
    """Yield the files that contain the API key."""
    for path in folder.rglob("*"):
        if path.is_file() and KEY.encode() in path.read_bytes():
            yield f"the API key is in {path}"


def _fields(expected: Expected, incident: Declared, live: Wire) -> Iterator[str]:
    held = _found(expected, live)
    refused = {part for each in expected.refused.get(word(incident), ()) for part in each.split(".", 1)}
    for name, wanted in _wanted(expected, incident).items():
        if held.get(name) != wanted and name not in refused:
            yield f"{name} is {held.get(name)!r}, not {wanted!r}"


def _wanted(expected: Expected, incident: Declared) -> dict[str, Any]:
    """Return the declared attributes in the form that `_found` returns for live ones."""
    wanted = {
        "mode": "retrospective",
        "visibility": incident.get("visibility", "public"),
        "type": incident.get("incident_type", "Production"),
        "status": "Closed",
        "name": expected.text(incident["name"]),
        "summary": expected.text(incident["summary"]),
        "severity": incident["severity"],
        **{name: _moment(at) for name, at in incident["timestamps"].items()},
        **incident.get("roles", {}),
    }
    if "call_url" in incident:
        wanted["call_url"] = expected.link(incident["call_url"])
    if "content" not in incident.get("postmortem", {}):
        wanted["postmortem"] = expected.link(incident.get("postmortem", {}).get("url"))
    if "external_id" in incident:
        wanted["reference"] = f"INC-{incident['external_id']}"
    if expected.marker_field:
        wanted[expected.marker_field] = {expected.text(expected.marker(incident["key"]))}
    for name, value in incident.get("custom_fields", {}).items():
        values = value if isinstance(value, list) else [value]
        wanted[name] = {Decimal(each) if name == "Customers affected" else each for each in values}
    return wanted


def _found(expected: Expected, live: Wire) -> dict[str, Any]:
    found = {
        "mode": live["mode"],
        "visibility": live["visibility"],
        "type": live["incident_type"]["name"],
        "status": live["incident_status"]["name"],
        "name": expected.text(live["name"]),
        "summary": expected.text(live.get("summary")),
        "severity": live["severity"]["name"],
        "call_url": expected.link(live.get("call_url")),
        "postmortem": expected.link(live.get("postmortem_document_url")),
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
            found[each["custom_field"]["name"]] = {_value(expected, value) for value in each["values"]}
    return found


def _value(expected: Expected, value: Wire) -> Any:
    if "value_numeric" in value:
        return Decimal(value["value_numeric"])
    option = value.get("value_option") or {"value": value.get("value_catalog_entry", {}).get("name")}
    return option["value"] or expected.text(value.get("value_text") or value.get("value_link"))


@dataclass(frozen=True, slots=True)
class _Lists:
    """The children that one list shows for all incidents, by incident, and the timelines' account."""

    account: Account
    follow_ups: Mapping[str, list[Wire]]
    documents: Mapping[str, list[Wire]]
    published: Mapping[str, list[Wire]] = field(default_factory=dict)

    @classmethod
    def of(cls, account: Account) -> _Lists:
        published: defaultdict[str, list[Wire]] = defaultdict(list)
        for each in account.status_page_incidents(STATUS_PAGE):
            published[each["updates"][0]["message"].partition(" ")[0].upper()].append(each)
        return cls(account, _grouped(account.follow_ups()), _grouped(account.postmortems()), published)

    def of_incident(self, incident_id: str, name: str) -> dict[str, list[Wire]]:
        """Return the children of an incident, without timeline items that the account promoted from its
        activity or that belong to a stream."""
        timeline = [
            each
            for each in self.account.timeline(incident_id)
            if not each.get("activity_log_id") and each["incident_id"] == incident_id
        ]
        return {
            "follow-ups": self.follow_ups.get(incident_id, []),
            "timeline": timeline,
            "attachments": self.account.attachments(incident_id),
            "post-mortems": [e for e in self.documents.get(incident_id, []) if e["type"] == "in_app"],
            "status page": self.published.get(name, []),
        }


def _children(expected: Expected, incident: Declared, live: Wire, lists: _Lists) -> Iterator[str]:
    held = lists.of_incident(live["id"], word(incident))
    wanted = _declared_children(expected, incident)
    for kind, children in held.items():
        ours = [each for each in children if each["id"] not in expected.people]
        found = Counter(_LIVE_CHILD[kind](expected, each) for each in ours)
        if word(incident) in expected.unchangeable and kind in ("post-mortems", "status page"):
            if found.total() != wanted[kind].total():
                yield f"{kind} are {dict(found)}, not one"
        elif found != wanted[kind]:
            surplus, missing = dict(found - wanted[kind]), dict(wanted[kind] - found)
            yield f"{kind}: {surplus} are too many, {missing} are missing"


_LIVE_CHILD: Mapping[str, Callable[[Expected, Wire], tuple[Any, ...]]] = {
    "follow-ups": lambda expected, each: (
        expected.text(each["title"]),
        each["status"],
        each.get("assignee", {}).get("email"),
        expected.text(each.get("description")),
        tuple(each.get("labels", ())),
    ),
    "timeline": lambda expected, each: (
        expected.text(each["title"]),
        _moment(each["timestamp"]),
        expected.text(each.get("description")),
    ),
    "attachments": lambda expected, each: (
        expected.link(each["resource"]["permalink"]),
        _given_title(expected, each["resource"]["title"]),
    ),
    "post-mortems": lambda expected, each: (expected.text(each["title"]), each["status"]),
    "status page": lambda expected, each: (expected.text(each["name"]), len(each["updates"])),
}


def _declared_children(expected: Expected, incident: Declared) -> dict[str, Counter[tuple[Any, ...]]]:
    """Return the declared children in the form of `_LIVE_CHILD`."""
    return {
        "follow-ups": Counter(
            (
                expected.text(each["title"]),
                each.get("status", "outstanding"),
                each.get("assignee"),
                expected.text(each.get("description")),
                tuple(each.get("labels", ())),
            )
            for each in incident.get("follow_ups", [])
        ),
        "timeline": Counter(
            (expected.text(each["title"]), _moment(each["at"]), expected.text(each.get("description")))
            for each in incident.get("timeline", [])
        ),
        "attachments": Counter(
            (expected.link(each["url"]), _given_title(expected, each.get("title", "")))
            for each in incident.get("attachments", [])
        ),
        "post-mortems": Counter(
            (expected.text(each.get("title") or _heading(each["content"])), each["status"])
            for each in [incident.get("postmortem", {})]
            if "content" in each
        ),
        "status page": Counter(
            (expected.text(each.get("name") or incident["name"]), len(each["updates"]))
            for each in [incident.get("status_page")]
            if each
        ),
    }


def _given_title(expected: Expected, title: str) -> str:
    """Return the title of an attachment, or nothing for the link that stands in for a missing one."""
    return "" if title.startswith("https://") else expected.text(title)


def _heading(content: str) -> str:
    return content.partition("\n")[0].removeprefix("# ")


def _grouped(children: Iterable[Wire]) -> dict[str, list[Wire]]:
    found: defaultdict[str, list[Wire]] = defaultdict(list)
    for each in children:
        found[each["incident_id"]].append(each)
    return found


def _moment(text: str) -> datetime:
    """Return an instant without its milliseconds, which the account may cut."""
    return datetime.fromisoformat(text).astimezone(UTC).replace(microsecond=0)
