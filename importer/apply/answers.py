"""An answer of the account -> whether the incident already existed, and what to warn about. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from importer.model import (
    Answer,
    Attribute,
    Attributes,
    Diagnostic,
    Field,
    FieldChange,
    LiveIncident,
    Severity,
)
from importer.model.forms import plain_form
from importer.model.memory import CLOCK_SLACK

LIST_LAG = 5.0
"""Seconds after which the account's lists are expected to show what was created."""

_TODAY = timedelta(minutes=10)
"""A timestamp this close to the creation of its incident was set by the server."""


def existed_before(answer: Answer, began: datetime, ended: datetime, *, name: str) -> bool:
    """Return whether the server answered a creation with an incident that already existed.

    The server's clock decides if it is known, since a laptop's may be wrong by minutes. A name other than
    `name`, the one sent, means that the incident was created a moment ago by something else.
    """
    passed = max(ended - began, timedelta())  # our clock may have been set back meanwhile
    first_sent = began if answer.server_now is None else answer.server_now - passed
    return is_older(answer.live, first_sent) or plain_form(answer.live.name) != plain_form(name)


def is_older(live: LiveIncident, moment: datetime) -> bool:
    """Whether an incident was created before a moment of the server's clock."""
    return live.created_at < moment - CLOCK_SLACK


def irreparable(live: LiveIncident, sent: Attributes, external_id: int | None) -> str:
    """Return what is wrong with a new incident if no edit can correct it and every further creation would
    have the same error; empty if nothing is."""
    visibility = Attribute(Field.VISIBILITY)
    if live.mode != "retrospective":
        return f"was created as {live.mode}, not as retrospective, and may have been announced"
    if sent.get(visibility) == "private" and live.attributes.get(visibility) != "private":
        return "was declared private but is visible to everyone"
    if external_id not in (None, live.number):
        return f"should have the number {external_id}"
    return ""


def altered(change: FieldChange) -> Diagnostic:
    return Diagnostic(
        Severity.WARNING,
        "came-back-different",
        f"the account stored a different value for {change.attribute.field.value}, or none",
        detail=change.attribute.label,
        hint="plan will not show this as a change; check one incident to see whether it matters",
    )


def may_have_existed(live: LiveIncident) -> Diagnostic:
    """Warn that an incident counts as created, though an earlier run may have made it."""
    return Diagnostic(
        Severity.WARNING,
        "may-have-existed",
        "incidents that count as created have a creation time up to two seconds before they were sent: either"
        " the server's clocks differ, or a run whose state was lost created them",
        detail=live.reference,
        hint="either way, there is only one of each",
    )


def additions(live: LiveIncident, sent: Attributes) -> tuple[Diagnostic, ...]:
    """Warn about what the server added: a Slack channel, a timestamp of today in an old incident."""
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
        # created_at is by the server's clock too; ours may be wrong.
        is_new = isinstance(value, datetime) and abs(live.created_at - value) < _TODAY
        if is_new and attribute not in sent:
            found.append(
                Diagnostic(
                    Severity.WARNING,
                    "timestamp-set-by-server",
                    f"the account set {attribute.label} to the time of the import",
                    detail=live.reference,
                    hint="declare it, so that durations are correct",
                )
            )
    return tuple(found)
