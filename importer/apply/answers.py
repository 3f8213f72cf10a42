"""An answer of the account -> was the incident there before, and what should a person hear of it? Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from importer.model import (
    WRITE_ONLY_FIELDS,
    Answer,
    Attribute,
    Attributes,
    Diagnostic,
    Field,
    FieldChange,
    LiveIncident,
    Severity,
)
from importer.plan.differences import same

_CLOCK_SLACK = timedelta(seconds=2)
"""The Date header has whole seconds, and so may the incident's own moment."""

_TODAY = timedelta(minutes=10)
"""A timestamp so near to the creation of its incident was set by the server."""


def readable(attributes: Attributes) -> Attributes:
    """Leave out what no answer shows."""
    return {a: value for a, value in attributes.items() if a.field not in WRITE_ONLY_FIELDS}


def existed_before(answer: Answer, began: datetime, ended: datetime, *, name: str | None) -> bool:
    """Whether the server answered a creation with an incident that it had already.

    The server's clock decides where it is known, since a laptop's may be wrong by minutes. A name other than
    the one sent, `name`, betrays an incident that was made a moment ago from something else.
    """
    passed = max(ended - began, timedelta())  # our clock may be set back meanwhile
    first_sent = began if answer.server_now is None else answer.server_now - passed
    older = answer.live.created_at < first_sent - _CLOCK_SLACK
    return older or not same(answer.live.attributes.get(Attribute(Field.NAME)), name)


def irreparable(live: LiveIncident, sent: Attributes, external_id: int | None) -> str:
    """Say what is wrong with an incident that was just made, where it can never be corrected and would be
    wrong with every further one; empty where nothing is."""
    visibility = Attribute(Field.VISIBILITY)
    if live.mode != "retrospective":
        return f"was made as {live.mode}, not as retrospective, and may have been announced"
    if sent.get(visibility) == "private" and live.attributes.get(visibility) != "private":
        return "was declared private and is visible to all"
    if external_id not in (None, live.number):
        return f"should have the number {external_id}"
    return ""


def altered(change: FieldChange) -> Diagnostic:
    return Diagnostic(
        Severity.WARNING,
        "came-back-different",
        f"the account keeps {change.attribute.field.value} in another form than was sent, or not at all",
        detail=change.attribute.label,
        hint="plan will not show this as a change; look at one incident to see whether it matters",
    )


def not_available(what: str, live: LiveIncident, why: str) -> Diagnostic:
    return Diagnostic(Severity.WARNING, "not-available", what, detail=f"{live.reference}: {why}")


def additions(live: LiveIncident, sent: Attributes) -> tuple[Diagnostic, ...]:
    """Warn of what the server did by itself: a Slack channel, a timestamp of today in an old incident."""
    channel = Attribute(Field.SLACK_CHANNEL_ID)
    found = []
    if live.attributes.get(channel) and channel not in sent:
        found.append(
            Diagnostic(
                Severity.WARNING,
                "slack-channel-created",
                "the account opened a Slack channel for a retrospective incident",
                detail=live.reference,
                hint="stop here and ask incident.io support, or give each incident a slack_channel_id",
            )
        )
    for attribute, value in live.attributes.items():
        # The incident's own moment is the server's clock too; ours may be wrong.
        is_new = isinstance(value, datetime) and abs(live.created_at - value) < _TODAY
        if is_new and attribute not in sent:
            found.append(
                Diagnostic(
                    Severity.WARNING,
                    "timestamp-set-by-server",
                    f"the account set {attribute.label} to the time of the import",
                    detail=live.reference,
                    hint="declare it, so that durations are right",
                )
            )
    return tuple(found)
