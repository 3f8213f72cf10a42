"""A sandbox full of incidents of every kind: open and closed, live and imported, private, with children."""

from __future__ import annotations

from typing import Any

import httpx

from importer.sandbox import Sandbox, default_seed

HOSTILE = (
    "no",
    "1_000",
    "22:30:00",
    "- a: b #c",
    "'quoted' \"twice\"",
    "Zürich 🚨 é",
    "tab\there",
    "two\nlines",
    "\u202eturned\u202c",
    "<b>@channel</b> ``` | {{ x }}",
)
CLOSED = ("Closed", "Closed", "Closed", "Declined", "Canceled", "Merged", "Documenting")
OPEN = ("Investigating", "Paused", "Triage")
ALIASES = """\
version: 1
aliases:
  severity: {Minor: SEV3, Major: SEV2, Critical: SEV1}
  timestamps: {Closed at: null}
  users: {tomas@example.com: null}
"""
"""The other company's importer.yaml, with aliases for the names of the first."""


def seed_of_another_company() -> dict[str, Any]:
    """Return the seed of an account with other IDs, severities and timestamps, one user fewer, and its own numbers."""
    seed = default_seed()
    seed |= {"name": "Other", "dashboard_url": "https://app.incident.io/other", "features": []}
    seed["severities"] = ["SEV3", "SEV2", "SEV1"]
    seed["incident_timestamps"] = [
        each for each in seed["incident_timestamps"] if each["name"] != "Closed at"
    ]
    seed["users"] = [each for each in seed["users"] if each["name"] != "Tomás Herrera"]
    seed["teams"] = []
    for number, each in enumerate((*seed["custom_fields"], *seed["users"])):
        each["id"] = f"01OTHER{number:019}"
    return seed


