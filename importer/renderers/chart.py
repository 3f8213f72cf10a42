"""Counts by month -> the geometry of a chart: incidents to be added above the axis, live ones below it.

Horizontal lengths are percentages of the width, so that the chart fits any screen while its text keeps its
size; vertical lengths are pixels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from importer.model import MonthCount

HEIGHT = 240
EDGE = 14
"""Space above and below the bars, for half a line of text."""

_STEPS = {1: "month", 3: "quarter", 12: "year", 120: "decade", 1200: "century"}
"""The unit of a period, by its number of months."""

_MOST_PERIODS = 120
_MOST_SERIES = 6
_COLOURS = {
    1: (3,),
    2: (0, 3),
    3: (0, 1, 3),
    4: (0, 1, 2, 3),
    5: (0, 1, 2, 3, 4),
    6: (0, 1, 2, 3, 4, 5),
}
"""The indexes of the colours to use, by the number of severities; the most severe gets the warmest."""
_WIDEST_BAR = 4.0
_LOWEST_BAR = 2.0
_MOST_NAMED = 14
_NAME, _YEAR = 20.0, 10.0
"""Percentage of the width that a label takes on the narrowest screen."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

OTHERS = "other severities"
NO_SEVERITY = "no severity"


@dataclass(frozen=True, slots=True)
class ChartBar:
    """One severity in one period."""

    colour: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Period:
    """A month, or several where there are too many: its name, its position, and its number of incidents by
    severity, in the order of the chart's severities."""

    name: str
    x: float
    width: float
    added: tuple[int, ...]
    there: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Tick:
    """A label of an axis, at a percentage across or a number of pixels down."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything that is drawn. `unit` names the length of a period, `added` and `there` count the incidents
    on each side, `zero` is the position of the axis. `severities` start with the most severe."""

    unit: str
    height: int
    added: int
    there: int
    severities: tuple[str, ...]
    periods: tuple[Period, ...]
    bars: tuple[ChartBar, ...]
    across: tuple[Tick, ...]
    down: tuple[Tick, ...]
    zero: float

    @property
    def coloured(self) -> tuple[tuple[str, int], ...]:
        """Return each severity with its colour."""
        return tuple(zip(self.severities, _COLOURS[len(self.severities)], strict=True))


def chart(added: Sequence[MonthCount], there: Sequence[MonthCount], ranked: Sequence[str]) -> Chart | None:
    """Return the chart of all counts with a month, or None if there are none. `ranked` holds the severities,
    the least severe first."""
    months = sorted({_number(each.month) for each in (*added, *there) if each.month})
    if not months:
        return None
    names = _severities((*added, *there), ranked)
    step = _step(months)
    first, last = months[0] // step, months[-1] // step
    above, below = (_counted(side, step, names) for side in (added, there))
    share = 100 / (last - first + 1)
    periods = tuple(
        Period(
            name=_name(number * step, step),
            x=round((number - first) * share, 3),
            width=round(share, 3),
            added=tuple(above[number, name] for name in names),
            there=tuple(below[number, name] for name in names),
        )
        for number in range(first, last + 1)
    )
    highest, deepest = max(sum(each.added) for each in periods), max(sum(each.there) for each in periods)
    unit = (HEIGHT - 2 * EDGE) / (highest + deepest)
    zero = round(EDGE + highest * unit, 1)
    return Chart(
        unit=_STEPS[step],
        height=HEIGHT,
        added=above.total(),
        there=below.total(),
        severities=names,
        periods=periods,
        bars=tuple(bar for period in periods for bar in _bars(period, zero, unit)),
        across=tuple(_across(periods)),
        down=tuple(_down(highest, deepest, unit)),
        zero=zero,
    )


def undated(counts: Iterable[MonthCount]) -> int:
    """Return how many incidents have no month, and so are not in the chart."""
    return sum(each.incidents for each in counts if not each.month)


def _number(month: str) -> int:
    year, _, number = month.partition("-")
    return int(year) * 12 + int(number) - 1


def _severities(counts: Iterable[MonthCount], ranked: Sequence[str]) -> tuple[str, ...]:
    """Return the severities in use, the most severe first; the last one groups those that are too many."""
    used = {each.severity for each in counts if each.month}
    known = [each for each in reversed(ranked) if each in used]
    unranked = sorted(used - {*known, ""})
    names = [*dict.fromkeys([*known, *unranked]), *([NO_SEVERITY] if "" in used else [])]
    return tuple(names if len(names) <= _MOST_SERIES else [*names[: _MOST_SERIES - 1], OTHERS])


def _counted(counts: Iterable[MonthCount], step: int, names: Sequence[str]) -> Counter[tuple[int, str]]:
    found = Counter[tuple[int, str]]()
    for each in counts:
        name = each.severity or NO_SEVERITY
        if each.month:
            period = _number(each.month) // step
            found[period, name if name in names else OTHERS] += each.incidents
    return found


def _step(months: Sequence[int]) -> int:
    """Return the number of months in a period."""
    return next(step for step in _STEPS if months[-1] // step - months[0] // step < _MOST_PERIODS)


def _name(month: int, step: int) -> str:
    year, place = divmod(month, 12)
    match step:
        case 1:
            return f"{_MONTHS[place]} {year}"
        case 3:
            return f"Q{place // 3 + 1} {year}"
        case 12:
            return str(year)
        case _:
            return f"{year}\u2013{year + step // 12 - 1}"


def _bars(period: Period, zero: float, unit: float) -> Iterator[ChartBar]:
    width = min(period.width * 0.76, _WIDEST_BAR)
    x = round(period.x + (period.width - width) / 2, 3)
    top, bottom = zero - 1, zero + 1
    colours = _COLOURS[len(period.added)]
    for colour, added, there in zip(colours, period.added, period.there, strict=True):
        if added:
            height = max(added * unit, _LOWEST_BAR)
            top -= height
            yield ChartBar(colour, x, round(top, 1), round(width, 3), round(height, 1))
        if there:
            height = max(there * unit, _LOWEST_BAR)
            yield ChartBar(colour, x, round(bottom, 1), round(width, 3), round(height, 1))
            bottom += height


def _across(periods: Sequence[Period]) -> Iterator[Tick]:
    """Yield labels for the periods, or only for years if there are many, far enough apart to be readable."""
    years = [each for each in periods if _begins_a_year(each)] if len(periods) > _MOST_NAMED else []
    taken = -100.0
    for each in years or periods:
        text = each.name.split()[-1] if years else each.name
        if each.x - taken >= (_NAME if len(text) > 4 else _YEAR):
            taken = each.x
            yield Tick(round(each.x + each.width / 2, 3), text)


def _begins_a_year(period: Period) -> bool:
    return period.name.startswith(("Jan ", "Q1 ")) or " " not in period.name


def _down(highest: int, deepest: int, unit: float) -> Iterator[Tick]:
    """Yield round numbers on both sides of the axis, and its zero."""
    step = _round_step(highest + deepest)
    for number in range(-(deepest // step) * step, highest + 1, step):
        yield Tick(round(EDGE + (highest - number) * unit, 1), str(abs(number)))


def _round_step(total: int) -> int:
    step, factors = 1, (2, 5, 10)
    while total / step > 5:
        power = 10 ** (len(str(step)) - 1)
        step = next(power * factor for factor in factors if power * factor > step)
    return step
