"""A saved plan is complete, truthful and private, and is read back unchanged."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings

from importer.formats import schemas
from importer.model import (
    Account,
    Attribute,
    Field,
    FollowUp,
    Kind,
    NewOption,
    NoOp,
    Plan,
    Reference,
    Scope,
)
from importer.model.errors import ExitCode, Refused, UsageError
from importer.plan import file as planfile
from importer.plan.changes import new_options
from tests import plans, strategies


def text_of(plan: Plan) -> str:
    return "".join(planfile.plan_chunks(plan))


def document_of(plan: Plan) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text_of(plan))
    return document


def as_saved(plan: Plan) -> Plan:
    """Return a plan without its NoOps, but with their number."""
    kept = tuple(change for change in plan.changes if not isinstance(change, NoOp))
    return replace(plan, changes=kept, unchanged=plan.unchanged + len(plan.changes) - len(kept))


def sealed(document: dict[str, Any]) -> dict[str, Any]:
    """Return a forged document: with a hash that matches its contents."""
    content = {name: value for name, value in document.items() if name != "plan_hash"}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return content | {"plan_hash": "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()}


def saved(document: object, folder: Path) -> Path:
    path = folder / "plan.json"
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize("name", plans.PLANS)
def test_a_plan_is_read_back_unchanged(name, tmp_path):
    planfile.write_plan(plans.PLANS[name], tmp_path / "plan.json")

    assert planfile.read_plan(tmp_path / "plan.json").plan == as_saved(plans.PLANS[name])


@pytest.mark.parametrize("name", plans.PLANS)
def test_the_document_matches_the_golden_file(name, golden):
    document = document_of(plans.PLANS[name])

    golden(f"{name}/plan.json", json.dumps(document, indent=2) + "\n")


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(strategies.plans)
def test_any_plan_is_read_back_unchanged(tmp_path_factory, plan):
    path = tmp_path_factory.mktemp("plans") / "plan.json"

    planfile.write_plan(plan, path)
    again = planfile.read_plan(path)

    assert again.plan == as_saved(plan)
    assert again.plan_hash == document_of(plan)["plan_hash"]
    assert text_of(again.plan) == text_of(plan)


@pytest.mark.parametrize("name", plans.PLANS)
def test_both_validators_agree_that_the_schema_describes_the_document(name):
    schema, document = schemas.read("plan"), json.loads(text_of(plans.PLANS[name]))

    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(document)
    assert jsonschema_rs.validator_for(schema).is_valid(document)


def test_the_schema_describes_every_key_that_is_written():
    described = schemas.read("plan")
    document = document_of(plans.PLANS["mixed"])

    assert set(document) == set(described["properties"])
    assert list(document) == list(described["properties"])
    assert set(document) == set(described["required"])
    change = described["$defs"]["change"]
    assert all(set(each) == set(change["properties"]) for each in document["incident_changes"])


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(strategies.plans)
def test_the_estimate_counts_the_requests_that_the_plan_shows(plan):
    document = document_of(plan)
    requests = sum(len(each["requests"]) for each in document["incident_changes"])

    assert document["estimate"]["requests"] == requests + len(document["new_options"])


def test_only_the_owner_can_read_a_plan(tmp_path):
    before = os.umask(0)
    try:
        planfile.write_plan(plans.PLANS["mixed"], tmp_path / "plan.json")
    finally:
        os.umask(before)

    assert (tmp_path / "plan.json").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]


def test_writing_replaces_an_older_plan_whole(tmp_path):
    path = tmp_path / "plan.json"
    planfile.write_plan(plans.PLANS["mixed"], path)
    planfile.write_plan(plans.PLANS["drift"], path)

    assert planfile.read_plan(path).plan == plans.PLANS["drift"]


def test_a_plan_that_cannot_be_written_leaves_nothing_behind(tmp_path):
    (tmp_path / "plan.json").mkdir()
    (tmp_path / "plan.json" / "occupied").touch()

    with pytest.raises(UsageError, match=r"cannot write .*plan\.json"):
        planfile.write_plan(plans.PLANS["drift"], tmp_path / "plan.json")

    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]


def test_a_missing_folder_is_a_readable_error(tmp_path):
    with pytest.raises(UsageError, match="No such file or directory"):
        planfile.write_plan(plans.PLANS["drift"], tmp_path / "missing" / "plan.json")


def test_the_text_has_one_line_per_incident_and_starts_with_its_version():
    lines = text_of(plans.PLANS["create"]).splitlines()

    assert lines[1].startswith('"format_version": "1.0"')
    assert lines[-2].startswith('"plan_hash": "sha256:')
    assert sum('"key":"' in line for line in lines) == 2
    assert text_of(plans.PLANS["create"]).isascii()


def test_a_plan_is_recognised_by_its_first_lines(tmp_path):
    planfile.write_plan(plans.PLANS["mixed"], tmp_path / "plan.json")
    (tmp_path / "incidents.json").write_text('{"incidents": []}')

    known = [
        planfile.is_plan(tmp_path / name) for name in ("plan.json", "incidents.json", "missing.json", ".")
    ]

    assert known == [True, False, False, False]


def test_nothing_secret_is_in_a_plan():
    account = Account(
        "https://api.incident.io", "https://app.incident.io/acme", ("viewer",), "name of the key"
    )
    text = text_of(replace(plans.PLANS["drift"], account=account))

    assert "name of the key" not in text
    assert "viewer" not in text


def test_only_a_plan_without_errors_and_with_work_is_applyable():
    applyable = {name: document_of(plan)["applyable"] for name, plan in plans.PLANS.items()}

    assert [name for name, yes in applyable.items() if not yes] == [
        "drift-report",
        "drift-possible",
        "part-unchanged",
        "kept",
        "blocked",
        "empty",
        "errored",
        "errored-empty",
    ]


def test_blocked_differences_are_not_in_after():
    entry = document_of(plans.PLANS["partly-blocked"])["incident_changes"][0]

    assert entry["actions"] == ["update", "blocked"]
    assert entry["after"]["visibility"] == "public"
    assert [each["field"] for each in entry["blocked_fields"]] == [
        "roles.Reporter",
        "visibility",
        "call_url",
    ]
    assert entry["precondition"] == {"updated_at": "2026-03-01T10:11:12.5Z"}


def test_a_plan_edited_by_hand_is_refused(tmp_path):
    planfile.write_plan(plans.PLANS["drift"], tmp_path / "plan.json")
    text = (tmp_path / "plan.json").read_text().replace("Search was slow", "Search was fast")
    (tmp_path / "plan.json").write_text(text)

    with pytest.raises(Refused, match="its hash does not match") as refusal:
        planfile.read_plan(tmp_path / "plan.json")

    assert refusal.value.exit_code is ExitCode.REFUSED
    assert refusal.value.hint == f"make a new one: importer plan --out {tmp_path / 'plan.json'}"


@pytest.mark.parametrize("key", ["before", "after", "requests", "changed_fields", "action_reason"])
def test_a_plan_that_shows_something_else_than_it_does_is_refused(key, tmp_path):
    document = document_of(plans.PLANS["drift"])
    shown = json.dumps(document["incident_changes"][0][key])
    changed = "drifted" if key == "action_reason" else json.loads(shown.replace("Search", "Login"))
    document["incident_changes"][0][key] = changed

    with pytest.raises(Refused, match="does not show what"):
        planfile.read_plan(saved(sealed(document), tmp_path))


def test_a_hidden_request_is_refused(tmp_path):
    document = document_of(plans.PLANS["drift"])
    document["incident_changes"][0]["requests"] = []

    with pytest.raises(Refused, match="does not show what"):
        planfile.read_plan(saved(sealed(document), tmp_path))


def test_keys_of_a_later_minor_version_are_ignored(tmp_path):
    document = document_of(plans.PLANS["mixed"]) | {"format_version": "1.7", "later": {"a": 1}}
    document["incident_changes"][0]["later"] = [1]

    path = saved(sealed(document), tmp_path)

    assert planfile.read_plan(path).plan == as_saved(plans.PLANS["mixed"])


@pytest.mark.parametrize("changed", [{"format_version": "2.0"}, {"scope": "all"}], ids=["later", "0.1.0"])
def test_a_plan_in_the_format_of_another_version_is_a_readable_error(changed, tmp_path):
    document = document_of(plans.PLANS["drift"]) | {"tool_version": "0.9"} | changed

    with pytest.raises(UsageError, match=r"made by importer 0\.9, in a format that this version cannot read"):
        planfile.read_plan(saved(sealed(document), tmp_path))


@pytest.mark.parametrize("indent", [None, 2])
def test_a_plan_reformatted_by_another_program_is_the_same_plan(indent, tmp_path):
    document = dict(sorted(document_of(plans.PLANS["mixed"]).items()))
    (tmp_path / "plan.json").write_text(json.dumps(document, indent=indent))

    assert planfile.read_plan(tmp_path / "plan.json").plan == as_saved(plans.PLANS["mixed"])


@pytest.mark.parametrize("lines", [20, -3, -2])
def test_a_truncated_plan_is_not_a_plan(lines, tmp_path):
    text = text_of(plans.PLANS["mixed"]).splitlines(keepends=True)
    (tmp_path / "plan.json").write_text("".join(text[:lines]))

    with pytest.raises(UsageError, match="is not a plan"):
        planfile.read_plan(tmp_path / "plan.json")


def test_a_creation_whose_body_differs_from_the_reviewed_one_is_refused(tmp_path):
    document = document_of(plans.PLANS["create"])
    (first, *_) = document["incident_changes"][0]["requests"]
    assert set(first) == {"method", "path", "body_sha256"}
    first["body_sha256"] = "0" * 64

    with pytest.raises(Refused, match="does not show what") as refusal:
        planfile.read_plan(saved(sealed(document), tmp_path))

    assert refusal.value.exit_code is ExitCode.REFUSED


def test_a_pending_creation_shows_the_bytes_that_are_sent_again(tmp_path):
    sent = '{"idempotency_key":"then","name":"As it was"}'
    plan = plans.plan(replace(plans.PENDING, content=sent))
    planfile.write_plan(plan, tmp_path / "plan.json")

    (shown, *_) = document_of(plan)["incident_changes"][0]["requests"]
    assert shown["body_sha256"] == hashlib.sha256(sent.encode()).hexdigest()
    assert planfile.read_plan(tmp_path / "plan.json").plan == plan


@pytest.mark.parametrize(
    ("scope", "shown"),
    [
        (Scope(), {"kind": "all", "only": [], "limit": None, "drift_only": False, "left_out": 0}),
        (
            Scope(("A*",), 3, drift_only=True, left_out=7, not_compared=5),
            {
                "kind": "part",
                "only": ["A*"],
                "limit": 3,
                "drift_only": True,
                "left_out": 7,
                "not_compared": 5,
            },
        ),
        (
            Scope(("A*",), left_out=7, not_compared=7),
            {"kind": "part", "only": ["A*"], "limit": None, "drift_only": False, "left_out": 7},
        ),
        (
            Scope(limit=3, left_out=7),
            {"kind": "part", "only": [], "limit": 3, "drift_only": False, "left_out": 7},
        ),
    ],
)
def test_a_plan_states_its_scope(scope, shown, tmp_path):
    plan = replace(plans.PLANS["drift"], scope=scope)
    planfile.write_plan(plan, tmp_path / "plan.json")

    assert document_of(plan)["scope"] == shown
    assert planfile.read_plan(tmp_path / "plan.json").plan.scope == scope


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"incidents: []",
        b"\xff\xfe\x00",
        b"[]",
        b"{}",
        b'{"plan_hash": 1}',
        b'{"plan_hash": 1, "format_version": 1}',
        b'{"plan_hash": 1, "format_version": "one"}',
        b"[" * 100_000,
    ],
)
def test_a_foreign_file_is_not_a_plan(content, tmp_path):
    path = tmp_path / "plan.json"
    path.write_bytes(content)

    with pytest.raises(UsageError, match="is not a plan") as error:
        planfile.read_plan(path)

    assert error.value.hint == "make one with: importer plan --out FILE"


def test_a_missing_plan_is_a_readable_error(tmp_path):
    with pytest.raises(UsageError, match="cannot read"):
        planfile.read_plan(tmp_path / "missing.json")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("summary",), None),
        (("incident_changes", 0, "actions"), ["destroy"]),
        (("incident_changes", 0, "actions"), []),
        (("incident_changes", 0, "resolved", "attributes"), "none"),
        (
            ("incident_changes", 0, "resolved", "attributes"),
            [{"attribute": {"field": "mood"}, "value": None}],
        ),
        (("incident_changes", 0, "resolved", "live", "created_at"), "yesterday"),
        (("incident_changes", 0, "resolved", "live"), {}),
        (("incident_changes", 0, "precondition"), None),
        (("diagnostics",), [{"severity": "bad"}]),
    ],
)
def test_a_damaged_plan_with_a_matching_hash_is_a_readable_error(path, value, tmp_path):
    document = document_of(plans.PLANS["drift"])
    part = document
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value

    with pytest.raises(UsageError, match="cannot be read"):
        planfile.read_plan(saved(sealed(document), tmp_path))


def test_a_new_option_is_created_once_and_before_all_incidents():
    document = document_of(plans.PLANS["create"])

    assert document["new_options"] == [
        {
            "custom_field": "Affected teams",
            "name": "Search",
            "request": {
                "method": "POST",
                "path": "/v1/custom_field_options",
                "body": {"custom_field_id": "01FIELDTEAMS", "value": "Search"},
            },
        }
    ]
    assert new_options(plans.PLANS["create"].changes) == (NewOption(plans.TEAMS, "Search"),)


def test_the_actions_of_a_noop_are_never_written():
    assert document_of(plans.PLANS["empty"])["incident_changes"] == []
    assert document_of(plans.PLANS["empty"])["summary"]["unchanged"] == 2


def test_a_child_without_a_title_is_a_bug_of_the_planner():
    change = plans.create("K", {plans.NAME: "N", Attribute(Field.FOLLOW_UP): FollowUp()})

    with pytest.raises(ValueError, match="no title"):
        document_of(plans.plan(change))


def test_an_unresolved_member_is_a_bug_of_the_planner():
    member = Attribute(Field.MEMBER, Reference(Kind.USER, "lisa@example.com"))
    change = plans.create("K", {plans.NAME: "N", member: plans.FULL[Attribute(Field.MEMBER, plans.LISA)]})

    with pytest.raises(ValueError, match="not resolved"):
        document_of(plans.plan(change))
