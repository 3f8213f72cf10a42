"""A scenario -> the incidents that its files declare, later edits of them, and unrelated incidents."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.chaos.scenario import Scenario

Declared = dict[str, Any]

FIRST_NUMBER = 50_000
"""Higher than any number that the account assigns."""

_BEGAN = datetime(2015, 3, 1, 9, 14, tzinfo=UTC)
_NAMES = (
    "Checkout is down",
    "Zahlungen schlagen fehl — größer",
    "障害: 検索が遅い",
    "Deploy <b>v411</b> `failed`",
)
_SERVICES = ("API", "Checkout", "Dashboard", "Identity", "Webhooks")
_CAUSES = ("Capacity", "Code change", "Configuration")
_TEAMS = ("Payments", "Platform", "Growth")
_PEOPLE = ("lisa@example.com", "bob@example.com", "priya@example.com")


def incidents(scenario: Scenario) -> list[Declared]:
    """Return the incidents; the first word of each summary is the key."""
    return [_incident(scenario, place) for place in range(scenario.incidents)]


def edited(scenario: Scenario, revision: int) -> list[Declared]:
    """Return the incidents as in the files after this many revisions of some of them."""
    found = incidents(scenario)
    for number in range(1, revision + 1):
        dice = scenario.dice(f"revision {number}")
        found = [_edited(scenario, each, number) if dice.random() < 0.2 else each for each in found]
    return found


def foreign(scenario: Scenario) -> Iterator[dict[str, Any]]:
    """Yield creation payloads of unrelated incidents, live and retrospective, with the names and, if numbers
    clash, the numbers of declared ones. They lack a severity ID."""
    for place in range(4):
        yield {
            "idempotency_key": f"somebody else {place}",
            "mode": "standard" if place % 2 else "retrospective",
            "visibility": "public",
            "name": _NAMES[place % len(_NAMES)],
            "summary": "not the importer's",
        }
    for key, number in clashes(scenario).items():
        yield {
            "idempotency_key": f"somebody else with the number of {key}",
            "mode": "retrospective",
            "visibility": "public",
            "name": _NAMES[0],
            "retrospective_incident_options": {"external_id": number},
        }


def clashes(scenario: Scenario) -> dict[str, int]:
    """Return the keys, with numbers, whose number belongs to an unrelated incident: they stay blocked."""
    if not scenario.has_clashes:
        return {}
    return {_key(place): FIRST_NUMBER + place for place in range(0, scenario.incidents, 17)}


def _key(place: int) -> str:
    return f"K-{place:05}"


def _incident(scenario: Scenario, place: int) -> Declared:
    dice, began = scenario.dice(f"incident {place}"), _BEGAN + timedelta(hours=place)
    found: Declared = {
        "key": _key(place),
        "name": dice.choice(_NAMES),
        "summary": f"{_key(place)} of the legacy tracker.\r\n\r\n| a | b |  ",
        "severity": dice.choice(["Minor", "Major", "Critical"]),
        "timestamps": {
            "Impact started at": began.isoformat(),
            "Resolved at": (began + timedelta(minutes=90)).isoformat(),
        },
    }
    if scenario.has_numbers:
        found["external_id"] = FIRST_NUMBER + place
    if dice.random() < 0.5:
        found["custom_fields"] = {
            "Affected services": dice.sample(_SERVICES, 2),
            "Root cause": dice.choice(_CAUSES),
            "Customers affected": dice.choice(["1200", "1200.0", "0"]),
            "Affected teams": [dice.choice(_TEAMS)],
        }
        found["roles"] = {"Incident Lead": dice.choice(_PEOPLE)}
    if dice.random() < 0.1:
        found |= {"visibility": "private", "incident_type": "Security"}
    if dice.random() < 0.2:
        found["call_url"] = f"https://meet.example.com/{place}"
    if dice.random() < 0.1:
        found["postmortem"] = {"url": f"https://docs.example.com/{place}"}
    if scenario.has_children and dice.random() < 0.3:
        found["timeline"] = [{"at": began.isoformat(), "title": "Deployed v411", "description": "By hand"}]
    if scenario.has_keyless_children and dice.random() < 0.3:
        found["follow_ups"] = [
            {"title": "Add an alert", "status": "completed", "assignee": dice.choice(_PEOPLE)},
            {"title": "Load test", "labels": ["db"]},
        ]
    if scenario.has_keyless_children and dice.random() < 0.2:
        url = f"https://graphs.example.com/{place}"
        found["attachments"] = [{"resource_type": "arbitrary_url", "url": url, "title": "Error rate"}]
    return found


def _edited(scenario: Scenario, incident: Declared, revision: int) -> Declared:
    key = incident["key"]
    changed = {**incident, "summary": f"{key} in the words of revision {revision}", "severity": "Major"}
    if scenario.has_keyless_children:
        changed["follow_ups"] = [*incident.get("follow_ups", []), {"title": f"Written in {revision}"}]
    if scenario.has_children:
        at = incident["timestamps"]["Resolved at"]
        changed["timeline"] = [*incident.get("timeline", []), {"at": at, "title": f"Seen in {revision}"}]
    return changed
