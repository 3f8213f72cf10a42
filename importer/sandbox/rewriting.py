"""Turn incidents and children as they were sent into the form in which the account stores them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import urlsplit, urlunsplit

from importer.sandbox.catalogue import Catalogue
from importer.sandbox.choices import Rewrite
from importer.sandbox.options import SandboxOptions
from importer.sandbox.records import StoredIncident, Wire

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
    links = {
        identifier: tuple(rewritten_link(options.rewrites, value) for value in values)
        for identifier, values in stored.custom_fields.items()
        if catalogue.custom_fields[identifier]["field_type"] == "link"
    }
    return replace(
        stored,
        name=_title(options.rewrites, stored.name),
        call_url=rewritten_link(options.rewrites, stored.call_url),
        postmortem_document_url=rewritten_link(options.rewrites, stored.postmortem_document_url),
        custom_fields={**stored.custom_fields, **links},
    )


def rewritten_child(options: SandboxOptions, kind: str, wire: Wire) -> Wire:
    """Return a child with its title and links in the form that the account stores."""
    kept = dict(wire)
    if kind in _TITLES:
        kept[_TITLES[kind]] = _title(options.rewrites, kept[_TITLES[kind]])
    if kind == "attachment":
        kept["resource"] = _resource(options.rewrites, kept["resource"])
    if kind == "postmortem" and kept["type"] == "external":
        kept["document_url"] = rewritten_link(options.rewrites, kept["document_url"])
    return kept


def _resource(rewrites: frozenset[Rewrite], resource: Wire) -> Wire:
    """Return an attached resource; the ID of an arbitrary URL is the URL."""
    kept = {**resource, "permalink": rewritten_link(rewrites, resource["permalink"])}
    if resource["external_id"] == resource["permalink"]:
        kept["external_id"] = kept["permalink"]
    is_untitled = resource["title"] == resource["external_id"]
    kept["title"] = kept["external_id"] if is_untitled else _title(rewrites, resource["title"])
    return kept


def _title(rewrites: frozenset[Rewrite], text: str) -> str:
    for rewrite in sorted(rewrites & _TITLE_REWRITES.keys()):
        text = _TITLE_REWRITES[rewrite](text)
    return text


def rewritten_link(rewrites: frozenset[Rewrite], url: str) -> str:
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