class Filler:
    """Creates incidents in a sandbox as people and scripts would, with the names of its catalogue."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._client = httpx.Client(
            transport=httpx.WSGITransport(app=sandbox.app),
            base_url="http://sandbox",
            headers={"Authorization": "Bearer sandbox-key"},
        )
        self._ids = {path: self._named(path) for path in _LISTS}
        self._fields = self._named("/v2/custom_fields")
        self._options = {name: self._options_of(identity) for name, identity in self._fields.items()}
        self._entries = self._entries_of()

    def fill(self, count: int) -> list[dict[str, Any]]:
        """Create this many incidents, one in ten still open, and return them."""
        return [self.incident(number) for number in range(count)]

    def incident(self, number: int) -> dict[str, Any]:
        """Create the incident with this number, which is always the same."""
        is_open = number % 10 == 9
        mode = "standard" if is_open or number % 3 == 0 else "retrospective"
        body: dict[str, Any] = {
            "idempotency_key": f"filled-{number}",
            "visibility": "private" if number % 7 == 3 else "public",
            "mode": mode,
            "name": f"{HOSTILE[number % len(HOSTILE)]} {number}",
            "summary": f"What happened:\n\n* {HOSTILE[number % len(HOSTILE)]}\n  and more  \nof it"
            * (number % 4),
            "severity_id": self._id("/v1/severities", ("Minor", "Major", "Critical")[number % 3]),
            "incident_type_id": self._id(
                "/v1/incident_types",
                "Security" if number % 14 == 3 else ("Production", "Internal")[number % 2],
            ),
            "incident_status_id": self._id(
                "/v1/incident_statuses", OPEN[number % 3] if is_open else CLOSED[number % 7]
            ),
            "incident_timestamp_values": self._timestamps(number),
            "incident_role_assignments": self._roles(number),
            "custom_field_entries": self._custom_fields(number),
        }
        if mode == "retrospective" and number % 4 == 1:
            url = f"https://docs.example.com/{number}"
            body["retrospective_incident_options"] = {"postmortem_document_url": url}
        made: dict[str, Any] = self.post("/v2/incidents", body)["incident"]
        return made

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self._client.post(path, json=body)
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def add_children(self, incident: dict[str, Any]) -> None:
        """Add a child of each kind that can be read back."""
        owner = {"incident_id": incident["id"]}
        lisa = self._id("/v2/users", "Lisa Karlsson")
        for title in ("Add an alert", "Add an alert", "no"):
            labels = ["db", "later"]
            self.post("/v3/follow_ups", {**owner, "title": title, "assignee_id": lisa, "labels": labels})
        url = {"resource_type": "arbitrary_url", "url": "https://example.com/graph", "title": "Graph"}
        self.post("/v1/incident_attachments", {**owner, "resource": url})
        issue = {"resource_type": "jira_issue", "external_id": "JIRA-1"}
        self.post("/v1/incident_attachments", {**owner, "resource": issue})
        item = {"timestamp": "2021-03-01T10:05:00Z", "title": "Rolled back", "description": "To\n\nv411"}
        self.post("/v2/incident_timeline_items", {**owner, **item, "idempotency_key": incident["id"]})
        path = f"/v2/incidents/{incident['id']}/actions/import_postmortem_document"
        self.post(path, {"title": "What we learnt", "content": "# Learnt\n\nA lot."})

    def _timestamps(self, number: int) -> list[dict[str, Any]]:
        names = ("Impact started at", "Resolved at", "Closed at")[: number % 4]
        path = "/v2/incident_timestamps"
        return [
            {
                "incident_timestamp_id": self._id(path, name),
                "value": f"{2019 + number % 6}-{number % 12 + 1:02}-03T{10 + place}:00:00.{number % 1000:03}Z",
            }
            for place, name in enumerate(names)
        ]

    def _roles(self, number: int) -> list[dict[str, Any]]:
        people = ("Lisa Karlsson", "Bob Okafor", "Tomás Herrera")
        roles = ("Incident Lead", "Reporter", "Scribe")[: number % 4]
        return [
            {
                "incident_role_id": self._id("/v2/incident_roles", role),
                "assignee": {"id": self._id("/v2/users", people[(number + place) % 3])},
            }
            for place, role in enumerate(roles)
        ]

    def _custom_fields(self, number: int) -> list[dict[str, Any]]:
        services = self._options["Affected services"]
        values: dict[str, list[dict[str, str]]] = {
            "Affected services": [
                {"value_option_id": services[name]} for name in sorted(services)[: number % 3]
            ],
            "Root cause": [{"value_option_id": self._options["Root cause"]["Capacity"]}],
            "Customers affected": [{"value_numeric": f"{number}.50"}],
            "Legacy ID": [{"value_text": f"OLD-{number}"}],
            "Runbook": [{"value_link": f"https://example.com/runbook?n={number}#top"}],
            "Affected teams": [{"value_catalog_entry_id": self._entries["Payments"]}],
        }
        names = sorted(values)[number % 5 :]
        return [{"custom_field_id": self._fields[name], "values": values[name]} for name in names]

    def _id(self, path: str, name: str) -> str:
        return self._ids[path][name]

    def _get(self, path: str, **query: str) -> dict[str, Any]:
        found: dict[str, Any] = self._client.get(path, params=query).raise_for_status().json()
        return found

    def _named(self, path: str) -> dict[str, str]:
        key = path.rpartition("/")[2]
        return {each["name"]: each["id"] for each in self._get(path, page_size="250")[key]}

    def _options_of(self, identity: str) -> dict[str, str]:
        found = self._get("/v1/custom_field_options", custom_field_id=identity, page_size="250")
        return {each["value"]: each["id"] for each in found["custom_field_options"]}

    def _entries_of(self) -> dict[str, str]:
        fields = self._get("/v2/custom_fields")["custom_fields"]
        types = {each["catalog_type_id"] for each in fields if "catalog_type_id" in each}
        return {
            entry["name"]: entry["id"]
            for identity in sorted(types)
            for entry in self._get("/v3/catalog_entries", catalog_type_id=identity)["catalog_entries"]
        }


_LISTS = (
    "/v1/severities",
    "/v1/incident_statuses",
    "/v1/incident_types",
    "/v2/incident_roles",
    "/v2/incident_timestamps",
    "/v2/users",
)
