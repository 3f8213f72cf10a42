"""Turn the roles of an API key into the scopes that endpoints require.

Which role grants which scope is not documented; this follows the roles' names. The scopes of endpoints are
from the OpenAPI document.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from importer.sandbox.problems import forbidden


def _scopes(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_VIEWER = _scopes(
    """actions.view attachments.view catalog_entries.view catalog_types.view custom_fields.view
    in_app_postmortems.copy_as_markdown incident_roles.view incident_statuses.view incident_types.view
    incidents.view severities.view users.view"""
)
_INCIDENT_EDITOR = _scopes(
    """actions.create attachments.create attachments.destroy external_postmortems.create follow_ups.create
    follow_ups.destroy follow_ups.update
    incident_calls.create incident_calls.destroy incidents.create incidents.update_custom_fields
    incidents.update_name incidents.update_role_assignments incidents.update_severity
    incidents.update_status incidents.update_summary incidents.update_timestamps timeline_items.create
    timeline_items.update"""
)
GLOBAL_ACCESS = "global_access"
ROLES: dict[str, tuple[str, ...]] = {
    "viewer": _VIEWER,
    "incident_creator": ("incidents.create",),
    "incident_editor": _INCIDENT_EDITOR,
    GLOBAL_ACCESS: ("incidents.view_private",),
    "catalog_viewer": ("catalog_entries.view", "catalog_types.view"),
    "workflows_viewer": ("workflows.view",),
    "postmortems_manage": (
        "external_postmortems.create",
        "in_app_postmortems.import",
        "in_app_postmortems.update_status",
    ),
    "incident_memberships_editor": ("incident_memberships.grant",),
    "status_page_publisher": ("status_pages.publish_updates",),
    "post_incident_flow_opt_out": ("post_incident_flow.opt_out",),
    "manage_settings": ("organisation_settings.update",),
}


@dataclass(frozen=True)
class ApiKey:
    """A key of the account: clients send `token`; errors and creators show `name`."""

    id: str
    name: str
    token: str
    roles: tuple[str, ...]

    @cached_property
    def scopes(self) -> frozenset[str]:
        """All scopes of the roles; a role that the sandbox does not know grants none."""
        return frozenset(scope for role in self.roles for scope in ROLES.get(role, ()))

    @property
    def sees_private(self) -> bool:
        """Whether this key can see private incidents."""
        return GLOBAL_ACCESS in self.roles

    def require(self, scopes: Iterable[str]) -> None:
        """Raise a 403 for the first missing scope."""
        for scope in scopes:
            if scope not in self.scopes:
                raise forbidden(scope)
