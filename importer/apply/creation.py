"""The creation of an incident -> the incident that it made, exactly once, whatever becomes of the answer.

A creation whose answer is lost is in doubt. It is looked for in the account; only if the account does not
show it, even after its lists had time to, the same bytes are sent again under the same idempotency key. The
journal, not the plan, holds what was sent: other content under a used key may make a second incident.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from importer.apply.answers import LIST_LAG, existed_before, irreparable, is_older
from importer.apply.rediscovery import Certain, Rediscovery, Sighting, Uncertain
from importer.apply.sending import IncidentWriter, Journal, Sender, is_certain
from importer.apply.sent_creation import SentCreation, sent_creation
from importer.model import Answer, LiveIncident, Unanswered
from importer.model.errors import ApiError, AuthenticationFailed, NoAnswer
from importer.model.steps import CREATE, CreateIncident
from importer.wire.requests import Request, request

_FINAL = (400, 409, 422)
"""Refusals that the same request always gets."""

_AGAIN = "run the same command again: it checks the account before it sends"

_RESENDINGS = 2
"""How often one run sends a creation in doubt again."""


@dataclass(frozen=True, slots=True)
class Created:
    """The incident that this request made. If that is not `certain`, a run whose state was lost may have made
    it a moment before: the times of the server are too coarse to tell. It `predates` the request if it came
    into being before the server's last answer, within what its clocks may differ by."""

    live: LiveIncident
    certain: bool = False
    predates: bool = False


@dataclass(frozen=True, slots=True)
class Existing:
    """The incident that an earlier request made, and what was `sent`. If it is `ours_since`, it came into
    being after the state recorded the first of these requests."""

    live: LiveIncident
    ours_since: bool
    sent: SentCreation


@dataclass(frozen=True, slots=True)
class Undecided:
    """Incidents that an earlier request may have made; only a person can tell."""

    candidates: tuple[LiveIncident, ...]


@dataclass(frozen=True, slots=True)
class Foreign:
    """The incident of another importer, which used the same idempotency key."""

    live: LiveIncident


@dataclass(frozen=True, slots=True)
class KeyTaken:
    """The server refused the idempotency key, and the account shows no incident that looks like the declared
    one: another importer used the key."""

    refusal: ApiError


Creation = Created | Existing | Undecided | Foreign | KeyTaken


