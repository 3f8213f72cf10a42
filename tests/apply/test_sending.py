"""The one place that sends steps, and what it never sends."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import pytest

from importer.apply.sending import Sender
from importer.model.steps import LATER, AttachPostmortem, CreateIncident, EditIncident, Step
from importer.state.ledger import open_ledger
from importer.wire.requests import Request
from tests.plans import NAME, SEARCH, SHORT, TEAMS_FIELD


@pytest.mark.parametrize(
    "step",
    [
        EditIncident(LATER, {NAME: "Search is slow"}),
        CreateIncident({**SHORT, TEAMS_FIELD: (SEARCH,)}, "key", None),
        AttachPostmortem(LATER, "https://example.com/postmortem"),
    ],
    ids=["an-incident-to-come", "an-option-to-come", "a-postmortem-of-one"],
)
def test_a_step_that_depends_on_another_is_neither_sent_nor_journaled(step: Step, tmp_path: Path) -> None:
    def never(step: Step, request: Request) -> NoReturn:
        pytest.fail(f"{step} was sent as {request}")

    with closing(open_ledger(tmp_path / "state.db", now=lambda: datetime.now(UTC))) as ledger:
        with pytest.raises(ValueError, match="depends on another step"):
            Sender(ledger, "").send("A", step, never)
        assert ledger.entries("A") == ()
