"""A frozen dataclass -> the parameters of a command, and the command line -> a value of the dataclass.

Each field is `Annotated` with what click needs beyond its name and its type: `bool` is a flag, `X | None` may
be left out, `tuple[X, ...]` repeats, a Literal or an enum is a choice. A field whose type is a dataclass is a
group of such fields.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, is_dataclass
from enum import Enum, EnumType
from functools import wraps
from pathlib import Path
from types import NoneType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import click

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Declaration:
    """What an annotation does not say of a parameter."""

    kind: type[click.Option] | type[click.Argument]
    flag: str
    within: tuple[int | None, int | None] | None
    choices: Iterable[Any]
    attributes: dict[str, Any]


def option(
    flag: str = "",
    *,
    help: str,  # noqa: A002 - click's own word
    within: tuple[int | None, int | None] | None = None,
    choices: Iterable[Any] = (),
    **attributes: Any,
) -> _Declaration:
    """Declare an option. Its flag is the field's name unless given; `within` bounds a number."""
    return _Declaration(click.Option, flag, within, choices, {"help": help, **attributes})


def argument(**attributes: Any) -> _Declaration:
    """Declare an argument."""
    return _Declaration(click.Argument, "", None, (), attributes)


def define_command(
    name: str, options: type[T], group: click.Group | None = None
) -> Callable[[Callable[[T], int | None]], click.Command]:
    """Make a function of its options a command of a group, or of none; its docstring is the help.

    Raises TypeError where a field could get what its annotation does not allow.
    """

    def decorate(function: Callable[[T], int | None]) -> click.Command:
        @wraps(function)
        def callback(**values: Any) -> int | None:
            return function(_gathered(options, values))

        create = group.command if group else click.command
        return create(name, params=list(_parameters(options)))(callback)

    return decorate


def _gathered(options: type[T], values: dict[str, Any]) -> T:
    given = {
        name: _gathered(hint, values) if isinstance(hint, type) and is_dataclass(hint) else values[name]
        for name, hint in get_type_hints(options).items()
    }
    return options(**given)


def _parameters(options: type) -> Iterator[click.Parameter]:
    for name, hint in get_type_hints(options, include_extras=True).items():
        if isinstance(hint, type) and is_dataclass(hint):
            yield from _parameters(hint)
        else:
            yield _parameter(name, *get_args(hint))


def _parameter(name: str, annotation: Any, declaration: _Declaration) -> click.Parameter:
    inner, is_option = get_args(annotation), declaration.kind is click.Option
    repeats, is_optional = get_origin(annotation) is tuple, NoneType in inner
    value_type = inner[0] if repeats or is_optional else annotation
    attributes = declaration.attributes | _conversion(value_type, declaration)
    if repeats:
        attributes |= {"multiple": True} if is_option else {"nargs": -1}
    elif is_optional:
        attributes["required"] = False
    elif is_option and value_type is not bool and "default" not in attributes:
        raise TypeError(f"the option `{name}` has no default, and its type has no None")
    flag = declaration.flag or f"--{name.replace('_', '-')}"
    return declaration.kind([flag, name] if is_option else [name], **attributes)


def _conversion(value_type: Any, declaration: _Declaration) -> dict[str, Any]:
    """Return the attributes with which click gives values of a type."""
    values = {_word(each): each for each in declaration.choices or _members(value_type)}
    if values:

        def chosen(_context: click.Context, _parameter: click.Parameter, given: Any) -> Any:
            return tuple(map(values.get, given)) if isinstance(given, tuple) else values.get(given)

        default = declaration.attributes.get("default")
        known = {"type": click.Choice(list(values)), "callback": chosen}
        return known if default is None else known | {"default": _word(default)}
    if value_type is bool:
        return {"is_flag": True}
    if declaration.within:
        return {"type": {int: click.IntRange, float: click.FloatRange}[value_type](*declaration.within)}
    return {"type": click.Path(path_type=Path) if value_type is Path else value_type}


def _members(value_type: Any) -> tuple[Any, ...]:
    """Return the values of a type that has only some."""
    return tuple(value_type) if isinstance(value_type, EnumType) else get_args(value_type)


def _word(value: Any) -> str:
    return str(value.value if isinstance(value, Enum) else value)
