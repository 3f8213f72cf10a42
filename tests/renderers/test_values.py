"""Values as words: readable, unambiguous, and harmless to a terminal."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.model import (
    Attachment,
    Attribute,
    Entity,
    Field,
    FollowUp,
    Kind,
    Link,
    Membership,
    NewOption,
    Packed,
    PostmortemDocument,
    Reference,
    StatusPageIncident,
    StatusPageUpdate,
    TimelineItem,
)
from importer.model.plain import labels, plain
from importer.renderers import values
from importer.renderers.columns import cells, cut, cut_around, split_to_width, wrapped
from tests import plans, strategies

MOMENT = datetime(2023, 4, 12, 9, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "null"),
        ("Major", '"Major"'),
        ('C:\\"x"', '"C:\\\\\\"x\\""'),
        (Decimal("1200"), "1200"),
        (Decimal("1.2E+3"), "1200"),
        (Decimal("1E+41"), "1E+41"),
        (MOMENT, "2023-04-12T09:14:00Z"),
        (Link("https://a.example"), '"https://a.example"'),
        (Packed("a;b"), '"a;b"'),
        (Reference(Kind.USER, "lisa"), '"lisa"'),
        (plans.MAJOR, '"Major"'),
        (Entity(Kind.USER, "01USER", ""), '"01USER"'),
        ((plans.PLATFORM, plans.PAYMENTS), '["Payments", "Platform"]'),
        ((NewOption(plans.TEAMS, "Search"),), '["Search" (new option)]'),
        (Membership(), "member"),
        (FollowUp(labels=("a", "b")), '{labels = ["a", "b"]}'),
        (
            StatusPageIncident(
                plans.PAGE, "Slow", (StatusPageUpdate(MOMENT, "resolved", "Over.", ((plans.API, "ok"),)),)
            ),
            '{page = "Acme status", name = "Slow", updates = [{at = "2023-04-12T09:14:00Z", status = "resolved", '
            'message = "Over.", components = {API = "ok"}}]}',
        ),
    ],
)
def test_a_value_is_shown_in_words(value, words):
    assert values.shown(value) == words


@pytest.mark.parametrize(
    ("value", "json"),
    [
        (None, None),
        (Decimal("1200"), "1200"),
        (MOMENT, "2023-04-12T09:14:00Z"),
        ((plans.PLATFORM, NewOption(plans.TEAMS, "Search")), ["Platform", "Search"]),
        (Membership(), {}),
        (TimelineItem(MOMENT), {"at": "2023-04-12T09:14:00Z"}),
        (PostmortemDocument("text", "completed"), {"content": "text", "status": "completed"}),
        (
            FollowUp("text", plans.LISA, "completed", ("db",)),
            {"description": "text", "assignee": "Lisa Karlin", "status": "completed", "labels": ["db"]},
        ),
        (Attachment("jira_issue", external_id="X-1"), {"resource_type": "jira_issue", "external_id": "X-1"}),
    ],
)
def test_a_value_in_json_has_names_instead_of_ids(value, json):
    assert plain(value) == json


@given(strategies.values)
def test_every_value_can_be_shown_in_every_way(value):
    for words in (values.shown(value), values.identified(value)):
        assert values.sanitised(words) == words
    assert isinstance(values.unfolded(value), str)
    plain(value)


@given(st.text())
def test_nothing_ends_a_quoted_text_but_its_end(text):
    inside = values.quoted(text)[1:-1].replace("\\\\", "").replace('\\"', "")

    assert '"' not in inside


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[31m", "\\x1b[31m"),
        ("\x9b2J", "\\x9b2J"),
        ("a\tb\rc\nd", "a\\tb\\rc\\nd"),
        ("\x7f\x00", "\\x7f\\x00"),
        ("\u202eabc\u2069", "\\u202eabc\\u2069"),
        ("\u200b\ufeff\u2028", "\\u200b\\ufeff\\u2028"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("naïve 日本語 👩‍🚀", "naïve 日本語 👩‍🚀"),
    ],
)
def test_what_could_deceive_is_a_visible_escape(raw, shown):
    assert values.sanitised(raw) == shown


def test_labels_tell_apart_what_has_one_name():
    first = Attribute(Field.ROLE, Entity(Kind.ROLE, "01A", "Lead"))
    second = Attribute(Field.ROLE, Entity(Kind.ROLE, "01B", "Lead"))
    by_name = Attribute(Field.ROLE, Reference(Kind.ROLE, "Lead"))
    url, document = Attribute(Field.POSTMORTEM_URL), Attribute(Field.POSTMORTEM, "url")

    assert labels([first, second, by_name, url, document, plans.NAME]) == {
        first: "roles.Lead (01A)",
        second: "roles.Lead (01B)",
        by_name: "roles.Lead (by name)",
        url: "postmortem.url (postmortem_url)",
        document: "postmortem.url (postmortem)",
        plans.NAME: "name",
    }


@given(st.text(), st.integers(1, 30))
def test_a_cut_text_fits(text, width):
    assert cells(cut(text, width)) <= width or width == 1


@given(st.text(max_size=80), st.integers(2, 30))
def test_pieces_are_the_whole_and_fit(text, width):
    found = split_to_width(text, width)

    assert "".join(found) == text
    assert all(cells(piece) <= width for piece in found)


@given(st.text("ab日", min_size=1, max_size=80), st.integers(12, 30), st.data())
def test_what_stands_at_a_position_is_kept(text, width, data):
    position = data.draw(st.integers(0, len(text) - 1))
    marked = text[:position] + "X" + text[position + 1 :]

    kept = cut_around(marked, position, width)

    assert "X" in kept
    assert cells(kept) <= width


def test_combining_characters_take_no_room():
    assert cells("e\u0301") == 1
    assert cells("日本") == 4
    assert cut("日本語", 5) == "日本…"


def test_a_command_is_never_broken():
    command = "importer adopt " + "K" * 90 + " INC-48"

    assert "K" * 90 in "\n".join(wrapped(command, width=40, indent="  ")).split()
    assert wrapped("a\n\n  kept   as it is", width=40, indent="  ") == ["  a", "", "    kept   as it is"]
