"""An incident is ours only on proof; one found by number or resemblance is only shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.model import (
    Attribute,
    Attributes,
    Binding,
    Entity,
    Field,
    Incident,
    Kind,
    LiveIncident,
    Memory,
    Remembered,
    Unanswered,
)
from importer.model.identity import Marker
from importer.plan.matching import Absent, Claimed, Conflict, Hidden, LiveIndex, Match, NotOurs, Ours, Sent
from tests.plans import BEGAN, ENDED, NAME, RESOLVED, STARTED, SUMMARY, incident, live

MARKED = Attribute(Field.CUSTOM_FIELD, Entity(Kind.CUSTOM_FIELD, "01FIELDLEGACY", "Legacy ID"))
MARKER = Marker(MARKED, "default")
LOOKS: Attributes = {NAME: "Payments failed", STARTED: BEGAN}


def memory(*bindings: Binding, sent: dict[str, str] | None = None) -> Memory:
    unanswered = {key: Unanswered(once) for key, once in (sent or {}).items()}
    return Memory({each.key: each for each in bindings}, unanswered, lambda key: {})


def bound(key: str, to: LiveIncident, *, settled: bool = True) -> Binding:
    return Binding(key, to.id, to.reference, settled)


def marked(number: int, key: str) -> LiveIncident:
    return live(number, {MARKED: key})


def match(
    declared: Incident, *found: LiveIncident, known: Memory | None = None, marker: Marker | None = MARKER
) -> Match:
    return LiveIndex(found, known or memory(), marker).match(declared)


A = incident("A", LOOKS)
ONE, TWO = live(1, {}), live(2, {})


def test_an_incident_that_the_account_lacks_is_absent() -> None:
    assert match(A) == Absent(())
    assert match(A, ONE, TWO) == Absent(())


def test_the_ledger_and_the_marker_field_both_prove_that_an_incident_is_ours() -> None:
    assert match(A, ONE, TWO, known=memory(bound("A", TWO))) == Ours(TWO)
    assert match(A, ONE, marked(2, "A")) == Ours(marked(2, "A"))
    assert match(A, marked(2, "A"), known=memory(bound("A", TWO))) == Ours(marked(2, "A"))


def test_a_field_that_is_not_the_marker_proves_nothing() -> None:
    assert match(A, marked(2, "A"), marker=None) == Absent(())
    assert match(A, live(2, {SUMMARY: "A"})) == Absent(())
    assert match(A, live(2, {MARKED: (Entity(Kind.OPTION, "01A", "A"),)})) == Absent(())


@pytest.mark.parametrize("other", ["a", "AA", "B"])
def test_another_key_in_the_marker_field_proves_nothing(other: str) -> None:
    assert match(A, marked(2, other)) == Absent(())


FORMED = incident("A_1 & b", {NAME: "Search was slow"})


@pytest.mark.parametrize("form", [r"A\_1 & b", "A_1 &amp; b", "A_1  & b "])
def test_the_marker_in_another_form_is_the_same_key(form: str) -> None:
    assert match(FORMED, marked(2, form)) == Ours(marked(2, form))
    known = memory(Binding(FORMED.key, TWO.id, TWO.reference))
    assert match(FORMED, marked(2, form), known=known) == Ours(marked(2, form))


def test_the_exact_marker_comes_before_another_form_and_two_of_a_form_are_a_conflict() -> None:
    exact, one, two = marked(1, "A_1 & b"), marked(2, r"A\_1 & b"), marked(3, "A_1 &amp; b")
    assert match(FORMED, one, exact) == Ours(exact)
    assert isinstance(match(FORMED, one, two), Conflict)


def test_the_case_of_a_marker_counts_unless_the_account_changes_it() -> None:
    changing = replace(MARKER, ignores_case=True)
    assert match(A, marked(2, "a")) == Absent(())
    assert match(A, marked(2, "a"), marker=changing) == Ours(marked(2, "a"))


def test_an_adopted_incident_is_claimed_until_an_apply_has_settled_it() -> None:
    assert match(A, ONE, known=memory(bound("A", ONE, settled=False))) == Claimed(ONE)


@pytest.mark.parametrize("settled", [True, False])
def test_a_bound_incident_that_is_not_visible_is_hidden_and_never_absent(settled: bool) -> None:
    binding = bound("A", ONE, settled=settled)
    assert match(A, TWO, known=memory(binding)) == Hidden(binding)


def test_an_equal_number_is_not_proof() -> None:
    assert match(replace(A, external_id=2), ONE, TWO) == NotOurs(TWO, None)


def test_a_number_that_belongs_to_another_key_names_its_owner() -> None:
    numbered = replace(A, external_id=2)
    assert match(numbered, TWO, known=memory(bound("B", TWO))) == NotOurs(TWO, "B")
    assert match(numbered, marked(2, "B")) == NotOurs(marked(2, "B"), "B")


def test_a_reference_without_a_number_is_not_found_by_number() -> None:
    assert match(replace(A, external_id=2), replace(TWO, reference="INC")) == Absent(())


def test_proof_beats_the_number_of_another_incident() -> None:
    numbered = replace(A, external_id=2)
    assert match(numbered, ONE, TWO, known=memory(bound("A", ONE))) == Ours(ONE)
    assert match(numbered, marked(1, "A"), TWO) == Ours(marked(1, "A"))


def test_an_unanswered_creation_is_settled_with_the_idempotency_key_that_it_had() -> None:
    known = memory(sent={"A": "importer-then"})
    assert match(A, known=known) == Sent("importer-then")
    assert match(replace(A, external_id=2), TWO, known=known) == Sent("importer-then")
    assert match(A, marked(2, "A"), known=known) == Ours(marked(2, "A"))


def explanation(found: Match) -> str:
    assert isinstance(found, Conflict)
    return found.explanation


def test_two_incidents_with_the_same_marker_are_a_conflict_that_names_both() -> None:
    twice = marked(1, "A"), marked(2, "A")
    reason = "several incidents have it in the marker field: INC-1, INC-2"
    assert explanation(match(A, *twice)) == reason
    assert explanation(match(A, *twice, known=memory(bound("A", ONE)))) == reason


def test_state_and_marker_that_disagree_are_a_conflict_that_names_both() -> None:
    reason = explanation(match(A, ONE, marked(2, "A"), known=memory(bound("A", ONE))))
    assert reason == "the state binds it to INC-1, the marker field puts it on INC-2"
    hidden = explanation(match(A, marked(2, "A"), known=memory(bound("A", ONE))))
    assert hidden == reason


def test_a_bound_incident_with_the_marker_of_another_key_is_a_conflict() -> None:
    reason = explanation(match(A, marked(1, "B"), known=memory(bound("A", ONE))))
    assert reason == "the state binds it to INC-1, whose marker field has 'B'"


def test_a_marked_incident_that_the_state_binds_to_another_key_is_a_conflict_for_both() -> None:
    known = memory(bound("B", ONE))
    assert explanation(match(A, marked(1, "A"), known=known)) == (
        "the marker field puts it on INC-1, which the state binds to key 'B'"
    )
    assert isinstance(match(replace(A, key="B"), marked(1, "A"), known=known), Conflict)


def test_reading_an_incident_twice_does_not_make_it_two() -> None:
    first = replace(marked(1, "A"), attributes={**LOOKS, MARKED: "A"})
    later = replace(first, updated_at="later")
    index = LiveIndex([first, first], memory(), MARKER)
    index.add(later)
    assert index.match(A) == Ours(later)
    assert index.match(replace(A, key="B")) == Absent((NotOurs(later, "A"),))


def test_a_later_read_replaces_an_earlier_one() -> None:
    index = LiveIndex([replace(marked(1, "A"), attributes={**LOOKS, MARKED: "A"})], memory(), MARKER)
    index.add(marked(1, "B"))
    assert index.match(A) == Absent(())
    assert index.match(replace(A, key="B")) == Ours(marked(1, "B"))


def test_an_incident_with_the_same_name_and_timestamps_is_shown_with_its_owner() -> None:
    twin = live(2, {NAME: " payments FAILED", STARTED: BEGAN, RESOLVED: ENDED})
    other = live(3, {**LOOKS, STARTED: ENDED})
    assert match(A, twin, other) == Absent((NotOurs(twin, None),))
    precise = incident("A", {**LOOKS, STARTED: BEGAN + timedelta(milliseconds=250)})
    assert match(precise, twin) == Absent((NotOurs(twin, None),))
    assert match(A, twin, known=memory(bound("B", twin))) == Absent((NotOurs(twin, "B"),))
    assert match(incident("A", {**LOOKS, RESOLVED: BEGAN}), twin) == Absent(())


def test_an_equal_name_alone_is_not_a_resemblance() -> None:
    assert match(incident("A", {NAME: "Payments failed"}), live(2, {NAME: "Payments failed"})) == Absent(())
    assert match(A, live(2, {NAME: "Payments failed"})) == Absent(())


def test_children_that_cannot_be_listed_are_noted_by_incident_and_kind() -> None:
    index = LiveIndex([ONE, TWO], memory(), None)
    index.mark_unlisted(ONE, Field.TIMELINE, "no role")
    index.mark_unlisted(None, Field.FOLLOW_UP, "gone")
    assert index.unlisted(ONE, Field.TIMELINE) == "no role"
    assert index.unlisted(ONE, Field.FOLLOW_UP) is None
    assert index.unlisted(TWO, Field.TIMELINE) is None
    assert index.unlisted_kind(Field.FOLLOW_UP) == "gone"
    assert index.unlisted_kind(Field.TIMELINE) is None


keys = st.sampled_from(["A", "B", "C"])
accounts = st.lists(
    st.tuples(st.integers(1, 4), st.none() | keys), max_size=4, unique_by=lambda each: each[0]
)


@given(accounts, st.dictionaries(keys, st.integers(1, 4)), st.integers(1, 5), st.permutations(range(4)))
def test_two_keys_never_match_the_same_incident_whatever_the_order_of_the_list(
    shown: list[tuple[int, str | None]], bindings: dict[str, int], number: int, order: list[int]
) -> None:
    by_incident = {incident_number: key for key, incident_number in bindings.items()}
    known = memory(*(bound(key, live(number, {})) for number, key in by_incident.items()))
    found = [
        live(incident_number, {**LOOKS, **({MARKED: key} if key else {})}) for incident_number, key in shown
    ]
    shuffled = [found[at] for at in order if at < len(found)]
    declared = [replace(A, key="A", external_id=number), replace(A, key="B"), replace(A, key="C")]
    matches = [match(each, *found, known=known) for each in declared]
    for one, again in zip(matches, [match(each, *shuffled, known=known) for each in declared], strict=True):
        assert type(one) is type(again)
        if isinstance(one, Ours | NotOurs):
            assert one == again
    ours = [each.live.id for each in matches if isinstance(each, Ours)]
    assert len(ours) == len(set(ours))
    for each, one in zip(declared, matches, strict=True):
        if isinstance(one, Ours):
            proven = known.bindings.get(each.key)
            carried = one.live.attributes.get(MARKED)
            assert (proven and proven.incident_id == one.live.id) or carried == each.key
            assert carried in (None, each.key)


# -- namespaces ----------------------------------------------------------------------------------------

ACME = Marker(MARKED, "acme")


def test_the_marker_of_another_namespace_is_never_ours() -> None:
    theirs = replace(live(7, LOOKS), attributes={**LOOKS, MARKED: "A"})
    assert match(A, theirs, marker=ACME) == Absent((NotOurs(theirs, None, "A"),))
    ours = marked(7, "acme/A")
    assert match(A, ours, marker=ACME) == Ours(ours)
    assert match(A, ours) == Absent(())


def test_a_number_that_another_namespace_has_is_not_ours() -> None:
    theirs = marked(7, "other/A")
    numbered = replace(A, external_id=7)
    assert match(numbered, theirs, marker=ACME) == NotOurs(theirs, None, "other/A")


def test_the_state_still_proves_an_incident_whose_marker_is_a_bare_key() -> None:
    """Earlier versions wrote the bare key in every namespace."""
    before = marked(1, "A")
    assert match(A, before, known=memory(bound("A", before)), marker=ACME) == Ours(before)


def test_the_state_still_proves_an_incident_whose_key_the_account_stored_in_another_form() -> None:
    live_one = marked(1, "A b")
    known = Memory({"A  b": bound("A  b", live_one)}, {}, lambda key: {MARKED: Remembered("A  b", "A b")})
    assert match(incident("A  b", LOOKS), live_one, known=known) == Ours(live_one)
