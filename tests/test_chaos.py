"""The installed importer against the served sandbox, with kills and faults: no promise is broken.

The campaign whose figures are published is `python -m tests.chaos`; these are a few small runs of it.
"""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from importer.sandbox import open_sandbox
from tests.chaos import verdict
from tests.chaos.account import KEY, Account
from tests.chaos.declared import incidents
from tests.chaos.machine import CommandResult
from tests.chaos.run import run
from tests.chaos.scenario import Company, scenario

SEEDS = range(21, 27)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", SEEDS)
def test_kills_faults_and_lost_states_leave_one_incident_per_key(tmp_path: Path, seed: int) -> None:
    result = run(scenario(seed, 24), tmp_path)
    assert not result.findings, f"seed {seed}: {result.scenario}\n" + "\n".join(result.findings)
    assert result.figures.counts["kills"] > 0  # how many more hit a run before its end is a race
    assert result.figures.counts["incidents"] > 0


def test_the_seeds_cover_every_company_and_every_account_option() -> None:
    met = [scenario(seed, 24) for seed in SEEDS]
    assert {each.company for each in met} == set(Company)
    assert {each.idempotency for each in met} == {"replay", "conflict", "expired"}
    for liberty in ("has_marker", "has_numbers", "has_children", "has_clashes", "normalises", "loses_state"):
        assert {getattr(each, liberty) for each in met} == {True, False}, liberty


def test_a_seed_always_gives_the_same_scenario() -> None:
    one, other = scenario(7, 24), scenario(7, 24)
    assert one == other
    assert [one.weather(each) for each in range(5)] == [other.weather(each) for each in range(5)]


def test_the_verdict_reports_every_error_of_an_account() -> None:
    declared = incidents(scenario(21, 2))
    transport = httpx.WSGITransport(app=open_sandbox(None).app)
    headers = {"Authorization": f"Bearer {KEY}"}
    with httpx.Client(transport=transport, base_url="http://sandbox.localhost", headers=headers) as client:
        account = Account("", client)
        payload = {"visibility": "public", "mode": "standard", "name": "Another", "summary": "K-00000 twice"}
        for each in "ab":
            account.create({**payload, "idempotency_key": each})
        account.create({**payload, "summary": "K-99999 of nobody", "idempotency_key": "c"})
        account.create({**payload, "summary": "K-00001 as it is", "idempotency_key": "d"})
        found = "\n".join(verdict.of_account(account, declared))
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
