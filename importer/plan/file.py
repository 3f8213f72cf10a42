"""A plan <-> its JSON: the document that `plan --json` prints, `--out` saves and `apply` reads.

A file is taken only if it is whole: its hash fits, and what it shows a reader (names, requests, counts) is
what its typed part makes apply do. Both are checked anew on reading, so what was reviewed is what is sent.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from importer.formats import atomic, schemas
from importer.model import Account, Diagnostic, Input, MonthCount, NoOp, Plan, Scope, Severity, Unmanaged
from importer.model.codec import decode_moment, encode_moment
from importer.model.errors import Refused, UsageError
from importer.plan.changes import new_options
from importer.plan.estimate import estimate
from importer.plan.file_changes import from_json, location_from_json, location_to_json
from importer.plan.file_changes import to_json as change_to_json
from importer.plan.planned_requests import option_request
from importer.plan.summary import summarise

FORMAT_VERSION = "1.0"
"""A reader takes any minor version and ignores keys that it does not know; another major one it refuses."""

JsonObject = dict[str, Any]


def to_json(plan: Plan) -> JsonObject:
    """Return the plan's document. Incidents that are as declared are only counted. It holds no secret."""
    content = _content(plan)
    return {"format_version": FORMAT_VERSION, "plan_hash": _hash(content), **content}


def plan_hash(plan: Plan) -> str:
    """Return what names a plan: the same for a plan and for what is read from its file."""
    digest: str = to_json(plan)["plan_hash"]
    return digest


def text(plan: Plan) -> str:
    """Return the plan's document as text in ASCII, one line for each incident."""
    document = to_json(plan)
    entries = ",\n".join(json.dumps(each) for each in document["incident_changes"])
    parts = {name: json.dumps(value) for name, value in document.items()}
    parts["incident_changes"] = f"[\n{entries}\n]" if entries else "[]"
    return "{\n" + ",\n".join(f'"{name}": {value}' for name, value in parts.items()) + "\n}\n"


def write(plan: Plan, path: Path) -> None:
    """Save a plan, readable by its owner alone. After a crash there is the whole file or none.

    Raises UsageError where the file cannot be written.
    """
    atomic.write(path, text(plan))


def is_plan(path: Path) -> bool:
    """Whether a file is, or was, a saved plan: `write` puts the hash among its first lines."""
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return b'"plan_hash"' in stream.read(500)


def read(path: Path) -> Plan:
    """Return the plan that `write` saved, without its NoOps but with their number.

    Raises UsageError for what is no plan of a version that this program reads, and Refused for a plan that
    was changed after it was made.
    """
    document = _document(path)
    if document.get("plan_hash") != _hash(document):
        raise Refused(
            f"{path} was changed after it was made: its hash does not fit",
            hint=f"make it anew: importer plan --out {path}",
            code="plan-changed",
        )
    if not _is_well_formed(document):
        raise _damaged(path)
    try:
        plan = _plan_from(document)
        promised = _content(plan) | {"format_version": document["format_version"]}
        promised = {name: value for name, value in promised.items() if name in document}
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError):
        raise _damaged(path) from None
    if not _contains(document, promised):
        raise Refused(
            f"{path} shows other changes than this version of importer would make",
            hint=f"make it anew: importer plan --out {path}",
            code="plan-untrue",
        )
    return plan


def _content(plan: Plan) -> JsonObject:
    """Return the document without its hash."""
    summary = summarise(plan)
    effort = estimate(plan)
    return {
        "format_version": FORMAT_VERSION,
        "tool_version": plan.tool_version,
        "created_at": encode_moment(plan.made_at),
        "account": {"endpoint": plan.account.endpoint, "dashboard_url": plan.account.dashboard_url},
        "inputs": [asdict(each) for each in plan.inputs],
        "revision": plan.revision,
        "errored": plan.errored,
        "scope": plan.scope.value,
        "applyable": summary.has_work and not plan.errored and plan.scope is Scope.ALL,
        "summary": summary.as_dict(),
        "estimate": {
            "requests": effort.requests,
            "seconds_at_limit": effort.seconds,
            "limit_per_minute": effort.per_minute,
        },
        "new_options": _new_options(plan),
        "incident_changes": [change_to_json(each) for each in plan.changes if not isinstance(each, NoOp)],
        "unmanaged": [asdict(each) for each in plan.unmanaged],
        "diagnostics": [diagnostic_json(each) for each in plan.diagnostics],
        "severities": list(plan.severities),
        "history": None if plan.history is None else [asdict(each) for each in plan.history],
    }


