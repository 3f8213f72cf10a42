"""One request to the API -> its JSON or an error; a list -> its items over all pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx

from importer.api.rate_limits import date
from importer.api.retry import PARSED, REPEATABLE
from importer.model.errors import NoAnswer
from importer.wire.errors import error
from importer.wire.incidents import Json, understood

PAGE_SIZE = 250
"""The largest page that the API allows for incidents and for most other lists."""

Parameters = Mapping[str, str]


class Exchange:
    """Sends requests and reads their answers; raises ApiError, NoAnswer and Interrupted."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

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
        with understood(f"a list of {key}"):
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
            with understood(f"a page of {key}"):
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

    def send(self, method: str, path: str, body: Json) -> Json:
        """Send what is safe to send twice: it has an idempotency key, or it sets values."""
        return _json(self._send(method, path, json=body))

    def send_dated(self, path: str, body: Json) -> tuple[Json, datetime | None]:
        """POST what is safe to send twice; return the answer with the server's own time."""
        response = self._send("POST", path, json=body)
        return _json(response), date(response.headers.get("date", ""))

    def send_once(self, path: str, body: Json) -> Json:
        """POST what would make a second thing if it were sent again; NoAnswer after any doubtful answer."""
        return _json(self._send("POST", path, json=body, extensions={REPEATABLE: False}))

    def _send(self, method: str, path: str, **content: Any) -> httpx.Response:
        response = self._http.request(method, path, **content)
        if response.is_success:
            return response
        raise error(response.status_code, response.headers, response.text)


def segment(raw: str) -> str:
    """Return a path segment for an ID, or for whatever somebody wrote in its place."""
    return quote(raw, safe="")


def _json(response: httpx.Response) -> Json:
    """Return the object that Retry has found in an answer; a 204 has none."""
    answer: Json = response.extensions.get(PARSED, {})
    return answer
