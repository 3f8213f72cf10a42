"""README's commands work as written, and its tables match the program."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from importer.model.errors import ExitCode

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def commands() -> list[str]:
    """Return the command lines without comments and without the two setup commands, which CI runs."""
    lines = [
        line.split(" # ")[0].split("  #")[0].strip() for block in blocks("sh") for line in block.splitlines()
    ]
    return [line for line in lines if line.startswith("importer ")]


def test_the_two_setup_commands_are_the_ones_that_ci_runs() -> None:
    set_up = [
        line for block in blocks("sh") for line in block.splitlines() if line.startswith("python3 -m venv")
    ]
    assert len(set_up) == 2
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "readme_command 'importer plan'" in script
    assert "readme_command pytest" in script
    assert ["importer plan" in line for line in set_up] == [True, False]
    assert ["pytest" in line for line in set_up] == [False, True]


def test_every_command_in_the_readme_works(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns(".importer"))
    shutil.copytree(
        ROOT / "examples" / "quickstart", tmp_path / "work", ignore=shutil.ignore_patterns(".importer")
    )
    found = commands()
    assert len(found) == 10
    for line in found:
        words = line.split()[1:]
        folder = tmp_path if "examples/quickstart" in line else tmp_path / "work"
        needs_account = words[0] in ("check", "plan", "apply")
        command = [sys.executable, "-m", "importer", *words, *(["--sandbox"] if needs_account else [])]
        done = subprocess.run(
            command, cwd=folder, env=dict(os.environ), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (line, done.stderr)


def test_the_exit_codes_match_the_program() -> None:
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)}
    assert told == {int(each) for each in ExitCode}


def test_the_example_in_the_readme_is_valid(tmp_path: Path) -> None:
    (example,) = blocks("yaml")
    assert yaml.safe_load(example)[0]["key"] == "JIRA-1042"
    (tmp_path / "incident.yaml").write_text(example, encoding="utf-8")
    command = [sys.executable, "-m", "importer", "validate", "incident.yaml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "1 incident, no errors, 0 warnings.\n")


def test_every_page_that_the_readme_names_exists() -> None:
    for target in re.findall(r"\]\(([^)#]+)", README):
        assert (ROOT / target).exists(), target
