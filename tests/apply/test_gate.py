"""The first request of each sort goes alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from importer.apply.gate import FirstAlone
from importer.model.errors import ApiError, AuthenticationFailed, NotAvailable

FORBIDDEN = AuthenticationFailed(status=403, code="missing_required_scope", message="no", hint="a new key")
INVALID = ApiError(status=422, code="is_required", message="no")


def run_at_once(gate: FirstAlone, requests: list[tuple[str, Callable[[], None]]]) -> list[type | None]:
    """Send requests of many threads at once, and return the errors."""

    def send(sort: str, act: Callable[[], None]) -> type | None:
        try:
            with gate.turn(sort):
                act()
        except (ApiError, NotAvailable) as error:
            return type(error)
        return None

    with ThreadPoolExecutor(len(requests)) as pool:
        return [each.result() for each in [pool.submit(send, *request) for request in requests]]


class Counted:
    """Counts the requests, and how many of them were under way at most."""

    def __init__(self, *errors: ApiError | None) -> None:
        self.errors = list(errors)
        self.count = 0
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()

    def __call__(self) -> None:
        with self._lock:
            self.count += 1
            self._now += 1
            self.most = max(self.most, self._now)
            error = self.errors.pop(0) if self.errors else None
        threading.Event().wait(0.02)
        with self._lock:
            self._now -= 1
        if error:
            raise error


def test_what_a_key_may_not_do_is_refused_once_not_eight_times() -> None:
    act = Counted(*[FORBIDDEN] * 8)
    found = run_at_once(FirstAlone(), [("create", act)] * 8)
    assert act.count == 1
    assert sorted(each.__name__ for each in found if each) == ["AuthenticationFailed", *["NotAvailable"] * 7]


def test_a_request_that_waited_in_vain_was_not_sent_and_names_the_refusal() -> None:
    gate = FirstAlone()
    with pytest.raises(AuthenticationFailed), gate.turn("edit"):
        raise FORBIDDEN
    with pytest.raises(NotAvailable, match="the first was refused: 403") as error, gate.turn("edit"):
        raise AssertionError
    assert (error.value.was_sent, error.value.hint) == (False, "a new key")


def test_they_go_alone_until_one_is_accepted_and_then_together() -> None:
    gate, first, rest = FirstAlone(), Counted(INVALID, INVALID, None), Counted()
    assert run_at_once(gate, [("create", first)] * 3).count(None) == 1
    assert (first.count, first.most) == (3, 1)
    assert run_at_once(gate, [("create", rest)] * 4) == [None] * 4
    assert rest.most > 1


def test_another_sort_does_not_wait() -> None:
    gate, other = FirstAlone(), Counted()
    with gate.turn("create"):
        assert run_at_once(gate, [("follow_ups", other)]) == [None]
