"""Whatever the account holds, a file pulled from it plans empty; what a file cannot hold is counted."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importer.account.resolver import resolve
from importer.formats.yaml_writer import to_yaml
from importer.model import (
    Attachment,
    Attribute,
    Attributes,
    Binding,
    CatalogEntry,
    Catalogue,
    CustomField,
    Diagnostic,
    Entity,
    Field,
    FollowUp,
    IncidentType,
    Kind,
    Link,
    LiveChild,
    LiveIncident,
    Memory,
    NoOp,
    PostmortemDocument,
    Status,
    TimelineItem,
    User,
    Value,
    normalise,
)
from importer.model.errors import ExitCode, NotAvailable, Refused, UsageError
from importer.model.identity import Marker
from importer.model.settings import Settings
from importer.plan.matching import LiveIndex
from importer.plan.planner import PlanContext, plan_changes
from importer.pull import (
    PULLED_CHILDREN,
    ChildCollector,
    Declared,
    Filters,
    PullWarnings,
    carriers,
    chosen,
    declare_live,
    keys,
)
from importer.sources import load
from tests.plans import NAME, SEVERITY, STATUS, SUMMARY, VISIBILITY

NOON = datetime(2021, 3, 1, 12, tzinfo=UTC)
TYPE = Attribute(Field.INCIDENT_TYPE)
HOSTILE = [
    "no", "~", "null", "1_000", "22:30:00", "0x1f", "1e3", "- a: b #c", "'quoted' \"twice\"", "{{ x }}",
    "a\tb", "two\nlines", "two  \nlines", "\n first", " blanks  ", "a\r\nb\rc", "\x00\x07\x1b[2J", "\x85\u2028",
    "\ufeffbom", "\u202eturned", "\ud800", "half \udfff of it", "# not a comment", "? key", "&a *b !c", "%d",
    "<<", "=", "é 🚨 Zürich", "e\u0301", "@here", "|", ">", "a: |\n  b", "---\n...\n", "x" * 300, " ", "",
]  # fmt: skip


def entities(kind: Kind, *names: str) -> tuple[Entity, ...]:
    return tuple(Entity(kind, f"01{kind.upper()}{number}", name) for number, name in enumerate(names))


SEVERITIES = entities(Kind.SEVERITY, "Minor", "minor", "MAJOR", "- no")
MINOR, LOWER, MAJOR, ODD = SEVERITIES
STATUSES = entities(Kind.STATUS, "Closed", "Merged", "Investigating")
CLOSED, MERGED, OPEN = STATUSES
TYPES = entities(Kind.INCIDENT_TYPE, "Production", "Security")
ROLES = (
    *entities(Kind.ROLE, "Lead", "Scribe", "scribe", "Twin", "Twin"),
    Entity(Kind.REPORTER, "01R", "Who"),
)
TIMES = entities(Kind.TIMESTAMP, "Impact started at", "Resolved at", " padded ")
OPTIONS = entities(Kind.OPTION, "a; b", "null", "Same", "Same", " blank ", "01OPTION0")
ENTRIES = entities(Kind.CATALOG_ENTRY, "API", "api", "Twin", "Twin")
TEXT, LINK, NUMBER, ONE, MANY, SERVICE = entities(
    Kind.CUSTOM_FIELD, "Notes", "Ticket: x", "Customers", "Cause", "Teams", "Service"
)
LISA, SLACK, SHARED, NOBODY = entities(Kind.USER, "Lisa", "Slack", "Shared", "Nobody")
CATALOGUE = Catalogue(
    severities=SEVERITIES,
    statuses=(Status(CLOSED, "closed", 1), Status(MERGED, "merged", 2), Status(OPEN, "live", 3)),
    incident_types=tuple(IncidentType(each, each is TYPES[1], each is TYPES[0]) for each in TYPES),
    roles=ROLES,
    timestamps=TIMES,
    custom_fields=(
        CustomField(TEXT, "text"),
        CustomField(LINK, "link"),
        CustomField(NUMBER, "numeric"),
        CustomField(ONE, "single_select"),
        CustomField(MANY, "multi_select"),
        CustomField(SERVICE, "multi_select", "01TYPE"),
    ),
    options={ONE.id: OPTIONS, MANY.id: OPTIONS},
    catalog_entries={
        "01TYPE": tuple(
            CatalogEntry(each, None if each is ENTRIES[3] else f"ext-{each.id}", ()) for each in ENTRIES
        )
    },
    users=(
        User(LISA, "lisa@example.com", "U1", True),
        User(SLACK, None, "U2", False),
        User(SHARED, "lisa@EXAMPLE.com", None, False),
        User(NOBODY, None, None, True),
    ),
)
SETTINGS = Settings(root=Path())
GONE = Entity(Kind.USER, "01GONE", "Gone")


def custom(field: Entity) -> Attribute:
    return Attribute(Field.CUSTOM_FIELD, field)


def live(number: int = 1, attributes: Attributes | None = None, **parts: object) -> LiveIncident:
    known: dict[Attribute, Value] = {NAME: "A name", SEVERITY: MINOR, STATUS: CLOSED, VISIBILITY: "public"}
    whole = {a: v for a, v in {**known, **(attributes or {})}.items() if v is not None}
    made = LiveIncident(f"01LIVE{number}", f"INC-{number}", "retrospective", NOON, "", whole)
    return replace(made, **parts)  # type: ignore[arg-type]


def pulled(
    *incidents: LiveIncident, catalogue: Catalogue = CATALOGUE, config: Settings = SETTINGS
) -> tuple[tuple[Declared, ...], tuple[Diagnostic, ...]]:
    warnings = PullWarnings()
    named = {each.id: each.id for each in incidents}
    return declare_live(incidents, named, catalogue, config, warnings), warnings.diagnostics()


def declared_values(attributes: Attributes, **options: object) -> Mapping[str, Value]:
    """Return the attributes of one incident in a file, by label, except those that every incident has."""
    (one,), found = pulled(live(attributes=attributes), **options)  # type: ignore[arg-type]
    assert found == ()
    own = {each.label for each in (NAME, SEVERITY, STATUS, VISIBILITY)}
    return {a.label: value for a, value in one.incident.attributes.items() if a.label not in own}


def left_out(attributes: Attributes) -> list[str]:
    """Return the labels of what is left out of one incident that is otherwise pulled."""
    (_,), found = pulled(live(attributes=attributes))
    assert {each.code for each in found} <= {"value-not-pulled"}
    return [each.summary.partition(" cannot be written")[0] for each in found]


# -- whatever the account holds ------------------------------------------------------------------------

_texts = st.one_of(
    st.sampled_from(HOSTILE), st.text(st.characters(categories=["L", "N", "P", "S", "Z", "C"]), max_size=30)
).map(normalise.text)
_moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)).map(
    normalise.to_utc
)
_titles = st.one_of(st.sampled_from(["Alert", "Alert #2", "no", ""]), _texts.map(lambda text: text or ""))
_people = st.sampled_from([LISA, SLACK, SHARED, NOBODY, GONE])
_numbers = st.decimals(allow_nan=False, allow_infinity=False, places=4).map(
    lambda number: normalise.number(str(number))
)


def _some(of: st.SearchStrategy[Entity]) -> st.SearchStrategy[Value]:
    return st.lists(of, max_size=3).map(normalise.several)


_attributes = st.fixed_dictionaries(
    {NAME: _texts, SEVERITY: st.sampled_from([*SEVERITIES, None])},
    optional={
        SUMMARY: _texts,
        TYPE: st.sampled_from([*TYPES, Entity(Kind.INCIDENT_TYPE, "01OLD", "Old")]),
        VISIBILITY: st.sampled_from(["public", "private"]),
        STATUS: st.sampled_from([CLOSED, MERGED]),
        Attribute(Field.CALL_URL): _texts,
        Attribute(Field.POSTMORTEM_URL): _texts,
        Attribute(Field.SLACK_CHANNEL_ID): st.just("C1"),
        custom(TEXT): _texts,
        custom(LINK): _texts.map(lambda text: Link(f"https://x/{text}")) | _texts.map(lambda _: Link("odd")),
        custom(NUMBER): _numbers | _texts,
        custom(ONE): _some(st.sampled_from([*OPTIONS, Entity(Kind.OPTION, "01OLD", "Old")])),
        custom(MANY): _some(st.sampled_from([*OPTIONS, Entity(Kind.OPTION, "01OLD", "Old")])),
        custom(SERVICE): _some(st.sampled_from(ENTRIES)),
        custom(Entity(Kind.CUSTOM_FIELD, "01DELETED", "Deleted")): _texts,
        **{Attribute(Field.ROLE, each): _people for each in ROLES},
        **{Attribute(Field.TIMESTAMP, each): _moments for each in TIMES},
    },
)
_children = st.lists(
    st.one_of(
        st.tuples(
            st.just(Field.FOLLOW_UP),
            _titles,
            st.builds(
                FollowUp,
                _texts,
                st.none() | _people,
                st.sampled_from([None, "outstanding", "completed", "not_doing", "deleted"]),
                st.lists(_texts.map(lambda text: text or ""), max_size=3).map(sorted).map(tuple),
            ),
        ),
        st.tuples(st.just(Field.TIMELINE), _titles, st.builds(TimelineItem, _moments, _texts)),
        st.tuples(
            st.just(Field.POSTMORTEM),
            _titles,
            st.builds(PostmortemDocument, _texts.map(lambda text: text or "x"), st.sampled_from(["completed", "odd"])),
        ),
        st.tuples(
            st.just(Field.ATTACHMENT),
            st.just(""),
            st.builds(
                Attachment,
                st.sampled_from(["arbitrary_url", "jira_issue"]),
                url=_texts,
                external_id=_texts.map(lambda text: text or "x"),
                title=_texts,
            ),
        ),
    ),
    max_size=3,
)  # fmt: skip


@st.composite
def _accounts(draw: st.DrawFn) -> list[LiveIncident]:
    return [
        live(
            number,
            {
                **draw(_attributes),
                **{Attribute(field, _key(title, child)): child for field, title, child in draw(_children)},
            },
            reference=draw(st.sampled_from([f"INC-{number}", "INC-7", "INC-0", "odd", f"I-{2**63}"])),
        )
        for number in range(1, draw(st.integers(1, 3)) + 1)
    ]


def _key(title: str, child: object) -> str:
    if isinstance(child, Attachment):
        return f"{child.resource_type} {child.url or child.external_id}"
    return normalise.text(title) or ""


@settings(max_examples=250, deadline=None)
@given(_accounts())
def test_what_was_pulled_plans_empty(
    tmp_path_factory: pytest.TempPathFactory, account: list[LiveIncident]
) -> None:
    declared, _ = pulled(*account)
    assert plan_again(tmp_path_factory.mktemp("pulled"), declared, account) == len(declared)


def plan_again(folder: Path, declared: Iterable[Declared], account: list[LiveIncident]) -> int:
    """Write, load and plan; return how many incidents are unchanged, which must be all."""
    path = folder / "pulled.yaml"
    path.write_text(to_yaml((each.incident for each in declared), schema="x"), encoding="utf-8")
    loaded = load(replace(SETTINGS, root=folder), [path])
    gc.unfreeze()
    empty = [each for each in loaded.diagnostics if each.code != "not-an-incident-file"]
    assert empty == []
    resolved = resolve(loaded.incidents, CATALOGUE, SETTINGS)
    assert [each for each in resolved.diagnostics if each.severity == "error"] == []
    nothing = Memory({}, {}, lambda _: {})
    planned = plan_changes(
        resolved.incidents,
        LiveIndex(account, nothing, None, is_whole=True),
        memory=nothing,
        context=PlanContext(SETTINGS, None, CLOSED),
        declared_keys=frozenset(each.key for each in resolved.incidents),
    )
    assert all(isinstance(change, NoOp) for change in planned.changes), planned.changes
    return len(planned.changes)


@pytest.mark.parametrize("text", HOSTILE[:-2])
def test_a_hostile_text_is_read_back_or_counted(tmp_path: Path, text: str) -> None:
    one = live(attributes={SUMMARY: normalise.text(text), custom(TEXT): normalise.text(text)})
    declared, found = pulled(one)
    assert plan_again(tmp_path, declared, [one]) == 1
    assert bool(found) is ("\ud800" <= text[-1] <= "\udfff" or "\udfff" in text)


def test_a_megabyte_of_text_is_read_back(tmp_path: Path) -> None:
    one = live(attributes={SUMMARY: "all of it: \x07\n" * 90_000 + "."})
    declared, found = pulled(one)
    assert plan_again(tmp_path, declared, [one]) == 1
    assert found == ()


# -- words ---------------------------------------------------------------------------------------------


def test_entities_are_referenced_by_name_and_by_id_only_if_no_name_is_unique() -> None:
    found = declared_values({custom(MANY): (OPTIONS[0], OPTIONS[1], OPTIONS[2]), custom(ONE): (OPTIONS[0],)})
    assert [getattr(each, "name", each) for each in found["custom_fields.Teams"]] == [  # type: ignore[union-attr]
        "a; b",
        "null",
        OPTIONS[2].id,
    ]
    assert found["custom_fields.Cause"] == "a; b"


def test_catalog_entries_are_referenced_by_a_unique_identifier() -> None:
    names = declared_values({custom(SERVICE): ENTRIES})["custom_fields.Service"]
    assert [getattr(each, "name", each) for each in names] == [  # type: ignore[union-attr]
        "API",
        "api",
        "ext-01CATALOG_ENTRY2",
        "01CATALOG_ENTRY3",
    ]


@pytest.mark.parametrize(
    ("person", "by", "word"),
    [
        (LISA, "name", "lisa@example.com"),
        (SLACK, "slack_user_id", "U2"),
        (SHARED, "id", SHARED.id),
        (NOBODY, "id", NOBODY.id),
    ],
)
def test_users_are_referenced_by_email_then_slack_id_then_id(person: Entity, by: str, word: str) -> None:
    found = declared_values({Attribute(Field.ROLE, ROLES[0]): person})["roles.Lead"]
    assert (getattr(found, "by", ""), getattr(found, "name", "")) == (by, word)


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        (Attribute(Field.ROLE, ROLES[3]), LISA),  # two roles of one name
        (Attribute(Field.ROLE, ROLES[0]), GONE),
        (Attribute(Field.TIMESTAMP, TIMES[2]), NOON),
        (Attribute(Field.TIMESTAMP, TIMES[0]), NOON.replace(year=1899)),
        (custom(ONE), (Entity(Kind.OPTION, "01OLD", "Old"),)),
        (custom(ONE), (OPTIONS[0], OPTIONS[1])),
        (custom(NUMBER), "many"),
        (custom(Entity(Kind.CUSTOM_FIELD, "01DELETED", "Deleted")), "x"),
        (SUMMARY, "\ud800"),
        (Attribute(Field.FOLLOW_UP, ""), FollowUp()),
        (Attribute(Field.TIMELINE, "Early"), TimelineItem(NOON.replace(year=1899))),
        (Attribute(Field.ATTACHMENT, "arbitrary_url x"), Attachment("arbitrary_url", "x", title=" padded ")),
    ],
)
def test_values_that_no_file_can_hold_are_left_out_and_counted(attribute: Attribute, value: Value) -> None:
    assert left_out({attribute: value}) == [attribute.label]


def test_a_follow_up_keeps_what_a_file_can_hold() -> None:
    follow_up = FollowUp("Do it.", GONE, "deleted", ("db", " padded"))
    found = declared_values({Attribute(Field.FOLLOW_UP, "Alert"): follow_up})
    assert found == {"follow_ups.Alert": FollowUp("Do it.")}


def test_a_name_that_an_alias_maps_to_another_entity_is_not_used() -> None:
    aliases: dict[str, dict[str, str | None]] = {
        "severity": {"MAJOR": "- no", "- no": "of another account"},
        "users": {"lisa@example.com": None},
    }
    config = replace(SETTINGS, aliases=aliases)
    (one, other), found = pulled(
        live(1, {SEVERITY: MAJOR, Attribute(Field.ROLE, ROLES[0]): LISA}),
        live(2, {SEVERITY: ODD}),
        config=config,
    )
    assert (one.incident.attributes[SEVERITY].by, other.incident.attributes[SEVERITY].name) == ("id", "- no")  # type: ignore[union-attr]
    assert found == ()


def test_an_incident_that_no_file_can_declare_is_counted_with_the_reason() -> None:
    declared, found = pulled(
        live(1, {NAME: "\ud800"}), live(2, {SEVERITY: None}), live(3, {TYPE: TYPES[1]}), live(4)
    )
    assert [each.live.id for each in declared] == ["01LIVE4"]
    warning = {each.summary: each.detail for each in found if each.code == "incident-not-pulled"}
    assert warning == {
        "incidents without a name are not pulled, since a file requires one": "1 incident: INC-1",
        "incidents without a severity are not pulled, since a file requires one": "1 incident: INC-2",
        "incident type 'Security' allows private incidents only": "1 incident: INC-3",
    }


def test_incidents_left_out_for_one_reason_are_counted_and_the_first_are_named() -> None:
    _, found = pulled(*(live(number, {SUMMARY: "\ud800"}) for number in range(1, 8)))
    assert [(each.count, each.detail) for each in found] == [
        (7, "7 incidents: INC-1, INC-2, INC-3, INC-4, INC-5 and 2 more")
    ]


@pytest.mark.parametrize(
    ("references", "numbers"),
    [
        (("INC-1", "INC-2"), (1, 2)),
        (("INC-1", "TST-1"), (None, None)),
        (("INC-0", "odd"), (None, None)),
        ((f"INC-{2**63}", "INC-3"), (None, 3)),
    ],
)
def test_a_number_is_declared_if_it_is_unique(
    references: tuple[str, str], numbers: tuple[int | None, ...]
) -> None:
    incidents = (live(number, reference=each) for number, each in enumerate(references))
    declared, _ = pulled(*incidents)
    assert tuple(each.incident.external_id for each in declared) == numbers


# -- keys ----------------------------------------------------------------------------------------------

CARRIER = custom(TEXT)


def bindings(**known: str) -> dict[str, Binding]:
    return {key: Binding(key, identity, f"INC-{identity[-1]}") for key, identity in known.items()}


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ("OLD-1", "OLD-1"),
        (normalise.number("1200.50"), "1200.5"),
        (Link("https://old/1"), "https://old/1"),
        ("two\nlines", "01LIVE1"),
        ("x" * 201, "01LIVE1"),
        (" padded", "01LIVE1"),
        ((OPTIONS[0],), "01LIVE1"),
        (None, "01LIVE1"),
    ],
)
def test_a_key_is_taken_from_a_field_if_a_file_can_declare_it(value: Value, key: str) -> None:
    one = live(attributes={CARRIER: value})
    assert keys([one], {}, [CARRIER]) == {"01LIVE1": key}
    assert keys([one], bindings(K="01LIVE1"), []) == {"01LIVE1": "K"}


def test_the_first_field_with_a_key_counts() -> None:
    one = live(attributes={custom(NUMBER): normalise.number("7")})
    assert keys([one], {}, [CARRIER, custom(NUMBER)]) == {"01LIVE1": "7"}


@pytest.mark.parametrize(
    ("carried", "known", "warning"),
    [
        (("A", "A"), {}, "'A' is the key of INC-1 and of INC-2"),
        (("A", None), {"A": "01LIVE9"}, "'A' is the key of INC-9 and of INC-1"),
        (("A", None), {"B": "01LIVE1"}, "the state binds INC-1 to 'B', but its custom field holds 'A'"),
    ],
)
def test_conflicting_keys_are_refused(
    carried: tuple[str | None, ...], known: dict[str, str], warning: str
) -> None:
    incidents = [live(number, {CARRIER: each}) for number, each in enumerate(carried, start=1)]
    with pytest.raises(Refused) as refusal:
        keys(incidents, bindings(**known), [CARRIER])
    assert warning in refusal.value.summary
    assert (refusal.value.code, refusal.value.exit_code) == ("key-conflict", ExitCode.REFUSED)


def test_many_conflicting_keys_are_counted() -> None:
    incidents = [live(number, {CARRIER: "A"}) for number in range(1, 9)]
    with pytest.raises(Refused, match="; and 2 more"):
        keys(incidents, {}, [CARRIER])


def naming(marker_field: str | None) -> Settings:
    return Settings(root=Path(), marker_field=marker_field)


def test_the_marker_field_may_be_for_another_account_and_a_key_field_may_not() -> None:
    assert carriers(CATALOGUE, naming("Legacy ID"), "Notes") == (CARRIER,)
    assert carriers(CATALOGUE, naming("Notes"), None) == (Marker(CARRIER, "default"),)
    with pytest.raises(UsageError, match="exactly one custom field 'Note'"):
        carriers(CATALOGUE, naming(None), "Note")
    with pytest.raises(UsageError, match="exactly one custom field 'note s'"):
        twins = (CustomField(Entity(Kind.CUSTOM_FIELD, "01X", "NOTES"), "text"), *CATALOGUE.custom_fields)
        carriers(replace(CATALOGUE, custom_fields=twins), naming(None), "note s")


# -- what is chosen ------------------------------------------------------------------------------------


def test_incidents_are_chosen_oldest_first_whatever_their_order() -> None:
    began = Attribute(Field.TIMESTAMP, TIMES[0])
    incidents = [live(1), live(2, {began: NOON - timedelta(days=9)}), live(3), live(4, {began: NOON})]
    found = chosen(reversed(incidents), Filters(), CATALOGUE, PullWarnings())
    assert [each.reference for each in found] == ["INC-2", "INC-1", "INC-3", "INC-4"]


def test_open_incidents_are_counted_and_other_categories_are_not() -> None:
    warnings = PullWarnings()
    only_closed = Filters(categories=frozenset({"closed"}))
    incidents = [live(1), live(2, {STATUS: OPEN}), live(3, {STATUS: MERGED}), live(4, {STATUS: None})]
    assert [each.id for each in chosen(incidents, only_closed, CATALOGUE, warnings)] == ["01LIVE1"]
    (warning,) = warnings.diagnostics()
    assert (warning.code, warning.count) == ("live-not-pulled", 2)


# -- children ------------------------------------------------------------------------------------------


@dataclass
class Account:
    """An account that shows what it is given, and counts requests."""

    children_of: Mapping[Field, tuple[LiveChild, ...]]
    contents: Mapping[str, str | None]
    asked: list[Field]

    def children(self, incident_id: str, fields: frozenset[Field]) -> tuple[LiveChild, ...]:
        (kind,) = fields
        self.asked.append(kind)
        if kind not in self.children_of:
            raise NotAvailable(f"no {kind} here")
        return self.children_of[kind]

    def postmortem_content(self, document_id: str) -> str | None:
        return self.contents.get(document_id)


def with_children(account: Account, *incidents: LiveIncident) -> tuple[Iterator[LiveIncident], PullWarnings]:
    warnings = PullWarnings()
    reader = ChildCollector(account, frozenset(PULLED_CHILDREN), warnings)
    return (reader.with_children(each) for each in incidents), warnings


def documents(*titles: str) -> dict[Field, tuple[LiveChild, ...]]:
    empty: dict[Field, tuple[LiveChild, ...]] = dict.fromkeys(PULLED_CHILDREN, ())
    found = tuple(
        LiveChild(title, Attribute(Field.POSTMORTEM), PostmortemDocument("", "completed", title))
        for title in titles
    )
    return {**empty, Field.POSTMORTEM: found}


def test_a_kind_that_the_account_lacks_is_requested_and_reported_once() -> None:
    account = Account({}, {}, [])
    found, warnings = with_children(account, live(1), live(2))
    assert [each.attributes for each in found] == [live(1).attributes, live(2).attributes]
    assert sorted(account.asked) == sorted(PULLED_CHILDREN)
    assert [each.code for each in warnings.diagnostics()] == ["not-available"] * 4


def test_a_post_mortem_that_can_be_read_replaces_the_link_to_it() -> None:
    linked = live(attributes={Attribute(Field.POSTMORTEM_URL): "https://x"})
    (one,), _ = with_children(Account(documents("What", "More"), {"What": "# What"}, []), linked)
    document = Attribute(Field.POSTMORTEM)
    assert one.attributes[document] == PostmortemDocument("# What", "completed", "What")
    assert one.child_ids == {document: "What"}
    assert Attribute(Field.POSTMORTEM_URL) not in one.attributes


def test_a_second_post_mortem_is_counted() -> None:
    found, warnings = with_children(Account(documents("What", "More"), {"What": "x"}, []), live())
    list(found)
    (warning,) = warnings.diagnostics()
    assert (warning.code, warning.hint) == ("value-not-pulled", "copy them by hand, for example 'More'")


def test_a_post_mortem_without_visible_content_keeps_the_link() -> None:
    linked = live(attributes={Attribute(Field.POSTMORTEM_URL): "https://x"})
    (one,), _ = with_children(Account(documents("What"), {}, []), linked)
    assert one.attributes == linked.attributes
