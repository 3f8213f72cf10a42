"""The paths of the API, each defined once."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from importer.model.steps import Id

ATTACHMENTS: Final = "/v1/incident_attachments"
CATALOG_ENTRIES: Final = "/v3/catalog_entries"
CUSTOM_FIELDS: Final = "/v2/custom_fields"
CUSTOM_FIELD_OPTIONS: Final = "/v1/custom_field_options"
FOLLOW_UPS: Final = "/v3/follow_ups"
FOLLOW_UPS_BEFORE: Final = "/v2/follow_ups"
"""Version 2, for accounts that lack version 3 (API page Follow-ups V2: removed on 31 December 2026)."""
IDENTITY: Final = "/v1/identity"
INCIDENTS: Final = "/v2/incidents"
INCIDENT_ROLES: Final = "/v2/incident_roles"
INCIDENT_STATUSES: Final = "/v1/incident_statuses"
INCIDENT_TIMESTAMPS: Final = "/v2/incident_timestamps"
INCIDENT_TYPES: Final = "/v1/incident_types"
MEMBERSHIPS: Final = "/v1/incident_memberships"
POSTMORTEMS: Final = "/v1/postmortem_documents"
SEVERITIES: Final = "/v1/severities"
STATUS_PAGES: Final = "/v2/status_pages"
STATUS_PAGE_INCIDENTS: Final = "/v2/status_page_incidents"
STATUS_PAGE_HISTORY: Final = "/v2/status_page_retrospective_incidents"
STATUS_PAGE_STRUCTURES: Final = "/v2/status_page_structures"
TIMELINE: Final = "/v2/incident_timeline_items"
USERS: Final = "/v2/users"
WORKFLOWS: Final = "/v2/workflows"


def below(path: str, *segments: Id) -> str:
    """Return a path with segments appended. They are quoted, since an ID may be arbitrary user input."""
    return "/".join(
        [path, *(quote(each, safe="") if isinstance(each, str) else each.value for each in segments)]
    )
