"""The one place that sends steps, and what it never sends."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import NoReturn

import pytest

from importer.apply.gate import FirstRequestGate
from importer.apply.sending import ChangingStep, ProvenIncident, Sender
from importer.model import Attribute, Field, FollowUp, TimelineItem
from importer.model.errors import Refused
from importer.model.steps import (
    LATER,
    AttachPostmortem,
    CreateChild,
    CreateIncident,
    EditIncident,
    SetChildStatus,
    Step,
)
from importer.state.ledger import open_ledger
from importer.wire.requests import Request
from tests.plans import BEGAN, NAME, SEARCH, SHORT, TEAMS_FIELD, live


@pytest.mark.parametrize(
    "step",
    [
        EditIncident(LATER, {NAME: "Search is slow"}),
        AttachPostmortem(LATER, "https://example.com/postmortem"),
        EditIncident("01OTHER", {NAME: "Search is slow"}),
        CreateChild("01OTHER", Attribute(Field.TIMELINE, "Began"), TimelineItem(BEGAN)),
        SetChildStatus("01CHILD", Attribute(Field.FOLLOW_UP, "Alert"), FollowUp(), "completed"),
    ],
    ids=["an-incident-to-come", "a-postmortem-of-one", "another-incident", "another-child", "a-status"],
)
@pytest.mark.parametrize("bound_to", [None, "01BOUND"])
def test_a_step_is_sent_only_to_the_incident_that_the_state_binds(
    step: ChangingStep, bound_to: str | None, tmp_path: Path
) -> None:
    with closing(open_ledger(tmp_path / "state.db", now=lambda: datetime.now(UTC))) as ledger:
        if bound_to:
            ledger.bind("A", replace(live(1, {}), id=bound_to))
        owner = ProvenIncident("A", "01OTHER")
        with pytest.raises(Refused, match="nothing proves"):
            Sender(ledger, "", lambda: None, FirstRequestGate(Event())).send(owner, step, never)
        assert ledger.entries("A") == ()


def test_a_creation_that_waits_for_an_option_is_neither_sent_nor_journaled(tmp_path: Path) -> None:
    step = CreateIncident({**SHORT, TEAMS_FIELD: (SEARCH,)}, "key", None)
    with closing(open_ledger(tmp_path / "state.db", now=lambda: datetime.now(UTC))) as ledger:
        with pytest.raises(ValueError, match="depends on another step"):
            Sender(ledger, "", lambda: None, FirstRequestGate(Event())).create("A", step, never)
        assert ledger.entries("A") == ()


def never(step: Step, request: Request) -> NoReturn:
    pytest.fail(f"{step} was sent as {request}")
