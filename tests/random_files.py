"""Random files of incidents, random server behaviour, and a rehearsal of the two."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from importer.model.settings import Settings
from importer.sandbox import SandboxOptions, open_sandbox
from tests.rehearsal import Rehearsal

_WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Co", "Cn")), max_size=60)
_NAMES = _WORDS.map(str.strip).filter(bool)
_MOMENTS = st.datetimes(datetime(2015, 1, 1), datetime(2025, 1, 1), timezones=st.just(UTC)).map(
    lambda moment: moment.isoformat()
)
_SERVICES = ["API", "Checkout", "Dashboard", "Search", "Webhooks", "Identity"]
_OPTIONAL: dict[str, st.SearchStrategy[Any]] = {
    "summary": st.one_of(st.none(), st.lists(_WORDS, max_size=4).map("\n".join)),
    "status": st.just("closed"),
    "incident_type": st.sampled_from(["Production", "internal"]),
    "call_url": st.just("https://meet.example.com/x"),
    "timestamps": st.dictionaries(
        st.sampled_from(["Impact started at", "Resolved at", "Fixed at"]), st.one_of(st.none(), _MOMENTS)
    ),
    "roles": st.dictionaries(
        st.sampled_from(["Incident Lead", "Scribe"]),
        st.sampled_from([None, "lisa@example.com", "BOB@example.com", {"slack_user_id": "U02B1TQK7A1"}]),
    ),
    "custom_fields": st.fixed_dictionaries(
        {},
        optional={
            "Affected services": st.lists(st.sampled_from(_SERVICES), max_size=4),
            "Affected teams": st.lists(st.sampled_from(["Payments", "infra", "Data"]), max_size=3),
            "Root cause": st.sampled_from([None, "Capacity", " code change "]),
            "Customers affected": st.sampled_from([None, 0, 1200, "1200.0", "-0.5", "1_000"]),
            "Legacy ID": _WORDS,
            "Runbook": st.just("https://runbooks.example.com/a?b=c#d"),
        },
    ),
    "timeline": st.lists(
        st.fixed_dictionaries({"at": _MOMENTS, "title": st.sampled_from(["A", "B"])}), max_size=3
    ),
    "follow_ups": st.lists(
        st.fixed_dictionaries(
            {"title": st.sampled_from(["Alert", "Test"])},
            optional={"status": st.sampled_from(["completed", "outstanding"]), "description": _NAMES},
        ),
        max_size=2,
    ),
}
INCIDENT = st.fixed_dictionaries(
    {"name": _NAMES, "severity": st.sampled_from(["Minor", "major", "CRITICAL"])}, optional=_OPTIONAL
)
INCIDENTS = st.lists(INCIDENT, min_size=1, max_size=5).map(
    lambda found: [{"key": f"K-{number}", **each} for number, each in enumerate(found)]
)
LIBERTIES = st.builds(
    SandboxOptions,
    rate_limit=st.none(),
    normalises=st.booleans(),
    sets_timestamps=st.booleans(),
    makes_slack_channels=st.booleans(),
)


@contextmanager
def rehearsed(incidents: list[dict[str, Any]], options: SandboxOptions) -> Iterator[Rehearsal]:
    folder = Path(tempfile.mkdtemp())
    sandbox = open_sandbox(None, options=options)
    try:
        write(folder, incidents)
        yield Rehearsal(folder, sandbox, Settings(root=folder, state=folder / ".importer" / "state.db"))
    finally:
        sandbox.close()
        shutil.rmtree(folder)


def write(folder: Path, incidents: list[dict[str, Any]]) -> None:
    for file in folder.glob("*.yaml"):
        file.unlink()
    for number, each in enumerate(incidents):
        content = yaml.safe_dump(each, allow_unicode=True, sort_keys=False)
        (folder / f"{number}.yaml").write_text(content, encoding="utf-8")
