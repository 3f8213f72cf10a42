"""How values and the parts of a child are shown to a reader."""

from __future__ import annotations

from datetime import UTC, datetime

from importer.model import Entity, FollowUp, Kind, Membership, StatusPageIncident, StatusPageUpdate
from importer.model.plain import plain
from importer.model.values import child_parts
from importer.model.wording import first_few

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
PAGE, API = Entity(Kind.STATUS_PAGE, "01PAGE", "Acme"), Entity(Kind.COMPONENT, "01API", "API")


def test_a_child_shows_only_the_parts_that_are_set() -> None:
    assert child_parts(FollowUp(status="completed")) == {"status": "completed"}
    assert child_parts(Membership()) == {}


def test_the_title_of_a_follow_up_in_the_account_is_not_shown() -> None:
    assert child_parts(FollowUp("Add an alert", title="Alert #2")) == {"description": "Add an alert"}


def test_a_reader_sees_names_instead_of_ids() -> None:
    update = StatusPageUpdate(NOON, "resolved", "Over.", ((API, "operational"),))

    assert plain(StatusPageIncident(PAGE, "Slow", (update,))) == {
        "page": "Acme",
        "name": "Slow",
        "updates": [
            {
                "at": "2024-01-01T12:00:00Z",
                "status": "resolved",
                "message": "Over.",
                "components": {"API": "operational"},
            }
        ],
    }
    assert plain((API, PAGE)) == ["API", "Acme"]


def test_a_long_list_shows_its_first_items_and_how_many_more() -> None:
    assert first_few(["a", "b"], 2, ", ") == "a, b"
    assert first_few(["a", "b", "c", "d"], 2, "; ") == "a; b; and 2 more"
