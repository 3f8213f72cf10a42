"""What holds for any files: apply then plan is empty, order does not matter, unmanaged is never sent."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from importer.model import Create, NoOp
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
_INCIDENT = st.fixed_dictionaries(
    {"name": _NAMES, "severity": st.sampled_from(["Minor", "major", "CRITICAL"])}, optional=_OPTIONAL
)
_INCIDENTS = st.lists(_INCIDENT, min_size=1, max_size=5).map(
    lambda found: [{"key": f"K-{number}", **each} for number, each in enumerate(found)]
)
_LIBERTIES = st.builds(
    SandboxOptions,
    rate_limit=st.none(),
    normalises=st.booleans(),
    sets_timestamps=st.booleans(),
    makes_slack_channels=st.booleans(),
)


@contextmanager
def _rehearsal(incidents: list[dict[str, Any]], options: SandboxOptions) -> Iterator[Rehearsal]:
    folder = Path(tempfile.mkdtemp())
    sandbox = open_sandbox(None, options=options)
    try:
        _write(folder, incidents)
        yield Rehearsal(folder, sandbox, Settings(root=folder, state=folder / ".importer" / "state.db"))
    finally:
        sandbox.close()
        shutil.rmtree(folder)


def _write(folder: Path, incidents: list[dict[str, Any]]) -> None:
    for file in folder.glob("*.yaml"):
        file.unlink()
    for number, each in enumerate(incidents):
        content = yaml.safe_dump(each, allow_unicode=True, sort_keys=False)
        (folder / f"{number}.yaml").write_text(content, encoding="utf-8")


def _shuffled(value: Any, chance: random.Random) -> Any:
    """Return the same declaration in another order of keys and of the members of multi-selects."""
    if isinstance(value, dict):
        pairs = [(key, _shuffled(each, chance)) for key, each in value.items()]
        chance.shuffle(pairs)
        return dict(pairs)
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return chance.sample(value, len(value))
    return value


@settings(max_examples=40, deadline=None)
@given(_INCIDENTS, _LIBERTIES)
def test_after_apply_the_next_plan_is_empty_whatever_the_server_does_with_values(
    incidents: list[dict[str, Any]], options: SandboxOptions
) -> None:
    with _rehearsal(incidents, options) as rehearsal:
        run = rehearsal.apply(rehearsal.folder, parallelism=4)
        assert len(run.outcomes) == len(incidents)
        assert all(isinstance(change, NoOp) for change in rehearsal.plan(rehearsal.folder).changes)
        assert sorted(rehearsal.sandbox.journal().creations.values()) == [1] * len(incidents)
        assert not rehearsal.sandbox.journal().announcements


@settings(max_examples=25, deadline=None)
@given(_INCIDENTS, st.randoms(use_true_random=False))
def test_the_order_of_files_keys_and_members_does_not_matter(
    incidents: list[dict[str, Any]], chance: random.Random
) -> None:
    with _rehearsal(incidents, SandboxOptions(rate_limit=None)) as rehearsal:
        first = rehearsal.plan(rehearsal.folder)
        rehearsal.apply(rehearsal.folder)
        _write(
            rehearsal.folder, [_shuffled(each, chance) for each in chance.sample(incidents, len(incidents))]
        )
        second = rehearsal.plan(rehearsal.folder)
        assert [change.incident.key for change in first.changes] == [
            change.incident.key for change in second.changes
        ]
        assert all(isinstance(change, NoOp) for change in second.changes)


@settings(max_examples=25, deadline=None)
@given(_INCIDENT)
def test_what_is_not_declared_is_never_sent(incident: dict[str, Any]) -> None:
    with _rehearsal([{"key": "K", **incident}], SandboxOptions(rate_limit=None)) as rehearsal:
        rehearsal.apply(rehearsal.folder)
        own = {"idempotency_key", "mode", "visibility", "incident_status_id", "notify_incident_channel"}
        words = {
            "name": "name",
            "summary": "summary",
            "severity_id": "severity",
            "incident_type_id": "incident_type",
            "call_url": "call_url",
            "incident_timestamp_values": "timestamps",
            "incident_role_assignments": "roles",
            "custom_field_entries": "custom_fields",
        }
        for path, body in rehearsal.writes:
            if path.startswith("/v2/incidents"):
                sent = set(body.get("incident", body)) - own
                assert sent <= words.keys()
                assert {words[each] for each in sent} <= incident.keys()


@settings(max_examples=20, deadline=None)
@given(_INCIDENTS)
def test_a_lost_state_makes_no_second_incident(incidents: list[dict[str, Any]]) -> None:
    with _rehearsal(incidents, SandboxOptions(rate_limit=None)) as rehearsal:
        rehearsal.apply(rehearsal.folder)
        before = rehearsal.incidents()
        rehearsal.settings.state.unlink()
        again = rehearsal.apply(rehearsal.folder)
        assert {type(each).__name__ for each in again.outcomes} <= {"Adopted", "Applied"}
        assert [each["id"] for each in rehearsal.incidents()] == [each["id"] for each in before]
        assert all(isinstance(change, NoOp) for change in rehearsal.plan(rehearsal.folder).changes)


def test_a_plan_never_writes() -> None:
    with _rehearsal([{"key": "K", "name": "N", "severity": "Minor"}], SandboxOptions()) as rehearsal:
        reader = replace(rehearsal, key="sandbox-read-only")
        assert [type(change) for change in reader.plan(rehearsal.folder).changes] == [Create]
        assert not rehearsal.writes
        assert not rehearsal.settings.state.exists()
