"""A day of a repository that plans on a pull request, applies on merge, and checks for drift at night."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ci.conftest import READ_KEY, Project, declared

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

RUN = "[This run](https://github.com/acme/incidents/actions/runs/"


def live(project: Project, name: str) -> dict[str, Any]:
    (incident,) = [each for each in project.account.incidents() if each["name"] == name]
    return incident


def test_a_whole_day_from_pull_request_to_nightly_run(project: Project) -> None:
    # A pull request gets one comment, however often it is pushed to, and nothing is written to the account.
    project.propose(7, {"incidents/a.yaml": declared("A")})
    planned = project.planned(7)
    assert planned.code == 0, planned.log
    (comment,) = project.comments(7)
    assert comment.startswith("<!-- importer plan -->\n<!-- importer -->\n\n**Plan: 1 to create, 0 to update")
    assert '+ incident "A" will be created' in comment
    assert planned.summary == comment
    head = project.propose(7, {"incidents/b.yaml": declared("B")})
    planned = project.planned(7)
    assert planned.outputs["plan"]["has_changes"] == "true"
    assert planned.outputs["plan"]["create"] == "2"
    (comment,) = project.comments(7)
    assert "**Plan: 2 to create" in comment
    assert f"{RUN}2) planned commit {head}. A merge applies these changes and no others." in comment
    assert project.account.incidents() == []

    # The merge applies exactly that plan and comments on the pull request.
    project.merge(7)
    applied = project.applied()
    assert applied.code == 0, applied.log
    assert "The plan of pull request #7 is in run 2." in applied.log
    assert "**Applied: 2 created, 0 updated," in project.comments(7)[1]
    assert sorted(project.account.creations().values()) == [1, 1]

    # Afterwards there is nothing to do, with or without the state that the run kept.
    for state in ("cache", "none"):
        project.propose(8, {"README.md": f"Nothing about incidents: {state}.\n"})
        again = project.planned(8, state=state)
        assert (again.code, again.outputs["plan"]["has_changes"]) == (0, "false")
        assert "No changes. The account matches the files." in project.comments(8)[0]
    project.merge(8)
    assert "Nothing to apply." in project.applied().summary
    quiet = project.night()
    assert (quiet.code, project.host.issues) == (0, [])

    # After an edit in incident.io, the nightly job ends with 2 and opens an issue that lists the drift.
    project.account.edit(live(project, "Incident A"), summary="Edited by Lisa.")
    for _ in range(2):
        assert project.night().code == 2
    (issue,) = project.host.issues
    assert issue["state"] == "open"
    assert 'incident "A" (INC-' in issue["body"]
    assert "Edited by Lisa." in issue["body"] and '"B"' not in issue["body"]

    # With `on_drift: keep`, another change of the same incident keeps the edit.
    project.propose(9, {"incidents/a.yaml": declared("A", severity="Minor")})
    kept = project.planned(9)
    assert (kept.code, kept.outputs["plan"]["update"]) == (0, "1")
    assert "edits made in incident.io are kept, because on_drift is keep" in project.comments(9)[0]
    assert "Edited by Lisa." not in project.comments(9)[0]
    project.merge(9)
    assert project.applied().code == 0
    incident = live(project, "Incident A")
    assert (incident["summary"], incident["severity"]["name"]) == ("Edited by Lisa.", "Minor")

    # Once the file has the edit, nothing is left to do and the nightly job reports no drift.
    project.propose(10, {"incidents/a.yaml": declared("A", severity="Minor", summary="Edited by Lisa.")})
    assert project.planned(10).outputs["plan"]["has_changes"] == "false"
    project.merge(10)
    assert project.applied().code == 0
    assert project.night().code == 0
    assert issue["state"] == "closed"
    assert sorted(project.account.creations().values()) == [1, 1]


def test_no_key_is_in_a_log_a_comment_or_a_summary(project: Project) -> None:
    project.propose(7, {"incidents/a.yaml": declared("A")})
    planned = project.planned(7)
    project.merge(7)
    applied = project.applied()
    for text in (planned.log, planned.summary, applied.log, applied.summary, *project.comments(7)):
        assert READ_KEY not in text and "sandbox-key" not in text and "job-token" not in text
