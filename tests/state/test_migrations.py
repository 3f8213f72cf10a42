"""A state or export of an earlier version -> nothing is published or imported twice after an upgrade."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from importer.model import (
    Attribute,
    Entity,
    Field,
    Kind,
    PostmortemDocument,
    Remembered,
    StatusPageIncident,
    TimelineItem,
)
from importer.model.codec import encode_record, encode_value
from importer.state import export
from importer.state.ledger import open_ledger
from tests.old_tables import TABLES_2
from tests.plans import live

PAGE = Entity(Kind.STATUS_PAGE, "01PAGE", "Acme status")
ITEM = Attribute(Field.TIMELINE, "Began")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
EARLIER = f"""{TABLES_2}
INSERT INTO binding VALUES ('A', '01LIVE1', 'INC-1', 1, '2026-03-01T12:00:00+00:00');
PRAGMA application_id = 1229803604;
PRAGMA user_version = 2;
"""
DECLARED: list[tuple[dict[str, Any], Any, Any]] = [
    (
        {"field": "postmortem", "key": "What we learned"},
        {"type": "postmortem", "content": "# What we learned", "status": "completed"},
        {"type": "postmortem", "content": "# What we learned", "status": "in_progress"},
    ),
    (
        {"field": "status_page", "key": "Search is slow"},
        {"type": "status_page_incident", "page": encode_record(PAGE), "updates": []},
        None,
    ),
    (encode_record(ITEM), encode_value(TimelineItem(NOON)), None),
]
EXPECTED = {
    Attribute(Field.POSTMORTEM): Remembered(
        PostmortemDocument("# What we learned", "completed", "What we learned"),
        PostmortemDocument("# What we learned", "in_progress", "What we learned"),
    ),
    Attribute(Field.STATUS_PAGE, PAGE): Remembered(
        StatusPageIncident(PAGE, "Search is slow", ()), StatusPageIncident(PAGE, "Search is slow", ())
    ),
    ITEM: Remembered(TimelineItem(NOON), TimelineItem(NOON)),
}
ENTRIES = [
    ("A", "create", "confirmed", None),
    ("A", "postmortem.url", "confirmed", None),
    ("A", "postmortem.What we learned", "confirmed", None),
    ("A", "postmortem.What we learned (status)", "sent", None),
    ("A", "status_page.Search is slow", "confirmed", None),
    ("A", "timeline.Began", "confirmed", None),
    ("B", "postmortem.In doubt", "sent", None),
    ("B", "status_page.In doubt", "sent", '{"status_page_id":"01PAGE","name":"In doubt"}'),
    ("B", "status_page.Refused", "failed", None),
]


def earlier(path: Path) -> Path:
    """Write a state of version 2."""
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(EARLIER)
        for attribute, declared, answered in DECLARED:
            slot = f"{attribute['field']}:{attribute['field']}.{attribute['key']}"
            row = ("A", slot, json.dumps(attribute), json.dumps(declared), answered and json.dumps(answered))
            database.execute("INSERT INTO field VALUES (?, ?, ?, ?, ?)", row)
        for key, step, status, content in ENTRIES:
            entry = (key, step, status, NOON.isoformat(), content and "i-1", content)
            database.execute("INSERT INTO entry VALUES (?, ?, ?, ?, ?, '', NULL, ?)", entry)
    return path


def test_a_state_of_version_2_knows_its_postmortem_and_its_public_history(tmp_path: Path) -> None:
    with closing(open_ledger(earlier(tmp_path / "state.db"), now=lambda: NOON)) as ledger:
        assert ledger.remembered("A") == EXPECTED
        assert ledger.state().bound["A"].fields == EXPECTED
        values = {attribute: known.declared for attribute, known in EXPECTED.items()}
        ids = {Attribute(Field.POSTMORTEM): "01DOCUMENT"}
        ledger.confirmed("A", live=live(1, {}), declared=values, answered=values, child_ids=ids)
        assert ledger.remembered("A").keys() == EXPECTED.keys()
        assert ledger.remembered("A")[Attribute(Field.POSTMORTEM)].child_id == "01DOCUMENT"
        assert ledger.child_owner("01DOCUMENT") == "A"
        assert ledger.child_owner("01OTHER") is None


def test_the_journal_of_version_2_keeps_what_is_in_doubt(tmp_path: Path) -> None:
    with closing(open_ledger(earlier(tmp_path / "state.db"), now=lambda: NOON)) as ledger:
        assert {each.step: each.status for each in ledger.entries("A")} == {
            "create": "confirmed",
            "postmortem": "confirmed",
            "status postmortem": "sent",
            "postmortem.url": "confirmed",
            "status_page.01PAGE": "confirmed",
            "timeline.Began": "confirmed",
        }
        history = ledger.history("B")
        assert set(history.sent) == {"postmortem", "status_page.01PAGE"}
        assert history.sent["status_page.01PAGE"].content == ENTRIES[-2][3]
        assert not history.is_whole
        assert ledger.history("A").is_whole


def test_an_export_of_an_earlier_version_is_read_as_the_present_state(tmp_path: Path) -> None:
    fields = [
        {"attribute": attribute, "declared": value, **({"answered": answered} if answered else {})}
        for attribute, value, answered in DECLARED
    ]
    renamed = {**fields[0], "attribute": {"field": "postmortem", "key": "Another"}}
    binding = {
        "key": "A",
        "incident_id": "01LIVE",
        "reference": "INC-1",
        "settled": True,
        "at": "2026-03-01T12:00:00Z",
        "fields": [renamed, *fields],
    }
    document = {
        "format_version": "1.0",
        "account": {"endpoint": "https://api.incident.io", "dashboard_url": "https://app.incident.io/acme"},
        "bindings": [binding],
        "unanswered": [],
    }
    path = tmp_path / "state.json"
    path.write_text(json.dumps(document))
    assert export.read_export(path).bound["A"].fields == EXPECTED
