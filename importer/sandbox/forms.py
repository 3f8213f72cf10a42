"""Turn the incident forms of an account into the problems of an incident that lacks what they require."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from importer.sandbox.account import Account
from importer.sandbox.problems import Problem, required
from importer.sandbox.records import RETROSPECTIVE, StoredIncident, Wire


@dataclass(frozen=True, slots=True)
class Filled:
    """What an incident has that a form may require; `texts` holds name, summary and severity_id."""

    mode: str
    type_id: str
    texts: Mapping[str, str]
    custom_fields: Mapping[str, tuple[str, ...]]
    roles: Mapping[str, str]
    timestamps: Mapping[str, int | None]


def filled_by(stored: StoredIncident) -> Filled:
    """Return what an incident has."""
    return Filled(
        mode=stored.mode,
        type_id=stored.type_id,
        texts={"name": stored.name, "summary": stored.summary, "severity_id": stored.severity_id},
        custom_fields=stored.custom_fields,
        roles=stored.roles,
        timestamps=stored.timestamps,
    )


def form_problems(account: Account, filled: Filled) -> Iterator[Problem]:
    """Yield a problem for each attribute that the type's form always requires and the incident lacks."""
    form_type = RETROSPECTIVE if filled.mode == RETROSPECTIVE else "declare"
    forms = [form for form in account.catalogue.forms.values() if form["form_type"] == form_type]
    of_type = [form for form in forms if form.get("incident_type_id") == filled.type_id]
    general = [form for form in forms if "incident_type_id" not in form]
    for form in (of_type or general)[:1]:
        for element in form["lifecycle_elements"]:
            if element.get("required_if") == "always_require":
                yield from _element_problems(element, filled)


def _element_problems(element: Wire, filled: Filled) -> Iterator[Problem]:
    match element["element_type"]:
        case "name" | "summary" as name if not filled.texts.get(name):
            yield required(name)
        case "severity" if not filled.texts.get("severity_id"):
            yield required("severity_id", "A severity is required to open an incident")
        case "custom_field" if not filled.custom_fields.get(element["custom_field_id"]):
            yield required(f"custom_field_entries.{element['custom_field_id']}")
        case "incident_role" if not filled.roles.get(element["incident_role_id"]):
            yield required(f"incident_role_assignments.{element['incident_role_id']}")
        case "timestamp" if filled.timestamps.get(element["incident_timestamp_id"]) is None:
            yield required(f"incident_timestamp_values.{element['incident_timestamp_id']}")
        case _:
            return
