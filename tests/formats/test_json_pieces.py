"""A document with one long list: valid JSON, read in pieces, and sealed against changes."""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.formats.json_pieces import Document, document_chunks, major_version

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(st.text(max_size=5), values, max_size=3)
heads = st.dictionaries(st.text(max_size=8), values, max_size=4).map(
    lambda head: {key: value for key, value in head.items() if key not in ("list", "seal")}
)


def text_of(head: dict[str, Any], entries: list[dict[str, Any]]) -> str:
    return "".join(document_chunks(head, "list", entries, seal="seal"))


def opened(text: str) -> Document:
    return Document(io.StringIO(text), "list", seal="seal")


@given(heads, st.lists(objects, max_size=4), st.booleans())
def test_a_document_written_in_pieces_is_json_and_is_read_in_pieces(
    head: dict[str, Any], entries: list[dict[str, Any]], is_laid_out_anew: bool
) -> None:
    text = text_of(head, entries)
    whole = json.loads(text)
    content = {key: value for key, value in whole.items() if key != "seal"}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))

    assert text.isascii()
    assert content == {**head, "list": entries}
    assert whole["seal"] == "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()

    document = opened(json.dumps(whole, indent=1) if is_laid_out_anew else text)
    assert (document.head, list(document.entries())) == (head, entries)
    assert document.is_sealed()
    assert document.sealed_with == whole["seal"]


@pytest.mark.parametrize(
    ("old", "new"),
    [('"a": 1', '"a": 2'), ('{"k":2}', '{"k":3}'), ('{"k":2}', '{"k":2,"l":1}'), ("sha256:", "sha256:0")],
)
def test_any_change_breaks_the_seal(old: str, new: str) -> None:
    text = text_of({"a": 1, "z": 1}, [{"k": 1}, {"k": 2}])
    document = opened(text.replace(old, new))
    list(document.entries())
    assert not document.is_sealed()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"list": 1}', "{", '{\n"list": [\n'])
def test_a_document_without_the_list_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        list(opened(text).entries())


def test_keys_after_the_list_are_refused() -> None:
    text = text_of({"a": 1}, [{"k": 1}]).replace('],\n"seal"', '],\n"later": 1,\n"seal"')
    with pytest.raises(ValueError, match="keys after the list"):
        list(opened(text).entries())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"a": 1,', '"a": 2,\n"a": 1,'),
        ('"a": 1,', '"a": {"b": 1, "b": 2},'),
        ('{"k":2}', '{"k":1,"k":2}'),
        ('"seal": ', '"seal": "", "seal": '),
    ],
    ids=["twice-before", "within-a-value", "in-an-entry", "after-the-list"],
)
def test_a_repeated_key_is_refused(old: str, new: str) -> None:
    text = text_of({"a": 1}, [{"k": 2}])
    assert old in text
    with pytest.raises(ValueError):
        list(opened(text.replace(old, new)).entries())


@pytest.mark.parametrize(
    ("document", "major"),
    [
        ({"format_version": "1.0"}, 1),
        ({"format_version": "12.3"}, 12),
        ({"format_version": "2"}, 2),
        ({"format_version": 1.0}, None),
        ({"format_version": "x.1"}, None),
        ({"format_version": "-1.0"}, None),
        ({"format_version": "9" * 5000}, None),
        ({}, None),
        (["1.0"], None),
    ],
)
def test_a_document_has_a_major_version_or_none(document: object, major: int | None) -> None:
    assert major_version(document) == major
