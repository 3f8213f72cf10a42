"""The account's entities that incidents can refer to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from importer.model.values import Entity, Reference


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow of the account: its state (active, disabled, draft, error) and the modes it runs on."""

    name: str
    state: str
    modes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CustomField:
    """A custom field: `type` is single_select, multi_select, text, link or numeric. A select with a
    `catalog_type_id` takes catalog entries, otherwise options."""

    entity: Entity
    type: str
    catalog_type_id: str | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """An incident status with its category (triage, live, learning, closed, ...) and display order."""

    entity: Entity
    category: str
    rank: int


@dataclass(frozen=True, slots=True)
class IncidentType:
    """An incident type; some allow only private incidents."""

    entity: Entity
    private_only: bool
    is_default: bool


@dataclass(frozen=True, slots=True)
class User:
    """A user of the account; several users may share one email."""

    entity: Entity
    email: str | None
    slack_user_id: str | None
    is_active: bool


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """A catalog entry, which can be named by ID, external ID, alias or name."""

    entity: Entity
    external_id: str | None
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StatusPage:
    """A status page with its components, or the reason why they are `unreadable`."""

    entity: Entity
    components: tuple[Entity, ...]
    unreadable: str | None = None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The account's entities that the declared incidents need. `options` are keyed by custom field ID,
    `catalog_entries` by catalog type ID. `no_status_pages` is why the pages could not be listed, if so."""

    severities: tuple[Entity, ...] = ()
    statuses: tuple[Status, ...] = ()
    incident_types: tuple[IncidentType, ...] = ()
    roles: tuple[Entity, ...] = ()
    timestamps: tuple[Entity, ...] = ()
    custom_fields: tuple[CustomField, ...] = ()
    options: Mapping[str, tuple[Entity, ...]] = field(default_factory=dict)
    catalog_entries: Mapping[str, tuple[CatalogEntry, ...]] = field(default_factory=dict)
    users: tuple[User, ...] = ()
    status_pages: tuple[StatusPage, ...] = ()
    no_status_pages: str | None = None


@dataclass(frozen=True, slots=True)
class Needs:
    """What declared incidents need from the catalogue besides its short lists; nothing else is fetched."""

    custom_fields: frozenset[Reference] = frozenset()
    users: bool = False
    status_pages: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """The account behind the endpoint, identified by its dashboard URL (API page: Utilities, Identity)."""

    endpoint: str
    dashboard_url: str
    roles: tuple[str, ...] = field(default=(), compare=False, metadata={"json": None})
    key_name: str = field(default="", compare=False, metadata={"json": None})
