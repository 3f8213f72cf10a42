"""The name of a published schema -> the schema."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

_PACKAGED = Path(__file__).parents[1] / "schemas"
_CHECKOUT = Path(__file__).parents[2] / "schemas"


@cache
def read(name: str) -> dict[str, Any]:
    """Return the JSON Schema called `name`, such as `incident` or `config`. Callers must not change it.

    Raises KeyError, which lists the valid names, for any other name.
    """
    if name not in names():
        raise KeyError(f"{name} is not one of {', '.join(names())}")
    schema: dict[str, Any] = json.loads((_folder() / f"{name}.schema.json").read_text("utf-8"))
    return schema


@cache
def names() -> tuple[str, ...]:
    """Return the names of all schemas, sorted."""
    return tuple(sorted(path.name.removesuffix(".schema.json") for path in _folder().glob("*.schema.json")))


def _folder() -> Path:
    """Return the folder of schemas: inside an installed package, or next to the package in a checkout."""
    return _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT
