"""A request -> a usable answer, by sending the same bytes again as long as that is safe.

Reads change nothing and edits set values, so they may be repeated. Creations may not: whether the server
remembers an idempotency key is not documented. They raise NoAnswer as soon as an answer is lost.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import httpx

from importer.api.creation_limit import REASON, CreationLimit
from importer.api.outage import NOT_SENT, ServerGone
from importer.api.rate_limits import retry_after
from importer.api.waiting import WaitPolicy
from importer.model.errors import ApiError, Interrupted, NoAnswer
from importer.wire import paths
from importer.wire.errors import error, printable

REPEATABLE = "importer.repeatable"
"""Request extension: False if sending it again after a lost answer could create a duplicate."""

CONFLICT_IS_RACE = "importer.conflict-is-race"
"""Request extension: False if a 409 cannot be settled by sending the request again."""

PARSED = "importer.parsed"
"""Response extension: the JSON object of a 2xx answer, so that a page of 250 incidents is parsed once."""

_TRIES = 6
_CONFLICTS = 3
_LONGEST_BACKOFF = 30.0
_LONGEST_REFUSAL_BACKOFF = 60.0
_SPREAD = 0.25
"""Seconds over which requests with the same wait are spread."""


@dataclass(frozen=True, slots=True)
class _LostAnswer:
    """No usable answer. If `sent` is true, the server may have carried out the request; if `is_final`, no
    other try can be answered."""

    reason: str
    sent: bool
    hint: float | None = None
    is_final: bool = False


@dataclass(slots=True)
class RequestState:
    """The progress of one request; times are on the monotonic clock. `was_sent` is whether an attempt, or an
    earlier request with the same idempotency key, may have been carried out."""

    began: float
    was_sent: bool = False
    reason: str = ""
    left_at: float = 0.0
    failures: int = 0
    conflicts: int = 0
    refusals: int = 0
    refused_since: float = 0.0
    refusal: httpx.Response | None = None


class Retry(httpx.BaseTransport):
    """Repeats a request after a lost answer (6 tries), a conflict (3 more) and a rate-limit refusal (for up
    to `max_wait`). A 422 is never repeated.

    Raises NoAnswer if no usable answer arrives. A 2xx answer, except 204, always holds a JSON object.
    """

    def __init__(self, inner: httpx.BaseTransport, policy: WaitPolicy) -> None:
        self._inner = inner
        self._policy = policy
        self._creations = CreationLimit(policy)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        state = RequestState(began=self._policy.clock.monotonic())
        try:
            return self._send(request, state)
        except Interrupted as interruption:
            raise Interrupted(interruption.summary, was_sent=state.was_sent) from interruption

    def _send(self, request: httpx.Request, state: RequestState) -> httpx.Response:
        while True:
            if _is_creation(request) and not self._wait_for_turn(state):
                return self._give_up(request, state)
            outcome = self._attempt(request)
            if isinstance(outcome, _LostAnswer):
                self._after_loss(request, state, outcome)
            elif outcome.status_code == 429:
                if not self._after_refusal(request, state, outcome):
                    return self._finish(request, outcome)
            elif outcome.status_code != 409 or not self._after_conflict(request, state):
                return self._finish(request, outcome)

    def close(self) -> None:
        self._inner.close()

    def _wait_for_turn(self, state: RequestState) -> bool:
        """Wait until a creation may be sent; return False if that would take longer than `max_wait`."""
        turn = self._creations.wait_turn(state.began + self._policy.max_wait)
        state.left_at = turn or 0.0
        return turn is not None

    def _give_up(self, request: httpx.Request, state: RequestState) -> httpx.Response:
        """Return the refusal of a creation that waited too long. Raises ApiError if it was never refused."""
        if state.refusal is not None:
            return self._finish(request, state.refusal)
        error = ApiError(
            status=429,
            code="creation-limit",
            message=f"{_label(request)}: not sent; the {REASON} requires a longer wait than --max-wait",
            hint="Run the same command again later.",
        )
        error.was_sent = state.was_sent
        raise error

    def _finish(self, request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        """Return the last answer, and count a creation that succeeded."""
        if answer.is_success and _is_creation(request):
            self._creations.record_success()
        return answer

    def _attempt(self, request: httpx.Request) -> httpx.Response | _LostAnswer:
        try:
            response = self._inner.handle_request(request)
            try:
                response.read()
            finally:
                response.close()
        except (httpx.RequestError, OSError) as cause:
            reason = printable(f"{type(cause).__name__}: {cause}".rstrip(": "))
            if isinstance(cause, ServerGone):
                return _LostAnswer(str(cause), sent=False, is_final=True)
            return _LostAnswer(reason, sent=not isinstance(cause, NOT_SENT))
        status = response.status_code
        if status == 408 or status >= 500:
            hint = retry_after(response.headers, response.text, now=self._policy.clock.now())
            return _LostAnswer(error(status, response.headers, response.text).summary, sent=True, hint=hint)
        if response.is_success and status != 204:
            parsed = _json_object(response.content)
            if parsed is None:
                return _LostAnswer(f"{status} with a body that is not the API's JSON", sent=True)
            response.extensions[PARSED] = parsed
        return response

    def _after_loss(self, request: httpx.Request, state: RequestState, lost: _LostAnswer) -> None:
        reason = f"{state.reason}; {lost.reason}" if lost.is_final and state.reason else lost.reason
        state.failures += not lost.is_final
        state.reason, state.was_sent = lost.reason, state.was_sent or lost.sent
        if lost.sent and not request.extensions.get(REPEATABLE, True):
            raise NoAnswer(
                f"{_label(request)}: no usable answer ({lost.reason}); not sent again, since it may have "
                "been carried out",
                hint="Run the same command again: it checks the account before it sends.",
            )
        if state.failures >= _TRIES or lost.is_final:
            tries = f" in {state.failures} tries" if state.failures > 1 else ""
            raise NoAnswer(
                f"{_label(request)}: no usable answer{tries} ({reason})",
                hint="Check the endpoint and the network, then run the same command again.",
                was_sent=state.was_sent,
            )
        seconds = max(self._backoff(state.failures), min(lost.hint or 0.0, _LONGEST_BACKOFF))
        self._policy.wait(seconds, reason=lost.reason, scope="requests")

    def _after_conflict(self, request: httpx.Request, state: RequestState) -> bool:
        """Wait and return whether to send again. A 409 means either "already exists" or "lost a race, try
        again"; only another try can tell, so a creation is in doubt until then."""
        state.conflicts += 1
        state.was_sent = state.was_sent or not request.extensions.get(REPEATABLE, True)
        if state.conflicts > _CONFLICTS or not request.extensions.get(CONFLICT_IS_RACE, True):
            return False
        self._policy.wait(self._backoff(state.conflicts), reason="409 conflict", scope="requests")
        return True

    def _after_refusal(self, request: httpx.Request, state: RequestState, refusal: httpx.Response) -> bool:
        """Wait and return whether to send again: not if the server asks for a longer wait than is left."""
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
            self._creations.record_refusal(left_at=state.left_at)
            return True
        seconds = self._unhinted(state.refusals) if hint is None else self._hinted(hint, state.refusals)
        self._policy.wait(min(seconds, left), reason="rate limit", scope="requests")
        return True

    def _hinted(self, hint: float, refusals: int) -> float:
        """Return the server's hint with jitter, lengthened if following it did not help."""
        least = min(_LONGEST_REFUSAL_BACKOFF, 0.05 * 2.0 ** min(refusals, 16))
        return max(hint, least) + self._policy.random() * _SPREAD

    def _unhinted(self, refusals: int) -> float:
        ceiling = min(_LONGEST_REFUSAL_BACKOFF, 2.0 ** min(refusals, 16))
        return ceiling * (0.5 + 0.5 * self._policy.random())

    def _backoff(self, failures: int) -> float:
        return self._policy.random() * min(_LONGEST_BACKOFF, 2.0 ** (failures - 1))


def _json_object(body: bytes) -> dict[str, Any] | None:
    """Return the JSON object of a 2xx body, or None: a truncated body is a lost answer."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _is_creation(request: httpx.Request) -> bool:
    return request.method == "POST" and request.url.path.endswith(paths.INCIDENTS)


def _label(request: httpx.Request) -> str:
    return f"{request.method} {request.url.path}"
