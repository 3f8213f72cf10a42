"""What becomes of edits that people make in incident.io: which fields are theirs, and which edits stay."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from importer.model.values import Attribute


class OnDrift(StrEnum):
    """What becomes of an edit that somebody made in incident.io."""

    OVERWRITE = "overwrite"
    KEEP = "keep"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Policy:
    """`ignore_changes` are fields that are written at creation and belong to people afterwards: a label such
    as `custom_fields.Team`, or a field, which stands for all of its kind."""

    on_drift: OnDrift = OnDrift.OVERWRITE
    ignore_changes: frozenset[str] = frozenset()

    def ignores(self, attribute: Attribute) -> bool:
        """Whether an attribute belongs to people once it was written."""
        field = attribute.field.value
        return not self.ignore_changes.isdisjoint((attribute.label, field, field.partition(".")[0]))
