"""A plan -> one HTML page to read, search and filter; it loads nothing from the network.

The page is ASCII, so that the encoding of the output does not matter. User text enters it in two ways only:
through the template, which escapes everything, and as JSON, which the page's script inserts as text.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, assert_never

from importer.model import (
    Adopt,
    Attribute,
    Attributes,
    Blocked,
    Change,
    Create,
    Diagnostic,
    Entity,
    Field,
    MonthCount,
    NoOp,
    Pending,
    Plan,
    Scope,
    Severity,
    Update,
    earliest,
)
from importer.model.codec import encode_moment
from importer.plan.changes import new_options
from importer.plan.history import by_month
from importer.plan.summary import Action, summarise
from importer.renderers import view
from importer.renderers.cards import Card, FieldRow, card, legend
from importer.renderers.chart import chart, undated
from importer.renderers.columns import parted, shortened
from importer.renderers.hunks import DiffLine, excerpt, truncated
from importer.renderers.privacy import redacted, visible_diagnostics
from importer.renderers.values import sanitised, sanitised_lines
from importer.renderers.verdict import left_out_note

_PAGE = Path(__file__).parent / "page"
_LONGEST, _MOST_LINES = 10_000, 1000
"""Most characters of a text, and most lines of one attribute's diff; more would make the page slow."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _ShownChange:
    """A change and its card. `hidden` means a private incident whose text is not shown."""

    change: Change
    card: Card
    hidden: bool


