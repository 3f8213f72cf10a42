"""A field of a dataclass is an option or an argument, and gets a value of its own type."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import click
import pytest

from importer.cli.main import cli
from importer.cli.parameters import Argument, Option, define_command
from tests.test_docs import commands


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class Group:
    flag: Annotated[bool, Option("A flag.")]
    limit: Annotated[int | None, Option("A number.", within=(1, None))]


@dataclass(frozen=True, slots=True)
class Everything:
    name: Annotated[str, Argument()]
    paths: Annotated[tuple[Path, ...], Argument()]
    group: Group
    wait: Annotated[float, Option("Seconds.", within=(0, None), default=0.5)]
    colour: Annotated[Colour, Option("A colour.", default=Colour.RED, shorthand="blue")]
    colours: Annotated[tuple[Colour, ...], Option("Colours.", flag="--with", choices=(Colour.BLUE,))]
    by: Annotated[Literal["year", "month"], Option("A unit.", default="year")]


@dataclass(frozen=True, slots=True)
class WithoutValue:
    number: Annotated[int, Option("A number.")]


@dataclass(frozen=True, slots=True)
class Undeclared:
    number: int


def given(*words: str) -> Everything:
    received: list[Everything] = []
    define_command("everything", Everything, examples=())(received.append).main(
        list(words), standalone_mode=False
    )
    (value,) = received
    return value


def test_an_omitted_setting_has_its_default() -> None:
    assert given("a") == Everything("a", (), Group(False, None), 0.5, Colour.RED, (), "year")


def test_what_is_given_has_the_type_of_its_field() -> None:
    words = "a b c --flag --limit 3 --wait 2 --colour blue --with blue --by month"
    assert given(*words.split()) == Everything(
        "a", (Path("b"), Path("c")), Group(True, 3), 2.0, Colour.BLUE, (Colour.BLUE,), "month"
    )


@pytest.mark.parametrize("words", ["--blue", "--blue --colour red", "--colour red --blue"])
def test_a_shorthand_wins_wherever_it_stands(words: str) -> None:
    assert given("a", *words.split()).colour is Colour.BLUE


@pytest.mark.parametrize("words", ["--limit 0", "--with red", "--colour green", "--by day"])
def test_what_its_field_does_not_allow_is_refused(words: str) -> None:
    with pytest.raises(click.UsageError):
        given("a", *words.split())


def test_an_option_that_may_be_without_a_value_is_a_mistake_of_the_program() -> None:
    with pytest.raises(TypeError, match="number"):
        define_command("command", WithoutValue, examples=())(lambda _: None)


def test_a_field_that_is_no_parameter_is_a_mistake_of_the_program() -> None:
    with pytest.raises((TypeError, ValueError)):
        define_command("command", Undeclared, examples=())(lambda _: None)


ALL: dict[str, click.Command] = dict(commands(cli, "importer"))


@pytest.mark.parametrize("words", ALL)
def test_every_default_of_a_command_is_a_value_of_its_type(words: str) -> None:
    context = click.Context(ALL[words])
    for parameter in ALL[words].params:
        default: Any = parameter.get_default(context)
        if isinstance(default, str | int | float | Path):
            parameter.type_cast_value(context, default)


@pytest.mark.parametrize("words", ["importer", *ALL])
def test_every_command_has_two_examples_that_parse(words: str) -> None:
    listed = (ALL.get(words, cli).help or "").partition("Examples:")[2]
    examples = re.findall(r"importer [^)>\n]+", listed)
    assert [example.startswith(words) for example in examples] == [True, True]
    for example in examples:
        name = max((each for each in ALL if example.startswith(each)), key=len)
        ALL[name].make_context(name, shlex.split(example.removeprefix(name)))
