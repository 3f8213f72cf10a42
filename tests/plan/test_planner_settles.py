"""A plan after an apply is empty, whatever the account does with the values, even with the state lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from importer.model import (
    WRITE_ONLY_FIELDS,
    Adopt,
    Attribute,
    Blocked,
    Change,
    Create,
    Entity,
    Field,
    FollowUp,
    Incident,
    Kind,
    Membership,
    NoOp,
    Pending,
    PostmortemDocument,
    Remembered,
    TimelineItem,
    Update,
    Value,
)
from tests import plans
from tests.planning import (
    CHANNEL_NAME,
    ITEM,
    MARKER,
    MARKING,
    NOTHING,
    POSTMORTEM,
    SECURITY,
    TYPE,
    WRITTEN,
    incident,
    ours,
    planned,
)
from tests.plans import (
    BEGAN,
    CALL_URL,
    CLOSED,
    ENDED,
    FULL,
    LEAD,
    LISA,
    MAJOR,
    MINOR,
    NAME,
    POSTMORTEM_URL,
    REPORTER,
    RESOLVED,
    SEVERITY,
    STARTED,
    STATUS,
    SUMMARY,
    TEAMS_FIELD,
    VISIBILITY,
    live,
)


def twisted(value: Value) -> Value:
    """Return another value of the same type, as a server might return it."""
    match value:
        case str():
            return value.upper() + "!"
        case Entity(kind=kind, id=identity, name=name):
            return Entity(kind, identity[::-1] + "X", name)
        case tuple():
            return value[1:] or None
        case TimelineItem(at=at):
            return TimelineItem(at + timedelta(seconds=1))
        case _:
            return None


class Account:
    """An account and a ledger for one incident, which keeps, alters or drops each attribute it is sent. It
    changes only by the planner's own changes."""

    def __init__(self, habits: Mapping[Attribute, str]) -> None:
        self.habits = habits
        self.held: dict[Attribute, Value] = {}
        self.children: dict[Attribute, Value] = {}
        self.fields: dict[Attribute, Remembered] = {}
        self.is_there = False
        self.is_bound = False
        self.is_settled = True

    def plan(self, declared: Incident) -> Change:
        memory = ours(self.fields, settled=self.is_settled) if self.is_bound else NOTHING
        unknown = {each: value for each, value in self.children.items() if each not in self.fields}
        shown = live(7, {**self.held, **unknown})
        (one,) = planned(declared, account=(shown,) * self.is_there, memory=memory, context=MARKING).changes
        return one

    def apply(self, wanted: Change) -> None:
        match wanted:
            case Create(attributes=sent) | Pending(attributes=sent):
                assert not self.is_there, "a duplicate"
            case Update(changes=changes) | Adopt(changes=changes):
                sent = {each.attribute: each.after for each in changes}
                assert not any(each.is_create_only for each in sent)
            case _:
                sent = {}
        self.is_there = self.is_bound = self.is_settled = True
        for attribute, value in sent.items():
            answer = self.answer(attribute, value)
            self.fields[attribute] = Remembered(value, answer)

    def answer(self, attribute: Attribute, value: Value) -> Value:
        habit = "keep" if attribute == MARKER else self.habits.get(attribute, "keep")
        made = {"keep": value, "twist": twisted(value), "drop": None}[habit]
        if attribute.is_child:
            lists = attribute.field not in (Field.MEMBER, Field.STATUS_PAGE)
            shown = replace(value, content="") if isinstance(value, PostmortemDocument) else value
            if lists:
                self.children[attribute] = shown
            return value
        if attribute.field in WRITE_ONLY_FIELDS:
            return None
        self.held[attribute] = made
        return made

    def lose_state(self) -> None:
        self.fields, self.is_bound = {}, False


