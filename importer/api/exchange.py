"""One request to the API -> its JSON or an error; a list -> the items of all its pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import datetime
from http import HTTPStatus
from typing import Any, TypeVar

import httpx

from importer.api.rate_limits import date
from importer.api.retry import CONFLICT_IS_RACE, PARSED, REPEATABLE
from importer.model.errors import ApiError, NoAnswer, NotAvailable
from importer.wire import paths
from importer.wire.errors import error
from importer.wire.incidents import Json, parsing
from importer.wire.requests import Request

PAGE_SIZE = 250
"""The largest page that the API allows for incidents and for most other lists."""

MISSING = (403, 404, 405, 410)
"""Statuses that mean the account lacks an endpoint, or the key may not use it."""

_GONE = (405, 410)

Parameters = Mapping[str, str]
T = TypeVar("T")


class Exchange:
    """Sends requests and reads their answers; raises ApiError, NoAnswer and Interrupted."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self._lacks_newest = False
        self._server_time: datetime | None = None

    @property
    def endpoint(self) -> str:
        return str(self._http.base_url).rstrip("/")

    @property
    def server_time(self) -> datetime | None:
        """The server's time in the latest answer that had one."""
        return self._server_time

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, parameters: Parameters | None = None) -> Json:
        """Return the JSON of a GET."""
        return _json(self._send("GET", path, params=dict(parameters or {})))

    def get_newest(self, path: str, parameters: Parameters | None = None) -> Json:
        """Return the JSON of a GET, from the newest version of the endpoint that the account has."""
        return self._with_fallback(path, lambda version: self.get(version, parameters))

    def get_list(self, path: str, key: str, parameters: Parameters | None = None) -> tuple[Json, ...]:
        """Return the items of an unpaginated list."""
        with parsing(f"a list of {key}"):
            return tuple(self.get(path, parameters)[key] or ())

    def get_pages(
        self, path: str, key: str, parameters: Parameters | None = None, *, page_size: int = PAGE_SIZE
    ) -> Iterator[Json]:
        """Yield the items of a list page by page, each only once.

        The last page has no cursor, or a null or empty one; a page without items may have a next one. Raises
        NoAnswer if a cursor repeats: with a list cut short, a plan would create incidents that already exist.
        """
        seen: set[str] = set()
        cursors: set[str] = set()
        first = {**(parameters or {}), "page_size": str(page_size)}
        query = first
        while True:
            page = self.get(path, query)
            with parsing(f"a page of {key}"):
                items = page[key] or ()
                fresh = {each["id"]: each for each in items if each["id"] not in seen}
                after = (page.get("pagination_meta") or {}).get("after")
            yield from fresh.values()
            if not after:
                return
            if after in cursors:
                raise NoAnswer(f"the pages of {path} repeat, so the list may be incomplete")
            seen.update(fresh)
            cursors.add(after)
            query = {**first, "after": after}

    def get_follow_ups(self, parameters: Parameters) -> tuple[Json, ...]:
        """Return the follow-ups of a list. Version 2 has no pages."""
        return self._with_fallback(paths.FOLLOW_UPS, lambda path: self._follow_ups(path, parameters))

    def _follow_ups(self, path: str, parameters: Parameters) -> tuple[Json, ...]:
        if path == paths.FOLLOW_UPS:
            return tuple(self.get_pages(path, "follow_ups", parameters))
        return self.get_list(path, "follow_ups", parameters)

    def send(self, request: Request) -> tuple[Json, datetime | None]:
        """Send a write, byte for byte; return the answer and the server's time.

        Raises NoAnswer if the outcome is unknown, at once for a request that is not repeatable, and
        NotAvailable if the account lacks an optional endpoint.
        """
        with may_be_missing(request.path) if request.optional else nullcontext():
            response = self._with_fallback(request.path, lambda path: self._write(request, path))
        return _json(response), date(response.headers.get("date", ""))

    def _write(self, request: Request, path: str) -> httpx.Response:
        return self._send(
            request.method,
            path,
            content=request.content.encode("ascii"),
            headers={"Content-Type": "application/json"},
            extensions={
                REPEATABLE: request.repeatable,
                CONFLICT_IS_RACE: request.repeatable or request.idempotency_key is not None,
            },
        )

    def _with_fallback(self, path: str, call: Callable[[str], T]) -> T:
        """Call the newest version of an endpoint, or the one before it if the account lacks the newest. This
        is safe for writes: a refused request changed nothing.

        A 404 may concern the incident alone. That the account lacks the newest version is certain only if the
        version before it has what was not found, so an empty list proves nothing.
        """
        if not path.startswith(paths.FOLLOW_UPS):
            return call(path)
        before = path.replace(paths.FOLLOW_UPS, paths.FOLLOW_UPS_BEFORE, 1)
        try:
            return call(before if self._lacks_newest else path)
        except ApiError as error:
            if error.status not in MISSING or self._lacks_newest:
                raise
            refusal = error
        try:
            answer = call(before)
        except ApiError as error:
            raise (refusal if _is_decisive(refusal, error) else error) from None
        if refusal.status != HTTPStatus.NOT_FOUND or answer:
            self._lacks_newest = True
        return answer

    def _send(self, method: str, path: str, **content: Any) -> httpx.Response:
        response = self._http.request(method, path, **content)
        self._server_time = date(response.headers.get("date", "")) or self._server_time
        if response.is_success:
            return response
        raise error(response.status_code, response.headers, response.text)


@contextmanager
def may_be_missing(what: str) -> Iterator[None]:
    """Turn the refusal of an endpoint that the account or the key may lack into NotAvailable, whose summary
    is the same for every request."""
    try:
        yield
    except ApiError as refusal:
        if refusal.status in MISSING:
            raise NotAvailable(
                _reason(what, refusal), hint=refusal.hint, detail=refusal.summary, status=refusal.status
            ) from refusal
        raise


def _is_decisive(newest: ApiError, before: ApiError) -> bool:
    """Return whether the refusal of the newest version is the one to report: it names a role, or does not
    find an incident, and the version before it is retired or does not find it either."""
    if newest.status == HTTPStatus.FORBIDDEN:
        return before.status in MISSING
    return newest.status == HTTPStatus.NOT_FOUND and before.status in (HTTPStatus.NOT_FOUND, *_GONE)


def _reason(what: str, refusal: ApiError) -> str:
    if refusal.status == HTTPStatus.FORBIDDEN:
        lacking = f"the scope {refusal.scope}" if refusal.scope else "a role"
        return f"this API key may not use {what}: it lacks {lacking}"
    if refusal.status == HTTPStatus.NOT_FOUND:
        return f"{what} was not found"
    return f"{what} is gone from this account's API"


def _json(response: httpx.Response) -> Json:
    """Return the object that Retry parsed, or an empty one for a 204."""
    answer: Json = response.extensions.get(PARSED, {})
    return answer