def _document(path: Path) -> JsonObject:
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(
            f"cannot read {path}: {error.strerror}", hint=f"make it: importer plan --out {path}"
        ) from None
    except (ValueError, RecursionError):
        raise _not_a_plan(path) from None
    if not isinstance(document, dict) or "plan_hash" not in document:
        raise _not_a_plan(path)
    version = document.get("format_version")
    if not isinstance(version, str) or not version.partition(".")[0].isdecimal():
        raise _not_a_plan(path)
    if int(version.partition(".")[0]) != int(FORMAT_VERSION.partition(".")[0]):
        raise UsageError(
            f"{path} has the format version {version}; this version of importer reads {FORMAT_VERSION}",
            hint="use the version of importer that made it, or make it anew",
            code="plan-version",
        )
    return document


def _not_a_plan(path: Path) -> UsageError:
    return UsageError(
        f"{path} is not a plan", hint="make one with: importer plan --out FILE", code="not-a-plan"
    )


def _damaged(path: Path) -> UsageError:
    return UsageError(
        f"{path} is a plan that cannot be read", hint=f"make it anew: importer plan --out {path}"
    )


def _hash(document: JsonObject) -> str:
    """Return SHA-256 over the document without its hash, in one form: sorted keys, no spaces, ASCII."""
    content = {name: value for name, value in document.items() if name != "plan_hash"}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()


def _is_well_formed(document: JsonObject) -> bool:
    import jsonschema_rs  # noqa: PLC0415 - it is loaded only where a plan is read

    return jsonschema_rs.validator_for(schemas.read("plan")).is_valid(document)


def _contains(document: Any, promised: Any) -> bool:
    """Whether a document says all that is promised; it may have keys of a later minor version beside."""
    if document == promised:
        return True
    match promised:
        case dict():
            return isinstance(document, dict) and all(
                name in document and _contains(document[name], value) for name, value in promised.items()
            )
        case list():
            return (
                isinstance(document, list)
                and len(document) == len(promised)
                and all(_contains(one, other) for one, other in zip(document, promised, strict=True))
            )
        case _:
            return False


def _plan_from(document: JsonObject) -> Plan:
    account = document["account"]
    return Plan(
        account=Account(account["endpoint"], account["dashboard_url"]),
        made_at=decode_moment(document["created_at"]),
        tool_version=document["tool_version"],
        inputs=tuple(Input(each["path"], each["sha256"]) for each in document["inputs"]),
        revision=document["revision"],
        changes=tuple(from_json(each) for each in document["incident_changes"]),
        unmanaged=tuple(Unmanaged(each["key"], each["reference"]) for each in document["unmanaged"]),
        diagnostics=tuple(_diagnostic_from(each) for each in document["diagnostics"]),
        unchanged=document["summary"]["unchanged"],
        severities=tuple(document.get("severities", ())),
        history=_history_from(document.get("history")),
        scope=Scope(document.get("scope", Scope.ALL)),
    )


def _history_from(counts: list[JsonObject] | None) -> tuple[MonthCount, ...] | None:
    if counts is None:
        return None
    return tuple(MonthCount(each["month"], each["severity"], each["incidents"]) for each in counts)


def _new_options(plan: Plan) -> list[JsonObject]:
    return [
        {
            "custom_field": each.custom_field.name,
            "name": each.name,
            "request": asdict(option_request(each)),
        }
        for each in new_options(plan.changes)
    ]


def diagnostic_json(diagnostic: Diagnostic) -> JsonObject:
    """Return a problem as every JSON output shows it; `file`, `line`, `column` are its first place."""
    first = location_to_json(diagnostic.locations[0]) if diagnostic.locations else {}
    return {
        "severity": diagnostic.severity.value,
        "code": diagnostic.code,
        "summary": diagnostic.summary,
        "detail": diagnostic.detail,
        "hint": diagnostic.hint,
        "file": first.get("file"),
        "line": first.get("line"),
        "column": first.get("column"),
        "count": diagnostic.count,
        "locations": [location_to_json(each) for each in diagnostic.locations],
        **({"private": True} if diagnostic.is_private else {}),
    }


def _diagnostic_from(json: JsonObject) -> Diagnostic:
    return Diagnostic(
        severity=Severity(json["severity"]),
        code=json["code"],
        summary=json["summary"],
        detail=json["detail"],
        hint=json["hint"],
        locations=tuple(location_from_json(each) for each in json["locations"]),
        count=json["count"],
        is_private=json.get("private", False),
    )
