"""One authenticated request, as an endpoint receives it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from importer.sandbox.access import ApiKey
from importer.sandbox.account import Account
from importer.sandbox.problems import Problem
from importer.sandbox.records import Wire


@dataclass(frozen=True, slots=True)
class Exchange:
    """`arguments` come from the path, `body` is the JSON that was sent and `payload` its part with the right
    shape. `problems` describe the rest: an endpoint adds its own and refuses them together."""

    account: Account
    key: ApiKey
    arguments: Mapping[str, str]
    query: MultiDict[str, str]
    payload: Wire
    problems: tuple[Problem, ...] = ()
    body: Any = None
