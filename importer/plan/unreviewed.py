"""The disagreement of a plan with the reviewed one -> an error that names each difference. Pure.

Of a private incident it shows only the key, the action and the reference.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from importer.model import Account, Adopt, Create, Diagnostic, Pending, Scope, Severity, Update
from importer.model.codec import Json
from importer.model.errors import Refused
from importer.model.plain import named
from importer.model.wording import first_few, numbered
from importer.plan.agreement import Acting, Agreement, OtherPart, Unreviewed
from importer.plan.file_changes import change_to_json
from importer.plan.privacy import is_private
from importer.plan.summary import actions

_INCIDENTS, _VALUES, _CHARACTERS = 20, 5, 60
"""The most incidents, values of one incident, and characters of a value that are shown."""

_HINT = "nothing was written: make a new plan and review it"


def refuse_unreviewed(agreement: Agreement) -> None:
    """Raise Refused, with the differences, if a new plan does anything that was not reviewed."""
    if agreement.other_parts:
        found = tuple(map(_of_plan, agreement.other_parts))
        raise _refused("the reviewed plan cannot be compared with the new one", found)
    count = len(agreement.unreviewed)
    if count:
        more = f"; the first {_INCIDENTS} are listed" if count > _INCIDENTS else ""
        found = tuple(map(_of_incident, agreement.unreviewed[:_INCIDENTS]))
        raise _refused(f"the new plan has {numbered(count, 'change')} that nobody reviewed{more}", found)


def _refused(summary: str, diagnostics: tuple[Diagnostic, ...]) -> Refused:
    return Refused(summary, hint=_HINT, code="not-reviewed", diagnostics=diagnostics)


def _of_plan(part: OtherPart) -> Diagnostic:
    if part.name == "errored":
        return Diagnostic(Severity.ERROR, "not-reviewed", "the reviewed plan has errors")
    summary = f"the {part.name} of the reviewed plan differs"
    detail = f"{part.name}: {_part_in_words(part.reviewed)} -> {_part_in_words(part.planned)}"
    return Diagnostic(Severity.ERROR, "not-reviewed", summary, detail)


def _part_in_words(part: object) -> str:
    match part:
        case Account(endpoint=endpoint, dashboard_url=dashboard):
            return f"{dashboard} at {endpoint}"
        case Scope(only=only, limit=limit, drift_only=drift_only):
            words = ["--drift-only"] if drift_only else []
            words += [f"--only {each}" for each in only] + ([] if limit is None else [f"--limit {limit}"])
            return " ".join(words) or "all incidents"
        case _:
            return str(part)


def _of_incident(found: Unreviewed) -> Diagnostic:
    key, was, now = found.planned.incident.key, found.reviewed, found.planned
    is_hidden = any(each is not None and is_private(each) for each in (was, now))
    if was is None:
        summary, lines = f"'{key}' is not in the reviewed plan", list(_compared({}, _identity(now)))
    else:
        summary, lines = f"'{key}' is not as reviewed", list(_differences(was, now, is_hidden=is_hidden))
    detail = first_few(lines, _VALUES, "\n")
    places = (found.location,)
    return Diagnostic(Severity.ERROR, "not-reviewed", summary, detail, locations=places, is_private=is_hidden)


def _differences(was: Acting, now: Acting, *, is_hidden: bool) -> Iterator[str]:
    """Yield the differences in the words of a plan, or by their place in its JSON where it has no words."""
    identity = list(_compared(_identity(was), _identity(now)))
    yield from identity
    values = list(_compared(_values(was), _values(now)))
    if not is_hidden:
        yield from values
        if not values and not identity:
            yield from _compared(_leaves(change_to_json(was)), _leaves(change_to_json(now)))
    elif values or not identity:
        yield "the values of a private incident are not shown"


def _compared(was: Mapping[str, Json], now: Mapping[str, Json]) -> Iterator[str]:
    for name in dict.fromkeys((*now, *was)):
        if was.get(name) != now.get(name):
            before, after = _in_words(was.get(name)), _in_words(now.get(name))
            pairs = enumerate(zip(before, after, strict=False))
            first = next((at for at, (one, other) in pairs if one != other), min(len(before), len(after)))
            yield f"{name}: {_excerpt(before, first)} -> {_excerpt(after, first)}"


def _in_words(value: Json) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)


def _excerpt(text: str, first: int) -> str:
    """Return a text, or of a long one the part around its first difference."""
    if len(text) <= _CHARACTERS:
        return text
    start = max(0, min(first, len(text)) - _CHARACTERS // 3)
    part = text[start : start + _CHARACTERS]
    return f"{'...' if start else ''}{part}{'...' if start + len(part) < len(text) else ''}"


def _identity(change: Acting) -> dict[str, Json]:
    """Return what is done to which incident."""
    live = change.live if isinstance(change, Update | Adopt) else None
    return {
        "action": actions(change)[0].value,
        "incident": f"{live.reference} ({live.id})" if live else None,
        "idempotency_key": change.idempotency_key if isinstance(change, Create | Pending) else None,
    }


def _values(change: Acting) -> dict[str, Json]:
    """Return what the incident becomes, and what the account has."""
    entry = change_to_json(change)
    held = named(change.live.attributes) if isinstance(change, Update | Adopt) else {}
    before = held | (entry["before"] or {})
    return {**entry["after"], **{f"{name} in the account": value for name, value in before.items()}}


def _leaves(document: Json, place: str = "") -> dict[str, Json]:
    """Return the values of a JSON document by their place."""
    match document:
        case Mapping():
            parts = [(f"{place}.{name}".lstrip("."), part) for name, part in document.items()]
        case list():
            parts = [(f"{place}[{number}]", part) for number, part in enumerate(document)]
        case _:
            return {place: document}
    return {name: value for at, part in parts for name, value in _leaves(part, at).items()}
