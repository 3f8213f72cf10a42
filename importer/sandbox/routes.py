"""The endpoints: path and method -> function, scope, body and status (OpenAPI)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from importer.sandbox import (
    children,
    editing,
    follow_ups,
    incidents,
    listing,
    postmortems,
    settings,
    shapes,
    status_pages,
)
from importer.sandbox.catalogue import Catalogue
from importer.sandbox.exchange import Exchange
from importer.sandbox.options import RateLimit
from importer.sandbox.payload import Record
from importer.sandbox.problems import Refusal
from importer.sandbox.records import Wire

STATUS_PAGE_LIMIT = RateLimit(limit=300, window=60)
"""5 requests a second with a burst of 300 (POST /v2/status_page_retrospective_incidents)."""


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """An endpoint. `scope` is empty if any valid key will do; `limit` is the endpoint's own rate limit."""

    method: str
    path: str
    answer: Callable[[Exchange], Wire]
    scope: str = ""
    body: Record | None = None
    status: int = 200
    limit: RateLimit | None = None

    @property
    def label(self) -> str:
        """The name in journals and faults, such as `POST /v2/incidents`."""
        return f"{self.method} {self.path}"


def _all(path: str, table: Callable[[Catalogue], Mapping[str, Wire]], scope: str = "") -> Route:
    """Return the unpaginated list of a table; its key in the answer is the last segment of the path."""
    return Route("GET", path, settings.all_of(path.rpartition("/")[2], table), scope)


def _paged(path: str, table: Callable[[Catalogue], Mapping[str, Wire]], scope: str = "") -> Route:
    """Return the paginated list of a table."""
    return Route("GET", path, settings.pages_of(path.rpartition("/")[2], table), scope)


def _post(
    path: str, answer: Callable[[Exchange], Wire], scope: str, body: Record, limit: RateLimit | None = None
) -> Route:
    """Return an endpoint that creates something."""
    return Route("POST", path, answer, scope, body, 201, limit)


def _delete(path: str, answer: Callable[[Exchange], Wire], scope: str) -> Route:
    """Return an endpoint that deletes something; its answer has no body. A second delete may succeed too."""

    def answer_again(exchange: Exchange) -> Wire:
        try:
            return answer(exchange)
        except Refusal as refusal:
            if refusal.status != 404 or exchange.account.options.second_delete == 404:
                raise
            return {}

    return Route("DELETE", path, answer_again, scope, status=204)


