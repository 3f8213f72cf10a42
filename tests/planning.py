"""One declared incident, with a ledger and an account for it: the parts of the planner's tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from importer.model import (
    Attribute,
    Attributes,
    Binding,
    Change,
    Diagnostic,
    Entity,
    Field,
    Incident,
    Kind,
    LiveIncident,
    Location,
    Memory,
    Policy,
    Remembered,
    Severity,
    TimelineItem,
    Unanswered,
)
from importer.model.identity import Marker
from importer.model.settings import Settings
from importer.plan.matching import LiveIndex
from importer.plan.planner import PlanContext, Planned, plan_changes
from tests.plans import (
    BEGAN,
    CLOSED,
    live,
)

SETTINGS = Settings(root=Path())
CONTEXT = PlanContext(SETTINGS, None, CLOSED)
LEGACY = Entity(Kind.CUSTOM_FIELD, "01FIELDLEGACY", "Legacy ID")
MARKER = Attribute(Field.CUSTOM_FIELD, LEGACY)
MARKING = replace(CONTEXT, marker=Marker(MARKER, "default"))
CHANNEL_NAME = Attribute(Field.SLACK_CHANNEL_NAME)
TYPE = Attribute(Field.INCIDENT_TYPE)
SECURITY = Entity(Kind.INCIDENT_TYPE, "01TYPE", "Security")
ITEM = Attribute(Field.TIMELINE, "Rolled back")
POSTMORTEM = Attribute(Field.POSTMORTEM)
WRITTEN = TimelineItem(BEGAN, "By hand.")

EVERYTHING = Policy()
Fields = Mapping[Attribute, Remembered]
KNOWN: Fields = {Attribute(Field.CALL_URL): Remembered(None, None)}
"""What the state remembers of a known incident, without any attribute under comparison."""


def incident(
    attributes: Attributes, *, key: str = "A", number: int | None = None, policy: Policy = EVERYTHING
) -> Incident:
    return Incident(key, number, attributes, Location("a.yaml", 3), policy=policy)


def remembering(fields: Fields, *bindings: Binding, sent: dict[str, str] | None = None) -> Memory:
    known = {each.key: each for each in bindings}
    unanswered = {key: Unanswered(once) for key, once in (sent or {}).items()}
    return Memory(known, unanswered, lambda key: fields if key in known else {})


def as_sent(attributes: Attributes) -> dict[Attribute, Remembered]:
    return {attribute: Remembered(value, value) for attribute, value in attributes.items()}


NOTHING = remembering({})
BOUND = Binding("A", "01LIVE7", "INC-7")


def ours(fields: Fields, *, settled: bool = True) -> Memory:
    return remembering(fields, replace(BOUND, settled=settled))


def planned(
    *incidents: Incident,
    account: tuple[LiveIncident, ...] = (),
    memory: Memory = NOTHING,
    context: PlanContext = CONTEXT,
    index: LiveIndex | None = None,
    keys: frozenset[str] | None = None,
) -> Planned:
    return plan_changes(
        incidents,
        index or LiveIndex(account, memory, context.marker),
        memory=memory,
        context=context,
        declared_keys=frozenset(each.key for each in incidents) if keys is None else keys,
    )


def change(declared: Attributes, held: Attributes, fields: Fields, policy: Policy = EVERYTHING) -> Change:
    found = planned(incident(declared, policy=policy), account=(live(7, held),), memory=ours(fields))
    (one,) = found.changes
    return one


def codes(found: Planned, severity: Severity = Severity.WARNING) -> list[str]:
    assert all(each.severity is severity for each in found.diagnostics)
    return [each.code for each in found.diagnostics]


def diagnostic(found: Planned, code: str, severity: Severity = Severity.WARNING) -> Diagnostic:
    (one,) = found.diagnostics
    assert (one.code, one.severity) == (code, severity)
    return one
