"""What a code host takes from a run: annotations at the lines of problems, and the outputs of a step."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Account, Folder, declared

WRONG = "- {key: A, name: A, severity: Major}\n- {key: B, name: B, sevrity: Major}\n"


def outputs(path: Path) -> dict[str, str]:
    pairs = (line.partition("=") for line in path.read_text("utf-8").splitlines())
    return {name: value for name, _, value in pairs}


def test_a_problem_is_an_annotation_at_its_line_from_the_top_of_the_checkout(folder: Folder) -> None:
    subprocess.run(["git", "init", "-q", str(folder.path)], check=True)
    folder.write("history/importer.yaml", "version: 1\n")
    folder.write("history/incidents/a.yaml", WRONG)
    result = folder.run("validate", "--config", "history/importer.yaml", "--format", "github")
    assert result.code == 1
    assert result.out.startswith("::error file=history/incidents/a.yaml,line=2,title=unknown-field::")
    assert "did you mean `severity`?" in result.out
    assert "on incidents/a.yaml:2" in result.err


def test_gitlab_and_sarif_have_the_same_places(folder: Folder) -> None:
    folder.write("a.yaml", WRONG)
    (finding,) = folder.run("validate", "--format", "gitlab").json()
    assert finding["location"] == {"path": "a.yaml", "lines": {"begin": 2}}
    (run,) = folder.run("validate", "--format", "sarif").json()["runs"]
    (place,) = run["results"][0]["locations"]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "a.yaml"


def test_files_without_a_problem_give_an_empty_report_and_no_annotation(folder: Folder) -> None:
    folder.declare(declared("A"))
    assert folder.run("validate", "--format", "github").out == ""
    assert folder.run("validate", "--format", "gitlab").json() == []
    assert folder.run("validate", "--format", "github").code == 0


@pytest.mark.parametrize("form", ["github", "gitlab", "sarif"])
def test_a_mistake_in_the_configuration_is_annotated_too(folder: Folder, form: str) -> None:
    folder.write("importer.yaml", "version: 1\non_drfit: keep\n")
    result = folder.run("validate", "--format", form)
    assert result.code == 1
    assert "importer.yaml" in result.out and "on_drift" in result.out


def test_names_that_the_account_lacks_are_annotated_by_a_plan(folder: Folder, account: Account) -> None:
    folder.declare(declared("A", severity="Majr"))
    assert folder.run("plan", "--json-out", "plan.json").code == 1
    for words in (["plan"], ["show", "plan.json"]):
        result = folder.run(*words, "--format", "github")
        assert result.out.startswith("::error file=incidents.json,line=1,title=unknown-severity::")


def test_a_step_learns_whether_there_are_changes_how_many_and_where_the_plan_is(
    folder: Folder, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = folder.path / "outputs"
    target.write_text("earlier=kept\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_OUTPUT", str(target))
    folder.declare(declared("A"), declared("B"))
    assert folder.run("plan", "--out", "plan.json").code == 0
    found = outputs(target)
    assert found == {
        "earlier": "kept",
        "has_changes": "true",
        "errored": "false",
        "create": "2",
        "update": "0",
        "adopt": "0",
        "delete": "0",
        "unchanged": "0",
        "blocked": "0",
        "pending": "0",
        "unmanaged": "0",
        "plan_file": "plan.json",
    }
    assert folder.run("apply", "plan.json").code == 0
    assert folder.run("plan", "--json").code == 0
    assert (outputs(target)["has_changes"], outputs(target)["plan_file"]) == ("false", "")


def test_a_plan_that_failed_is_in_no_file_and_says_so(
    folder: Folder, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = folder.path / "outputs"
    monkeypatch.setenv("GITHUB_OUTPUT", str(target))
    folder.declare(declared("A", severity="Majr"))
    assert folder.run("plan", "--out", "plan.json").code == 1
    found = outputs(target)
    assert (found["has_changes"], found["errored"], found["plan_file"]) == ("false", "true", "")
    assert {found[name] for name in ("create", "update", "adopt", "unchanged", "blocked", "pending")} == {""}


def test_outputs_that_cannot_be_written_are_an_error_in_words(
    folder: Folder, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_OUTPUT", str(folder.path / "no" / "outputs"))
    folder.declare(declared("A"))
    result = folder.run("plan")
    assert result.code == 1
    assert "GITHUB_OUTPUT" in result.err
    monkeypatch.setenv("GITHUB_OUTPUT", str(folder.path / "outputs"))
    assert folder.run("plan", "--out", "a\nb.json").code == 1


def test_markdown_and_html_are_written_by_plan_and_by_show(folder: Folder, account: Account) -> None:
    folder.declare(declared("A"), declared("B", visibility="private", name="Secret of ours"))
    assert folder.run("plan", "--out", "plan.json").code == 0
    for form in ("markdown", "html"):
        planned = folder.run("plan", "--format", form).out
        shown = folder.run("show", "plan.json", "--format", form)
        assert shown.code == 0
        assert "Incident A" in planned and "Incident A" in shown.out
        assert "Secret of ours" not in planned + shown.out
        assert "Secret of ours" in folder.run("show", "plan.json", "--format", form, "--show-private").out
    short = folder.run("show", "plan.json", "--format", "markdown", "--max-bytes", "1000").out
    assert len(short.encode()) <= 1000
    assert json.loads((folder.path / "plan.json").read_text("utf-8"))["scope"]["kind"] == "all"


def test_what_private_incidents_say_is_in_no_comment_about_a_plan_that_failed(
    folder: Folder, account: Account
) -> None:
    folder.declare(declared("A", severity="Hushed", visibility="private"), name="a.json")
    folder.declare(declared("B", severity="Majr"), name="b.json")
    assert folder.run("plan", "--json-out", "plan.json").code == 1
    for words in (["plan"], ["show", "plan.json"]):
        for form in ("markdown", "html"):
            found = folder.run(*words, "--format", form).out
            assert "Hushed" not in found and "Majr" in found
            assert "Hushed" in folder.run(*words, "--format", form, "--show-private").out


def test_a_saved_plan_keeps_quiet_about_what_is_private_and_unchanged(
    folder: Folder, account: Account
) -> None:
    moments = {"Impact started at": "2021-03-01T10:00:00Z", "Resolved at": "2021-02-01T10:00:00Z"}
    folder.declare(declared("Hushed", visibility="private", timestamps=moments))
    assert folder.run("apply", "--auto-approve").code == 0
    assert folder.run("plan", "--out", "plan.json").code == 0
    assert "Hushed" not in folder.run("show", "plan.json", "--format", "markdown").out
