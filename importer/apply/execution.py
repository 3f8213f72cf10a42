"""One change of a plan -> its steps, carried out one by one, each recorded before and after -> an Outcome.

Every step is safe to repeat or is preceded by a look at the account: an edit sets values, and a creation in
doubt is looked for before it is sent again, byte for byte. What the journal binds is never created again,
since it is not known how long the server remembers an idempotency key. An incident that exists is changed
only if it is proven to be this key's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Event
from typing import assert_never

from importer.apply.answers import additions, altered, irreparable, may_have_existed
from importer.apply.children import KEYED, LISTED, Children
from importer.apply.completion import Completion, RunEnded, ends_run
from importer.apply.creation import Created, Creator, Existing, Foreign, KeyTaken, Undecided
from importer.apply.gate import FirstRequestGate
from importer.apply.incident_steps import IncidentSteps
from importer.apply.options import create_options
from importer.apply.rediscovery import Rediscovery
from importer.apply.refusals import (
    failure,
    foreign_answer,
    not_as_asked,
    taken_key,
    undecided_creation,
    unfinished,
    unproven_change,
)
from importer.apply.sending import IncidentWriter, Journal, Sender
from importer.apply.sent_creation import readable
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
    Link,
    LiveIncident,
    NewOption,
    NoOp,
    Outcome,
    Pending,
    Plan,
    Update,
    Value,
)
from importer.model.errors import ImporterError, Refused
from importer.model.forms import is_same_form
from importer.model.steps import CREATE, ends, identity
from importer.plan.differences import differences, same, without
from importer.plan.steps import after_creation, creation, edit_steps

Warnings = tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Execution:
    """Carries out changes, from any number of threads.

    `wait` waits for some seconds. `is_ours` tells whether an incident, as just read, proves to be a declared
    one that the state does not bind. `gate` lets the first request of each kind go alone. `plan_hash` is the
    saved plan's, or empty. `seen` has the IDs of the incidents that the account had when the plan was made,
    as far as they are known.
    """

    api: IncidentWriter
    journal: Journal
    now: Callable[[], datetime]
    wait: Callable[[float], None]
    rediscovery: Rediscovery
    is_ours: Callable[[Incident, LiveIncident], bool]
    gate: FirstRequestGate = field(kw_only=True)
    plan_hash: str = ""
    options: dict[NewOption, Entity] = field(default_factory=dict)
    seen: Collection[str] = ()

    def create_options(self, plan: Plan, stop: Event) -> None:
        """Create the select options that the plan needs and the account lacks, before any change."""
        self.options.update(create_options(plan, self.api, stop))

    def carry_out(self, change: Change) -> Outcome | None:
        """Make one change. Return None if it needs no request or is blocked. Raises RunEnded if no other
        change can be made."""
        try:
            match change:
                case Create() | Pending():
                    return self._create(replace(change, attributes=self._with_options(change.attributes)))
                case Update() | Adopt():
                    return self._bring_up_to_date(change)
                case NoOp():
                    self._note_unchanged(change)
                    return None
                case Blocked():
                    return None
                case _:
                    assert_never(change)
        except ImporterError as error:
            is_readable = not isinstance(error, Refused)
            in_doubt = is_readable and self.journal.in_doubt(change.incident.key, CREATE) is not None
            outcome = unfinished(change.incident, error, in_doubt=in_doubt)
            if ends_run(error):
                raise RunEnded(outcome, error) from error
            return outcome

    # -- an existing incident ----------------------------------------------------------------------------

    def _bring_up_to_date(self, change: Update | Adopt) -> Outcome:
        """Make the changes that an earlier run of the same saved plan did not make already: edits that people
        made since are not overwritten."""
        key, live = change.incident.key, change.live
        if not self._is_proven(change.incident, live):
            return unproven_change(change.incident, live)
        done = self.journal.carried_out(key, plan_hash=self.plan_hash) if self.plan_hash else frozenset()
        left = [each for each in change.changes if not _is_done(done, live.id, each)]
        work = Completion(change.incident, live)
        self._make_changes(work, left)
        if isinstance(change, Adopt):
            return self._conclude(work, Adopted(key, work.live, *work.report()))
        if work.missing and not work.carried_out:
            return self._conclude(work, failure(work))
        return self._conclude(work, Applied(key, work.live, False, *work.report()))

    def _is_proven(self, incident: Incident, live: LiveIncident) -> bool:
        """Whether an incident is this key's: the state binds them, or the incident proves it when it is read.
        A proof is recorded, so that every step finds it."""
        bound = self.journal.binding(incident.key)
        if bound:
            return bound.incident_id == live.id
        seen = self.api.incident(live.id)
        if seen is None or not self.is_ours(incident, seen):
            return False
        self._bind(incident.key, seen)
        return True

    def _bind(self, key: str, live: LiveIncident) -> None:
        """Bind a key to an incident that proved to be its own. A creation in doubt is settled by it."""
        doubt = self.journal.in_doubt(key, CREATE)
        if doubt is None:
            self.journal.bind(key, live)
            return
        is_found = not doubt.precedes(live.created_at)
        self.journal.confirmed(key, CREATE, live=live, declared={}, answered={}, is_found=is_found)

    def _note_unchanged(self, change: NoOp) -> None:
        """Bind an incident that is ours and as declared. A key equal to the incident's own ID, as after a
        pull, does not prove that it is ours: binding it would allow edits that nobody agreed to."""
        key = change.incident.key
        if self.journal.binding(key) is None and self.journal.in_doubt(key, CREATE):
            live = self.api.incident(change.incident_id)
            if live:
                self._bind(key, live)
        if change.incident_id != key or self.journal.binding(key):
            self.journal.settled(key, change.incident_id, change.reference, plan_hash=self.plan_hash)

    # -- a creation --------------------------------------------------------------------------------------

    def _create(self, change: Create | Pending) -> Outcome:
        """Create an incident, or continue with the one that an earlier run created."""
        key = change.incident.key
        bound = self.journal.binding(key)
        if bound:
            return self._resume(change, bound)
        creator = Creator(
            api=self.api,
            journal=self.journal,
            sender=self._sender,
            rediscovery=self.rediscovery,
            now=self.now,
            wait=self.wait,
            seen=self.seen,
        )
        match answer := creator.create(key, creation(change)):
            case Created():
                return self._finish(change, answer)
            case Existing():
                return self._adopt_existing(change, answer)
            case Undecided(candidates=candidates):
                return undecided_creation(change.incident, candidates)
            case Foreign(live=live):
                return foreign_answer(change.incident, live)
            case KeyTaken(refusal=refusal):
                return taken_key(change.incident, refusal)
            case _:
                assert_never(answer)

    def _finish(self, change: Create | Pending, created: Created) -> Outcome:
        """Record a new incident and carry out the other steps of its change."""
        certain, work = created.certain, Completion(change.incident, created.live)
        own = creation(change).attributes
        wrong = self._record(work, change, is_found=not certain, is_new=True)
        _end_if_irreparable(work, own, change.incident.external_id)
        self._steps.correct(work, wrong)
        listed = LISTED - KEYED if certain else LISTED
        self._make_changes(work, after_creation(change.attributes), listed=listed, is_new=True)
        work.warnings += [
            *additions(work.live, own),
            *([may_have_existed(work.live)] if created.predates else []),
        ]
        return self._conclude(work, Applied(change.incident.key, work.live, True, *work.report()))

    def _adopt_existing(self, change: Create | Pending, found: Existing) -> Outcome:
        """Record the incident that an earlier request created and bring it up to date, except for what is
        left to people. It counts as created if this run or the one that died created it."""
        key, work = change.incident.key, Completion(change.incident, found.live)
        sent, is_new = found.sent.declared, found.ours_since
        wrong = self._record(work, change, sent=sent, is_found=not is_new, is_new=is_new)
        _end_if_irreparable(work, sent, found.sent.number)
        self._steps.correct(work, [each for each in wrong if each.attribute not in change.left_to_people])
        self._make_changes(work, _remaining_changes(change, work.live))
        if not found.ours_since:
            return self._conclude(work, Adopted(key, work.live, *work.report()))
        work.warnings += additions(work.live, creation(change).attributes)
        return self._conclude(work, Applied(key, work.live, True, *work.report()))

    def _conclude(self, work: Completion, outcome: Outcome) -> Outcome:
        """Record a change as complete if nothing of it is missing. Raises RunEnded if it was the last one."""
        live = work.live
        if not work.missing:
            self.journal.settled(work.incident.key, live.id, live.reference, plan_hash=self.plan_hash)
        if work.ending:
            raise RunEnded(outcome, work.ending)
        return outcome

    def _record(
        self,
        work: Completion,
        change: Create | Pending,
        *,
        is_found: bool,
        is_new: bool,
        sent: Attributes | None = None,
    ) -> list[FieldChange]:
        """Record the answer to a creation; return the differences that an edit may correct, and warn of those
        that it cannot. What differs is not recorded as declared, so that after a crash the next plan still
        sees it, unless it was `sent` (by default as it is declared now) and no edit would change it: a text
        that comes back in another form would do so again. An incident that `is_found` may have children that
        the state does not know."""
        key, live, own = change.incident.key, work.live, creation(change).attributes
        given = own if sent is None else sent
        wrong = [each for each in differences(live.attributes, readable(own)) if not _is_as_declared(each)]
        unset = [each.attribute for each in wrong if not _is_settled(each, given, is_new=is_new)]
        kept = without(own, *unset)
        with work.recording():
            self.journal.confirmed(
                key, CREATE, live=live, declared=kept, answered=live.attributes, is_found=is_found
            )
        correctable = [each for each in wrong if each.attribute in unset]
        uncorrected = [each for each in wrong if each not in correctable or each.attribute.is_create_only]
        work.warnings += [altered(each) for each in uncorrected]
        return correctable

    def _resume(self, change: Create | Pending, bound: Binding) -> Outcome:
        """Finish an incident that an earlier run of the same saved plan created."""
        key, location = change.incident.key, change.incident.location
        if not self.journal.is_created(key):
            what = f"'{key}' has been bound to {bound.reference} since: make a new plan and review it"
            return Failed(key, "stale-plan", what, "", location)
        live = self.api.incident(bound.incident_id)
        if live is None:
            what = f"{bound.reference} was created by an earlier run, but this API key cannot see it"
            return Failed(key, "not-visible", what, "", location)
        work = Completion(change.incident, live)
        _end_if_irreparable(work, {})
        known = self.journal.remembered(key)
        missing = differences(live.attributes, readable(creation(change).attributes))
        to_correct = [
            each
            for each in missing
            if each.attribute not in change.left_to_people and not _is_as_declared(each)
        ]
        left = [
            each
            for each in (*to_correct, *_remaining_changes(change, live))
            if not each.attribute.is_create_only
            and (each.attribute not in known or not same(known[each.attribute].declared, each.after))
        ]
        self._make_changes(work, left)
        if work.missing and not work.carried_out:
            return self._conclude(work, failure(work))
        return self._conclude(work, Applied(key, work.live, False, *work.report()))

    # -- the steps ---------------------------------------------------------------------------------------

    def _make_changes(
        self,
        work: Completion,
        changes: Collection[FieldChange],
        *,
        listed: frozenset[Field] = LISTED,
        is_new: bool = False,
    ) -> None:
        """Edit an incident and its children."""
        wanted = [replace(each, after=self._with_option(each.after)) for each in changes]
        self._steps.make(work, wanted)
        wanted_children = {each.attribute: each.after for each in wanted if isinstance(each.after, Child)}
        attributes = work.incident.attributes
        declared = {a: value for a, value in attributes.items() if isinstance(value, Child)}
        children = Children(
            api=self.api,
            journal=self.journal,
            sender=self._sender,
            now=self.now,
            wait=self.wait,
            work=work,
            declared=declared | wanted_children,
            is_new=is_new,
        )
        children.bring_up_to_date(wanted_children, listed=listed)

    @property
    def _steps(self) -> IncidentSteps:
        return IncidentSteps(self.api, self.journal, self._sender)

    @property
    def _sender(self) -> Sender:
        return Sender(self.journal, self.plan_hash, self.api.server_time, self.gate)

    def _with_options(self, attributes: Attributes) -> Attributes:
        """Replace the names of new options by the options that were created."""
        return {attribute: self._with_option(value) for attribute, value in attributes.items()}

    def _with_option(self, value: Value) -> Value:
        if not isinstance(value, tuple):
            return value
        return tuple(self.options[each] if isinstance(each, NewOption) else each for each in value)


def _end_if_irreparable(work: Completion, sent: Attributes, number: int | None = None) -> None:
    """End the run if an incident differs from what was sent in a way that no edit can correct: every further
    creation would have the same error."""
    live = work.live
    wrong = irreparable(live, sent, number)
    if wrong:
        error = Refused(f"{live.reference} (key '{work.incident.key}') {wrong}", code="not-as-asked")
        work.end(error, not_as_asked(work.incident, error))


def _is_done(done: frozenset[str], incident_id: str, change: FieldChange) -> bool:
    """Return whether a change was made, by the steps that the plan shows or by a later step of its child."""
    steps = {identity(each) for each in edit_steps(incident_id, [change])}
    return bool(steps) and (steps <= done or not done.isdisjoint(ends(change.attribute)))


def _remaining_changes(change: Create | Pending, live: LiveIncident) -> tuple[FieldChange, ...]:
    """Return the changes to make after a creation that the incident does not have yet. Children are looked up
    later, one by one; an existing value that is left to people is kept."""
    return tuple(
        each
        for each in after_creation(change.attributes)
        if each.attribute.is_child or not _has(live, each, change.left_to_people)
    )


def _has(live: LiveIncident, change: FieldChange, left_to_people: frozenset[Attribute]) -> bool:
    """Return whether an incident has the declared value, or any value if it is left to people."""
    current = live.attributes.get(change.attribute)
    return same(current, change.after) or (current is not None and change.attribute in left_to_people)


def _is_as_declared(change: FieldChange) -> bool:
    """Return whether an answer shows the declared value, perhaps in the account's form."""
    return is_same_form(change.before, change.after)


def _is_settled(change: FieldChange, sent: Attributes, *, is_new: bool) -> bool:
    """Return whether a difference to the answer stays as it is: no edit would change it, and what is declared
    was sent."""
    is_text = is_new and change.before is not None and isinstance(change.after, str | Link)
    stays = is_text or change.attribute.is_create_only
    return stays and same(sent.get(change.attribute), change.after)
