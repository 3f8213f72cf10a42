"""What the marker field holds tells whose incident one is, whatever keys and namespaces there are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.model import Attribute, Entity, Field, Kind
from importer.model.identity import DEFAULT_NAMESPACE, Marker
from tests.plans import live

FIELD = Attribute(Field.CUSTOM_FIELD, Entity(Kind.CUSTOM_FIELD, "01F", "Legacy ID"))

keys = st.text("aA1/-", min_size=1, max_size=5)
namespaces = st.sampled_from([DEFAULT_NAMESPACE]) | st.text("aA1-", min_size=1, max_size=5)


def test_the_default_namespace_has_bare_keys_and_every_other_one_its_name_before_them() -> None:
    assert Marker(FIELD, "default").text("1042") == "1042"
    assert Marker(FIELD, "acme").text("1042") == "acme/1042"
    assert Marker(FIELD, "default").text("acme/1042") == "default/acme/1042"


@given(namespaces, keys)
def test_a_key_is_read_back_as_it_was_written(namespace: str, key: str) -> None:
    marker = Marker(FIELD, namespace)
    assert marker.key(marker.text(key)) == key
    assert marker.carries(live(1, {FIELD: marker.text(key)}), key)


@given(namespaces, keys, namespaces, keys)
def test_no_two_keys_have_the_same_text(one: str, key: str, two: str, other: str) -> None:
    if (one, key) != (two, other):
        assert Marker(FIELD, one).text(key) != Marker(FIELD, two).text(other)


@given(namespaces, keys, namespaces)
def test_a_text_of_another_namespace_is_no_key(one: str, key: str, two: str) -> None:
    if one != two:
        assert Marker(FIELD, two).key(Marker(FIELD, one).text(key)) is None


@pytest.mark.parametrize("text", ["", "acme/1042"])
def test_an_empty_field_and_one_of_another_namespace_carry_no_key(text: str) -> None:
    held = live(1, {FIELD: text} if text else {})
    assert not Marker(FIELD, "default").carries(held, "1042")
