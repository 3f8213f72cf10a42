"""The children that an incident should have -> its children in the account, each exactly once.

No creation is repeated blindly after a lost answer, since it may have no idempotency key, or the server may
have forgotten it: the account is looked at first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from importer.apply.answers import LIST_LAG
from importer.apply.completion import Completion, not_permitted
from importer.apply.sending import IncidentWriter, Journal, ProvenIncident, Sender, is_certain
from importer.model import (
    Attribute,
    Child,
    ChildHistory,
    Entity,
    Field,
    FollowUp,
    LiveChild,
    LiveIncident,
    Remembered,
)
from importer.model.errors import ApiError, AuthenticationFailed, Interrupted, NoAnswer, NotAvailable
from importer.model.normalise import by_label
from importer.model.steps import CreateChild, EditChild, SetChildStatus, child_name, identity
from importer.plan.child_forms import adapted
from importer.plan.differences import same
from importer.plan.recognition import other_postmortems, recognise
from importer.plan.steps import child_creation, child_edits, without_status

LISTED = frozenset({Field.TIMELINE, Field.STATUS_PAGE, Field.FOLLOW_UP, Field.ATTACHMENT, Field.POSTMORTEM})
"""The kinds that are listed before one is created; the API does not list memberships."""
KEYED = frozenset({Field.TIMELINE, Field.STATUS_PAGE})
"""The kinds with an idempotency key; in a new incident they need not be listed first."""

_QUIET = timedelta(minutes=1)
"""How long a child without an idempotency key is not sent again after a lost answer."""
_TRIES = 3


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the account shows: the children that are wanted, and a post-mortem in place of one."""

    recognised: Mapping[Attribute, LiveChild]
    others: Mapping[Attribute, LiveChild]


