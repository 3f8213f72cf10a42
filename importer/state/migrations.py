"""A state file or export of an earlier version -> the same state in the present form.

Up to version 2, the title of a post-mortem and the name of a status page incident were their identity.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping

from importer.formats.json_pieces import JsonObject
from importer.model import Field

_JSON = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
_STATUS = " (status)"


def renewed(field: JsonObject) -> JsonObject:
    """Return the attribute, declared and answered value of a field in the present form."""
    attribute, declared = field["attribute"], field["declared"]
    title, kind = attribute.get("key"), isinstance(declared, dict) and declared.get("type")
    if not isinstance(title, str):
        return field
    match attribute["field"], kind:
        case Field.POSTMORTEM, "postmortem":
            part, own = "title", {"field": Field.POSTMORTEM.value}
        case Field.STATUS_PAGE, "status_page_incident":
            part, own = "name", {"field": Field.STATUS_PAGE.value, "key": declared.get("page")}
        case _:
            return field
    values = {
        name: {**field[name], part: title}
        for name in ("declared", "answered")
        if isinstance(field.get(name), dict)
    }
    return {**field, **values, "attribute": own}


def _add_content(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE entry ADD COLUMN content TEXT")


def _identify_children(connection: sqlite3.Connection) -> None:
    """Add the IDs of children, and rename those whose identity had a title."""
    connection.execute("ALTER TABLE entry ADD COLUMN first_sent TEXT")
    connection.execute("ALTER TABLE field ADD COLUMN child_id TEXT")
    connection.execute("CREATE INDEX child ON field (child_id) WHERE child_id IS NOT NULL")
    pages: dict[tuple[str, str], str] = {}
    for key, slot, *texts in connection.execute(
        "SELECT key, slot, attribute, declared, answered FROM field WHERE slot LIKE 'postmortem:%'"
        " OR slot LIKE 'status_page:%'"
    ).fetchall():
        before = dict(zip(("attribute", "declared", "answered"), map(_read, texts), strict=True))
        after = renewed(before)
        own = after["attribute"]
        page = own["key"]["id"] if "key" in own else None
        if page:
            pages[key, slot.partition(":")[2]] = page
        row = (
            key,
            f"{own['field']}:{page or own['field']}",
            *(_written(after[each]) for each in ("attribute", "declared", "answered")),
        )
        connection.execute("DELETE FROM field WHERE key = ? AND slot = ?", (key, slot))
        connection.execute("INSERT OR REPLACE INTO field VALUES (?, ?, ?, ?, ?, NULL)", row)
    _rename_steps(connection, pages)


def _rename_steps(connection: sqlite3.Connection, pages: Mapping[tuple[str, str], str]) -> None:
    """Rename the journal's steps of these children; `pages` has the page of each former name."""
    rows = connection.execute(
        "SELECT key, step, content FROM entry WHERE (step LIKE 'postmortem.%' AND step != ?)"
        " OR step LIKE 'status_page.%'",
        (Field.POSTMORTEM_URL.value,),
    ).fetchall()
    for key, step, content in rows:
        if step.startswith(Field.POSTMORTEM):
            name = f"status {Field.POSTMORTEM}" if step.endswith(_STATUS) else str(Field.POSTMORTEM)
        else:
            page = pages.get((key, step)) or (_read(content) or {}).get("status_page_id")
            name = f"{Field.STATUS_PAGE}.{page}" if page else step
        connection.execute(
            "UPDATE OR REPLACE entry SET step = ? WHERE key = ? AND step = ?", (name, key, step)
        )


def _read(text: str | None) -> JsonObject | None:
    return None if text is None else json.loads(text)


def _written(value: JsonObject | None) -> str | None:
    return None if value is None else _JSON.encode(value)


def _remember_answers(connection: sqlite3.Connection) -> None:
    """Add when an incident was last written, and what the account refused to change."""
    connection.execute("ALTER TABLE binding ADD COLUMN written_at TEXT")
    connection.execute("ALTER TABLE field ADD COLUMN refused TEXT")


MIGRATIONS: Mapping[int, Callable[[sqlite3.Connection], None]] = {
    1: _add_content,
    2: _identify_children,
    3: _remember_answers,
}
"""What migrates a file from each version to the next, within one transaction."""
