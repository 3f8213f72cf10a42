"""The GitLab template: the scripts of its jobs, run against the sandbox and a stand-in for GitLab's API."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from werkzeug.wrappers import Request, Response

from importer.sandbox import Server
from tests.ci.conftest import READ_KEY, Project, declared
from tests.ci.runner import PROGRAM, ROOT, clean_environment
from tests.cli.conftest import KEY

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

JOBS = yaml.safe_load((ROOT / "examples" / "gitops" / ".gitlab-ci.yml").read_text("utf-8"))
BOT = "project_1_bot_3f2a"


@dataclass
class GitLab:
    """The project: the notes of merge request 7, its commit on the branch, and the plan of its job."""

    notes: list[dict[str, Any]] = field(default_factory=list)
    merged: list[dict[str, Any]] = field(default_factory=list)
    plan: bytes = b""
    url: str = ""

    def answer(self, method: str, path: str, body: Any) -> Any:
        match method, path.removeprefix("/projects/1"):
            case "GET", "/merge_requests/7/notes":
                return self.notes
            case "POST", "/merge_requests/7/notes":
                self.notes.append({"id": len(self.notes), "author": {"username": BOT}, **body})
                return self.notes[-1]
            case "PUT", put if put.startswith("/merge_requests/7/notes/"):
                self.notes[int(put.rpartition("/")[2])] |= body
                return body
            case "GET", "/merge_requests/7":
                return {"iid": 7, "head_pipeline": {"id": 30}}
            case "GET", "/pipelines/30/jobs":
                return [{"id": 300, "name": "plan", "status": "success"}]
            case "GET", commit if commit.startswith("/repository/commits/"):
                return self.merged
            case _:
                raise AssertionError(path)


@contextmanager
def served() -> Iterator[GitLab]:
    gitlab = GitLab()

    @Request.application
    def app(request: Request) -> Response:
        assert request.headers["Authorization"] == "Bearer project-token"
        if request.path == "/projects/1/jobs/300/artifacts/plan.json":
            return Response(gitlab.plan)
        body = request.get_json() if request.data else None
        return Response(json.dumps(gitlab.answer(request.method, request.path, body)))

    server = Server(app, "127.0.0.1", 0)
    server.start()
    gitlab.url = server.url
    yield gitlab
    server.stop()


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    with served() as one:
        yield one


def run(project: Project, gitlab: GitLab, job: str, branch: str, **variables: str) -> tuple[int, str, Path]:
    """Run the script of a job in a fresh checkout; return its code, its log, and the checkout."""
    project.runner.runs += 1
    checkout = project.checkout(branch)
    variables |= {
        "CI_API_V4_URL": gitlab.url,
        "CI_COMMIT_SHA": project.git("rev-parse", branch),
        "CI_MERGE_REQUEST_IID": "7",
        "CI_PIPELINE_URL": "https://gitlab.com/acme/incidents/-/pipelines/30",
        "CI_PROJECT_ID": "1",
        "IMPORTER_TOKEN": "project-token",
        "INCIDENT_API_KEY": READ_KEY if job == "plan" else KEY,
        "PATH": f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", "\n".join(JOBS[job]["script"])],
        cwd=checkout,
        env=clean_environment(project.account.url) | variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr, checkout


def test_a_merge_request_gets_a_note_and_its_merge_applies_that_plan(
    project: Project, gitlab: GitLab
) -> None:
    project.propose(7, {"incidents/a.yaml": declared("A")})
    for _ in range(2):
        code, log, checkout = run(project, gitlab, "plan", "pull-7")
        assert code == 0, log
    (note,) = gitlab.notes
    assert note["body"].startswith("<!-- importer plan -->\n\n**Plan: 1 to create")
    assert json.loads((checkout / "codequality.json").read_text("utf-8")) == []
    gitlab.plan = (checkout / "plan.json").read_bytes()
    commit = project.merge(7)
    assert run(project, gitlab, "apply", "main")[0] == 4
    gitlab.merged = [{"iid": 7, "state": "merged", "merge_commit_sha": commit, "squash_commit_sha": None}]
    code, log, _ = run(project, gitlab, "apply", "main")
    assert code == 0, log
    assert "Result: 1 created" in log
    assert "Nothing to apply." in run(project, gitlab, "apply", "main")[1]
    assert run(project, gitlab, "drift", "main")[0] == 0
    project.account.edit(project.account.incidents()[0], summary="Edited by Lisa.")
    assert run(project, gitlab, "drift", "main")[0] == 2


def test_a_plan_that_does_not_match_the_files_is_refused(project: Project, gitlab: GitLab) -> None:
    project.propose(6, {"incidents/evil.yaml": declared("EVIL")})
    gitlab.plan = (run(project, gitlab, "plan", "pull-6")[2] / "plan.json").read_bytes()
    project.propose(7, {"incidents/a.yaml": declared("A")})
    commit = project.merge(7)
    gitlab.merged = [{"iid": 7, "state": "merged", "merge_commit_sha": commit, "squash_commit_sha": None}]
    code, log, _ = run(project, gitlab, "apply", "main")
    assert code == 4
    assert "'A' is not in the reviewed plan" in log
    assert project.account.incidents() == []
    assert run(project, gitlab, "apply", "main", UNREVIEWED="apply")[0] == 0
    assert [each["name"] for each in project.account.incidents()] == ["Incident A"]


def test_the_note_lists_the_errors(project: Project, gitlab: GitLab) -> None:
    project.propose(7, {"incidents/a.yaml": "key: ["})
    code, _, checkout = run(project, gitlab, "plan", "pull-7")
    assert code == 1
    assert "invalid YAML" in gitlab.notes[0]["body"]
    (found,) = json.loads((checkout / "codequality.json").read_text("utf-8"))
    assert found["location"]["path"] == "incidents/a.yaml"
