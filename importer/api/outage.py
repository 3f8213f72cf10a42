"""A server that is gone -> a pause of all requests, or one clear end; and whether anything was written.

Retry is about one request; what all of them together show about the server is kept here.
"""

from __future__ import annotations

import re
import threading

import httpx

from importer.api.waiting import Pause, WaitPolicy
from importer.model.errors import Interrupted
from importer.wire import paths

NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""Errors after which the server cannot have seen the request."""

_IN_A_ROW = 5
"""After this many failures without an answer in between, the server is gone."""
_FIRST_ANSWER = 12.0
"""Seconds after which no other try is made if a run has had no answer: the last pause is up to 16 s long."""
_PROBE_TIMEOUT = 10.0
_LONGEST_PAUSE = 30.0
_PREFIX = re.compile(r"^.*?(?=/v[0-9]+/)")


class ServerGone(httpx.ConnectError):
    """The server has been gone for so long that nothing is sent any longer."""


class WriteWatch(httpx.BaseTransport):
    """Sets `written` as soon as a request that writes has left: from then on, a run may have changed the
    account."""

    def __init__(self, inner: httpx.BaseTransport, written: threading.Event) -> None:
        self._inner = inner
        self._written = written

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return self._inner.handle_request(request)
        try:
            response = self._inner.handle_request(request)
        except NOT_SENT:
            raise
        except BaseException:
            self._written.set()
            raise
        self._written.set()
        return response

    def close(self) -> None:
        self._inner.close()


class Outage(httpx.BaseTransport):
    """Pauses the requests of all threads while the server is gone, once something was written: one of them
    probes it until it answers or `max_outage` has passed. Before the first answer of a run, nothing waits for
    longer than half a minute.

    Raises ServerGone for every request from then on, or Interrupted if Ctrl-C was pressed meanwhile. Neither
    replaces the failure of a request that was sent: that one alone tells whether it may have been carried
    out.
    """

    def __init__(self, inner: httpx.BaseTransport, policy: WaitPolicy, written: threading.Event) -> None:
        self._inner = inner
        self._policy = policy
        self._written = written
        self._turn = threading.Condition()
        self._began: float | None = None
        self._has_answered = False
        self._failures = 0
        self._is_probing = False
        self._end: ServerGone | Interrupted | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._enter(request)
        try:
            response = self._inner.handle_request(request)
        except (httpx.RequestError, OSError):
            self._note_failure(request)
            raise
        if response.status_code >= 500 or response.status_code == 408:
            self._note_failure(request)
        else:
            self._has_answered, self._failures = True, 0
        return response

    def close(self) -> None:
        self._inner.close()

    def _enter(self, request: httpx.Request) -> None:
        """Wait while the server is probed, and cut the time-outs of a run's first requests."""
        with self._turn:
            self._turn.wait_for(lambda: not self._is_probing)
            if self._end:
                raise self._end
        if not self._has_answered:
            left = self._left_for_first_answer()
            if left <= 0:
                raise self._gone(f"no answer within {_FIRST_ANSWER:.0f} s")
            timeout = request.extensions.get("timeout", {})
            request.extensions["timeout"] = {name: min(each or left, left) for name, each in timeout.items()}

    def _left_for_first_answer(self) -> float:
        now = self._policy.clock.monotonic()
        if self._began is None:
            self._began = now
        return self._began + _FIRST_ANSWER - now

    def _note_failure(self, request: httpx.Request) -> None:
        with self._turn:
            self._failures += 1
            is_gone = self._written.is_set() and self._failures >= _IN_A_ROW
            if not is_gone or self._is_probing or self._end:
                return
            self._is_probing = True
        try:
            self._probe(request)
        except Interrupted as interruption:
            # This request was sent, so it is judged by its own failure; those that come later are not sent.
            self._end = Interrupted(interruption.summary, was_sent=False)
        finally:
            with self._turn:
                self._is_probing, self._failures = False, 0
                self._turn.notify_all()

    def _probe(self, request: httpx.Request) -> None:
        """Send one GET after another, with growing waits, until one is answered."""
        clock, longest = self._policy.clock, self._policy.max_outage
        began, pause = clock.monotonic(), 1.0
        self._policy.notify(Pause(longest, "the server does not answer"))
        while (left := began + longest - clock.monotonic()) > 0:
            clock.sleep(min(pause, left))
            if self._answers(request):
                return
            pause = min(2 * pause, _LONGEST_PAUSE)
        self._end = self._gone(f"no answer for {longest:.0f} s (--max-outage)")

    def _answers(self, request: httpx.Request) -> bool:
        prefix = _PREFIX.match(request.url.path)
        url = request.url.copy_with(path=f"{prefix[0] if prefix else ''}{paths.IDENTITY}", query=None)
        limits = dict.fromkeys(("connect", "read", "write", "pool"), _PROBE_TIMEOUT)
        probe = httpx.Request("GET", url, headers=request.headers, extensions={"timeout": limits})
        for name in ("content-length", "content-type"):
            probe.headers.pop(name, None)
        try:
            response = self._inner.handle_request(probe)
            response.read()
            response.close()
        except (httpx.RequestError, OSError):
            return False
        return response.status_code < 500

    def _gone(self, why: str) -> ServerGone:
        return ServerGone(f"the server is gone: {why}")
