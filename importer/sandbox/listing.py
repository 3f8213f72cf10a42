"""Turn query parameters into filters and pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from werkzeug.datastructures import MultiDict

from importer.sandbox import moments, views
from importer.sandbox.access import ApiKey
from importer.sandbox.account import Account
from importer.sandbox.choices import LargePages, LastCursor
from importer.sandbox.exchange import Exchange
from importer.sandbox.problems import Problem, invalid, refuse_if
from importer.sandbox.records import RETROSPECTIVE, Condition, Ordering, Wire

_FIRST_PAGE = "first"
"""The cursor of an empty page that comes before the first."""

_MODES = ("standard", RETROSPECTIVE)
_NEWEST_FIRST = "created_at_newest_first"
_SORTS = (_NEWEST_FIRST, "created_at_oldest_first")
_OPERATOR = re.compile(r"(\w+)((?:\[[^\]]*\])+)")
_NOT_FILTERED = frozenset({"custom_field", "incident_role"})


@dataclass(frozen=True, slots=True)
class Page:
    """At most `size` items after the cursor `after` (empty: from the start). `last_cursor` is what marks the
    last page. One that `is_empty` has no items, and a cursor to the first page."""

    size: int
    after: str
    last_cursor: LastCursor
    is_empty: bool = False


def page(exchange: Exchange, largest: int = 250) -> Page:
    """Return the page that a query requests: 25 items by default, at most `largest`. Raises a 422."""
    query, options = exchange.query, exchange.account.options
    text = query.get("page_size", "25")
    if not (text.isascii() and text.isdecimal() and len(text) < 19 and int(text) >= 1):
        refuse_if([invalid("page_size", "page_size must be a number from 1")])
    if int(text) > largest and options.large_pages is LargePages.REFUSED:
        refuse_if([invalid("page_size", f"page_size must be at most {largest}")])
    cursor = query.get("after", "")
    return Page(
        min(int(text), largest),
        "" if cursor == _FIRST_PAGE else cursor,
        options.last_cursor,
        is_empty=options.empty_pages and not cursor,
    )


def meta(wanted: Page, items: Sequence[Wire], has_more: bool) -> Wire:
    """Return the pagination_meta of a page."""
    size: Wire = {"page_size": wanted.size}
    if wanted.is_empty:
        return {**size, "after": _FIRST_PAGE}
    if has_more:
        return {**size, "after": items[-1]["id"]}
    match wanted.last_cursor:
        case LastCursor.NULL:
            return {**size, "after": None}
        case LastCursor.EMPTY:
            return {**size, "after": ""}
        case LastCursor.EXTRA if items:
            return {**size, "after": items[-1]["id"]}
        case LastCursor.ABSENT | LastCursor.EXTRA:
            return size
        case never:
            assert_never(never)


def paged(wanted: Page, name: str, items: Iterable[Wire]) -> Wire:
    """Return one page of a list in memory. Raises a 422 for an unknown cursor."""
    all_items = list(items)
    start = 0
    if wanted.after:
        places = [place for place, item in enumerate(all_items) if item["id"] == wanted.after]
        if not places:
            refuse_if([invalid("after", f"nothing has the ID {wanted.after!r}")])
        start = places[0] + 1
    shown = [] if wanted.is_empty else all_items[start : start + wanted.size]
    return {name: shown, "pagination_meta": meta(wanted, shown, start + wanted.size < len(all_items))}


def newest_first(query: Mapping[str, str]) -> bool:
    """Return whether `sort_by` requests the newest first. Raises a 422 for an unknown order."""
    sort_by = query.get("sort_by", _NEWEST_FIRST)
    if sort_by not in _SORTS:
        refuse_if([invalid("sort_by", f"sort_by must be one of: {', '.join(_SORTS)}")])
    return sort_by == _NEWEST_FIRST


def after(wanted: Page, ordering: Ordering, skips_ties: bool) -> list[Condition]:
    """Return the condition that starts a page after its cursor. IDs increase with time, so their order is the
    order of creation; a page by time alone skips what was created with the last of the page before."""
    if not wanted.after:
        return []
    sign = "<" if ordering.newest_first else ">"
    if skips_ties:
        last = "(SELECT last.created FROM incidents AS last WHERE last.id = ?)"
        return [Condition(f"incidents.created {sign} {last}", (wanted.after,))]
    return [Condition(f"incidents.id {sign} ?", (wanted.after,))]


def together(conditions: Iterable[Condition], operator: str = "AND") -> Condition:
    """Return the conjunction (or disjunction) of conditions; without any it is always true."""
    given = list(conditions)
    if not given:
        return Condition("1")
    parameters = tuple(value for condition in given for value in condition.parameters)
    return Condition("(" + f" {operator} ".join(condition.sql for condition in given) + ")", parameters)


def visible(key: ApiKey) -> list[Condition]:
    """Return the condition that hides private incidents from a key that may not see them."""
    return [] if key.sees_private else [Condition("incidents.visibility = 'public'")]


def in_modes(modes: Sequence[str]) -> Condition:
    """Return the condition for some modes; without any, for standard and retrospective."""
    return _one_of("incidents.mode", modes or _MODES)


def list_incidents(exchange: Exchange) -> Wire:
    """GET /v2/incidents: filtered and paginated."""
    account, query = exchange.account, exchange.query
    wanted = page(exchange)
    ordering = Ordering(newest_first(query), wanted.size + 1)
    matching = together(
        [
            *visible(exchange.key),
            in_modes(query.getlist("mode[one_of]")),
            Condition("incidents.created <= ?", (account.listed_until(),)),
            _filters(account, query),
        ]
    )
    found = account.store.incidents(
        together([matching, *after(wanted, ordering, account.options.skips_ties)]), ordering
    )
    shown = views.incidents(account, [] if wanted.is_empty else found[: wanted.size])
    total = account.store.count_incidents(matching)
    return {
        "incidents": shown,
        "pagination_meta": {**meta(wanted, shown, len(found) > wanted.size), "total_record_count": total},
    }


def _filters(account: Account, query: MultiDict[str, str]) -> Condition:
    filter_mode = query.get("filter_mode", "all")
    conditions: list[Condition] = []
    problems: list[Problem] = []
    if filter_mode not in {"all", "any"}:
        problems.append(invalid("filter_mode", "filter_mode must be one of: all, any"))
    for parameter, values in query.lists():
        matched = _OPERATOR.fullmatch(parameter)
        name, operator = (matched[1], matched[2].strip("[]")) if matched else ("", "")
        # Modes are a separate condition, which filter_mode does not affect.
        if parameter == "mode[one_of]" or name not in (*_FILTERS, *_NOT_FILTERED, "mode"):
            continue
        build = _FILTERS.get(name)
        condition = build(account, operator, values) if build else None
        if condition is None:
            problems.append(invalid(parameter, f"{parameter} is not a filter that the sandbox supports"))
        else:
            conditions.append(condition)
    refuse_if(problems)
    return together(conditions, "OR" if filter_mode == "any" else "AND")


def _one_of(column: str, values: Sequence[str]) -> Condition:
    return Condition(f"{column} IN ({', '.join('?' * len(values))})", tuple(values))


def _by_identifier(column: str, operator: str, values: Sequence[str]) -> Condition | None:
    among = _one_of(column, values)
    match operator:
        case "one_of":
            return among
        case "not_in":
            return Condition(f"NOT {among.sql}", among.parameters)
        case _:
            return None


def _by_category(account: Account, operator: str, values: Sequence[str]) -> Condition | None:
    # The API page's own example calls the live category "active".
    categories = {"live" if value == "active" else value for value in values}
    statuses = [each["id"] for each in account.catalogue.statuses.values() if each["category"] in categories]
    return _by_identifier("incidents.status_id", operator, statuses)


def _by_severity(account: Account, operator: str, values: Sequence[str]) -> Condition | None:
    severities = account.catalogue.severities
    given = severities.get(values[0])
    if operator not in {"gte", "lte"} or given is None:
        return _by_identifier("incidents.severity_id", operator, values)
    within = [
        identifier
        for identifier, each in severities.items()
        if (each["rank"] >= given["rank"] if operator == "gte" else each["rank"] <= given["rank"])
    ]
    return _one_of("incidents.severity_id", within)


def moment_bounds(operator: str, text: str) -> tuple[int, int] | None:
    """Return the first and last millisecond of a gte, lte or date_range (`a~b`) filter, or None if it is
    invalid."""
    first, last = -(2**62), 2**62
    try:
        match operator:
            case "gte":
                return moments.from_date_or_text(text), last
            case "lte":
                return first, moments.from_date_or_text(text)
            case "date_range":
                start, end = text.split("~")
                return moments.from_date_or_text(start), moments.from_date_or_text(end)
            case _:
                return None
    except ValueError:
        return None


def _within(column: str, operator: str, values: Sequence[str]) -> Condition | None:
    bounds = moment_bounds(operator, values[0])
    return None if bounds is None else Condition(f"{column} BETWEEN ? AND ?", bounds)


_FILTERS: dict[str, Callable[[Account, str, Sequence[str]], Condition | None]] = {
    "status": lambda _, operator, values: _by_identifier("incidents.status_id", operator, values),
    "status_category": _by_category,
    "severity": _by_severity,
    "incident_type": lambda _, operator, values: _by_identifier("incidents.type_id", operator, values),
    "created_at": lambda _, operator, values: _within("incidents.created", operator, values),
    "updated_at": lambda _, operator, values: _within("incidents.updated", operator, values),
}


def between_moments(query: MultiDict[str, str], items: Iterable[Wire]) -> list[Wire]:
    """Return the items whose created_at and updated_at match the filters of a query."""
    kept = list(items)
    for name in ("created_at", "updated_at"):
        for operator in ("gte", "lte", "date_range"):
            if (text := query.get(f"{name}[{operator}]")) is None:
                continue
            bounds = moment_bounds(operator, text)
            if bounds is None:
                refuse_if([invalid(f"{name}[{operator}]", f"{text!r} is not a date")])
            else:
                kept = [each for each in kept if bounds[0] <= moments.from_text(each[name]) <= bounds[1]]
    return kept
