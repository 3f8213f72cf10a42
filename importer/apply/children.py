"""The children that an incident should have -> its children in the account, each exactly once.

If a kind has no idempotency key, its children are listed before one is created and after a lost answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import groupby

from importer.apply.answers import not_available
from importer.apply.sending import IncidentWriter, Journal, ProvenIncident, Sender
from importer.model import Attribute, Child, Diagnostic, Field, LiveChild, LiveIncident
from importer.model.errors import NoAnswer, NotAvailable
from importer.model.normalise import by_label
from importer.model.steps import CreateChild, EditChild, SetChildStatus, identity
from importer.plan.differences import same
from importer.plan.steps import child_creation, child_edits, without_status

LISTED = frozenset({Field.TIMELINE, Field.STATUS_PAGE, Field.FOLLOW_UP, Field.ATTACHMENT, Field.POSTMORTEM})
"""The kinds that are listed before one is created; the API does not list memberships."""
KEYED = frozenset({Field.TIMELINE, Field.STATUS_PAGE})
"""The kinds with an idempotency key; in a new incident they need not be listed first."""


@dataclass(frozen=True, slots=True)
class Children:
    """Brings the children of incidents up to date, step by step."""

    api: IncidentWriter
    journal: Journal
    sender: Sender

    def bring_up_to_date(
        self, live: LiveIncident, key: str, wanted: Mapping[Attribute, Child], *, listed: frozenset[Field]
    ) -> tuple[Diagnostic, ...]:
        """Create what is missing and edit what differs; return warnings for what the API cannot do."""
        warnings: list[Diagnostic] = []
        for kind, attributes in groupby(sorted(wanted, key=by_label), lambda attribute: attribute.field):
            try:
                known = self._listed(live, frozenset({kind}) & listed)
                for each in attributes:
                    warnings += self._bring_one_up_to_date(live, key, each, wanted[each], known.get(each))
            except NotAvailable as error:
                what = f"this account's API does not support {kind.value}: they were left out"
                warnings.append(not_available(what, live, error.summary))
        return tuple(warnings)

    def _bring_one_up_to_date(
        self, live: LiveIncident, key: str, attribute: Attribute, value: Child, known: LiveChild | None
    ) -> tuple[Diagnostic, ...]:
        """Bring one child up to date; return a warning if the API cannot."""
        child, steps = self._create_and_record(live, key, attribute, value) if known is None else (known, ())
        if not same(child.value, value if known else without_status(value)):
            steps = child_edits(attribute, value, before=child.value, child_id=child.id)
            if not steps:
                what = f"{attribute.field.value} differ from the files, but the API cannot change them"
                return (not_available(what, live, f"the API cannot change {attribute.label}"),)
        answered, step_name = child.value, attribute.label
        for step in steps:
            self.sender.send(ProvenIncident(key, live.id), step, self.api.change)
            answered, step_name = value, identity(step)
        # The child exists, so its creation is no longer in doubt either.
        confirmed = {step_name, attribute.label}
        self.journal.confirmed(
            key, *confirmed, live=live, declared={attribute: value}, answered={attribute: answered}
        )
        return ()

    def _create_and_record(
        self, live: LiveIncident, key: str, attribute: Attribute, value: Child
    ) -> tuple[LiveChild, tuple[EditChild | SetChildStatus, ...]]:
        """Create a child and record it; return it with the remaining steps."""
        step, rest = child_creation(live.id, attribute, value)
        doubt = self.journal.in_doubt(key, identity(step)) if attribute.field in KEYED else None
        child = self._create(live, key, replace(step, sent_before=doubt))
        if rest:  # after a crash here, the next plan must still see the status
            declared = {attribute: without_status(value)}
            self.journal.confirmed(
                key, identity(step), live=live, declared=declared, answered={attribute: child.value}
            )
        return child, tuple(replace(each, child_id=child.id) for each in rest)

    def _create(self, live: LiveIncident, key: str, step: CreateChild) -> LiveChild:
        """Create a child once. After a lost answer the list decides; if it does not show the child, the next
        apply lists again, since a list may lag."""
        try:
            return self.sender.send(ProvenIncident(key, live.id), step, self.api.create_child)
        except NoAnswer:
            kind = step.attribute.field
            found = self._listed(live, frozenset({kind}) & LISTED).get(step.attribute)
            if found is None:
                raise
            return found

    def _listed(self, live: LiveIncident, fields: frozenset[Field]) -> dict[Attribute, LiveChild]:
        found = self.api.children(live.id, fields) if fields else ()
        return {each.attribute: each for each in found}
