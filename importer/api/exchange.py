"""One request to the API -> its JSON or an error; a list -> its items over all pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import datetime
from typing import Any, TypeVar

import httpx

from importer.api.rate_limits import date
from importer.api.retry import PARSED, REPEATABLE
from importer.model.errors import ApiError, NoAnswer, NotAvailable
from importer.wire import paths
from importer.wire.errors import error
from importer.wire.incidents import Json, parsing
from importer.wire.requests import Request

PAGE_SIZE = 250
"""The largest page that the API allows for incidents and for most other lists."""

MISSING = (403, 404, 405, 410)
"""How an account answers where it lacks an endpoint, or its key may not use it."""

Parameters = Mapping[str, str]
T = TypeVar("T")


class Exchange:
    """Sends requests and reads their answers; raises ApiError, NoAnswer and Interrupted."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self._lacks_newest = False

    @property
    def endpoint(self) -> str:
        return str(self._http.base_url).rstrip("/")

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, parameters: Parameters | None = None) -> Json:
        """Return the JSON of a GET."""
        return _json(self._send("GET", path, params=dict(parameters or {})))

    def get_list(self, path: str, key: str, parameters: Parameters | None = None) -> tuple[Json, ...]:
        """Return the items of a list that has no pages."""
        with parsing(f"a list of {key}"):
            return tuple(self.get(path, parameters)[key] or ())

    def get_pages(
        self, path: str, key: str, parameters: Parameters | None = None, *, page_size: int = PAGE_SIZE
    ) -> Iterator[Json]:
        """Yield the items of a list page by page, none of them twice.

        The last page has no cursor, a null or empty one, or no items. Raises NoAnswer where a cursor comes
        again: a list cut short in silence would make a plan create what is there.
        """
        seen: set[str] = set()
        cursors: set[str] = set()
        first = {**(parameters or {}), "page_size": str(page_size)}
        turn = first
        while True:
            page = self.get(path, turn)
            with parsing(f"a page of {key}"):
                items = page[key] or ()
                fresh = {each["id"]: each for each in items if each["id"] not in seen}
                after = (page.get("pagination_meta") or {}).get("after")
            yield from fresh.values()
            if not items or not after:
                return
            if after in cursors:
                raise NoAnswer(f"the pages of {path} repeat themselves, so the list cannot be trusted")
            seen.update(fresh)
            cursors.add(after)
            turn = {**first, "after": after}

    def get_follow_ups(self, parameters: Parameters) -> tuple[Json, ...]:
        """Return the follow-ups of a list."""
        return self._of_some_version(
            paths.FOLLOW_UPS, lambda path: tuple(self.get_pages(path, "follow_ups", parameters))
        )

    def send(self, request: Request) -> tuple[Json, datetime | None]:
        """Send a write, byte for byte; return the answer with the server's own time.

        After a doubtful answer one that is not repeatable ends in NoAnswer. Raises NotAvailable where the
        account lacks an endpoint that not every account has.
        """
        with may_be_missing(request.path) if request.optional else nullcontext():
            response = self._of_some_version(request.path, lambda path: self._write(request, path))
        return _json(response), date(response.headers.get("date", ""))

    def _write(self, request: Request, path: str) -> httpx.Response:
        return self._send(
            request.method,
            path,
            content=request.content.encode("ascii"),
            headers={"Content-Type": "application/json"},
            extensions={REPEATABLE: request.repeatable},
        )

    def _of_some_version(self, path: str, ask: Callable[[str], T]) -> T:
        """Ask the newest version of an endpoint, or the one before it where the account lacks the newest. A
        refusal is no doubt: nothing was made."""
        if not path.startswith(paths.FOLLOW_UPS):
            return ask(path)
        before = path.replace(paths.FOLLOW_UPS, paths.FOLLOW_UPS_BEFORE, 1)
        try:
            return ask(before if self._lacks_newest else path)
        except ApiError as refusal:
            if refusal.status not in MISSING or self._lacks_newest:
                raise
        answer = ask(before)
        self._lacks_newest = True
        return answer

    def _send(self, method: str, path: str, **content: Any) -> httpx.Response:
        response = self._http.request(method, path, **content)
        if response.is_success:
            return response
        raise error(response.status_code, response.headers, response.text)


@contextmanager
def may_be_missing(what: str) -> Iterator[None]:
    """Turn the refusal of an endpoint that an account may lack into NotAvailable."""
    try:
        yield
    except ApiError as refusal:
        if refusal.status in MISSING:
            raise NotAvailable(f"no {what} here: {refusal.summary}", hint=refusal.hint) from refusal
        raise


def _json(response: httpx.Response) -> Json:
    """Return the object that Retry has found in an answer; a 204 has none."""
    answer: Json = response.extensions.get(PARSED, {})
    return answer
