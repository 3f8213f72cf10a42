"""The ledger's values <-> the rows of its tables; its whole contents <-> a State."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Final

from importer.model import Account, Attribute, Binding, ChildHistory, Entity, Remembered, SentStep, Unanswered
from importer.model.codec import Json, decode_record, decode_value, encode_record, encode_value
from importer.model.forms import stored_form
from importer.model.steps import CREATE
from importer.state.ledger_file import Row
from importer.state.merge import BoundIncident, State

SENT: Final = "sent"
CONFIRMED: Final = "confirmed"
FOUND: Final = "found"
"""The detail of a creation whose answer was an incident that was there before: the state does not know who
created its children."""

PUT_FIELDS: Final = "INSERT OR REPLACE INTO field VALUES (?, ?, ?, ?, ?, ?, ?)"
HISTORY: Final = "SELECT step, status, coalesce(first_sent, at), at, content, detail FROM entry WHERE key = ?"
SENT_WITH: Final = "SELECT key, idempotency_key, content, first_sent FROM entry WHERE step = ? AND status = ?"

ANSWERED_OTHERWISE: Final = (
    "SELECT declared, answered, child_id, refused FROM field WHERE slot = ? AND answered IS NOT NULL"
)

_BINDINGS = "SELECT key, incident_id, reference, settled, written_at, bound_at FROM binding"
_JSON = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


def binding_of(row: Row) -> Binding:
    key, incident_id, reference, settled, written_at = row
    moment = datetime.fromisoformat(written_at) if written_at else None
    return Binding(key, incident_id, reference, bool(settled), moment)


def field_rows(key: str, fields: Iterable[tuple[Attribute, Remembered]]) -> list[Row]:
    """Return the rows for `PUT_FIELDS`: the declared and answered values of one key, and children's IDs."""
    return [
        (
            key,
            *_named(attribute, attribute.label),
            declared := _text(encode_value(known.declared)),
            None if (answered := _text(encode_value(known.answered))) == declared else answered,
            known.child_id,
            known.refused,
        )
        for attribute, known in fields
    ]


def unanswered_of(row: Row) -> Unanswered:
    """Return the request of a row with idempotency key, content and the time when it was first sent."""
    idempotency_key, content, first_sent = row
    return Unanswered(idempotency_key, content, datetime.fromisoformat(first_sent) if first_sent else None)


def put_account(db: sqlite3.Connection, account: Account) -> None:
    """Write the account that the file belongs to, if it has none yet."""
    rows = [("endpoint", account.endpoint), ("dashboard_url", account.dashboard_url)]
    db.executemany("INSERT OR IGNORE INTO meta VALUES (?, ?)", rows)


@lru_cache(maxsize=1000)
def _named(attribute: Attribute, label: str) -> tuple[str, str]:
    """Return the slot of an attribute within its key, and its JSON. Cached, since most incidents have the
    same attributes; equal ones may have different labels after their entity was renamed."""
    return slot_of(attribute, label), _text(encode_record(attribute))


def slot_of(attribute: Attribute, label: str = "") -> str:
    """Return what identifies an attribute within its key, whatever its entity is called."""
    return f"{attribute.field}:{attribute.key.id if isinstance(attribute.key, Entity) else label}"


def shows_another_case(rows: Iterable[Row]) -> bool:
    """Whether a text was answered in another case than it was declared, by rows of `ANSWERED_OTHERWISE`."""
    known = (remembered_of(*row) for row in rows)
    pairs = ((str(each.declared), str(each.answered)) for each in known)
    forms = ((stored_form(declared), stored_form(answered)) for declared, answered in pairs)
    return any(one != other and one.casefold() == other.casefold() for one, other in forms)


def remembered_of(
    declared: str, answered: str | None, child_id: str | None, refused: str | None
) -> Remembered:
    kept = decode_value(json.loads(declared))
    shown = kept if answered is None else decode_value(json.loads(answered))
    return Remembered(kept, shown, child_id, refused)


def history_of(rows: Iterable[Row]) -> ChildHistory:
    """Return what the journal of one key knows of its children, from the rows of `HISTORY`."""
    sent: dict[str, SentStep] = {}
    is_whole = False
    for step, status, first_at, at, content, detail in rows:
        if step == CREATE:
            is_whole = status == CONFIRMED and detail != FOUND
        elif status == SENT:
            sent[step] = SentStep(datetime.fromisoformat(first_at), datetime.fromisoformat(at), content)
    return ChildHistory(sent, is_whole)


def _text(value: Json) -> str:
    """Return JSON in ASCII: SQLite cannot store a lone surrogate, which an answer may contain."""
    return _JSON.encode(value)


def state_of(connection: sqlite3.Connection) -> State:
    meta = dict(connection.execute("SELECT name, value FROM meta").fetchall())
    fields: dict[str, dict[Attribute, Remembered]] = {}
    for key, attribute, *rest in connection.execute(
        "SELECT key, attribute, declared, answered, child_id, refused FROM field"
    ):
        known = fields.setdefault(key, {})
        known[decode_record(Attribute, json.loads(attribute))] = remembered_of(*rest)
    last = dict(
        connection.execute("SELECT key, MAX(at) FROM entry WHERE status = ? GROUP BY key", (CONFIRMED,))
    )
    bound = {
        key: BoundIncident(
            binding_of((key, *rest)),
            datetime.fromisoformat(max(bound_at, last.get(key, ""))),
            fields.get(key, {}),
        )
        for key, *rest, bound_at in connection.execute(_BINDINGS)
    }
    sent = connection.execute(SENT_WITH, (CREATE, SENT)).fetchall()
    account = Account(meta["endpoint"], meta["dashboard_url"]) if "endpoint" in meta else None
    return State(account, bound, {key: unanswered_of(tuple(rest)) for key, *rest in sent if key not in bound})


def add_state(db: sqlite3.Connection, own: State, whole: State, *, at: str) -> None:
    """Write what a merge added to the own state."""
    if whole.account:
        put_account(db, whole.account)
    for key, each in whole.bound.items():
        if each is not own.bound.get(key):
            binding = each.binding
            at, written_at = each.at.isoformat(), binding.written_at and binding.written_at.isoformat()
            db.execute(
                "INSERT INTO binding VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET"
                " reference = excluded.reference, settled = excluded.settled, bound_at = excluded.bound_at,"
                " written_at = excluded.written_at",
                (key, binding.incident_id, binding.reference, binding.settled, at, written_at),
            )
            db.executemany(PUT_FIELDS, field_rows(key, each.fields.items()))
    fresh = whole.unanswered.keys() - own.unanswered.keys()
    for key in sorted(fresh):
        sent = whole.unanswered[key]
        first_sent = sent.first_sent.isoformat() if sent.first_sent else None
        entry = (key, CREATE, SENT, at, sent.idempotency_key, sent.content, first_sent)
        db.execute("INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?, ?, NULL, NULL, ?, ?)", entry)
