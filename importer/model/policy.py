"""How to treat edits that people make in incident.io: which fields to ignore, and which edits to keep."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from importer.model.values import Attribute


class OnDrift(StrEnum):
    """What to do about an edit that somebody made in incident.io."""

    OVERWRITE = "overwrite"
    KEEP = "keep"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Policy:
    """How to treat drift. `ignore_changes` are set at creation and left to people afterwards: a label such as
    `custom_fields.Team`, or a field such as `custom_fields`, which covers all of its labels."""

    on_drift: OnDrift = OnDrift.OVERWRITE
    ignore_changes: frozenset[str] = frozenset()

    def ignores(self, attribute: Attribute) -> bool:
        """Whether an attribute is left to people after creation."""
        field = attribute.field.value
        return not self.ignore_changes.isdisjoint((attribute.label, field, field.partition(".")[0]))
