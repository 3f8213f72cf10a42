"""The steps of an incident itself -> the incident as the account then shows it, step by step."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import assert_never

from importer.apply.answers import altered
from importer.apply.completion import Completion, not_permitted
from importer.apply.sending import IncidentWriter, Journal, ProvenIncident, Sender
from importer.apply.sent_creation import readable
from importer.model import Attribute, Attributes, Field, FieldChange
from importer.model.errors import ApiError, AuthenticationFailed, ImporterError, NoAnswer
from importer.model.forms import is_same_form
from importer.model.steps import AttachPostmortem, CorrectIncident, EditIncident, identity
from importer.plan.differences import differences
from importer.plan.steps import after_creation, incident_steps

NOT_KEPT = "the account accepts it, but does not keep it"


@dataclass(frozen=True, slots=True)
class IncidentSteps:
    """Edits incidents. What is refused, or not kept, is noted as missing. The journal remembers what the
    account does not keep, and what it refuses in the edits that complete a creation. Any other edit that is
    refused is planned again."""

    api: IncidentWriter
    journal: Journal
    sender: Sender

    def make(self, work: Completion, changes: Collection[FieldChange]) -> None:
        """Make changes of an incident itself, as the plan shows them."""
        for step in incident_steps(work.live.id, changes):
            self._carry_out(work, step)

    def correct(self, work: Completion, changes: Collection[FieldChange]) -> None:
        """Set again, if an edit can, what the answer to a creation does not show as it was sent."""
        for step in incident_steps(work.live.id, changes):
            match step:
                case EditIncident(attributes=attributes):
                    self._carry_out(work, CorrectIncident(work.live.id, attributes))
                case AttachPostmortem():
                    self._carry_out(work, step)
                case _:
                    assert_never(step)

    def _carry_out(self, work: Completion, step: EditIncident | CorrectIncident | AttachPostmortem) -> None:
        if work.ending:
            work.add_unsent(_attributes(step), work.ending)
            return
        with work.attempt(_attributes(step)):
            match step:
                case EditIncident() | CorrectIncident():
                    self._edit(work, step)
                case AttachPostmortem():
                    self._attach(work, step)
                case _:
                    assert_never(step)

    def _edit(self, work: Completion, step: EditIncident | CorrectIncident) -> None:
        key, declared = work.incident.key, step.attributes
        try:
            live = self.sender.send(ProvenIncident(key, work.live.id), step, self.api.edit)
        except AuthenticationFailed as refusal:
            raise (not_permitted(refusal) if isinstance(step, CorrectIncident) else refusal) from refusal
        except ApiError as refusal:
            if not refusal.is_invalid:
                raise
            if isinstance(step, CorrectIncident) and len(declared) > 1:
                for attribute, value in declared.items():
                    self._carry_out(work, CorrectIncident(work.live.id, {attribute: value}))
                return
            if len(declared) == 1 and self._completes_creation(key, step):
                self._remember_refused(work, declared, reason=_refusal_reason(step, refusal))
            raise
        work.live, work.carried_out = live, work.carried_out + 1
        with work.recording():
            self.journal.confirmed(
                key, identity(step), live=live, declared=declared, answered=live.attributes
            )
        self._compare(work, declared)

    def _compare(self, work: Completion, declared: Attributes) -> None:
        """Warn of what the answer shows in another way, and note what it does not show at all."""
        for change in differences(work.live.attributes, readable(declared)):
            if is_same_form(change.before, change.after):
                continue
            if change.before is None:
                self._remember_refused(work, {change.attribute: change.after}, reason=NOT_KEPT)
                what = f"the account accepted {change.attribute.field.value}, but does not keep it"
                work.add_missing(change.attribute, "not-kept", what)
            else:
                work.warnings.append(altered(change))

    def _completes_creation(self, key: str, step: EditIncident | CorrectIncident) -> bool:
        """Whether an edit sets what a creation should have set, or cannot set, and no edit has set before."""
        if isinstance(step, CorrectIncident):
            return True
        is_left_to_edits = bool(after_creation(step.attributes)) and self.journal.is_created(key)
        return is_left_to_edits and step.attributes.keys().isdisjoint(self.journal.remembered(key))

    def _remember_refused(self, work: Completion, declared: Attributes, *, reason: str) -> None:
        with work.recording():
            self.journal.refused(work.incident.key, declared, answered=work.live.attributes, reason=reason)

    def _attach(self, work: Completion, step: AttachPostmortem) -> None:
        """Attach the link to a post-mortem and read it back in the account's form."""
        key = work.incident.key
        self.sender.send(ProvenIncident(key, work.live.id), step, self.api.change)
        work.carried_out += 1
        try:
            work.live = self.api.incident(work.live.id) or work.live
        except ImporterError as error:
            what = f"it was attached but could not be read back: {error.summary}"
            raise NoAnswer(what, hint=error.hint) from error
        declared = _attributes(step)
        with work.recording():
            self.journal.confirmed(
                key, identity(step), live=work.live, declared=declared, answered=work.live.attributes
            )


def _refusal_reason(step: EditIncident | CorrectIncident, refusal: ApiError) -> str:
    """Return why the account refused a value. The creation that a correction follows took the same value."""
    if isinstance(step, CorrectIncident):
        return f"this account refuses edits of closed incidents ({refusal.message})"
    return f"the account refused to change it ({refusal.message})"


def _attributes(step: EditIncident | CorrectIncident | AttachPostmortem) -> Attributes:
    if isinstance(step, AttachPostmortem):
        return {Attribute(Field.POSTMORTEM_URL): step.url}
    return step.attributes
