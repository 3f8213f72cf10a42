"""Turn texts beyond an account's greatest lengths into problems, or into shorter ones."""

from __future__ import annotations

from typing import Any

from importer.sandbox.choices import TooLong
from importer.sandbox.options import SandboxOptions
from importer.sandbox.problems import Problem, invalid
from importer.sandbox.records import Wire

_NAMES = frozenset({"name", "title"})
_TEXTS = frozenset({"summary", "description", "content", "message", "value_text"})


def limit_lengths(options: SandboxOptions, payload: Wire) -> tuple[Wire, list[Problem]]:
    """Return a payload with its texts cut, or the problems of those that are too long."""
    problems: list[Problem] = []
    if options.longest_name is None and options.longest_text is None:
        return payload, problems
    limited: Wire = _limited(options, payload, "", "", problems)
    return limited, problems


def _limited(options: SandboxOptions, value: Any, name: str, path: str, problems: list[Problem]) -> Any:
    if isinstance(value, dict):
        return {
            key: _limited(options, inner, key, f"{path}.{key}" if path else key, problems)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        places = enumerate(value)
        return [_limited(options, inner, "", f"{path}.{place}", problems) for place, inner in places]
    longest = _longest(options, name)
    if not isinstance(value, str) or longest is None or len(value) <= longest:
        return value
    if options.too_long is TooLong.CUT:
        return value[:longest]
    problems.append(invalid(path, f"{path} must have at most {longest} characters"))
    return value


def _longest(options: SandboxOptions, name: str) -> int | None:
    if name in _NAMES:
        return options.longest_name
    return options.longest_text if name in _TEXTS else None
