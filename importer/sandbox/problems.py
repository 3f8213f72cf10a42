"""Turn what is wrong with a request into incident.io's error envelope.

The envelope and its types: API introduction, "Errors"; the other types are those of the official SDK.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as made_field
from typing import Any


@dataclass(frozen=True, slots=True)
class Problem:
    """One entry of the envelope's `errors`; `field` is a dotted path into the payload."""

    code: str
    message: str
    field: str = ""
    metadata: Mapping[str, str] = made_field(default_factory=dict)

    def wire(self) -> dict[str, Any]:
        """The problem as the API writes it."""
        wire: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.field:
            wire["source"] = {"field": self.field}
        if self.metadata:
            wire["metadata"] = dict(self.metadata)
        return wire


class Refusal(Exception):
    """A request that is answered with an error envelope instead of being carried out."""

    def __init__(self, status: int, kind: str, problems: Iterable[Problem]) -> None:
        self.status = status
        self.kind = kind
        self.problems = tuple(problems)
        super().__init__(f"{status} {kind}: " + "; ".join(problem.message for problem in self.problems))

    def wire(self, request_id: str) -> dict[str, Any]:
        """The envelope; `request_id` names the request in it."""
        return {
            "type": self.kind,
            "status": self.status,
            "request_id": request_id,
            "errors": [problem.wire() for problem in self.problems],
        }


def required(field: str, message: str = "") -> Problem:
    """A payload lacks `field`."""
    return Problem("is_required", message or f"{field} is required", field)


def invalid(field: str, message: str) -> Problem:
    """The payload's `field` cannot be accepted."""
    return Problem("invalid_value", message, field)


def refuse_if(problems: Iterable[Problem]) -> None:
    """Raise one 422 that lists all `problems`, if there are any."""
    if found := tuple(problems):
        raise Refusal(422, "validation_error", found)


def missing_authorization() -> Refusal:
    """No Authorization header was sent."""
    message = "No authorization material provided in request"
    return Refusal(401, "authentication_error", [Problem("missing_authorization_material", message)])


def unauthenticated() -> Refusal:
    """The key is not one of this account's."""
    return Refusal(401, "authentication_error", [Problem("unauthenticated", "Unauthenticated")])


def forbidden(scope: str) -> Refusal:
    """The key's roles do not give it `scope`."""
    problem = Problem("missing_required_scope", f"missing a required scope: {scope}", "", {"scope": scope})
    return Refusal(403, "resource_forbidden", [problem])


def not_found() -> Refusal:
    """There is no such thing, or this key may not see it."""
    return Refusal(404, "not_found", [Problem("not_found", "Resource not found")])


def method_not_allowed() -> Refusal:
    """The path exists, the method does not."""
    return Refusal(405, "method_not_allowed", [Problem("method_not_allowed", "Method not allowed")])


def conflict(message: str, field: str = "") -> Refusal:
    """It is there already."""
    return Refusal(409, "conflict", [Problem("conflict", message, field)])


def too_large(largest: int) -> Refusal:
    """The body has more than `largest` bytes."""
    problem = Problem("payload_too_large", f"The request body is larger than {largest} bytes")
    return Refusal(413, "payload_too_large", [problem])


def not_json(reason: str) -> Refusal:
    """The body is not JSON; `reason` is the parser's."""
    return Refusal(400, "invalid_request_error", [Problem("invalid_json", f"Invalid JSON body: {reason}")])
