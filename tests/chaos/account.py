"""The account of one run: the sandbox in its own process, and its contents."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.chaos.behaviour import Behaviour

KEY = "sandbox-key"
"""The sandbox's key, which no output and no file of the importer may contain."""
COLLEAGUE = "sandbox-no-private"
"""Another key of the sandbox: what it makes was made by somebody else."""

_RATE = "1000000"
"""Requests per minute; faults bring their own 429s, and waiting for the real limit would test nothing."""

Wire = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Account:
    """A served sandbox. Its methods do what people do in incident.io's dashboard."""

    url: str
    client: httpx.Client

    def incidents(self) -> list[Wire]:
        """Return all incidents, oldest first."""
        return list(self._all("/v2/incidents", "incidents", sort_by="created_at_oldest_first"))

    def follow_ups(self) -> list[Wire]:
        """Return the follow-ups of all incidents."""
        return list(self._all("/v3/follow_ups", "follow_ups"))

    def timeline(self, incident_id: str) -> list[Wire]:
        """Return the timeline items of an incident."""
        path = "/v2/incident_timeline_items"
        return list(self._all(path, "incident_timeline_items", incident_id=incident_id))

    def attachments(self, incident_id: str) -> list[Wire]:
        """Return the attachments of an incident."""
        found: list[Wire] = self._get("/v1/incident_attachments", incident_id=incident_id)[
            "incident_attachments"
        ]
        return found

    def postmortems(self) -> list[Wire]:
        """Return the post-mortems of all incidents."""
        return list(self._all("/v1/postmortem_documents", "postmortem_documents"))

    def status_page_incidents(self, page: str) -> list[Wire]:
        """Return the incidents of the status page with this name."""
        pages = self._all("/v2/status_pages", "status_pages")
        page_id = next(each["id"] for each in pages if each["name"] == page)
        return list(self._all("/v2/status_page_incidents", "status_page_incidents", status_page_id=page_id))

    def journal(self) -> Wire:
        """Return the sandbox's journal."""
        return self._get("/sandbox/journal")

    def start_counting(self) -> None:
        """Reset the journal."""
        self.client.delete("/sandbox/journal").raise_for_status()

    def set_faults(self, faults: Wire) -> None:
        """Set the faults of coming requests."""
        self.client.put("/sandbox/faults", json=faults).raise_for_status()

    def create(self, payload: Wire) -> Wire:
        """Create an incident as somebody else would."""
        severity = self._get("/v1/severities")["severities"][0]["id"]
        made: Wire = self._post("/v2/incidents", {"severity_id": severity, **payload})["incident"]
        return made

    def edit(self, incident_id: str, fields: Wire) -> None:
        """Edit an incident in the dashboard."""
        body = {"incident": fields, "notify_incident_channel": False}
        self._post(f"/v2/incidents/{incident_id}/actions/edit", body)

    def follow_up(self, incident_id: str, title: str, *, token: str = KEY) -> Wire:
        """Add a follow-up, as the holder of an API key. No file declares its text, so it differs from a
        declared one of the same title."""
        body = {"incident_id": incident_id, "title": title, "description": "Written by hand."}
        made: Wire = self._post("/v2/follow_ups", body, token)["follow_up"]
        return made

    def timeline_item(self, incident_id: str, title: str, at: str, *, token: str = KEY) -> Wire:
        """Add a timeline item, as the holder of an API key."""
        body = {"incident_id": incident_id, "title": title, "timestamp": at}
        body["idempotency_key"] = f"by hand {incident_id} {title} {at} {token}"
        made: Wire = self._post("/v2/incident_timeline_items", body, token)["incident_timeline_item"]
        return made

    def attachment(self, incident_id: str, url: str) -> Wire:
        """Attach a link."""
        resource = {"resource_type": "arbitrary_url", "url": url}
        body = {"incident_id": incident_id, "resource": resource}
        made: Wire = self._post("/v1/incident_attachments", body)["incident_attachment"]
        return made

    def _all(self, path: str, name: str, **query: str) -> Iterator[Wire]:
        after: Mapping[str, str] = {}
        while True:
            answer = self._get(path, page_size="250", **query, **after)
            yield from answer[name]
            last = answer["pagination_meta"].get("after")
            if not last:
                return
            after = {"after": last}

    def _get(self, path: str, **query: str) -> Wire:
        found: Wire = self.client.get(path, params=query).raise_for_status().json()
        return found

    def _post(self, path: str, body: Wire, token: str = KEY) -> Wire:
        headers = {"Authorization": f"Bearer {token}"}
        made: Wire = self.client.post(path, json=body, headers=headers).raise_for_status().json()
        return made


def free_port() -> int:
    """Return a port on which nothing is served. One that a server chose by itself could not be used again."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def served(folder: Path, behaviour: Behaviour, port: int) -> Iterator[Account]:
    """Serve the account in a folder."""
    command = [sys.executable, "-m", "importer", "sandbox", "--port", str(port), "--rate-limit", _RATE]
    command += ["--data", str(folder / "account.db"), *behaviour.flags()]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "sandbox.log").open("ab") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, start_new_session=True
        )
        assert process.stdout is not None
        try:
            url = process.stdout.readline().decode().strip().rpartition("=")[2]
            headers = {"Authorization": f"Bearer {KEY}"}
            with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
                yield Account(url, client)
        finally:
            process.terminate()
            process.wait(30)
            process.stdout.close()


def environment(url: str, scratch: Path) -> dict[str, str]:
    """Return the environment of commands for an account, with `scratch` as their temporary folder."""
    kept = {
        name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "VIRTUAL_ENV")
    }
    root = str(Path(__file__).parents[2])
    return kept | {
        "PYTHONPATH": root,
        "TMPDIR": str(scratch),
        "INCIDENT_API_KEY": KEY,
        "INCIDENT_ENDPOINT": url,
    }
