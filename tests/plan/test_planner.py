"""A plan is right about who owns an incident, and creates incidents oldest first and never twice."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.model import (
    Adopt,
    Attribute,
    Attributes,
    Binding,
    Blocked,
    Create,
    Entity,
    Field,
    FieldChange,
    Ignored,
    Incident,
    Kind,
    Location,
    NoOp,
    Origin,
    Pending,
    Policy,
    Severity,
    Unmanaged,
)
from importer.model.identity import Marker, idempotency_key
from importer.plan.matching import LiveIndex
from importer.plan.planner import exceeded
from tests.planning import (
    BOUND,
    CONTEXT,
    ITEM,
    MARKER,
    MARKING,
    NOTHING,
    SETTINGS,
    WRITTEN,
    as_sent,
    codes,
    diagnostic,
    incident,
    ours,
    planned,
    remembering,
)
from tests.plans import (
    BEGAN,
    CLOSED,
    ENDED,
    NAME,
    SHORT,
    STARTED,
    STATUS,
    SUMMARY,
    TEAMS_FIELD,
    VISIBILITY,
    live,
)


def test_a_creation_sends_what_is_declared_and_what_must_not_be_left_to_the_server() -> None:
    declared = incident({**SHORT, SUMMARY: None, TEAMS_FIELD: None})
    (one,) = planned(declared).changes
    key = idempotency_key(namespace="default", key="A")
    assert one == Create(declared, key, {**SHORT, STATUS: CLOSED, VISIBILITY: "public"})


def test_a_declared_value_beats_the_default_and_null_does_not() -> None:
    merged = Entity(Kind.STATUS, "01MERGED", "Merged")
    cases: tuple[tuple[Attributes, Attributes], ...] = (
        ({STATUS: merged, VISIBILITY: "private"}, {STATUS: merged, VISIBILITY: "private"}),
        ({STATUS: None, VISIBILITY: None}, {STATUS: CLOSED, VISIBILITY: "public"}),
    )
    for declared, sent in cases:
        (one,) = planned(incident(declared)).changes
        assert isinstance(one, Create)
        assert one.attributes == sent


def test_without_a_closed_status_no_default_status_is_sent() -> None:
    (one,) = planned(incident(SHORT), context=replace(CONTEXT, closed=None)).changes
    assert isinstance(one, Create)
    assert one.attributes == {**SHORT, VISIBILITY: "public"}


def test_a_creation_carries_the_marker_and_the_namespace() -> None:
    context = replace(MARKING, settings=replace(SETTINGS, namespace="acme"))
    (one,) = planned(incident(SHORT), context=context).changes
    assert isinstance(one, Create)
    assert one.attributes[MARKER] == "A"
    assert one.idempotency_key == idempotency_key(namespace="acme", key="A")


def test_an_explicit_idempotency_key_is_sent_as_it_is() -> None:
    (one,) = planned(replace(incident(SHORT), idempotency_key="mine")).changes
    assert isinstance(one, Create)
    assert one.idempotency_key == "mine"


@pytest.mark.parametrize("explicit", [None, "another"])
def test_an_unanswered_creation_is_sent_again_with_its_idempotency_key(explicit: str | None) -> None:
    context = replace(CONTEXT, settings=replace(SETTINGS, namespace="changed-since"))
    declared = replace(incident(SHORT), idempotency_key=explicit)
    (one,) = planned(declared, memory=remembering({}, sent={"A": "importer-then"}), context=context).changes
    assert one == Pending(declared, "importer-then", {**SHORT, STATUS: CLOSED, VISIBILITY: "public"})


def test_an_unanswered_creation_that_no_file_declares_is_a_warning() -> None:
    found = planned(memory=remembering({}, sent={"B": "x", "A": "y"}), keys=frozenset({"B"}))
    assert diagnostic(found, "sent-undeclared").detail == "incident 'A'"
    assert found.changes == ()


def test_a_creation_that_looks_like_an_unmanaged_incident_is_a_warning_with_the_next_step() -> None:
    looks = {**SHORT, STARTED: BEGAN}
    found = planned(incident(looks), account=(live(7, looks), live(8, looks), live(9, SHORT)))
    problem = diagnostic(found, "resembles-existing")
    assert problem.detail == "incident 'A' resembles INC-7, INC-8"
    assert problem.hint.endswith("importer adopt A INC-7")
    assert isinstance(found.changes[0], Create)


def test_an_unanswered_creation_that_looks_like_an_unmanaged_incident_is_a_warning_too() -> None:
    looks = {**SHORT, STARTED: BEGAN}
    found = planned(incident(looks), account=(live(7, looks),), memory=remembering({}, sent={"A": "then"}))
    problem = diagnostic(found, "resembles-existing")
    assert problem.summary.startswith("unconfirmed incidents have the same name")
    assert problem.hint.endswith("importer adopt A INC-7")
    assert isinstance(found.changes[0], Pending)


def test_a_renamed_key_is_a_warning_that_names_the_old_one() -> None:
    looks = {**SHORT, STARTED: BEGAN}
    renamed = incident(looks, key="NEW")
    found = planned(renamed, account=(live(7, looks),), memory=ours({}))
    assert diagnostic(found, "resembles-existing").hint == "if the key was renamed, keep the old one: A"
    assert found.unmanaged == (Unmanaged("A", "INC-7"),)


def test_a_similar_incident_that_a_file_declares_is_not_a_warning() -> None:
    looks = {**SHORT, STARTED: BEGAN}
    found = planned(incident(looks), incident(looks, key="B"), account=(live(7, looks),), memory=ours({}))
    assert [type(each) for each in found.changes] == [NoOp, Create]
    assert found.diagnostics == ()


RECOVERING = replace(CONTEXT, settings=replace(SETTINGS, adopt_matching=True))


def test_a_number_and_all_values_prove_nothing_unless_the_user_says_that_this_is_a_recovery() -> None:
    declared, account = incident({NAME: "Same"}, number=7), (live(7, {NAME: "Same"}),)
    plan = planned(declared, account=account)
    (found,) = plan.changes
    assert isinstance(found, Blocked)
    assert [each.code for each in plan.diagnostics] == ["matches-existing"]

    for stored in ("Same", " Same"):  # the account's own form is no other value
        (found,) = planned(declared, account=(live(7, {NAME: stored}),), context=RECOVERING).changes
        assert isinstance(found, Adopt)
        assert (found.changes, found.blocked) == ((), ())


@pytest.mark.parametrize(("number", "name"), [(8, "Same"), (7, "Other"), (None, "Same")])
def test_even_a_recovery_takes_only_what_has_the_number_and_all_values(number: int | None, name: str) -> None:
    declared = incident({NAME: "Same"}, number=number)
    (found,) = planned(declared, account=(live(7, {NAME: name}),), context=RECOVERING).changes
    assert not isinstance(found, Adopt)


def test_a_live_mode_incident_with_the_number_and_all_values_is_not_mistaken_for_an_imported_one() -> None:
    standard = replace(live(7, {NAME: "Same"}), mode="standard")
    declared = incident({NAME: "Same"}, number=7)
    (found,) = planned(declared, account=(standard,), context=RECOVERING).changes

    assert isinstance(found, Blocked)


def test_an_incident_with_the_number_is_never_edited_without_adoption() -> None:
    (one,) = planned(incident({NAME: "New"}, number=7), account=(live(7, {NAME: "Old"}),)).changes
    assert isinstance(one, Blocked)
    assert (one.reason, one.incident_id, one.reference) == ("not-ours", "01LIVE7", "INC-7")
    assert one.explanation.endswith("importer adopt A INC-7")


NAMED: Attributes = {NAME: "Search was slow"}


def pulled(attributes: Attributes, *, number: int | None = None) -> Incident:
    return incident(attributes, key="01LIVE7", number=number)


@pytest.mark.parametrize("mode", ["standard", "retrospective"])
@pytest.mark.parametrize("number", [None, 7])
def test_a_pulled_incident_is_unchanged_under_its_own_id(mode: str, number: int | None) -> None:
    account = (replace(live(7, NAMED), mode=mode),)
    found = planned(pulled(NAMED, number=number), account=account, context=MARKING)
    assert [type(each) for each in found.changes] == [NoOp]
    assert not found.diagnostics


@pytest.mark.parametrize(
    ("declared", "number"), [({NAME: "Edited"}, 7), (NAMED, 8), ({**NAMED, ITEM: WRITTEN}, None)]
)
def test_a_pulled_incident_that_was_edited_is_blocked_and_never_adopted_automatically(
    declared: Attributes, number: int | None
) -> None:
    (change,) = planned(pulled(declared, number=number), account=(live(7, NAMED),)).changes
    assert isinstance(change, Blocked)
    assert change.reason == "not-ours"
    assert "importer adopt 01LIVE7 INC-7" in change.explanation


def test_an_incident_pulled_without_the_state_is_unchanged_with_it() -> None:
    found = planned(pulled(NAMED), account=(live(7, NAMED),), memory=ours({}))
    assert [type(each) for each in found.changes] == [NoOp]
    assert [each.key for each in found.unmanaged] == ["A"]


def test_an_incident_declared_under_both_its_key_and_its_id_is_blocked() -> None:
    account, memory = (live(7, NAMED),), ours(as_sent(NAMED))
    found = planned(pulled(NAMED), incident(NAMED), account=account, memory=memory)
    assert {type(each) for each in found.changes} == {Blocked, NoOp}


def test_children_of_a_pulled_incident_that_cannot_be_listed_are_blocked() -> None:
    held = live(7, NAMED)
    index = LiveIndex((held,), NOTHING, None)
    index.mark_unlisted(held, Field.TIMELINE, "no role for it")
    (one,) = planned(pulled({**NAMED, ITEM: WRITTEN}), index=index).changes
    assert isinstance(one, Blocked)
    assert (one.reason, one.explanation) == ("not-possible", f"{ITEM.label}: no role for it")


def test_an_incident_of_another_key_names_its_owner() -> None:
    one, other = incident({NAME: "New"}, key="B", number=7), incident({NAME: "Old"})
    found = planned(one, other, account=(live(7, {NAME: "Old"}),), memory=ours({}))
    taken = next(each for each in found.changes if each.incident.key == "B")
    assert isinstance(taken, Blocked)
    assert taken.reason == "number-taken"
    assert "belongs to the key 'A'" in taken.explanation
    assert isinstance(found.changes[0], NoOp)


def test_a_conflict_of_identities_is_an_error_and_no_change() -> None:
    found = planned(
        incident(SHORT),
        incident(SHORT, key="B"),
        account=(live(1, {MARKER: "A"}), live(2, {MARKER: "A"})),
        context=MARKING,
    )
    assert [each.incident.key for each in found.changes] == ["B"]
    problem = diagnostic(found, "identity-conflict", Severity.ERROR)
    assert "'A'" in problem.summary
    assert "INC-1, INC-2" in problem.summary
    assert problem.locations == (Location("a.yaml", 3),)


def test_an_adopted_incident_is_shown_as_adopted_with_what_brings_it_up_to_date() -> None:
    declared = incident({NAME: "New", VISIBILITY: "private"})
    held = live(7, {NAME: "Old", VISIBILITY: "public"})
    (one,) = planned(declared, account=(held,), memory=ours({}, settled=False)).changes
    assert one == Adopt(
        declared,
        held,
        (FieldChange(NAME, "Old", "New", Origin.UNKNOWN),),
        (FieldChange(VISIBILITY, "public", "private", Origin.UNKNOWN),),
    )
    as_it_is = incident({NAME: "Old"})
    (same,) = planned(as_it_is, account=(held,), memory=ours({}, settled=False)).changes
    assert same == Adopt(as_it_is, held, ())


def test_a_hidden_incident_is_unchanged_as_long_as_its_declaration_is() -> None:
    declared = incident({**SHORT, TEAMS_FIELD: None}, number=7)
    found = planned(declared, memory=ours(as_sent({**SHORT, STATUS: CLOSED})))
    assert found.changes == (NoOp(declared, "01LIVE7", "INC-7"),)
    assert "global_access" in diagnostic(found, "not-visible").hint


def test_a_pulled_incident_with_another_number_is_blocked_and_not_adopted() -> None:
    held = live(7, SHORT)
    pulled = incident(SHORT, key=held.id, number=8)
    (one,) = planned(pulled, account=(held,)).changes
    assert isinstance(one, Blocked)
    assert one.reason == "not-ours"


@pytest.mark.parametrize("settled", [True, False])
def test_a_hidden_incident_that_changed_is_blocked_and_never_created_again(settled: bool) -> None:
    declared = incident({NAME: "New"}, number=8)
    found = planned(declared, memory=ours(as_sent({NAME: "Old"}), settled=settled))
    (one,) = found.changes
    assert isinstance(one, Blocked)
    assert (one.reason, one.incident_id) == ("not-visible", "01LIVE7")
    assert one.blocked == (
        FieldChange(Attribute(Field.EXTERNAL_ID), "INC-7", "8"),
        FieldChange(NAME, "Old", "New"),
    )
    assert "importer state forget A" in one.explanation
    assert codes(found) == ["not-visible"]


def test_a_hidden_incident_ignores_attributes_left_to_people() -> None:
    ignoring = Policy(ignore_changes=frozenset({Ignored(SUMMARY)}))
    found = planned(incident({SUMMARY: "new"}, policy=ignoring), memory=ours(as_sent({SUMMARY: "old"})))
    assert isinstance(found.changes[0], NoOp)


def test_a_bound_incident_that_no_file_declares_is_listed_and_left_alone() -> None:
    memory = remembering({}, BOUND, Binding("C", "01LIVE3", "INC-3"), Binding("B", "01LIVE2", "INC-2"))
    found = planned(incident(SHORT), account=(live(7, SHORT),), memory=memory, keys=frozenset({"A", "C"}))
    assert found.unmanaged == (Unmanaged("B", "INC-2"),)
    assert [type(each) for each in found.changes] == [NoOp]


@given(
    st.dictionaries(
        st.sampled_from("ABCDEF"),
        st.none() | st.sampled_from([BEGAN, ENDED, BEGAN.replace(microsecond=1000)]),
    ),
    st.randoms(),
)
def test_changes_are_oldest_first_whatever_the_order_of_the_files(
    began: dict[str, object], random: Random
) -> None:
    declared = [incident({NAME: key, STARTED: at}, key=key) for key, at in began.items()]  # type: ignore[dict-item]
    random.shuffle(declared)
    found = planned(*declared)
    dated = sorted((each.began, each.key) for each in declared if each.began)
    undated = sorted(each.key for each in declared if not each.began)
    assert [each.incident.key for each in found.changes] == [*(key for _, key in dated), *undated]


@pytest.mark.parametrize(
    ("creates", "updates", "expected"),
    [
        (3, 2, None),
        (4, 2, "the plan has 4 incidents to create; safety.max_creates allows 3"),
        (3, 3, "the plan has 3 incidents to update; safety.max_updates allows 2"),
    ],
)
def test_a_safety_limit_is_exceeded_by_one_more(creates: int, updates: int, expected: str | None) -> None:
    limited = replace(SETTINGS, max_creates=3, max_updates=2)
    assert exceeded({"create": creates, "update": updates}, limited) == expected
    assert exceeded({"create": creates, "update": updates}, SETTINGS) is None


# -- another namespace ---------------------------------------------------------------------------------

ACME = replace(CONTEXT, marker=Marker(MARKER, "acme"), settings=replace(SETTINGS, namespace="acme"))


def test_a_number_that_another_namespace_has_is_blocked_without_an_adopt_line() -> None:
    theirs = live(7, {NAME: "Same", MARKER: "other/A"})
    (found,) = planned(incident({NAME: "Same"}, number=7), account=(theirs,), context=ACME).changes
    assert isinstance(found, Blocked)
    assert found.reason == "number-taken"
    assert "'other/A'" in found.explanation
    assert "importer adopt" not in found.explanation


def test_an_incident_like_one_of_another_namespace_names_the_namespace() -> None:
    theirs = live(7, {NAME: "Same", STARTED: BEGAN, MARKER: "before/A"})
    plan = planned(incident({NAME: "Same", STARTED: BEGAN}), account=(theirs,), context=ACME)
    warned = diagnostic(plan, "resembles-existing")
    assert "before/A" in warned.hint
    assert "importer adopt" not in warned.hint
