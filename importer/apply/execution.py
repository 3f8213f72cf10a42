"""One change of a plan -> its steps, carried out one by one, each recorded before and after -> an Outcome.

Every step is safe to repeat, or is preceded by a look: a creation carries its idempotency key and is sent
again byte for byte, and an edit sets values. What the journal binds is never created again, since nobody
knows how long the server remembers a key.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import assert_never

from importer.apply.answers import additions, altered, existed_before, irreparable, readable
from importer.apply.children import KEYED, LISTED, Children
from importer.apply.sending import CONFLICT, IncidentWriter, Journal, Sender
from importer.model import (
    Adopt,
    Adopted,
    Applied,
    Attribute,
    Attributes,
    Binding,
    Blocked,
    Change,
    Child,
    Create,
    Diagnostic,
    Entity,
    Failed,
    Field,
    FieldChange,
    Incident,
    LiveIncident,
    NewOption,
    NoOp,
    Outcome,
    Pending,
    Unknown,
    Update,
    Value,
)
from importer.model.errors import (
    ApiError,
    AuthenticationFailed,
    ImporterError,
    Interrupted,
    NoAnswer,
    Refused,
)
from importer.model.steps import (
    CREATE,
    AttachPostmortem,
    CorrectIncident,
    CreateIncident,
    EditIncident,
    ends,
    identity,
)
from importer.plan.differences import differences, same, without
from importer.plan.steps import after_creation, creation, edit_steps, incident_steps
from importer.wire.requests import request

Warnings = tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Execution:
    """Carries out changes, from any number of threads. `find` looks for the incident of a creation that was
    answered with a conflict; `plan_hash` is a saved plan's, or empty."""

    api: IncidentWriter
    journal: Journal
    now: Callable[[], datetime]
    find: Callable[[Incident, Attributes], LiveIncident | None]
    plan_hash: str = ""
    options: Mapping[NewOption, Entity] = field(default_factory=dict)

    def carry_out(self, change: Change) -> Outcome | None:
        """Make one change. Nothing is returned for what needs no request, and for what cannot be done.

        Raises AuthenticationFailed, and Refused where the journal cannot be written or where a creation was
        carried out as nobody asked: all concern the run.
        """
        try:
            match change:
                case Create() | Pending():
                    return self._create(replace(change, attributes=self._with_options(change.attributes)))
                case Update():
                    live, warnings = self._bring_up_to_date(change)
                    return Applied(change.incident.key, live, created=False, warnings=warnings)
                case Adopt():
                    live, warnings = self._bring_up_to_date(change)
                    return Adopted(change.incident.key, live, warnings)
                case NoOp():
                    self._note_unchanged(change)
                    return None
                case Blocked():
                    return None
                case _:
                    assert_never(change)
        except AuthenticationFailed:
            raise
        except (ApiError, NoAnswer, Interrupted) as error:
            return _not_done(change, error)

    # -- an incident that is there -----------------------------------------------------------------------

    def _bring_up_to_date(self, change: Update | Adopt) -> tuple[LiveIncident, Warnings]:
        """Make the differences, but for those that an earlier run of the same saved plan made: what people
        edited since is not written over."""
        key, live = change.incident.key, change.live
        done = self.journal.carried_out(key, plan_hash=self.plan_hash) if self.plan_hash else frozenset()
        left = [each for each in change.changes if not _is_among(done, live.id, each)]
        live, warnings = self._change(live, key, left)
        self._settle(key, live)
        return live, warnings

    def _note_unchanged(self, change: NoOp) -> None:
        """Bind what is ours and as declared. A key that is the incident's own ID, as after a pull, is no
        proof that it is ours: to bind it would allow edits that nobody agreed to."""
        key = change.incident.key
        if change.incident_id != key or self.journal.binding(key):
            self.journal.settled(key, change.incident_id, change.reference, plan_hash=self.plan_hash)

    # -- a creation --------------------------------------------------------------------------------------

    def _create(self, change: Create | Pending) -> Outcome:
        """Create an incident, or go on with what an earlier run created."""
        bound = self.journal.binding(change.incident.key)
        if bound:
            return self._resume(change, bound)
        step, began = self._as_sent_before(change), self.now()
        try:
            answer = self._sender.send(change.incident.key, step, self.api.create)
        except ApiError as refusal:
            found = self.find(change.incident, step.attributes) if refusal.status == CONFLICT else None
            if found is None:
                raise
            return self._adopt_existing(change, found)
        if existed_before(answer, began, self.now(), name=request(step).body.get("name")):
            return self._adopt_existing(change, answer.live)
        return self._finish(change, answer.live)

    def _as_sent_before(self, change: Create | Pending) -> CreateIncident:
        """Return the step of a creation. One that was sent and never answered goes out again under the same
        key and with the same bytes, whatever the files say by now: edits bring it up to date. What was sent,
        the journal says, and not the plan."""
        step = replace(creation(change), sent_before=None)
        doubt = self.journal.in_doubt(change.incident.key, CREATE)
        return replace(step, idempotency_key=doubt.idempotency_key, sent_before=doubt) if doubt else step

    def _finish(self, change: Create | Pending, live: LiveIncident) -> Outcome:
        """Record an incident that was just made, and carry out the other steps of its change."""
        key, own = change.incident.key, creation(change).attributes
        missing = self._record(change, live)
        wrong = irreparable(live, own, change.incident.external_id)
        if wrong:
            raise Refused(f"{live.reference} (key '{key}') {wrong}", code="not-as-asked")
        made, warnings = self._correct(live, key, missing)
        made, more = self._change(made, key, after_creation(change.attributes), listed=LISTED - KEYED)
        self._settle(key, made)
        warnings += more + _kept_otherwise(missing) + additions(made, own)
        return Applied(key, made, created=True, warnings=warnings)

    def _adopt_existing(self, change: Create | Pending, live: LiveIncident) -> Outcome:
        """Record the incident that the creation made earlier, and bring it up to date, but for what belongs
        to people since. Where a run left the creation in doubt, that run made it."""
        key = change.incident.key
        missing = self._record(change, live)
        to_correct = [each for each in missing if each.attribute not in change.left_to_people]
        made, warnings = self._correct(live, key, to_correct)
        made, more = self._change(made, key, _still_to_do(change, made))
        self._settle(key, made)
        warnings += more + _kept_otherwise(missing)
        if isinstance(change, Create):
            return Adopted(key, made, warnings)
        return Applied(
            key, made, created=True, warnings=warnings + additions(made, creation(change).attributes)
        )

    def _record(self, change: Create | Pending, live: LiveIncident) -> tuple[FieldChange, ...]:
        """Record the answer to a creation; return what of it is not as declared. What is still to be edited
        is not written down as answered: a crash now must leave it to be seen."""
        key, own = change.incident.key, creation(change).attributes
        missing = differences(live.attributes, readable(own))
        kept = without(own, *(each.attribute for each in missing if not each.attribute.is_create_only))
        self.journal.confirmed(key, CREATE, live=live, declared=kept, answered=live.attributes)
        return missing

    def _correct(
        self, live: LiveIncident, key: str, missing: Collection[FieldChange]
    ) -> tuple[LiveIncident, Warnings]:
        """Set once more what the answer to a creation does not show as it was sent, as far as an edit can."""
        steps = (
            CorrectIncident(live.id, each.attributes) if isinstance(each, EditIncident) else each
            for each in incident_steps(live.id, missing)
        )
        return self._carry_out(live, key, steps)

    def _resume(self, change: Create | Pending, bound: Binding) -> Outcome:
        """Bring up to date what an earlier run of the same saved plan created and did not end."""
        key, location = change.incident.key, change.incident.location
        if not self.journal.is_created(key):
            what = f"'{key}' is {bound.reference} since the plan was made: make a new plan and review that"
            return Failed(key, "stale-plan", what, "", location)
        live = self.api.incident(bound.incident_id)
        if live is None:
            what = f"{bound.reference} was created by an earlier run, and this API key does not see it"
            return Failed(key, "not-visible", what, "", location)
        known = self.journal.remembered(key)
        missing = differences(live.attributes, readable(creation(change).attributes))
        to_correct = [each for each in missing if each.attribute not in change.left_to_people]
        left = [
            each
            for each in (*to_correct, *_still_to_do(change, live))
            if not each.attribute.is_create_only
            and (each.attribute not in known or not same(known[each.attribute].declared, each.after))
        ]
        live, warnings = self._change(live, key, left)
        self._settle(key, live)
        return Applied(key, live, created=False, warnings=warnings)

    # -- the steps ---------------------------------------------------------------------------------------

    def _change(
        self,
        live: LiveIncident,
        key: str,
        changes: Collection[FieldChange],
        *,
        listed: frozenset[Field] = LISTED,
    ) -> tuple[LiveIncident, Warnings]:
        """Edit an incident and bring its children up to date; return it as the account then shows it."""
        wanted = [replace(each, after=self._with_option(each.after)) for each in changes]
        live, warnings = self._carry_out(live, key, incident_steps(live.id, wanted))
        children = {each.attribute: each.after for each in wanted if isinstance(each.after, Child)}
        kinds = Children(self.api, self.journal, self._sender)
        return live, warnings + kinds.bring_up_to_date(live, key, children, listed=listed)

    def _carry_out(
        self, live: LiveIncident, key: str, steps: Iterable[EditIncident | CorrectIncident | AttachPostmortem]
    ) -> tuple[LiveIncident, Warnings]:
        """Carry out the steps of the incident itself; return it as the account then shows it."""
        warnings: Warnings = ()
        for step in steps:
            match step:
                case EditIncident() | CorrectIncident():
                    live, found = self._edit(key, step)
                    warnings += found
                case AttachPostmortem():
                    live = self._attach(live, key, step)
                case _:
                    assert_never(step)
        return live, warnings

    def _edit(self, key: str, step: EditIncident | CorrectIncident) -> tuple[LiveIncident, Warnings]:
        live = self._sender.send(key, step, self.api.edit)
        declared = step.attributes
        self.journal.confirmed(key, identity(step), live=live, declared=declared, answered=live.attributes)
        return live, tuple(map(altered, differences(live.attributes, readable(declared))))

    def _attach(self, live: LiveIncident, key: str, step: AttachPostmortem) -> LiveIncident:
        """Attach the link to a post-mortem, and read back what the account made of it."""
        self._sender.send(key, step, self.api.change)
        seen = self.api.incident(live.id) or live
        declared = {Attribute(Field.POSTMORTEM_URL): step.url}
        self.journal.confirmed(key, identity(step), live=seen, declared=declared, answered=seen.attributes)
        return seen

    @property
    def _sender(self) -> Sender:
        return Sender(self.journal, self.plan_hash)

    def _settle(self, key: str, live: LiveIncident) -> None:
        self.journal.settled(key, live.id, live.reference, plan_hash=self.plan_hash)

    def _with_options(self, attributes: Attributes) -> Attributes:
        """Put the options that were created meanwhile in the places of their names."""
        return {attribute: self._with_option(value) for attribute, value in attributes.items()}

    def _with_option(self, value: Value) -> Value:
        if not isinstance(value, tuple):
            return value
        return tuple(self.options[each] if isinstance(each, NewOption) else each for each in value)


