"""A scenario -> the incidents that a repository's files declare, later edits of them, and unrelated incidents."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.chaos.scenario import Scenario

Declared = dict[str, Any]

FIRST_NUMBER = 50_000
"""Higher than any number that the account assigns."""
STATUS_PAGE = "Acme status"
NAMESAKES = 20
"""How many keys of the first repository a second one in the same namespace declares too."""

_BEGAN = datetime(2015, 3, 1, 9, 14, tzinfo=UTC)
_NAMES = (
    "Checkout is down",
    "Zahlungen schlagen fehl — größer",
    "障害: 検索が遅い",
    "Deploy <b>v411</b> `failed`",
    "The API's  Latency Doubled",
)
_OTHER_NAMES = ("Printer on fire", "The lift is stuck", "Badge reader offline")
_SERVICES = ("API", "Checkout", "Dashboard", "Identity", "Webhooks")
_CAUSES = ("Capacity", "Code change", "Configuration")
_TEAMS = ("Payments", "Platform", "Growth")
_PEOPLE = ("lisa@example.com", "bob@example.com", "priya@example.com")


@dataclass(frozen=True, slots=True)
class Repository:
    """A folder of files. `letter` begins the first word of each summary, by which the harness tells the
    incidents of several repositories apart; their keys are the same."""

    letter: str
    namespace: str
    key_prefix: str
    names: tuple[str, ...]
    years_later: int
    size: int
    first_number: int | None


def first_repository(scenario: Scenario) -> Repository:
    """Return the repository that every scenario has."""
    number = FIRST_NUMBER if scenario.has_numbers else None
    return Repository("K", scenario.namespace, scenario.key_prefix, _NAMES, 0, scenario.incidents, number)


def other_repository(scenario: Scenario) -> Repository:
    """Return a repository with the same keys for other incidents, in a namespace of its own. If the first one
    has numbers, so has this one: those that the account assigns might be declared ones."""
    number = 2 * FIRST_NUMBER if scenario.has_numbers else None
    return Repository("L", "other", "", _OTHER_NAMES, 3, max(4, scenario.incidents // 4), number)


def namesake(scenario: Scenario, namespace: str) -> Repository:
    """Return a repository with the keys of the first one for other incidents."""
    size = min(NAMESAKES, scenario.incidents)
    return Repository("M", namespace, scenario.key_prefix, _OTHER_NAMES, 4, size, None)


def word(incident: Mapping[str, Any]) -> str:
    """Return the first word of a declared summary, which identifies the incident across repositories."""
    return str(incident["summary"]).split(" ", 1)[0]


def incidents(scenario: Scenario, repository: Repository) -> list[Declared]:
    """Return the incidents of a repository before any edit of its files."""
    return [_incident(scenario, repository, place) for place in range(repository.size)]


def edited(scenario: Scenario, repository: Repository, revision: int) -> list[Declared]:
    """Return the incidents as in the files after this many revisions of some of them."""
    found = incidents(scenario, repository)
    for number in range(1, revision + 1):
        dice = scenario.dice(f"revision {number} of {repository.letter}")
        found = [_edited(scenario, each, number) if dice.random() < 0.2 else each for each in found]
    return found


def unchangeable(scenario: Scenario, repository: Repository, revision: int) -> set[str]:
    """Return the words of incidents with a revised value that the API cannot change once it is created: the
    text of a post-mortem, or the name of a status page incident. A plan may show them as blocked."""
    if not revision:
        return set()
    versions = [edited(scenario, repository, each) for each in range(revision + 1)]
    return {word(each[0]) for each in zip(*versions, strict=True) if len(set(map(_fixed, each))) > 1}


def _fixed(incident: Declared) -> tuple[Any, ...]:
    has_page = "status_page" in incident
    return incident.get("postmortem", {}).get("content"), has_page and incident["name"]


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
    """Return the words of incidents whose number belongs to an unrelated incident: they stay blocked."""
    if not scenario.has_clashes:
        return {}
    return {f"K-{place:05}": FIRST_NUMBER + place for place in range(0, scenario.incidents, 17)}


def _incident(scenario: Scenario, repository: Repository, place: int) -> Declared:
    dice = scenario.dice(f"incident {repository.letter} {place}")
    began = _BEGAN + timedelta(hours=place, minutes=repository.years_later, days=365 * repository.years_later)
    began += timedelta(milliseconds=place % 3 * 250)
    name = f"{repository.letter}-{place:05}"
    found: Declared = {
        "key": f"{repository.key_prefix}K-{place:05}",
        "name": dice.choice(repository.names),
        "summary": f"{name} of the legacy tracker.\r\n\r\n| a_1 | b & c |  ",
        "severity": dice.choice(["Minor", "Major", "Critical"]),
        "timestamps": {
            "Impact started at": began.isoformat(),
            "Resolved at": (began + timedelta(minutes=90)).isoformat(),
        },
    }
    if repository.first_number is not None:
        found["external_id"] = repository.first_number + place
    if dice.random() < 0.5:
        found["custom_fields"] = {
            "Affected services": dice.sample(_SERVICES, 2),
            "Root cause": dice.choice(_CAUSES),
            "Customers affected": dice.choice(["1200", "1200.0", "0"]),
            "Affected teams": [dice.choice(_TEAMS)],
        }
        found["roles"] = {"Incident Lead": dice.choice(_PEOPLE)}
    if dice.random() < 0.1 or scenario.behaviour.creates_as == "public":
        found |= {"visibility": "private", "incident_type": "Security"}
    if dice.random() < 0.2:
        found["call_url"] = f"https://meet.example.com/{name}"
    if dice.random() < 0.1:
        found["postmortem"] = {"url": f"https://docs.example.com/{name}"}
    return found | _children(scenario, dice, name, began)


def _children(scenario: Scenario, dice: random.Random, name: str, began: datetime) -> Declared:
    found: Declared = {}
    if scenario.has_children and dice.random() < 0.3:
        found["timeline"] = list(_timeline(dice, began))
    if scenario.has_status_pages and dice.random() < 0.1:
        found["status_page"] = _status_page(name, began)
    if not scenario.has_keyless_children:
        return found
    if dice.random() < 0.3:
        found["follow_ups"] = [
            {"title": "Add an alert", "status": "completed", "assignee": dice.choice(_PEOPLE)},
            {"title": "Load  Test the team's pool", "labels": ["db"], "description": "At twice the peak."},
        ]
    if dice.random() < 0.2:
        urls = [f"https://graphs.example.com/{name}", f"https://Graphs.example.com/D/{name}/?from=1&to=2"]
        found["attachments"] = [
            {"resource_type": "arbitrary_url", "url": each, "title": "Error  rate"}
            for each in [urls, [f"{urls[0]}/"], urls[1:]][dice.randrange(3)]
        ]
    if dice.random() < 0.1:
        title = {"title": f"What {name}'s  outage Taught us"} if dice.random() < 0.5 else {}
        content = f"# The outage of {name}\n\nIt was long."
        found["postmortem"] = {"content": content, "status": "completed", **title}
    return found


def _timeline(dice: random.Random, began: datetime) -> Iterator[Declared]:
    titles = ("Deployed v411", *["Update"] * dice.choice([0, 1, 3]), "It's  over")
    for place, title in enumerate(titles):
        at = (began + timedelta(minutes=7 * place)).isoformat()
        yield {"at": at, "title": title, "description": f"By hand & by_us, step {place}"}


def _status_page(name: str, began: datetime) -> Declared:
    moments = [(began + timedelta(minutes=each)).isoformat() for each in (5, 80)]
    return {
        "page": STATUS_PAGE,
        "updates": [
            {"at": moments[0], "status": "investigating", "message": f"{name} is looked into."},
            {"at": moments[1], "status": "resolved", "message": f"{name} is over."},
        ],
    }


def _edited(scenario: Scenario, incident: Declared, revision: int) -> Declared:
    """Return an incident as somebody corrected it. The end of an outage is never corrected: without a field
    for the keys, something must still show that it is the same incident after a lost state."""
    name, dice = word(incident), scenario.dice(f"edit {revision} of {word(incident)}")
    changed = {
        **incident,
        "summary": f"{name} in the words of revision {revision} & of_us",
        "severity": "Major",
    }
    if dice.random() < 0.3:
        changed["name"] = f"{incident['name']} ({revision})"
    if dice.random() < 0.3:
        began = datetime.fromisoformat(incident["timestamps"]["Impact started at"]) + timedelta(minutes=2)
        changed["timestamps"] = {**incident["timestamps"], "Impact started at": began.isoformat()}
    if scenario.has_keyless_children:
        follow_ups = [{**each, "status": "not_doing"} for each in incident.get("follow_ups", [])]
        written = {"title": f"Written in {revision}", "description": "What the files say."}
        changed["follow_ups"] = [*follow_ups, written]
    if scenario.has_children:
        at = incident["timestamps"]["Resolved at"]
        changed["timeline"] = [*incident.get("timeline", []), {"at": at, "title": f"Seen in {revision}"}]
    if "content" in incident.get("postmortem", {}) and dice.random() < 0.3:
        content = incident["postmortem"]["content"].replace("outage", "Outage")
        changed["postmortem"] = {**incident["postmortem"], "content": content}
    return changed
