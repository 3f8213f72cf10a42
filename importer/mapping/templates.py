"""Jinja2 text -> a template that can read only a record, within a budget.

A mapping may come from somebody else, so its templates run in Jinja2's sandbox, with only the statements,
filters and methods below. Every loop iteration and every text that is built is charged to a budget, which
limits time and memory without a clock.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import Any

from jinja2 import (
    ChainableUndefined,
    StrictUndefined,
    TemplateError,
    TemplateSyntaxError,
    UndefinedError,
    nodes,
)
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from importer.mapping.model import InvalidValue

BUDGET = 3_000_000
"""Characters and loop iterations that one rendering may use."""
MAX_RANGE = 10_000
MAX_TEMPLATE = 50_000

_STATEMENTS = (nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Assign)
_TEXT_METHODS = """
    capitalize casefold count endswith find index isalnum isalpha isdecimal isdigit islower isnumeric isspace
    isupper join lower lstrip partition removeprefix removesuffix replace rfind rpartition rsplit rstrip split
    splitlines startswith strip swapcase title upper
"""
_FILTER_NAMES = """
    abs default d float int items last length count list lower upper title capitalize trim round map select
    reject selectattr rejectattr sort unique reverse dictsort truncate wordcount min max
"""
_LOOP_ATTRIBUTES = "index index0 revindex revindex0 first last length previtem nextitem"
_ATTRIBUTES: Mapping[type, frozenset[str]] = {
    str: frozenset(_TEXT_METHODS.split()),
    dict: frozenset({"get", "items", "keys", "values"}),
    list: frozenset({"count", "index"}),
    tuple: frozenset({"count", "index"}),
    LoopContext: frozenset(_LOOP_ATTRIBUTES.split()),
}
_FILTERS = frozenset(_FILTER_NAMES.split())


class InvalidTemplate(InvalidValue):
    """A template is invalid, or cannot be rendered for this record."""


class NoSuchName(UndefinedError):
    """A template names a column that does not exist."""

    def __init__(self, name: str, message: str = "") -> None:
        super().__init__(message)
        self.name = name


@dataclass(slots=True)
class _Budget:
    """The remaining budget of the current rendering."""

    left: int = BUDGET

    def spend(self, amount: int) -> None:
        self.left -= amount
        if self.left < 0:
            raise InvalidTemplate(
                "bad-template",
                "the template exceeds its budget",
                hint=f"the limit is {BUDGET} characters and loop iterations; shorten its loops",
            )


class _Environment(ImmutableSandboxedEnvironment):
    """The sandbox, with a budget."""

    intercepted_binops = frozenset({"+", "*", "**", "%", "//"})

    def __init__(self, undefined: type[Any]) -> None:
        super().__init__(
            undefined=undefined,
            keep_trailing_newline=True,
            optimized=False,  # constants folded by the compiler would not be charged
            finalize=_scalar,
        )
        self.budget = _Budget()

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if not super().is_safe_attribute(obj, attr, value):
            return False
        return any(isinstance(obj, kind) and attr in names for kind, names in _ATTRIBUTES.items())

    def wrap_str_format(self, value: Any) -> None:
        """Disable str.format, whose widths make texts of any length."""

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator in ("**", "%") and not all(
            isinstance(each, int) and abs(each) < 1 << 20 for each in (left, right)
        ):
            raise InvalidTemplate("bad-template", f"`{operator}` takes only small whole numbers")
        if operator == "**":
            self.budget.spend(abs(right) * 20)
        if operator == "*":
            self.budget.spend(_product(left, right))
        result = super().call_binop(context, operator, left, right)
        self.budget.spend(len(result) if isinstance(result, (str, list, tuple)) else 1)
        return result

    def call(self, context: Any, called: Any, /, *arguments: Any, **named: Any) -> Any:
        owner = getattr(called, "__self__", None)
        if isinstance(owner, str):
            self.budget.spend(_method_cost(owner, called.__name__, arguments))
        return super().call(context, called, *arguments, **named)


@dataclass(slots=True)
class _BudgetTransformer(NodeTransformer):
    """Rewrites loops and concatenations so that they are charged to the budget."""

    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802  the name is the visitor's
        self.generic_visit(node)
        node.iter = nodes.Filter(node.iter, "_iterate", [], [], None, None, lineno=node.lineno)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Filter:  # noqa: N802
        self.generic_visit(node)
        parts = nodes.List(node.nodes, lineno=node.lineno)
        return nodes.Filter(parts, "join", [], [], None, None, lineno=node.lineno)


@dataclass(frozen=True, slots=True)
class Rendering:
    """A compiled template. `names` are the variables that it reads."""

    template: Any
    environment: _Environment
    names: frozenset[str]

    def render(self, variables: Mapping[str, Any]) -> str:
        """Return the text for a record. Raises InvalidTemplate, NoSuchName."""
        budget = self.environment.budget
        budget.left = BUDGET
        pieces: list[str] = []
        try:
            for piece in self.template.generate(variables):
                budget.spend(len(piece))
                pieces.append(piece)
        except NoSuchName:
            raise
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as error:
            summary = "the template cannot be rendered"
            raise InvalidTemplate("bad-template", summary, hint=_error_message(error)) from None
        return "".join(pieces)


@dataclass(frozen=True, slots=True)
class Templates:
    """Compiles templates with the given filters. If `strict` (for tables), every name must be a column;
    otherwise missing names are empty."""

    strict: bool
    filters: Mapping[str, Callable[..., Any]]

    def compiled(self, text: str) -> Rendering:
        """Return a compiled template. Raises InvalidTemplate."""
        from jinja2 import meta  # noqa: PLC0415

        if len(text) > MAX_TEMPLATE:
            raise InvalidTemplate("bad-template", f"the template is longer than {MAX_TEMPLATE} characters")
        environment = self.environment()
        try:
            tree = environment.parse(text)
            _check(tree)
            names = frozenset(meta.find_undeclared_variables(tree))
            code = environment.compile(_BudgetTransformer().visit(tree))
        except TemplateSyntaxError as error:
            hint = str(error.message)
            raise InvalidTemplate("bad-template", "invalid template", error.lineno, hint=hint) from None
        except RecursionError:
            raise InvalidTemplate("bad-template", "the template is nested too deeply") from None
        template = environment.template_class.from_code(environment, code, environment.globals)
        return Rendering(template, environment, names)

    def environment(self) -> _Environment:
        environment = _Environment(_Strict if self.strict else ChainableUndefined)
        budget = environment.budget
        known = {name: function for name, function in environment.filters.items() if name in _FILTERS}
        environment.filters = {
            **known,
            "join": partial(_join, budget),
            "replace": partial(_replace, budget),
            "_iterate": partial(_iterate, budget),
            **{name: partial(_charged, budget, function) for name, function in self.filters.items()},
        }
        environment.globals = {"range": _range}
        return environment


class _Strict(StrictUndefined):
    """A name that is not a column; using it raises NoSuchName."""

    __slots__ = ()

    def __init__(
        self, hint: str | None = None, obj: Any = None, name: str | None = None, exc: Any = None
    ) -> None:
        super().__init__(hint, obj, name, partial(NoSuchName, str(name)) if exc is None else exc)  # type: ignore[arg-type]


def identifier(header: str) -> str:
    """Return the variable name of a header in templates: `Issue_Type` for `Issue Type`."""
    word = re.sub(r"\W+", "_", header).strip("_")
    return f"_{word}" if word[:1].isdigit() else word


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint with the most similar known name, or else with all of them."""
    names = {each.casefold(): each for each in known}
    near = get_close_matches(name.casefold(), names, 1, 0.5)
    if near:
        return f"did you mean `{names[near[0]]}`?"
    some = list(names.values())
    return f"known names are {', '.join(some[:30])}{', ...' if len(some) > 30 else ''}"


