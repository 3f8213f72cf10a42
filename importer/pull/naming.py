"""The account's entities -> the references that a file uses: a name, an email, else {id: ...}."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from importer.account.catalogue import Found, Index
from importer.account.naming import Names, names_of
from importer.model import CatalogEntry, Catalogue, Entity, Kind, Reference, User
from importer.model.normalise import line
from importer.model.settings import Settings

_KIND_IN_FILES = {Kind.CATALOG_ENTRY: Kind.OPTION, Kind.REPORTER: Kind.ROLE}
"""A file does not distinguish catalog entries from options, nor the reporter from other roles."""


@dataclass(frozen=True, slots=True)
class ReferenceFinder:
    """Finds references by resolving each candidate as a plan of this account will. A name that exists needs
    no alias, but `names` holds those that importer.yaml maps to another entity."""

    index: Index
    names: Names
    users: dict[str, User]
    entries: dict[str, CatalogEntry]

    def unique(self, entity: Entity, within: Entity | None = None) -> Reference | None:
        """Return the name, email or Slack ID that means this entity alone, or None."""
        kind = _KIND_IN_FILES.get(entity.kind, entity.kind)
        for by, name in self._candidates(entity):
            reference = Reference(kind, name, by)
            if name and line(name) == name and self._means(reference, entity, within):
                return reference
        return None

    def reference(self, entity: Entity, within: Entity | None = None) -> Reference:
        """Return a reference that means this entity alone, by ID if by nothing else."""
        kind = _KIND_IN_FILES.get(entity.kind, entity.kind)
        return self.unique(entity, within) or Reference(kind, entity.id, "id")

    def known(self, entity: Entity) -> Reference | None:
        """Return a reference to this entity, or None if the account no longer has it."""
        reference = self.reference(entity)
        return reference if self._means(reference, entity, None) else None

    def _means(self, reference: Reference, entity: Entity, within: Entity | None) -> bool:
        answer = self.index.find(reference, within)
        # An alias to a name that the account lacks is for another account; one to null drops the name.
        aliased = self.names.verdict(reference, within).entity
        return isinstance(answer, Found) and answer.entity == entity and aliased in (None, entity)

    def _candidates(self, entity: Entity) -> Iterator[tuple[str, str]]:
        """Yield the identifiers of an entity, the most readable first."""
        user, entry = self.users.get(entity.id), self.entries.get(entity.id)
        if user:
            yield "name", user.email or ""
            yield "slack_user_id", user.slack_user_id or ""
            return
        yield "name", entity.name
        if entry:
            yield "name", entry.external_id or ""


def reference_finder(catalogue: Catalogue, settings: Settings) -> ReferenceFinder:
    """Return the finder for an account under these settings."""
    return ReferenceFinder(
        Index(catalogue),
        names_of(catalogue, settings)[0],
        {each.entity.id: each for each in catalogue.users},
        {each.entity.id: each for listed in catalogue.catalog_entries.values() for each in listed},
    )
