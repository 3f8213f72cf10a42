"""Turn the problems of a request into incident.io's error envelope.

Sources: API introduction, "Errors", for the envelope and its types; the official SDK for other types.
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
        """Return the problem as the API writes it."""
        wire: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.field:
            wire["source"] = {"field": self.field}
        if self.metadata:
            wire["metadata"] = dict(self.metadata)
        return wire


class Refusal(Exception):
    """A request that is answered with an error envelope instead of being carried out. `retry_after` is in
    seconds."""

    def __init__(
        self, status: int, kind: str, problems: Iterable[Problem], retry_after: float | None = None
    ) -> None:
        self.status = status
        self.retry_after = retry_after
        self.kind = kind
        self.problems = tuple(problems)
        super().__init__(f"{status} {kind}: " + "; ".join(problem.message for problem in self.problems))

    def wire(self, request_id: str) -> dict[str, Any]:
        """Return the envelope for the request with this ID."""
        return {
            "type": self.kind,
            "status": self.status,
            "request_id": request_id,
            "errors": [problem.wire() for problem in self.problems],
        }


def required(field: str, message: str = "") -> Problem:
    """Return the problem of a missing `field`."""
    return Problem("is_required", message or f"{field} is required", field)


def invalid(field: str, message: str) -> Problem:
    """Return the problem of an unacceptable `field`."""
    return Problem("invalid_value", message, field)


def refuse_if(problems: Iterable[Problem]) -> None:
    """Raise one 422 that lists all `problems`, if there are any."""
    if found := tuple(problems):
        raise Refusal(422, "validation_error", found)


def missing_authorization() -> Refusal:
    """Return the 401 for a request without an Authorization header."""
    message = "No authorization material provided in request"
    return Refusal(401, "authentication_error", [Problem("missing_authorization_material", message)])


def unauthenticated() -> Refusal:
    """Return the 401 for an unknown key."""
    return Refusal(401, "authentication_error", [Problem("unauthenticated", "Unauthenticated")])


def forbidden(scope: str) -> Refusal:
    """Return the 403 for a key whose roles do not include `scope`."""
    problem = Problem("missing_required_scope", f"missing a required scope: {scope}", "", {"scope": scope})
    return Refusal(403, "resource_forbidden", [problem])


def unavailable(message: str, field: str = "") -> Refusal:
    """Return the 403 for something that the account does not have, whatever the key's roles."""
    return Refusal(403, "resource_forbidden", [Problem("forbidden", message, field)])


def not_found() -> Refusal:
    """Return the 404 for an object that does not exist or that the key may not see."""
    return Refusal(404, "not_found", [Problem("not_found", "Resource not found")])


def missing_endpoint(status: int) -> Refusal:
    """Return the refusal of an endpoint that the account lacks."""
    match status:
        case 403:
            return unavailable("This endpoint is not available to your account")
        case 405:
            return method_not_allowed()
        case _:
            return Refusal(status, "not_found", not_found().problems)


def method_not_allowed() -> Refusal:
    """Return the 405 for a path that exists but not with this method."""
    return Refusal(405, "method_not_allowed", [Problem("method_not_allowed", "Method not allowed")])


def conflict(message: str, field: str = "") -> Refusal:
    """Return the 409 for an object that already exists."""
    return Refusal(409, "conflict", [Problem("conflict", message, field)])


def too_large(largest: int) -> Refusal:
    """Return the 413 for a body of more than `largest` bytes."""
    problem = Problem("payload_too_large", f"The request body is larger than {largest} bytes")
    return Refusal(413, "payload_too_large", [problem])


def not_json(reason: str) -> Refusal:
    """Return the 400 for a body that is not JSON; `reason` is the parser's message."""
    return Refusal(400, "invalid_request_error", [Problem("invalid_json", f"Invalid JSON body: {reason}")])
