"""Turn WSGI requests into answers: routing, keys, limits, faults and error envelopes around the endpoints."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from functools import partial
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, assert_never

from werkzeug import Request, Response
from werkzeug.exceptions import MethodNotAllowed, NotFound, RequestEntityTooLarge
from werkzeug.routing import Map, Rule

from importer.sandbox import faults, limits, problems
from importer.sandbox.access import ApiKey
from importer.sandbox.account import Account
from importer.sandbox.exchange import Exchange
from importer.sandbox.faults import Fault, FaultKind, Faults, FaultScript, NoReply, NoReplyInTime
from importer.sandbox.journal import Journal, RequestCounts
from importer.sandbox.lengths import limit_lengths
from importer.sandbox.limits import Allowance, Limiter
from importer.sandbox.payload import read
from importer.sandbox.problems import Problem, Refusal
from importer.sandbox.records import Wire
from importer.sandbox.routes import ROUTES, STATUS_PAGE_LIMIT, Route

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_HTML = b"<html><head><title>500</title></head><body><h1>Something went wrong</h1></body></html>"
_BEFORE = frozenset(
    {
        FaultKind.TOO_MANY_REQUESTS,
        FaultKind.CONFLICT,
        FaultKind.ERROR_BEFORE,
        FaultKind.DROP_BEFORE,
        FaultKind.HTML,
    }
)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to send. A `partial` one announces more bytes than it sends."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    partial: bool = False


class Application:
    """The WSGI application of one sandbox."""

    def __init__(self, account: Account, sleep: Callable[[float], None]) -> None:
        self._account = account
        self._sleep = sleep
        self._counts = RequestCounts()
        self._script = FaultScript(Faults())
        self._request_numbers = itertools.count(1)
        rate_limit = account.options.rate_limit
        self._limiter = None if rate_limit is None else Limiter(rate_limit, account.clock)
        self._status_page_limiter = Limiter(STATUS_PAGE_LIMIT, account.clock)
        controls: list[tuple[str, str, Callable[[Request], Wire]]] = [
            ("GET", "/sandbox/journal", self._get_journal),
            ("DELETE", "/sandbox/journal", self._delete_journal),
            ("PUT", "/sandbox/faults", self._put_faults),
        ]
        self._map = Map(
            [
                *(Rule(_rule(route.path), methods=[route.method], endpoint=route) for route in ROUTES),
                *(Rule(path, methods=[method], endpoint=control) for method, path, control in controls),
            ],
            merge_slashes=False,
        )

    @property
    def faults(self) -> Faults:
        """The faults that requests meet; setting them resets the counts of `nth`."""
        return self._script.faults

    @faults.setter
    def faults(self, wanted: Faults) -> None:
        self._script = FaultScript(wanted)

    def journal(self) -> Journal:
        """Return what has happened so far."""
        requests, limited, fault_counts = self._counts.counts()
        store = self._account.store
        return Journal(requests, limited, fault_counts, store.creation_counts(), store.announcements())

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333). Raises NoReply or NoReplyInTime if a fault requires it."""
        request = Request(environ)
        request.max_content_length = self._account.options.largest_body
        response = _response(self._answer(request))
        date = self._account.clock() + self._account.options.date_offset
        response.headers["Date"] = formatdate(date, usegmt=True)
        return response(environ, start_response)

    def _answer(self, request: Request) -> Reply:
        request_id = f"{next(self._request_numbers):08x}-0000-4000-8000-{self._account.now():012x}"
        refuse = partial(_refused, request_id=request_id)
        try:
            endpoint, arguments = self._map.bind_to_environ(request.environ).match()
        except NotFound:
            return self._count(request, refuse(problems.not_found()))
        except MethodNotAllowed:
            return self._count(request, refuse(problems.method_not_allowed()))
        options = self._account.options
        if isinstance(endpoint, Route) and {endpoint.path, endpoint.label} & options.missing:
            return self._count(request, refuse(problems.missing_endpoint(options.missing_status)))
        if isinstance(endpoint, Route):
            return self._answer_route(request, endpoint, arguments, request_id)
        try:
            return _ok(200, _loopback_only(request, endpoint))
        except Refusal as refusal:
            return refuse(refusal)

    def _count(self, request: Request, reply: Reply) -> Reply:
        self._counts.add(f"{request.method} {request.path}", str(reply.status))
        return reply

    def _answer_route(
        self, request: Request, route: Route, arguments: Mapping[str, str], request_id: str
    ) -> Reply:
        try:
            reply = self._limited(request, route, arguments, request_id)
        except (NoReply, NoReplyInTime):
            self._counts.add(route.label, "no reply")
            raise
        self._counts.add(route.label, str(reply.status))
        return reply

    def _limited(
        self, request: Request, route: Route, arguments: Mapping[str, str], request_id: str
    ) -> Reply:
        """Return the reply with its rate-limit headers, or a 429 beyond a limit."""
        try:
            key = _authenticate(self._account, request)
        except Refusal as refusal:
            return _refused(refusal, request_id)
        allowances = self._allowances(key, route)
        spent = [allowance for allowance in allowances if not allowance.granted]
        if spent:
            reply = self._too_many(max(spent, key=lambda each: each.wait), key, request_id)
        else:
            carry_out = partial(self._carry_out, request, route, key, arguments, request_id)
            reply = self._with_faults(self._script.draw(route.label), carry_out, key, request_id)
        headers = limits.headers(allowances, self._account.clock())
        return replace(reply, headers={**headers, **reply.headers})

    def _allowances(self, key: ApiKey, route: Route) -> list[Allowance]:
        if self._limiter is None:
            return []
        own = [] if route.limit is None else [self._status_page_limiter.take(key.token)]
        return [self._limiter.take(key.token), *own]

    def _too_many(self, allowance: Allowance, key: ApiKey, request_id: str) -> Reply:
        now = self._account.clock()
        message = (
            "Too many requests hit the API too quickly. We recommend an exponential backoff of your requests."
        )
        refusal = Refusal(429, "too_many_requests", [Problem("too_many_requests", message)])
        envelope = refusal.wire(request_id) | {"rate_limit": limits.body_part(allowance, key.name, now)}
        retry_after = limits.retry_after(allowance.wait, now, self._account.options.retry_after)
        return _ok(429, envelope, {"Retry-After": retry_after})

    def _with_faults(
        self, drawn: list[Fault], carry_out: Callable[[], Reply], key: ApiKey, request_id: str
    ) -> Reply:
        """The reply, after what the faults on this request do to it."""
        self._delay(drawn)
        failure = next((fault for fault in drawn if fault.kind is not FaultKind.LATENCY), None)
        if failure is None:
            return carry_out()
        self._counts.count_fault(failure.kind)
        reply = None if failure.kind in _BEFORE else carry_out()
        match failure.kind:
            case FaultKind.TOO_MANY_REQUESTS:
                return self._too_many(self._fault_allowance(failure), key, request_id)
            case FaultKind.HTML:
                return Reply(500, _HTML, content_type="text/html")
            case FaultKind.CONFLICT:
                return _refused(problems.conflict("Somebody else changed this. Try again."), request_id)
            case FaultKind.ERROR_BEFORE | FaultKind.ERROR_AFTER:
                return _unavailable(failure.status, request_id)
            case FaultKind.HANG:
                self._sleep(failure.seconds)
                raise NoReplyInTime("the sandbox gave no answer in time")
            case FaultKind.TRUNCATED if reply is not None:
                return replace(reply, partial=True)
            case FaultKind.DROP_BEFORE | FaultKind.DROP_AFTER | FaultKind.TRUNCATED | FaultKind.LATENCY:
                raise NoReply(104, "the sandbox went away without an answer")
            case _:
                assert_never(failure.kind)

    def _delay(self, drawn: list[Fault]) -> None:
        for fault in drawn:
            if fault.kind is FaultKind.LATENCY:
                self._counts.count_fault(fault.kind)
                self._sleep(fault.seconds)

    def _fault_allowance(self, failure: Fault) -> Allowance:
        limit = self._account.options.rate_limit or STATUS_PAGE_LIMIT
        return Allowance(False, limit, 0, failure.seconds, float(limit.window))

    def _carry_out(
        self, request: Request, route: Route, key: ApiKey, arguments: Mapping[str, str], request_id: str
    ) -> Reply:
        try:
            key.require([route.scope] if route.scope else [])
            body = _json(request) if route.body else None
            payload, found = read(route.body, body) if route.body else ({}, [])
            payload, too_long = limit_lengths(self._account.options, payload)
            found += too_long
            exchange = Exchange(self._account, key, arguments, request.args, payload, tuple(found), body)
            wire = route.answer(exchange)
            return Reply(204, b"") if route.status == 204 else _ok(route.status, wire)
        except Refusal as refusal:
            return replace(_refused(refusal, request_id), headers=self._hints(refusal))

    def _hints(self, refusal: Refusal) -> Mapping[str, str]:
        if refusal.retry_after is None:
            return {}
        form = self._account.options.retry_after
        return {"Retry-After": limits.retry_after(refusal.retry_after, self._account.clock(), form)}

    def _get_journal(self, _request: Request) -> Wire:
        return self.journal().wire()

    def _delete_journal(self, _request: Request) -> Wire:
        with self._account.store.transaction():
            self._account.store.clear_journal()
        self._counts.clear()
        return self.journal().wire()

    def _put_faults(self, request: Request) -> Wire:
        self.faults = faults.from_json(_json(request))
        return {"faults": len(self.faults.faults)}


