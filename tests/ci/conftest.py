"""A repository on GitHub with the workflow of examples/gitops, and a served sandbox as its account."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.ci.code_host import REPOSITORY, CodeHost, served
from tests.ci.runner import ROOT, Job, Runner, clean_environment
from tests.cli.conftest import KEY, Account, staged

READ_KEY = "sandbox-read-only"
"""A viewer's key. It cannot see private incidents, so the incidents of a test are public."""


@dataclass
class Project:
    """The repository, its pull requests and its runs. Each job starts with a fresh checkout."""

    folder: Path
    host: CodeHost
    runner: Runner
    account: Account

    def git(self, *words: str) -> str:
        identity = [
            "-c",
            "user.name=Lisa",
            "-c",
            "user.email=lisa@example.com",
            "-c",
            "core.hooksPath=/dev/null",
        ]
        return subprocess.check_output(["git", *identity, *words], cwd=self.folder, text=True).strip()

    def propose(self, number: int, files: dict[str, str]) -> str:
        """Push a commit to a new or existing pull request and return it."""
        branch = f"pull-{number}"
        exists = self.git("branch", "--list", branch)
        self.git("checkout", "-q", *([branch] if exists else ["-b", branch, "main"]))
        for name, text in files.items():
            (self.folder / name).parent.mkdir(exist_ok=True)
            (self.folder / name).write_text(text, encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "-q", "-m", f"Change {number}")
        return self.git("rev-parse", "HEAD")

    def planned(self, number: int, *, fork: bool = False, key: str = READ_KEY, **inputs: str) -> Job:
        """Run the job of a pull request."""
        head = self.git("rev-parse", f"pull-{number}")
        origin = "stranger/incidents" if fork else REPOSITORY
        pull = {"number": number, "head": {"sha": head, "repo": {"full_name": origin}}}
        checkout = self.checkout(f"pull-{number}")
        event = {"pull_request": pull}
        return self.runner.run(checkout, "pull_request", event, mode="plan", api_key=key, **inputs)

    def merge(self, number: int) -> str:
        head = self.git("rev-parse", f"pull-{number}")
        self.git("checkout", "-q", "main")
        self.git("merge", "-q", "--no-ff", "--no-edit", f"pull-{number}")
        commit = self.git("rev-parse", "HEAD")
        self.host.merge(number, head=head, commit=commit)
        return commit

    def applied(self, **inputs: str) -> Job:
        """Run the job of a push to main."""
        return self.runner.run(self.checkout("main"), "push", {}, mode="apply", api_key=KEY, **inputs)

    def night(self) -> Job:
        return self.runner.run(
            self.checkout("main"), "schedule", {}, mode="drift", api_key=READ_KEY, issue="true"
        )

    def checkout(self, name: str) -> Path:
        target = self.folder.parent / f"checkout-{self.runner.runs + 1}"
        subprocess.run(["git", "clone", "-q", "--branch", name, str(self.folder), str(target)], check=True)
        return target

    def comments(self, number: int) -> list[str]:
        return [each["body"] for each in self.host.comments.get(number, [])]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    missing = [each for each in ("curl", "git", "jq") if not shutil.which(each)]
    if missing:
        pytest.skip(f"the scripts need what this machine lacks: apt-get install {' '.join(missing)}")
    folder = tmp_path / "repository"
    shutil.copytree(
        ROOT / "examples" / "gitops", folder, ignore=shutil.ignore_patterns(".importer", "incidents")
    )
    (folder / "incidents").mkdir()
    with staged() as stage, stage.account() as account, served() as host:
        runner = Runner(host, tmp_path / "runs", clean_environment(account.url))
        made = Project(folder, host, runner, account)
        made.git("init", "-q", "--initial-branch", "main")
        made.git("add", "--all")
        made.git("commit", "-q", "-m", "Begin")
        yield made


def declared(key: str, *, severity: str = "Major", summary: str = "As the file says.") -> str:
    """Return a file that declares one incident."""
    moments = "{Impact started at: 2024-02-11T08:42:00Z}"
    return f"- key: {key}\n  name: Incident {key}\n  severity: {severity}\n  summary: {summary}\n  timestamps: {moments}\n"
