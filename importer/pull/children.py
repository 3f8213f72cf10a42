"""Live incidents -> the same incidents with the children that the API shows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Protocol

from importer.model import Attribute, Attributes, Field, LiveChild, LiveIncident, PostmortemDocument, Value
from importer.model.errors import NotAvailable
from importer.plan.child_forms import title_of
from importer.pull.warnings import PullWarnings

PULLED_CHILDREN = (Field.TIMELINE, Field.FOLLOW_UP, Field.ATTACHMENT, Field.POSTMORTEM)
"""The API does not show memberships, nor link status page incidents to incidents."""


class ChildReader(Protocol):
    """What reading children requires of the account."""

    def children(self, incident_id: str, fields: frozenset[Field]) -> tuple[LiveChild, ...]: ...

    def postmortem_content(self, document_id: str) -> str | None: ...


@dataclass(slots=True)
class ChildCollector:
    """Reads some kinds of children. A kind that the account lacks is requested only once."""

    api: ChildReader
    kinds: frozenset[Field]
    warnings: PullWarnings
    _missing: set[Field] = field(default_factory=set)

    def with_children(self, live: LiveIncident) -> LiveIncident:
        """Return an incident with its children added to its attributes."""
        found: dict[Attribute, LiveChild] = {}
        for kind in sorted(self.kinds - self._missing):
            try:
                listed = self.api.children(live.id, frozenset({kind}))
            except NotAvailable:
                self._missing.add(kind)
                self.warnings.warning(
                    "not-available",
                    f"this account's API does not show {kind.value}: they are left out",
                    live,
                    hint="a key with more roles may see them",
                )
                continue
            found |= self._children(live, kind, listed)
        values: dict[Attribute, Value] = {attribute: child.value for attribute, child in found.items()}
        ids = {attribute: child.id for attribute, child in found.items()}
        return replace(live, attributes=_joined(live.attributes, values), child_ids=ids)

    def _children(
        self, live: LiveIncident, kind: Field, listed: Iterable[LiveChild]
    ) -> dict[Attribute, LiveChild]:
        if kind is Field.POSTMORTEM:
            return self._postmortem(live, tuple(listed))
        return {each.attribute: each for each in listed}

    def _postmortem(self, live: LiveIncident, documents: tuple[LiveChild, ...]) -> dict[Attribute, LiveChild]:
        """Return the first post-mortem with its content, since a file can declare one."""
        for other in documents[1:2]:
            self.warnings.warning(
                "value-not-pulled",
                "a file can declare only one post-mortem: later ones are left out",
                live,
                hint=f"copy them by hand, for example '{title_of(other.attribute, other.value)}'",
            )
        for child in documents[:1]:
            content = self.api.postmortem_content(child.id)
            if content and isinstance(child.value, PostmortemDocument):
                return {child.attribute: replace(child, value=replace(child.value, content=content))}
        return {}


def _joined(attributes: Attributes, found: dict[Attribute, Value]) -> dict[Attribute, Value]:
    """Add children; a post-mortem that was read replaces the link to it."""
    is_read = any(each.field is Field.POSTMORTEM for each in found)
    kept = {a: v for a, v in attributes.items() if not (is_read and a.field is Field.POSTMORTEM_URL)}
    return kept | found
