"""One change of a plan -> its requests in order, each recorded before and after -> an Outcome.

Every request is safe to repeat, or is preceded by a look: a creation carries its idempotency key, an edit
sets values, and a child without a key of its own is listed before it is created and after a doubtful answer.
What the journal binds is never created again, since nobody knows how long the server remembers a key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar, assert_never

from importer.apply.answers import came_back, irreparable, left_out, readable, unasked, was_there_before
from importer.model import (
    Adopt,
    Adopted,
    Answer,
    Applied,
    Attribute,
    Attributes,
    Binding,
    Blocked,
    Change,
    Create,
    Diagnostic,
    Entity,
    Failed,
    Field,
    FieldChange,
    Incident,
    LiveChild,
    LiveIncident,
    NewOption,
    NoOp,
    Outcome,
    Pending,
    Remembered,
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
    NotAvailable,
    Refused,
)
from importer.model.identity import child_key
from importer.model.normalise import several
from importer.plan.differences import differences, same, without
from importer.state.ledger import CREATE

EDIT = "edit"
_CONFLICT = 409
"""The one refusal that leaves doubt: the same idempotency key may be at work at this moment."""

_KEYED_CHILDREN = frozenset({Field.TIMELINE, Field.STATUS_PAGE})
_LISTED_CHILDREN = frozenset(
    {Field.TIMELINE, Field.STATUS_PAGE, Field.FOLLOW_UP, Field.ATTACHMENT, Field.POSTMORTEM}
)
T = TypeVar("T")


class Api(Protocol):
    """What applying a change asks of the account. Errors are ApiError, NoAnswer and Interrupted."""

    def create(self, attributes: Attributes, *, idempotency_key: str, external_id: int | None) -> Answer: ...

    def incident(self, id_or_number: str) -> LiveIncident | None: ...

    def edit(self, incident_id: str, attributes: Attributes) -> LiveIncident: ...

    def attach_postmortem_url(self, incident_id: str, url: str) -> None: ...

    def children(self, incident_id: str, fields: frozenset[Field]) -> tuple[LiveChild, ...]: ...

    def create_child(
        self, incident_id: str, attribute: Attribute, value: Value, *, idempotency_key: str
    ) -> LiveChild: ...

    def update_child(
        self, incident_id: str, child_id: str, attribute: Attribute, value: Value
    ) -> LiveChild: ...


class Journal(Protocol):
    """What applying a change looks up and records; each record is durable when the call returns, but for
    `settled`."""

    def binding(self, key: str) -> Binding | None: ...

    def unanswered(self, key: str) -> str | None: ...

    def is_created(self, key: str) -> bool: ...

    def remembered(self, key: str) -> Mapping[Attribute, Remembered]: ...

    def sending(self, key: str, step: str, *, idempotency_key: str | None, plan_hash: str) -> None: ...

    def confirmed(
        self, key: str, step: str, *, live: LiveIncident, declared: Attributes, answered: Attributes
    ) -> None: ...

    def failed(self, key: str, step: str, *, detail: str) -> None: ...

    def settled(self, key: str, incident_id: str, reference: str, *, plan_hash: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Execution:
    """Carries out changes, from any number of threads. `find` looks for the incident of a creation that was
    answered with a conflict; `plan_hash` is a saved plan's, or empty."""

    api: Api
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
        incident = change.incident
        try:
            match change:
                case Create() | Pending():
                    return self._create(change)
                case Update():
                    live, warnings = self._change(change.live, incident.key, change.changes)
                    outcome: Outcome = Applied(incident.key, live, created=False, warnings=warnings)
                case Adopt():
                    live, warnings = self._change(change.live, incident.key, change.changes)
                    outcome = Adopted(incident.key, live, warnings)
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
        self._settle(incident.key, live.id, live.reference)
        return outcome

    def _create(self, change: Create | Pending) -> Outcome:
        bound = self.journal.binding(change.incident.key)
        if bound:
            return self._go_on(change, bound)
        key, declared = change.incident.key, self._with_options(change.attributes)
        own = {attribute: value for attribute, value in declared.items() if not attribute.is_child}
        began = self.now()
        try:
            answer = self._send_creation(change, own)
        except ApiError as refusal:
            found = self.find(change.incident, own) if refusal.status == 409 else None
            if found is None:
                raise
            return self._take_up(change, found, declared)
        live = answer.live
        was_there = was_there_before(answer, began, self.now(), own)
        missing = differences(live.attributes, readable(own))
        editable = tuple(each for each in missing if not each.attribute.is_create_only)
        # What is still to be edited is not written down as answered: a crash now must leave it to be seen.
        kept = without(own, *(each.attribute for each in editable))
        self.journal.confirmed(key, CREATE, live=live, declared=kept, answered=live.attributes)
        if not was_there:
            _refuse_to_go_on(live, own, change.incident)
        looked_at = _LISTED_CHILDREN if was_there else _LISTED_CHILDREN - _KEYED_CHILDREN
        theirs = change.left_to_people if was_there else ()
        edits = tuple(each for each in editable if each.attribute not in theirs)
        live, warnings = self._change(live, key, edits + _children_of(declared), looked_at=looked_at)
        warnings += tuple(came_back(each) for each in missing if each.attribute.is_create_only)
        self._settle(key, live.id, live.reference)
        if was_there and isinstance(change, Create):
            return Adopted(key, live, warnings)
        return Applied(key, live, created=True, warnings=warnings + unasked(live, own))

    def _take_up(self, change: Create | Pending, live: LiveIncident, declared: Attributes) -> Outcome:
        """Bind the incident that a conflict was about: it has all that was sent, children are looked up."""
        key = change.incident.key
        own = {attribute: value for attribute, value in declared.items() if not attribute.is_child}
        self.journal.confirmed(key, CREATE, live=live, declared=own, answered=live.attributes)
        live, warnings = self._change(live, key, _children_of(declared))
        self._settle(key, live.id, live.reference)
        return Adopted(key, live, warnings)

    def _send_creation(self, change: Create | Pending, own: Attributes) -> Answer:
        """Send a creation. One that was sent before and never answered is sent with the same key again, and
        a refusal does not end that doubt: it says nothing of what became of the first."""
        key, external_id = change.incident.key, change.incident.external_id
        sent_with = self.journal.unanswered(key)
        once = sent_with or change.idempotency_key
        send = self._record_and if sent_with else self._send
        return send(
            key, CREATE, once, lambda: self.api.create(own, idempotency_key=once, external_id=external_id)
        )

    def _go_on(self, change: Create | Pending, bound: Binding) -> Outcome:
        """Bring up to date what an earlier run of the same saved plan created and did not end."""
        key, location = change.incident.key, change.incident.location
        if not self.journal.is_created(key):
            what = f"'{key}' is {bound.reference} since the plan was made: make a new plan and review that"
            return Failed(key, "stale-plan", what, "", location)
        live = self.api.incident(bound.incident_id)
        if live is None:
            what = f"{bound.reference} was created by an earlier run, and this API key does not see it"
            return Failed(key, "not-visible", what, "", location)
        declared = self._with_options(change.attributes)
        known = self.journal.remembered(key)
        missing = differences(
            live.attributes, readable({a: v for a, v in declared.items() if not a.is_child})
        )
        left = tuple(
            each
            for each in missing + _children_of(declared)
            if not each.attribute.is_create_only
            and (each.attribute not in known or not same(known[each.attribute].declared, each.after))
        )
        live, warnings = self._change(live, key, left)
        self._settle(key, live.id, live.reference)
        return Applied(key, live, created=False, warnings=warnings)

    def _change(
        self,
        live: LiveIncident,
        key: str,
        changes: tuple[FieldChange, ...],
        *,
        looked_at: frozenset[Field] = _LISTED_CHILDREN,
    ) -> tuple[LiveIncident, tuple[Diagnostic, ...]]:
        """Edit an incident and bring its children up to date; return it as the account then shows it."""
        wanted = self._with_options({each.attribute: each.after for each in changes})
        children = {attribute: value for attribute, value in wanted.items() if attribute.is_child}
        url = wanted.get(Attribute(Field.POSTMORTEM_URL))
        edited = {a: v for a, v in wanted.items() if not a.is_child and a.field is not Field.POSTMORTEM_URL}
        warnings: tuple[Diagnostic, ...] = ()
        if edited:
            live = self._send(key, EDIT, None, lambda: self.api.edit(live.id, edited))
            self.journal.confirmed(key, EDIT, live=live, declared=edited, answered=live.attributes)
            warnings = tuple(came_back(each) for each in differences(live.attributes, readable(edited)))
        if isinstance(url, str):
            live = self._attach(live, key, url)
        if children:
            warnings += self._children(live, key, children, looked_at=looked_at)
        return live, warnings

    def _attach(self, live: LiveIncident, key: str, url: str) -> LiveIncident:
        """Attach the link to a post-mortem, and read back what the account made of it."""
        attribute = Attribute(Field.POSTMORTEM_URL)
        self._send(key, attribute.label, None, lambda: self.api.attach_postmortem_url(live.id, url))
        seen = self.api.incident(live.id) or live
        self.journal.confirmed(
            key, attribute.label, live=seen, declared={attribute: url}, answered=seen.attributes
        )
        return seen

    def _children(
        self, live: LiveIncident, key: str, wanted: Attributes, *, looked_at: frozenset[Field]
    ) -> tuple[Diagnostic, ...]:
        warnings: list[Diagnostic] = []
        for kind in sorted({attribute.field for attribute in wanted}):
            of_kind = {attribute: value for attribute, value in wanted.items() if attribute.field is kind}
            try:
                known = self._listed(live, frozenset({kind}) & looked_at)
                for attribute, value in of_kind.items():
                    warnings += self._child(live, key, attribute, value, known.get(attribute))
            except NotAvailable as error:
                what = f"this account's API has no {kind.value}: they were left out"
                warnings.append(left_out(what, live, error))
        return tuple(warnings)

    def _child(
        self, live: LiveIncident, key: str, attribute: Attribute, value: Value, known: LiveChild | None
    ) -> tuple[Diagnostic, ...]:
        """Create a child or bring it up to date; return a warning where the API cannot change it."""
        child = known or self._create_child(live, key, attribute, value)
        if not same(child.value, value):
            try:
                child = self._update_child(live, key, child, value)
            except NotAvailable as error:
                what = f"{attribute.field.value} differ from the files, and the API cannot change them"
                return (left_out(what, live, error),)
        self.journal.confirmed(
            key, attribute.label, live=live, declared={attribute: value}, answered={attribute: child.value}
        )
        return ()

    def _listed(self, live: LiveIncident, fields: frozenset[Field]) -> dict[Attribute, LiveChild]:
        found = self.api.children(live.id, fields) if fields else ()
        return {each.attribute: each for each in found}

    def _create_child(self, live: LiveIncident, key: str, attribute: Attribute, value: Value) -> LiveChild:
        """Create a child once. After a doubtful answer a look decides; where it shows nothing, the next
        apply looks again, since a list may lag behind."""
        once = child_key(parent=live.id, label=attribute.label)
        try:
            return self._send(
                key,
                attribute.label,
                once,
                lambda: self.api.create_child(live.id, attribute, value, idempotency_key=once),
            )
        except NoAnswer:
            if attribute.field not in _LISTED_CHILDREN:
                raise
            found = self._listed(live, frozenset({attribute.field})).get(attribute)
            if found is None:
                raise
            return found

    def _update_child(self, live: LiveIncident, key: str, child: LiveChild, value: Value) -> LiveChild:
        return self._send(
            key,
            child.attribute.label,
            None,
            lambda: self.api.update_child(live.id, child.id, child.attribute, value),
        )

    def _send(self, key: str, step: str, idempotency_key: str | None, request: Callable[[], T]) -> T:
        """Record that a request leaves, send it, and record a refusal. What nobody answered stays sent."""
        try:
            return self._record_and(key, step, idempotency_key, request)
        except (ApiError, NotAvailable) as error:
            if _is_certain(error):
                self.journal.failed(key, step, detail=error.summary)
            raise

    def _record_and(self, key: str, step: str, idempotency_key: str | None, request: Callable[[], T]) -> T:
        self.journal.sending(key, step, idempotency_key=idempotency_key, plan_hash=self.plan_hash)
        return request()

    def _settle(self, key: str, incident_id: str, reference: str) -> None:
        self.journal.settled(key, incident_id, reference, plan_hash=self.plan_hash)

    def _note_unchanged(self, change: NoOp) -> None:
        """Bind what is ours and as declared. A key that is the incident's own ID, as after a pull, is no
        proof that it is ours: to bind it would allow edits that nobody agreed to."""
        key = change.incident.key
        if change.incident_id != key or self.journal.binding(key):
            self._settle(key, change.incident_id, change.reference)

    def _with_options(self, attributes: Attributes) -> Attributes:
        """Put the options that were created meanwhile in the place of their names."""
        return {attribute: self._with_option(value) for attribute, value in attributes.items()}

    def _with_option(self, value: Value) -> Value:
        if not isinstance(value, tuple):
            return value
        return several(self.options[each] if isinstance(each, NewOption) else each for each in value)


def _children_of(declared: Attributes) -> tuple[FieldChange, ...]:
    return tuple(FieldChange(a, None, value) for a, value in declared.items() if a.is_child)


def _refuse_to_go_on(live: LiveIncident, sent: Attributes, incident: Incident) -> None:
    wrong = irreparable(live, sent, incident.external_id)
    if wrong:
        raise Refused(f"{live.reference} (key '{incident.key}') {wrong}", code="not-as-asked")


def _is_certain(error: ApiError | NotAvailable) -> bool:
    """Whether a refusal says that nothing was carried out."""
    return isinstance(error, NotAvailable) or (error.status < 500 and error.status != _CONFLICT)


def _not_done(change: Change, error: ImporterError) -> Outcome:
    """Tell a refusal from doubt: only an answer below 500 says that nothing was carried out."""
    key, location = change.incident.key, change.incident.location
    if isinstance(error, ApiError) and error.status < 500:
        return Failed(key, error.code, error.summary, error.request_id, location)
    return Unknown(key, error.summary, location)
