"""The tables of a ledger <-> the State that travels from one machine to another."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime

from importer.model import Account, Attribute, Remembered
from importer.model.codec import decode_attribute
from importer.model.steps import CREATE
from importer.state.ledger_rows import CONFIRMED, SENT, SENT_WITH, binding_of, field_row, remembered_of
from importer.state.merge import Bound, State

_BINDINGS = "SELECT key, incident_id, reference, settled, bound_at FROM binding"


def state_of(connection: sqlite3.Connection) -> State:
    meta = dict(connection.execute("SELECT name, value FROM meta").fetchall())
    fields: dict[str, dict[Attribute, Remembered]] = {}
    rows = connection.execute("SELECT key, attribute, declared, answered FROM field")
    for key, attribute, declared, answered in rows:
        known = fields.setdefault(key, {})
        known[decode_attribute(json.loads(attribute))] = remembered_of(declared, answered)
    last = dict(
        connection.execute("SELECT key, MAX(at) FROM entry WHERE status = ? GROUP BY key", (CONFIRMED,))
    )
    bound = {
        key: Bound(
            binding_of((key, *rest)),
            datetime.fromisoformat(max(bound_at, last.get(key, ""))),
            fields.get(key, {}),
        )
        for key, *rest, bound_at in connection.execute(_BINDINGS)
    }
    sent = connection.execute(SENT_WITH, (CREATE, SENT)).fetchall()
    account = Account(meta["endpoint"], meta["dashboard_url"]) if "endpoint" in meta else None
    return State(account, bound, {key: once for key, once, _ in sent if key not in bound})


def add_state(to: sqlite3.Connection, own: State, whole: State, *, at: str) -> None:
    """Write what a merge added to a state."""
    if whole.account:
        rows = [("endpoint", whole.account.endpoint), ("dashboard_url", whole.account.dashboard_url)]
        to.executemany("INSERT OR IGNORE INTO meta VALUES (?, ?)", rows)
    for key, each in whole.bound.items():
        if each is not own.bound.get(key):
            binding = each.binding
            row = (key, binding.incident_id, binding.reference, binding.settled, each.at.isoformat())
            to.execute(
                "INSERT INTO binding VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET"
                " reference = excluded.reference, settled = excluded.settled, bound_at = excluded.bound_at",
                row,
            )
            fields = [
                field_row(key, attribute, known.declared, known.answered)
                for attribute, known in each.fields.items()
            ]
            to.executemany("INSERT OR REPLACE INTO field VALUES (?, ?, ?, ?, ?)", fields)
    sent = [
        (key, CREATE, SENT, at, once) for key, once in whole.unanswered.items() if key not in own.unanswered
    ]
    to.executemany("INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?, ?, NULL, NULL, NULL)", sent)
