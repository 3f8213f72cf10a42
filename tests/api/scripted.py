"""A client with scripted answers, which records its requests."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx

from importer.api.client import Client, open_client
from importer.api.connection import Connection
from importer.api.transport import read_write_transport
from importer.api.waiting import WaitPolicy
from importer.model.settings import Rate
from tests.api.clocks import Waits

KEY = "inc_s3cret"
Answers = Callable[[httpx.Request], httpx.Response]


def wait_policy() -> WaitPolicy:
    return Waits().wait_policy


def client(answers: Answers, *, endpoint: str = "https://api.example") -> Client:
    stack = read_write_transport(httpx.MockTransport(answers), wait_policy(), Rate())
    return open_client(Connection(endpoint, KEY), stack)


class Routes:
    """Answers by method and path, and records the requests."""

    def __init__(self, **answers: Any) -> None:
        self.answers: dict[str, Any] = {}
        self.seen: list[httpx.Request] = []

    def on(self, route: str, *answers: Any) -> Routes:
        self.answers[route] = list(answers)
        return self

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        route = f"{request.method} {request.url.path}"
        found = self.answers.get(route)
        if found is None:
            return httpx.Response(404, json={"type": "not_found", "errors": [{"code": "not_found"}]})
        answer = found.pop(0) if len(found) > 1 else found[0]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    def bodies(self, route: str) -> list[Any]:
        return [json.loads(each.content) for each in self.seen if f"{each.method} {each.url.path}" == route]


def refused(status: int, **first: Any) -> httpx.Response:
    return httpx.Response(status, json={"type": "t", "errors": [first]})
