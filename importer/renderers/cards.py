"""A change -> a card: the title, rows, diffs and notes of one incident, as every format shows them.

All text of a card is sanitised: one line, without control characters.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import assert_never

from importer.model import (
    Adopt,
    Blocked,
    Change,
    Create,
    FieldChange,
    NoOp,
    Origin,
    Pending,
    PostmortemDocument,
    Scope,
    Update,
    Value,
)
from importer.model.normalise import by_label
from importer.model.plain import labels
from importer.model.wording import numbered
from importer.plan.changes import CANNOT_CHANGE, NOT_SHOWN, declared, is_possible_drift, is_shown
from importer.plan.privacy import is_private
from importer.plan.summary import Action, actions, reference_of
from importer.renderers.hunks import DiffLine, difference, whole
from importer.renderers.values import identified, quoted, sanitised, shown, unfolded
from importer.renderers.view import CLEAR, MEANINGS, SYMBOLS

_PREDICATES = {
    Action.CREATE: "will be created",
    Action.UPDATE: "will be updated",
    Action.ADOPT: "will be adopted",
    Action.PENDING: "is pending",
    Action.BLOCKED: "is blocked",
    Action.NO_OP: "is unchanged",
}


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One attribute of a card. `before` is None if only `after` is shown; `note` is the reason for the
    difference; a value of several lines has `lines`, and their number in `after`."""

    symbol: str
    label: str
    before: str | None
    after: str
    note: str = ""
    lines: tuple[DiffLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Card:
    """One incident's part of a plan. `unchanged` counts the declared attributes that do not differ."""

    symbol: str
    key: str
    reference: str
    title: str
    place: str
    rows: tuple[FieldRow, ...]
    unchanged: int = 0
    explanation: str = ""
    is_private: bool = False


def legend(shown_cards: Iterable[Card]) -> tuple[tuple[str, str], ...]:
    """Return the symbols in use with their meanings, in a fixed order."""
    used = set[str]()
    for each in shown_cards:
        used.add(each.symbol)
        used.update(row.symbol for row in each.rows)
    return tuple((symbol, meaning) for symbol, meaning in MEANINGS.items() if symbol in used)


def card(change: Change, scope: Scope) -> Card:
    """Return the card of a change."""
    action = actions(change)[0]
    return Card(
        symbol=SYMBOLS[action],
        key=sanitised(change.incident.key),
        reference=sanitised(reference_of(change)),
        title=_title(change, action, scope),
        place=sanitised(str(change.incident.location)),
        rows=_rows_of_drift(change) if scope.drift_only else _rows(change),
        unchanged=_unchanged(change),
        explanation=_last_edit(change) if scope.drift_only else _explanation(change),
        is_private=is_private(change),
    )


def _title(change: Change, action: Action, scope: Scope) -> str:
    name = f"incident {quoted(change.incident.key)}"
    reference = reference_of(change)
    subject = f"{name} ({sanitised(reference)})" if reference else name
    if scope.drift_only and action in (Action.UPDATE, Action.BLOCKED):
        return f"{subject} {'may have' if is_possible_drift(change) else 'has'} drifted"
    return f"{subject} {_PREDICATES[action]}"


def _explanation(change: Change) -> str:
    match change:
        case Blocked(explanation=explanation):
            return sanitised(explanation)
        case Pending():
            return (
                "an earlier run sent this and got no answer; apply looks for the incident, and sends the "
                "same request again only if the account does not show it"
            )
        case Create() | Update() | Adopt() | NoOp():
            return ""
        case _:
            assert_never(change)


def _last_edit(change: Change) -> str:
    """Return when an incident of a drift report was last edited: the edit shown was made then or before."""
    if isinstance(change, Update) and (moment := _moment(change.live.updated_at)):
        return f"last edited in incident.io on {moment:%Y-%m-%d at %H:%M} UTC"
    return _explanation(change)


def _rows_of_drift(change: Change) -> tuple[FieldRow, ...]:
    """Return the differences as they happened: what was declared, then what incident.io has now."""
    match change:
        case Update(changes=changes, blocked=blocked, live=live):
            edited = _date(live.updated_at)
            by = f"{edited} or before" if edited else ""
            return _differing(_reversed(changes), _reversed(blocked), by)
        case Blocked(blocked=blocked):
            return _differing((), _reversed(blocked), "")
        case Create() | Pending() | Adopt() | NoOp():
            return ()
        case _:
            assert_never(change)


def _reversed(changes: tuple[FieldChange, ...]) -> tuple[FieldChange, ...]:
    return tuple(replace(each, before=each.after, after=each.before) for each in changes)


def _rows(change: Change) -> tuple[FieldRow, ...]:
    match change:
        case Create(blocked=blocked) | Pending(blocked=blocked):
            sent = declared(change)
            names = labels([*sent, *(each.attribute for each in blocked)])
            rows = (
                _row(FieldChange(each, None, sent[each]), names[each], "")
                for each in sorted(sent, key=by_label)
            )
            left_out = (_blocked_row(each, names[each.attribute]) for each in blocked)
            return (*rows, *(replace(each, before=None) for each in left_out))
        case (
            Update(changes=changes, blocked=blocked, live=live)
            | Adopt(changes=changes, blocked=blocked, live=live)
        ):
            return _differing(changes, blocked, _date(live.updated_at))
        case Blocked(blocked=blocked):
            return _differing((), blocked, "")
        case NoOp():
            return ()
        case _:
            assert_never(change)


def _differing(
    changes: tuple[FieldChange, ...], blocked: tuple[FieldChange, ...], edited: str
) -> tuple[FieldRow, ...]:
    names = labels(each.attribute for each in (*changes, *blocked))
    possible = [_changed_row(each, names[each.attribute], _reason(each, edited)) for each in changes]
    return (*possible, *(_blocked_row(each, names[each.attribute]) for each in blocked))


def _reason(change: FieldChange, edited: str) -> str:
    on = f" on {edited}" if edited and change.origin is not Origin.FILE else ""
    return f"{change.origin.value}{on}"


def _date(updated_at: str) -> str:
    """Return the date in a timestamp of the server, or nothing if it cannot be read."""
    moment = _moment(updated_at)
    return moment.date().isoformat() if moment else ""


def _moment(updated_at: str) -> datetime | None:
    """Return a timestamp of the server in UTC, or None if it cannot be read."""
    try:
        moment = datetime.fromisoformat(updated_at)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment


def _row(change: FieldChange, label: str, note: str) -> FieldRow:
    before, after = change.before, _without_unshown(change)
    symbol = SYMBOLS[Action.CREATE] if before is None else CLEAR if after is None else SYMBOLS[Action.UPDATE]
    name = sanitised(label)
    old, new = unfolded(before, after), unfolded(after)
    if "\n" not in old and "\n" not in new:
        return FieldRow(symbol, name, *_both_sides(before, after), note)
    if before is None:
        text = whole(new, "+")
        return FieldRow(symbol, name, None, f"({numbered(text.changed, 'line')})", note, text.lines)
    if after is None:
        text = whole(old, "-")
        return FieldRow(symbol, name, f"({numbered(text.changed, 'line')})", "null", note, text.lines)
    text = difference(old, new)
    return FieldRow(symbol, name, None, f"({numbered(text.changed, 'line')} changed)", note, text.lines)


def _changed_row(change: FieldChange, label: str, note: str) -> FieldRow:
    """Return the row of an existing incident's value: that the API does not show one does not mean that there
    is none."""
    row = _row(change, label, note)
    return row if is_shown(change) else replace(row, symbol=SYMBOLS[Action.UPDATE], before=NOT_SHOWN)


def _without_unshown(change: FieldChange) -> Value:
    """Return the new value, of a post-mortem without its content if the account does not show what it holds:
    that it differs would be a guess."""
    match change:
        case FieldChange(before=PostmortemDocument(content=""), after=PostmortemDocument() as after):
            return replace(after, content="")
        case _:
            return change.after


def _blocked_row(change: FieldChange, label: str) -> FieldRow:
    row = _row(change, label, sanitised(change.obstacle or CANNOT_CHANGE))
    before = row.before or (shown(change.before) if is_shown(change) else NOT_SHOWN)
    return replace(row, symbol=SYMBOLS[Action.BLOCKED], before=before)


def _both_sides(before: Value, after: Value) -> tuple[str | None, str]:
    """Return both values in one line each, with IDs if the names alone would look the same."""
    old, new = shown(before), shown(after)
    if before is None:
        return None, new
    return (identified(before), identified(after)) if old == new else (old, new)


def _unchanged(change: Change) -> int:
    match change:
        case Update(changes=changes, blocked=blocked) | Adopt(changes=changes, blocked=blocked):
            shown_rows = {each.attribute for each in (*changes, *blocked)}
            return len(change.incident.attributes.keys() - shown_rows)
        case Create() | Pending() | NoOp() | Blocked():
            return 0
        case _:
            assert_never(change)