@dataclass(frozen=True, slots=True)
class Children:
    """Brings the children of one incident up to date, step by step; what cannot be is noted as missing.
    `declared` has all that it should have, `wait` waits for some seconds. What an incident that `is_new` has
    already, an importer made."""

    api: IncidentWriter
    journal: Journal
    sender: Sender
    now: Callable[[], datetime]
    wait: Callable[[float], None]
    work: Completion
    declared: Mapping[Attribute, Child]
    is_new: bool = False

    @property
    def key(self) -> str:
        return self.work.incident.key

    @property
    def live(self) -> LiveIncident:
        return self.work.live

    def bring_up_to_date(self, wanted: Mapping[Attribute, Child], *, listed: frozenset[Field]) -> None:
        """Create what is missing and edit what differs. Of a kind that cannot be listed, nothing is sent."""
        known, doubtful = self.journal.remembered(self.key), self.journal.history(self.key).sent
        for kind, attributes in groupby(sorted(wanted, key=by_label), lambda attribute: attribute.field):
            these = {each: wanted[each] for each in attributes}
            if self.work.skips(these):
                continue
            is_doubtful = kind in LISTED and any(child_name(each) in doubtful for each in these)
            shown = _Shown({}, {})
            if kind in listed or is_doubtful:
                with self._attempt(these):
                    shown = self._look_first(kind)
                if self.work.has_missed(these):
                    continue
            for each, value in these.items():
                if self.work.skips([each]):
                    continue
                with self._attempt([each]):
                    self._bring_one_up_to_date(each, value, known.get(each), shown)

    def _look_first(self, kind: Field) -> _Shown:
        """Look before anything is sent. Raises NotAvailable if the account does not list the kind."""
        try:
            return self._look(kind)
        except (ApiError, NoAnswer) as error:
            if isinstance(error, AuthenticationFailed) or not error.was_sent:
                raise
            raise NotAvailable(
                "the account did not list them", hint=error.hint, detail=error.summary
            ) from error

    @contextmanager
    def _attempt(self, attributes: Collection[Attribute]) -> Iterator[None]:
        """Note that children are missing if the account refuses them. A role that the key lacks for them does
        not end the run."""
        with self.work.attempt(attributes):
            try:
                yield
            except AuthenticationFailed as refusal:
                raise not_permitted(refusal) from refusal

    def _bring_one_up_to_date(
        self, attribute: Attribute, value: Child, known: Remembered | None, shown: _Shown
    ) -> None:
        """Bring one child up to date, or note that the API cannot."""
        child, wanted = shown.recognised.get(attribute) or _remembered(attribute, known), value
        what, steps = attribute.field.value, tuple[EditChild | SetChildStatus, ...]()
        if child is not None and child.is_foreign:
            return  # it is exactly as declared, and stays theirs
        if child is None:
            if attribute in shown.others:
                self.work.miss(attribute, "not-changeable", f"another {what} is there, and was left alone")
                return
            if known and attribute.field in LISTED:
                summary = f"the account does not show {what} that importer created: nothing was sent"
                self.work.miss(attribute, "not-found", summary)
                return
            child, steps = self._create_and_record(attribute, value)
            wanted = without_status(value)
        if not same(child.value, wanted):
            steps = child_edits(attribute, value, before=child.value, child_id=child.id)
            if not steps:
                self.work.miss(attribute, "not-changeable", f"{what} differ, and the API cannot change them")
                return
        answered, step_name = child.value, child_name(attribute)
        for step in steps:
            self._send(step)
            answered, step_name = step.value, identity(step)
        # The child exists, so its creation is no longer in doubt either.
        self._confirm(value, replace(child, value=answered), {step_name, child_name(attribute)}, attribute)

    def _send(self, step: EditChild | SetChildStatus) -> None:
        self.sender.send(ProvenIncident(self.key, self.live.id), step, self.api.change)
        self.work.carried_out += 1

    def _create_and_record(
        self, attribute: Attribute, value: Child
    ) -> tuple[LiveChild, tuple[EditChild | SetChildStatus, ...]]:
        """Create a child and record it; return it with the remaining steps."""
        step, rest = child_creation(self.live.id, attribute, value)
        made = self._create(step)
        self.work.carried_out += 1
        child = replace(made, value=adapted(made.value, value))
        if rest:  # after a crash here, the next plan must still see the status
            self._confirm(without_status(value), child, {identity(step)}, attribute)
        return child, tuple(_after_creation(each, child) for each in rest)

    def _create(self, step: CreateChild) -> LiveChild:
        """Create a child once. A creation in doubt is looked for first, and again after each lost answer. If
        it is not found, it is sent again only with an idempotency key; without one, a later apply does so."""
        found = self._look_for_doubtful(step)
        tries = _TRIES if step.attribute.field in KEYED else 1
        while found is None:
            tries -= 1
            doubt = self.journal.in_doubt(self.key, identity(step))
            try:
                again = replace(step, sent_before=doubt)
                proven = ProvenIncident(self.key, self.live.id)
                return self.sender.send(proven, again, self.api.create_child)
            except (NoAnswer, ApiError) as error:
                if step.attribute.field not in LISTED or is_certain(error):
                    raise
                found = self._look_twice(step, error)
                if found is None and not tries:
                    what = f"{step.attribute.label}: {error.summary}, and the account does not list it"
                    raise NoAnswer(what, hint=error.hint) from error
        return found

    def _look_for_doubtful(self, step: CreateChild) -> LiveChild | None:
        """Look again for a child that was sent a moment ago and that a list did not show. Raises NoAnswer if
        it has no idempotency key and was sent less than a minute ago."""
        sent = self.journal.history(self.key).sent.get(identity(step))
        if sent is None or step.attribute.field not in LISTED:
            return None
        passed = self.now() - sent.at
        if step.attribute.field not in KEYED and passed < _QUIET:
            raise NoAnswer(
                f"{step.attribute.label} was sent less than a minute ago, and the account does not list it",
                hint="Run the same command again after a minute: it checks the account before it sends.",
            )
        if passed >= timedelta(seconds=LIST_LAG):
            return None
        self.wait(LIST_LAG)
        return self._find(step)

    def _look_twice(self, step: CreateChild, lost: NoAnswer | ApiError) -> LiveChild | None:
        """Look for a child after a lost answer. Raises that error if the account cannot be looked at: the end
        of the run, such as Ctrl-C, must not hide that the child was sent."""
        try:
            found = self._find(step)
            if found is None:
                self.wait(LIST_LAG)
                found = self._find(step)
        except (NotAvailable, ApiError, NoAnswer, Interrupted):
            raise lost from None
        return found

    def _find(self, step: CreateChild) -> LiveChild | None:
        found = self._look(step.attribute.field).recognised.get(step.attribute)
        return None if found is None or found.is_foreign else found

    def _look(self, kind: Field) -> _Shown:
        """List the children of one kind, and recognise the declared ones."""
        known, history = self.journal.remembered(self.key), self.journal.history(self.key)
        history = replace(history, is_whole=history.is_whole and not self.is_new)
        declared = {each: value for each, value in self.declared.items() if each.field is kind}
        listed = tuple(self._listed(kind, declared, known, history))
        recognised = recognise(declared, listed, known=known, history=history)
        return _Shown(recognised, other_postmortems(declared, listed, recognised))

    def _listed(
        self,
        kind: Field,
        declared: Iterable[Attribute],
        known: Mapping[Attribute, Remembered],
        history: ChildHistory,
    ) -> Iterator[LiveChild]:
        """Yield the children that the account lists. A status page, which may be long, is not listed for an
        incident that is certain not to be on it, nor for one whose ID is known."""
        if kind is not Field.STATUS_PAGE:
            yield from self.api.children(self.live.id, frozenset({kind}))
            return
        for attribute in declared:
            is_sent = attribute in known or child_name(attribute) in history.sent
            is_identified = attribute in known and known[attribute].child_id
            if isinstance(attribute.key, Entity) and not is_identified and (is_sent or not history.is_whole):
                for each in self.api.status_page_incidents(attribute.key):
                    if self.journal.child_owner(each.id) in (None, self.key):
                        yield each

    def _confirm(self, declared: Child, child: LiveChild, steps: Iterable[str], attribute: Attribute) -> None:
        self.journal.confirmed(
            self.key,
            *steps,
            live=self.live,
            declared={attribute: declared},
            answered={attribute: child.value},
            child_ids={attribute: child.id} if child.id else {},
        )


def _remembered(attribute: Attribute, known: Remembered | None) -> LiveChild | None:
    """Return a child whose ID is known, which needs no list."""
    if known is None or known.child_id is None or not isinstance(known.answered, Child):
        return None
    return LiveChild(known.child_id, attribute, known.answered)


def _after_creation(step: SetChildStatus, child: LiveChild) -> SetChildStatus:
    """Return the first status of a child, with what the account set at the creation."""
    value = step.value
    if isinstance(value, FollowUp) and isinstance(child.value, FollowUp):
        set_by_account = child.value
        value = replace(
            value,
            team=set_by_account.team,
            priority=set_by_account.priority,
            category=set_by_account.category,
        )
    return replace(step, child_id=child.id, value=value)
