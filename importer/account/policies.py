"""The names in `ignore_changes` -> the account's entities, and the problems of those that it lacks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from importer.account.naming import Names, Verdict
from importer.model import Diagnostic, Entity, Ignored, Location, Policy, Reference, Severity


@dataclass(slots=True)
class Policies:
    """Resolves the names in `ignore_changes`. A name that the account lacks is always an error, once for each
    place: without it, edits that people made would be overwritten."""

    names: Names
    _known: dict[Policy, Policy] = field(default_factory=dict)
    _problems: dict[tuple[Diagnostic, Location | None], None] = field(default_factory=dict)

    def resolved(self, policy: Policy) -> Policy:
        """Return the policy with the account's entities."""
        for each in policy.ignore_changes:
            problem = self._verdict(each).problem
            if problem is not None and problem.severity is Severity.ERROR:
                self._problems[(problem, each.location)] = None
        if policy not in self._known:
            ignored = frozenset(one for each in policy.ignore_changes for one in self._entities(each))
            self._known[policy] = replace(policy, ignore_changes=ignored)
        return self._known[policy]

    def problems(self) -> list[Diagnostic]:
        """Return what was found so far."""
        return [
            replace(
                problem,
                summary=f"`ignore_changes` names what cannot be found: {problem.summary}",
                locations=(at,) if at else (),
            )
            for problem, at in self._problems
        ]

    def _verdict(self, ignored: Ignored) -> Verdict:
        key = ignored.attribute.key
        return self.names.verdict(key) if isinstance(key, Reference) else Verdict(None)

    def _entities(self, ignored: Ignored) -> Iterator[Ignored]:
        if not isinstance(ignored.attribute.key, Reference):
            yield ignored
        elif isinstance(entity := self._verdict(ignored).entity, Entity):
            yield replace(ignored, attribute=replace(ignored.attribute, key=entity))
