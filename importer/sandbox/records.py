"""The values that the sandbox stores: incidents, which refer to other objects by ID, and their children.

Times are in milliseconds since 1970; a wire object is what an answer shows, ready for JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Wire = dict[str, Any]

LIVE_CATEGORIES = frozenset({"triage", "live", "paused"})
"""The status categories in which people still work on an incident."""
RETROSPECTIVE = "retrospective"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredIncident:
    """An incident. `timestamps`, `roles` and `custom_fields` are keyed by ID and hold what is set; a custom
    field's values are option or entry IDs, or its text."""

    id: str
    number: int
    mode: str
    visibility: str
    status_id: str
    type_id: str
    creator_id: str
    created: int
    updated: int
    name: str = ""
    summary: str = ""
    severity_id: str = ""
    call_url: str = ""
    slack_channel_id: str = ""
    slack_channel_name: str = ""
    slack_team_id: str = ""
    postmortem_document_url: str = ""
    postmortem_document_ids: tuple[str, ...] = ()
    timestamps: Mapping[str, int] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    custom_fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def is_private(self) -> bool:
        """Whether only keys with global access may see it."""
        return self.visibility == "private"

    def to_json(self) -> str:
        """Return the text that the store keeps."""
        return json.dumps({name: getattr(self, name) for name in self.__slots__}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> StoredIncident:
        """Return the incident that `to_json` wrote."""
        kept = json.loads(text)
        kept["postmortem_document_ids"] = tuple(kept["postmortem_document_ids"])
        kept["custom_fields"] = {name: tuple(values) for name, values in kept["custom_fields"].items()}
        return cls(**kept)


@dataclass(frozen=True, slots=True)
class Creation:
    """What an idempotency key made: the object's ID, a hash of the payload, and the time."""

    made: str
    content: str
    created: int


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of an SQL query and its parameters. The SQL never contains text of a client."""

    sql: str
    parameters: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Ordering:
    """A page of rows in the order of their identifiers."""

    newest_first: bool
    limit: int
