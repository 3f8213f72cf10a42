"""Options of a sandbox: limits, idempotency, and behaviour that the real API leaves open."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Idempotency(StrEnum):
    """The answer to a second create with the same idempotency_key; the real API does not document it."""

    REPLAY = "replay"
    """200 with the existing incident."""
    CONFLICT = "conflict"
    """409."""
    EXPIRED = "expired"
    """The key is forgotten: another incident is created."""


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
    """How a sandbox behaves. Everything that the real API leaves open is an option, so that a client can be
    tested against either behaviour."""

    rate_limit: RateLimit | None = field(default_factory=RateLimit)
    """A bucket per key; None means no limit and no X-RateLimit headers."""
    creations_per_hour: int | None = None
    """Incidents that may be created in any hour; the 429 beyond it does not say how long to wait."""
    retry_after: RetryAfter = RetryAfter.SECONDS
    idempotency: Idempotency = Idempotency.REPLAY
    taken_external_id_status: int = 422
    """HTTP status of `external ID already exists`: 409 or 422."""
    normalises: bool = False
    """Texts are returned trimmed and with LF, `1200.0` as `1200`, multi-selects in another order."""
    sets_timestamps: bool = False
    """Timestamps with `set_on` in the seed are set if the payload leaves them out."""
    makes_slack_channels: bool = False
    """A retrospective incident without slack_channel_id gets a channel anyway."""
    enforces_forms: bool = False
    """What incident forms always require is required in API requests too."""
    missing: frozenset[str] = frozenset()
    """Routes that this account lacks, such as `/v3/incident_forms`; they answer 404."""
    largest_body: int = 2 * 1024 * 1024
    """The largest request body in bytes; more is a 413."""
