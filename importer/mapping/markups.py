"""The filters of templates, and the `markup` of rules: text -> Markdown, slugs, times, durations."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from importer.mapping import dates
from importer.mapping.model import Markup
from importer.mapping.templates import InvalidTemplate
from importer.model.moments import InvalidMoment


def converted(raw: Any, markup: Markup) -> str:
    """Return a text, or the object of an Atlassian Document, as Markdown. Raises ValueError."""
    from importer.markup import adf, html, jira  # noqa: PLC0415  the converters take time to import

    if markup is Markup.ADF:
        return adf.to_markdown(json.loads(raw) if isinstance(raw, str) and raw.lstrip()[:1] == "{" else raw)
    return html.to_markdown(raw) if markup is Markup.HTML else jira.to_markdown(raw)


def filters(calendar: dates.Calendar) -> dict[str, Callable[..., Any]]:
    """Return the filters besides Jinja2's own; `date` uses the calendar of the mapping."""
    return {
        "jira": lambda text: converted(_text(text), Markup.JIRA),
        "html": lambda text: converted(_text(text), Markup.HTML),
        "adf": lambda document: converted(document, Markup.ADF) if document else "",
        "slug": _slug,
        "trim": lambda text: _text(text).strip(),
        "first": _first,
        "date": lambda raw: _moment(raw, calendar) if _has_text(raw) else "",
        "plus": _plus,
        "seconds": lambda text: dates.duration_seconds(_text(text)),
        "json": lambda value: json.dumps(value, ensure_ascii=False, default=str),
    }


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _has_text(value: Any) -> bool:
    return bool(_text(value).strip())


def _moment(raw: Any, calendar: dates.Calendar) -> str:
    try:
        return dates.format_instant(dates.instant_of(raw, calendar))
    except InvalidMoment as problem:
        hint = f"{problem.detail}; {problem.hint}"
        raise InvalidTemplate("bad-template", f"`date`: {problem.summary}", hint=hint) from None


def _slug(text: Any) -> str:
    from importer.markup.text import slug  # noqa: PLC0415  as above

    return slug(_text(text))


def _first(values: Any, *others: Any) -> Any:
    """Return the first value that is not blank, of a list and of the arguments."""
    found: Iterable[Any] = values if isinstance(values, list) else (values,)
    return next((each for each in (*found, *others) if _has_text(each)), "")


def _plus(moment: str, duration: Any) -> str:
    """Return a time plus a duration; empty if either is blank."""
    if not (_has_text(moment) and _has_text(duration)):
        return ""
    at = datetime.fromisoformat(_moment(moment, dates.Calendar()))
    return dates.format_instant(at + timedelta(seconds=dates.duration_seconds(_text(duration))))
