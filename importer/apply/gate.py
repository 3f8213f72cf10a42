"""Requests of many threads -> the first of each kind alone: what is refused to it is refused once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from importer.model.errors import ApiError, AuthenticationFailed, Interrupted, NotAvailable

_REFUSES_ALL = (403, 405, 410)
"""Statuses that every request of the kind gets: the key may not send it, or the API no longer has it. A 404
is not one of them, as it may concern a single incident, for instance one that the key cannot see; a kind that
the account lacks is noticed when it is listed, before anything is sent."""


class FirstRequestGate:
    """Lets one request of a kind go at a time until the key is known to be permitted to send it. Once a kind
    is refused as such, no other request of it is sent. Once `stop` is set, what waits is not sent either."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._turn = threading.Condition()
        self._open: set[str] = set()
        self._busy: set[str] = set()
        self._refused: dict[str, ApiError | NotAvailable] = {}

    @contextmanager
    def turn(self, kind: str) -> Iterator[None]:
        """Wait for the turn of a request of this kind; requests of one kind need the same permission. Raises
        NotAvailable if it must not be sent, and Interrupted if the run was stopped meanwhile."""
        is_alone = self._wait(kind)
        try:
            yield
        except (ApiError, NotAvailable) as error:
            self._note_refusal(kind, error)
            raise
        else:
            self._open.add(kind)
        finally:
            if is_alone:
                with self._turn:
                    self._busy.discard(kind)
                    self._turn.notify_all()

    def close(self, kind: str, why: NotAvailable) -> None:
        """Send no other request of a kind, because of what an accepted one has led to. Called before its turn
        is over, this also stops those that wait."""
        self._refused[kind] = why

    def _wait(self, kind: str) -> bool:
        """Wait for the turn, and return whether the request goes alone."""
        with self._turn:
            has_waited = kind in self._busy
            self._turn.wait_for(lambda: kind not in self._busy)
            refusal = self._refused.get(kind)
            if refusal:
                raise _not_sent(refusal)
            if has_waited and self._stop.is_set():
                raise Interrupted(
                    "the run was stopped while a request was waiting for its turn", was_sent=False
                )
            is_alone = kind not in self._open
            if is_alone:
                self._busy.add(kind)
            return is_alone

    def _note_refusal(self, kind: str, error: ApiError | NotAvailable) -> None:
        if isinstance(error, AuthenticationFailed) or error.status in _REFUSES_ALL:
            self._refused[kind] = error
        elif error.status == HTTPStatus.UNPROCESSABLE_ENTITY:  # it looked at the content
            self._open.add(kind)


def _not_sent(refusal: ApiError | NotAvailable) -> NotAvailable:
    """Return the error of a request that is not sent because of the refusal of another one."""
    is_reason = isinstance(refusal, NotAvailable)
    summary = refusal.summary if is_reason else f"the first request was refused: {refusal.summary}"
    return NotAvailable(summary, hint=refusal.hint, status=refusal.status, was_sent=False)
