"""The request bodies of incident.io's API (from the OpenAPI schemas of the same names)."""

from __future__ import annotations

from importer.sandbox.payload import ListOf, Moment, Record, Shape, Text, Truth, Whole

_TEXT = Text()


def _choices(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _texts(names: str) -> dict[str, Shape]:
    return dict.fromkeys(names.split(), _TEXT)


_MODES = Text(("standard", "retrospective", "test", "tutorial"))
_FOLLOW_UP_STATUS = Text(("outstanding", "completed", "deleted", "not_doing"))

_CUSTOM_FIELD_VALUE = Record(
    "CustomFieldValuePayloadV2",
    optional=_texts(
        "id value_catalog_entry_id value_link value_numeric value_option_id value_text value_timestamp"
    ),
)
_CUSTOM_FIELD_ENTRY = Record(
    "CustomFieldEntryPayloadV2", {"custom_field_id": _TEXT, "values": ListOf(_CUSTOM_FIELD_VALUE)}
)
_USER_REFERENCE = Record("UserReferencePayloadV2", optional=_texts("email id slack_user_id"))
_ROLE_ASSIGNMENT = Record(
    "IncidentRoleAssignmentPayloadV2",
    {"incident_role_id": _TEXT},
    {"assignee": _USER_REFERENCE},
    frozenset({"assignee"}),
)
_TIMESTAMP_VALUE = Record(
    "IncidentTimestampValuePayloadV2",
    {"incident_timestamp_id": _TEXT},
    {"value": Moment()},
    frozenset({"value"}),
)
_ASSIGNMENTS: dict[str, Shape] = {
    "custom_field_entries": ListOf(_CUSTOM_FIELD_ENTRY),
    "incident_role_assignments": ListOf(_ROLE_ASSIGNMENT),
    "incident_timestamp_values": ListOf(_TIMESTAMP_VALUE),
}
_INCIDENT_TEXTS = _texts("incident_status_id name severity_id slack_channel_name_override summary")

CREATE_INCIDENT = Record(
    "IncidentsCreatePayloadV2",
    {"idempotency_key": _TEXT, "visibility": Text(("public", "private"))},
    {
        **_ASSIGNMENTS,
        **_INCIDENT_TEXTS,
        "incident_type_id": _TEXT,
        "mode": _MODES,
        "retrospective_incident_options": Record(
            "RetrospectiveIncidentOptionsV2",
            optional={"external_id": Whole(), "postmortem_document_url": _TEXT, "slack_channel_id": _TEXT},
        ),
        "slack_team_id": _TEXT,
    },
)
EDIT_INCIDENT = Record(
    "IncidentsEditPayloadV2",
    {
        "incident": Record(
            "IncidentEditPayloadV2", optional={**_ASSIGNMENTS, **_INCIDENT_TEXTS, "call_url": _TEXT}
        ),
        "notify_incident_channel": Truth(),
    },
)
IMPORT_POSTMORTEM = Record("IncidentsImportPostmortemDocumentPayloadV2", {"content": _TEXT, "title": _TEXT})
_PROVIDERS = _choices(
    """confluence google_docs notion sharepoint incident_io copy_paste_basecamp copy_paste_confluence
    copy_paste_github_wiki copy_paste_google_docs copy_paste_notion copy_paste_quip"""
)
ATTACH_POSTMORTEM = Record(
    "PostmortemDocumentsAttachPayloadV1",
    {"incident_id": _TEXT, "permalink": _TEXT},
    {"document_provider": Text(("", *_PROVIDERS))},
)
UPDATE_POSTMORTEM = Record(
    "PostmortemDocumentsUpdateStatusPayloadV1", {"status": Text(("in_progress", "in_review", "completed"))}
)
CREATE_OPTION = Record(
    "CustomFieldOptionsCreatePayloadV1", {"custom_field_id": _TEXT, "value": _TEXT}, {"sort_key": Whole()}
)
_FOLLOW_UP = {
    **_texts("assignee_id assignee_team_id description follow_up_category_id follow_up_priority_option_id"),
    "labels": ListOf(_TEXT),
}
CREATE_FOLLOW_UP = Record(
    "FollowUpsCreatePayload",
    {"incident_id": _TEXT, "title": _TEXT},
    {**_FOLLOW_UP, "external_issue_reference_id": _TEXT},
)
_CLEARABLE = frozenset(
    {"assignee_id", "assignee_team_id", "follow_up_category_id", "follow_up_priority_option_id"}
)
UPDATE_FOLLOW_UP_V2 = Record(
    "FollowUpsUpdatePayloadV2",
    optional={**_FOLLOW_UP, "status": _FOLLOW_UP_STATUS, "title": _TEXT},
    clearable=_CLEARABLE,
)
UPDATE_FOLLOW_UP_V3 = Record(
    "FollowUpsUpdatePayloadV3",
    {"status": _FOLLOW_UP_STATUS, "title": _TEXT},
    _FOLLOW_UP,
    clearable=_CLEARABLE,
)
CREATE_ACTION = Record(
    "ActionsCreatePayloadV2", {"description": _TEXT, "incident_id": _TEXT}, {"assignee_id": _TEXT}
)
_RESOURCE_TYPES = _choices(
    """pager_duty_incident opsgenie_alert datadog_monitor_alert github_pull_request gitlab_merge_request
    sentry_issue jira_issue jsm_alert atlassian_statuspage_incident zendesk_ticket google_calendar_event
    outlook_calendar_event slack_file salesforce_case pylon_issue arbitrary_url scrubbed
    statuspage_incident"""
)
CREATE_ATTACHMENT = Record(
    "IncidentAttachmentsCreatePayloadV1",
    {
        "incident_id": _TEXT,
        "resource": Record(
            "ExternalResourcePayloadV1",
            {"resource_type": Text(_RESOURCE_TYPES)},
            {"emoji": _TEXT, "external_id": _TEXT, "title": _TEXT, "url": _TEXT},
        ),
    },
)
CREATE_TIMELINE_ITEM = Record(
    "IncidentTimelineItemsCreatePayloadV2",
    {"idempotency_key": _TEXT, "incident_id": _TEXT, "timestamp": Moment(), "title": _TEXT},
    {"description": _TEXT},
)
UPDATE_TIMELINE_ITEM = Record(
    "IncidentTimelineItemsUpdatePayloadV2",
    optional={"timestamp": Moment(), "title": _TEXT, "description": _TEXT},
)
UPDATE_STATUS_PAGE_INCIDENT = Record(
    "StatusPagesUpdateStatusPageIncidentPayloadV2", {"name": Text(longest=200)}
)
CREATE_MEMBERSHIP = Record("IncidentMembershipsCreatePayloadV1", {"incident_id": _TEXT, "user_id": _TEXT})
_COMPONENT_STATUS = Record(
    "StatusPageIncidentAffectedComponentV2",
    {
        "component_id": _TEXT,
        "component_status": Text(("operational", "degraded_performance", "partial_outage", "full_outage")),
    },
)
CREATE_STATUS_PAGE_INCIDENT = Record(
    "StatusPagesCreateStatusPageRetrospectiveIncidentPayloadV2",
    {
        "idempotency_key": _TEXT,
        "name": Text(longest=200),
        "status_page_id": _TEXT,
        "updates": ListOf(
            Record(
                "StatusPageRetrospectiveIncidentUpdateV2",
                {
                    "incident_status": Text(("investigating", "identified", "monitoring", "resolved")),
                    "message": Text(longest=4096),
                    "published_at": Moment(),
                },
                {"component_statuses": ListOf(_COMPONENT_STATUS)},
            )
        ),
    },
)
