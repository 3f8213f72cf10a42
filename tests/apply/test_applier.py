"""Changes start oldest first, a few at a time; every change has an outcome, and an early end a reason."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from threading import Event

import pytest

from importer.apply.applier import ApplyResult, Limits, apply
from importer.apply.completion import RunEnded
from importer.apply.options import create_options
from importer.model import (
    Applied,
    Change,
    Entity,
    Failed,
    FieldChange,
    Kind,
    NewOption,
    NotAttempted,
    Outcome,
    Plan,
    Unknown,
)
from importer.model.errors import ApiError, AuthenticationFailed, Interrupted, NoAnswer, Refused
from importer.plan.changes import new_options, only_keys, without_keys
from tests.plans import (
    ADOPT,
    BLOCKED,
    CREATE_SHORT,
    NAME,
    PAYMENTS,
    PENDING,
    SEARCH,
    SHORT,
    TEAMS,
    TEAMS_FIELD,
    UPDATE,
    create,
    live,
    noop,
    plan,
)
from tests.scripted_account import Fault, ScriptedAccount

PATIENCE = 20.0


@dataclass
class FakeExecution:
    """Returns scripted outcomes and observes the run."""

    answers: dict[str, Outcome | RunEnded | Callable[[], Outcome | None]] = field(default_factory=dict)
    begun: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    threads: set[int] = field(default_factory=set)

    def create_options(self, plan: Plan, stop: Event) -> None:
        """Every option is there."""

    def carry_out(self, change: Change) -> Outcome | None:
        key = change.incident.key
        self.begun.append(key)
        answer = self.answers.get(key, done(key))
        if isinstance(answer, RunEnded):
            raise answer
        return answer() if callable(answer) else answer

    def started(self, change: Change) -> None:
        self.threads.add(threading.get_ident())
        self.events.append(f"started {change.incident.key}")

    def ended(self, change: Change, outcome: Outcome) -> None:
        self.threads.add(threading.get_ident())
        self.events.append(f"ended {change.incident.key}: {type(outcome).__name__}")


def done(key: str) -> Outcome:
    return Applied(key, live(1, SHORT), created=True)


def refused(key: str, code: str = "is_required") -> Outcome:
    return Failed(key, code, f"{code}: no", "r-1", CREATE_SHORT.incident.location)


def of(*keys: str) -> Plan:
    return plan(*(create(key, SHORT) for key in keys))


def run(
    what: Plan,
    execution: FakeExecution,
    *,
    parallelism: int = 1,
    most: int | None = None,
    stop: Event | None = None,
) -> ApplyResult:
    limits = Limits(parallelism, most)
    return apply(what, execution, limits=limits, observers=[execution], stop=stop or Event())  # type: ignore[arg-type]


def kinds(ended: ApplyResult) -> list[str]:
    return [type(outcome).__name__ for outcome in ended.outcomes]


def test_an_unchanged_incident_that_cannot_be_recorded_ends_the_run_and_keeps_the_counts() -> None:
    unchanged = noop(1)
    full = Refused("the state cannot be written")
    error = RunEnded(refused("x"), full)
    execution = FakeExecution({unchanged.incident.key: error})
    ended = run(plan(create("A", SHORT), unchanged, create("B", SHORT)), execution)
    assert kinds(ended) == ["Applied", "NotAttempted"]
    assert ended.error is full


def test_changes_are_carried_out_in_the_order_of_the_plan() -> None:
    execution = FakeExecution()
    ended = run(of("A", "B", "C"), execution)
    assert execution.begun == ["A", "B", "C"]
    assert execution.events == [
        "started A",
        "ended A: Applied",
        "started B",
        "ended B: Applied",
        "started C",
        "ended C: Applied",
    ]
    assert (kinds(ended), ended.stopped, ended.error) == (["Applied"] * 3, "", None)


def test_outcomes_are_in_the_plans_order_whichever_finishes_first() -> None:
    second_is_over = Event()

    def first() -> Outcome:
        assert second_is_over.wait(PATIENCE)
        return done("A")

    def second() -> Outcome:
        second_is_over.set()
        return refused("B")

    ended = run(of("A", "B"), FakeExecution({"A": first, "B": second}), parallelism=2)
    assert [outcome.key for outcome in ended.outcomes] == ["A", "B"]


@pytest.mark.parametrize("parallelism", [1, 3])
def test_no_more_changes_than_parallelism_run_at_once(parallelism: int) -> None:
    lock, under_way, most = threading.Lock(), 0, 0
    together = threading.Barrier(parallelism)

    def work() -> Outcome:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        together.wait(PATIENCE)
        with lock:
            under_way -= 1
        return done("any")

    keys = [str(number) for number in range(parallelism * 4)]
    execution = FakeExecution(dict.fromkeys(keys, work))
    run(of(*keys), execution, parallelism=parallelism)
    assert most == parallelism
    assert execution.threads == {threading.get_ident()}


def test_stop_lets_changes_in_flight_finish_and_starts_no_more() -> None:
    stop = Event()
    both = threading.Barrier(2)

    def work() -> Outcome:
        both.wait(PATIENCE)
        stop.set()
        return done("any")

    execution = FakeExecution({"A": work, "B": work})
    ended = run(of("A", "B", "C", "D"), execution, parallelism=2, stop=stop)
    assert kinds(ended) == ["Applied", "Applied", "NotAttempted", "NotAttempted"]
    assert sorted(execution.begun) == ["A", "B"]
    assert ended.stopped == ""


def test_nothing_starts_when_stop_was_set_before() -> None:
    stop = Event()
    stop.set()
    execution = FakeExecution()
    assert kinds(run(of("A"), execution, stop=stop)) == ["NotAttempted"]
    assert execution.begun == []


def test_unchanged_and_blocked_changes_have_no_outcome() -> None:
    execution = FakeExecution({"JIRA-1": lambda: None, "JIRA-48": lambda: None})
    ended = run(plan(noop(1), BLOCKED, create("A", SHORT)), execution)
    assert [outcome.key for outcome in ended.outcomes] == ["A"]
    assert execution.begun == ["JIRA-1", "JIRA-48", "A"]
    assert execution.events == ["started A", "ended A: Applied"]


def test_fail_fast_stops_at_the_first_failure() -> None:
    execution = FakeExecution({"A": done("A"), "B": refused("B")})
    ended = run(of("A", "B", "C"), execution, most=1)
    assert kinds(ended) == ["Applied", "Failed", "NotAttempted"]
    assert "1 failure," in ended.stopped
    assert "--fail-fast" in ended.stopped


def test_max_failures_counts_failed_but_not_unknown_changes() -> None:
    unknown = Unknown("B", "lost", CREATE_SHORT.incident.location)
    execution = FakeExecution({"A": refused("A", "one"), "B": unknown, "C": refused("C", "two")})
    ended = run(of("A", "B", "C", "D"), execution, most=2)
    assert kinds(ended) == ["Failed", "Unknown", "Failed", "NotAttempted"]


def test_three_refusals_for_one_reason_before_any_success_stop_the_run() -> None:
    execution = FakeExecution({key: refused(key) for key in "ABCD"})
    ended = run(of(*"ABCD"), execution)
    assert kinds(ended) == ["Failed", "Failed", "Failed", "NotAttempted"]
    assert ended.stopped == "3 in a row were refused for the same reason: is_required: no"


def test_refusals_for_several_reasons_do_not_stop_the_run() -> None:
    execution = FakeExecution(
        {key: refused(key, f"reason {number % 2}") for number, key in enumerate("ABCDE")}
    )
    assert kinds(run(of(*"ABCDEF"), execution)) == ["Failed"] * 5 + ["Applied"]


def test_refusals_after_a_success_do_not_stop_the_run() -> None:
    execution = FakeExecution({key: refused(key) for key in "BCDE"})
    assert kinds(run(of(*"ABCDE"), execution)) == ["Applied"] + ["Failed"] * 4


def test_an_unknown_outcome_is_not_a_success() -> None:
    unknown = Unknown("A", "lost", CREATE_SHORT.incident.location)
    execution = FakeExecution({"A": unknown, **{key: refused(key) for key in "BCDE"}})
    assert kinds(run(of(*"ABCDE"), execution)) == ["Unknown", "Failed", "Failed", "Failed", "NotAttempted"]


def test_a_key_that_is_not_valid_ends_the_run_and_the_error_is_kept() -> None:
    error = AuthenticationFailed(status=401, code="unauthenticated", message="who?", request_id="r-9")
    end = RunEnded(refused("B", "unauthenticated"), error)
    ended = run(of("A", "B", "C"), FakeExecution({"B": end}))
    assert kinds(ended) == ["Applied", "Failed", "NotAttempted"]
    assert ended.error is error
    assert ended.stopped == f"{error.summary}; the rest was not attempted"


def test_a_state_that_cannot_be_written_ends_the_run() -> None:
    error = Refused("the state cannot be used: disk full")
    ended = run(of("A", "B"), FakeExecution({"A": RunEnded(done("A"), error)}))
    assert kinds(ended) == ["Applied", "NotAttempted"]
    assert ended.error is error
    assert ended.stopped == "the state cannot be used: disk full; the rest was not attempted"


def test_the_first_reason_to_stop_is_reported() -> None:
    error = AuthenticationFailed(status=403, code="missing_required_scope", message="no")
    end = RunEnded(refused("A"), error)
    ended = run(of("A", "B"), FakeExecution({"A": end}), most=1)
    assert ended.stopped.startswith("403 missing_required_scope")


def test_a_part_of_a_plan_keeps_its_order() -> None:
    whole = of("A", "B", "C")
    assert [each.incident.key for each in only_keys(whole, "C", "A").changes] == ["A", "C"]
    assert [each.incident.key for each in without_keys(whole, frozenset({"B"})).changes] == ["A", "C"]


# -- options -------------------------------------------------------------------------------------------

OTHER = Entity(Kind.CUSTOM_FIELD, "01FIELDCAUSE", "Cause")
NEW = NewOption(OTHER, "Capacity")


def test_new_options_are_collected_from_what_will_be_sent_only() -> None:
    creating = replace(CREATE_SHORT, attributes={TEAMS_FIELD: (PAYMENTS, SEARCH)})
    pending = replace(PENDING, attributes={NAME: "x", TEAMS_FIELD: (SEARCH,)})
    adopting = replace(ADOPT, changes=(FieldChange(TEAMS_FIELD, None, (NEW,)),))
    unsent = replace(BLOCKED, blocked=(FieldChange(TEAMS_FIELD, None, (NewOption(OTHER, "Never"),)),))
    assert new_options(plan(creating, pending, adopting, UPDATE, unsent, noop(1)).changes) == (SEARCH, NEW)


def test_an_existing_option_is_not_created_again() -> None:
    search = Entity(Kind.OPTION, "01SEARCH", "Search")
    account = ScriptedAccount(found={TEAMS.id: [search]})
    assert create_options(plan(CREATE_SHORT), account, Event()) == {SEARCH: search}
    assert account.requests == [("options", TEAMS.id)]


def test_the_options_of_a_field_are_listed_once_before_the_missing_are_created() -> None:
    creating = replace(CREATE_SHORT, attributes={TEAMS_FIELD: (SEARCH, NewOption(TEAMS, "Data"))})
    account = ScriptedAccount()
    made = create_options(plan(creating), account, Event())
    assert {option.name: entity.name for option, entity in made.items()} == {
        "Search": "Search",
        "Data": "Data",
    }
    assert account.requests == [
        ("options", TEAMS.id),
        ("option", TEAMS.id, "Data"),
        ("option", TEAMS.id, "Search"),
    ]


def test_a_lost_answer_never_makes_two_options() -> None:
    account = ScriptedAccount([Fault.NONE, Fault.LOST_AFTER])
    made = create_options(plan(CREATE_SHORT), account, Event())
    assert [each.name for each in account.found[TEAMS.id]] == ["Search"]
    assert made[SEARCH] == account.found[TEAMS.id][0]


def test_an_option_in_doubt_that_is_not_listed_ends_the_run_before_it_starts() -> None:
    account = ScriptedAccount([Fault.NONE, Fault.LOST_BEFORE], found={TEAMS.id: [PAYMENTS]})
    with pytest.raises(NoAnswer):
        create_options(plan(CREATE_SHORT), account, Event())
    assert account.requests[-1] == ("options", TEAMS.id)


def test_no_option_is_created_once_the_run_is_stopped() -> None:
    creating = replace(CREATE_SHORT, attributes={TEAMS_FIELD: (SEARCH, NewOption(TEAMS, "Data"))})
    account, stop = ScriptedAccount(), Event()
    stop.set()
    assert create_options(plan(creating), account, stop) == {}
    assert account.requests == []


def test_an_option_that_is_refused_is_an_error_of_the_run() -> None:
    with pytest.raises(ApiError):
        create_options(plan(CREATE_SHORT), ScriptedAccount([Fault.NONE, Fault.REFUSED]), Event())


class Optionless(FakeExecution):
    """The options of the plan cannot be created."""

    def create_options(self, plan: Plan, stop: Event) -> None:
        raise ApiError(status=422, code="invalid_value", message="no")


def test_options_that_are_refused_leave_every_change_not_attempted() -> None:
    execution = Optionless()
    ended = run(of("A", "B"), execution)
    assert kinds(ended) == ["NotAttempted", "NotAttempted"]
    assert execution.begun == []
    assert isinstance(ended.error, ApiError)
    assert ended.stopped == "422 invalid_value: no; the rest was not attempted"


def test_an_interruption_has_words_of_its_own() -> None:
    stopped = RunEnded(NotAttempted("A", CREATE_SHORT.incident.location), Interrupted("Ctrl-C"))
    ended = run(of("A"), FakeExecution({"A": stopped}))
    assert (kinds(ended), ended.error, ended.stopped) == (["NotAttempted"], None, "")
