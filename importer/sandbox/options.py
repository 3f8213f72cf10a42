"""What a sandbox is told to do differently from its defaults: limits, idempotency, the server's liberties."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Idempotency(StrEnum):
    """What a second create with a known idempotency_key gets; the real API does not say."""

    REPLAY = "replay"
    """200 with the incident that is there."""
    CONFLICT = "conflict"
    """409."""
    EXPIRED = "expired"
    """The key is forgotten: another incident."""


class RetryAfter(StrEnum):
    """The two forms of the Retry-After header (RFC 9110, 10.2.3)."""

    SECONDS = "seconds"
    HTTP_DATE = "http_date"


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A token bucket of `limit` requests that refills over `window` seconds."""

    limit: int = 1200
    window: int = 60


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """How a sandbox departs from its defaults. Everything that the real API leaves open is a choice here,
    so that a client can be proven right either way."""

    rate_limit: RateLimit | None = field(default_factory=RateLimit)
    """A bucket for each key; None: no limit, and no X-RateLimit headers."""
    creations_per_hour: int | None = None
    """Incidents that may be created within any hour; the 429 beyond it gives no hint when to come back."""
    retry_after: RetryAfter = RetryAfter.SECONDS
    idempotency: Idempotency = Idempotency.REPLAY
    taken_external_id_status: int = 422
    """HTTP status of `external ID already exists`: 409 or 422."""
    normalises: bool = False
    """Texts come back trimmed with LF, `1200.0` as `1200`, multi-selects in another order."""
    sets_timestamps: bool = False
    """Timestamps with `set_on` in the seed are filled in when the payload leaves them out."""
    makes_slack_channels: bool = False
    """A retrospective incident without slack_channel_id gets a channel all the same."""
    enforces_forms: bool = False
    """What the incident forms always require is required from the API too."""
    missing: frozenset[str] = frozenset()
    """Routes that this account does not have, as `/v3/incident_forms`: they answer 404."""
    largest_body: int = 2 * 1024 * 1024
    """Bytes of a request body; more is 413."""
