"""Turn a seed into the account's catalogue: every severity, status, user ... as the API shows it.

A seed is a mapping with the lists below. An entry is the API's own object, of which only the name is required
(a bare string is a name): missing properties get defaults, and the `id` is derived from the name. So the
answers of a real account's list endpoints are a valid seed. Besides the API's properties, an entry may have:

- api_keys: token, roles (`all`, or a list);
- custom_fields: options, a list of values or API objects; catalog_type, a type's name;
- incident_timestamps: set_on, `declare` or a status category, for the option `sets_timestamps`;
- catalog_types: entries;
- teams: members as emails;
- status_pages: items, with components as bare names;
- incident_forms: incident_type, and in its elements custom_field, incident_role, incident_timestamp, by name;
- features: `external_id`; attachment_types: the resource types whose integration is installed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from importer.sandbox import identifiers
from importer.sandbox.access import ROLES, ApiKey
from importer.sandbox.records import Wire

_BORN = "2021-01-04T09:00:00Z"
_DATED = {"created_at": _BORN, "updated_at": _BORN}
_DEFAULTS: dict[str, Wire] = {
    "severities": {"description": "", **_DATED},
    "incident_statuses": {"description": "", "category": "live", **_DATED},
    "incident_types": {
        "description": "",
        "is_default": False,
        "private_incidents_only": False,
        "create_in_triage": "optional",
        **_DATED,
    },
    "incident_roles": {"instructions": "", "role_type": "custom", **_DATED},
    "incident_timestamps": {},
    "custom_fields": {"description": "", "field_type": "text", **_DATED},
    "users": {
        "role": "responder",
        "is_active": True,
        "custom_roles": [],
        "seats": {"on_call": "none", "response": "full_access"},
    },
    "catalog_types": {
        "annotations": {},
        "categories": [],
        "color": "blue",
        "description": "",
        "icon": "box",
        "is_editable": True,
        "ranked": False,
        "schema": {"attributes": [], "version": 1},
        "use_name_as_identifier": True,
        **_DATED,
    },
    "teams": {},
    "status_pages": {},
    "workflows": {
        "state": "active",
        "version": 1,
        "trigger": {"name": "incident.created", "label": "When an incident is created"},
        "steps": [],
        "runs_on_incident_modes": ["standard"],
        "runs_on_incidents": "newly_created",
        "auto_run_mode": "run_automatically",
        "continue_on_step_error": False,
        "include_private_incidents": False,
        "include_private_escalations": False,
        "private_incident_scope": "none",
        "once_for": [],
        "condition_groups": [],
        "expressions": [],
    },
    "follow_up_priorities": {},
    "follow_up_categories": {},
}
_RANKED = frozenset(
    {
        "severities",
        "incident_statuses",
        "incident_timestamps",
        "follow_up_priorities",
        "follow_up_categories",
    }
)
_SEED_ONLY = frozenset({"options", "catalog_type", "set_on", "entries", "items"})


@dataclass(frozen=True)
class Catalogue:
    """An account without its incidents: wire objects by identifier, in seed order.

    `entries` holds the entries of all catalog types, `structures` the items of each status page, and `set_on`
    when the server sets a timestamp by itself.
    """

    dashboard_url: str
    features: frozenset[str]
    attachment_types: frozenset[str]
    keys: Mapping[str, ApiKey]
    severities: Mapping[str, Wire]
    statuses: Mapping[str, Wire]
    types: Mapping[str, Wire]
    roles: Mapping[str, Wire]
    timestamps: Mapping[str, Wire]
    custom_fields: Mapping[str, Wire]
    users: Mapping[str, Wire]
    catalog_types: Mapping[str, Wire]
    entries: Mapping[str, Wire]
    teams: Mapping[str, Wire]
    status_pages: Mapping[str, Wire]
    structures: Mapping[str, list[Wire]]
    workflows: Mapping[str, Wire]
    forms: Mapping[str, Wire]
    follow_up_priorities: Mapping[str, Wire]
    follow_up_categories: Mapping[str, Wire]
    set_on: Mapping[str, str]

    def status_of(self, category: str) -> str:
        """Return the first status of a category by rank, or the first of all if the category has none."""
        of_category = [status for status in self.statuses.values() if status["category"] == category]
        return str(min(of_category or self.statuses.values(), key=lambda status: status["rank"])["id"])

    @cached_property
    def default_type(self) -> str:
        """The incident type of an incident that does not name one."""
        return next(
            (name for name, each in self.types.items() if each["is_default"]), next(iter(self.types), "")
        )

    @cached_property
    def keys_by_id(self) -> dict[str, ApiKey]:
        """The API keys by their identifiers."""
        return {key.id: key for key in self.keys.values()}

    @cached_property
    def entries_by_identifier(self) -> dict[tuple[str, str], Wire]:
        """Catalog entries by type and by ID, external ID or alias; if two share one, the first."""
        found: dict[tuple[str, str], Wire] = {}
        for entry in self.entries.values():
            for identifier in entry_identifiers(entry):
                found.setdefault((entry["catalog_type_id"], identifier), entry)
        return found

    def components(self, status_page_id: str) -> set[str]:
        """Return the component identifiers of a status page, including groups and sub-pages."""
        return set(_component_ids(self.structures.get(status_page_id, [])))


def entry_identifiers(entry: Wire) -> list[str]:
    """Return the identifiers of a catalog entry other than its name."""
    return [entry["id"], *([entry["external_id"]] if entry.get("external_id") else []), *entry["aliases"]]


def from_seed(seed: Mapping[str, Any]) -> Catalogue:
    """Build the catalogue. Raises ValueError for an entry without a name or a reference to a missing one."""
    tables = {kind: _table(kind, seed.get(kind, ())) for kind in _DEFAULTS}
    types = tables["catalog_types"]
    entries = _catalog_entries(seed.get("catalog_types", ()), types)
    pages = _entries("status_pages", seed.get("status_pages", ()))
    return Catalogue(
        dashboard_url=str(seed.get("dashboard_url", "https://app.incident.io/sandbox")),
        features=frozenset(seed.get("features", ())),
        attachment_types=frozenset(seed.get("attachment_types", ())),
        keys={key.token: key for key in map(_api_key, seed.get("api_keys", ()))},
        severities=tables["severities"],
        statuses=tables["incident_statuses"],
        types=tables["incident_types"],
        roles={name: _role(role) for name, role in tables["incident_roles"].items()},
        timestamps=tables["incident_timestamps"],
        custom_fields=_custom_fields(seed.get("custom_fields", ()), tables),
        users={name: _user(user) for name, user in tables["users"].items()},
        catalog_types={name: _catalog_type(each, entries) for name, each in types.items()},
        entries=entries,
        teams={name: _team(team, tables["users"], entries) for name, team in tables["teams"].items()},
        status_pages=tables["status_pages"],
        structures={
            page["id"]: [_structure_item(page, item) for item in page.get("items", ())] for page in pages
        },
        workflows=tables["workflows"],
        forms={form["id"]: form for form in (_form(form, tables) for form in seed.get("incident_forms", ()))},
        follow_up_priorities=tables["follow_up_priorities"],
        follow_up_categories=tables["follow_up_categories"],
        set_on={
            timestamp["id"]: timestamp["set_on"]
            for timestamp in _entries("incident_timestamps", seed.get("incident_timestamps", ()))
            if "set_on" in timestamp
        },
    )


def seeded_options(seed: Mapping[str, Any]) -> list[Wire]:
    """Return the custom field options of a seed as wire objects."""
    return [
        _option(field, option, place)
        for field in _entries("custom_fields", seed.get("custom_fields", ()))
        for place, option in enumerate(field.get("options") or ())
    ]


def _option(field: Wire, option: Any, place: int) -> Wire:
    given = {"value": option} if isinstance(option, str) else dict(option)
    identifier = identifiers.named("options", f"{field['name']}/{given['value']}")
    return {"id": identifier, "sort_key": (place + 1) * 10, **given, "custom_field_id": field["id"]}


def _table(kind: str, given: Iterable[Any]) -> dict[str, Wire]:
    return {
        entry["id"]: {key: value for key, value in entry.items() if key not in _SEED_ONLY}
        for entry in _entries(kind, given)
    }


def _entries(kind: str, given: Iterable[Any]) -> list[Wire]:
    return [_entry(kind, each, place) for place, each in enumerate(given)]


def _entry(kind: str, given: Any, place: int) -> Wire:
    entry = {"name": given} if isinstance(given, str) else dict(given)
    if not entry.get("name"):
        raise ValueError(f"the seed's {kind} number {place + 1} has no name")
    # Users may share a name and an email; the identifier is made from what distinguishes them.
    distinct = "/".join(str(entry.get(key, "")) for key in ("name", "email", "slack_user_id", "is_active"))
    rank = {"rank": place + 1} if kind in _RANKED else {}
    identifier = identifiers.named(kind, distinct if kind == "users" else entry["name"])
    return {"id": identifier, **_DEFAULTS[kind], **rank, **entry}


def _api_key(given: Mapping[str, Any]) -> ApiKey:
    roles = tuple(ROLES) if given.get("roles") == "all" else tuple(given.get("roles", ()))
    name = str(given.get("name", given["token"]))
    return ApiKey(id=identifiers.named("api_keys", name), name=name, token=given["token"], roles=roles)


def _role(role: Wire) -> Wire:
    shortform = role["name"].lower().replace(" ", "-")
    return {"description": role["name"], "shortform": shortform, **role}


def _user(user: Wire) -> Wire:
    slug = str(user["role"])
    base = {"id": identifiers.named("base_roles", slug), "name": slug.title(), "slug": slug}
    return {"base_role": base, **user}


def _custom_fields(given: Iterable[Any], tables: Mapping[str, Mapping[str, Wire]]) -> dict[str, Wire]:
    fields = dict(tables["custom_fields"])
    for field in _entries("custom_fields", given):
        if "catalog_type" in field:
            type_id = _named_id(tables["catalog_types"], field["catalog_type"])
            fields[field["id"]] = {**fields[field["id"]], "catalog_type_id": type_id}
    return fields


def _catalog_type(catalog_type: Wire, entries: Mapping[str, Wire]) -> Wire:
    type_name = catalog_type["name"].replace(" ", "")
    count = sum(entry["catalog_type_id"] == catalog_type["id"] for entry in entries.values())
    derived = {
        "engine_resource_type": f'CatalogEntry["Custom[\\"{type_name}\\"]"]',
        "type_name": f'Custom["{type_name}"]',
        "estimated_count": count,
    }
    return {**derived, **catalog_type}


def _catalog_entries(given: Iterable[Any], types: Mapping[str, Wire]) -> dict[str, Wire]:
    entries = [
        _catalog_entry(catalog_type, entry, place)
        for catalog_type in _entries("catalog_types", given)
        for place, entry in enumerate(catalog_type.get("entries", ()))
    ]
    return {entry["id"]: entry for entry in entries if entry["catalog_type_id"] in types}


def _catalog_entry(catalog_type: Wire, given: Any, place: int) -> Wire:
    entry = {"name": given} if isinstance(given, str) else dict(given)
    identifier = identifiers.named("catalog_entries", f"{catalog_type['name']}/{entry['name']}")
    defaults = {"aliases": [], "attribute_values": {}, "rank": place, **_DATED}
    return {"id": identifier, **defaults, **entry, "catalog_type_id": catalog_type["id"]}


def _team(team: Wire, users: Mapping[str, Wire], entries: Mapping[str, Wire]) -> Wire:
    by_email = {user["email"]: user for user in users.values() if user.get("email")}
    shown = ("id", "name", "email", "slack_user_id")
    members = [
        {key: user[key] for key in shown if user.get(key)}
        for user in (by_email[each] if isinstance(each, str) else each for each in team.get("members", ()))
    ]
    same_name = (entry for entry in entries.values() if entry["name"] == team["name"])
    entry = next(same_name, {"id": team["id"], "name": team["name"]})
    slim = {key: entry[key] for key in ("id", "name", "external_id") if entry.get(key)}
    return {"catalog_entry": slim, **team, "members": members}


def _structure_item(page: Wire, item: Any) -> Wire:
    """Complete one item of a page: a component, a group of components, or a sub-page of either."""
    if isinstance(item, str):
        return {"component": _component(page, item)}
    ((kind, inner),) = item.items()
    if kind == "component":
        return {kind: _component(page, inner)}
    common = {"id": identifiers.named("structure", f"{page['name']}/{inner['name']}"), **inner}
    if kind == "group":
        components = [_component(page, each) for each in inner.get("components", ())]
        return {
            kind: {"hidden": False, "display_aggregated_uptime": True, **common, "components": components}
        }
    return {kind: {**common, "items": [_structure_item(page, each) for each in inner.get("items", ())]}}


def _component(page: Wire, given: Any) -> Wire:
    component = {"name": given} if isinstance(given, str) else dict(given)
    return {
        "component_id": identifiers.named("components", f"{page['name']}/{component['name']}"),
        "hidden": False,
        "display_uptime": True,
        **component,
    }


def _component_ids(items: Iterable[Wire]) -> Iterable[str]:
    for item in items:
        if "component" in item:
            yield item["component"]["component_id"]
        for component in item.get("group", {}).get("components", ()):
            yield component["component_id"]
        yield from _component_ids(item.get("sub_page", {}).get("items", ()))


_FORM_LINKS = {
    "custom_field": "custom_fields",
    "incident_role": "incident_roles",
    "incident_timestamp": "incident_timestamps",
}


def _form(given: Mapping[str, Any], tables: Mapping[str, Mapping[str, Wire]]) -> Wire:
    form = {key: value for key, value in given.items() if key != "incident_type"}
    identifier = identifiers.named("incident_forms", f"{given['form_type']}/{given.get('incident_type', '')}")
    elements = [_form_element(element, tables) for element in given.get("lifecycle_elements", ())]
    link = (
        {"incident_type_id": _named_id(tables["incident_types"], given["incident_type"])}
        if "incident_type" in given
        else {}
    )
    return {"id": identifier, "expressions": [], **_DATED, **link, **form, "lifecycle_elements": elements}


def _form_element(given: Mapping[str, Any], tables: Mapping[str, Mapping[str, Wire]]) -> Wire:
    element = {key: value for key, value in given.items() if key not in _FORM_LINKS}
    links = {
        f"{key}_id": _named_id(tables[kind], given[key]) for key, kind in _FORM_LINKS.items() if key in given
    }
    return {**element, **links}


def _named_id(table: Mapping[str, Wire], name: str) -> str:
    for identifier, each in table.items():
        if each["name"] == name:
            return identifier
    raise ValueError(f"the seed refers to {name!r}, which it does not define")
