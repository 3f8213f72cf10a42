"""The action under errors, forks, stale and forged plans, and runs that end half-way."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from importer.sandbox import Fault, FaultKind, Faults
from tests.ci.code_host import BOT
from tests.ci.conftest import Project, declared
from tests.ci.runner import ACTION, PROGRAM, ROOT, Job, clean_environment
from tests.cli.conftest import KEY

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

STALE = "the new plan does not match the reviewed one"
MARK = "<!-- importer plan -->\n<!-- importer -->\n"


def names(project: Project) -> list[str]:
    return [each["name"] for each in project.account.incidents()]


def planned_and_merged(project: Project, number: int, files: dict[str, str]) -> Job:
    project.propose(number, files)
    job = project.planned(number)
    project.merge(number)
    return job


# -- on a pull request -----------------------------------------------------------------------------------


def test_the_comment_lists_the_errors_of_the_files(project: Project) -> None:
    project.propose(7, {"incidents/a.yaml": declared("A", severity="Huge"), "incidents/b.yaml": "key: ["})
    job = project.planned(7)
    assert job.code == 1
    (comment,) = project.comments(7)
    assert comment.startswith(MARK)
    assert "severity 'Huge'" in comment and "invalid YAML" in comment
    assert "There is nothing to apply." in comment
    assert "::error file=incidents/b.yaml,line=1" in job.log
    assert "Keep the plan" not in job.steps
    assert job.outputs["plan"]["errored"] == "true"


def test_the_comment_explains_why_the_account_was_not_read(project: Project) -> None:
    project.propose(7, {"incidents/a.yaml": declared("A")})
    job = project.planned(7, key="wrong")
    assert job.code == 1
    (comment,) = project.comments(7)
    assert comment.startswith(MARK + "\n**Planning failed.**\n\n    Error: ")
    assert job.outputs["plan"]["errored"] == "true"


def test_a_fork_has_no_key_and_is_only_validated(project: Project) -> None:
    project.propose(7, {"incidents/a.yaml": declared("A")})
    project.host.reads_only = True
    job = project.planned(7, fork=True, key="")
    assert job.code == 0
    assert "Only validated" in job.summary
    assert project.comments(7) == []
    project.propose(7, {"incidents/a.yaml": "key: ["})
    assert project.planned(7, fork=True, key="").code == 1


def test_a_missing_key_is_an_error(project: Project) -> None:
    project.propose(7, {"incidents/a.yaml": declared("A")})
    job = project.planned(7, key="")
    assert job.code == 1
    assert "::error title=importer::there is no API key" in job.log


def test_an_event_that_exposes_secrets_to_forks_is_refused(project: Project) -> None:
    checkout = project.checkout("main")
    job = project.runner.run(checkout, "pull_request_target", {}, mode="plan", api_key="sandbox-read-only")
    assert job.code == 1
    assert "use pull_request" in job.log


def test_the_comment_is_found_on_any_page_and_only_if_it_is_ours(project: Project) -> None:
    copied = project.host.say(7, MARK + "a copy", "mallory")
    for number in range(120):
        project.host.say(7, f"remark {number}", "lisa")
    ours = project.host.say(7, MARK.replace("\n", "\r\n") + "an earlier plan", BOT)
    project.propose(7, {"incidents/a.yaml": declared("A")})
    assert project.planned(7).code == 0
    assert copied["body"] == MARK + "a copy"
    assert "1 to create" in ours["body"]
    assert len(project.comments(7)) == 122


def test_two_uses_in_one_repository_have_separate_comments(project: Project) -> None:
    project.propose(7, {"incidents/a.yaml": declared("A")})
    for name in ("importer", "other", "other"):
        assert project.planned(7, name=name).code == 0
    assert [each.splitlines()[1] for each in project.comments(7)] == ["<!-- importer -->", "<!-- other -->"]


def test_a_plan_whose_comment_cannot_be_written_is_not_kept(project: Project) -> None:
    project.propose(7, {"incidents/a.yaml": declared("A")})
    project.host.reads_only = True
    job = project.planned(7)
    assert job.code == 1
    assert "GitHub refused POST" in job.log and "Resource not accessible by integration" in job.log
    assert project.host.artifacts == []


def test_the_comment_is_cut_to_its_limit(project: Project) -> None:
    project.propose(7, {f"incidents/{number}.yaml": declared(f"K{number}") for number in range(40)})
    assert project.planned(7, max_bytes="5000").code == 0
    (comment,) = project.comments(7)
    assert "Cut to fit" in comment
    assert "A merge applies these changes" in comment
    assert len(comment.encode()) < 5500


# -- on a merge ------------------------------------------------------------------------------------------


def refused(project: Project, why: str, **inputs: str) -> Job:
    job = project.applied(**inputs)
    assert job.code == 4, job.log
    assert f"**Not applied: {why}.** Nothing was sent." in job.summary
    return job


def test_an_incident_edited_since_the_review_makes_the_plan_stale(project: Project) -> None:
    planned_and_merged(project, 7, {"incidents/a.yaml": declared("A")})
    assert project.applied().code == 0
    planned_and_merged(project, 8, {"incidents/a.yaml": declared("A", severity="Minor")})
    project.account.edit(project.account.incidents()[0], name="Edited since")
    refused(project, STALE)
    comment = project.comments(8)[-1]
    assert "\n    'A' is not as reviewed\n" in comment
    assert 'name in the account: "Incident A" -> "Edited since"' in comment
    assert names(project) == ["Edited since"]


def test_a_missing_or_expired_plan_is_not_applied(project: Project) -> None:
    project.propose(7, {"incidents/a.yaml": declared("A")})
    project.merge(7)
    refused(project, "no reviewed plan was found")
    planned_and_merged(project, 8, {"incidents/b.yaml": declared("B")})
    project.host.artifacts[0]["expired"] = True
    refused(project, "no reviewed plan was found")
    assert names(project) == []


def test_a_commit_without_a_pull_request_is_not_applied(project: Project) -> None:
    project.propose(7, {"incidents/a.yaml": declared("A")})
    project.git("branch", "-f", "main", "pull-7")
    job = refused(project, "no reviewed plan was found")
    assert "merges no pull request" in job.log


def test_an_artifact_of_a_fork_or_another_commit_is_not_applied(project: Project) -> None:
    head = project.propose(7, {"incidents/a.yaml": declared("A")})
    project.host.keep(f"importer-plan-{head}", head=head, run=1, of_a_fork=True)
    project.host.keep(f"importer-plan-{head}", head="0" * 40, run=1)
    project.merge(7)
    refused(project, "no reviewed plan was found")


def test_a_forged_plan_changes_nothing_that_the_files_do_not_declare(project: Project) -> None:
    project.propose(6, {"incidents/evil.yaml": declared("EVIL")})
    forged = project.planned(6)
    project.propose(7, {"incidents/a.yaml": declared("A")})
    project.planned(7)
    head = project.git("rev-parse", "pull-7")
    shutil.copy(forged.outputs["plan"]["plan_file"], project.runner.artifact(f"importer-plan-{head}", 2))
    project.merge(7)
    refused(project, STALE)
    assert names(project) == []


def test_a_manual_run_applies_the_files_without_a_review(project: Project) -> None:
    project.propose(7, {"incidents/a.yaml": declared("A")})
    project.merge(7)
    assert project.applied(unreviewed="apply").code == 0
    assert names(project) == ["Incident A"]


def test_changes_left_by_another_merge_are_named_and_wait_for_a_review(project: Project) -> None:
    project.propose(8, {"incidents/b.yaml": declared("B")})
    project.planned(8)
    planned_and_merged(project, 7, {"incidents/a.yaml": declared("A")})  # and its job was never run
    project.merge(8)
    refused(project, STALE)
    assert "\n    'A' is not in the reviewed plan\n" in project.comments(8)[-1]
    assert names(project) == []
    planned_and_merged(project, 9, {"README.md": "Shows what is left.\n"})
    assert project.applied().code == 0
    assert sorted(names(project)) == ["Incident A", "Incident B"]


def test_a_forged_adoption_binds_no_foreign_incident(project: Project) -> None:
    theirs = project.account.create("Somebody else's")
    project.propose(7, {"incidents/a.yaml": declared("A")})
    forger = project.checkout("pull-7").rename(project.folder.parent / "forger")
    for words in (["adopt", "A", theirs["reference"]], ["plan", "--out", "forged.json"]):
        done = subprocess.run(
            [PROGRAM, *words],
            cwd=forger,
            env=clean_environment(project.account.url) | {"INCIDENT_API_KEY": KEY},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    project.planned(7)
    head = project.git("rev-parse", "pull-7")
    shutil.copy(forger / "forged.json", project.runner.artifact(f"importer-plan-{head}", 1) / "plan.json")
    project.merge(7)
    refused(project, STALE)
    assert names(project) == ["Somebody else's"]


def test_what_is_blocked_fails_no_merge(project: Project) -> None:
    theirs = project.account.create("Theirs", retrospective_incident_options={"external_id": 48})
    text = declared("A") + "  external_id: 48\n"
    planned_and_merged(project, 7, {"incidents/a.yaml": text})
    assert theirs["reference"] == "INC-48"
    job = project.applied()
    assert job.code == 0, job.log
    assert "Nothing to apply." in job.summary


@pytest.mark.parametrize("state", ["cache", "none"])
def test_rerunning_the_job_applies_the_rest(project: Project, state: str) -> None:
    planned_and_merged(project, 7, {f"incidents/{key}.yaml": declared(key) for key in "ABC"})
    refusal = Fault(FaultKind.ERROR_BEFORE, on="POST /v2/incidents", nth=frozenset({2}), status=422)
    project.account.sandbox.faults = Faults((refusal,))
    first = project.applied(state=state)
    assert first.code == 3
    assert "2 created, 0 updated, 0 adopted, 0 unchanged, 1 failed" in first.summary
    assert "Run the job again" in project.comments(7)[-1]
    again = project.applied(state=state)
    assert again.code == 0, again.log
    assert "**Applied: 1 created" in project.comments(7)[-1]
    assert sorted(project.account.creations().values()) == [1, 1, 1]


def test_nothing_is_sent_if_main_cannot_be_planned(project: Project) -> None:
    planned_and_merged(project, 7, {"incidents/a.yaml": declared("A")})
    project.propose(8, {"incidents/b.yaml": "key: ["})
    project.merge(8)
    job = project.applied()
    assert job.code == 1
    assert "**Not applied: planning failed.** Nothing was sent.\n\n    Error: invalid YAML" in job.summary
    assert names(project) == []


# -- at night --------------------------------------------------------------------------------------------


def test_without_a_state_every_difference_is_reported(project: Project) -> None:
    planned_and_merged(project, 7, {"incidents/a.yaml": declared("A")})
    assert project.applied(state="none").code == 0
    assert project.night().code == 0
    project.account.edit(project.account.incidents()[0], summary="Edited by Lisa.")
    job = project.night()
    assert job.code == 2
    assert "There is no state file" in job.summary and "Edited by Lisa." in job.summary


def test_a_failed_nightly_run_reports_no_drift(project: Project) -> None:
    checkout = project.checkout("main")
    job = project.runner.run(checkout, "schedule", {}, mode="drift", api_key="wrong", issue="true")
    assert job.code == 1
    assert project.host.issues == []


# -- the file itself -------------------------------------------------------------------------------------


def test_only_steps_that_call_the_api_get_its_key() -> None:
    steps = ACTION["runs"]["steps"]
    holders = [each["name"] for each in steps if "api-key" in str(each)]
    assert holders == ["Plan", "Apply", "Check for drift"]


def test_third_party_actions_are_pinned_to_a_major_version() -> None:
    used = [each["uses"] for each in ACTION["runs"]["steps"] if "uses" in each]
    assert used
    assert all(
        name.startswith("actions/") and version[1:].isdecimal()
        for name, _, version in (u.partition("@") for u in used)
    )


def test_every_script_is_used_and_executable() -> None:
    scripts = {path.name: path for path in (ROOT / ".github" / "action").glob("*.sh")}
    used = {each["run"].rpartition("/")[2].rstrip('"') for each in ACTION["runs"]["steps"] if "run" in each}
    assert used == scripts.keys() - {"common.sh"}
    assert all(scripts[name].stat().st_mode & 0o111 for name in used)
