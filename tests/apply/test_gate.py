"""The first request of each kind goes alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from importer.apply.gate import FirstRequestGate
from importer.model.errors import ApiError, AuthenticationFailed, ImporterError, Interrupted, NotAvailable

FORBIDDEN = AuthenticationFailed(status=403, code="missing_required_scope", message="no", hint="a new key")
INVALID = ApiError(status=422, code="is_required", message="no")
NOT_FOUND = ApiError(status=404, code="not_found", message="no")


def run_at_once(gate: FirstRequestGate, requests: list[tuple[str, Callable[[], None]]]) -> list[type | None]:
    """Send requests of many threads at once, and return the errors."""

    def send(kind: str, act: Callable[[], None]) -> type | None:
        try:
            with gate.turn(kind):
                act()
        except ImporterError as error:
            return type(error)
        return None

    with ThreadPoolExecutor(len(requests)) as pool:
        return [each.result() for each in [pool.submit(send, *request) for request in requests]]


class Counted:
    """Counts the requests, and how many of them were under way at most."""

    def __init__(self, *errors: ImporterError | None) -> None:
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
    found = run_at_once(FirstRequestGate(threading.Event()), [("create", act)] * 8)
    assert act.count == 1
    assert sorted(each.__name__ for each in found if each) == ["AuthenticationFailed", *["NotAvailable"] * 7]


def test_a_request_that_waited_in_vain_was_not_sent_and_names_the_refusal() -> None:
    gate = FirstRequestGate(threading.Event())
    with pytest.raises(AuthenticationFailed), gate.turn("edit"):
        raise FORBIDDEN
    with pytest.raises(NotAvailable, match="the first request was refused: 403") as error, gate.turn("edit"):
        raise AssertionError
    assert (error.value.was_sent, error.value.hint) == (False, "a new key")


def test_they_go_alone_until_one_is_accepted_and_then_together() -> None:
    gate, first, rest = FirstRequestGate(threading.Event()), Counted(NOT_FOUND, NOT_FOUND, None), Counted()
    assert run_at_once(gate, [("create", first)] * 3).count(None) == 1
    assert (first.count, first.most) == (3, 1)
    assert run_at_once(gate, [("create", rest)] * 4) == [None] * 4
    assert rest.most > 1


def test_a_refusal_of_the_content_shows_that_the_key_is_permitted() -> None:
    gate, rest = FirstRequestGate(threading.Event()), Counted(*[INVALID] * 4)
    assert run_at_once(gate, [("create", Counted(INVALID))]) == [ApiError]
    assert run_at_once(gate, [("create", rest)] * 4) == [ApiError] * 4
    assert rest.most > 1


@pytest.mark.parametrize(("status", "sent"), [(403, 1), (405, 1), (410, 1), (404, 8)])
def test_a_kind_that_the_account_lacks_is_refused_once_and_a_missing_incident_is_its_own_matter(
    status: int, sent: int
) -> None:
    gate, act = FirstRequestGate(threading.Event()), Counted(*[NotAvailable("none", status=status)] * 8)
    assert run_at_once(gate, [("timeline", act)] * 8) == [NotAvailable] * 8
    assert (act.count, act.most) == (sent, 1)


def test_what_is_not_sent_has_the_same_reason_as_the_refused_one() -> None:
    gate = FirstRequestGate(threading.Event())
    with pytest.raises(NotAvailable), gate.turn("timeline"):
        raise NotAvailable("it lacks a role", hint="a new key", status=403)
    with pytest.raises(NotAvailable) as error, gate.turn("timeline"):
        raise AssertionError
    assert (error.value.summary, error.value.hint, error.value.was_sent) == (
        "it lacks a role",
        "a new key",
        False,
    )


def test_what_waits_when_the_run_is_stopped_is_not_sent() -> None:
    stop = threading.Event()
    gate, waiting = FirstRequestGate(stop), threading.Barrier(3)
    sent = Counted()
    errors: list[ImporterError] = []

    def send() -> None:
        waiting.wait(10)
        try:
            with gate.turn("create"):
                sent()
        except ImporterError as error:
            errors.append(error)

    threads = [threading.Thread(target=send) for _ in range(2)]
    with gate.turn("create"):
        for each in threads:
            each.start()
        waiting.wait(10)
        threads[0].join(0.3)
        stop.set()
    for each in threads:
        each.join(10)
    assert sent.count == 0
    assert [(type(each), each.was_sent) for each in errors] == [(Interrupted, False)] * 2


def test_what_does_not_wait_is_in_flight_and_is_sent_though_the_run_is_stopped() -> None:
    stop = threading.Event()
    stop.set()
    assert run_at_once(FirstRequestGate(stop), [("timeline", Counted())]) == [None]


def test_another_kind_does_not_wait() -> None:
    gate, other = FirstRequestGate(threading.Event()), Counted()
    with gate.turn("create"):
        assert run_at_once(gate, [("follow_ups", other)]) == [None]
