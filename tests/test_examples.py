"""Every example is validated, planned and applied, and then plans empty, as its reader would see."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
INCIDENTS = {
    "quickstart": 12,
    "full": 7,
    "legacy-csv": 3,
    "statuspage": 2,
    "cstate": 3,
    "postmortems": 2,
    "gitops": 3,
    "trackers": 9,
}
LONGEST_MAPPING = 30
"""The most lines in an example's mapping, so that it can be written and reviewed in an hour."""


def importer(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "importer", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "incidents"), sorted(INCIDENTS.items()))
def test_an_example_is_applied_and_then_plans_empty(tmp_path: Path, name: str, incidents: int) -> None:
    folder = tmp_path / name
    shutil.copytree(EXAMPLES / name, folder, ignore=shutil.ignore_patterns(".importer"))
    valid = importer(folder, "validate")
    assert (valid.returncode, valid.stdout) == (0, f"{incidents} incidents, no errors, 0 warnings.\n")
    planned = importer(folder, "plan", "--sandbox", "--detailed-exitcode")
    assert planned.returncode == 2, planned.stderr
    assert f"Plan: {incidents} to create, 0 to update, 0 unchanged." in planned.stdout
    applied = importer(folder, "apply", "--sandbox", "--auto-approve")
    assert applied.returncode == 0, applied.stderr
    assert f"{incidents} created" in applied.stdout
    again = importer(folder, "plan", "--sandbox", "--detailed-exitcode")
    assert again.returncode == 0, again.stdout
    assert again.stdout.startswith("No changes.")


def test_every_example_folder_is_tested() -> None:
    assert {each.name for each in EXAMPLES.iterdir() if each.is_dir()} == set(INCIDENTS)


def test_the_mapping_of_an_example_is_short() -> None:
    mappings = [each.read_text(encoding="utf-8") for each in EXAMPLES.glob("*/*.mapping.yaml")]
    assert mappings
    assert all(len(each.splitlines()) <= LONGEST_MAPPING for each in mappings)
