"""The select options that a plan needs and the account lacks -> their entities, each created once."""

from __future__ import annotations

from threading import Event
from typing import Protocol

from importer.model import Entity, NewOption, Plan
from importer.model.errors import NoAnswer
from importer.model.steps import CreateOption
from importer.plan.steps import option_steps
from importer.wire.requests import Request, request


class OptionWriter(Protocol):
    """What creating missing options requires of the account."""

    def options(self, custom_field_id: str) -> tuple[Entity, ...]: ...
    def create_option(self, step: CreateOption, request: Request, /) -> Entity: ...


def create_options(plan: Plan, api: OptionWriter, stop: Event) -> dict[NewOption, Entity]:
    """Create the select options that the plan needs and the account lacks, and return all of them. Once
    `stop` is set, no other is created."""
    created: dict[NewOption, Entity] = {}
    known: dict[str, dict[str, Entity]] = {}
    for step in option_steps(plan.changes):
        if stop.is_set():
            break
        option, field_id = step.option, step.option.custom_field.id
        if field_id not in known:
            known[field_id] = {each.name: each for each in api.options(field_id)}
        created[option] = known[field_id].get(option.name) or _create_option(step, api)
    return created


def _create_option(step: CreateOption, api: OptionWriter) -> Entity:
    """Create an option. It is not journaled: the server refuses a second one of the same name, and the list
    shows whether the first was created."""
    option = step.option
    try:
        return api.create_option(step, request(step))
    except NoAnswer:
        for each in api.options(option.custom_field.id):
            if each.name == option.name:
                return each
        raise
