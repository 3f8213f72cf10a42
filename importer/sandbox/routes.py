"""The endpoints: which path and method is answered by which function, with which scope, body and status
(OpenAPI)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from importer.sandbox import children, incidents, listing, postmortems, settings, shapes, status_pages
from importer.sandbox.exchange import Exchange
from importer.sandbox.options import RateLimit
from importer.sandbox.payload import Record
from importer.sandbox.records import Wire

STATUS_PAGE_LIMIT = RateLimit(limit=300, window=60)
"""5 requests a second with a burst of 300 (POST /v2/status_page_retrospective_incidents)."""


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """An endpoint. `scope` is empty where any valid key will do; `limit` is the endpoint's own rate limit."""

    method: str
    path: str
    answer: Callable[[Exchange], Wire]
    scope: str = ""
    body: Record | None = None
    status: int = 200
    limit: RateLimit | None = None

    @property
    def label(self) -> str:
        """`POST /v2/incidents`: the name in journals and faults."""
        return f"{self.method} {self.path}"


_INCIDENTS = (
    Route("GET", "/v2/incidents", listing.list_incidents, "incidents.view"),
    Route("POST", "/v2/incidents", incidents.create, "incidents.create", shapes.CREATE_INCIDENT),
    Route("GET", "/v2/incidents/{id}", incidents.show, "incidents.view"),
    Route("POST", "/v2/incidents/{id}/actions/edit", incidents.edit, "incidents.view", shapes.EDIT_INCIDENT),
    Route("GET", "/v2/incident_updates", children.list_updates, "incidents.view"),
    Route("GET", "/v1/incident_relationships", children.list_relationships, "incidents.view"),
)
_SETTINGS = (
    Route("GET", "/v1/identity", settings.show_identity),
    Route(
        "GET",
        "/v1/severities",
        settings.all_of("severities", lambda catalogue: catalogue.severities.values()),
        "severities.view",
    ),
    Route("GET", "/v1/severities/{id}", settings.show_severity, "severities.view"),
    Route(
        "GET",
        "/v1/incident_statuses",
        settings.all_of("incident_statuses", lambda catalogue: catalogue.statuses.values()),
        "incident_statuses.view",
    ),
    Route("GET", "/v1/incident_statuses/{id}", settings.show_status, "incident_statuses.view"),
    Route(
        "GET",
        "/v1/incident_types",
        settings.all_of("incident_types", lambda catalogue: catalogue.types.values()),
        "incident_types.view",
    ),
    Route(
        "GET",
        "/v2/incident_roles",
        settings.all_of("incident_roles", lambda catalogue: catalogue.roles.values()),
        "incident_roles.view",
    ),
    Route(
        "GET",
        "/v2/incident_timestamps",
        settings.all_of("incident_timestamps", lambda catalogue: catalogue.timestamps.values()),
    ),
    Route(
        "GET",
        "/v2/custom_fields",
        settings.all_of("custom_fields", lambda catalogue: catalogue.custom_fields.values()),
        "custom_fields.view",
    ),
    Route("GET", "/v1/custom_field_options", settings.list_options, "custom_fields.view"),
    Route(
        "POST",
        "/v1/custom_field_options",
        settings.create_option,
        "organisation_settings.update",
        shapes.CREATE_OPTION,
        201,
    ),
    Route("GET", "/v2/users", settings.list_users, "users.view"),
    Route(
        "GET",
        "/v3/catalog_types",
        settings.all_of("catalog_types", lambda catalogue: catalogue.catalog_types.values()),
        "catalog_types.view",
    ),
    Route("GET", "/v3/catalog_entries", settings.list_catalog_entries, "catalog_entries.view"),
    Route(
        "GET",
        "/v3/teams",
        settings.pages_of("teams", lambda catalogue: catalogue.teams.values()),
        "catalog_entries.view",
    ),
    Route(
        "GET",
        "/v2/workflows",
        settings.all_of("workflows", lambda catalogue: catalogue.workflows.values()),
        "workflows.view",
    ),
    Route(
        "GET",
        "/v3/incident_forms",
        settings.pages_of("incident_forms", lambda catalogue: catalogue.forms.values()),
    ),
)
_FOLLOW_UPS = (
    Route("GET", "/v2/follow_ups", children.list_follow_ups, "actions.view"),
    Route("GET", "/v3/follow_ups", children.page_follow_ups, "actions.view"),
    *(
        route
        for version, update in (("v2", shapes.UPDATE_FOLLOW_UP_V2), ("v3", shapes.UPDATE_FOLLOW_UP_V3))
        for route in (
            Route(
                "POST",
                f"/{version}/follow_ups",
                children.create_follow_up,
                "follow_ups.create",
                shapes.CREATE_FOLLOW_UP,
                201,
            ),
            Route("GET", f"/{version}/follow_ups/{{id}}", children.show_follow_up, "actions.view"),
            Route(
                "PUT",
                f"/{version}/follow_ups/{{id}}",
                children.update_follow_up,
                "follow_ups.update",
                update,
            ),
        )
    ),
)
_CHILDREN = (
    Route("GET", "/v2/actions", children.list_actions, "actions.view"),
    Route("POST", "/v2/actions", children.create_action, "actions.create", shapes.CREATE_ACTION, 201),
    Route("GET", "/v1/incident_attachments", children.list_attachments, "attachments.view"),
    Route(
        "POST",
        "/v1/incident_attachments",
        children.create_attachment,
        "attachments.create",
        shapes.CREATE_ATTACHMENT,
        201,
    ),
    Route("GET", "/v2/incident_timeline_items", children.list_timeline_items, "incidents.view"),
    Route(
        "POST",
        "/v2/incident_timeline_items",
        children.create_timeline_item,
        "timeline_items.create",
        shapes.CREATE_TIMELINE_ITEM,
        201,
    ),
    Route(
        "PATCH",
        "/v2/incident_timeline_items/{id}",
        children.update_timeline_item,
        "timeline_items.update",
        shapes.UPDATE_TIMELINE_ITEM,
    ),
    Route(
        "POST",
        "/v1/incident_memberships",
        children.create_membership,
        "incident_memberships.grant",
        shapes.CREATE_MEMBERSHIP,
        201,
    ),
)
_POSTMORTEMS = (
    Route("GET", "/v1/postmortem_documents", postmortems.list_documents, "incidents.view"),
    Route("GET", "/v1/postmortem_documents/{id}", postmortems.show_document, "incidents.view"),
    Route(
        "PUT",
        "/v1/postmortem_documents/{id}",
        postmortems.update_status,
        "in_app_postmortems.update_status",
        shapes.UPDATE_POSTMORTEM,
    ),
    Route(
        "GET",
        "/v1/postmortem_documents/{id}/content",
        postmortems.show_content,
        "in_app_postmortems.copy_as_markdown",
    ),
    Route(
        "POST",
        "/v1/postmortem_documents/actions/attach",
        postmortems.attach_document,
        "external_postmortems.create",
        shapes.ATTACH_POSTMORTEM,
        201,
    ),
    Route(
        "POST",
        "/v2/incidents/{id}/actions/import_postmortem_document",
        postmortems.import_document,
        "in_app_postmortems.import",
        shapes.IMPORT_POSTMORTEM,
        201,
    ),
)
_STATUS_PAGES = (
    Route("GET", "/v2/status_pages", status_pages.list_pages),
    Route("GET", "/v2/status_page_structures/{status_page_id}", status_pages.show_structure),
    Route("GET", "/v2/status_page_incidents", status_pages.list_incidents),
    Route(
        "POST",
        "/v2/status_page_retrospective_incidents",
        status_pages.create_retrospective,
        "status_pages.publish_updates",
        shapes.CREATE_STATUS_PAGE_INCIDENT,
        201,
        STATUS_PAGE_LIMIT,
    ),
)
ROUTES: tuple[Route, ...] = (
    *_INCIDENTS,
    *_SETTINGS,
    *_FOLLOW_UPS,
    *_CHILDREN,
    *_POSTMORTEMS,
    *_STATUS_PAGES,
)
