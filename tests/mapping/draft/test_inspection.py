"""The findings about a source: candidates are ranked, and open questions stay open."""

from __future__ import annotations

import pytest

from importer.mapping.draft.inspection import MAX_VALUES, Findings, Moments, Part, inspect


def findings(**columns: list[str]) -> Findings:
    """Return the findings about a table with as many rows as its longest column."""
    records = max(map(len, columns.values()))
    values = {name: {each: cells.count(each) for each in cells if each} for name, cells in columns.items()}
    filled = {name: sum(bool(each) for each in cells) for name, cells in columns.items()}
    return inspect(tuple(columns), values=values, filled=filled, records=records)


def moments(*texts: str) -> Moments | None:
    return findings(created=list(texts)).columns[0].moments


def names(found: Findings, part: Part) -> list[str]:
    return [each.name for each in found.candidates[part]]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["2023-04-12T09:14:00Z", "2023-04-12T09:14:00+02:00"], Moments()),
        (["2023-04-12 09:14"], Moments(naive=True)),
        (["2023-04-12"], Moments(naive=True)),
        (["2023-04-12T09:14:00Z", "2023-04-12 09:14"], Moments(naive=True)),
        (["09/Jan/24 3:54 PM"], Moments(("%d/%b/%y %I:%M %p",), naive=True)),
        (["13/02/2023 10:00"], Moments(("%d/%m/%Y %H:%M",), naive=True)),
        (["02/13/2023 10:00"], Moments(("%m/%d/%Y %H:%M",), naive=True)),
        (["01/02/2023 10:00"], Moments(("%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M"), naive=True)),
        (["13.02.2023 10:00:00 +0100"], Moments(("%d.%m.%Y %H:%M:%S %z",))),
        (["1681290840", "1681290841"], Moments(unit="s")),
        (["1681290840000"], Moments(unit="ms")),
        (["09 Mai 23"], None),
        (["9-Mai-2023"], Moments(("%d-%b-%Y",), naive=True, months="de")),
        ([*(f"2023-04-{day}" for day in range(12, 16)), "soon"], Moments(naive=True, outliers=("soon",))),
        (
            [*(f"{day}/02/2023" for day in range(13, 28)), "02/13/2023"],
            Moments(("%d/%m/%Y",), naive=True, outliers=("02/13/2023",)),
        ),
        (
            [*(f"{day}/02/2023" for day in range(1, 11)), "13/02/2023", "02/13/2023"],
            Moments(("%d/%m/%Y", "%m/%d/%Y"), naive=True),
        ),
        (["2023-04-12", "soon"], None),
        (["12"], None),
        ([""], None),
    ],
)
def test_the_format_of_times_is_detected_or_left_open(texts: list[str], expected: Moments | None) -> None:
    assert moments(*texts) == expected


def test_a_key_has_a_different_value_in_every_record() -> None:
    found = findings(id=["1", "2", "3"], number=["1", "1", "2"], reference=["A", "", "B"])
    assert names(found, Part.KEY) == ["id"]


def test_a_key_that_is_not_unique_is_the_last_resort() -> None:
    assert names(findings(number=["1", "1", "2"], reference=["A", "", "B"]), Part.KEY) == ["number"]
    assert names(findings(number=["1", "1"]), Part.KEY) == []


@pytest.mark.parametrize(
    ("part", "path"),
    [
        (Part.SEVERITY, "fields.priority.name"),
        (Part.STATUS, "incident_status.value"),
        (Part.NAME, "attributes.name"),
        (Part.KEY, "number.display_value"),
        (Part.NAME, "Short description"),
        (Part.KEY, "Vorfall-Nr."),
    ],
)
def test_a_path_is_named_after_the_object_with_the_value(part: Part, path: str) -> None:
    assert names(findings(**{path: ["a", "b"]}), part) == [path]


def test_a_less_nested_name_ranks_first() -> None:
    found = findings(**{"a.severity.title": ["x", "y"], "a.title": ["x", "y"]})
    assert names(found, Part.NAME) == ["a.title", "a.severity.title"]


@pytest.mark.parametrize(
    "values", [["x y", "z"], ["x", "x"], ["x" * 65, "y"], ["2023-01-01", "2023-01-02"], ["x"]]
)
def test_values_that_cannot_be_keys_are_not_chosen(values: list[str]) -> None:
    assert names(findings(a=values), Part.KEY) == []


def test_a_column_with_one_value_is_a_name_only_as_the_last_resort() -> None:
    assert names(findings(sys_class_name=["x", "x"], title=["a", "b"]), Part.NAME) == ["title"]
    assert names(findings(title=["x", "x"]), Part.NAME) == ["title"]


def test_an_exact_name_ranks_before_one_that_contains_it() -> None:
    found = findings(**{"Project name": ["a"], "Summary": ["b"], "sys_class_name": ["c"], "lastNight": ["d"]})
    assert names(found, Part.NAME) == ["Summary", "Project name", "sys_class_name"]


def test_words_are_found_in_names_of_any_style() -> None:
    found = findings(**{"fields.createdAt": ["2023-01-01"], "RESOLVED_AT": ["2023-01-01"]})
    assert names(found, Part.BEGINNING) == ["fields.createdAt"]
    assert names(found, Part.END) == ["RESOLVED_AT"]


def test_a_vocabulary_has_few_values_the_most_frequent_first() -> None:
    many = [str(each) for each in range(MAX_VALUES + 1)]
    found = findings(priority=["P2", "P1", "P2", *[""] * (len(many) - 3)], severity=many)
    assert names(found, Part.SEVERITY) == ["priority"]
    assert list(found.columns[0].values.items()) == [("P2", 2), ("P1", 1)]


def test_the_share_counts_the_records_with_a_value() -> None:
    assert findings(notes=["a", "", "", "b"]).columns[0].share == 0.5


def test_a_source_without_records_leaves_everything_open() -> None:
    found = inspect(("key",), values={}, filled={}, records=0)
    assert found.columns[0].share == 0
    assert not any(found.candidates.values())
