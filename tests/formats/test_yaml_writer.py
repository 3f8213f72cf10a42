"""Incidents as YAML: they load unchanged, and are readable."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeGuard

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from importer.formats.yaml_writer import MODELINE, to_yaml
from importer.model import (
    Attachment,
    Attribute,
    Field,
    FollowUp,
    Incident,
    Kind,
    Location,
    Membership,
    Packed,
    PostmortemDocument,
    Reference,
    StatusPageIncident,
    StatusPageUpdate,
    TimelineItem,
    Value,
    normalise,
)
from importer.model.settings import Settings
from importer.sources import load

HERE = Location("", 1)
TRICKY = [
    "no", "NO", "~", "null", "012", "1_000", "1:30", "22:30:00", "0x1F", "1e3", ".5", "2023-04-12", "- a", "? a",
    "a: b", "a #b", "a:", "#a", "'a'", '"a"', "[a]", "{a}", "*a", "&a", "!a", "%a", "@a", "`a`", "|", ">", "=",
    "<<", "---", "...", "a\n---\nb", " a", "\ta", "\n\n a", "a\tb", "a \nb", "a\n\n\nb", "a\n \n b", "\\", '\\"',
    "\x85a", "a\u2028b", "\ufeffa", "a\u202eb", "a\x00b", "a\x7f", "👩‍🚀 and a no-break\u00a0space", "x" * 2000,
    "é: " * 600, "a\x85b\nc", "1 #2", "a #2", "a\n\n# b\n", "\n\n\ta", "Ω", "٣",
]  # fmt: skip


def line(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip())


def has_text(text: str | None) -> TypeGuard[str]:
    return text is not None


texts = st.one_of(
    st.sampled_from(TRICKY),
    st.text(st.sampled_from("ab \n\t:#-'\"\\é\u2028\x07|>{}[]1"), max_size=30),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
)
bodies = texts.map(normalise.text).filter(has_text)
words = texts.map(line).filter(lambda text: text.strip(" \t\r\n") != "" and line(text) == text)
non_blank = bodies.filter(lambda text: text.strip(" \t\r\n") != "")
"""Texts that must not be blank; leading white space is kept."""
keys = words.filter(lambda text: text.isprintable() and len(text) <= 200)
moments = st.datetimes(datetime(1901, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC)).map(
    normalise.to_utc
)


def references(kind: Kind, *ways: str) -> st.SearchStrategy[Reference]:
    return st.builds(Reference, st.just(kind), words, st.sampled_from(["name", *ways]))


def named(kind: Kind) -> st.SearchStrategy[Reference]:
    return st.builds(Reference, st.just(kind), words)


users = references(Kind.USER, "id", "email", "slack_user_id")
options = references(Kind.OPTION, "id").map(lambda each: each.name if each.by == "name" else each)
updates = st.builds(
    StatusPageUpdate,
    at=moments,
    status=st.sampled_from(["investigating", "resolved"]),
    message=non_blank,
    components=st.dictionaries(words, st.just("operational"), max_size=2).map(
        lambda found: tuple((Reference(Kind.COMPONENT, name), found[name]) for name in sorted(found))
    ),
)
follow_ups = st.builds(
    FollowUp,
    description=st.none() | bodies,
    assignee=st.none() | users,
    status=st.sampled_from([None, "completed"]),
    labels=st.sets(words, max_size=2).map(lambda found: tuple(sorted(found))),
)
urls = st.from_regex(r"https?://[a-zé.]{1,9}(/[a-zA-Z0-9?#:,%]{0,9})?", fullmatch=True)
attachments = st.one_of(
    st.builds(Attachment, st.just("arbitrary_url"), url=urls, title=st.none() | words),
    st.builds(Attachment, st.sampled_from(["jira_issue", "sentry_issue"]), external_id=words),
)


def numbered(field: Field, titled: Sequence[tuple[str, Value]]) -> dict[Attribute, Value]:
    """Return children with their keys, as the loader numbers them."""
    found: dict[Attribute, Value] = {}
    for title, child in titled:
        count, key = 1, Attribute(field, title)
        while key in found:
            count += 1
            key = Attribute(field, f"{title} #{count}")
        found[key] = child
    return found


def children(field: Field, values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[Attribute, Value]]:
    titles = st.sampled_from(["a", "a #2", "a #3"]) | words
    return st.lists(st.tuples(titles, values), max_size=4).map(lambda titled: numbered(field, titled))


def keyed(field: Field, kind: Kind, values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[Any, Any]]:
    return st.dictionaries(st.builds(Attribute, st.just(field), named(kind)), values, max_size=3)


def one(field: Field, values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[Any, Any]]:
    return st.dictionaries(st.just(Attribute(field)), values, max_size=1)


postmortems: st.SearchStrategy[dict[Attribute, Value]] = st.one_of(
    st.just({}),
    urls.map(lambda url: {Attribute(Field.POSTMORTEM_URL): url}),
    st.tuples(words, non_blank).map(
        lambda pair: {Attribute(Field.POSTMORTEM): PostmortemDocument(pair[1], "completed", pair[0])}
    ),
)
attachment_lists = st.lists(attachments, max_size=3).map(
    lambda found: numbered(
        Field.ATTACHMENT, [(f"{each.resource_type} {each.url or each.external_id}", each) for each in found]
    )
)
parts = [
    st.fixed_dictionaries({Attribute(Field.NAME): non_blank}),
    one(Field.SUMMARY, st.none() | bodies),
    one(Field.SEVERITY, references(Kind.SEVERITY, "id")),
    one(Field.VISIBILITY, st.sampled_from(["public", "private"])),
    keyed(Field.TIMESTAMP, Kind.TIMESTAMP, st.none() | moments),
    keyed(Field.ROLE, Kind.ROLE, st.none() | users),
    keyed(
        Field.CUSTOM_FIELD,
        Kind.CUSTOM_FIELD,
        st.one_of(
            st.none(),
            bodies,
            st.builds(Reference, st.just(Kind.OPTION), words, st.just("id")),
            st.lists(options, min_size=1, max_size=3).map(normalise.several),
        ),
    ),
    postmortems,
    children(Field.TIMELINE, st.builds(TimelineItem, moments, st.none() | bodies)),
    children(Field.FOLLOW_UP, follow_ups),
    attachment_lists,
    st.sets(users, max_size=2).map(
        lambda found: {Attribute(Field.MEMBER, each): Membership() for each in found}
    ),
    st.just({})
    | st.builds(
        StatusPageIncident,
        references(Kind.STATUS_PAGE, "id"),
        words.filter(lambda name: len(name) <= 200),
        st.lists(updates, min_size=1, max_size=2).map(tuple),
    ).map(lambda found: {Attribute(Field.STATUS_PAGE, found.page): found}),
]
attributes = st.tuples(*parts).map(
    lambda found: {key: value for part in found for key, value in part.items()}
)
incidents = st.builds(
    Incident,
    key=keys,
    external_id=st.none() | st.integers(1, 9999),
    attributes=attributes,
    location=st.just(HERE),
    idempotency_key=st.none() | words,
)


def loaded(text: str) -> list[Incident]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "written.yaml"
        path.write_text(text, encoding="utf-8", newline="\n")
        found = load(Settings(root=Path(folder)), [path])
    assert found.diagnostics == ()
    return [replace(each, location=HERE) for each in found.incidents]


def incident(key: str, *pairs: tuple[Attribute, Value]) -> Incident:
    return Incident(key, None, {Attribute(Field.NAME): f"About {key}", **dict(pairs)}, HERE)


def by_key(found: Sequence[Incident]) -> list[Incident]:
    return sorted(found, key=lambda each: each.key)


@settings(max_examples=60)
@given(st.lists(incidents, max_size=3, unique_by=lambda each: each.key))
def test_written_incidents_load_unchanged(declared: list[Incident]) -> None:
    text = to_yaml(declared, schema="incident.schema.json")
    if declared:
        assert by_key(loaded(text)) == by_key(declared)


@settings(max_examples=20)
@given(st.lists(incidents, max_size=3, unique_by=lambda each: each.key))
def test_the_order_of_incidents_and_fields_is_fixed(declared: list[Incident]) -> None:
    text = to_yaml(declared, schema="s")
    assert to_yaml(list(reversed(declared)), schema="s") == text


@pytest.mark.parametrize("tricky", TRICKY)
def test_a_tricky_text_loads_unchanged_in_every_place(tricky: str) -> None:
    text = normalise.text(tricky)
    field = Attribute(Field.CUSTOM_FIELD, Reference(Kind.CUSTOM_FIELD, line(tricky)))
    declared = incident("A", (Attribute(Field.SUMMARY), text), (field, text))
    assert loaded(to_yaml([declared], schema="s")) == [declared]


@pytest.mark.parametrize("tricky", TRICKY)
def test_other_yaml_readers_find_the_same_text(tricky: str) -> None:
    declared = incident("A", (Attribute(Field.SUMMARY), tricky.rstrip()))
    assert yaml.safe_load(to_yaml([declared], schema="s"))["incidents"][0]["summary"] == tricky.rstrip()


def test_a_file_for_review_matches_its_golden(golden: Any) -> None:
    impact = Attribute(Field.TIMESTAMP, Reference(Kind.TIMESTAMP, "Impact started at"))
    resolved = Attribute(Field.TIMESTAMP, Reference(Kind.TIMESTAMP, "A later end"))
    teams = Attribute(Field.CUSTOM_FIELD, Reference(Kind.CUSTOM_FIELD, "Teams"))
    lead = Attribute(Field.ROLE, Reference(Kind.ROLE, "Incident Lead"))
    full = incident(
        "2042",
        (resolved, datetime(2023, 4, 12, 11, 2, 0, 120000, UTC)),
        (teams, ("NO", "Platform")),
        (lead, Reference(Kind.USER, "lisa@example.com", "email")),
        (Attribute(Field.SUMMARY), "# What\n\n  A deploy: every request\n  opened a connection."),
        (impact, datetime(2023, 4, 12, 9, 14, tzinfo=UTC)),
        (Attribute(Field.SEVERITY), Reference(Kind.SEVERITY, "Major")),
        (Attribute(Field.CALL_URL), "https://meet.example/1"),
        (Attribute(Field.TIMELINE, "Rolled back"), TimelineItem(datetime(2023, 4, 12, 9, 20, tzinfo=UTC))),
        (
            Attribute(Field.TIMELINE, "Rolled back #2"),
            TimelineItem(datetime(2023, 4, 12, 9, 30, tzinfo=UTC), "Again"),
        ),
        (
            Attribute(Field.STATUS_PAGE, Reference(Kind.STATUS_PAGE, "Acme")),
            StatusPageIncident(
                Reference(Kind.STATUS_PAGE, "Acme"),
                "Slow",
                (StatusPageUpdate(datetime(2023, 4, 12, 9, 15, tzinfo=UTC), "resolved", "Over.", ()),),
            ),
        ),
    )
    undated = incident("OPS-1", (Attribute(Field.SUMMARY), None))
    early = incident("OPS-9", (impact, datetime(2021, 1, 1, tzinfo=UTC)))
    golden("yaml_writer.yaml", to_yaml([undated, full, early], schema="s.json"))


def test_the_first_line_names_the_schema_for_editors() -> None:
    assert to_yaml([], schema="s.json").startswith(f"{MODELINE}s.json\n")


def test_a_packed_cell_is_written_as_its_text() -> None:
    field = Attribute(Field.CUSTOM_FIELD, Reference(Kind.CUSTOM_FIELD, "Teams"))
    text = to_yaml([incident("A", (field, Packed("Payments; Platform")))], schema="s")
    assert "Teams: Payments; Platform" in text
