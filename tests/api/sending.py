"""Functions that send one step to an account, as apply does."""

from __future__ import annotations

from importer.api.client import Client
from importer.model import Answer, Attribute, Attributes, Child, Entity, LiveChild, LiveIncident, NewOption
from importer.model.steps import (
    AttachPostmortem,
    CreateChild,
    CreateIncident,
    CreateOption,
    EditChild,
    EditIncident,
    SetChildStatus,
)
from importer.wire.requests import request


def create(
    api: Client, attributes: Attributes, *, idempotency_key: str, external_id: int | None = None
) -> Answer:
    step = CreateIncident(attributes, idempotency_key, external_id)
    return api.create(step, request(step))


def edit(api: Client, incident_id: str, attributes: Attributes) -> LiveIncident:
    step = EditIncident(incident_id, attributes)
    return api.edit(step, request(step))


def create_child(api: Client, incident_id: str, attribute: Attribute, value: Child) -> LiveChild:
    step = CreateChild(incident_id, attribute, value)
    return api.create_child(step, request(step))


def change(api: Client, step: AttachPostmortem | EditChild | SetChildStatus) -> None:
    api.change(step, request(step))


def create_option(api: Client, custom_field: Entity, name: str) -> Entity:
    step = CreateOption(NewOption(custom_field, name))
    return api.create_option(step, request(step))
