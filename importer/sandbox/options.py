"""Options of a sandbox: limits, idempotency, and behaviour that the real API leaves open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from importer.sandbox.choices import (
    Clearing,
    CreatesAs,
    Deleted,
    EditField,
    ExternalIds,
    Idempotency,
    LargePages,
    LastCursor,
    NumberForm,
    OmittedStatus,
    OtherContent,
    RepeatedGrant,
    RetryAfter,
    Rewrite,
    TimestampEdits,
    TooLong,
    TriageTypes,
    UnknownEmail,
)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A token bucket of `limit` requests that refills over `window` seconds."""

    limit: int = 1200
    window: int = 60


_LIMITS, _KEYS, _NUMBERS = "Limits", "Idempotency keys", "Numbers (external_id)"
_CREATION, _EDITS, _TIMES = "Creation of incidents", "Edits of incidents", "Timestamps"
_FORM, _PEOPLE = "Form of what is stored", "People and names"
_READING, _FOLLOW_UPS, _CHILDREN = "Lists and endpoints", "Follow-ups", "Other children of incidents"
_CLOCK = "Clock"


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
        int | None, Help(_LIMITS, "Limit the incidents created in any hour.", least=1)
    ] = None
    counts_retries: Annotated[
        bool, Help(_LIMITS, "Count requests with a known key against that limit too.")
    ] = False
    hourly_type: Annotated[
        Literal["rate_limit_reached", "too_many_requests"],
        Help(_LIMITS, "The type of the 429 beyond that limit."),
    ] = "rate_limit_reached"
    hourly_retry_after: Annotated[bool, Help(_LIMITS, "Send a Retry-After header with that 429.")] = False
    retry_after: Annotated[RetryAfter, Help(_LIMITS, "The format of the Retry-After header.")] = (
        RetryAfter.SECONDS
    )
    largest_body: Annotated[
        int, Help(_LIMITS, "The largest request body; more is a 413.", unit="BYTES", least=1)
    ] = 2 * 1024 * 1024

    idempotency: Annotated[
        Idempotency,
        Help(
            _KEYS,
            "The answer to a known key with the same content: the old incident, 409, 422, or a new one, "
            "as keys are never kept.",
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
    keys_in_flight: Annotated[
        float,
        Help(
            _KEYS,
            "How long a known key is answered with 409, as if the first request were still under way.",
            unit="SECONDS",
            least=0,
        ),
    ] = 0.0
    keys_per_api_key: Annotated[bool, Help(_KEYS, "Remember a key only for the API key that sent it.")] = (
        False
    )
    burns_keys: Annotated[
        bool, Help(_KEYS, "Answer the key of a refused creation (422) with the same refusal for ever.")
    ] = False
    longest_key: Annotated[
        int | None, Help(_KEYS, "Refuse a longer key. [default: no limit]", unit="CHARACTERS", least=1)
    ] = None

    creates_as: Annotated[
        CreatesAs,
        Help(
            _CREATION,
            "What becomes of a new incident: a live one, a public one, or one with another number, "
            "whatever was sent.",
        ),
    ] = CreatesAs.AS_SENT
    only_closed: Annotated[bool, Help(_CREATION, "Refuse every status of another category than closed.")] = (
        False
    )
    omitted_status: Annotated[
        OmittedStatus, Help(_CREATION, "The status of an incident that names none.")
    ] = OmittedStatus.CLOSED
    triage_types: Annotated[
        TriageTypes, Help(_CREATION, "What create_in_triage=always means for a type.")
    ] = TriageTypes.IGNORED
    makes_slack_channels: Annotated[bool, Help(_CREATION, "Open a Slack channel for every incident.")] = False
    enforces_forms: Annotated[bool, Help(_CREATION, "Require what the incident forms always require.")] = (
        False
    )
    url_makes_document: Annotated[
        bool, Help(_CREATION, "Create a post-mortem document from postmortem_document_url.")
    ] = False

    enforces_forms_on_edits: Annotated[bool, Help(_EDITS, "Require what the forms require of edits too.")] = (
        False
    )
    frozen_fields: Annotated[
        frozenset[EditField],
        Help(_EDITS, "Refuse edits of this field of a closed retrospective incident. Repeatable.", "FIELD"),
    ] = frozenset()
    clearing: Annotated[
        Clearing,
        Help(
            _EDITS,
            "What clears a timestamp or a role: a value left out or null, only null, neither as both "
            "are ignored, or as both are refused.",
        ),
    ] = Clearing.OMITTED

    sets_timestamps: Annotated[
        bool,
        Help(
            _TIMES,
            "Fill in timestamps that were not sent, when an incident is declared or its status changes.",
        ),
    ] = False
    timestamp_edits: Annotated[
        TimestampEdits, Help(_TIMES, "What an edit does to a timestamp that has a value.")
    ] = TimestampEdits.OVERWRITE
    refuses_disorder: Annotated[
        bool, Help(_TIMES, "Refuse an incident that is closed before another of its timestamps.")
    ] = False
    refuses_future: Annotated[bool, Help(_TIMES, "Refuse a timestamp in the future.")] = False

    external_id_first: Annotated[
        bool, Help(_NUMBERS, "Refuse a taken number before looking at the idempotency key.")
    ] = False
    external_ids: Annotated[
        ExternalIds,
        Help(
            _NUMBERS,
            "Whether a creation may choose its number: if the account has the feature, or never, with "
            "422 or 403.",
        ),
    ] = ExternalIds.BY_ACCOUNT
    taken_external_id_status: Annotated[
        int, Help(_NUMBERS, "The status of `external ID already exists`.", choices=(409, 422))
    ] = 422
    refuses_low_numbers: Annotated[bool, Help(_NUMBERS, "Refuse a number below the next one.")] = False
    counter_stays: Annotated[
        bool, Help(_NUMBERS, "Number the next incident with the lowest free number, not after the highest.")
    ] = False

    normalises: Annotated[
        bool,
        Help(_FORM, "Store texts trimmed and with LF, 1200.0 as 1200, and multi-selects in another order."),
    ] = False
    numbers: Annotated[NumberForm, Help(_FORM, "Store numbers as sent, 5.0 as 5, or 5 as 5.0.")] = (
        NumberForm.AS_SENT
    )
    rewrites: Annotated[
        frozenset[Rewrite],
        Help(
            _FORM,
            "Store names, titles and links in another form: runs of spaces become one, ' becomes ’, a "
            "capital first and hosts in lower case, no trailing slash, no query; every text with `\\_` for "
            "`_` and `&amp;` for `&`; moments without milliseconds. Repeatable.",
        ),
    ] = frozenset()
    rewrites_on: Annotated[
        Literal["write", "read"],
        Help(_FORM, "Whether the answer to a write shows the stored form too, or only later reads."),
    ] = "write"
    longest_name: Annotated[
        int | None,
        Help(
            _FORM, "The greatest length of names and titles. [default: no limit]", unit="CHARACTERS", least=1
        ),
    ] = None
    longest_text: Annotated[
        int | None,
        Help(
            _FORM, "The greatest length of all other texts. [default: no limit]", unit="CHARACTERS", least=1
        ),
    ] = None
    too_long: Annotated[TooLong, Help(_FORM, "What becomes of a text beyond these lengths.")] = (
        TooLong.REFUSED
    )

    refuses_inactive: Annotated[bool, Help(_PEOPLE, "Refuse to assign inactive users.")] = False
    unknown_email: Annotated[
        UnknownEmail, Help(_PEOPLE, "What becomes of a role whose assignee has an email that nobody has.")
    ] = UnknownEmail.REFUSED
    hidden_status: Annotated[
        int, Help(_PEOPLE, "The status of a private incident that the key may not see.", choices=(404, 403))
    ] = 404
    ignores_case: Annotated[
        bool, Help(_PEOPLE, "Options whose values differ in case or spaces only are the same.")
    ] = False

    list_lag: Annotated[
        float,
        Help(
            _READING,
            "How long new objects are missing from lists; GET by ID shows them at once.",
            unit="SECONDS",
            least=0,
        ),
    ] = 0.0
    skips_ties: Annotated[
        bool,
        Help(
            _READING,
            "A page leaves out incidents that were created at the same time as the last of the page before.",
        ),
    ] = False
    last_cursor: Annotated[
        LastCursor,
        Help(_READING, "What `after` is on the last page; extra means that an empty page follows."),
    ] = LastCursor.ABSENT
    empty_pages: Annotated[
        bool, Help(_READING, "Every list begins with an empty page whose cursor goes on.")
    ] = False
    large_pages: Annotated[LargePages, Help(_READING, "What becomes of a page_size above the maximum.")] = (
        LargePages.CLAMPED
    )
    missing: Annotated[
        frozenset[str],
        Help(
            _READING,
            "Lack an endpoint, such as /v3/incident_forms or POST /v3/follow_ups. Repeatable.",
            unit="[METHOD ]PATH",
        ),
    ] = frozenset()
    missing_status: Annotated[
        int, Help(_READING, "The answer of a missing endpoint.", choices=(404, 405, 410, 403))
    ] = 404

    put_replaces: Annotated[bool, Help(_FOLLOW_UPS, "PUT clears what it leaves out.")] = False
    ignores_empty: Annotated[
        bool, Help(_FOLLOW_UPS, "An empty description and empty labels change nothing.")
    ] = False
    null_clears: Annotated[
        bool, Help(_FOLLOW_UPS, "A null priority or category is cleared; otherwise it changes nothing.")
    ] = False
    deleted: Annotated[
        Deleted, Help(_FOLLOW_UPS, "Whether deleted ones vanish, or stay in lists with the status deleted.")
    ] = Deleted.VANISHES
    second_delete: Annotated[
        int, Help(_FOLLOW_UPS, "The answer to a second DELETE, of attachments too.", choices=(404, 204))
    ] = 404
    requires_owner: Annotated[bool, Help(_FOLLOW_UPS, "Refuse a creation without an assignee.")] = False
    sets_priority: Annotated[bool, Help(_FOLLOW_UPS, "Set the first priority if none is sent.")] = False

    promotes_timeline: Annotated[
        bool,
        Help(
            _CHILDREN,
            "Add timeline items that were not declared to each new incident, one of them from a stream.",
        ),
    ] = False
    attach_keeps_url: Annotated[
        bool,
        Help(_CHILDREN, "Attaching a post-mortem leaves the incident's postmortem_document_url as it is."),
    ] = False
    refuses_external_status: Annotated[
        bool, Help(_CHILDREN, "Refuse to set the status of an attached post-mortem.")
    ] = False
    public_memberships: Annotated[bool, Help(_CHILDREN, "Accept memberships of public incidents.")] = False
    repeated_grant: Annotated[
        RepeatedGrant, Help(_CHILDREN, "The answer to a second membership of one user: the first, or 409.")
    ] = RepeatedGrant.REPLAY
    limits_updates: Annotated[
        bool, Help(_CHILDREN, "Refuse a status-page incident with more than 100 updates.")
    ] = False

    clock_offset: Annotated[
        float, Help(_CLOCK, "How far the server's clock is ahead of this machine's.", unit="SECONDS")
    ] = 0.0
    date_offset: Annotated[
        float, Help(_CLOCK, "How far the Date header is ahead of created_at.", unit="SECONDS")
    ] = 0.0
