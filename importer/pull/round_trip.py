"""Unresolved incidents -> the attributes that do not survive writing and reading a file.

Each is written and read again as a plan reads it: a value that YAML cannot hold, the schema refuses or
reading changes must not be in a file that plans empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

from importer.formats.yaml_writer import to_yaml
from importer.model import Attribute, Field, Incident
from importer.model.diagnostics import Diagnostics
from importer.model.settings import Settings

_NAMED = {Attribute(Field.NAME): "A name"}
_PLAIN = Settings(root=Path())


def lost_attributes(incident: Incident) -> frozenset[Attribute]:
    """Return the attributes that do not come back unchanged; if any does not, each is tried alone."""
    if _survives(incident):
        return frozenset()
    return frozenset(
        attribute
        for attribute, value in incident.attributes.items()
        if not _survives(replace(incident, attributes={**_NAMED, attribute: value}))
    )


def _survives(incident: Incident) -> bool:
    back = list(_read(to_yaml([incident], schema="")))
    return [(each.key, each.attributes) for each in back] == [(incident.key, incident.attributes)]


def _read(text: str) -> Iterator[Incident]:
    """Yield the incidents of a file, or nothing if it has an error."""
    from importer.formats import shape, yaml_file  # noqa: PLC0415  YAML is slow to import
    from importer.formats.tree import Block  # noqa: PLC0415
    from importer.sources import incidents  # noqa: PLC0415  YAML is slow to import

    diagnostics = Diagnostics()
    source = incidents.FileContext("", _PLAIN, None, lambda *_: None, diagnostics)
    for file in yaml_file.read(text, "", diagnostics):
        if isinstance(file, Block) and shape.fast_validator(shape.INCIDENT_FILE).is_valid(file):
            declared = cast(Iterable[Block], file["incidents"])
            found = [incidents.incident(each, source) for each in declared]
            yield from () if diagnostics.has_errors else found
