"""A refusal of the API -> an error that a user can act on, with the server's message and without secrets.

The envelope is on the API page Errors; a proxy in front of the API may answer with HTML instead.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from importer.model.errors import ApiError, AuthenticationFailed

_MAX_EXCERPT = 120
_SECRET = re.compile(r"(?i)\b(bearer|basic)\s+\S+")
_TAG = re.compile(r"(?s)<(script|style)\b.*?</\1\s*>|<[^>]*>")


def error(status: int, headers: Mapping[str, str], body: str) -> ApiError:
    """Return the error for an answer whose status is not 2xx. `body` may be anything."""
    if 300 <= status < 400:
        return _redirected(status, headers)
    envelope = _envelope(body)
    if envelope is None:
        return _not_from_api(status, headers, body)
    first, *others = envelope["errors"] or [{}]
    code = printable(first.get("code") or envelope.get("type") or "error")
    return _class(status)(
        status=status,
        code=code,
        message="; also ".join([_message(first) or code, *(_located(each) for each in others)]),
        request_id=printable(envelope.get("request_id") or headers.get("x-request-id", "")),
        field=_field(first),
        hint=_auth_hint(status, _scope(first)),
        scope=_scope(first) if status == 403 else "",
    )


def _class(status: int) -> type[ApiError]:
    return AuthenticationFailed if status in (401, 403) else ApiError


def printable(raw: object) -> str:
    """Return one line without control and format characters, and with echoed credentials hidden."""
    visible = "".join(
        " " if unicodedata.category(each) in ("Cc", "Zl", "Zp") else each
        for each in str(raw)
        if unicodedata.category(each) not in ("Cf", "Cs")
    )
    return _SECRET.sub(r"\1 (hidden)", " ".join(visible.split()))


def _envelope(body: str) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not isinstance(found.get("errors", []), list):
        return None
    errors = [each for each in found.get("errors", []) if isinstance(each, dict)]
    return found | {"errors": errors} if errors or found.get("type") else None


def _message(each: dict[str, Any]) -> str:
    return printable(each.get("message") or each.get("code") or "")


def _located(each: dict[str, Any]) -> str:
    field = _field(each)
    return f"{_message(each)} (field {field})" if field else _message(each)


def _field(each: dict[str, Any]) -> str:
    source = each.get("source")
    return printable(source.get("field") or source.get("pointer") or "") if isinstance(source, dict) else ""


def _scope(first: dict[str, Any]) -> str:
    metadata = first.get("metadata")
    return printable(metadata.get("scope") or "") if isinstance(metadata, dict) else ""


def _auth_hint(status: int, scope: str) -> str:
    if status == 401:
        return "set INCIDENT_API_KEY to a valid API key of this account"
    if status != 403:
        return ""
    lacking = f"the scope {scope}" if scope else "a role for this"
    return (
        f"the API key lacks {lacking}; roles are set when a key is created: create a new key that has it and "
        "set INCIDENT_API_KEY; `importer check` shows the roles that a key lacks"
    )


def _redirected(status: int, headers: Mapping[str, str]) -> ApiError:
    return ApiError(
        status=status,
        code="redirected",
        message=f"the server redirects to {_target(headers.get('location', ''))}, which is not followed",
        hint="check the endpoint: INCIDENT_ENDPOINT or --endpoint",
    )


def _target(location: str) -> str:
    """Return the target of a redirect, without user, query and fragment: they may contain a credential."""
    try:
        url = urlsplit(location)
    except ValueError:
        return "an unknown location"
    host = url.netloc.rpartition("@")[2]
    return printable(urlunsplit((url.scheme, host, url.path, "", ""))) or "an unknown location"


def _not_from_api(status: int, headers: Mapping[str, str], body: str) -> ApiError:
    text = printable(_TAG.sub(" ", body))
    shown = text if len(text) <= _MAX_EXCERPT else f"{text[:_MAX_EXCERPT].rstrip()}..."
    return _class(status)(
        status=status,
        code="foreign_answer",
        message=f"the answer is not from the API: {shown}" if shown else "the answer is empty",
        request_id=printable(headers.get("x-request-id", "")),
        hint=_auth_hint(status, "") or "check the endpoint, and any proxy on the way to it",
    )
