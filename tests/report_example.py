"""A plan as a team sees it in the middle of a migration, when part of the history is imported.

It is made by planning against the sandbox, always from the same incidents.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import yaml

from importer.model import Plan
from importer.model.settings import Settings
from importer.sandbox import open_sandbox
from importer.sandbox.options import SandboxOptions
from tests.rehearsal import Rehearsal

_FAULTS = (
    ("Payments API returned 500s", "API", "Code change", "Payments"),
    ("Checkout was slow", "Checkout", "Capacity", "Growth"),
    ("Nobody could log in", "Identity", "Configuration change", "Platform"),
    ("Search showed old results", "Search", "Dependency", "Data"),
    ("Card payments were declined", "API", "Dependency", "Payments"),
    ("Password mails did not arrive", "Email delivery", "Dependency", "Platform"),
)
_SEVERITIES = ("Minor",) * 6 + ("Major",) * 3 + ("Critical",)
_LEADS = ("lisa@example.com", "priya@example.com", "bob@example.com")
_SUMMARY = """\
## What happened

{name} for {minutes} minutes. {customers} customers noticed.

## Why

{cause}: a limit was lower than anybody knew.

## What we did

We rolled back, and watched the graphs for an hour.
"""


@contextmanager
def planned(folder: Path) -> Iterator[Plan]:
    """Yield the plan: 60 incidents are in the account, 90 more are declared, some were edited since."""
    with closing(open_sandbox(None, options=SandboxOptions(rate_limit=None))) as sandbox:
        rehearsal = Rehearsal(folder, sandbox, Settings(root=folder, state=folder / ".importer" / "state.db"))
        _write(folder, "incidents/2021-2022.yaml", _incidents(60, first=1, year=2021))
        rehearsal.apply()
        _write(folder, "incidents/2021-2022.yaml", _edited(_incidents(60, first=1, year=2021)))
        _write(folder, "incidents/2022-2024.yaml", _incidents(84, first=61, year=2022, days=1050))
        _write(folder, "incidents/security.yaml", _private(_incidents(6, first=901, year=2023)))
        yield rehearsal.plan()


def _incidents(number: int, *, first: int, year: int, days: int = 720) -> list[dict[str, Any]]:
    chance = Random(year * 1000 + first)
    found = sorted(chance.randrange(days) for _ in range(number))
    return [_incident(f"OPS-{first + each}", found[each], year, chance) for each in range(number)]


def _incident(key: str, day: int, year: int, chance: Random) -> dict[str, Any]:
    began = datetime(year, 1, 1, tzinfo=UTC) + timedelta(days=day, minutes=chance.randrange(1440))
    minutes, customers = chance.randrange(5, 240), chance.randrange(10, 4000)
    name, service, cause, team = chance.choice(_FAULTS)
    return {
        "key": key,
        "name": name,
        "summary": _SUMMARY.format(name=name, minutes=minutes, customers=customers, cause=cause),
        "severity": chance.choice(_SEVERITIES),
        "incident_type": "Production",
        "timestamps": {
            "Impact started at": began.isoformat(),
            "Resolved at": (began + timedelta(minutes=minutes)).isoformat(),
        },
        "roles": {"Incident Lead": chance.choice(_LEADS)},
        "custom_fields": {"Affected services": [service], "Affected teams": [team]},
    }


def _edited(incidents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the incidents with later corrections, one of which the API cannot make."""
    for each in incidents[4:40:9]:
        each["severity"] = "Major"
        each["summary"] = each["summary"].replace("for an hour", "for two hours")
        each["custom_fields"]["Affected teams"].append("Mobile")
    incidents[20]["incident_type"] = "Internal"
    return incidents


def _private(incidents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each | {"visibility": "private", "incident_type": "Security"} for each in incidents]


def _write(folder: Path, name: str, incidents: list[dict[str, Any]]) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump({"incidents": incidents}, sort_keys=False), encoding="utf-8")
