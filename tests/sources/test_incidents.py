"""The validated mapping of an incident -> an Incident."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from importer.model import (
    Attachment,
    Attribute,
    Field,
    FollowUp,
    Incident,
    Kind,
    Membership,
    Packed,
    PostmortemDocument,
    Reference,
    StatusPageIncident,
    StatusPageUpdate,
    TimelineItem,
    Value,
)
from importer.model.settings import Settings
from importer.sources import Loaded, load


def write(root: Path, **files: str | bytes) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def messages(loaded: Loaded) -> list[str]:
    return [
        f"{each.severity} {each.locations[0] if each.locations else '-'} {each.code}"
        for each in loaded.diagnostics
    ]


def only(root: Path, text: str, name: str = "a.yaml", **settings: Any) -> Incident:
    write(root, **{name: text})
    loaded = load(Settings(root=root, **settings), [root / name])
    assert loaded.diagnostics == ()
    (incident,) = loaded.incidents
    return incident


def ref(kind: Kind, name: str, by: str = "name") -> Reference:
    return Reference(kind, name, by)


FULL = """
- key: " JIRA-1042 "
  external_id: 1042
  name: Payments API returned 500s
  summary: |
    one
    two
  severity: {id: 01X}
  status: Closed
  incident_type: Production
  visibility: private
  timestamps: {Impact started at: 2023-04-12T09:14:00Z, Resolved at: 2023-04-12 11:02, Fixed at: }
  roles: {Incident Lead: lisa@example.com, Reporter: {slack_user_id: U02}, Scribe: null}
  custom_fields: {Teams: [Platform, Payments, Payments], Count: 1200, Clear: [], Blank: "", None: , By ID: {id: 01Y}, Mixed: [b, {id: 01Z}]}
  call_url: https://example.com
  slack_channel_id: C02
  slack_team_id: T02
  slack_channel_name_override: inc-1042
  idempotency_key: my-own-key
  timeline: [{at: 2023-04-12T09:20:00Z, title: Rolled back, description: why}, {at: 2023-04-12T09:30:00Z, title: Rolled back}]
  follow_ups: [{title: Add an alert, assignee: bob@example.com, status: completed, labels: [db, api, db]}, {title: B, assignee: null}]
  attachments: [{resource_type: jira_issue, external_id: OPS-1}, {resource_type: arbitrary_url, url: https://x, title: T}]
  members: [lisa@example.com, {id: 01U}]
  status_page:
    page: Acme
    updates: [{at: 2023-04-12, status: resolved, message: Fixed, components: {Web: operational, API: full_outage}}]
"""


def test_every_field_becomes_its_attribute(tmp_path: Path) -> None:
    incident = only(tmp_path, FULL, timezone="Europe/London")
    assert (incident.key, incident.external_id, incident.idempotency_key) == ("JIRA-1042", 1042, "my-own-key")
    assert str(incident.location) == "a.yaml:2"
    timestamps, fields = Field.TIMESTAMP, Field.CUSTOM_FIELD

    def custom(name: str) -> Attribute:
        return Attribute(fields, ref(Kind.CUSTOM_FIELD, name))

    assert incident.attributes == {
        Attribute(Field.NAME): "Payments API returned 500s",
        Attribute(Field.SUMMARY): "one\ntwo",
        Attribute(Field.SEVERITY): ref(Kind.SEVERITY, "01X", "id"),
        Attribute(Field.STATUS): ref(Kind.STATUS, "Closed"),
        Attribute(Field.INCIDENT_TYPE): ref(Kind.INCIDENT_TYPE, "Production"),
        Attribute(Field.VISIBILITY): "private",
        Attribute(timestamps, ref(Kind.TIMESTAMP, "Impact started at")): datetime(
            2023, 4, 12, 9, 14, tzinfo=UTC
        ),
        Attribute(timestamps, ref(Kind.TIMESTAMP, "Resolved at")): datetime(2023, 4, 12, 10, 2, tzinfo=UTC),
        Attribute(timestamps, ref(Kind.TIMESTAMP, "Fixed at")): None,
        Attribute(Field.ROLE, ref(Kind.ROLE, "Incident Lead")): ref(Kind.USER, "lisa@example.com"),
        Attribute(Field.ROLE, ref(Kind.ROLE, "Reporter")): ref(Kind.USER, "U02", "slack_user_id"),
        Attribute(Field.ROLE, ref(Kind.ROLE, "Scribe")): None,
        custom("Teams"): ("Payments", "Platform"),
        custom("Count"): "1200",
        custom("Clear"): None,
        custom("Blank"): None,
        custom("None"): None,
        custom("By ID"): ref(Kind.OPTION, "01Y", "id"),
        custom("Mixed"): ("b", ref(Kind.OPTION, "01Z", "id")),
        Attribute(Field.CALL_URL): "https://example.com",
        Attribute(Field.SLACK_CHANNEL_ID): "C02",
        Attribute(Field.SLACK_TEAM_ID): "T02",
        Attribute(Field.SLACK_CHANNEL_NAME): "inc-1042",
        Attribute(Field.TIMELINE, "Rolled back"): TimelineItem(
            datetime(2023, 4, 12, 9, 20, tzinfo=UTC), "why"
        ),
        Attribute(Field.TIMELINE, "Rolled back #2"): TimelineItem(datetime(2023, 4, 12, 9, 30, tzinfo=UTC)),
        Attribute(Field.FOLLOW_UP, "Add an alert"): FollowUp(
            None, ref(Kind.USER, "bob@example.com"), "completed", ("api", "db")
        ),
        Attribute(Field.FOLLOW_UP, "B"): FollowUp(cleared=("assignee",)),
        Attribute(Field.ATTACHMENT, "jira_issue OPS-1"): Attachment("jira_issue", None, "OPS-1"),
        Attribute(Field.ATTACHMENT, "arbitrary_url https://x"): Attachment(
            "arbitrary_url", "https://x", None, "T"
        ),
        Attribute(Field.MEMBER, ref(Kind.USER, "lisa@example.com")): Membership(),
        Attribute(Field.MEMBER, ref(Kind.USER, "01U", "id")): Membership(),
        Attribute(Field.STATUS_PAGE, ref(Kind.STATUS_PAGE, "Acme")): StatusPageIncident(
            ref(Kind.STATUS_PAGE, "Acme"),
            "Payments API returned 500s",
            (
                StatusPageUpdate(
                    datetime(2023, 4, 11, 23, tzinfo=UTC),
                    "resolved",
                    "Fixed",
                    (
                        (ref(Kind.COMPONENT, "API"), "full_outage"),
                        (ref(Kind.COMPONENT, "Web"), "operational"),
                    ),
                ),
            ),
        ),
    }


def test_references_know_their_lines(tmp_path: Path) -> None:
    incident = only(tmp_path, "key: A\nname: B\nseverity: Major\nroles:\n  Lead: a@example.com\n")
    severity = incident.attributes[Attribute(Field.SEVERITY)]
    (role,) = [each for each in incident.attributes if each.field is Field.ROLE]
    assert isinstance(severity, Reference)
    assert isinstance(role.key, Reference)
    assert (str(severity.location), str(role.key.location)) == ("a.yaml:3", "a.yaml:5")


def test_an_external_id_serves_as_key(tmp_path: Path) -> None:
    assert only(tmp_path, "external_id: 042\nname: B\n").key == "42"


def test_an_omitted_field_is_absent_and_null_clears(tmp_path: Path) -> None:
    incident = only(tmp_path, "key: A\nname: B\nsummary: null\n")
    assert incident.attributes == {Attribute(Field.NAME): "B", Attribute(Field.SUMMARY): None}


@pytest.mark.parametrize("name", ["timestamps", "roles", "custom_fields"])
def test_an_emptied_block_is_an_omitted_one_with_a_warning_that_says_how_to_clear(
    tmp_path: Path, name: str
) -> None:
    for empty in ("", "{}"):
        write(tmp_path, **{"a.yaml": f"key: A\nname: B\n{name}: {empty}\n"})
        loaded = load(Settings(root=tmp_path))
        assert messages(loaded) == ["warning a.yaml:3 empty-field"]
        assert f"`{name}: {{NAME: null}}`" in loaded.diagnostics[0].hint
        assert [each.attributes for each in loaded.incidents] == [{Attribute(Field.NAME): "B"}]


@pytest.mark.parametrize(
    "written",
    [
        *("postmortem:", "timeline:", "follow_ups:", "attachments:", "members:", "status_page:"),
        *("timeline: []", "follow_ups: []", "attachments: []", "members: []"),
    ],
)
def test_an_emptied_list_or_child_is_an_omitted_one_with_a_warning(tmp_path: Path, written: str) -> None:
    write(tmp_path, **{"a.yaml": f"key: A\nname: B\n{written}\n"})
    loaded = load(Settings(root=tmp_path))
    assert messages(loaded) == ["warning a.yaml:3 empty-field"]
    assert "what is in incident.io stays" in loaded.diagnostics[0].hint
    assert [each.attributes for each in loaded.incidents] == [{Attribute(Field.NAME): "B"}]


def test_the_body_of_markdown_is_its_post_mortem_where_the_front_matter_leaves_it_empty(
    tmp_path: Path,
) -> None:
    incident = only(tmp_path, "---\nkey: A\nname: B\npostmortem:\n---\nText\n", "a.md")
    assert isinstance(incident.attributes[Attribute(Field.POSTMORTEM)], PostmortemDocument)


def test_defaults_fill_in_omitted_fields(tmp_path: Path) -> None:
    defaults = {"severity": "Minor", "visibility": "private", "status": "Closed"}
    incident = only(tmp_path, "key: A\nname: B\nstatus: Done\n", defaults=defaults)
    assert incident.attributes == {
        Attribute(Field.NAME): "B",
        Attribute(Field.SEVERITY): ref(Kind.SEVERITY, "Minor"),
        Attribute(Field.VISIBILITY): "private",
        Attribute(Field.STATUS): ref(Kind.STATUS, "Done"),
    }


def test_names_that_differ_only_in_white_space_are_a_duplicate(tmp_path: Path) -> None:
    write(
        tmp_path,
        **{"a.yaml": "key: A\nname: B\ntimestamps: {Fixed at: 2023-01-01T00:00Z, 'Fixed at ': null}\n"},
    )
    assert messages(load(Settings(root=tmp_path))) == ["error a.yaml:3 duplicate-field"]


def test_a_table_cell_is_packed_until_its_field_is_known(tmp_path: Path) -> None:
    header = (
        "key,name,custom_fields.Teams,custom_fields.Many,custom_fields.Many,members,timestamps.Resolved at"
    )
    incident = only(
        tmp_path, f"{header}\nA,B,x;y,1,2,a@example.com;b@example.com,2023-01-01T00:00Z\n", "a.csv"
    )
    custom = {
        each.label: value for each, value in incident.attributes.items() if each.field is Field.CUSTOM_FIELD
    }
    assert custom == {"custom_fields.Teams": Packed("x;y"), "custom_fields.Many": (Packed("1"), Packed("2"))}
    places = [str(each.key.location) for each in incident.attributes if isinstance(each.key, Reference)]
    assert places == ["a.csv:2:3", "a.csv:2:4", "a.csv:2:6", "a.csv:2:6", "a.csv:2:7"]
    assert str(incident.location) == "a.csv:2"


def test_an_invalid_time_is_reported_in_every_field(tmp_path: Path) -> None:
    text = """key: A
name: B
timestamps: {Resolved at: 12/04/2023}
timeline: [{at: 2023-01-01, title: T}]
status_page: {page: P, updates: [{at: x, status: resolved, message: M}]}
"""
    write(tmp_path, **{"a.yaml": text, "b.csv": "key,name,timestamps.Fixed at\nC,D,soon\n"})
    loaded = load(Settings(root=tmp_path))
    assert messages(loaded) == [
        "error a.yaml:3 bad-datetime",
        "error a.yaml:4 naive-datetime",
        "error a.yaml:5 bad-datetime",
        "error b.csv:2:3 bad-datetime",
    ]
    assert [each.key for each in loaded.incidents] == ["A", "C"]


def title_of(document: Value) -> tuple[str | None, str | None]:
    """Return the declared and the default title of a post-mortem."""
    assert isinstance(document, PostmortemDocument)
    return document.title, document.default_title


POSTMORTEM = "key: A\nname: B\npostmortem: {file: %s}\n"


def test_a_postmortem_file_is_read_and_counted_as_input(tmp_path: Path) -> None:
    content = "```\n# no heading\n```\n## Below\n# What happened #\n\ntext\n"
    write(tmp_path, **{"x/a.yaml": POSTMORTEM % "../docs/1.md", "docs/1.md": content})
    loaded = load(Settings(root=tmp_path))
    assert loaded.diagnostics == ()
    document = loaded.incidents[0].attributes[Attribute(Field.POSTMORTEM)]
    assert document == PostmortemDocument(content.rstrip())
    assert title_of(document) == (None, "What happened")
    assert [each.path for each in loaded.inputs] == ["docs/1.md", "x/a.yaml"]
    assert loaded.inputs[0].sha256 == hashlib.sha256(content.encode()).hexdigest()


@pytest.mark.parametrize(
    ("more", "title"), [("", None), (", title: Mine, status: completed", "Mine")], ids=["incident", "own"]
)
def test_a_postmortem_without_a_heading_gets_the_declared_title_or_else_the_incidents_name(
    tmp_path: Path, more: str, title: str | None
) -> None:
    write(tmp_path, **{"a.yaml": POSTMORTEM % f"1.md{more}", "1.md": "text"})
    (incident,) = load(Settings(root=tmp_path)).incidents
    status = "completed" if more else None
    document = incident.attributes[Attribute(Field.POSTMORTEM)]
    assert document == PostmortemDocument("text", status, title)
    assert title_of(document) == (title, "B")


def test_a_postmortem_url_is_a_link(tmp_path: Path) -> None:
    incident = only(tmp_path, "key: A\nname: B\npostmortem: {url: https://x}\n")
    assert incident.attributes[Attribute(Field.POSTMORTEM_URL)] == "https://x"


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("absent.md", "postmortem-file-missing"),
        ("../secret.md", "postmortem-outside"),
        ("/etc/hostname", "postmortem-outside"),
        ("link.md", "postmortem-outside"),
        ("empty.md", "postmortem-empty"),
        ("latin.md", "not-utf-8"),
    ],
)
def test_a_postmortem_that_cannot_be_used_is_an_error(tmp_path: Path, file: str, code: str) -> None:
    root = tmp_path / "root"
    files: dict[str, str | bytes] = {
        "secret.md": "x",
        "root/a.yaml": POSTMORTEM % file,
        "root/empty.md": " \n",
        "root/latin.md": b"\n\xe9",
    }
    write(tmp_path, **files)
    (root / "link.md").symlink_to("../secret.md")
    loaded = load(Settings(root=root))
    assert messages(loaded) == [f"error a.yaml:3 {code}"]
    assert [each.attributes for each in loaded.incidents] == [{Attribute(Field.NAME): "B"}]


def test_parts_may_be_omitted_or_null(tmp_path: Path) -> None:
    update = "{at: 2023-01-01T00:00Z, status: resolved, message: M}"
    text = f"key: A\nname: B\nstatus_page: {{page: P, name: N, updates: [{update}]}}\n"
    incident = only(tmp_path, text)
    assert [each.label for each in incident.attributes] == ["name", "status_page.P"]


def test_a_repeated_title_stays_the_title_and_gets_a_key_of_its_own(tmp_path: Path) -> None:
    items = "\n".join(f"- {{at: 2024-01-01T10:0{n}:00Z, title: Update}}" for n in range(3))
    tasks = "- {title: Fix}\n- {title: Fix}"
    incident = only(tmp_path, f"key: A\nname: B\ntimeline:\n{items}\nfollow_ups:\n{tasks}\n")
    titles = {
        attribute.label: value.title
        for attribute, value in incident.attributes.items()
        if isinstance(value, TimelineItem | FollowUp)
    }
    assert titles == {
        "timeline.Update": None,
        "timeline.Update #2": "Update",
        "timeline.Update #3": "Update",
        "follow_ups.Fix": None,
        "follow_ups.Fix #2": "Fix",
    }
