"""The fields of SandboxOptions -> flags of `importer sandbox`, under the headings of its help page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from enum import EnumType
from functools import partial
from types import GenericAlias
from typing import Any, get_args, get_origin, get_type_hints

import click

from importer.cli.parameters import Argument, Option
from importer.sandbox import RateLimit
from importer.sandbox.options import Help


class SandboxFlags(Argument):
    """One flag per field of SandboxOptions, with the field's default."""

    def parameters(self, name: str, annotation: Any) -> Iterator[click.Parameter]:  # noqa: ARG002 - a group has no flag
        """Yield the options of all fields."""
        hints = get_type_hints(annotation, include_extras=True)
        for each in fields(annotation):
            hint, described = get_args(hints[each.name])
            yield from _flag(each.name, hint, described, each.default)


def _flag(name: str, hint: Any, described: Help, default: Any) -> Iterator[click.Parameter]:
    """Yield the option of one field; a set is a repeatable option."""
    attributes: dict[str, Any] = {"heading": described.heading}
    if RateLimit in get_args(hint):
        hint, default = int, default.limit
        attributes["callback"] = _rate_limit
    item = get_args(hint)[0] if get_origin(hint) is frozenset else None
    if item is not None:
        hint = GenericAlias(tuple, (item, ...))
        attributes["callback"] = partial(_set_of, item)
    elif default is not None and hint is not bool:
        attributes["default"] = default
    if described.choices:
        attributes["choices"] = described.choices
    elif {int, float} & {hint, *get_args(hint)}:
        bounds = None if described.least is None else (described.least, None)
        attributes |= {"metavar": described.unit or "N", "within": bounds}
    elif described.unit:
        attributes["metavar"] = described.unit
    text: str = described.text
    if described.unit and isinstance(item, EnumType):
        text += f" The fields: {', '.join(map(str, item))}."
    yield from Option(text, **attributes).parameters(name, hint)


def _set_of(item: type, _context: click.Context, _parameter: click.Parameter, given: Any) -> frozenset[Any]:
    return frozenset(item(each) for each in given)


def _rate_limit(_context: click.Context, _parameter: click.Parameter, given: int) -> RateLimit | None:
    return RateLimit(given) if given else None
