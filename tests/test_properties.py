"""Properties for any files: a plan after apply is empty, order does not matter, unmanaged values are never sent."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from importer.model import Create, NoOp
from importer.sandbox import SandboxOptions
from tests.random_files import INCIDENT, INCIDENTS, LIBERTIES, rehearsed, write


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
@given(INCIDENTS, LIBERTIES)
def test_after_apply_the_next_plan_is_empty_whatever_the_server_does_with_values(
    incidents: list[dict[str, Any]], options: SandboxOptions
) -> None:
    with rehearsed(incidents, options) as rehearsal:
        run = rehearsal.apply(rehearsal.folder, parallelism=4)
        assert len(run.outcomes) == len(incidents)
        assert all(isinstance(change, NoOp) for change in rehearsal.plan(rehearsal.folder).changes)
        assert sorted(rehearsal.sandbox.journal().creations.values()) == [1] * len(incidents)
        assert not rehearsal.sandbox.journal().announcements


@settings(max_examples=25, deadline=None)
@given(INCIDENTS, st.randoms(use_true_random=False))
def test_the_order_of_files_keys_and_members_does_not_matter(
    incidents: list[dict[str, Any]], chance: random.Random
) -> None:
    with rehearsed(incidents, SandboxOptions(rate_limit=None)) as rehearsal:
        first = rehearsal.plan(rehearsal.folder)
        rehearsal.apply(rehearsal.folder)
        write(
            rehearsal.folder, [_shuffled(each, chance) for each in chance.sample(incidents, len(incidents))]
        )
        second = rehearsal.plan(rehearsal.folder)
        assert [change.incident.key for change in first.changes] == [
            change.incident.key for change in second.changes
        ]
        assert all(isinstance(change, NoOp) for change in second.changes)


@settings(max_examples=25, deadline=None)
@given(INCIDENT)
def test_what_is_not_declared_is_never_sent(incident: dict[str, Any]) -> None:
    with rehearsed([{"key": "K", **incident}], SandboxOptions(rate_limit=None)) as rehearsal:
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
        for _, path, content in rehearsal.writes:
            if path.startswith("/v2/incidents"):
                body = json.loads(content)
                sent = set(body.get("incident", body)) - own
                assert sent <= words.keys()
                assert {words[each] for each in sent} <= incident.keys()


@settings(max_examples=20, deadline=None)
@given(INCIDENTS)
def test_a_lost_state_creates_no_second_incident(incidents: list[dict[str, Any]]) -> None:
    with rehearsed(incidents, SandboxOptions(rate_limit=None)) as rehearsal:
        rehearsal.apply(rehearsal.folder)
        before = rehearsal.incidents()
        rehearsal.settings.state.unlink()
        again = rehearsal.apply(rehearsal.folder)
        assert {type(each).__name__ for each in again.outcomes} <= {"Adopted", "Applied"}
        assert [each["id"] for each in rehearsal.incidents()] == [each["id"] for each in before]
        assert all(isinstance(change, NoOp) for change in rehearsal.plan(rehearsal.folder).changes)


def test_a_plan_never_writes() -> None:
    with rehearsed([{"key": "K", "name": "N", "severity": "Minor"}], SandboxOptions()) as rehearsal:
        reader = replace(rehearsal, key="sandbox-read-only")
        assert [type(change) for change in reader.plan(rehearsal.folder).changes] == [Create]
        assert not rehearsal.writes
        assert not rehearsal.settings.state.exists()
