"""The idempotency key depends only on namespace and key, which makes a retry safe."""

from __future__ import annotations

import re

import pytest
from hypothesis import given

from importer.model.identity import child_key, idempotency_key, is_safe
from tests.strategies import texts

PLAIN = re.compile(r"importer-[0-9a-f]{40}")


def test_the_key_of_an_incident_is_the_same_in_every_version() -> None:
    assert (
        idempotency_key(namespace="default", key="JIRA-1042")
        == "importer-9e4a52fe182386dd73af9d6762890367400fc62e"
    )


def test_the_key_of_a_child_is_the_same_in_every_version() -> None:
    assert (
        child_key(parent="01LIVE", label="timeline.Rolled back")
        == "importer-d1b69d1190df446f5f26d0e509ebc83cfb14e615"
    )


@given(texts, texts)
def test_keys_are_short_and_plain_whatever_the_input(one: str, other: str) -> None:
    for made in (idempotency_key(namespace=one, key=other), child_key(parent=one, label=other)):
        assert PLAIN.fullmatch(made)
        assert len(made) == 49
        assert is_safe(made)


@given(texts, texts, texts, texts)
def test_two_incidents_never_share_a_key(space: str, key: str, other_space: str, other_key: str) -> None:
    same = (space, key) == (other_space, other_key)
    made = idempotency_key(namespace=space, key=key), idempotency_key(namespace=other_space, key=other_key)
    assert (made[0] == made[1]) is same


def test_moving_a_letter_from_namespace_to_key_changes_the_key() -> None:
    assert idempotency_key(namespace="ab", key="c") != idempotency_key(namespace="a", key="bc")
    assert idempotency_key(namespace="", key="1:a") != idempotency_key(namespace="1:a", key="")


@given(texts, texts)
def test_a_child_never_has_the_key_of_an_incident(one: str, other: str) -> None:
    assert idempotency_key(namespace=one, key=other) != child_key(parent=one, label=other)


@pytest.mark.parametrize("key", ["a", "A-Z.0_9:x", "x" * 64])
def test_a_plain_explicit_key_is_safe(key: str) -> None:
    assert is_safe(key)


@pytest.mark.parametrize("key", ["", "x" * 65, "a b", "a\n", "é", "a/b"])
def test_a_key_that_a_server_may_refuse_is_not_safe(key: str) -> None:
    assert not is_safe(key)
