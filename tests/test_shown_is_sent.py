"""What a plan shows is what apply sends, byte for byte, apart from IDs that earlier steps return.

The plan is saved, read and applied, so the comparison is with the file that a person reviews. A plan cannot know of
a creation that the server made before, as after a lost state: its steps are the ones that the incident still needs.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importer.model import Plan
from importer.model.diagnostics import Diagnostics
from importer.model.steps import LATER
from importer.plan import file as planfile
from importer.plan.changes import is_acting
from importer.plan.steps import all_steps
from importer.sandbox import SandboxOptions, open_sandbox
from importer.sources.settings_file import load_settings
from importer.wire.requests import Request, request
from tests.random_files import INCIDENTS, LIBERTIES, rehearsed, write
from tests.rehearsal import KEY, Rehearsal

EXAMPLES = Path(__file__).parent.parent / "examples"
CORRECTION = "/actions/edit"
"""The one request that no plan can show in full, since only an answer shows whether it is needed."""


def filled_in(shown: Any, sent: Any) -> Any:
    """Return what is shown, with the sent values where it shows "known after apply"."""
    if shown == LATER.value:
        return sent
    if isinstance(shown, dict) and isinstance(sent, dict):
        return {name: filled_in(value, sent.get(name)) for name, value in shown.items()}
    if isinstance(shown, list) and isinstance(sent, list) and len(shown) == len(sent):
        return [filled_in(one, other) for one, other in zip(shown, sent, strict=True)]
    return shown


def is_as_shown(shown: Request, sent: tuple[str, str, str]) -> bool:
    method, path, content = sent
    expected = shown.path.split("/")
    found = path.split("/")
    if method != shown.method or len(expected) != len(found):
        return False
    if any(one not in (other, LATER.value) for one, other in zip(expected, found, strict=True)):
        return False
    body = filled_in(shown.body, json.loads(content))
    return content == json.dumps(body, separators=(",", ":"))


def documented(plan: Plan, path: Path) -> list[dict[str, Any]]:
    """Return the requests of a saved plan's document, in the order of apply."""
    document = json.loads(path.read_text("ascii"))
    by_key = {each["key"]: each["requests"] for each in document["incident_changes"]}
    shown = [each["request"] for each in document["new_options"]]
    return shown + [
        each for change in plan.changes if is_acting(change) for each in by_key[change.incident.key]
    ]


def assert_shown_is_sent(world: Rehearsal, *, corrects: bool = False) -> list[tuple[str, str, str]]:
    """Save a plan, apply it and compare; return what was sent. Only a server that normalises texts may be sent
    a correction, once after each creation."""
    path = world.folder / "plan.json"
    planfile.write_plan(world.plan(), path)
    saved = planfile.read_plan(path)
    path.unlink()
    planfile.write_plan(saved.plan, path)
    shown = [request(step) for step in all_steps(saved.plan)]
    for made, told in zip(shown, documented(saved.plan, path), strict=True):
        assert (made.method, made.path) == (told["method"], told["path"])
        assert told.get("body", made.body) == made.body
        digest = LATER.value if LATER.value in made.content else made.sha256
        assert told.get("body_sha256", digest) == digest
    path.unlink()
    before = len(world.writes)
    run = world.apply_saved(saved)
    assert not run.stopped, run
    sent = world.writes[before:]
    left = list(shown)
    creation_may_be_corrected = False
    for each in sent:
        if left and is_as_shown(left[0], each):
            creation_may_be_corrected = left.pop(0).path == "/v2/incidents"
            continue
        assert corrects and creation_may_be_corrected and each[1].endswith(CORRECTION), (each, left[:1])
        creation_may_be_corrected = False
    assert left == []
    return sent


@pytest.mark.parametrize("name", sorted(each.name for each in EXAMPLES.iterdir()))
def test_every_example_sends_what_its_plan_shows(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    shutil.copytree(EXAMPLES / name, folder, ignore=shutil.ignore_patterns(".importer"))
    problems = Diagnostics()
    loaded = load_settings(None, folder, problems)
    assert not problems.has_errors
    sandbox = open_sandbox(None, options=SandboxOptions(rate_limit=None))
    try:
        world = Rehearsal(folder, sandbox, loaded)
        assert assert_shown_is_sent(world)
        assert assert_shown_is_sent(world) == []
    finally:
        sandbox.close()


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(INCIDENTS, INCIDENTS, LIBERTIES, st.data())
def test_random_files_accounts_and_edits_send_what_their_plans_show(
    first: list[dict[str, Any]],
    second: list[dict[str, Any]],
    options: SandboxOptions,
    data: st.DataObject,
) -> None:
    with rehearsed(first, options) as world:
        assert_shown_is_sent(world, corrects=options.normalises)
        for each in world.incidents():
            if data.draw(st.booleans()):
                edit(world, each["id"], {"summary": data.draw(st.text(max_size=10)), "name": "Edited"})
        write(world.folder, second)
        assert_shown_is_sent(world, corrects=options.normalises)


def edit(world: Rehearsal, incident_id: str, fields: dict[str, Any]) -> None:
    """Edit an incident as a person would."""
    with httpx.Client(
        transport=httpx.WSGITransport(app=world.sandbox.app),
        base_url="http://sandbox.localhost",
        headers={"Authorization": f"Bearer {KEY}"},
    ) as client:
        body = {"incident": fields, "notify_incident_channel": False}
        assert client.post(f"/v2/incidents/{incident_id}/actions/edit", json=body).status_code == 200
