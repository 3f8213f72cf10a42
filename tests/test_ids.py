"""The id of a test is readable, whatever its parameters are."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum, auto
from http import HTTPStatus
from typing import Any

import pytest

from importer.model import Attribute, FollowUp
from importer.model.values import Field
from tests.ids import LONGEST, readable


class Fault(Enum):
    LOST = auto()


NAMES: dict[str, Any] = {
    "value=3": 3,
    "value=None": None,
    "empty": (),
    "a word": "a word",
    "key: A / name: B": "key: A\n  name: B\n",
    "<LF>": "\n",
    "yes<LF>": "yes\n",
    "<SP>yes": "  yes",
    "lost": Fault.LOST,
    "conflict": HTTPStatus.CONFLICT,
    "value=True": True,
    "lambda": lambda: None,
    "a<U+0009>b<U+00E9>": "a\tbé",
    "PK<U+0003>": b"PK\x03",
    "1.50": Decimal("1.50"),
    "name: B, tags: x, y": {"name": "B", "tags": ["x", "y"]},
    "a, b, c": frozenset("cab"),
    "custom_fields.Team": Attribute(Field.CUSTOM_FIELD, "Team"),
    "FollowUp(Rotate keys, open)": FollowUp("Rotate keys", status="open"),
    "upper": str.upper,
    "ValueError": ValueError,
    "x" * 57 + "...": "x" * 99,
}


@pytest.mark.parametrize(("name", "value"), NAMES.items(), ids=NAMES)
def test_a_value_is_named_by_its_text(name: str, value: object) -> None:
    assert readable(value, "value") == name
    assert len(name) <= LONGEST


def test_a_name_contains_no_address_since_workers_compare_names() -> None:
    assert readable(object(), "value") == "<object object>"
