"""Many creations -> counts by month, severity, type and file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from importer.model import Attribute, Change, Create, Entity, Field, NoOp
from importer.plan.history import month_of
from importer.renderers.columns import cells, cut, padded
from importer.renderers.values import quoted, sanitised

MANY = 50
"""More creations than this are counted instead of listed."""
NAMED = 5
_MOST_MONTHS = 24
_MOST_GROUPS = 12


@dataclass(frozen=True, slots=True)
class Group:
    """The number of creations with the same value. `name` is sanitised."""

    name: str
    incidents: int


@dataclass(frozen=True, slots=True)
class CountTable:
    """All creations grouped by one property; the counts add up to their number."""

    title: str
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Creations:
    """The summary of creations. `keys` has the first few keys, quoted, in the order of the plan."""

    number: int
    tables: tuple[CountTable, ...]
    keys: tuple[str, ...]


def split_creations(
    changes: Iterable[Change], most: int | None
) -> tuple[tuple[Change, ...], tuple[Create, ...]]:
    """Return the changes to list, and the creations to count instead if there are more than `most` (None:
    never). Unchanged incidents are in neither."""
    differing = tuple(each for each in changes if not isinstance(each, NoOp))
    created = tuple(each for each in differing if isinstance(each, Create))
    if most is None or len(created) <= most:
        return differing, ()
    return tuple(each for each in differing if not isinstance(each, Create)), created


def summarise_creations(creations: Sequence[Create]) -> Creations:
    """Count creations by month (by year if there are many months), severity, type and file."""
    return Creations(
        len(creations),
        (
            _by_time(creations),
            CountTable("by severity", _largest(_name(each, Field.SEVERITY) for each in creations)),
            CountTable("by type", _largest(_name(each, Field.INCIDENT_TYPE) for each in creations)),
            CountTable("by file", _largest(each.incident.location.path for each in creations)),
        ),
        tuple(quoted(each.incident.key) for each in creations[:NAMED]),
    )


def table_lines(creations: Creations, width: int) -> Iterator[str]:
    """Yield the tables and the first keys in lines of at most `width` columns."""
    for table in creations.tables:
        yield table.title
        yield from (f"  {line}" for line in _grid(table.groups, width - 2))
    more = creations.number - len(creations.keys)
    yield "first keys"
    yield from (f"  {cut(key, width - 2)}" for key in creations.keys)
    if more:
        yield f"  (and {more} more)"


def _by_time(creations: Sequence[Create]) -> CountTable:
    months = [month_of(each.attributes) for each in creations]
    if len(set(months)) <= _MOST_MONTHS:
        return CountTable("by month", _in_order(months))
    return CountTable("by year", _in_order(month[:4] for month in months))


def _in_order(periods: Iterable[str]) -> tuple[Group, ...]:
    """Return periods in chronological order, with the incidents without a timestamp at the end."""
    counted = sorted(Counter(periods).items(), key=lambda each: (not each[0], each[0]))
    return tuple(Group(period or "no timestamp", number) for period, number in counted)


def _name(creation: Create, field: Field) -> str:
    value = creation.attributes.get(Attribute(field))
    return (value.name or value.id) if isinstance(value, Entity) else "none given"


def _largest(names: Iterable[str]) -> tuple[Group, ...]:
    """Return the largest groups first; if there are many, the smallest are one group."""
    counted = sorted(Counter(names).items(), key=lambda each: (-each[1], each[0]))
    most = _MOST_GROUPS if len(counted) > _MOST_GROUPS + 1 else len(counted)
    shown = tuple(Group(sanitised(name), number) for name, number in counted[:most])
    rest = counted[most:]
    return (*shown, Group(f"({len(rest)} others)", sum(number for _, number in rest))) if rest else shown


def _grid(groups: Sequence[Group], width: int) -> Iterator[str]:
    """Yield groups in as many columns as fit, each a name and a count."""
    digits = max(len(str(each.incidents)) for each in groups)
    names = [cut(each.name, width - digits - 2) for each in groups]
    widest = max(map(cells, names))
    entries = [
        f"{padded(name, widest)}  {each.incidents:>{digits}}"
        for name, each in zip(names, groups, strict=True)
    ]
    columns = max((width + 4) // (widest + digits + 6), 1)
    for start in range(0, len(entries), columns):
        yield (" " * 4).join(entries[start : start + columns])
