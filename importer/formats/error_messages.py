"""A JSON object -> the words of the error that it is, where a service answered with one instead of data."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

_MESSAGES = ("error_description", "errorMessages", "message", "detail", "error", "errors", "fault", "msg")
"""Names under which services say what went wrong, the most telling first."""
_NAMES_BESIDE = frozenset({"code", "status", "type"})
"""Names that stand beside them, and in incidents too."""


def is_error_message(value: Any, known: Collection[str]) -> bool:
    """Whether what stands in the place of a record is an error.

    An object that has a name `known` to the mapping, other than those of errors, is a record, whatever else
    it has. Where none is known, any other name makes it one.
    """
    if not isinstance(value, dict) or value.keys().isdisjoint(_MESSAGES):
        return False
    others = value.keys() - _NAMES_BESIDE.union(_MESSAGES)
    return others.isdisjoint(known) if known else not others


def error_message(document: Any) -> str:
    """Return what an error says; empty where it says nothing, or is none."""
    if not isinstance(document, dict):
        return ""
    return "; ".join(dict.fromkeys(each for name in _MESSAGES for each in _words(document.get(name))))


def _words(value: Any) -> Iterator[str]:
    """Yield the texts in a value, of objects only those that say what went wrong if there are any."""
    match value:
        case str() if value.strip():
            yield value
        case list():
            for each in value:
                yield from _words(each)
        case dict():
            messages = [value[name] for name in _MESSAGES if name in value]
            for each in messages or value.values():
                yield from _words(each)
        case _:
            pass
