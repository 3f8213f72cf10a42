"""A declared key -> what identifies its incident: the idempotency key, and the text in the marker field.

Both are stable and independent of content. The API documents no length, character set or lifetime for
idempotency keys, so they are short and plain.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from importer.model.forms import stored_form
from importer.model.incidents import LiveIncident
from importer.model.values import Attribute

DEFAULT_NAMESPACE = "default"
"""The namespace of a folder that does not name one."""

_INCIDENT_ID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
_SAFE = re.compile(r"[A-Za-z0-9._:-]{1,64}\Z")


@dataclass(frozen=True, slots=True)
class Marker:
    """The text custom field that carries keys, and the namespace of the keys that are ours. It `ignores_case`
    if an answer to a write of our own showed that the account changes the case of its texts."""

    attribute: Attribute
    namespace: str
    ignores_case: bool = False

    def text(self, key: str) -> str:
        """Return what the field holds for a key: `namespace/key`, or the bare key in the default namespace.
        A key with a slash always has its namespace, so that no two keys have the same text."""
        is_bare = self.namespace == DEFAULT_NAMESPACE and "/" not in key
        return key if is_bare else f"{self.namespace}/{key}"

    def key(self, text: str) -> str | None:
        """Return the key of a text, or None if it is of another namespace."""
        namespace, slash, key = text.partition("/")
        if not slash:
            return text if self.namespace == DEFAULT_NAMESPACE else None
        return key if namespace == self.namespace and self.text(key) == text else None

    def read(self, live: LiveIncident) -> str | None:
        """Return the text in the field of an incident, or None if it is empty."""
        found = live.attributes.get(self.attribute)
        return found if isinstance(found, str) else None

    def form(self, text: str) -> str:
        """Return a text of the field without what the account may change in it."""
        form = stored_form(text)
        return form.casefold() if self.ignores_case else form

    def carries(self, live: LiveIncident, key: str) -> bool:
        """Whether an incident carries a key in the field, perhaps in the account's form."""
        mark = self.read(live)
        return mark is not None and self.form(mark) == self.form(self.text(key))


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