def _rule(path: str) -> str:
    return path.replace("{", "<").replace("}", ">")


def _loopback_only(request: Request, control: Callable[[Request], Wire]) -> Wire:
    """Carry out a control request, which needs no key but must come from this machine."""
    address = request.remote_addr
    if address and not ip_address(address).is_loopback:
        raise problems.forbidden("loopback")
    return control(request)


def _authenticate(account: Account, request: Request) -> ApiKey:
    header = request.headers.get("Authorization", "").strip()
    if not header:
        raise problems.missing_authorization()
    scheme, _, token = header.partition(" ")
    key = account.catalogue.keys.get(token.strip())
    if scheme.lower() != "bearer" or key is None:
        raise problems.unauthenticated()
    return key


def _json(request: Request) -> Any:
    """Return the JSON body of a request. Raises a 400 for invalid JSON and a 413 for too large a body."""
    try:
        text = request.get_data()
    except RequestEntityTooLarge:
        raise problems.too_large(request.max_content_length or 0) from None
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise problems.not_json(str(error)) from None


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not a JSON number")


def _ok(status: int, wire: Wire, headers: Mapping[str, str] | None = None) -> Reply:
    body = json.dumps(wire, separators=(",", ":"), check_circular=False).encode("ascii")
    return Reply(status, body, headers or {})


def _refused(refusal: Refusal, request_id: str) -> Reply:
    return _ok(refusal.status, refusal.wire(request_id))


def _unavailable(status: int, request_id: str) -> Reply:
    problem = Problem("api_error", "Something went wrong on our side")
    return _refused(Refusal(status, "api_error", [problem]), request_id)


def _response(reply: Reply) -> Response:
    body = reply.body[: len(reply.body) // 2] if reply.partial else reply.body
    response = Response(body, reply.status, dict(reply.headers), content_type=reply.content_type)
    if reply.partial:
        response.automatically_set_content_length = False
        response.headers["Content-Length"] = str(len(reply.body))
        response.headers["Connection"] = "close"
    return response
