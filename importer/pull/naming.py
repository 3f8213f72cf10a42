"""The account's entities -> the words that a file finds them by again: a name, an email, else {id: ...}."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from importer.account.catalogue import Found, Index
from importer.account.naming import Names, names_of
from importer.model import CatalogEntry, Catalogue, Entity, Kind, Reference, User
from importer.model.normalise import line
from importer.model.settings import Settings

_AS_FILES_SAY = {Kind.CATALOG_ENTRY: Kind.OPTION, Kind.REPORTER: Kind.ROLE}
"""A file cannot tell a catalog entry from an option, nor the reporter from another role."""


@dataclass(frozen=True, slots=True)
class ReferenceFinder:
    """Finds words by looking each one up as a plan of this account will. A word that is there needs no alias,
    but `names` knows which words importer.yaml makes stand for something else."""

    index: Index
    names: Names
    users: dict[str, User]
    entries: dict[str, CatalogEntry]

    def unique(self, entity: Entity, within: Entity | None = None) -> Reference | None:
        """Return the name, email or Slack ID that means this entity and no other; None if there is none."""
        kind = _AS_FILES_SAY.get(entity.kind, entity.kind)
        for by, word in self._words(entity):
            reference = Reference(kind, word, by)
            if word and line(word) == word and self._means(reference, entity, within):
                return reference
        return None

    def reference(self, entity: Entity, within: Entity | None = None) -> Reference:
        """Return what means this entity and no other, by its ID if nothing else does."""
        kind = _AS_FILES_SAY.get(entity.kind, entity.kind)
        return self.unique(entity, within) or Reference(kind, entity.id, "id")

    def known(self, entity: Entity) -> Reference | None:
        """Return what means this entity, unless the account has it no longer."""
        reference = self.reference(entity)
        return reference if self._means(reference, entity, None) else None

    def _means(self, reference: Reference, entity: Entity, within: Entity | None) -> bool:
        answer = self.index.find(reference, within)
        # An alias to what the account lacks is for another account, and one to null leaves the word out.
        aliased = self.names.verdict(reference, within).entity
        return isinstance(answer, Found) and answer.entity == entity and aliased in (None, entity)

    def _words(self, entity: Entity) -> Iterator[tuple[str, str]]:
        """Yield what people call an entity, the best first."""
        user, entry = self.users.get(entity.id), self.entries.get(entity.id)
        if user:
            yield "name", user.email or ""
            yield "slack_user_id", user.slack_user_id or ""
            return
        yield "name", entity.name
        if entry:
            yield "name", entry.external_id or ""


def reference_finder(catalogue: Catalogue, settings: Settings) -> ReferenceFinder:
    """Return the words of an account, as these settings read them."""
    return ReferenceFinder(
        Index(catalogue),
        names_of(catalogue, settings)[0],
        {each.entity.id: each for each in catalogue.users},
        {each.entity.id: each for listed in catalogue.catalog_entries.values() for each in listed},
    )
