"""A frozen dataclass -> the parameters of a command, and the command line -> a value of the dataclass.

Each field is `Annotated` with what click needs beyond its name and its type: `bool` is a flag, `X | None` may
be left out, `tuple[X, ...]` repeats, a Literal or an enum is a choice. A field whose type is a dataclass is a
group of such fields.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import is_dataclass
from enum import Enum, EnumType
from functools import partial, wraps
from pathlib import Path
from types import NoneType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import click

T = TypeVar("T")


class Argument:
    """What click needs of an argument."""

    def __init__(self, **attributes: Any) -> None:
        self._attributes = attributes

    def parameters(self, name: str, annotation: Any) -> Iterator[click.Parameter]:
        """Yield the parameter of a field."""
        attributes = self._attributes | _of_type(annotation)
        if attributes.pop("multiple", False):
            attributes["nargs"] = -1
        yield click.Argument([name], **attributes)


class Option(Argument):
    """What click needs of an option. `within` are the bounds of a number, `choices` the values that may be
    chosen of its type, and `shorthand` is a choice that has a flag of its own."""

    def __init__(
        self,
        help: str,  # noqa: A002 - click's own word
        *,
        flag: str = "",
        within: tuple[int | None, int | None] | None = None,
        choices: Sequence[Any] = (),
        shorthand: str = "",
        **attributes: Any,
    ) -> None:
        super().__init__(help=help, **attributes)
        self._flag, self._within, self._choices, self._shorthand = flag, within, choices, shorthand

    def parameters(self, name: str, annotation: Any) -> Iterator[click.Parameter]:
        """Yield the parameter of a field, and its shorthand. Raises TypeError where there may be no value."""
        attributes = self._attributes | _of_type(annotation, self._within, self._choices)
        if "default" in attributes:
            attributes["default"] = _word(attributes["default"])
        elif not attributes.keys() & {"required", "multiple", "is_flag"}:
            raise TypeError(f"the option `{name}` has no default, and its type has no None")
        yield click.Option([self._flag or f"--{name.replace('_', '-')}", name], **attributes)
        if self._shorthand:
            yield _shorthand(name, self._shorthand)


def define_command(
    name: str, options: type[T], group: click.Group | None = None
) -> Callable[[Callable[[T], int | None]], click.Command]:
    """Make a function of its options a command, of a group if one is given; its docstring is the help.

    Raises TypeError for an option that could be left without a value of its type.
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
        name: _gathered(hint, values) if _is_group(hint) else values[name]
        for name, hint in get_type_hints(options).items()
    }
    return options(**given)


def _parameters(options: type) -> Iterator[click.Parameter]:
    for name, hint in get_type_hints(options, include_extras=True).items():
        if _is_group(hint):
            yield from _parameters(hint)
        else:
            annotation, declared = get_args(hint)
            yield from declared.parameters(name, annotation)


def _is_group(hint: Any) -> bool:
    return isinstance(hint, type) and is_dataclass(hint)


def _of_type(
    annotation: Any, within: tuple[int | None, int | None] | None = None, choices: Sequence[Any] = ()
) -> dict[str, Any]:
    """Return the attributes with which click gives values of a type."""
    inner = get_args(annotation)
    if get_origin(annotation) is tuple:
        return {"multiple": True, **_of_type(inner[0], within, choices)}
    if NoneType in inner:
        return {"required": False, **_of_type(inner[0], within, choices)}
    members = tuple(annotation) if isinstance(annotation, EnumType) else inner
    if values := {_word(each): each for each in choices or members}:
        return {"type": click.Choice(list(values)), "callback": partial(_chosen, values)}
    if annotation is bool:
        return {"is_flag": True}
    if within:
        return {"type": {int: click.IntRange, float: click.FloatRange}[annotation](*within)}
    return {"type": click.Path(path_type=Path) if annotation is Path else annotation}


def _chosen(values: dict[str, Any], context: click.Context, parameter: click.Parameter, given: Any) -> Any:
    given = context.meta.get(f"{__name__}.{parameter.name}", given)
    return tuple(map(values.get, given)) if isinstance(given, tuple) else values.get(given)


def _shorthand(name: str, word: str) -> click.Option:
    """Return a flag that means a choice of an option, whatever that option says."""

    def choose(context: click.Context, _parameter: click.Parameter, given: bool) -> None:
        if given:
            context.meta[f"{__name__}.{name}"] = word

    text = f"The same as --{name} {word}."
    # It is read before the option itself.
    return click.Option(
        [f"--{word}"], is_flag=True, is_eager=True, expose_value=False, callback=choose, help=text
    )


def _word(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value
