"""action.yml and inputs -> its steps, run as a GitHub Actions runner would.

The scripts are the action's own, and so are the conditions, outputs and environments that connect them.
Third-party actions are simulated: cache and artifacts are folders, and the program is the one installed here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml

from tests.ci.code_host import REPOSITORY, TOKEN, CodeHost

ROOT = Path(__file__).parents[2]
ACTION = yaml.load((ROOT / "action.yml").read_text("utf-8"), yaml.BaseLoader)
PROGRAM = Path(sys.executable).parent / "importer"
_LOOKUP = re.compile(r"\b(inputs|steps|github|runner)((?:\.[\w-]+)+)")
_STATUS = re.compile(r"\b(always|cancelled|success|failure)\(")

Json = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """How a job ended: `code` is the exit code of the first step that failed."""

    code: int
    log: str
    summary: str
    outputs: dict[str, dict[str, str]]
    steps: tuple[str, ...]


@dataclass
class Runner:
    """A runner that starts each job in a new folder. `cache` holds cached folders by key."""

    host: CodeHost
    folder: Path
    environment: dict[str, str]
    runs: int = 0
    cache: dict[str, Path] = field(default_factory=dict)

    def run(self, checkout: Path, event: str, payload: Json, **inputs: str) -> Job:
        """Run the action once, on a checkout, for an event."""
        self.runs += 1
        job = _Job(self, checkout, self.folder / f"run-{self.runs}", inputs)
        job.prepare(event, payload)
        for step in ACTION["runs"]["steps"]:
            job.take(step)
        return job.end()

    def artifact(self, name: str, run: int) -> Path:
        return self.folder / f"run-{run}" / "artifacts" / name


class _Job:
    def __init__(self, runner: Runner, checkout: Path, folder: Path, inputs: dict[str, str]) -> None:
        self.runner, self.checkout, self.folder = runner, checkout, folder
        defaults = {name: each.get("default", "") for name, each in ACTION["inputs"].items()}
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        assert given.keys() <= defaults.keys()
        self.inputs: dict[str, str] = defaults | given
        self.steps: dict[str, SimpleNamespace] = {}
        self.taken: list[str] = []
        self.log, self.code = "", 0

    def prepare(self, event: str, payload: Json) -> None:
        (self.folder / "temp").mkdir(parents=True)
        (self.folder / "event.json").write_text(json.dumps(payload), encoding="utf-8")
        commit = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=self.checkout, text=True).strip()
        self.variables = {
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_ACTOR": payload.get("sender", "lisa"),
            "GITHUB_API_URL": self.runner.host.url,
            "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": str(self.folder / "event.json"),
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_RUN_ID": str(self.runner.runs),
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_SHA": commit,
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
            "RUNNER_TEMP": str(self.folder / "temp"),
        }

    def take(self, step: Json) -> None:
        """Run a step if its condition holds, and record its outputs for later steps."""
        name: str = step.get("id") or step["name"]
        self.steps[name] = SimpleNamespace(outputs={}, outcome="skipped")
        condition = step.get("if", "success()")
        if not _STATUS.search(condition):
            condition = f"success() && ({_bare(condition)})"
        if not self.value(condition):
            return
        self.taken.append(name)
        code = self.play(step, name) if "uses" in step or name == "install" else self.call(step, name)
        self.steps[name].outcome = "failure" if code else "success"
        self.code = self.code or code

    def call(self, step: Json, name: str) -> int:
        assert step["shell"] == "bash"
        assert "${{" not in step["run"], "no expression may be expanded inside a script"
        output = self.folder / f"output-{len(self.taken)}"
        output.touch()
        environment = {each: self.text(value) for each, value in step.get("env", {}).items()}
        environment = self.runner.environment | self.variables | {"GITHUB_OUTPUT": str(output)} | environment
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.checkout / self.text(step.get("working-directory", ".")),
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        self.log += done.stdout + done.stderr
        lines = output.read_text("utf-8").splitlines()
        self.steps[name].outputs = dict(line.split("=", 1) for line in lines)
        return done.returncode

    def play(self, step: Json, name: str) -> int:
        """Simulate a third-party action or the installation."""
        inputs = {each: self.text(value) for each, value in step.get("with", {}).items()}
        runner, run = self.runner, self.runner.runs
        match step.get("uses", name).partition("@")[0]:
            case "install":
                self.steps[name].outputs = {"importer": str(PROGRAM)}
            case "actions/setup-python":
                self.steps[name].outputs = {"python-path": sys.executable}
            case "actions/cache/restore":
                fitting = [each for each in runner.cache if each.startswith(inputs["restore-keys"])]
                if fitting:
                    shutil.copytree(runner.cache[fitting[-1]], self.checkout / inputs["path"])
            case "actions/cache/save":
                assert inputs["key"] not in runner.cache
                if (self.checkout / inputs["path"]).exists():  # the action only warns
                    runner.cache[inputs["key"]] = self.folder / "cache"
                    shutil.copytree(self.checkout / inputs["path"], self.folder / "cache")
            case "actions/upload-artifact":
                kept = runner.artifact(inputs["name"], run)
                kept.mkdir(parents=True)
                shutil.copy(inputs["path"], kept)
                runner.host.keep(inputs["name"], head=self.steps["plan"].outputs["head"], run=run)
            case "actions/download-artifact":
                assert inputs["github-token"] == TOKEN
                shutil.copytree(runner.artifact(inputs["name"], int(inputs["run-id"])), inputs["path"])
            case other:
                raise AssertionError(other)
        return 0

    def end(self) -> Job:
        summary = self.folder / "summary"
        text = summary.read_text("utf-8") if summary.exists() else ""
        outputs = {name: step.outputs for name, step in self.steps.items()}
        return Job(self.code, self.log, text, outputs, tuple(self.taken))

    # -- expressions --------------------------------------------------------------------------------------

    def text(self, template: str) -> str:
        return re.sub(r"\$\{\{(.*?)\}\}", lambda found: str(self.value(found[1])), template)

    def value(self, expression: str) -> Any:
        """Return the value of a workflow expression, as far as action.yml uses the language."""
        code = _LOOKUP.sub(
            lambda found: repr(self.found(found[1], found[2][1:].split("."))), _bare(expression)
        )
        code = re.sub(r"!(?!=)", " not ", code.replace("&&", " and ").replace("||", " or "))
        status = {"always": lambda: True, "cancelled": lambda: False, "success": lambda: not self.code}
        return eval(code.strip(), {"__builtins__": {}}, status)

    def found(self, context: str, path: list[str]) -> str:
        match context, path:
            case "inputs", [name]:
                return self.inputs[name]
            case "steps", [step, "outputs", name]:
                value: str = self.steps[step].outputs.get(name, "")
                return value
            case "steps", [step, "outcome"]:
                outcome: str = self.steps[step].outcome
                return outcome
            case _:
                known = {
                    "github.token": TOKEN,
                    "github.run_id": str(self.runner.runs),
                    "github.run_attempt": "1",
                    "runner.temp": str(self.folder / "temp"),
                }
                return known[".".join([context, *path])]


def _bare(expression: str) -> str:
    return expression.strip().removeprefix("${{").removesuffix("}}").strip()


def clean_environment(endpoint: str) -> dict[str, str]:
    """Return a runner's own environment."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return kept | {"CI": "true", "INCIDENT_ENDPOINT": endpoint}
