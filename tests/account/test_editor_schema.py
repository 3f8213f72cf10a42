"""The schema for editors accepts what a plan accepts, and flags the names that a plan would refuse."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from importer.account.editor_schema import MAX_WORDS, narrowed
from importer.account.naming import names_of
from importer.account.resolver import resolve
from importer.account.rules import check_resolved
from importer.formats import json_file, schemas, shape
from importer.formats.tree import Block
from importer.model import (
    Account,
    CatalogEntry,
    Catalogue,
    CustomField,
    Entity,
    IncidentType,
    Kind,
    Reference,
    Severity,
    Status,
)
from importer.model.diagnostics import Diagnostics
from importer.model.settings import Settings
from importer.sources import incidents

ACCOUNT = Account("https://api.example.com", "https://app.example.com/acme")
SETTINGS = Settings(
    root=Path(),
    marker_field="Legacy ID",
    aliases={
        "severity": {"P1": "Critical", "P9": "Gone", "P0": None},
        "status": {"Done": "Closed", "Open": "Live"},
        "timestamps": {"Fixed": "Resolved at", "Noticed": None},
        "roles": {"Commander": "Incident Lead"},
        "custom_fields": {"Reason": "Root cause", "Old field": None},
        "custom_fields.Reason": {"full": "Capacity", "n/a": None, "7": "2"},
    },
)


def entities(kind: Kind, *names: str) -> tuple[Entity, ...]:
    return tuple(Entity(kind, f"{kind.value}{number}", name) for number, name in enumerate(names))


def status(name: str, category: str) -> Status:
    return Status(Entity(Kind.STATUS, name, name), category, 1)


CAUSE, TEAMS, TAGS, NOTES, TICKET, COUNT, MARKER, ODD = (
    Entity(Kind.CUSTOM_FIELD, f"F{number}", name)
    for number, name in enumerate(
        ("Root cause", "Teams", "Tags", "Notes", "Ticket", "Customers", "Legacy ID", "Odd")
    )
)
CATALOGUE = Catalogue(
    severities=entities(Kind.SEVERITY, "Minor", "Major", "Critical"),
    statuses=(
        *(status(name, name.casefold()) for name in ("Live", "Triage", "Paused", "Closed", "Declined")),
        status("Writing", "learning"),
    ),
    incident_types=tuple(
        IncidentType(each, private_only=False, is_default=False)
        for each in entities(Kind.INCIDENT_TYPE, "Production", "2024")
    ),
    roles=(*entities(Kind.ROLE, "Incident Lead", "Scribe"), Entity(Kind.REPORTER, "R9", "Reporter")),
    timestamps=entities(Kind.TIMESTAMP, "Impact started at", "Resolved at"),
    custom_fields=(
        CustomField(CAUSE, "single_select"),
        CustomField(TEAMS, "multi_select", "C1"),
        CustomField(TAGS, "multi_select"),
        CustomField(NOTES, "text"),
        CustomField(TICKET, "link"),
        CustomField(COUNT, "numeric"),
        CustomField(MARKER, "text"),
        CustomField(ODD, "hologram"),
    ),
    options={
        CAUSE.id: entities(Kind.OPTION, "Capacity", "Yes", "No", "2", "1.50", "a (b) [c]", "Twin", "TWIN"),
        TAGS.id: (),
    },
    catalog_entries={
        "C1": (
            CatalogEntry(Entity(Kind.CATALOG_ENTRY, "E1", "Payments"), "1042", ("pay", "true")),
            CatalogEntry(Entity(Kind.CATALOG_ENTRY, "E2", "Straße 7"), "team-street", ()),
        )
    },
)


class Editor:
    """Check values as editors do, with two validators that must agree."""

    def __init__(self, catalogue: Catalogue = CATALOGUE, settings: Settings = SETTINGS) -> None:
        self.schema = narrowed(schemas.read("incident"), catalogue, settings, ACCOUNT)
        Draft202012Validator.check_schema(self.schema)
        jsonschema_rs.meta.validate(self.schema)
        self._words = Draft202012Validator(self.schema)
        self._fast = jsonschema_rs.Draft202012Validator(self.schema)

    def flags(self, value: Any) -> list[str]:
        """Return the flagged locations, without duplicates."""
        found = [".".join(map(str, each.absolute_path)) for each in self._words.iter_errors(value)]
        assert self._fast.is_valid(value) == (not found)
        return list(dict.fromkeys(found))

    def offers(self, *steps: str) -> list[Any]:
        """Return what an editor offers for a property of an incident."""
        schema = self.schema["$defs"]["incident"]
        for step in steps:
            schema = self._resolved(schema["properties"][step])
        ways = [self._resolved(each) for each in schema.get("anyOf", ())]
        ways += [self._resolved(below) for each in ways for below in each.get("anyOf", ())]
        return [word for each in ways for word in each.get("enum", ())]

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        reference = schema.get("$ref")
        return self.schema["$defs"][reference.removeprefix("#/$defs/")] if reference else schema


EDITOR = Editor()


def incident(**declared: Any) -> dict[str, Any]:
    return {"key": "A", "name": "Down", "severity": "Major"} | declared


def plan_complains(declared: dict[str, Any], catalogue: Catalogue = CATALOGUE) -> bool:
    """Whether a plan finds an error in the file, the names or the status of an incident."""
    problems = Diagnostics()
    (block,) = json_file.read(json.dumps(declared), "a.json", problems)
    problems.found += shape.validate(block, shape.INCIDENT, "a.json")
    if not problems.has_errors:
        assert isinstance(block, Block)
        source = incidents.FileContext("a.json", SETTINGS, None, lambda _path, _at: None, problems)
        resolved = resolve([incidents.incident(block, source)], catalogue, SETTINGS)
        problems.found += resolved.diagnostics
        if not problems.has_errors:
            unmarked = replace(SETTINGS, marker_field=None)
            problems.found += check_resolved(resolved.incidents, catalogue, unmarked, ACCOUNT, None)
    return any(each.severity is Severity.ERROR for each in problems.found)


ACCEPTED = [
    {"severity": "Minor"},
    {"severity": "P1"},
    {"severity": "  mi NOR "},
    {"severity": {"id": "01ANYTHING"}},
    {"status": "Closed"},
    {"status": "Done"},
    {"status": "Writing"},
    {"status": "Declined"},
    {"incident_type": "Production"},
    {"incident_type": "2024"},
    {"incident_type": 2024},
    {"timestamps": {"Resolved at": None, "Impact started at": "2023-01-01T00:00:00Z"}},
    {"timestamps": {"resolvedAT": "2023-01-01T00:00:00Z", "Noticed": None}},
    {"roles": {"Incident Lead": "lisa@example.com", "Reporter": {"slack_user_id": "U1"}}},
    {"roles": {"Commander": None}},
    {"custom_fields": {"Root cause": "full"}},
    {"custom_fields": {"reason": "n/a"}},
    {"custom_fields": {"Root cause": ["Capacity"]}},
    {"custom_fields": {"Root cause": []}},
    {"custom_fields": {"Root cause": None}},
    {"custom_fields": {"Root cause": "  "}},
    {"custom_fields": {"Root cause": {"id": "01ANYTHING"}}},
    {"custom_fields": {"Root cause": [{"id": "01ANYTHING"}]}},
    {"custom_fields": {"Root cause": True}},
    {"custom_fields": {"Root cause": 2}},
    {"custom_fields": {"Root cause": 7}},
    {"custom_fields": {"Root cause": 1.5}},
    {"custom_fields": {"Root cause": "A(B)[C]"}},
    {"custom_fields": {"Root cause": "Twin"}},
    {"custom_fields": {"Teams": ["Payments", "pay", 1042, "TEAM-street", "STRASSE 7"]}},
    {"custom_fields": {"Teams": ["straße7"]}},
    {"custom_fields": {"Teams": True}},
    {"custom_fields": {"Teams": "01FCNDV6P870EA6S7TK1DSYDG0"}},
    {"custom_fields": {"Notes": 12, "Customers": 1200, "Ticket": "HTTPS://example.com"}},
    {"custom_fields": {"Notes": [], "Customers": "1_200.50", "Ticket": None}},
    {"custom_fields": {"Customers": "", "Ticket": " https://example.com/a "}},
    {"custom_fields": {"Odd": "whatever", "Old field": ["a", "b"]}},
]
FLAGGED = [
    ({"severity": "Majr"}, "severity"),
    ({"severity": "P9"}, "severity"),
    ({"severity": "P0"}, "severity"),
    ({"severity": None}, "severity"),
    ({"severity": {"name": "Major"}}, "severity"),
    ({"severity": 1}, "severity"),
    ({"status": "Live"}, "status"),
    ({"status": "Paused"}, "status"),
    ({"status": "triage"}, "status"),
    ({"status": "Open"}, "status"),
    ({"incident_type": 2025}, "incident_type"),
    ({"timestamps": {"Resolvd at": None}}, "timestamps"),
    ({"timestamps": {"Resolved at": 5}}, "timestamps.Resolved at"),
    ({"roles": {"Lead": None}}, "roles"),
    ({"roles": {"Scribe": ["a"]}}, "roles.Scribe"),
    ({"custom_fields": {"Rot cause": "Capacity"}}, "custom_fields"),
    ({"custom_fields": {"Root cause": "Capcity"}}, "custom_fields.Root cause"),
    ({"custom_fields": {"root cause": "Capcity"}}, "custom_fields.root cause"),
    ({"custom_fields": {"Reason": ["Capacity", "No"]}}, "custom_fields.Reason"),
    ({"custom_fields": {"Root cause": "twin"}}, "custom_fields.Root cause"),
    ({"custom_fields": {"Root cause": 3}}, "custom_fields.Root cause"),
    ({"custom_fields": {"Teams": ["Payments", "Nobody"]}}, "custom_fields.Teams"),
    ({"custom_fields": {"Teams": 1043}}, "custom_fields.Teams"),
    ({"custom_fields": {"Customers": "many"}}, "custom_fields.Customers"),
    ({"custom_fields": {"Customers": [1]}}, "custom_fields.Customers"),
    ({"custom_fields": {"Ticket": "example.com"}}, "custom_fields.Ticket"),
    ({"custom_fields": {"Notes": {"id": "x"}}}, "custom_fields.Notes"),
    ({"custom_fields": {"Tags": "new"}}, "custom_fields.Tags"),
]


@pytest.mark.parametrize("declared", ACCEPTED)
def test_what_a_plan_accepts_is_not_flagged(declared: dict[str, Any]) -> None:
    assert EDITOR.flags(incident(**declared)) == []


@pytest.mark.parametrize(("declared", "place"), FLAGGED)
def test_what_a_plan_refuses_is_flagged_at_its_location(declared: dict[str, Any], place: str) -> None:
    assert plan_complains(incident(**declared))
    assert EDITOR.flags(incident(**declared)) == [place]
    assert EDITOR.flags({"incidents": [incident(), incident(**declared)]}) == [f"incidents.1.{place}"]


WORDS = sorted({each for table in SETTINGS.aliases.values() for each in table} | {"Nothing", "", " "})
WORDS += [each.name for each in (*CATALOGUE.severities, *CATALOGUE.roles, *CATALOGUE.timestamps)]
WORDS += [each.entity.name for each in CATALOGUE.statuses]
WORDS += [each.entity.name for each in CATALOGUE.incident_types]
WORDS += [each.name for listed in CATALOGUE.options.values() for each in listed]
WORDS += ["Payments", "pay", "1042", "true", "Straße 7", "team-street"]
written = st.sampled_from(WORDS) | st.sampled_from(WORDS).map(str.swapcase)
scalars = written | st.sampled_from([None, True, False, 2, 7, 1.5, 1042, 2024, 1200.0, {"id": "X"}])
custom_values = scalars | st.lists(scalars.filter(lambda each: each is not None), max_size=2, unique_by=str)
field_names = st.sampled_from(
    [each.entity.name for each in CATALOGUE.custom_fields] + ["reason", "Old field"]
)


@given(
    st.fixed_dictionaries(
        {"severity": scalars},
        optional={
            "status": scalars,
            "incident_type": scalars,
            "roles": st.dictionaries(written, st.none(), max_size=2),
            "timestamps": st.dictionaries(written, st.none(), max_size=2),
            "custom_fields": st.dictionaries(field_names, custom_values, max_size=2),
        },
    )
)
def test_nothing_that_a_plan_accepts_is_ever_flagged(declared: dict[str, Any]) -> None:
    if not plan_complains(incident(**declared)):
        assert EDITOR.flags(incident(**declared)) == []


letters = st.text(alphabet="aAbBß1. -(", min_size=1, max_size=3)


@pytest.mark.slow
@given(
    st.lists(letters, max_size=4),
    st.dictionaries(letters, letters | st.none(), max_size=3),
    st.lists(letters, min_size=1, max_size=5),
)
def test_a_name_is_accepted_if_and_only_if_it_is_unambiguous(
    options: list[str], aliases: dict[str, str | None], words: list[str]
) -> None:
    owner = Entity(Kind.CUSTOM_FIELD, "F1", "Field")
    catalogue = Catalogue(
        custom_fields=(CustomField(owner, "single_select"),),
        options={owner.id: entities(Kind.OPTION, *options)},
    )
    settings = Settings(root=Path(), defaults={"severity": "x"}, aliases={"custom_fields.Field": aliases})
    editor, (names, _) = Editor(catalogue, settings), names_of(catalogue, settings)
    for word in [*options, *aliases, *words]:
        if written := word.strip():
            reference = Reference(Kind.OPTION, written)
            refused = names.verdict(reference, owner).problem is not None
            declared = {"key": "A", "name": "B", "custom_fields": {"Field": [written]}}
            assert bool(editor.flags(declared)) == refused, written


def test_an_editor_offers_the_names_and_the_aliases_and_nothing_else() -> None:
    assert EDITOR.offers("severity") == ["Critical", "Major", "Minor", "P1"]
    assert EDITOR.offers("status") == ["Closed", "Declined", "Done", "Writing"]
    assert EDITOR.offers("custom_fields", "Teams") == ["Payments", "Straße 7"]
    assert EDITOR.offers("custom_fields", "Reason")[-3:] == ["a (b) [c]", "full", "n/a"]
    fields = EDITOR.schema["$defs"]["incident"]["properties"]
    assert list(fields["roles"]["properties"]) == ["Commander", "Incident Lead", "Reporter", "Scribe"]
    assert list(fields["timestamps"]["properties"]) == [
        "Fixed",
        "Impact started at",
        "Noticed",
        "Resolved at",
    ]
    for name in ("severity", "status", "incident_type", "timestamps", "roles", "custom_fields"):
        assert "examples" not in fields[name]


def test_an_editor_describes_what_a_key_takes_and_means() -> None:
    fields = EDITOR.schema["$defs"]["incident"]["properties"]["custom_fields"]["properties"]
    assert fields["Teams"]["description"] == "Takes one value or a list of them."
    assert fields["Reason"]["description"] == "Root cause. Takes one value."
    assert fields["Old field"]["description"] == "Left out by the aliases in importer.yaml."
    assert fields["Legacy ID"]["description"].endswith("It holds the key: leave it out, importer sets it.")


def test_a_severity_is_required_unless_importer_yaml_has_a_default() -> None:
    declared = {"key": "A", "name": "Down"}
    assert EDITOR.flags(declared) == [""]
    relaxed = Editor(settings=replace(SETTINGS, defaults={"severity": "Minor"}))
    assert relaxed.flags(declared) == []
    severity = relaxed.schema["$defs"]["incident"]["properties"]["severity"]
    assert severity["description"].endswith("If it is left out, importer.yaml sets it to Minor.")


def test_options_that_apply_may_create_are_not_restricted_and_still_offered() -> None:
    editor = Editor(settings=replace(SETTINGS, create_missing=frozenset({"custom_field_options"})))
    fields = {"Tags": ["new", 5, True], "Root cause": "new"}
    assert editor.flags(incident(custom_fields=fields)) == []
    assert "Capacity" in editor.offers("custom_fields", "Root cause")
    for wrong in ([" "], [["new"]], [None], {"name": "new"}):
        assert editor.flags(incident(custom_fields={"Tags": wrong})) != []
    assert editor.flags(incident(custom_fields={"Teams": "new"})) == ["custom_fields.Teams"]


def entries(names: Iterable[str]) -> Catalogue:
    made = tuple(
        CatalogEntry(each, f"external-{each.id}", ()) for each in entities(Kind.CATALOG_ENTRY, *names)
    )
    return replace(CATALOGUE, catalog_entries={"C1": made})


def test_a_field_with_very_many_entries_takes_any_text() -> None:
    few = Editor(entries(f"Entry {number} of a long list" for number in range(MAX_WORDS // 2)))
    assert few.flags(incident(custom_fields={"Teams": ["entry 7 of a LONG list"]})) == []
    assert few.flags(incident(custom_fields={"Teams": ["Nobody"]})) == ["custom_fields.Teams"]
    many = Editor(entries(f"Entry {number}" for number in range(MAX_WORDS // 2 + 1)))
    assert many.flags(incident(custom_fields={"Teams": ["Nobody", {"id": "x"}]})) == []
    assert many.offers("custom_fields", "Teams") == []
    assert many.flags(incident(custom_fields={"Teams": [["Nobody"]]})) != []


def test_the_order_of_the_accounts_answers_does_not_matter() -> None:
    backwards = replace(
        CATALOGUE,
        severities=CATALOGUE.severities[::-1],
        statuses=CATALOGUE.statuses[::-1],
        roles=CATALOGUE.roles[::-1],
        custom_fields=CATALOGUE.custom_fields[::-1],
        options={identity: listed[::-1] for identity, listed in reversed(list(CATALOGUE.options.items()))},
        catalog_entries={"C1": CATALOGUE.catalog_entries["C1"][::-1]},
    )
    assert json.dumps(Editor(backwards).schema) == json.dumps(EDITOR.schema)


def test_an_empty_account_has_a_schema_too() -> None:
    empty = Editor(Catalogue(), Settings(root=Path()))
    assert empty.flags(incident()) == ["severity"]
    assert empty.flags(incident(severity={"id": "x"})) == []


def test_the_generic_schema_is_left_as_it_is() -> None:
    before = json.dumps(schemas.read("incident"))
    Editor()
    assert json.dumps(schemas.read("incident")) == before
