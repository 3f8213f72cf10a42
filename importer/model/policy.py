"""How to treat edits that people make in incident.io: which fields to ignore, and which edits to keep."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from importer.model.normalise import folded
from importer.model.values import Attribute, Field, Location


class OnDrift(StrEnum):
    """What to do about an edit that somebody made in incident.io."""

    OVERWRITE = "overwrite"
    KEEP = "keep"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Ignored:
    """An entry of `ignore_changes`, a `word` in a file: a field, which covers all of its attributes, or one
    attribute. The title of a child is folded."""

    attribute: Attribute
    word: str = field(default="", compare=False)
    location: Location | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Policy:
    """How to treat drift. `ignore_changes` are set at creation and left to people afterwards."""

    on_drift: OnDrift = OnDrift.OVERWRITE
    ignore_changes: frozenset[Ignored] = frozenset()

    def ignores(self, attribute: Attribute) -> bool:
        """Whether an attribute is left to people after creation."""
        if not self.ignore_changes:
            return False
        whole = Field.POSTMORTEM if attribute.field is Field.POSTMORTEM_URL else attribute.field
        forms = (with_folded_title(attribute), Attribute(attribute.field), Attribute(whole))
        return any(Ignored(each) in self.ignore_changes for each in forms)


def with_folded_title(attribute: Attribute) -> Attribute:
    """Return an attribute with the title of a child in the form in which titles are compared."""
    return replace(attribute, key=folded(attribute.key)) if isinstance(attribute.key, str) else attribute
