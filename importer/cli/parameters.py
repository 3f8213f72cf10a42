"""A frozen dataclass -> the parameters of a command, and a command line -> an instance of the dataclass.

Each field is `Annotated` with what click needs besides its name and type: `bool` is a flag, `X | None` is
optional, `tuple[X, ...]` is repeatable, a Literal or an enum is a choice. A field whose type is a dataclass
is a group of such fields.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import is_dataclass
from enum import Enum, EnumType
from functools import partial, wraps
from inspect import cleandoc
from pathlib import Path
from types import NoneType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import click

T = TypeVar("T")

ACCOUNT_VARIABLES = ("INCIDENT_API_KEY", "INCIDENT_ENDPOINT")
"""What a command that talks to the account reads from the environment."""


class Argument:
    """The click attributes of an argument."""

    def __init__(self, **attributes: Any) -> None:
        self._attributes = attributes

    def parameters(self, name: str, annotation: Any) -> Iterator[click.Parameter]:
        """Yield the click parameter of a field."""
        attributes = self._attributes | _type_attributes(annotation)
        if attributes.pop("multiple", False):
            attributes["nargs"] = -1
        yield click.Argument([name], **attributes)


class _HeadedOption(click.Option):
    """An option that a help page lists under `heading`."""

    def __init__(self, *arguments: Any, heading: str = "", **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self.heading = heading


class _HeadedCommand(click.Command):
    """A command whose help page lists options under their headings."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        listed: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            if record := parameter.get_help_record(ctx):
                heading = getattr(parameter, "heading", "") or "Options"
                listed.setdefault(heading, []).append(record)
        for heading, records in listed.items():
            with formatter.section(heading):
                formatter.write_dl(records)


class Option(Argument):
    """The click attributes of an option. `within` holds the bounds of a number, `choices` the accepted values
    of its type, `shorthand` a choice that also has a flag of its own, and `heading` its group on a help
    page."""

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
        """Yield the option of a field, and its shorthand. Raises TypeError if it could have no value."""
        attributes = _type_attributes(annotation, self._within, self._choices) | self._attributes
        if "default" in attributes:
            attributes["default"] = _plain(attributes["default"])
            attributes["help"] += f" [default: {str(attributes['default']).removesuffix('.0')}]"
        elif not attributes.keys() & {"required", "multiple", "is_flag"}:
            raise TypeError(f"the option `{name}` needs a default, or a type that allows None")
        yield _HeadedOption([self._flag or f"--{name.replace('_', '-')}", name], **attributes)
        if self._shorthand:
            yield _shorthand(name, self._shorthand)


def define_command(
    name: str,
    options: type[T],
    group: click.Group | None = None,
    *,
    examples: Sequence[str],
    environment: Sequence[str] = (),
) -> Callable[[Callable[[T], int | None]], click.Command]:
    """Turn a function of its options into a command, of `group` if one is given.

    Its help is the function's docstring, the examples, and the environment variables that it reads. Raises
    TypeError if an option could be left without a value of its type.
    """

    def decorate(function: Callable[[T], int | None]) -> click.Command:
        @wraps(function)
        def callback(**values: Any) -> int | None:
            return function(_instance(options, values))

        create = group.command if group else click.command
        help_page = _help_page(function.__doc__ or "", examples, environment)
        return create(name, cls=_HeadedCommand, params=list(_parameters(options)), help=help_page)(callback)

    return decorate


def _help_page(text: str, examples: Sequence[str], environment: Sequence[str]) -> str:
    """Return the help of a command; `\\b` keeps click from re-wrapping a paragraph."""
    listed = "\n".join(["\b", "Examples:", *(f"  {each}" for each in examples)])
    variables = [f"Environment: {', '.join(environment)}"] if environment else []
    return "\n\n".join([cleandoc(text), listed, *variables])


def _instance(options: type[T], values: dict[str, Any]) -> T:
    fields = {
        name: _instance(hint, values) if _is_group(hint) else values[name]
        for name, hint in get_type_hints(options).items()
    }
    return options(**fields)


def _parameters(options: type) -> Iterator[click.Parameter]:
    for name, hint in get_type_hints(options, include_extras=True).items():
        if _is_group(hint):
            yield from _parameters(hint)
        else:
            annotation, declared = get_args(hint)
            yield from declared.parameters(name, annotation)


def _is_group(hint: Any) -> bool:
    return isinstance(hint, type) and is_dataclass(hint)


def _type_attributes(
    annotation: Any, within: tuple[int | None, int | None] | None = None, choices: Sequence[Any] = ()
) -> dict[str, Any]:
    """Return the click attributes for values of a type."""
    inner = get_args(annotation)
    if get_origin(annotation) is tuple:
        return {"multiple": True, **_type_attributes(inner[0], within, choices)}
    if NoneType in inner:
        return {"required": False, **_type_attributes(inner[0], within, choices)}
    members = tuple(annotation) if isinstance(annotation, EnumType) else inner
    if values := {_plain(each): each for each in choices or members}:
        return {"type": click.Choice(list(values)), "callback": partial(_selected, values)}
    if annotation is bool:
        return {"is_flag": True}
    if within:
        return {"type": {int: click.IntRange, float: click.FloatRange}[annotation](*within), "metavar": "N"}
    return {"type": click.Path(path_type=Path) if annotation is Path else annotation}


def _selected(values: dict[str, Any], context: click.Context, parameter: click.Parameter, given: Any) -> Any:
    given = context.meta.get(f"{__name__}.{parameter.name}", given)
    return tuple(map(values.get, given)) if isinstance(given, tuple) else values.get(given)


def _shorthand(name: str, word: str) -> click.Option:
    """Return a flag that selects a choice of an option, and overrides that option."""

    def choose(context: click.Context, _parameter: click.Parameter, given: bool) -> None:
        if given:
            context.meta[f"{__name__}.{name}"] = word

    text = f"Shorthand for --{name} {word}."
    # Eager, so that it is processed before the option itself.
    return click.Option(
        [f"--{word}"], is_flag=True, is_eager=True, expose_value=False, callback=choose, help=text
    )


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value
