"""Plans of every kind, by name, for the tests of the renderers and the plan file."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from importer.model import (
    Account,
    Adopt,
    Attachment,
    Attribute,
    Attributes,
    Blocked,
    Change,
    Create,
    Diagnostic,
    Entity,
    Field,
    FieldChange,
    FollowUp,
    Incident,
    Input,
    Kind,
    Link,
    LiveIncident,
    Location,
    Membership,
    MonthCount,
    NewOption,
    NoOp,
    Origin,
    Pending,
    Plan,
    PostmortemDocument,
    Scope,
    Severity,
    StatusPageIncident,
    StatusPageUpdate,
    TimelineItem,
    Unmanaged,
    Update,
)

NAME = Attribute(Field.NAME)
SUMMARY = Attribute(Field.SUMMARY)
SEVERITY = Attribute(Field.SEVERITY)
STATUS = Attribute(Field.STATUS)
VISIBILITY = Attribute(Field.VISIBILITY)
CALL_URL = Attribute(Field.CALL_URL)
POSTMORTEM_URL = Attribute(Field.POSTMORTEM_URL)

MAJOR = Entity(Kind.SEVERITY, "01SEVERITYMAJOR", "Major")
MINOR = Entity(Kind.SEVERITY, "01SEVERITYMINOR", "Minor")
CLOSED = Entity(Kind.STATUS, "01STATUSCLOSED", "Closed")
LISA = Entity(Kind.USER, "01USERLISA", "Lisa Karlin")
TEAMS = Entity(Kind.CUSTOM_FIELD, "01FIELDTEAMS", "Affected teams")
TEAMS_FIELD = Attribute(Field.CUSTOM_FIELD, TEAMS)
CUSTOMERS = Attribute(Field.CUSTOM_FIELD, Entity(Kind.CUSTOM_FIELD, "01FIELDCUSTOMERS", "Customers affected"))
TICKET = Attribute(Field.CUSTOM_FIELD, Entity(Kind.CUSTOM_FIELD, "01FIELDTICKET", "Ticket"))
PAYMENTS = Entity(Kind.OPTION, "01OPTIONPAYMENTS", "Payments")
PLATFORM = Entity(Kind.OPTION, "01OPTIONPLATFORM", "Platform")
SEARCH = NewOption(TEAMS, "Search")
STARTED = Attribute(Field.TIMESTAMP, Entity(Kind.TIMESTAMP, "01TIMESTARTED", "Impact started at"))
RESOLVED = Attribute(Field.TIMESTAMP, Entity(Kind.TIMESTAMP, "01TIMERESOLVED", "Resolved at"))
LEAD = Attribute(Field.ROLE, Entity(Kind.ROLE, "01ROLELEAD", "Incident Lead"))
REPORTER = Attribute(Field.ROLE, Entity(Kind.REPORTER, "01ROLEREPORTER", "Reporter"))
PAGE = Entity(Kind.STATUS_PAGE, "01PAGE", "Acme status")
API = Entity(Kind.COMPONENT, "01COMPONENTAPI", "API")

BEGAN = datetime(2023, 4, 12, 9, 14, tzinfo=UTC)
ENDED = datetime(2023, 4, 12, 11, 2, 0, 500_000, tzinfo=UTC)

SUMMARY_BEFORE = "\n".join(
    [
        "## What happened",
        "",
        "The payments API answered 500 to one request in ten.",
        "Customers could not pay by card.",
        "",
        "## Why",
        "",
        "A connection pool was too small.",
        "",
        "## What we did",
        "",
        "We rolled back v411.",
    ]
)
SUMMARY_AFTER = SUMMARY_BEFORE.replace("one request in ten", "one request in five").replace(
    "We rolled back v411.", "We rolled back v411 and made the pool larger."
)


def incident(key: str, attributes: Attributes, *, line: int = 12, external_id: int | None = None) -> Incident:
    return Incident(key, external_id, attributes, Location("incidents/2023.yaml", line))


def live(number: int, attributes: Attributes) -> LiveIncident:
    return LiveIncident(
        id=f"01LIVE{number}",
        reference=f"INC-{number}",
        mode="retrospective",
        created_at=datetime(2026, 2, 1, 8, tzinfo=UTC),
        updated_at="2026-03-01T10:11:12.5Z",
        attributes=attributes,
        permalink=f"https://app.incident.io/acme/incidents/{number}",
    )


def plan(*changes: Change) -> Plan:
    return Plan(
        account=Account("https://api.incident.io", "https://app.incident.io/acme"),
        made_at=datetime(2026, 11, 22, 12, tzinfo=UTC),
        tool_version="0.1.0",
        inputs=(Input("incidents/2023.yaml", "0" * 64),),
        revision="2f1d3c4b5a69788796a5b4c3d2e1f00112233445",
        changes=changes,
    )


SHORT: Attributes = {NAME: "Search was slow", SEVERITY: MINOR}
FULL: Attributes = {
    NAME: 'Payments API returned "500"s',
    SUMMARY: SUMMARY_BEFORE,
    SEVERITY: MAJOR,
    CALL_URL: "https://meet.example.com/payments",
    STARTED: BEGAN,
    RESOLVED: ENDED,
    LEAD: LISA,
    REPORTER: LISA,
    TEAMS_FIELD: (PAYMENTS, PLATFORM, SEARCH),
    CUSTOMERS: Decimal("1200"),
    TICKET: Link("https://tracker.example.com/browse/PAY-1042"),
    Attribute(Field.POSTMORTEM): PostmortemDocument("# Payments\n\nLong.", "completed", "Payments outage"),
    Attribute(Field.TIMELINE, "Rolled back v411"): TimelineItem(BEGAN, "By hand."),
    Attribute(Field.TIMELINE, "Told customers"): TimelineItem(ENDED, "By mail:\n\nwe are sorry."),
    Attribute(Field.FOLLOW_UP, "Add an alert"): FollowUp("On errors.", LISA, "completed", ("db", "ops")),
    Attribute(Field.FOLLOW_UP, "Make the pool larger"): FollowUp(status="outstanding"),
    Attribute(Field.ATTACHMENT, "jira_issue https://tracker.example.com/browse/PAY-1"): Attachment(
        "jira_issue", "https://tracker.example.com/browse/PAY-1"
    ),
    Attribute(Field.MEMBER, LISA): Membership(),
    Attribute(Field.STATUS_PAGE, PAGE): StatusPageIncident(
        PAGE,
        "Payments fail",
        (
            StatusPageUpdate(BEGAN, "investigating", "We look into it.", ((API, "partial_outage"),)),
            StatusPageUpdate(ENDED, "resolved", "It is over.", ((API, "operational"),)),
        ),
    ),
}


def create(key: str, attributes: Attributes, *, line: int = 12, external_id: int | None = None) -> Create:
    declared = incident(key, attributes, line=line, external_id=external_id)
    return Create(declared, f"importer-{key}", {STATUS: CLOSED, VISIBILITY: "public", **attributes})


def noop(number: int) -> NoOp:
    return NoOp(incident(f"JIRA-{number}", SHORT, line=number), f"01LIVE{number}", f"INC-{number}")


CREATE = create("JIRA-1042", FULL, external_id=1042)
CREATE_SHORT = create("JIRA-1043", {**SHORT, TEAMS_FIELD: (SEARCH,)}, line=40)
UPDATE = Update(
    incident("JIRA-77", {**FULL, SUMMARY: SUMMARY_AFTER, POSTMORTEM_URL: "https://docs.example.com/77"}),
    live(77, FULL),
    (
        FieldChange(SEVERITY, MINOR, MAJOR),
        FieldChange(SUMMARY, SUMMARY_BEFORE, SUMMARY_AFTER),
        FieldChange(TEAMS_FIELD, (PAYMENTS,), (PLATFORM, PAYMENTS)),
        FieldChange(CALL_URL, "https://meet.example.com/payments", None),
        FieldChange(POSTMORTEM_URL, None, "https://docs.example.com/77"),
        FieldChange(
            Attribute(Field.FOLLOW_UP, "Add an alert"),
            FollowUp(status="outstanding"),
            FollowUp("On errors.", LISA, "completed", ("db",)),
        ),
        FieldChange(
            Attribute(Field.POSTMORTEM),
            PostmortemDocument("# Payments\n\nLong.", "in_review"),
            PostmortemDocument("# Payments\n\nLong.", "completed", default_title="Payments"),
        ),
        FieldChange(
            Attribute(Field.TIMELINE, "Told customers"),
            TimelineItem(ENDED, "By mail."),
            TimelineItem(ENDED, "By mail:\n\nwe are sorry."),
        ),
    ),
)
DRIFT = Update(
    incident("JIRA-78", SHORT),
    live(78, {NAME: "Search slow (again)", SEVERITY: MINOR}),
    (FieldChange(NAME, "Search slow (again)", "Search was slow", Origin.DRIFT),),
)
POSSIBLY_DRIFTED = Update(
    incident("JIRA-81", SHORT),
    live(81, {NAME: "Search", SEVERITY: MINOR}),
    (FieldChange(NAME, "Search", "Search was slow", Origin.UNKNOWN),),
)
PARTLY_BLOCKED = Update(
    incident("JIRA-79", {**SHORT, VISIBILITY: "private", REPORTER: LISA, CALL_URL: "https://x.example"}),
    live(79, {NAME: "Slow search", SEVERITY: MINOR, VISIBILITY: "public"}),
    (FieldChange(NAME, "Slow search", "Search was slow"),),
    (
        FieldChange(REPORTER, None, LISA),
        FieldChange(VISIBILITY, "public", "private"),
        FieldChange(
            CALL_URL, None, "https://x.example", obstacle="this account refuses edits of closed incidents"
        ),
    ),
)
BLOCKED = Blocked(
    incident("JIRA-48", SHORT, external_id=48),
    "01LIVE48",
    "INC-48",
    "not-ours",
    "INC-48 exists and was not created by this importer; if it is the same incident, run: importer adopt JIRA-48 INC-48",
)
BLOCKED_FIELDS = Blocked(
    incident("JIRA-49", {**SHORT, VISIBILITY: "private"}),
    "01LIVE49",
    "INC-49",
    "create-only",
    "the API cannot change visibility once the incident exists: change it in incident.io or in the file",
    (FieldChange(VISIBILITY, "public", "private"),),
)
PENDING = Pending(
    incident("JIRA-50", SHORT), "importer-JIRA-50", {STATUS: CLOSED, VISIBILITY: "public", **SHORT}
)
ADOPT = Adopt(
    incident("JIRA-51", SHORT),
    live(51, {NAME: "Search was slow"}),
    (FieldChange(SEVERITY, None, MINOR),),
)
ADOPT_AS_IS = Adopt(incident("JIRA-52", SHORT), live(52, SHORT), ())

UNKNOWN_SEVERITY = Diagnostic(
    Severity.ERROR,
    "unknown-severity",
    "severity 'SEV-1' is not in the account",
    "It is written in the column Priority.",
    "did you mean 'Critical'? Or say so in importer.yaml:\n  aliases: {severity: {SEV-1: Critical}}",
    (Location("legacy/jira.csv", 88, 4), Location("legacy/jira.csv", 91, 4)),
    212,
)
INACTIVE_USER = Diagnostic(
    Severity.WARNING,
    "inactive-user",
    "user 'bob@example.com' is no longer active",
    locations=(Location("incidents/2023.yaml", 31),),
)

KEPT = Diagnostic(
    Severity.WARNING,
    "drift-kept",
    "edits made in incident.io are kept, because on_drift is keep",
    "incident 'JIRA-2': summary",
    locations=(Location("incidents/2023.yaml", 2),),
)

HOSTILE_NAME = 'Bell \x07 and \x1b[31mred\x1b[0m "quoted" \\ \u202eesrever\u202c \x9b2J tab\there \ud800'
HOSTILE = create(
    'KEY" will be updated\n~ incident "OTHER',
    {
        NAME: HOSTILE_NAME,
        SUMMARY: "first\r\n\x1b]0;title\x07second\n+ third\n@@ -1 +1 @@",
        Attribute(Field.CUSTOM_FIELD, Entity(Kind.CUSTOM_FIELD, "01F", "Field\x1b[2J\nname")): (
            Entity(Kind.OPTION, "01O", "\u2066option\u2069"),
        ),
        CUSTOMERS: Decimal("1E+999999"),
        TICKET: Link("https://例え.example/" + "長い" * 60),
    },
)
HOSTILE_UPDATE = Update(
    incident("JIRA-\u202e80", {NAME: "A" * 200 + "!"}),
    replace(live(80, {}), updated_at="yesterday", reference="INC-\x1b[0m80"),
    (
        FieldChange(NAME, "A" * 200 + "?", "A" * 200 + "!", Origin.DRIFT),
        FieldChange(SUMMARY, "one\n" + "B" * 150 + "?\nthree", "one\n" + "B" * 150 + "!\nthree"),
        FieldChange(
            TEAMS_FIELD,
            (Entity(Kind.OPTION, "01OLD", "Payments"),),
            (Entity(Kind.OPTION, "01NEW", "Payments"),),
        ),
        FieldChange(STARTED, BEGAN, None),
    ),
)

HISTORY = (
    MonthCount("", "Minor", 1),
    MonthCount("2022-11", "Minor", 4),
    MonthCount("2022-11", "Retired severity", 1),
    MonthCount("2023-04", "", 1),
    MonthCount("2023-04", "Major", 2),
)

PLANS = {
    "create": plan(CREATE, CREATE_SHORT),
    "update": plan(UPDATE, noop(1), noop(2)),
    "drift": plan(DRIFT),
    "drift-report": replace(plan(DRIFT, noop(1)), scope=Scope(drift_only=True)),
    "drift-possible": replace(
        plan(DRIFT, POSSIBLY_DRIFTED, noop(1)), scope=Scope(drift_only=True, limit=2, left_out=1)
    ),
    "part": replace(
        plan(CREATE_SHORT, noop(1)), scope=Scope(("JIRA-*", "PD-1"), 1, left_out=15, not_compared=12)
    ),
    "part-unchanged": replace(plan(noop(1)), scope=Scope(("JIRA-1",), left_out=1, not_compared=1)),
    "kept": replace(plan(noop(1), noop(2)), diagnostics=(KEPT,)),
    "blocked": plan(BLOCKED, BLOCKED_FIELDS),
    "partly-blocked": plan(PARTLY_BLOCKED),
    "pending": plan(PENDING),
    "adopt": plan(ADOPT, ADOPT_AS_IS),
    "mixed": replace(
        plan(CREATE_SHORT, PENDING, UPDATE, PARTLY_BLOCKED, ADOPT, BLOCKED, noop(1), noop(2), noop(3)),
        unmanaged=tuple(Unmanaged(f"OLD-{number}", f"INC-{number}") for number in range(1, 8)),
        diagnostics=(INACTIVE_USER,),
        severities=("Minor", "Major", "Critical"),
        history=HISTORY,
    ),
    "empty": plan(noop(1), noop(2)),
    "errored": replace(plan(CREATE_SHORT), diagnostics=(UNKNOWN_SEVERITY, INACTIVE_USER)),
    "errored-empty": replace(plan(), diagnostics=(UNKNOWN_SEVERITY,), inputs=(), revision=None),
    "hostile": replace(plan(HOSTILE, HOSTILE_UPDATE), unmanaged=(Unmanaged("OLD\x1b[1m", "INC-1"),)),
}


def many(number: int) -> Plan:
    """Return a plan with this many creations, three a week from 2020 on, every hundredth private."""
    types = [Entity(Kind.INCIDENT_TYPE, f"01TYPE{name}", name) for name in ("Production", "Security")]
    changes = [
        create(
            f"JIRA-{each}",
            {
                NAME: f"Incident number {each}",
                SUMMARY: SUMMARY_BEFORE,
                SEVERITY: MAJOR if each % 3 else MINOR,
                STARTED: datetime(2020, 1, 1, 9, tzinfo=UTC) + timedelta(hours=56 * each),
                Attribute(Field.INCIDENT_TYPE): types[each % 10 == 9],
                VISIBILITY: "public" if (each + 1) % 100 else "private",
            },
            line=each * 14 + 2,
        )
        for each in range(number)
    ]
    return replace(plan(*changes), severities=("Minor", "Major", "Critical"), history=HISTORY)