_INCIDENTS = (
    Route("GET", "/v2/incidents", listing.list_incidents, "incidents.view"),
    Route("POST", "/v2/incidents", incidents.create, "incidents.create", shapes.CREATE_INCIDENT),
    Route("GET", "/v2/incidents/{id}", incidents.show, "incidents.view"),
    Route("POST", "/v2/incidents/{id}/actions/edit", editing.edit, "incidents.view", shapes.EDIT_INCIDENT),
    Route("GET", "/v2/incident_updates", children.list_updates, "incidents.view"),
    Route("GET", "/v1/incident_relationships", children.list_relationships, "incidents.view"),
)
_OPTIONS = "/v1/custom_field_options"
_SETTINGS = (
    Route("GET", "/v1/identity", settings.show_identity),
    _all("/v1/severities", lambda account: account.severities, "severities.view"),
    Route("GET", "/v1/severities/{id}", settings.show_severity, "severities.view"),
    _all("/v1/incident_statuses", lambda account: account.statuses, "incident_statuses.view"),
    Route("GET", "/v1/incident_statuses/{id}", settings.show_status, "incident_statuses.view"),
    _all("/v1/incident_types", lambda account: account.types, "incident_types.view"),
    _all("/v2/incident_roles", lambda account: account.roles, "incident_roles.view"),
    _all("/v2/incident_timestamps", lambda account: account.timestamps),
    _all("/v2/custom_fields", lambda account: account.custom_fields, "custom_fields.view"),
    Route("GET", _OPTIONS, settings.list_options, "custom_fields.view"),
    _post(_OPTIONS, settings.create_option, "organisation_settings.update", shapes.CREATE_OPTION),
    Route("GET", "/v2/users", settings.list_users, "users.view"),
    _all("/v3/catalog_types", lambda account: account.catalog_types, "catalog_types.view"),
    Route("GET", "/v3/catalog_entries", settings.list_catalog_entries, "catalog_entries.view"),
    _paged("/v3/teams", lambda account: account.teams, "catalog_entries.view"),
    _all("/v2/workflows", lambda account: account.workflows, "workflows.view"),
    _paged("/v3/incident_forms", lambda account: account.forms),
)
_FOLLOW_UPS = (
    Route("GET", "/v2/follow_ups", follow_ups.before_v3(follow_ups.list_follow_ups), "actions.view"),
    Route("GET", "/v3/follow_ups", follow_ups.page_follow_ups, "actions.view"),
    *(
        route
        for path, body, version in (
            ("/v2/follow_ups", shapes.UPDATE_FOLLOW_UP_V2, follow_ups.before_v3),
            ("/v3/follow_ups", shapes.UPDATE_FOLLOW_UP_V3, lambda answer: answer),
        )
        for route in (
            _post(path, version(follow_ups.create_follow_up), "follow_ups.create", shapes.CREATE_FOLLOW_UP),
            Route("GET", f"{path}/{{id}}", version(follow_ups.show_follow_up), "actions.view"),
            Route("PUT", f"{path}/{{id}}", version(follow_ups.update_follow_up), "follow_ups.update", body),
        )
    ),
    _delete("/v3/follow_ups/{id}", follow_ups.delete_follow_up, "follow_ups.destroy"),
)
_ATTACHMENTS, _TIMELINE = "/v1/incident_attachments", "/v2/incident_timeline_items"
_CHILDREN = (
    Route("GET", "/v2/actions", children.list_actions, "actions.view"),
    _post("/v2/actions", children.create_action, "actions.create", shapes.CREATE_ACTION),
    Route("GET", _ATTACHMENTS, children.list_attachments, "attachments.view"),
    _delete(f"{_ATTACHMENTS}/{{id}}", children.delete_attachment, "attachments.destroy"),
    _post(_ATTACHMENTS, children.create_attachment, "attachments.create", shapes.CREATE_ATTACHMENT),
    Route("GET", _TIMELINE, children.list_timeline_items, "incidents.view"),
    _post(_TIMELINE, children.create_timeline_item, "timeline_items.create", shapes.CREATE_TIMELINE_ITEM),
    Route(
        "PATCH",
        f"{_TIMELINE}/{{id}}",
        children.update_timeline_item,
        "timeline_items.update",
        shapes.UPDATE_TIMELINE_ITEM,
    ),
    _post(
        "/v1/incident_memberships",
        children.create_membership,
        "incident_memberships.grant",
        shapes.CREATE_MEMBERSHIP,
    ),
)
_DOCUMENTS, _DOCUMENT = "/v1/postmortem_documents", "/v1/postmortem_documents/{id}"
_POSTMORTEMS = (
    Route("GET", _DOCUMENTS, postmortems.list_documents, "incidents.view"),
    Route("GET", _DOCUMENT, postmortems.show_document, "incidents.view"),
    Route(
        "PUT",
        _DOCUMENT,
        postmortems.update_status,
        "in_app_postmortems.update_status",
        shapes.UPDATE_POSTMORTEM,
    ),
    Route("GET", f"{_DOCUMENT}/content", postmortems.show_content, "in_app_postmortems.copy_as_markdown"),
    _post(
        f"{_DOCUMENTS}/actions/attach",
        postmortems.attach_document,
        "external_postmortems.create",
        shapes.ATTACH_POSTMORTEM,
    ),
    _post(
        "/v2/incidents/{id}/actions/import_postmortem_document",
        postmortems.import_document,
        "in_app_postmortems.import",
        shapes.IMPORT_POSTMORTEM,
    ),
)
_STATUS_PAGE_INCIDENT = "/v2/status_page_incidents/{status_page_incident_id}"
_STATUS_PAGES = (
    Route("GET", "/v2/status_pages", status_pages.list_pages),
    Route("GET", "/v2/status_page_structures/{status_page_id}", status_pages.show_structure),
    Route("GET", "/v2/status_page_incidents", status_pages.list_incidents),
    Route("GET", _STATUS_PAGE_INCIDENT, status_pages.show_incident),
    Route(
        "PUT",
        _STATUS_PAGE_INCIDENT,
        status_pages.rename_incident,
        "status_pages.publish_updates",
        shapes.UPDATE_STATUS_PAGE_INCIDENT,
    ),
    _post(
        "/v2/status_page_retrospective_incidents",
        status_pages.create_retrospective,
        "status_pages.publish_updates",
        shapes.CREATE_STATUS_PAGE_INCIDENT,
        STATUS_PAGE_LIMIT,
    ),
)
ROUTES = (*_INCIDENTS, *_SETTINGS, *_FOLLOW_UPS, *_CHILDREN, *_POSTMORTEMS, *_STATUS_PAGES)
ENDPOINTS = tuple(route.label for route in ROUTES)
"""The names that faults and journals use."""
