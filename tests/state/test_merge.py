"""Two states merge into one: nothing is lost or guessed, and the direction does not matter."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.model import Account, Attribute, Binding, Field, Remembered, Unanswered
from importer.model.errors import ExitCode, Refused
from importer.state.merge import BoundIncident, MergeResult, State, merge_result, merged, without_private
from tests.plans import BEGAN, NAME, SUMMARY

ACME = Account("https://api.incident.io", "https://app.incident.io/acme")
OTHER = Account("https://api.incident.io", "https://app.incident.io/other")
VISIBILITY = Attribute(Field.VISIBILITY)
LATER = BEGAN + timedelta(days=1)


def bound(
    key: str, number: int = 1, at: datetime = BEGAN, *, settled: bool = True, **fields: str | None
) -> BoundIncident:
    attributes = {"name": NAME, "summary": SUMMARY, "visibility": VISIBILITY}
    known = {attributes[name]: Remembered(each, each) for name, each in fields.items() if each is not None}
    return BoundIncident(Binding(key, f"01LIVE{number}", f"INC-{number}", settled), at, known)


def state(*known: BoundIncident, account: Account | None = ACME, **unanswered: str) -> State:
    sent = {key: Unanswered(once) for key, once in unanswered.items()}
    return State(account, {each.binding.key: each for each in known}, sent)


def test_facts_known_to_only_one_state_are_kept() -> None:
    one, two = state(bound("A", 1), C="i-C"), state(bound("B", 2), D="i-D")
    assert merged(one, two) == state(bound("A", 1), bound("B", 2), C="i-C", D="i-D")


def test_a_creation_answered_in_the_other_state_is_no_longer_unanswered() -> None:
    assert merged(state(A="i-A"), state(bound("A"))) == state(bound("A"))
    assert merged(state(bound("A")), state(A="i-A")) == state(bound("A"))


def test_the_later_values_of_a_key_win() -> None:
    older, newer = bound("A", at=BEGAN, name="Old"), bound("A", at=LATER, name="New")
    assert merged(state(older), state(newer)) == merged(state(newer), state(older)) == state(newer)


def test_a_value_known_only_to_the_older_state_is_kept() -> None:
    older, newer = bound("A", summary="S", name="Old"), bound("A", at=LATER, name="New")
    whole = state(bound("A", at=LATER, summary="S", name="New"))
    assert merged(state(older), state(newer)) == merged(state(newer), state(older)) == whole


def test_an_adoption_that_was_settled_later_is_settled() -> None:
    claimed, settled = bound("A", settled=False), bound("A", at=LATER)
    assert merged(state(claimed), state(settled)).bound["A"].binding.settled
    assert merged(state(settled), state(claimed)).bound["A"].binding.settled


def test_a_full_export_fills_in_values_that_were_left_out() -> None:
    own, whole = state(bound("A", name="Old")), state(bound("A", at=LATER, name="New"))
    once = merged(own, without_private(whole))
    assert once == own
    assert merged(once, whole) == whole
    assert merged(without_private(whole), whole) == whole


@pytest.mark.parametrize(
    ("visibility", "kept"), [("public", True), ("private", False), ("secret", False), (None, False)]
)
def test_values_are_exported_only_if_the_account_said_public(visibility: str | None, kept: bool) -> None:
    kept_public = without_private(state(bound("A", name="N", visibility=visibility), B="i-B"))
    assert kept_public.bound["A"].binding == bound("A").binding
    assert bool(kept_public.bound["A"].fields) is kept
    assert kept_public.unanswered == {"B": Unanswered("i-B")}


def test_declared_public_and_answered_private_is_private() -> None:
    known = replace(bound("A"), fields={VISIBILITY: Remembered("public", "private")})
    assert without_private(state(known)) == state(bound("A"))


def test_a_state_of_another_account_is_refused() -> None:
    with pytest.raises(Refused) as refusal:
        merged(state(bound("A")), state(bound("B", 2), account=OTHER))
    assert refusal.value.code == "foreign-account"
    assert refusal.value.exit_code is ExitCode.REFUSED
    assert "app.incident.io/other" in refusal.value.summary
    assert "app.incident.io/acme" in refusal.value.summary


def test_a_state_without_an_account_takes_the_account_of_the_other() -> None:
    assert merged(State(), state(bound("A"))) == state(bound("A"))
    assert merged(state(bound("A")), State()) == state(bound("A"))


@pytest.mark.parametrize(
    ("own", "given", "expected"),
    [
        (
            state(bound("A", 1)),
            state(bound("A", 2)),
            "'A' is INC-1 (01LIVE1) in the state but INC-2 (01LIVE2) in the file",
        ),
        (
            state(bound("A", 1)),
            state(bound("B", 1)),
            "INC-1 (01LIVE1) is 'A' in the state but 'B' in the file",
        ),
        (state(A="i-1"), state(A="i-2"), "sent with the idempotency key i-1 in the state but i-2"),
    ],
)
def test_a_contradiction_is_refused_and_names_both_sides(own: State, given: State, expected: str) -> None:
    with pytest.raises(Refused) as refusal:
        merged(own, given)
    assert expected in refusal.value.summary
    assert refusal.value.code == "state-conflict"
    assert refusal.value.exit_code is ExitCode.REFUSED


def test_many_contradictions_are_counted() -> None:
    keys = "ABCDE"
    own = state(*(bound(key, number) for number, key in enumerate(keys)))
    given = state(*(bound(key, number + 10) for number, key in enumerate(keys)))
    with pytest.raises(Refused, match=r"; and 2 more$"):
        merged(own, given)


def test_a_merge_counts_only_new_facts() -> None:
    own = state(bound("A", 1), bound("B", 2, name="Old"), C="i-C")
    given = state(bound("A", 1), bound("B", 2, at=LATER, name="New"), bound("D", 4), C="i-C", E="i-E")
    whole = merged(own, given)
    assert merge_result(own, whole) == MergeResult(bound=1, renewed=1, unanswered=1)
    assert merge_result(whole, merged(whole, given)) == MergeResult(0, 0, 0)


# -- whatever they hold --------------------------------------------------------------------------------

_fields = st.dictionaries(
    st.sampled_from([NAME, SUMMARY, VISIBILITY]),
    st.builds(lambda word: Remembered(word, word), st.sampled_from(["public", "x"])),
)


@st.composite
def _states(draw: st.DrawFn) -> State:
    """Give each key its own incident in every state, so that nothing contradicts."""
    keys = draw(st.lists(st.integers(0, 5), unique=True, max_size=5))
    known = {
        f"K{each}": BoundIncident(
            Binding(f"K{each}", f"01LIVE{each}", f"INC-{each}", draw(st.booleans())),
            BEGAN + timedelta(seconds=draw(st.integers(0, 3))),
            draw(_fields),
        )
        for each in keys
    }
    sent = draw(st.lists(st.integers(0, 7), unique=True, max_size=3))
    unanswered = {f"K{each}": Unanswered(f"i-{each}") for each in sent if f"K{each}" not in known}
    return State(draw(st.sampled_from([ACME, None])) if not known else ACME, known, unanswered)


@given(_states(), _states())
def test_a_merge_loses_no_key_and_no_value(one: State, two: State) -> None:
    whole = merged(one, two)
    assert whole.bound.keys() == one.bound.keys() | two.bound.keys()
    assert whole.unanswered.keys() | whole.bound.keys() >= one.unanswered.keys() | two.unanswered.keys()
    for known in (one, two):
        for key, each in known.bound.items():
            assert whole.bound[key].binding.incident_id == each.binding.incident_id
            assert whole.bound[key].fields.keys() >= each.fields.keys()


@given(_states(), _states())
def test_a_second_merge_of_the_same_changes_nothing(one: State, two: State) -> None:
    once = merged(one, two)
    assert merged(once, two) == once
    assert merged(once, one) == once
    assert merge_result(once, merged(once, two)) == MergeResult(0, 0, 0)


def test_the_ids_of_children_are_kept_whichever_side_knows_them() -> None:
    task = Attribute(Field.FOLLOW_UP, "Add an alert")

    def knowing(declared: str, child_id: str | None, at: datetime) -> State:
        return state(replace(bound("A", at=at), fields={task: Remembered(declared, declared, child_id)}))

    one, two = knowing("x", "01", BEGAN), knowing("y", None, LATER)
    for whole in (merged(one, two), merged(two, one)):
        assert whole.bound["A"].fields == {task: Remembered("y", "y", "01")}
    newer = merged(knowing("x", None, BEGAN), knowing("y", "02", LATER))
    assert newer.bound["A"].fields == {task: Remembered("y", "y", "02")}


@pytest.mark.parametrize(
    ("content", "kept"),
    [
        ('{"visibility":"public","name":"N"}', True),
        ('{"visibility":"private","name":"N"}', False),
        ('{"name":"N"}', False),
        (None, False),
    ],
)
def test_what_was_sent_is_exported_only_if_it_declared_a_public_incident(
    content: str | None, kept: bool
) -> None:
    sent = Unanswered("i-A", content, datetime(2026, 3, 1, tzinfo=UTC))
    exported = without_private(State(ACME, {}, {"A": sent})).unanswered["A"]
    assert exported.content == (content if kept else None)
    assert (exported.idempotency_key, exported.first_sent) == (sent.idempotency_key, sent.first_sent)
