"""A plan <-> its JSON: the document that `plan --json` prints, `--out` saves and `apply` reads.

A file is accepted only if its hash matches, and if what it shows a reader (names, requests, counts) is what
its typed part makes apply do. Both are checked on reading, so what was reviewed is what is sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from importer.formats import schemas
from importer.formats.atomic import write_private
from importer.formats.json_pieces import Document, JsonObject, document_chunks, major_version, open_text
from importer.model import Change, Diagnostic, NoOp, Plan, Scope
from importer.model.codec import decode_record, encode_moment, encode_record
from importer.model.errors import ImporterError, Refused, UsageError
from importer.plan.estimate import estimate
from importer.plan.file_changes import change_from_json, change_to_json, request_to_json
from importer.plan.steps import option_steps
from importer.plan.summary import summarise

_MAJOR_VERSION = 1
FORMAT_VERSION = f"{_MAJOR_VERSION}.0"
"""A reader accepts any minor version, ignoring unknown keys, and refuses another major version."""

_CHANGES, _SEAL = "incident_changes", "plan_hash"
_OWN = (b'"format_version"', b'"tool_version"')


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """A plan read from a file, and the hash that identifies it."""

    plan: Plan
    plan_hash: str


def plan_chunks(plan: Plan) -> Iterator[str]:
    """Yield the plan's document in ASCII, one line per changed incident. It contains no secrets."""
    changes = (change_to_json(each) for each in plan.changes if not isinstance(each, NoOp))
    return document_chunks(_head(plan), _CHANGES, changes, seal=_SEAL)


def write_plan(plan: Plan, path: Path) -> None:
    """Save a plan, readable only by its owner. A crash never leaves a partial file.

    Raises UsageError if the file cannot be written.
    """
    write_private(path, plan_chunks(plan))


def is_plan(path: Path) -> bool:
    """Whether a file is a saved plan, possibly an edited one, by its first lines."""
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        beginning = stream.read(500)
    return all(mark in beginning for mark in _OWN)


def read_plan(path: Path) -> SavedPlan:
    """Return the plan that `write_plan` saved, without its NoOps but with their number.

    Raises UsageError if the file is not a plan of a supported version, and Refused if the plan was changed
    after it was made.
    """
    try:
        with open_text(path) as stream:
            document = Document(stream, _CHANGES, seal=_SEAL)
            return _read(document, path)
    except OSError as error:
        raise UsageError(
            f"cannot read {path}: {error.strerror}", hint=f"make one: importer plan --out {path}"
        ) from None
    except (ValueError, RecursionError):
        raise _not_a_plan(path) from None


def _read(document: Document, path: Path) -> SavedPlan:
    """Read a document entry by entry. A wrong hash is reported before any other problem."""
    _check_version(document.head, path)
    changes: list[Change] = []
    problem: ImporterError | None = None
    for entry in document.entries():
        if problem is None:
            change = _change(entry, path)
            problem = change if isinstance(change, ImporterError) else None
            changes += [] if isinstance(change, ImporterError) else [change]
    if not document.is_sealed():
        raise _refused(path, "was changed after it was made: its hash does not match", code="plan-changed")
    if problem is not None:
        raise problem
    return SavedPlan(_plan(document.head, tuple(changes), path), document.sealed_with)


def _change(entry: JsonObject, path: Path) -> Change | ImporterError:
    """Return the change of an entry, or the error if it is damaged or does not show what it does."""
    try:
        if not _validator("change").is_valid(entry):
            return _damaged(path)
        change = change_from_json(entry)
        return change if _contains(entry, change_to_json(change)) else _inconsistent(path)
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError):
        return _damaged(path)


def _plan(head: JsonObject, changes: tuple[Change, ...], path: Path) -> Plan:
    try:
        if not _validator("head").is_valid(head):
            raise _damaged(path)
        parts = {**head, "changes": (), "unchanged": head["summary"]["unchanged"]}
        parts["scope"] = _scope_from_json(head["scope"])
        plan = replace(decode_record(Plan, parts), changes=changes)
        promised = {**_head(plan), "format_version": head["format_version"]}
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError):
        raise _damaged(path) from None
    if not _contains(head, promised):
        raise _inconsistent(path)
    return plan


