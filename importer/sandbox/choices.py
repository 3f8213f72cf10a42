"""The choices that a sandbox has where the real API's behaviour is unknown."""

from __future__ import annotations

from enum import StrEnum


class Idempotency(StrEnum):
    """The answer to a known idempotency key with the same content.

    That to keyed children is documented: only EXPIRED changes it.
    """

    REPLAY = "replay"
    """200 with the existing incident."""
    CONFLICT = "conflict"
    """409."""
    UNPROCESSABLE = "unprocessable"
    """422."""
    EXPIRED = "expired"
    """Keys are never kept: every request creates another object."""


class OtherContent(StrEnum):
    """The answer to a known idempotency key with other content, of incidents and keyed children alike."""

    REPLAY = "replay"
    """As with the same content: usually 200 with the old object."""
    CONFLICT = "conflict"
    """409."""
    UNPROCESSABLE = "unprocessable"
    """422."""
    NEW = "new"
    """A second object."""


class CreatesAs(StrEnum):
    """What becomes of a new incident."""

    AS_SENT = "as_sent"
    LIVE = "live"
    """Its mode is standard, whatever was sent."""
    PUBLIC = "public"
    """Its visibility is public, whatever was sent."""
    RENUMBERED = "renumbered"
    """Its number is another than external_id."""


class Rewrite(StrEnum):
    """A change that the server makes to names, titles and links when it stores them."""

    SPACES = "spaces"
    """Runs of spaces become one."""
    QUOTES = "quotes"
    """' becomes ’."""
    CASE = "case"
    """A name or title starts with a capital; the host of a link is in lower case."""
    SLASH = "slash"
    """A link loses its trailing slash."""
    QUERY = "query"
    """A link loses its query."""


class RetryAfter(StrEnum):
    """The two forms of the Retry-After header (RFC 9110, 10.2.3)."""

    SECONDS = "seconds"
    HTTP_DATE = "http_date"
