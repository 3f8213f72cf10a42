"""Values that only look different become equal, and different values stay different."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from importer.model import Attribute, Entity, Field, Kind, Link, NewOption, Packed, Reference, Scalar
from importer.model.normalise import by_label, folded, number, several, text, to_utc
from tests import strategies

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
TEAMS = Entity(Kind.CUSTOM_FIELD, "F1", "Teams")


def test_text_has_composed_letters_unix_line_ends_and_no_trailing_blanks() -> None:
    assert text("Cafe\u0301\r\nsecond\rthird  \n\n\t") == "Caf\u00e9\nsecond\nthird"
    assert text("a  \nb") == "a  \nb"
    assert text("  indented") == "  indented"


@pytest.mark.parametrize("blank", ["", " ", "\r\n", "\t\n "])
def test_blank_text_is_none(blank: str) -> None:
    assert text(blank) is None


@given(strategies.texts.map(lambda raw: raw.replace("\r", "")))
def test_normalising_text_twice_changes_nothing(raw: str) -> None:
    once = text(raw)
    assert once is None or text(once) == once
    assert text(unicodedata.normalize("NFD", raw.replace("\n", "\r\n"))) == text(
        unicodedata.normalize("NFC", raw)
    )


def test_a_time_is_in_utc_and_truncated_to_milliseconds() -> None:
    india = timezone(timedelta(hours=5, minutes=30))
    assert to_utc(datetime(2024, 1, 1, 1, 0, 0, 999_999, tzinfo=india)) == datetime(
        2023, 12, 31, 19, 30, 0, 999_000, tzinfo=UTC
    )
    assert to_utc(NOON).tzinfo is UTC


@given(strategies.moments, st.integers(-23 * 60, 23 * 60), st.integers(0, 999))
def test_the_same_instant_in_two_zones_is_equal(at: datetime, offset: int, microseconds: int) -> None:
    elsewhere = timezone(timedelta(minutes=offset))
    assert to_utc((at + timedelta(microseconds=microseconds)).astimezone(elsewhere)) == at


@pytest.mark.parametrize(
    ("raw", "value"),
    [("1200", "1200"), ("1200.0", "1200"), (" 1.50 ", "1.5"), ("1E+3", "1000"), ("-0.0", "0"), ("0e5", "0")],
)
def test_a_number_has_no_trailing_zeros(raw: str, value: str) -> None:
    assert number(raw) == Decimal(value)
    assert not number(raw).is_signed()


@pytest.mark.parametrize(
    "raw", ["", "NaN", "sNaN", "Infinity", "-Infinity", "1,000", "12 000", "1E+999999999"]
)
def test_anything_but_a_number_is_refused(raw: str) -> None:
    with pytest.raises(ArithmeticError):
        number(raw)


@given(st.decimals(-(10**15), 10**15, places=4))
def test_a_number_keeps_its_value_and_its_text_is_stable(value: Decimal) -> None:
    once = number(str(value))
    assert once == value
    assert str(number(f"{value}0" if "." in str(value) else str(value))) == str(once)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Impact started at", "impact  Started AT"),
        ("Caf\u00e9", "CAFE\u0301"),
        ("\uff33\uff25\uff36 1", "sev1"),
        ("Stra\u00dfe", "STRASSE"),
        ("\u0390", "\u0390".upper()),
        ("a\u00a0b", "ab"),
    ],
)
def test_folding_ignores_case_spacing_and_unicode_form(one: str, other: str) -> None:
    assert folded(one) == folded(other)


def test_folding_keeps_different_letters_apart() -> None:
    assert len({folded(each) for each in ("Major", "Mayor", "Majeur", "Major-2", "Major 2")}) == 5


@given(strategies.texts)
@example("E\u00af")
def test_folding_twice_changes_nothing(name: str) -> None:
    assert folded(folded(name)) == folded(name)


SCALARS: tuple[Scalar, ...] = (
    "b",
    Decimal("1.5"),
    NOON,
    Link("https://x"),
    Packed("a;b"),
    Entity(Kind.OPTION, "O1", "Payments"),
    Entity(Kind.CATALOG_ENTRY, "O1", "Payments"),
    NewOption(TEAMS, "Search"),
    Reference(Kind.OPTION, "O1", "id"),
    Reference(Kind.OPTION, "O1"),
)


@given(st.lists(st.sampled_from(SCALARS)), st.randoms())
def test_a_set_of_values_is_sorted_and_has_no_duplicates(values: list[Scalar], random: object) -> None:
    once = several(values)
    random.shuffle(values)  # type: ignore[attr-defined]
    assert several([*values, *values]) == once
    assert set(once or ()) == set(values)
    assert len(once or ()) == len(set(values))


def test_an_empty_set_is_none() -> None:
    assert several([]) is None


def test_a_renamed_option_is_the_same_option() -> None:
    renamed = several([Entity(Kind.OPTION, "O1", "Pay"), Entity(Kind.OPTION, "O1", "Payments")])
    assert renamed == (Entity(Kind.OPTION, "O1", "whatever"),)


@given(st.permutations([Field.SEVERITY, Field.CUSTOM_FIELD, Field.TIMESTAMP]))
def test_attributes_are_sorted_by_field_then_name_then_id(fields: list[Field]) -> None:
    twins = [Attribute(Field.CUSTOM_FIELD, Entity(Kind.CUSTOM_FIELD, each, "Teams")) for each in ("F2", "F1")]
    ordered = sorted([*twins, *map(Attribute, fields)], key=by_label)
    assert [each.label for each in ordered] == [
        "severity",
        "timestamps",
        "custom_fields",
        "custom_fields.Teams",
        "custom_fields.Teams",
    ]
    assert ordered[3:] == twins[::-1]
