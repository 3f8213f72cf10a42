"""The installed importer against the served sandbox, with kills and faults: no promise is broken.

The campaign whose figures are published is `python -m tests.chaos`; these are a few small runs of it.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path

import httpx
import pytest

from importer.sandbox import CreatesAs, Idempotency, OtherContent, Rewrite, open_sandbox
from tests.chaos import verdict
from tests.chaos.account import KEY, Account
from tests.chaos.behaviour import Behaviour
from tests.chaos.declared import first_repository, incidents
from tests.chaos.machine import CommandResult
from tests.chaos.run import run
from tests.chaos.scenario import Company, Kind, Scenario, scenario
from tests.chaos.verdict import Expected

SEEDS = (22, 24, 26, 27, 31, 33, 36)
DRAWN = [scenario(seed, 24) for seed in range(1500)]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_kills_faults_and_lost_states_leave_one_incident_per_key(tmp_path: Path) -> None:
    # They mostly wait: 5 s after each creation without an answer.
    with ThreadPoolExecutor(len(SEEDS)) as pool:
        results = list(pool.map(lambda seed: run(scenario(seed, 16), tmp_path / str(seed)), SEEDS))
    for each in results:
        assert not each.findings, f"{each.scenario}\n" + "\n".join(each.findings)
    # How many more than these hit a run before its end is a race.
    assert sum(each.figures.counts["kills"] for each in results) >= len(SEEDS)
    assert sum(each.figures.counts["incidents"] for each in results) > 0


def test_the_seeds_of_this_run_cover_every_company_and_the_answers_to_known_keys() -> None:
    met = [scenario(seed, 16) for seed in SEEDS]
    assert {each.company for each in met} == set(Company)
    assert {each.behaviour.idempotency for each in met} >= {"replay", "expired"}
    for liberty in (
        "has_marker",
        "has_numbers",
        "has_people",
        "has_forgeries",
        "has_namesakes",
        "loses_state",
    ):
        assert {getattr(each, liberty) for each in met} == {True, False}, liberty


def test_a_campaign_draws_every_option_of_an_account() -> None:
    for option in fields(Behaviour):
        assert len({getattr(each.behaviour, option.name) for each in DRAWN}) > 1, option.name
    assert {each.behaviour.idempotency for each in DRAWN} == set(Idempotency)
    assert {each.behaviour.other_content for each in DRAWN} == set(OtherContent)
    assert {each.behaviour.creates_as for each in DRAWN} == set(CreatesAs)
    assert {rewrite for each in DRAWN for rewrite in each.behaviour.rewrites} == set(Rewrite)


def test_a_campaign_draws_every_company_and_both_sides_of_every_liberty() -> None:
    assert {each.company for each in DRAWN} == set(Company)
    liberties = [
        each.name for each in fields(Scenario) if each.name.startswith(("has_", "loses_", "adopts_"))
    ]
    for liberty in (*liberties, "has_namesakes", "needs_a_person"):
        assert {getattr(each, liberty) for each in DRAWN} == {True, False}, liberty


def test_most_scenarios_are_of_the_plain_account() -> None:
    commonest, _ = Counter(each.behaviour for each in DRAWN).most_common(1)[0]
    assert commonest == Behaviour()


def test_what_cannot_be_safe_is_drawn_only_on_demand() -> None:
    for each in (each for each in DRAWN if each.kind is Kind.ORDINARY):
        assert not (each.behaviour.forgets_keys and each.behaviour.list_lag > 5)
        assert not (each.behaviour.forgets_keys and each.loses_state and not each.has_marker)
    on_demand = [scenario(seed, 24, unsafe=True).behaviour for seed in range(20)]
    assert all(each.forgets_keys and each.list_lag > 5 for each in on_demand)


def test_a_behaviour_is_served_as_drawn() -> None:
    chosen = Behaviour(idempotency="conflict", list_lag=2, rewrites=("case", "slash"), put_replaces=True)
    assert " ".join(chosen.flags()) == (
        "--idempotency conflict --list-lag 2 --rewrites case --rewrites slash --put-replaces"
    )
    assert list(chosen.labels()) == [
        "idempotency=conflict",
        "list_lag=2",
        "rewrites=case",
        "rewrites=slash",
        "put_replaces",
    ]
    assert list(Behaviour().labels()) == ["plain account"]


def test_a_seed_always_gives_the_same_scenario() -> None:
    one, other = scenario(7, 24), scenario(7, 24)
    assert one == other
    assert [one.weather(each) for each in range(5)] == [other.weather(each) for each in range(5)]


def test_the_verdict_reports_every_error_of_an_account() -> None:
    drawn = scenario(21, 2)
    expected = Expected(incidents(drawn, first_repository(drawn)))
    transport = httpx.WSGITransport(app=open_sandbox(None).app)
    headers = {"Authorization": f"Bearer {KEY}"}
    with httpx.Client(transport=transport, base_url="http://sandbox.localhost", headers=headers) as client:
        account = Account("", client)
        payload = {"visibility": "public", "mode": "standard", "name": "Another", "summary": "K-00000 twice"}
        for each in "ab":
            account.create({**payload, "idempotency_key": each})
        account.create({**payload, "summary": "K-99999 of nobody", "idempotency_key": "c"})
        account.create({**payload, "summary": "K-00001 as it is", "idempotency_key": "d"})
        found = "\n".join(verdict.of_account(account, expected))
    assert "duplicates: K-00000 is ['INC-1', 'INC-2']" in found
    assert "nobody declared K-99999" in found
    assert "K-00001: mode is 'standard', not 'retrospective'" in found
    assert "K-00001: Impact started at is None" in found
    assert "announcements: INC-1 was declared in mode standard" in found


def test_the_verdict_reports_forbidden_text_in_outputs_and_files(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_text(f"...{KEY}...")
    assert list(verdict.of_files(tmp_path)) == [f"the API key is in {tmp_path / 'state.db'}"]
    results = [
        CommandResult(("plan",), 7, "", ""),
        CommandResult(("apply",), 1, "", "Traceback (most recent call last)"),
    ]
    first, second = verdict.of_outputs(results)
    assert first == "exit code of plan (7)"
    assert second.startswith("a bug shows: apply (1)")