def _check(tree: nodes.Template) -> None:
    for node in tree.find_all(nodes.Stmt):
        if not isinstance(node, _STATEMENTS):
            word = type(node).__name__.lower()
            raise InvalidTemplate(
                "bad-template",
                f"`{word}` is not allowed in the templates of a mapping",
                node.lineno,
                hint="use {{ ... }}, {% if %}, {% for %} and {% set %}",
            )
    for loop in tree.find_all(nodes.For):
        if loop.recursive:
            raise InvalidTemplate("bad-template", "recursive loops are not allowed", loop.lineno)


def _scalar(value: Any) -> Any:
    """Return an output value. A list or mapping is refused: it is seldom intended, and may be very long."""
    if value is None:
        return ""
    if isinstance(value, (dict, list, tuple)):
        raise InvalidTemplate(
            "bad-template",
            "the template outputs a list or a mapping",
            hint="select a value in it, or use `| join(', ')`",
        )
    return value


def _product(left: Any, right: Any) -> int:
    sizes = [len(each) if isinstance(each, (str, list, tuple)) else 0 for each in (left, right)]
    times = [each if isinstance(each, int) else 1 for each in (left, right)]
    if not any(sizes):
        return sum(each.bit_length() for each in (left, right) if isinstance(each, int))
    return max(sizes[0] * max(times[1], 0), sizes[1] * max(times[0], 0))


def _method_cost(owner: str, name: str, arguments: tuple[Any, ...]) -> int:
    match name, arguments:
        case "replace", (str() as old, str() as new, *_):
            return len(owner) + (owner.count(old) if old else len(owner) + 1) * len(new)
        case "join", (list() | tuple() as parts, *_):
            return sum(len(str(_scalar(part))) + len(owner) for part in parts)
        case _:
            return len(owner)


def _iterate(budget: _Budget, values: Iterable[Any]) -> list[Any]:
    found: list[Any] = []
    for value in values:
        budget.spend(10)
        found.append(value)
    return found


def _join(budget: _Budget, values: Iterable[Any], by: str = "", attribute: str | None = None) -> str:
    parts: list[str] = []
    for value in values:
        part = str(_scalar(value.get(attribute, "") if attribute and isinstance(value, dict) else value))
        budget.spend(len(part) + len(by))
        parts.append(part)
    return by.join(parts)


def _replace(budget: _Budget, text: Any, old: str, new: str) -> str:
    written = str(_scalar(text))
    budget.spend(_method_cost(written, "replace", (old, new)))
    return written.replace(old, new)


def _charged(budget: _Budget, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    result = function(*arguments, **named)
    budget.spend(len(result) + 1 if isinstance(result, str) else 1)
    return result


def _range(*bounds: int) -> range:
    found = range(*bounds)
    if len(found) > MAX_RANGE:
        raise InvalidTemplate("bad-template", f"a range has more than {MAX_RANGE} numbers")
    return found


def _error_message(error: Exception) -> str:
    return str(error) if isinstance(error, TemplateError) else f"{type(error).__name__}: {error}"