def _is_among(done: frozenset[str], incident_id: str, change: FieldChange) -> bool:
    """Whether a difference was made: by the steps that the plan shows, or by what the child still needed."""
    steps = {identity(each) for each in edit_steps(incident_id, [change])}
    return bool(steps) and (steps <= done or not done.isdisjoint(ends(change.attribute)))


def _still_to_do(change: Create | Pending, live: LiveIncident) -> tuple[FieldChange, ...]:
    """Return what takes steps after a creation, of an incident that may have it already. Children are looked
    up one by one; what is there and belongs to people since is left to them."""
    return tuple(
        each
        for each in after_creation(change.attributes)
        if each.attribute.is_child or not _has(live, each, change.left_to_people)
    )


def _has(live: LiveIncident, change: FieldChange, left_to_people: frozenset[Attribute]) -> bool:
    """Whether an incident has what its creation set, or whatever people made of it since."""
    there = live.attributes.get(change.attribute)
    return same(there, change.after) or (there is not None and change.attribute in left_to_people)


def _kept_otherwise(missing: Collection[FieldChange]) -> Warnings:
    """Warn of what the account shows otherwise and no edit can change."""
    return tuple(altered(each) for each in missing if each.attribute.is_create_only)


def _not_done(change: Change, error: ImporterError) -> Outcome:
    """Tell a refusal from doubt: only an answer below 500 says that nothing was carried out."""
    key, location = change.incident.key, change.incident.location
    if isinstance(error, ApiError) and error.status < 500:
        return Failed(key, error.code, error.summary, error.request_id, location)
    return Unknown(key, error.summary, location)
