"""Turn incidents and children as they were sent into the form in which the account stores them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import assert_never
from urllib.parse import urlsplit, urlunsplit

from importer.sandbox.catalogue import Catalogue
from importer.sandbox.choices import NumberForm, Rewrite
from importer.sandbox.options import SandboxOptions
from importer.sandbox.records import StoredIncident, Wire

_TEXTS = {
    "follow_up": ("title", "description"),
    "action": ("description",),
    "timeline_item": ("title", "description"),
    "postmortem": ("title",),
    "postmortem_content": ("markdown",),
    "status_page_incident": ("name",),
}
_TITLES = {
    "follow_up": "title",
    "timeline_item": "title",
    "postmortem": "title",
    "status_page_incident": "name",
}


def rewritten_incident(
    options: SandboxOptions, catalogue: Catalogue, stored: StoredIncident
) -> StoredIncident:
    """Return an incident with its name and links in the form that the account stores."""
    fields = {
        identifier: _custom_values(options, catalogue.custom_fields[identifier]["field_type"], values)
        for identifier, values in stored.custom_fields.items()
    }
    return replace(
        stored,
        name=_title(options.rewrites, _text(options, stored.name)),
        summary=_text(options, stored.summary),
        timestamps={each: _moment(options, at) for each, at in stored.timestamps.items()},
        call_url=_link(options.rewrites, _tidy(options, stored.call_url)),
        postmortem_document_url=_link(options.rewrites, stored.postmortem_document_url),
        custom_fields=fields,
    )


def _custom_values(options: SandboxOptions, field_type: str, values: tuple[str, ...]) -> tuple[str, ...]:
    match field_type:
        case "link":
            stored = [_link(options.rewrites, _tidy(options, value)) for value in values]
        case "text":
            stored = [_text(options, value) for value in values]
        case "numeric":
            stored = [_number(options, value) for value in values]
        case "multi_select" if options.normalises:
            stored = sorted(values, reverse=True)
        case _:
            return values
    return tuple(value for value in stored if value)


def _number(options: SandboxOptions, text: str) -> str:
    is_normalised = options.normalises and options.numbers is NumberForm.AS_SENT
    match NumberForm.PLAIN if is_normalised else options.numbers:
        case NumberForm.AS_SENT:
            return text
        case NumberForm.PLAIN:
            return f"{Decimal(text).normalize():f}"
        case NumberForm.DECIMAL:
            plain = f"{Decimal(text).normalize():f}"
            return plain if "." in plain else f"{plain}.0"
        case never:
            assert_never(never)


def _tidy(options: SandboxOptions, text: str) -> str:
    return text.replace("\r\n", "\n").strip() if options.normalises else text


def _text(options: SandboxOptions, text: str) -> str:
    tidy = _tidy(options, text)
    if Rewrite.ESCAPES not in options.rewrites:
        return tidy
    return re.sub("&(?!amp;)", "&amp;", re.sub(r"(?<!\\)_", r"\\_", tidy))


def _moment(options: SandboxOptions, milliseconds: int) -> int:
    cut = milliseconds % 1000 if Rewrite.MILLISECONDS in options.rewrites else 0
    return milliseconds - cut


def _written_moment(options: SandboxOptions, text: str) -> str:
    return re.sub(r"\.\d+", "", text) if Rewrite.MILLISECONDS in options.rewrites else text


def rewritten_child(options: SandboxOptions, kind: str, wire: Wire) -> Wire:
    """Return a child with its title and links in the form that the account stores."""
    kept = dict(wire)
    kept |= {name: _text(options, kept[name]) for name in _TEXTS.get(kind, ()) if name in kept}
    if kind == "timeline_item":
        kept["timestamp"] = _written_moment(options, kept["timestamp"])
    if kind == "timeline_item" and kept.get("description") == "":
        del kept["description"]
    if kind == "status_page_incident":
        kept["updates"] = [
            {
                **each,
                "message": _text(options, each["message"]),
                "published_at": _written_moment(options, each["published_at"]),
            }
            for each in kept["updates"]
        ]
    if kind in _TITLES:
        kept[_TITLES[kind]] = _title(options.rewrites, kept[_TITLES[kind]])
    if kind == "attachment":
        kept["resource"] = _resource(options.rewrites, kept["resource"])
    if kind == "postmortem" and kept["type"] == "external":
        kept["document_url"] = _link(options.rewrites, kept["document_url"])
    return kept


def _resource(rewrites: frozenset[Rewrite], resource: Wire) -> Wire:
    """Return an attached resource; the ID of an arbitrary URL is the URL."""
    kept = {**resource, "permalink": _link(rewrites, resource["permalink"])}
    if resource["external_id"] == resource["permalink"]:
        kept["external_id"] = kept["permalink"]
    is_untitled = resource["title"] == resource["external_id"]
    kept["title"] = kept["external_id"] if is_untitled else _title(rewrites, resource["title"])
    return kept


def _title(rewrites: frozenset[Rewrite], text: str) -> str:
    for rewrite in sorted(rewrites & _TITLE_REWRITES.keys()):
        text = _TITLE_REWRITES[rewrite](text)
    return text


def _link(rewrites: frozenset[Rewrite], url: str) -> str:
    """Return a link in the form that the account stores; an empty one stays empty."""
    if not url or not rewrites:
        return url
    parts = urlsplit(url)
    if Rewrite.CASE in rewrites:
        parts = parts._replace(netloc=parts.netloc.lower())
    if Rewrite.QUERY in rewrites:
        parts = parts._replace(query="")
    if Rewrite.SLASH in rewrites:
        parts = parts._replace(path=parts.path.removesuffix("/"))
    return urlunsplit(parts)


_TITLE_REWRITES: Mapping[Rewrite, Callable[[str], str]] = {
    Rewrite.SPACES: lambda text: re.sub(" +", " ", text),
    Rewrite.QUOTES: lambda text: text.replace("'", "’"),
    Rewrite.CASE: lambda text: text[:1].upper() + text[1:],
}
