"""A refusal of the API -> an error that a person can act on, with the server's words and nothing secret.

The envelope is that of the API page Errors; a proxy between us and the API may answer with HTML instead.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from importer.model.errors import ApiError, AuthenticationFailed

_FIRST_WORDS = 120
_SECRET = re.compile(r"(?i)\b(bearer|basic)\s+\S+")
_TAG = re.compile(r"(?s)<(script|style)\b.*?</\1\s*>|<[^>]*>")


def error(status: int, headers: Mapping[str, str], body: str) -> ApiError:
    """Return the error for an answer with a status that is not 2xx. `body` may be anything."""
    if 300 <= status < 400:
        return _redirected(status, headers)
    envelope = _envelope(body)
    if envelope is None:
        return _foreign(status, headers, body)
    first, *others = envelope["errors"] or [{}]
    code = printable(first.get("code") or envelope.get("type") or "error")
    return _class(status)(
        status=status,
        code=code,
        message="; also ".join([_words(first) or code, *(_located(each) for each in others)]),
        request_id=printable(envelope.get("request_id") or headers.get("x-request-id", "")),
        field=_field(first),
        hint=_missing(status, first),
    )


def _class(status: int) -> type[ApiError]:
    return AuthenticationFailed if status in (401, 403) else ApiError


def printable(raw: object) -> str:
    """Return one line without control and format characters, and without a credential that was echoed."""
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


def _words(each: dict[str, Any]) -> str:
    return printable(each.get("message") or each.get("code") or "")


def _located(each: dict[str, Any]) -> str:
    field = _field(each)
    return f"{_words(each)} (field {field})" if field else _words(each)


def _field(each: dict[str, Any]) -> str:
    source = each.get("source")
    return printable(source.get("field") or source.get("pointer") or "") if isinstance(source, dict) else ""


def _missing(status: int, first: dict[str, Any]) -> str:
    if status == 401:
        return "Set INCIDENT_API_KEY to a valid API key of this account."
    if status != 403:
        return ""
    metadata = first.get("metadata")
    scope = printable(metadata.get("scope") or "") if isinstance(metadata, dict) else ""
    lacking = f"the scope {scope}" if scope else "a role for this"
    return (
        f"The API key lacks {lacking}. Roles are chosen when a key is made: make a new key that has it and "
        "set INCIDENT_API_KEY; `importer check` lists what a key needs."
    )


def _redirected(status: int, headers: Mapping[str, str]) -> ApiError:
    return ApiError(
        status=status,
        code="redirected",
        message=f"the server redirects to {_target(headers.get('location', ''))}, which is not followed",
        hint="Check the endpoint: INCIDENT_ENDPOINT or --endpoint.",
    )


def _target(location: str) -> str:
    """Return where a redirect leads, without user, query and fragment: they may hold a credential."""
    try:
        where = urlsplit(location)
    except ValueError:
        return "nowhere"
    host = where.netloc.rpartition("@")[2]
    return printable(urlunsplit((where.scheme, host, where.path, "", ""))) or "nowhere"


def _foreign(status: int, headers: Mapping[str, str], body: str) -> ApiError:
    words = printable(_TAG.sub(" ", body))
    shown = words if len(words) <= _FIRST_WORDS else f"{words[:_FIRST_WORDS].rstrip()}..."
    return _class(status)(
        status=status,
        code="foreign_answer",
        message=f"the answer is not the API's: {shown}" if shown else "the answer is empty",
        request_id=printable(headers.get("x-request-id", "")),
        hint=_missing(status, {}) or "Check the endpoint, and any proxy on the way to it.",
    )
