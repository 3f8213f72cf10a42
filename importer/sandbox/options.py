"""Options of a sandbox: limits, idempotency, and behaviour that the real API leaves open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from importer.sandbox.choices import CreatesAs, Idempotency, OtherContent, RetryAfter, Rewrite


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A token bucket of `limit` requests that refills over `window` seconds."""

    limit: int = 1200
    window: int = 60


_LIMITS, _KEYS, _CREATION = "Limits", "Idempotency keys", "Creation of incidents"
_READING, _FORM, _CHILDREN = "Lists and pages", "Form of what is stored", "Children of incidents"
_CLOCK, _NUMBERS = "Clock", "Numbers (external_id)"


@dataclass(frozen=True, slots=True)
class Help:
    """What help pages say of an option; `unit` is the unit of a number and `least` its lower bound, `choices`
    are the only values that it may have."""

    heading: str
    text: str
    unit: str = ""
    least: int | None = None
    choices: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """How a sandbox behaves. Everything that the real API leaves open is an option, so that a client can be
    tested against either behaviour."""

    rate_limit: Annotated[
        RateLimit | None,
        Help(_LIMITS, "Requests per minute and key; 0 means no limit and no X-RateLimit headers.", least=0),
    ] = RateLimit()
    creations_per_hour: Annotated[
        int | None,
        Help(
            _LIMITS,
            "Limit the incidents created in any hour; the 429 does not say how long to wait.",
            least=1,
        ),
    ] = None
    retry_after: Annotated[RetryAfter, Help(_LIMITS, "The format of the Retry-After header.")] = (
        RetryAfter.SECONDS
    )
    largest_body: Annotated[
        int, Help(_LIMITS, "The largest request body; more is a 413.", least=1, unit="BYTES")
    ] = 2 * 1024 * 1024

    idempotency: Annotated[
        Idempotency,
        Help(
            _KEYS,
            "The answer to a known key with the same content: the old incident, 409, 422,"
            " or a new one, as keys are never kept.",
        ),
    ] = Idempotency.REPLAY
    other_content: Annotated[
        OtherContent,
        Help(
            _KEYS,
            "The answer to a known key with other content: as with the same, 409, 422, or a second object.",
        ),
    ] = OtherContent.REPLAY
    keys_kept: Annotated[
        float | None,
        Help(_KEYS, "How long a key is remembered. [default: for ever]", unit="SECONDS", least=0),
    ] = None

    creates_as: Annotated[
        CreatesAs,
        Help(
            _CREATION,
            "What becomes of a new incident: a live one, a public one, or one with"
            " another number, whatever was sent.",
        ),
    ] = CreatesAs.AS_SENT
    sets_timestamps: Annotated[bool, Help(_CREATION, "Fill in timestamps that were not sent.")] = False
    makes_slack_channels: Annotated[bool, Help(_CREATION, "Open a Slack channel for every incident.")] = False
    enforces_forms: Annotated[bool, Help(_CREATION, "Require what the incident forms always require.")] = (
        False
    )

    external_id_first: Annotated[
        bool, Help(_NUMBERS, "Refuse a taken number before looking at the idempotency key.")
    ] = False
    taken_external_id_status: Annotated[
        int, Help(_NUMBERS, "The status of `external ID already exists`.", choices=(409, 422))
    ] = 422

    normalises: Annotated[
        bool,
        Help(_FORM, "Store texts trimmed and with LF, 1200.0 as 1200, and multi-selects in another order."),
    ] = False
    rewrites: Annotated[
        frozenset[Rewrite],
        Help(
            _FORM,
            "Store names, titles and links in another form: runs of spaces become one, ' becomes"
            " ’, a capital first and hosts in lower case, no trailing slash, no query. Repeatable.",
        ),
    ] = frozenset()
    rewrites_on: Annotated[
        Literal["write", "read"],
        Help(_FORM, "Whether the answer to the write shows that form too, or only later reads."),
    ] = "write"

    list_lag: Annotated[
        float,
        Help(
            _READING,
            "How long new objects are missing from lists; GET by ID shows them at once.",
            unit="SECONDS",
            least=0,
        ),
    ] = 0.0
    missing: Annotated[
        frozenset[str],
        Help(
            _READING, "Lack an endpoint, such as /v3/incident_forms: it answers 404. Repeatable.", unit="PATH"
        ),
    ] = frozenset()

    promotes_timeline: Annotated[
        bool,
        Help(
            _CHILDREN, "Put items that nobody declared on a new incident's timeline, one of them of a stream."
        ),
    ] = False
    put_replaces: Annotated[bool, Help(_CHILDREN, "PUT of a follow-up clears what it leaves out.")] = False

    clock_offset: Annotated[
        float, Help(_CLOCK, "How far the server's clock is ahead of this machine's.", unit="SECONDS")
    ] = 0.0
    date_offset: Annotated[
        float, Help(_CLOCK, "How far the Date header is ahead of created_at.", unit="SECONDS")
    ] = 0.0
