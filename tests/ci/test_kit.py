"""The other files that a repository uses: the workflow, the GitLab template, the hook, the container file."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from importer import __version__
from importer.cli import scaffold
from tests.ci.runner import ACTION, PROGRAM, ROOT

EXAMPLE = ROOT / "examples" / "gitops"
WORKFLOW = (EXAMPLE / ".github" / "workflows" / "importer.yml").read_text("utf-8")
JOBS: dict[str, Any] = yaml.load(WORKFLOW, yaml.BaseLoader)["jobs"]
GITLAB = (EXAMPLE / ".gitlab-ci.yml").read_text("utf-8")
(HOOK,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))


# -- the workflow ----------------------------------------------------------------------------------------


def test_the_workflow_of_the_example_is_the_one_that_init_writes() -> None:
    assert scaffold.files("acme")[".github/workflows/importer.yml"] == WORKFLOW


@pytest.mark.parametrize("job", JOBS)
def test_a_job_uses_this_version_of_the_action_with_declared_inputs(job: str) -> None:
    *_, step = JOBS[job]["steps"]
    assert step["uses"] == f"OWNER/importer@v{__version__}"
    assert step["with"].keys() <= ACTION["inputs"].keys()
    assert step["with"]["mode"] == job


def test_a_pull_request_never_gets_the_write_key() -> None:
    holders = [job for job, content in JOBS.items() if "secrets.INCIDENT_API_KEY" in str(content)]
    assert holders == ["apply"]
    assert JOBS["apply"]["environment"] == "incident-io"
    assert "pull_request_target" not in WORKFLOW


def test_each_job_has_only_the_permissions_that_its_steps_need() -> None:
    assert {job: content["permissions"] for job, content in JOBS.items()} == {
        "plan": {"contents": "read", "pull-requests": "write"},
        "apply": {"contents": "read", "actions": "read", "pull-requests": "write"},
        "drift": {"contents": "read", "issues": "write"},
    }


# -- GitLab ----------------------------------------------------------------------------------------------


def test_both_templates_leave_the_comparison_to_importer() -> None:
    action = (ROOT / ".github" / "action" / "apply.sh").read_text("utf-8")
    for template in (action, GITLAB):
        assert "approval=(--reviewed " in template
        assert 'apply "${approval[@]}"' in template
        assert "slurpfile" not in template


def test_the_template_for_gitlab_installs_this_version() -> None:
    assert f"incident-importer=={__version__}" in GITLAB


# -- the hook --------------------------------------------------------------------------------------------


def hooked(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the hook as declared, in a folder."""
    program, *words = shlex.split(HOOK["entry"])
    command = [str(PROGRAM.with_name(program)), *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_the_hook_checks_the_whole_folder(tmp_path: Path) -> None:
    assert (HOOK["pass_filenames"], HOOK["require_serial"], HOOK["language"]) == (False, True, "python")
    folder = tmp_path / "work"
    shutil.copytree(EXAMPLE, folder)
    assert hooked(folder).returncode == 0
    shutil.copy(folder / "incidents" / "2025.yaml", folder / "incidents" / "again.yaml")
    done = hooked(folder)
    assert done.returncode == 1
    assert "OPS-260" in done.stderr


@pytest.mark.parametrize(
    "name", ["importer.yaml", "incidents/a.yml", "b.jsonl", "c.CSV", "d.tsv", "e.md", "f.xlsx"]
)
def test_the_hook_runs_when_a_file_that_importer_reads_changes(name: str) -> None:
    assert re.search(HOOK["files"], name)


# -- the container ---------------------------------------------------------------------------------------


def test_the_container_installs_this_checkout_and_holds_no_key() -> None:
    lines = (EXAMPLE / "Containerfile").read_text("utf-8").splitlines()
    steps = [line.partition(" ") for line in lines if line and not line.startswith("#")]
    assert ("COPY", " ", ". /source") in steps
    assert any(
        name == "RUN" and rest.endswith("pip install --no-cache-dir /source") for name, _, rest in steps
    )
    assert ("ENTRYPOINT", " ", '["importer"]') in steps
    assert ("USER", " ", "importer") in steps
    assert not any("INCIDENT_API_KEY" in rest for _, _, rest in steps)
