"""The values of a column and the account's names -> lines of `values`, each a replacement or a question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from importer.account.catalogue import Found, Index, Missing
from importer.formats.yaml_writer import scalar
from importer.model import Entity, Kind, Reference


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names of one kind; `within` is the custom field of options. Without an index of the account, every
    value is a question."""

    index: Index | None
    kind: Kind
    within: Entity | None = None

    def lines(self, values: Mapping[str, int]) -> list[str]:
        """Return a line with the count of each value; a question is a comment."""
        return [self._line(value, count) for value, count in values.items()]

    def unknown(self, values: Mapping[str, int]) -> Iterator[str]:
        """Yield the values that the account does not have."""
        return (value for value in values if not isinstance(self._answer(value), Found))

    def _line(self, value: str, count: int) -> str:
        question = f"# {scalar(value)}:   # {count}"
        match self._answer(value):
            case Found(entity=entity):
                return f"{scalar(value)}: {scalar(entity.name)}   # {count}"
            case Missing(nearest=(nearest, *_)):
                return f"{question}; did you mean {one_line(nearest)}?"
            case _:
                return question

    def _answer(self, value: str) -> object:
        return self.index.find(Reference(self.kind, value), self.within) if self.index else None


def block(lines: list[str]) -> Iterator[str]:
    """Yield `values` with its lines; a comment too if all lines are questions."""
    yield "values:" if any(not each.startswith("#") for each in lines) else "# values:"
    yield from (f"  {each}" for each in lines)


def one_line(text: str) -> str:
    """Return a text for a one-line comment, with only printable characters."""
    return "".join(each if each.isprintable() else " " for each in text)
