"""An account of 2,000 mixed incidents: a pull plans empty, and so does its copy in another account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from importer.formats.yaml_writer import to_yaml
from importer.model import Field, NoOp, Plan
from importer.model.diagnostics import Diagnostics
from importer.pull import PULLED_CHILDREN, Declared, Filters, without_numbers
from importer.sandbox import SandboxOptions, open_sandbox
from importer.sources.settings_file import load_settings
from tests.mixed_account import ALIASES, Filler, seed_of_another_company
from tests.rehearsal import Rehearsal

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

COUNT = 2000
PULLED = COUNT * 9 // 10
WITH_CHILDREN = Filters(severities=("Critical",))
WITHOUT = Filters(severities=("Minor", "Major"))


def rehearsal(folder: Path, config: str = "version: 1\n", **account: Any) -> Iterator[Rehearsal]:
    folder.mkdir()
    (folder / "importer.yaml").write_text(config, encoding="utf-8")
    settings = load_settings(None, folder, Diagnostics())
    with closing(open_sandbox(None, options=SandboxOptions(rate_limit=None), **account)) as sandbox:
        yield Rehearsal(folder, sandbox, settings)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """Yield 2,000 incidents: one in ten is still open, and sixty have children of each kind."""
    for one in rehearsal(tmp_path_factory.mktemp("full") / "account"):
        filler = Filler(one.sandbox)
        critical = [each for each in filler.fill(COUNT) if each["severity"]["name"] == "Critical"]
        for incident in critical[:60]:
            filler.add_children(incident)
        yield one


@pytest.fixture(scope="module")
def pulled(full: Rehearsal) -> tuple[Declared, ...]:
    """Return everything pulled: critical incidents with their children, the others as the list shows them."""
    return full.pull(WITH_CHILDREN, frozenset(PULLED_CHILDREN)) + full.pull(WITHOUT)


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Rehearsal]:
    """Yield an account with other IDs, severities, timestamps and users, and without external IDs."""
    yield from rehearsal(tmp_path / "other", ALIASES, seed=seed_of_another_company())


def write(folder: Path, declared: Iterable[Declared]) -> Path:
    path = folder / "pulled.yaml"
    path.write_text(to_yaml((each.incident for each in declared), schema="x"), encoding="utf-8")
    return path


def kinds(plan: Plan) -> dict[str, int]:
    assert not plan.errored, plan.diagnostics
    names = [type(change).__name__ for change in plan.changes]
    return {name: names.count(name) for name in dict.fromkeys(names)}


def test_what_is_pulled_plans_empty(full: Rehearsal, pulled: tuple[Declared, ...], tmp_path: Path) -> None:
    assert sum(each.incident.external_id is not None for each in pulled) == PULLED
    assert sum(key.field is Field.FOLLOW_UP for each in pulled for key in each.attributes) >= 150
    assert kinds(full.plan(write(tmp_path, pulled))) == {"NoOp": PULLED}
    assert full.writes == []


def test_a_copy_in_another_account_plans_applies_and_plans_empty(
    pulled: tuple[Declared, ...], other: Rehearsal
) -> None:
    path = write(other.folder, without_numbers(pulled))
    assert kinds(other.plan(path)) == {"Create": PULLED}
    run = other.apply(path, parallelism=4)
    assert {type(each).__name__ for each in run.outcomes} == {"Applied"}
    assert kinds(other.plan(path)) == {"NoOp": PULLED}
    assert sorted(other.sandbox.journal().creations.values()) == [1] * PULLED
    assert other.sandbox.journal().announcements == ()


def test_adopted_incidents_plan_empty_with_their_children(
    full: Rehearsal, pulled: tuple[Declared, ...], tmp_path: Path
) -> None:
    full.pull(WITH_CHILDREN, frozenset(PULLED_CHILDREN), adopting=True)
    full.pull(WITHOUT, adopting=True)
    before = full.sandbox.journal().requests
    planned = full.plan(write(tmp_path, pulled))
    after = full.sandbox.journal().requests
    assert all(isinstance(change, NoOp) for change in planned.changes)
    assert sum(after.values()) - sum(before.values()) < 40  # no request for an incident
    full.settings.state.unlink()
