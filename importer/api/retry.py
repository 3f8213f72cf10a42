"""A request -> a usable answer, by sending the same bytes again as often as that is safe.

Creations carry idempotency keys and edits set values, so nearly every request may be repeated. Those that may
not are marked by their sender; after a doubtful answer they end in NoAnswer at once.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import httpx

from importer.api.creation_limit import REASON, CreationLimit
from importer.api.rate_limits import retry_after
from importer.api.waiting import WaitPolicy
from importer.model.errors import ApiError, NoAnswer
from importer.wire import paths
from importer.wire.errors import error, printable

REPEATABLE = "importer.repeatable"
"""Request extension: False says that sending twice could make two things."""

PARSED = "importer.parsed"
"""Response extension: the JSON object of a 2xx answer, so that a page of 250 incidents is parsed once."""

_TRIES = 6
_CONFLICTS = 3
_LONGEST_BACKOFF = 30.0
_LONGEST_REFUSAL_BACKOFF = 60.0
_SPREAD = 0.25
"""Seconds over which those that were told to wait as long come back."""

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@dataclass(frozen=True, slots=True)
class _LostAnswer:
    """No usable answer. Where `sent` is true the server may have carried the request out."""

    reason: str
    sent: bool
    hint: float | None = None


@dataclass(slots=True)
class RequestState:
    """What became of one request so far; times are on the monotonic clock."""

    began: float
    left_at: float = 0.0
    failures: int = 0
    conflicts: int = 0
    refusals: int = 0
    refused_since: float = 0.0
    refusal: httpx.Response | None = None
    may_be_done: bool = False


class Retry(httpx.BaseTransport):
    """Repeats a request after a lost answer (6 tries), a conflict (3 more) and a refusal for the rate (for as
    long as `max_wait`). A 422 is never repeated.

    Raises NoAnswer; every other answer is returned, a 2xx one (but 204) with a JSON object.
    """

    def __init__(self, inner: httpx.BaseTransport, policy: WaitPolicy) -> None:
        self._inner = inner
        self._policy = policy
        self._creations = CreationLimit(policy)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        state = RequestState(began=self._policy.clock.monotonic())
        while True:
            if _is_creation(request) and not self._takes_turn(state):
                return self._given_up(request, state)
            outcome = self._attempt(request)
            if isinstance(outcome, _LostAnswer):
                self._after_loss(request, state, outcome)
            elif outcome.status_code == 429:
                if not self._after_refusal(request, state, outcome):
                    return self._final(request, state, outcome)
            elif outcome.status_code != 409 or not self._after_conflict(request, state):
                return self._final(request, state, outcome)

    def close(self) -> None:
        self._inner.close()

    def _takes_turn(self, state: RequestState) -> bool:
        """Wait until a creation may leave; return whether that is within `max_wait`."""
        turn = self._creations.wait_turn(state.began + self._policy.max_wait)
        state.left_at = turn or 0.0
        return turn is not None

    def _given_up(self, request: httpx.Request, state: RequestState) -> httpx.Response:
        """Return the refusal of a creation that waited long enough. Raises ApiError where it never left."""
        if state.refusal is not None:
            return self._final(request, state, state.refusal)
        raise ApiError(
            status=429,
            code="creation-limit",
            message=f"{_named(request)}: not sent, since the {REASON} asks for a longer wait than --max-wait",
            hint="Run the same command again later.",
        )

    def _final(self, request: httpx.Request, state: RequestState, answer: httpx.Response) -> httpx.Response:
        """Return the last answer. A creation that was lost once and is refused now may be there all the same:
        the refusal is about the second try."""
        if not _is_creation(request):
            return answer
        if answer.is_success:
            self._creations.made()
        elif state.may_be_done:
            refusal = error(answer.status_code, answer.headers, answer.text).summary
            raise NoAnswer(
                f"{_named(request)}: no answer at first, then refused ({refusal})",
                hint="Run the same command again: it finds out whether the first try was carried out.",
            )
        return answer

    def _attempt(self, request: httpx.Request) -> httpx.Response | _LostAnswer:
        try:
            response = self._inner.handle_request(request)
            try:
                response.read()
            finally:
                response.close()
        except (httpx.RequestError, OSError) as mistake:
            reason = printable(f"{type(mistake).__name__}: {mistake}".rstrip(": "))
            return _LostAnswer(reason, sent=not isinstance(mistake, _NOT_SENT))
        status = response.status_code
        if status == 408 or status >= 500:
            hint = retry_after(response.headers, response.text, now=self._policy.clock.now())
            return _LostAnswer(error(status, response.headers, response.text).summary, sent=True, hint=hint)
        if response.is_success and status != 204:
            parsed = _json_object(response.content)
            if parsed is None:
                return _LostAnswer(f"{status} with something that is not the API's JSON", sent=True)
            response.extensions[PARSED] = parsed
        return response

    def _after_loss(self, request: httpx.Request, state: RequestState, lost: _LostAnswer) -> None:
        state.failures += 1
        state.may_be_done = state.may_be_done or lost.sent
        if lost.sent and not request.extensions.get(REPEATABLE, True):
            raise NoAnswer(
                f"{_named(request)}: no usable answer ({lost.reason}); it is not sent again, since it may "
                "have been carried out",
                hint="Run the same command again: it looks before it sends.",
            )
        if state.failures >= _TRIES:
            raise NoAnswer(
                f"{_named(request)}: no usable answer in {state.failures} tries ({lost.reason})",
                hint="Check the endpoint and the network, then run the same command again.",
            )
        seconds = max(self._backoff(state.failures), min(lost.hint or 0.0, _LONGEST_BACKOFF))
        self._policy.wait(seconds, reason=lost.reason, scope="requests")

    def _after_conflict(self, request: httpx.Request, state: RequestState) -> bool:
        """Wait and return whether to send again. A 409 means both "exists already" and "lost a race, try
        again"; which of them is seen only by trying."""
        state.conflicts += 1
        if state.conflicts > _CONFLICTS or not request.extensions.get(REPEATABLE, True):
            return False
        self._policy.wait(self._backoff(state.conflicts), reason="409 conflict", scope="requests")
        return True

    def _after_refusal(self, request: httpx.Request, state: RequestState, refusal: httpx.Response) -> bool:
        """Wait and return whether to send again: not where the server asks for more than is left to wait."""
        now = self._policy.clock.monotonic()
        if state.refusals == 0:
            state.refused_since = now
        state.refusals += 1
        state.refusal = refusal
        left = self._policy.max_wait - (now - state.refused_since)
        hint = retry_after(refusal.headers, refusal.text, now=self._policy.clock.now())
        if left <= 0 or (hint is not None and hint > left):
            return False
        if hint is None and _is_creation(request):
            self._creations.refused(left_at=state.left_at)
            return True
        seconds = self._unhinted(state.refusals) if hint is None else self._hinted(hint, state.refusals)
        self._policy.wait(min(seconds, left), reason="rate limit", scope="requests")
        return True

    def _hinted(self, hint: float, refusals: int) -> float:
        """Return the server's time, a little spread; a hint that proves useless is lengthened."""
        least = min(_LONGEST_REFUSAL_BACKOFF, 0.05 * 2.0 ** min(refusals, 16))
        return max(hint, least) + self._policy.random() * _SPREAD

    def _unhinted(self, refusals: int) -> float:
        ceiling = min(_LONGEST_REFUSAL_BACKOFF, 2.0 ** min(refusals, 16))
        return ceiling * (0.5 + 0.5 * self._policy.random())

    def _backoff(self, failures: int) -> float:
        return self._policy.random() * min(_LONGEST_BACKOFF, 2.0 ** (failures - 1))


def _json_object(body: bytes) -> dict[str, Any] | None:
    """Return what every 2xx promises; None for anything else: half a body is a lost answer."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _is_creation(request: httpx.Request) -> bool:
    return request.method == "POST" and request.url.path.endswith(paths.INCIDENTS)


def _named(request: httpx.Request) -> str:
    return f"{request.method} {request.url.path}"