@dataclass(frozen=True, slots=True)
class Creator:
    """Creates incidents, from any number of threads. `wait` waits for some seconds; `seen` has the IDs of the
    incidents that the account had when the plan was made, as far as they are known."""

    api: IncidentWriter
    journal: Journal
    sender: Sender
    rediscovery: Rediscovery
    now: Callable[[], datetime]
    wait: Callable[[float], None]
    seen: Collection[str] = ()

    def create(self, key: str, planned: CreateIncident) -> Creation:
        """Create an incident that the state does not bind. Raises ApiError if it is refused, and NoAnswer if
        it stays in doubt."""
        step = self._as_sent(key, planned)
        if step.sent_before is None:
            try:
                return self._send(key, step)
            except NoAnswer as lost:
                if is_certain(lost):
                    raise
                step = self._as_sent(key, planned)
            except ApiError as refusal:
                if is_certain(refusal):
                    raise
                return self._after_refusal(key, step, refusal)
        return self._settle(key, step)

    def _as_sent(self, key: str, planned: CreateIncident) -> CreateIncident:
        """Return the step, in doubt if the journal says so: then with the bytes and the key of the first
        sending, whatever the files say now."""
        doubt = self.journal.in_doubt(key, CREATE)
        if doubt is None:
            return replace(planned, sent_before=None)
        return replace(planned, idempotency_key=doubt.idempotency_key, sent_before=doubt)

    def _settle(self, key: str, step: CreateIncident) -> Creation:
        """Settle a creation in doubt, by looking and sending in turn; a look comes last."""
        for _ in range(_RESENDINGS):
            if found := self._look_twice(key, step):
                return found
            try:
                return self._send(key, step)
            except NoAnswer as lost:
                if is_certain(lost):
                    raise
            except AuthenticationFailed:
                raise
            except ApiError as refusal:
                return self._after_refusal(key, step, refusal)
        if found := self._look_twice(key, step):
            return found
        raise NoAnswer(
            "the creation was not answered, and the account does not show the incident", hint=_AGAIN
        )

    def _send(self, key: str, step: CreateIncident) -> Creation:
        """Send a creation and judge its answer, before another creation has its turn."""
        began, sent_at, sent = self.now(), self.api.server_time(), _sent(key, step)

        def carry_out(_: CreateIncident, prepared: Request) -> Creation:
            answer = self.api.create(step, prepared)
            made = self._from_answer(sent, step.sent_before, answer, began)
            wrong = irreparable(answer.live, sent.declared, sent.number)
            if wrong and isinstance(made, Created | Existing):
                self.sender.end_creations(step, f"{answer.live.reference} {wrong}")
            if isinstance(made, Created) and sent_at is not None:
                predates = answer.live.created_at < sent_at
                return replace(made, certain=not predates, predates=predates)
            return made

        found = self.sender.create(key, step, carry_out)
        if isinstance(found, Foreign):
            self.journal.failed(key, CREATE, detail=f"answered with {found.live.reference}")
        return found

    def _from_answer(
        self, sent: SentCreation, doubt: Unanswered | None, answer: Answer, began: datetime
    ) -> Creation:
        """Return what an answer shows: a new incident, one that an earlier request made, or another one."""
        if doubt and doubt.first_sent:
            is_earlier = is_older(answer.live, doubt.first_sent)
        else:
            is_known = doubt is None and answer.live.id in self.seen
            is_earlier = is_known or existed_before(answer, began, self.now(), name=sent.name)
        if doubt is None and not is_earlier:
            return Created(answer.live)
        if sent.resembles(answer.live, self.rediscovery.marker):
            return Existing(answer.live, not is_earlier, sent)
        if not is_earlier:  # somebody may have renamed it since
            return Undecided((answer.live,))
        return Foreign(answer.live)

    def _after_refusal(self, key: str, step: CreateIncident, refusal: ApiError) -> Creation:
        """Settle a creation that was refused although an earlier request may have made it: its number is
        taken, or its idempotency key is known."""
        found = self._look(key, step) or (None if is_certain(refusal) else self._look_everywhere(key, step))
        if found:
            return found
        if step.sent_before is None:  # a refusal, and nothing came into being
            self.journal.failed(key, CREATE, detail=refusal.summary)
            return KeyTaken(refusal)
        forget = shlex.join(["importer", "state", "forget", key])
        raise NoAnswer(
            f"an earlier request was not answered, and this one was refused ({refusal.summary})",
            hint=f"if the account does not have the incident, run: {forget}"
            if refusal.status in _FINAL
            else _AGAIN,
        )

    def _look_twice(self, key: str, step: CreateIncident) -> Creation | None:
        """Look for an incident, and again after the account's lists had time to show it."""
        found = self._look(key, step)
        if found is None:
            self.wait(LIST_LAG)
            found = self._look(key, step)
        return found

    def _look_everywhere(self, key: str, step: CreateIncident) -> Creation | None:
        """Look at the whole account, after its lists had time to show what is new."""
        self.wait(LIST_LAG)
        return self._look_with(self.rediscovery.look_everywhere, key, step)

    def _look(self, key: str, step: CreateIncident) -> Creation | None:
        return self._look_with(self.rediscovery.look, key, step)

    def _look_with(
        self, look: Callable[[SentCreation, Unanswered], Sighting], key: str, step: CreateIncident
    ) -> Creation | None:
        """Return what a look shows. Raises NoAnswer if it is refused: the creation is still in doubt."""
        sent = _sent(key, step)
        doubt = self.journal.in_doubt(key, CREATE) or Unanswered(step.idempotency_key)
        try:
            return _creation(look(sent, doubt), sent, doubt)
        except ApiError as refusal:
            what = f"the creation was not answered, and a look at the account was refused: {refusal.summary}"
            raise NoAnswer(what, hint=_AGAIN) from refusal


def _creation(sighting: Sighting, sent: SentCreation, doubt: Unanswered) -> Creation | None:
    match sighting:
        case Certain(live=live):
            return Existing(live, doubt.precedes(live.created_at), sent)
        case Uncertain(candidates=candidates):
            return Undecided(candidates)
        case None:
            return None
        case _:
            assert_never(sighting)


def _sent(key: str, step: CreateIncident) -> SentCreation:
    return sent_creation(key, request(step).body)