def render_plan(plan: Plan, *, show_private: bool) -> str:
    """Return the page. Without `show_private`, it has only key, action and location of private incidents."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - imported where used
    from markupsafe import Markup  # noqa: PLC0415

    environment = Environment(
        loader=FileSystemLoader(_PAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    shown = [_shown_change(each, plan.scope, show_private=show_private) for each in plan.changes]
    drawn = _drawn(plan, shown)
    data = {
        "entries": [_entry(each, plan.scope) for each in shown if not isinstance(each.change, NoOp)],
        "severities": [sanitised(each) for each in plan.severities],
        "colours": drawn["chart"].coloured if drawn["chart"] else [],
        "meanings": view.MEANINGS,
        "drift": dict.fromkeys(view.DRIFT_WORDS, Action.UPDATE.value),
    }
    style, script = _asset("page.css"), _asset("page.js")
    page = environment.get_template("page.html.jinja").render(
        **_heading(plan),
        **_contents(plan, shown, show_private=show_private),
        **drawn,
        style=Markup(style),  # noqa: S704 - a file of this package
        script=Markup(script),  # noqa: S704 - a file of this package
        data=Markup(_embedded(data)),  # noqa: S704 - escaped by _embedded
        style_hash=_csp_hash(style),
        script_hash=_csp_hash(script),
    )
    return page.encode("ascii", "xmlcharrefreplace").decode()


def _shown_change(change: Change, scope: Scope, *, show_private: bool) -> _ShownChange:
    whole = card(change, scope)
    hidden = whole.is_private and not show_private
    return _ShownChange(change, redacted(whole) if hidden else whole, hidden)


def _heading(plan: Plan) -> Json:
    """Return the parts of the page that describe the plan as a whole."""
    return {
        "account": sanitised(plan.account.dashboard_url.removeprefix("https://")),
        "endpoint": sanitised(plan.account.endpoint),
        "made_at": encode_moment(plan.made_at),
        "version": sanitised(plan.tool_version),
        "revision": sanitised(plan.revision or ""),
        "inputs": [(sanitised(each.path), sanitised(each.sha256)) for each in plan.inputs],
    }


def _contents(plan: Plan, shown: Sequence[_ShownChange], *, show_private: bool) -> Json:
    """Return the parts of the page about the changes: counts, problems, new options, unmanaged incidents."""
    summary = summarise(plan)
    return {
        "verdict": _verdict(plan),
        "is_errored": plan.errored,
        "tallies": [(name, label, symbol, summary.as_dict()[name]) for name, label, symbol in _tallies(plan)],
        "part": left_out_note(plan.scope),
        "ways_out": [*filter(None, [view.possible_drift(plan), view.ways_out(plan)])],
        "effort": view.estimate_line(plan),
        "unmanaged": view.unmanaged(plan),
        "new_options": [
            (sanitised(each.custom_field.name), sanitised(each.name))
            for each in new_options(each.change for each in shown if not each.hidden)
            if not (plan.errored or plan.scope.drift_only)
        ],
        "problems": [_problem(each) for each in visible_diagnostics(plan, show_private=show_private)],
        "legend": () if plan.scope.drift_only else legend(each.card for each in shown),
        "hidden": sum(each.hidden for each in shown),
    }


def _tallies(plan: Plan) -> tuple[tuple[str, str, str], ...]:
    """Return the name of each count, its label and its symbol. A plan that failed has no counts."""
    if plan.errored:
        return ()
    differing, unchanged = ("update", view.updates(plan), "~"), ("unchanged", "unchanged", "")
    if plan.scope.drift_only:
        return (differing, ("blocked", "blocked", "!"), unchanged)
    return (
        ("create", "to create", "+"),
        differing,
        ("adopt", "to adopt", "="),
        ("blocked", "blocked", "!"),
        ("pending", "pending", "?"),
        unchanged,
    )


def _verdict(plan: Plan) -> str:
    return f"{view.opening(plan).rstrip('.:')}."


def _problem(diagnostic: Diagnostic) -> Json:
    return {
        "severity": diagnostic.severity.value,
        "is_error": diagnostic.severity is Severity.ERROR,
        "code": sanitised(diagnostic.code),
        "summary": _prose(diagnostic.summary),
        "detail": _prose(diagnostic.detail),
        "hint": _prose(diagnostic.hint),
        "places": view.places(diagnostic),
    }


def _prose(text: str) -> str:
    return shortened("\n".join(sanitised_lines(text)), _LONGEST)


def _drawn(plan: Plan, shown: Sequence[_ShownChange]) -> Json:
    """Return the chart, and how many incidents it does not show."""
    creations = [
        (each.change.attributes, each.hidden) for each in shown if isinstance(each.change, Create | Pending)
    ]
    sent = [attributes for attributes, hidden in creations if not hidden]
    added, there = _clean(by_month(sent)), _clean(plan.history or ())
    return {
        "chart": chart(added, there, [sanitised(each) for each in plan.severities]),
        "is_history_known": plan.history is not None,
        "undated_added": undated(added),
        "undated_there": undated(there),
        "not_counted": len(creations) - len(sent),
    }


def _clean(counts: Iterable[MonthCount]) -> list[MonthCount]:
    return [replace(each, severity=sanitised(each.severity)) for each in counts]


def _entry(shown: _ShownChange, scope: Scope) -> Json:
    change, card = shown.change, shown.card
    known = {} if shown.hidden else _known(change)
    place = change.incident.location
    return {
        "actions": view.action_words(change, scope),
        "key": card.key,
        "reference": card.reference,
        "title": card.title,
        "file": sanitised(place.path),
        "line": place.line,
        "place": card.place,
        "private": card.is_private,
        "hidden": shown.hidden,
        "unchanged": card.unchanged,
        "explanation": shortened(card.explanation, _LONGEST),
        "rows": [_row(each) for each in card.rows],
        "name": shortened(_text(known, Field.NAME), _LONGEST),
        "severity": _text(known, Field.SEVERITY),
        "type": _text(known, Field.INCIDENT_TYPE),
        "began": _moment(known),
        "link": _link(change),
    }


def _known(change: Change) -> Attributes:
    """Return the attributes of an incident after the change: the live ones, then the declared ones."""
    match change:
        case Create(attributes=sent) | Pending(attributes=sent):
            return sent
        case Update(live=live) | Adopt(live=live):
            return {**live.attributes, **change.incident.attributes}
        case NoOp() | Blocked():
            return change.incident.attributes
        case _:
            assert_never(change)


def _text(attributes: Attributes, field: Field) -> str:
    value = attributes.get(Attribute(field))
    return sanitised((value.name or value.id) if isinstance(value, Entity) else str(value or ""))


def _moment(attributes: Attributes) -> str:
    began = earliest(attributes)
    return encode_moment(began) if began else ""


def _link(change: Change) -> str:
    """Return the permalink of the live incident, if it is safe to follow."""
    address = change.live.permalink if isinstance(change, Update | Adopt) else ""
    return sanitised(address) if address.startswith("https://") else ""


def _row(row: FieldRow) -> list[Any]:
    if row.before is None:
        before, after = None, shortened(row.after, _LONGEST)
    else:
        before, after = parted(row.before, row.after, _LONGEST)
    lines = [[each.marker, *_pieces(excerpt(each, _LONGEST))] for each in truncated(row.lines, _MOST_LINES)]
    return [row.symbol, row.label, before, after, row.note, lines]


def _pieces(line: DiffLine) -> list[str]:
    """Split a line of a diff into pieces; every second piece differs."""
    ends = [0, *chain.from_iterable(line.spans), len(line.text)]
    return [line.text[start:end] for start, end in pairwise(ends)]


def _embedded(data: Json) -> str:
    """Return JSON that is safe inside HTML: `<`, `>`, `&` and everything beyond ASCII is escaped."""
    text = json.dumps(data, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _asset(name: str) -> str:
    return (_PAGE / name).read_text(encoding="ascii")


def _csp_hash(source: str) -> str:
    """Return the source expression with which a Content-Security-Policy allows an inline text."""
    return f"sha256-{b64encode(hashlib.sha256(source.encode()).digest()).decode()}"
