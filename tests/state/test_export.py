"""The export has the same bytes for the same state, and anything but a complete export is refused readably."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.formats import schemas
from importer.model import (
    Account,
    Attribute,
    Binding,
    Entity,
    Field,
    FollowUp,
    Kind,
    Remembered,
    Unanswered,
)
from importer.model.errors import ExitCode, UsageError
from importer.state import export
from importer.state.ledger import open_ledger
from importer.state.merge import BoundIncident, State
from tests import strategies

ACME = Account("https://api.incident.io", "https://app.incident.io/acme")
AT = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
TEAMS = Attribute(Field.CUSTOM_FIELD, Entity(Kind.CUSTOM_FIELD, "01FIELD", "Affected teams"))
CUSTOMERS = Attribute(Field.CUSTOM_FIELD, Entity(Kind.CUSTOM_FIELD, "01CUSTOMERS", "Customers affected"))
MAJOR = Entity(Kind.SEVERITY, "01SEVERITY", "Major")
FULL = State(
    ACME,
    {
        "JIRA-2": BoundIncident(
            Binding("JIRA-2", "01LIVE2", "INC-2", settled=False), AT.replace(microsecond=0)
        ),
        "JIRA-1": BoundIncident(
            Binding("JIRA-1", "01LIVE1", "INC-1"),
            AT,
            {
                Attribute(Field.FOLLOW_UP, "Add an alert"): Remembered(
                    FollowUp(labels=("db",)), None, "01CHILD"
                ),
                TEAMS: Remembered((Entity(Kind.OPTION, "01OPTION", "Zürich"),), None),
                CUSTOMERS: Remembered(Decimal("1200.5"), Decimal("1201")),
                Attribute(Field.SEVERITY): Remembered(MAJOR, MAJOR),
                Attribute(Field.NAME): Remembered("A name \ud83d 🚨\n", "A name"),
            },
        ),
    },
    {
        "JIRA-9": Unanswered("importer-9", '{"idempotency_key":"importer-9","visibility":"public"}', AT),
        "JIRA-3": Unanswered("importer-3"),
    },
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.json"


def written(path: Path, state: State) -> Path:
    path.write_text(export.export_text(state), encoding="ascii")
    return path


def test_the_export_matches_the_golden_file(golden: Callable[[str, str], None]) -> None:
    golden("state/full.json", export.export_text(FULL))
    golden("state/empty.json", export.export_text(State()))


def test_the_order_in_which_facts_were_recorded_does_not_matter() -> None:
    turned = State(
        ACME,
        {
            key: BoundIncident(each.binding, each.at, dict(reversed(list(each.fields.items()))))
            for key, each in reversed(list(FULL.bound.items()))
        },
        dict(reversed(list(FULL.unanswered.items()))),
    )
    assert export.export_text(turned) == export.export_text(FULL)


@pytest.mark.parametrize("state", [FULL, State()])
def test_an_export_matches_its_schema_and_is_read_back_unchanged(state: State, path: Path) -> None:
    document = json.loads(export.export_text(state))
    assert jsonschema_rs.validator_for(schemas.read("state")).is_valid(document)
    assert export.read_export(written(path, state)) == state


_FIELDS = st.dictionaries(
    strategies.attributes, st.builds(Remembered, strategies.values, strategies.values), max_size=3
)
_KEYS = st.text("aZ9 -_é🚨", min_size=1, max_size=9).map(lambda word: f"K{word}")


@st.composite
def _states(draw: st.DrawFn) -> State:
    keys = sorted(draw(st.sets(_KEYS, max_size=4)))
    bound = {
        key: BoundIncident(
            Binding(key, f"01LIVE{number}", f"INC-{number}", draw(st.booleans())), AT, draw(_FIELDS)
        )
        for number, key in enumerate(keys)
    }
    unanswered = {key: Unanswered(f"i-{key}") for key in draw(st.sets(_KEYS, max_size=2)) - bound.keys()}
    return State(ACME, bound, unanswered)


@given(_states())
def test_any_state_is_read_back_unchanged(tmp_path_factory: pytest.TempPathFactory, state: State) -> None:
    path = written(tmp_path_factory.mktemp("any") / "state.json", state)
    assert export.export_text(export.read_export(path)) == path.read_text(encoding="ascii")


# One thing of each name in a state file: a ledger keeps one value for an ID or a label.
_KEPT = st.dictionaries(
    st.sampled_from([*FULL.bound["JIRA-1"].fields, Attribute(Field.SUMMARY)]),
    st.builds(Remembered, strategies.values, strategies.values),
)


@given(_states(), _KEPT)
def test_an_export_into_an_empty_state_exports_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, state: State, fields: dict[Attribute, Remembered]
) -> None:
    whole = State(
        ACME, {k: BoundIncident(b.binding, b.at, fields) for k, b in state.bound.items()}, state.unanswered
    )
    folder = tmp_path_factory.mktemp("import")
    exported = export.export_text(whole)
    ledger = open_ledger(folder / "state.db", now=lambda: AT)
    ledger.merge(export.read_export(written(folder / "state.json", whole)))
    again = ledger.state()
    ledger.close()
    assert export.export_text(again) == exported


def test_a_later_minor_version_is_read_and_its_keys_are_ignored(path: Path) -> None:
    document = json.loads(export.export_text(FULL)) | {"format_version": "1.9", "more": [1]}
    document["bindings"][0]["more"] = {}
    path.write_text(json.dumps(document), encoding="utf-8")
    assert export.read_export(path) == FULL


def test_another_major_version_is_refused_with_the_supported_one(path: Path) -> None:
    path.write_text(json.dumps({"format_version": "2.0"}), encoding="utf-8")
    with pytest.raises(UsageError, match=r"2\.0; this version of importer reads 1\.2") as refusal:
        export.read_export(path)
    assert refusal.value.code == "state-version"


def test_the_error_for_a_missing_file_names_the_command_that_creates_it(path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read") as refusal:
        export.read_export(path)
    assert "importer state export" in refusal.value.hint


def _changed(change: Callable[[dict[str, Any]], object]) -> str:
    document = json.loads(export.export_text(FULL))
    change(document)
    return json.dumps(document)


def _binding(**parts: object) -> str:
    return _changed(lambda document: document["bindings"][0].update(parts))


def _field(**parts: object) -> str:
    return _changed(lambda document: document["bindings"][0]["fields"][0].update(parts))


def _deep(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "Expecting value"),
        (export.export_text(FULL)[:-4], "Expecting"),
        ("<<<<<<< HEAD\n" + export.export_text(FULL), "Expecting value"),
        ("[]", "no format_version"),
        ('{"incidents": []}', "no format_version"),
        ('{"format_version": "one"}', "no format_version"),
        ('{"format_version": 1.0}', "no format_version"),
        ('{"format_version": "1.0"}', "does not match"),
        (_binding(settled="yes"), "does not match"),
        (_binding(key="two\nlines"), "does not match"),
        (_binding(key="\ud800"), "surrogates"),
        (_changed(lambda document: document["account"].update(dashboard_url="\ud800")), "surrogates"),
        (_binding(at="soon"), "soon"),
        (_binding(at="2026-01-01T00:00:00"), "no UTC offset"),
        (_binding(at="0001-01-01T00:00:00+05:00"), "out of range"),
        (_binding(key="JIRA-2"), "it binds 'JIRA-2' twice"),
        (_binding(incident_id="01LIVE2"), "it binds INC-2 to 'JIRA-1' and to 'JIRA-2'"),
        (_changed(lambda document: document.update(account=None)), "no account"),
        (_changed(lambda document: document["unanswered"].append(document["unanswered"][0])), "twice"),
        (_changed(lambda document: document["unanswered"][0].update(key="JIRA-1")), "twice"),
        (_field(attribute={"field": "nothing"}), "not a valid Field"),
        (_field(declared={"type": "nothing"}), "unknown value type"),
        (_field(declared={"type": "decimal", "value": "NaN"}), "not a number"),
        (_field(declared=_deep(3)), "only plain values"),
        (_field(declared=_deep(900)), "recursion"),
        (_field(attribute={"field": "severity"}), "has two values of one attribute of 'JIRA-1'"),
    ],
)
def test_a_damaged_export_is_a_readable_error(path: Path, text: str, why: str) -> None:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=why) as refusal:
        export.read_export(path)
    assert refusal.value.code == "not-a-state-export"
    assert refusal.value.exit_code is ExitCode.ERROR