POOL: dict[Attribute, tuple[Value, ...]] = {
    NAME: ("Search was slow", "Search was very slow"),
    SUMMARY: ("one\ntwo", "two\none", None),
    SEVERITY: (MAJOR, MINOR),
    STATUS: (CLOSED, Entity(Kind.STATUS, "01MERGED", "Merged")),
    VISIBILITY: ("public", "private"),
    TYPE: (SECURITY,),
    REPORTER: (LISA, None),
    LEAD: (LISA, replace(LISA, id="01USERBOB"), None),
    STARTED: (BEGAN, None),
    RESOLVED: (ENDED, BEGAN),
    TEAMS_FIELD: (FULL[TEAMS_FIELD], (plans.PAYMENTS,), None),
    plans.CUSTOMERS: (FULL[plans.CUSTOMERS], None),
    CALL_URL: ("https://x", "https://y", None),
    CHANNEL_NAME: ("inc-1", "inc-2"),
    POSTMORTEM_URL: ("https://doc/1", "https://doc/2", None),
    ITEM: (WRITTEN, TimelineItem(ENDED)),
    POSTMORTEM: (PostmortemDocument("a"), PostmortemDocument("a", "completed"), PostmortemDocument("b")),
    Attribute(Field.FOLLOW_UP, "Alert"): (FollowUp(), FollowUp("x", LISA, "completed", ("b", "a"))),
    Attribute(Field.MEMBER, LISA): (Membership(),),
    Attribute(Field.STATUS_PAGE, plans.PAGE): (FULL[Attribute(Field.STATUS_PAGE, plans.PAGE)],),
}


@st.composite
def declarations(draw: st.DrawFn) -> Incident:
    chosen = draw(st.sets(st.sampled_from(sorted(POOL, key=repr))))
    attributes = {each: draw(st.sampled_from(POOL[each])) for each in sorted(chosen, key=repr)}
    return incident(attributes)


habits = st.dictionaries(st.sampled_from(sorted(POOL, key=repr)), st.sampled_from(["keep", "twist", "drop"]))


def is_settled(left: Change) -> bool:
    return isinstance(left, NoOp | Blocked)


@given(declarations(), habits)
def test_after_a_creation_the_next_plan_is_empty(declared: Incident, how: Mapping[Attribute, str]) -> None:
    account = Account(how)
    created = account.plan(declared)
    assert isinstance(created, Create)
    account.apply(created)
    assert isinstance(account.plan(declared), NoOp)


@given(declarations(), declarations(), habits)
def test_after_an_edit_only_blocked_differences_are_left(
    first: Incident, second: Incident, how: Mapping[Attribute, str]
) -> None:
    account = Account(how)
    account.apply(account.plan(first))
    edit = account.plan(second)
    assert not isinstance(edit, Create)
    account.apply(edit)
    left = account.plan(second)
    assert is_settled(left)
    blocked = edit.blocked if isinstance(edit, Update | Blocked) else ()
    assert (left.blocked if isinstance(left, Blocked) else ()) == blocked


@given(declarations(), habits)
def test_a_lost_state_creates_no_second_incident_and_settles_in_one_apply(
    declared: Incident, how: Mapping[Attribute, str]
) -> None:
    account = Account(how)
    account.apply(account.plan(declared))
    account.lose_state()
    again = account.plan(declared)
    assert not isinstance(again, Create | Pending)
    account.apply(again)
    assert is_settled(account.plan(declared))


@given(declarations())
def test_a_lost_state_is_not_a_change_if_the_account_kept_the_values(declared: Incident) -> None:
    account = Account({})
    account.apply(account.plan(declared))
    account.lose_state()
    again = account.plan(declared)
    unseen = (Field.MEMBER, Field.STATUS_PAGE, Field.SLACK_CHANNEL_NAME)
    changes = again.changes if isinstance(again, Update) else ()
    assert all(each.attribute.field in unseen for each in changes)
    assert not isinstance(again, Blocked)


@given(declarations(), declarations(), habits)
def test_an_undeclared_attribute_is_never_sent(
    first: Incident, second: Incident, how: Mapping[Attribute, str]
) -> None:
    account = Account(how)
    created = account.plan(first)
    assert isinstance(created, Create)
    assert created.attributes.keys() <= {*first.attributes, STATUS, VISIBILITY, MARKER}
    assert None not in created.attributes.values()
    account.apply(created)
    edit = account.plan(second)
    if isinstance(edit, Update):
        assert {each.attribute for each in edit.changes} <= {*second.attributes, MARKER}


@given(declarations(), habits)
def test_an_adoption_settles_in_one_apply(declared: Incident, how: Mapping[Attribute, str]) -> None:
    account = Account(how)
    account.is_there = account.is_bound = True
    account.is_settled = False
    account.held = {NAME: "Somebody's", VISIBILITY: "public"}
    adopted = account.plan(declared)
    assert isinstance(adopted, Adopt)
    account.apply(adopted)
    assert is_settled(account.plan(declared))
