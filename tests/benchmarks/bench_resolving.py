"""How long names take to become entities, and unknown ones to get suggestions. Run with --benchmark-only."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from pytest_benchmark.fixture import BenchmarkFixture

from importer.account.catalogue import Index, Missing
from importer.account.resolver import resolve
from importer.model import (
    Attribute,
    Catalogue,
    CustomField,
    Entity,
    Field,
    Incident,
    IncidentType,
    Kind,
    Location,
    Reference,
    Status,
    User,
    Value,
)
from importer.model.settings import Settings

COUNT = 10_000
TEAMS = Entity(Kind.CUSTOM_FIELD, "F1", "Teams")
CATALOGUE = Catalogue(
    severities=(Entity(Kind.SEVERITY, "S1", "Major"),),
    statuses=(Status(Entity(Kind.STATUS, "T1", "Closed"), "closed", 1),),
    incident_types=(IncidentType(Entity(Kind.INCIDENT_TYPE, "I1", "Production"), False, True),),
    roles=(Entity(Kind.ROLE, "R1", "Incident Lead"), Entity(Kind.REPORTER, "R2", "Reporter")),
    timestamps=(Entity(Kind.TIMESTAMP, "M1", "Resolved at"),),
    custom_fields=(CustomField(TEAMS, "multi_select"),),
    options={
        TEAMS.id: (Entity(Kind.OPTION, "O1", "Payments"), Entity(Kind.OPTION, "O2", "Platform")),
    },
    users=(User(Entity(Kind.USER, "U1", "Bob"), "bob@example.com", None, True),),
)
ATTRIBUTES: dict[Attribute, Value] = {
    Attribute(Field.SEVERITY): Reference(Kind.SEVERITY, "Major"),
    Attribute(Field.STATUS): Reference(Kind.STATUS, "Closed"),
    Attribute(Field.INCIDENT_TYPE): Reference(Kind.INCIDENT_TYPE, "production"),
    Attribute(Field.TIMESTAMP, Reference(Kind.TIMESTAMP, "Resolved at")): datetime(2024, 1, 1, tzinfo=UTC),
    Attribute(Field.ROLE, Reference(Kind.ROLE, "Reporter")): Reference(Kind.USER, "bob@example.com"),
    Attribute(Field.ROLE, Reference(Kind.ROLE, "Incident Lead")): Reference(Kind.USER, "Bob"),
    Attribute(Field.CUSTOM_FIELD, Reference(Kind.CUSTOM_FIELD, "Teams")): ("Payments", "Platform"),
}


def test_resolving_a_hundred_thousand_references(benchmark: BenchmarkFixture) -> None:
    incidents = [Incident(str(at), None, ATTRIBUTES, Location("a.yaml", at)) for at in range(COUNT)]
    settings = Settings(root=Path())
    resolved = benchmark.pedantic(resolve, (incidents, CATALOGUE, settings), rounds=5, warmup_rounds=1)
    assert len(resolved.incidents) == COUNT
    assert resolved.diagnostics == ()


def test_suggesting_among_ten_thousand_emails(benchmark: BenchmarkFixture) -> None:
    users = tuple(
        User(Entity(Kind.USER, f"U{at}", f"Person {at}"), f"person.{at}@example.com", None, True)
        for at in range(COUNT)
    )
    index = Index(Catalogue(users=users))
    index.find(Reference(Kind.USER, "warm up"))
    answer = benchmark(index.find, Reference(Kind.USER, "persn.77@example.com"))
    assert isinstance(answer, Missing)
    assert "person.77@example.com" in answer.nearest
