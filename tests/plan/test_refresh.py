"""A refresh reads as little as it can, and never assumes that an incident it did not see is gone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.model import (
    Attribute,
    Attributes,
    Binding,
    Change,
    Entity,
    Field,
    FieldChange,
    FollowUp,
    Incident,
    Kind,
    LiveChild,
    LiveIncident,
    Membership,
    Memory,
    PostmortemDocument,
    Remembered,
    StatusPageIncident,
    StatusPageUpdate,
    TimelineItem,
    Update,
)
from importer.model.errors import NotAvailable
from importer.model.identity import Marker
from importer.plan.matching import Absent, Claimed, Conflict, Hidden, Match, NotOurs, Ours
from importer.plan.refresh import by_id, present, refresh
from tests.plans import BEGAN, LISA, NAME, PAGE, SHORT, create, incident, live, noop

LEGACY = Entity(Kind.CUSTOM_FIELD, "01FIELDLEGACY", "Legacy ID")
MARKER = Attribute(Field.CUSTOM_FIELD, LEGACY)
ITEM, OTHER_ITEM = Attribute(Field.TIMELINE, "Rolled back"), Attribute(Field.TIMELINE, "Told customers")
TASK = Attribute(Field.FOLLOW_UP, "Alert")
MEMBER = Attribute(Field.MEMBER, LISA)
CHILDREN: Attributes = {ITEM: TimelineItem(BEGAN), TASK: FollowUp()}


@dataclass
class Account:
    """Answer from the given incidents, and record the requests."""

    shown: tuple[LiveIncident, ...] = ()
    hidden: tuple[LiveIncident, ...] = ()
    total: int | None = None
    children_of: dict[str, tuple[LiveChild, ...]] = field(default_factory=dict)
    lacks: frozenset[Field] = frozenset()
    asked: list[object] = field(default_factory=list)

    def incident_count(self) -> int | None:
        self.asked.append("count")
        return self.total

    def incidents(self) -> Iterator[LiveIncident]:
        self.asked.append("list")
        yield from self.shown

    def incident(self, id_or_number: str) -> LiveIncident | None:
        self.asked.append(id_or_number)
        return next((each for each in (*self.shown, *self.hidden) if each.id == id_or_number), None)

    def children(self, incident_id: str, fields: frozenset[Field]) -> tuple[LiveChild, ...]:
        (one,) = fields
        self.asked.append((incident_id, one))
        if one in self.lacks:
            raise NotAvailable(f"no {one} here")
        return tuple(each for each in self.children_of.get(incident_id, ()) if each.attribute.field is one)

    def check_list(self, kind: Field | Entity) -> None:
        self.asked.append(f"check {kind.id if isinstance(kind, Entity) else kind}")
        if kind in self.lacks:
            raise NotAvailable(f"no {kind} here")

    def status_page_incidents(self, page: Entity) -> tuple[LiveChild, ...]:
        self.asked.append(page.id)
        if Field.STATUS_PAGE in self.lacks:
            raise NotAvailable("no status pages here")
        return self.children_of.get(page.id, ())


def bound(*pairs: tuple[str, int], settled: bool = True) -> dict[str, Binding]:
    return {key: Binding(key, f"01LIVE{number}", f"INC-{number}", settled) for key, number in pairs}


def knowing(bindings: dict[str, Binding], remembered: Attributes | None = None) -> Memory:
    fields = {each: Remembered(value, value) for each, value in (remembered or {}).items()}
    return Memory(bindings, {}, lambda key: fields)


def seen(account: Account, memory: Memory, *declared: Incident, marker: Marker | None = None) -> list[Match]:
    index = refresh(account, iter(declared), memory, marker)
    return [index.match(each) for each in declared]


def child(attribute: Attribute, value: TimelineItem | FollowUp) -> LiveChild:
    return LiveChild("01CHILD", attribute, value)


A, B = incident("A", SHORT), incident("B", SHORT)
ONE, TWO = live(1, {}), live(2, {})


def test_all_incidents_cost_one_list() -> None:
    account = Account((ONE, TWO))
    assert seen(account, knowing(bound(("A", 1))), A, B) == [Ours(ONE), Absent(())]
    assert account.asked == ["list"]


def test_an_incident_missing_from_the_list_is_looked_up_before_it_counts_as_hidden() -> None:
    account = Account((ONE,), hidden=(TWO,))
    memory = knowing(bound(("A", 2), ("B", 3)))
    assert seen(account, memory, A, B, incident("C", SHORT)) == [
        Ours(TWO),
        Hidden(memory.bindings["B"]),
        Absent(()),
    ]
    assert account.asked == ["list", "01LIVE2", "01LIVE3"]


def test_a_few_known_incidents_of_a_long_list_are_looked_up_one_by_one() -> None:
    account = Account((ONE, TWO), total=501)
    assert seen(account, knowing(bound(("A", 1), ("B", 2))), A, B) == [Ours(ONE), Ours(TWO)]
    assert account.asked == ["count", "01LIVE1", "01LIVE2"]


def test_only_an_index_of_the_whole_list_is_complete() -> None:
    listed = refresh(Account((ONE, TWO, ONE)), [A], knowing({}), None)
    looked_up = refresh(Account((ONE, TWO), total=501), [A], knowing(bound(("A", 1))), None)

    assert (listed.is_whole, list(listed.live())) == (True, [ONE, TWO])
    assert (looked_up.is_whole, list(looked_up.live())) == (False, [ONE])


@pytest.mark.parametrize("total", [None, 0, 250, 500])
def test_a_short_list_is_read_even_for_a_few(total: int | None) -> None:
    account = Account((ONE, TWO), total=total)
    assert seen(account, knowing(bound(("A", 1), ("B", 2))), A, B) == [Ours(ONE), Ours(TWO)]
    assert account.asked == ["count", "list"]


def test_a_new_key_needs_the_list_since_it_may_exist_under_any_id() -> None:
    carrying = replace(TWO, attributes={MARKER: "B"})
    account = Account((ONE, carrying), total=10_000)
    assert seen(account, knowing(bound(("A", 1))), A, B, marker=Marker(MARKER, "default")) == [
        Ours(ONE),
        Ours(carrying),
    ]
    assert account.asked == ["list"]


def test_many_known_incidents_are_not_looked_up_one_by_one() -> None:
    many = [incident(f"K{number}", SHORT) for number in range(101)]
    memory = knowing(bound(*((each.key, number) for number, each in enumerate(many))))
    account = Account(tuple(live(number, {}) for number in range(101)), total=1_000_000)
    assert all(isinstance(each, Ours) for each in seen(account, memory, *many))
    assert account.asked == ["list"]


def test_nothing_declared_still_reads_the_list_once() -> None:
    account = Account((ONE,))
    assert seen(account, knowing({})) == []
    assert account.asked == ["list"]


def test_children_are_not_read_if_the_ledger_knows_them_or_none_are_declared() -> None:
    account = Account((ONE, TWO))
    memory = knowing(bound(("A", 1), ("B", 2)), CHILDREN)
    seen(account, memory, incident("A", CHILDREN), B)
    assert account.asked == ["count", "list"]


def test_children_of_an_incident_that_is_absent_or_not_ours_are_not_read() -> None:
    account = Account((ONE,))
    taken = incident("B", CHILDREN, external_id=1)
    seen(account, knowing({}), incident("A", CHILDREN), taken)
    assert account.asked == ["list", "check follow_ups", "check timeline"]


@pytest.mark.parametrize("settled", [True, False])
def test_children_that_the_ledger_does_not_know_are_read_by_kind(settled: bool) -> None:
    held = (child(ITEM, TimelineItem(BEGAN, "x")), child(TASK, FollowUp("y")))
    account = Account((ONE,), children_of={ONE.id: held})
    memory = knowing(bound(("A", 1), settled=settled))
    (found,) = seen(account, memory, incident("A", {**CHILDREN, MEMBER: Membership(), NAME: "x"}))
    assert isinstance(found, Ours | Claimed)
    assert found.live.attributes == {ITEM: TimelineItem(BEGAN, "x"), TASK: FollowUp("y")}
    assert account.asked[2:] == [
        (ONE.id, Field.FOLLOW_UP),
        (ONE.id, Field.MEMBER),
        (ONE.id, Field.TIMELINE),
    ]


def test_known_or_undeclared_children_are_not_added() -> None:
    held = (child(ITEM, TimelineItem(BEGAN)), child(OTHER_ITEM, TimelineItem(BEGAN)))
    stranger = child(Attribute(Field.TIMELINE, "Stranger"), TimelineItem(BEGAN))
    account = Account((ONE,), children_of={ONE.id: (*held, stranger)})
    memory = knowing(bound(("A", 1)), {ITEM: TimelineItem(BEGAN)})
    (found,) = seen(
        account, memory, incident("A", {ITEM: TimelineItem(BEGAN), OTHER_ITEM: TimelineItem(BEGAN)})
    )
    assert isinstance(found, Ours)
    assert found.live.attributes == {OTHER_ITEM: TimelineItem(BEGAN)}


def test_reading_the_children_of_a_marked_incident_does_not_make_it_two() -> None:
    carrying = replace(ONE, attributes={MARKER: "A"})
    account = Account((carrying,), children_of={ONE.id: (child(TASK, FollowUp()),)})
    (found,) = seen(account, knowing({}), incident("A", CHILDREN), marker=Marker(MARKER, "default"))
    assert not isinstance(found, Conflict)
    assert found == Ours(replace(carrying, attributes={MARKER: "A", TASK: FollowUp()}))


def test_a_kind_of_children_that_the_account_lacks_is_noted_and_the_rest_is_read() -> None:
    held = (child(ITEM, TimelineItem(BEGAN)), child(TASK, FollowUp()))
    account = Account((ONE,), children_of={ONE.id: held}, lacks=frozenset({Field.TIMELINE}))
    declared = incident("A", CHILDREN)
    index = refresh(account, [declared], knowing(bound(("A", 1))), None)
    found = index.match(declared)
    assert isinstance(found, Ours)
    assert found.live.attributes == {TASK: FollowUp()}
    assert index.unlisted(ONE, Field.TIMELINE) == "no timeline here"
    assert index.unlisted(ONE, Field.FOLLOW_UP) is None


def test_each_kind_of_a_new_incident_is_checked_once_if_it_was_not_listed() -> None:
    account = Account((ONE,), lacks=frozenset({Field.FOLLOW_UP}))
    known, new = incident("A", {ITEM: TimelineItem(BEGAN)}), {**CHILDREN, MEMBER: Membership()}
    declared = [known, incident("B", new), incident("C", new)]
    index = refresh(account, declared, knowing(bound(("A", 1))), None)
    assert account.asked == ["list", (ONE.id, Field.TIMELINE), "check follow_ups"]
    assert index.unlisted_kind(Field.FOLLOW_UP) == "no follow_ups here"
    assert index.unlisted_kind(Field.TIMELINE) is None


def test_a_few_incidents_are_fetched_by_id() -> None:
    account = Account((ONE,), hidden=(TWO,))
    assert by_id(account, [TWO.id, ONE.id, "gone", ONE.id]) == {ONE.id: ONE, TWO.id: TWO}
    assert account.asked == [ONE.id, TWO.id, "gone"]
    assert by_id(account, []) == {}


def test_many_incidents_are_fetched_with_one_list_and_the_hidden_by_id() -> None:
    shown = tuple(live(number, {}) for number in range(150))
    account = Account((*shown, live(999, {})), hidden=(live(150, {}),))
    wanted = [f"01LIVE{number}" for number in range(152)]
    assert by_id(account, wanted).keys() == set(wanted[:151])
    assert account.asked == ["list", "01LIVE150", "01LIVE151"]


numbers = st.sets(st.integers(1, 6))


@given(
    numbers,
    numbers,
    st.dictionaries(st.sampled_from("ABC"), st.integers(1, 6)),
    st.sampled_from([None, 9999]),
)
def test_a_bound_incident_is_hidden_only_if_nothing_shows_it(
    listed: set[int], reachable: set[int], bindings: dict[str, int], total: int | None
) -> None:
    account = Account(
        tuple(live(number, {}) for number in sorted(listed)),
        tuple(live(number, {}) for number in sorted(reachable)),
        total,
    )
    by_number = {number: key for key, number in bindings.items()}
    memory = knowing(bound(*((key, number) for number, key in by_number.items())))
    declared = [incident(key, SHORT) for key in "ABC" if key in memory.bindings]
    for each, found in zip(declared, seen(account, memory, *declared), strict=True):
        number = bindings[each.key]
        assert isinstance(found, Ours if number in listed | reachable else Hidden)
    assert len(account.asked) <= 2 + len(declared)


def test_a_pulled_incident_that_the_list_does_not_show_is_looked_up() -> None:
    first, second, third = (f"01HZZZZZZZZZZZZZZZZZZZZZZ{each}" for each in "ABC")
    shown = replace(ONE, id=first)
    account = Account((shown,), hidden=(replace(TWO, id=second),))
    declared = [incident(each, SHORT) for each in (first, second, third)]
    assert [type(each) for each in seen(account, knowing({}), *declared)] == [NotOurs, NotOurs, Absent]
    assert account.asked == ["list", second, third]


def test_incidents_that_were_pulled_from_another_account_cost_no_request_each() -> None:
    account = Account((ONE,))
    declared = [incident(f"01HZZZZZZZZZZZZZZZZZZZZZZ{each}", SHORT) for each in "ABC"]
    assert [type(each) for each in seen(account, knowing({}), *declared)] == [Absent] * 3
    assert account.asked == ["list"]


PUBLIC = Attribute(Field.STATUS_PAGE, PAGE)
HISTORY = StatusPageIncident(PAGE, "Slow", (StatusPageUpdate(BEGAN, "resolved", "Over.", ()),))


def test_a_follow_up_that_will_be_updated_is_read_since_the_update_repeats_it() -> None:
    shown = FollowUp("One", priority="01HIGH")
    account = Account((ONE,), children_of={ONE.id: (child(TASK, shown),)})
    memory = knowing(bound(("A", 1)), {TASK: FollowUp("One"), ITEM: TimelineItem(BEGAN)})
    declared = incident("A", {TASK: FollowUp("Two"), ITEM: TimelineItem(BEGAN, "New")})
    (found,) = seen(account, memory, declared)
    assert isinstance(found, Ours)
    assert found.live.attributes == {TASK: shown}
    assert account.asked[2:] == [(ONE.id, Field.FOLLOW_UP)]


def test_a_status_page_is_listed_once_and_each_of_its_incidents_is_recognised_once() -> None:
    listed = LiveChild("01PUBLIC", PUBLIC, HISTORY)
    account = Account((ONE, TWO), children_of={PAGE.id: (listed,)})
    both = [incident(key, {PUBLIC: HISTORY}) for key in ("A", "B")]
    found = seen(account, knowing(bound(("A", 1), ("B", 2))), *both)
    assert [len(each.live.attributes) for each in found if isinstance(each, Ours)] == [1, 0]
    assert account.asked.count(PAGE.id) == 1


def test_a_public_history_of_another_key_is_not_taken() -> None:
    account = Account((ONE,), children_of={PAGE.id: (LiveChild("01PUBLIC", PUBLIC, HISTORY),)})
    memory = replace(knowing(bound(("A", 1))), child_owner=lambda _: "B")
    (found,) = seen(account, memory, incident("A", {PUBLIC: HISTORY}))
    assert found == Ours(ONE)


def test_another_postmortem_is_shown_in_place_of_the_declared_one() -> None:
    document = Attribute(Field.POSTMORTEM)
    theirs = LiveChild("01DOCUMENT", document, PostmortemDocument("", title="Theirs"))
    account = Account((ONE,), children_of={ONE.id: (theirs,)})
    declared = incident("A", {document: PostmortemDocument("# Ours", default_title="Ours")})
    (found,) = seen(account, knowing(bound(("A", 1))), declared)
    assert isinstance(found, Ours)
    assert found.live.attributes == {document: theirs.value}


@pytest.mark.parametrize("is_foreign", [True, False])
def test_a_pulled_incident_is_compared_with_anybodys_children(is_foreign: bool) -> None:
    key = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
    pulled = replace(ONE, id=key)
    theirs = replace(child(TASK, FollowUp("y")), is_foreign=is_foreign)
    account = Account((pulled,), children_of={key: (theirs,)})
    (found,) = seen(account, knowing({}), incident(key, {TASK: FollowUp("x")}))
    assert isinstance(found, NotOurs)
    assert found.live.attributes == {TASK: FollowUp("y")}


def test_what_changes_look_like_now_is_read_with_the_children_that_they_change() -> None:
    held = (child(ITEM, TimelineItem(BEGAN)), child(TASK, FollowUp("of a person")))
    account = Account((ONE, TWO), children_of={ONE.id: held})
    edit = Update(incident("A", CHILDREN), ONE, (FieldChange(TASK, FollowUp(), FollowUp("more")),))
    changes: list[Change] = [edit, create("B", SHORT), create("C", SHORT), noop(3)]
    found = present(account, changes, knowing(bound(("B", 2))))
    assert found == {
        "A": replace(ONE, attributes={**ONE.attributes, TASK: FollowUp("of a person")}),
        "B": TWO,
    }
    assert account.asked == [ONE.id, TWO.id, (ONE.id, Field.FOLLOW_UP)]
