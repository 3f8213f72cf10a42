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
    """A change that the server makes to texts, links and moments when it stores them."""

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
    ESCAPES = "escapes"
    """Texts of every kind have `_` as `\\_` and `&` as `&amp;`."""
    MILLISECONDS = "milliseconds"
    """Moments lose their milliseconds."""


class RetryAfter(StrEnum):
    """The two forms of the Retry-After header (RFC 9110, 10.2.3)."""

    SECONDS = "seconds"
    HTTP_DATE = "http_date"


class OmittedStatus(StrEnum):
    """The status of a retrospective incident that names none."""

    CLOSED = "closed"
    TRIAGE = "triage"
    REFUSED = "refused"


class TriageTypes(StrEnum):
    """What `create_in_triage: always` means for a retrospective incident of that type."""

    IGNORED = "ignored"
    HONOURED = "honoured"
    """It is created in triage, whatever status was sent."""
    REFUSED = "refused"


class TimestampEdits(StrEnum):
    """What an edit does to a timestamp that has a value."""

    OVERWRITE = "overwrite"
    IGNORED = "ignored"
    REFUSED = "refused"


class Clearing(StrEnum):
    """What clears a timestamp or a role."""

    OMITTED = "omitted"
    """A value that is left out, or null."""
    NULL = "null"
    """Only null; a value that is left out changes nothing."""
    NEVER = "never"
    """Neither; both change nothing."""
    REFUSED = "refused"
    """Neither; both are refused."""


class EditField(StrEnum):
    """A field of an edit."""

    NAME = "name"
    SUMMARY = "summary"
    SEVERITY = "severity_id"
    STATUS = "incident_status_id"
    CUSTOM_FIELDS = "custom_field_entries"
    ROLES = "incident_role_assignments"
    TIMESTAMPS = "incident_timestamp_values"
    CALL_URL = "call_url"
    CHANNEL_NAME = "slack_channel_name_override"


class ExternalIds(StrEnum):
    """Whether a creation may choose its number."""

    BY_ACCOUNT = "by_account"
    """If the account has the feature `external_id`."""
    REFUSED = "refused"
    """422."""
    FORBIDDEN = "forbidden"
    """403."""


class NumberForm(StrEnum):
    """How numeric custom fields are stored."""

    AS_SENT = "as_sent"
    PLAIN = "plain"
    """5.0 as 5."""
    DECIMAL = "decimal"
    """5 as 5.0."""


class TooLong(StrEnum):
    """What becomes of a text beyond the greatest length."""

    REFUSED = "refused"
    CUT = "cut"


class UnknownEmail(StrEnum):
    """What becomes of a role whose assignee's email nobody has."""

    REFUSED = "refused"
    IGNORED = "ignored"


class LastCursor(StrEnum):
    """What `pagination_meta.after` is on the last page."""

    ABSENT = "absent"
    NULL = "null"
    EMPTY = "empty"
    """An empty string."""
    EXTRA = "extra"
    """A cursor; the page after it is empty."""


class LargePages(StrEnum):
    """What becomes of a page_size above the maximum."""

    CLAMPED = "clamped"
    REFUSED = "refused"


class Deleted(StrEnum):
    """What becomes of a deleted follow-up."""

    VANISHES = "vanishes"
    STAYS = "stays"
    """It is listed with the status `deleted`."""


class RepeatedGrant(StrEnum):
    """The answer to a second membership of one user."""

    REPLAY = "replay"
    """201 with the first."""
    CONFLICT = "conflict"
