"""The official OpenAPI document of incident.io -> importer/wire/contract.json: its schemas without prose.

    python -m tests.contract OPENAPI.json

When importer begins to use an endpoint, add it and regenerate the contract; the diff has one line per changed
operation and schema.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

CONTRACT = Path(__file__).parent.parent / "importer" / "wire" / "contract.json"

Json = dict[str, Any]

_FACTS = frozenset(
    {
        "$ref",
        "default",
        "deprecated",
        "format",
        "maxItems",
        "maxLength",
        "maximum",
        "minItems",
        "minLength",
        "minimum",
        "nullable",
        "pattern",
        "type",
    }
)
"""Schema keywords that are kept unchanged; `_SETS` and keywords that hold schemas are kept too, no others."""
_SETS = ("enum", "required")


def contract(document: Json) -> Json:
    """Return an OpenAPI document with its paths, parameters, fields and scopes, and no descriptions."""
    components = document["components"]
    return {
        "openapi": document["openapi"],
        "paths": {
            path: {method: _operation(operation) for method, operation in methods.items()}
            for path, methods in document["paths"].items()
        },
        "components": {
            "responses": {name: _response(each) for name, each in components["responses"].items()},
            "schemas": {name: _schema(each) for name, each in components["schemas"].items()},
        },
    }


def text_of(made: Json) -> str:
    """Return a contract as committed: sorted, with one line per operation, response and schema."""
    operations = {
        path: _lines({method: _line(each) for method, each in methods.items()}, 4)
        for path, methods in made["paths"].items()
    }
    components = {
        kind: _lines({name: _line(each) for name, each in members.items()}, 4)
        for kind, members in made["components"].items()
    }
    parts = {
        "openapi": _line(made["openapi"]),
        "paths": _lines(operations, 2),
        "components": _lines(components, 2),
    }
    return _lines(parts, 0) + "\n"


def _operation(operation: Json) -> Json:
    kept: Json = {"responses": {code: _response(each) for code, each in operation["responses"].items()}}
    if parameters := operation.get("parameters"):
        kept["parameters"] = sorted(map(_parameter, parameters), key=lambda each: (each["in"], each["name"]))
    if "requestBody" in operation:
        kept["requestBody"] = _with_content(operation["requestBody"], "required")
    return kept | _chosen(operation, "deprecated", "x-rbac-scopes")


def _parameter(parameter: Json) -> Json:
    return _chosen(parameter, "in", "name", "required", "style", "explode") | {
        "schema": _schema(parameter["schema"])
    }


def _response(response: Json) -> Json:
    return _with_content(response, "$ref")


def _with_content(part: Json, *words: str) -> Json:
    content = {kind: {"schema": _schema(each["schema"])} for kind, each in part.get("content", {}).items()}
    return _chosen(part, *words) | ({"content": content} if content else {})


def _schema(schema: Json) -> Json:
    """Return a schema without prose. A property may be called `description`, so property names are all kept."""
    kept = _chosen(schema, *_FACTS) | {word: sorted(schema[word]) for word in _SETS if word in schema}
    if "properties" in schema:
        kept["properties"] = {name: _schema(each) for name, each in schema["properties"].items()}
    for word in ("items", "additionalProperties"):
        if word in schema:
            kept[word] = _schema(schema[word]) if isinstance(schema[word], dict) else schema[word]
    for word in ("allOf", "anyOf", "oneOf"):
        if word in schema:
            kept[word] = [_schema(each) for each in schema[word]]
    return kept


def _chosen(part: Json, *words: str) -> Json:
    return {word: part[word] for word in words if word in part}


def _line(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _lines(members: dict[str, str], indent: int) -> str:
    """Return a JSON object with one line per member, whose value is already JSON."""
    margin = " " * (indent + 2)
    body = ",\n".join(f"{margin}{json.dumps(name)}: {members[name]}" for name in sorted(members))
    return f"{{\n{body}\n{' ' * indent}}}"


def main(path: str) -> None:
    document = json.loads(Path(path).read_text(encoding="utf-8"))
    CONTRACT.write_text(text_of(contract(document)), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