def _head(plan: Plan) -> JsonObject:
    """Return the document without its changes and its hash."""
    summary, effort = summarise(plan), estimate(plan)
    return {
        "format_version": FORMAT_VERSION,
        "tool_version": plan.tool_version,
        "created_at": encode_moment(plan.made_at),
        "account": encode_record(plan.account),
        "namespace": plan.namespace,
        "inputs": [encode_record(each) for each in plan.inputs],
        "revision": plan.revision,
        "scope": _scope_to_json(plan.scope),
        "errored": plan.errored,
        "applyable": summary.has_work and not plan.errored and not plan.scope.drift_only,
        "summary": summary.as_dict(),
        "estimate": {
            "requests": effort.requests,
            "seconds_at_limit": effort.seconds,
            "limit_per_minute": effort.per_minute,
        },
        "new_options": [
            {
                "custom_field": each.option.custom_field.name,
                "name": each.option.name,
                "request": request_to_json(each),
            }
            for each in option_steps(plan.changes)
        ],
        "left_to_people": plan.left_to_people,
        "unmanaged": [encode_record(each) for each in plan.unmanaged],
        "diagnostics": [diagnostic_json(each) for each in plan.diagnostics],
        "severities": list(plan.severities),
        "history": None if plan.history is None else [encode_record(each) for each in plan.history],
    }


def _scope_to_json(scope: Scope) -> JsonObject:
    """Return a scope. `left_out` alone tells how much one option leaves out; with both, `not_compared` is the
    part of --only."""
    shown = {"kind": "part" if scope.left_out else "all", **asdict(scope), "only": list(scope.only)}
    if not scope.only or scope.limit is None:
        del shown["not_compared"]
    return shown


def _scope_from_json(shown: JsonObject) -> JsonObject:
    return {"not_compared": shown["left_out"] if shown["only"] else 0, **shown}


def _check_version(head: JsonObject, path: Path) -> None:
    version = major_version(head)
    if version is None or "tool_version" not in head:
        raise _not_a_plan(path)
    is_older = not isinstance(head.get("scope"), dict) or "namespace" not in head
    if version != _MAJOR_VERSION or is_older:
        raise UsageError(
            f"{path} was made by importer {head['tool_version']}, in a format that this version cannot read",
            hint=f"make a new one: importer plan --out {path}",
            code="plan-version",
        )


def _not_a_plan(path: Path) -> UsageError:
    return UsageError(
        f"{path} is not a plan", hint="make one with: importer plan --out FILE", code="not-a-plan"
    )


def _damaged(path: Path) -> UsageError:
    return UsageError(
        f"{path} is a plan that cannot be read", hint=f"make a new one: importer plan --out {path}"
    )


def _inconsistent(path: Path) -> Refused:
    return _refused(path, "does not show what this version of importer would do", code="plan-untrue")


def _refused(path: Path, why: str, *, code: str) -> Refused:
    return Refused(f"{path} {why}", hint=f"make a new one: importer plan --out {path}", code=code)


@cache
def _validator(part: str) -> Any:
    """Return the validator of the document's `head` or of one `change`, from the published schema."""
    import jsonschema_rs  # noqa: PLC0415 - needed only to read a plan

    schema = schemas.read("plan")
    if part == "change":
        return jsonschema_rs.validator_for({"$ref": "#/$defs/change", "$defs": schema["$defs"]})
    required = [each for each in schema["required"] if each not in (_CHANGES, _SEAL)]
    return jsonschema_rs.validator_for({**schema, "required": required})


def _contains(document: Any, promised: Any) -> bool:
    """Whether a document contains all that is promised; it may also have keys of a later minor version."""
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


def diagnostic_json(diagnostic: Diagnostic) -> JsonObject:
    """Return a problem as every JSON output shows it; `file`, `line`, `column` are its first location."""
    places = [encode_record(each) for each in diagnostic.locations]
    first = places[0] if places else {}
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
        "locations": places,
        **({"private": True} if diagnostic.is_private else {}),
    }
