"""A declared key -> the idempotency key that is sent to the API: stable, and independent of content.

The API documents no length, character set or lifetime for idempotency keys, so they are short and plain.
"""

from __future__ import annotations

import hashlib
import re

DEFAULT_NAMESPACE = "default"
"""The namespace of a folder that does not name one."""

_INCIDENT_ID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
_SAFE = re.compile(r"[A-Za-z0-9._:-]{1,64}\Z")


def idempotency_key(*, namespace: str, key: str) -> str:
    """Return the idempotency key for creating a declared incident: 49 characters of [a-z0-9-]."""
    return "importer-" + _digest("incident", namespace, key)


def child_key(*, parent: str, label: str) -> str:
    """Return the idempotency key of a child, from its incident's ID and its own label."""
    return "importer-" + _digest("child", parent, label)


def is_safe(key: str) -> bool:
    """Whether any server should accept an explicit idempotency key."""
    return _SAFE.match(key) is not None


def is_incident_id(key: str) -> bool:
    """Whether a declared key is an incident ID (a ULID), as after a pull."""
    return _INCIDENT_ID.fullmatch(key) is not None


def _digest(*parts: str) -> str:
    framed = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(framed.encode()).hexdigest()[:40]
