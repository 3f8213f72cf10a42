"""Requests of many threads -> the first of each sort alone: what is refused to it is refused once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from importer.model.errors import ApiError, AuthenticationFailed, NotAvailable


class FirstAlone:
    """Lets one request of a sort go at a time until one of them is accepted. Once the key's permission for a
    sort is refused, no other request of the sort is sent."""

    def __init__(self) -> None:
        self._turn = threading.Condition()
        self._open: set[str] = set()
        self._busy: set[str] = set()
        self._refused: dict[str, ApiError] = {}

    @contextmanager
    def turn(self, sort: str) -> Iterator[None]:
        """Wait for the turn of a request of this sort. Raises NotAvailable if it must not be sent."""
        with self._turn:
            self._turn.wait_for(lambda: sort not in self._busy)
            refusal = self._refused.get(sort)
            if refusal:
                error = NotAvailable(f"the first was refused: {refusal.summary}", hint=refusal.hint)
                error.was_sent = False
                raise error
            is_alone = sort not in self._open
            if is_alone:
                self._busy.add(sort)
        try:
            yield
        except AuthenticationFailed as refusal:
            self._refused[sort] = refusal
            raise
        else:
            self._open.add(sort)
        finally:
            if is_alone:
                with self._turn:
                    self._busy.discard(sort)
                    self._turn.notify_all()
