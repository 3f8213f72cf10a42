"""A transport -> one that retries, is paced and, for plans, cannot write.

The order is client -> ReadOnly (plans only) -> Retry -> Outage -> Throttle -> RedactApiKey -> WriteWatch ->
network, so that each attempt is paced, a server that is gone stops all of them, and no refusal that anybody
sees contains the key.
"""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from importer.api.outage import Outage, WriteWatch
from importer.api.retry import Retry
from importer.api.throttle import Throttle
from importer.api.waiting import WaitPolicy
from importer.model.settings import Rate

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

Transport = httpx.BaseTransport
"""A connection to the account, for modules that only pass it on."""

TIMEOUT = httpx.Timeout(60.0, connect=10.0)
"""Seconds: 10 to connect, 60 for an answer; creations with many fields are slow."""


_HIDDEN = "(hidden)"

_BODY_HEADERS = ("content-encoding", "content-length", "transfer-encoding")
"""Headers that describe the body as sent; they are wrong once it is decoded and changed."""


class ReadOnly(httpx.BaseTransport):
    """Passes on GET alone. Raises RuntimeError for a write, which would be a bug in importer."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method != "GET":
            raise RuntimeError(f"a read-only command tried to send {request.method} {request.url.path}")
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()


class RedactApiKey(httpx.BaseTransport):
    """Hides the API key in refusals: a proxy may echo the request that it rejects."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._inner.handle_request(request)
        response.extensions.pop("reason_phrase", None)  # httpx would log the server's own text
        key = request.headers.get("authorization", "").rpartition(" ")[2]
        return response if response.is_success or not key else _without(key, response)

    def close(self) -> None:
        self._inner.close()


def _without(key: str, response: httpx.Response) -> httpx.Response:
    """Return an answer with its body read and the key hidden everywhere."""
    try:
        body = response.read()
    finally:
        response.close()
    headers = [
        (name, value.replace(key, _HIDDEN))
        for name, value in response.headers.multi_items()
        if name not in _BODY_HEADERS
    ]
    content = body.replace(key.encode(), _HIDDEN.encode())
    return httpx.Response(
        response.status_code, headers=headers, content=content, extensions=response.extensions
    )


def read_only_transport(inner: httpx.BaseTransport, policy: WaitPolicy, ceiling: Rate) -> httpx.BaseTransport:
    """Return the stack of the commands that only read, such as check, plan and pull."""
    return ReadOnly(read_write_transport(inner, policy, ceiling))


def read_write_transport(
    inner: httpx.BaseTransport, policy: WaitPolicy, ceiling: Rate, written: Event | None = None
) -> httpx.BaseTransport:
    """Return the stack of apply. It sets `written` as soon as a request that writes has left."""
    written = written or Event()
    watched = RedactApiKey(WriteWatch(inner, written))
    return Retry(Outage(Throttle(watched, clock=policy.clock, ceiling=ceiling), policy, written), policy)


def network(endpoint: str) -> httpx.BaseTransport:
    """Return the real network, through the environment's proxy for https, if any.

    Plain http is never proxied: it is for this machine only, and a proxy would see the key.
    """
    parts = urlsplit(endpoint)
    proxied = parts.scheme == "https" and not proxy_bypass(parts.hostname or "")
    proxies = getproxies() if proxied else {}
    return httpx.HTTPTransport(proxy=proxies.get("https") or proxies.get("all"))


def in_process(app: WSGIApplication) -> httpx.BaseTransport:
    """Return a transport to a WSGI application in this process: the embedded sandbox."""
    return httpx.WSGITransport(app=app)
