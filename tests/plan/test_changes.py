"""The part of a plan that comes from edits in incident.io."""

from __future__ import annotations

from dataclasses import replace

import pytest

from importer.model import Blocked, Change, FieldChange, NoOp, Origin, Scope, Update
from importer.plan.changes import only_drift
from tests import plans
from tests.plans import CLOSED, NAME, STATUS, SUMMARY

CONFIG = FieldChange(NAME, "old", "new")
DRIFT = FieldChange(SUMMARY, "edited", "declared", Origin.DRIFT)
STAYS = FieldChange(STATUS, None, CLOSED, Origin.DRIFT)
UPDATE = Update(plans.UPDATE.incident, plans.UPDATE.live, (CONFIG, DRIFT), (STAYS,))
BLOCKED = Blocked(plans.UPDATE.incident, "01", "INC-1", "create-only", "why", (CONFIG, STAYS))


def drifted(change: Change) -> tuple[Change, ...]:
    return only_drift(plans.plan(change)).changes


def test_only_drift_remains_of_an_update() -> None:
    assert drifted(UPDATE) == (replace(UPDATE, changes=(DRIFT,)),)
    assert drifted(replace(UPDATE, changes=(CONFIG,))) == (replace(UPDATE, changes=()),)
    assert drifted(replace(UPDATE, changes=(CONFIG,), blocked=())) == (
        NoOp(UPDATE.incident, UPDATE.live.id, UPDATE.live.reference),
    )


def test_only_drift_remains_of_a_blocked_change() -> None:
    assert drifted(BLOCKED) == (replace(BLOCKED, blocked=(STAYS,)),)
    assert drifted(replace(BLOCKED, blocked=(CONFIG,))) == ()
    assert drifted(replace(BLOCKED, blocked=())) == ()


@pytest.mark.parametrize("change", [plans.CREATE, plans.PENDING, plans.ADOPT])
def test_an_incident_that_is_not_in_the_account_or_not_ours_has_not_drifted(change: Change) -> None:
    assert drifted(change) == ()


def test_a_drift_report_is_marked_and_leaves_out_unmanaged_incidents() -> None:
    report = only_drift(plans.PLANS["mixed"])
    assert (report.scope, report.unmanaged) == (Scope(drift_only=True), ())
