"""Shared by the sandbox's tests: an in-process client, a clock that advances in sleep, and names of the account."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from importer.sandbox import Sandbox, SandboxOptions, open_sandbox

NOON = 1_700_000_000.0
"""2023-11-14T22:13:20Z."""


class Clock:
    """Seconds since 1970, which pass only in sleep."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Api:
    """A sandbox and a client for it with one key."""

    def __init__(self, sandbox: Sandbox, clock: Clock, key: str = "sandbox-key") -> None:
        self.sandbox = sandbox
        self.clock = clock
        self.http = httpx.Client(
            transport=httpx.WSGITransport(app=sandbox.app),
            base_url="http://sandbox",
            headers={"Authorization": f"Bearer {key}"},
        )
        self._keys = itertools.count(1)

    def with_key(self, key: str) -> Api:
        """Return a client for the same sandbox with another key."""
        return Api(self.sandbox, self.clock, key)

    def get(self, path: str, **query: Any) -> Any:
        """Return the JSON of a GET that must succeed."""
        answer = self.http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any, status: int = 201) -> Any:
        """Return the JSON of a POST that must have this status."""
        answer = self.http.post(path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def id_of(self, path: str, name: str) -> str:
        """Return the ID of the object with this name in a list."""
        answer = self.get(path, page_size=250)
        (things,) = (value for word, value in answer.items() if word != "pagination_meta")
        found: str = next(thing["id"] for thing in things if thing["name"] == name)
        return found

    def severity(self, name: str) -> str:
        return self.id_of("/v1/severities", name)

    def status(self, name: str) -> str:
        return self.id_of("/v1/incident_statuses", name)

    def incident_type(self, name: str) -> str:
        return self.id_of("/v1/incident_types", name)

    def role(self, name: str) -> str:
        return self.id_of("/v2/incident_roles", name)

    def timestamp(self, name: str) -> str:
        return self.id_of("/v2/incident_timestamps", name)

    def field(self, name: str) -> str:
        return self.id_of("/v2/custom_fields", name)

    def option(self, field: str, value: str) -> str:
        options = self.get("/v1/custom_field_options", custom_field_id=self.field(field))
        found: str = next(each["id"] for each in options["custom_field_options"] if each["value"] == value)
        return found

    def entry(self, field: str, values: list[dict[str, str]]) -> dict[str, Any]:
        """Return a custom field entry of a payload."""
        return {"custom_field_id": self.field(field), "values": values}

    def payload(self, **more: Any) -> dict[str, Any]:
        """Return the payload of a retrospective incident with a new idempotency key."""
        return {
            "idempotency_key": f"key-{next(self._keys)}",
            "visibility": "public",
            "mode": "retrospective",
            "name": "Payments failed",
            **more,
        }

    def create(self, **more: Any) -> dict[str, Any]:
        made: dict[str, Any] = self.post("/v2/incidents", self.payload(**more), 200)["incident"]
        return made

    def edit(self, identifier: str, changes: dict[str, Any], status: int = 200, **more: Any) -> Any:
        body = {"incident": changes, "notify_incident_channel": False, **more}
        return self.post(f"/v2/incidents/{identifier}/actions/edit", body, status)

    def refusals(self, path: str, body: Any, status: int = 422) -> dict[str, str]:
        """Return the code of each problem by its field."""
        answer = self.post(path, body, status)
        return {each.get("source", {}).get("field", ""): each["code"] for each in answer["errors"]}


@pytest.fixture
def open_api() -> Iterator[Callable[..., Api]]:
    """Return a function that opens a sandbox in memory with some options."""
    opened: list[Sandbox] = []

    def open_one(seed: Any = None, **options: Any) -> Api:
        clock = Clock()
        sandbox = open_sandbox(
            None, seed=seed, options=SandboxOptions(**options), clock=clock, sleep=clock.sleep
        )
        opened.append(sandbox)
        return Api(sandbox, clock)

    yield open_one
    for sandbox in opened:
        sandbox.close()


@pytest.fixture
def api(open_api: Callable[..., Api]) -> Api:
    """Return the default sandbox in memory."""
    return open_api()


class Shown:
    """Reads answers."""

    @staticmethod
    def values(incident: dict[str, Any], field: str) -> list[dict[str, Any]]:
        """Return a custom field's values in an answer."""
        return next(
            entry["values"]
            for entry in incident["custom_field_entries"]
            if entry["custom_field"]["name"] == field
        )

    @staticmethod
    def timestamps(incident: dict[str, Any]) -> dict[str, str]:
        """Return the timestamps of an answer that are set."""
        return {
            each["incident_timestamp"]["name"]: each["value"]["value"]
            for each in incident["incident_timestamp_values"]
            if "value" in each
        }

    @staticmethod
    def assignees(incident: dict[str, Any]) -> dict[str, str]:
        """Return the emails of an answer's assigned roles."""
        return {
            each["role"]["name"]: each["assignee"]["email"]
            for each in incident["incident_role_assignments"]
            if "assignee" in each
        }


@pytest.fixture
def shown() -> Shown:
    """Return the reader of answers."""
    return Shown()
