"""A JSON object -> its error message, if a service answered with an error instead of data."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

_MESSAGES = ("error_description", "errorMessages", "message", "detail", "error", "errors", "fault", "msg")
"""Names under which services report an error, the most specific first."""
_COMMON_NAMES = frozenset({"code", "status", "type"})
"""Names that both errors and incidents have."""


def is_error_message(value: Any, known: Collection[str]) -> bool:
    """Whether a value in the place of a record is an error.

    An object with a name that is `known` to the mapping and is not an error's name is a record, whatever
    else it has. If `known` is empty, any name that is not an error's makes it a record.
    """
    if not isinstance(value, dict) or value.keys().isdisjoint(_MESSAGES):
        return False
    others = value.keys() - _COMMON_NAMES.union(_MESSAGES)
    return others.isdisjoint(known) if known else not others


def error_message(document: Any) -> str:
    """Return the text of an error; empty if it has none, or is not an error."""
    if not isinstance(document, dict):
        return ""
    return "; ".join(dict.fromkeys(each for name in _MESSAGES for each in _strings(document.get(name))))


def _strings(value: Any) -> Iterator[str]:
    """Yield the strings in a value; of an object with error names, only the strings under those."""
    match value:
        case str() if value.strip():
            yield value
        case list():
            for each in value:
                yield from _strings(each)
        case dict():
            messages = [value[name] for name in _MESSAGES if name in value]
            for each in messages or value.values():
                yield from _strings(each)
        case _:
            pass
