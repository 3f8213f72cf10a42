"""A folder with files and a state: commands run in it as processes and are killed; their output is kept."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.account import environment
from tests.chaos.declared import Declared, Repository

_LONGEST = 300.0
"""Seconds after which a command counts as hanging."""

_ADOPT_LINE = re.compile(r"importer adopt ([\w/-]+) (INC-\d+)")
_APPLY_EVENT = b'"type": "apply_'


@dataclass(frozen=True, slots=True)
class SignalAt:
    """When a command gets a signal: `seconds` after this many events about changes (None: after its start)."""

    signal: signal.Signals
    after_events: int | None
    seconds: float


@dataclass(frozen=True, slots=True)
class CommandResult:
    """The exit code of a command (negative if a signal ended it) and its output."""

    words: tuple[str, ...]
    code: int
    out: str
    err: str

    @property
    def is_killed(self) -> bool:
        return self.code == -signal.SIGKILL

    @property
    def began(self) -> bool:
        """Whether an apply began to make changes."""
        return _APPLY_EVENT.decode() in self.out

    def events(self) -> list[dict[str, Any]]:
        """Return the events of `apply --json`, as far as they were written whole."""
        if "--json" not in self.words or self.words[0] != "apply":
            return []
        return [json.loads(line) for line in self.out.splitlines(keepends=True) if line.endswith("}\n")]

    def adopt_lines(self) -> list[tuple[str, str]]:
        """Return the keys and references of the `importer adopt` commands that it printed."""
        found = _ADOPT_LINE.findall(self.out + self.err)
        return list(dict.fromkeys(found))

    def changes(self) -> list[dict[str, Any]]:
        """Return the changes of `plan --json`."""
        found: list[dict[str, Any]] = json.loads(self.out)["incident_changes"]
        return found


@dataclass(slots=True)
class Machine:
    """One folder with a clone of a repository. `copies` is the number of backups of earlier states."""

    folder: Path
    url: str
    repository: Repository
    copies: int = 0
    results: list[CommandResult] = field(default_factory=list)

    def declare(self, incidents: list[Declared], *, namespace: str, marker: bool) -> None:
        """Write the files and importer.yaml, with a marker field if the account has one."""
        self.folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"incidents": incidents}, ensure_ascii=False, indent=1)
        (self.folder / "incidents.json").write_text(text, encoding="utf-8")
        named = [f"namespace: {namespace}"] if namespace else []
        carried = ["marker_field: Legacy ID"] if marker else []
        identity = f"identity: {{{', '.join(named + carried)}}}" if named + carried else ""
        (self.folder / "importer.yaml").write_text(f"version: 1\nsources: [incidents.json]\n{identity}\n")

    def run(self, *words: str, end: SignalAt | None = None) -> CommandResult:
        """Run a command until it ends, sending it a signal if one is given."""
        scratch = self.folder / "tmp"
        scratch.mkdir(exist_ok=True)
        errors = self.folder / f"{len(self.results):03}-{threading.get_ident()}.err"
        with errors.open("wb") as err:
            process = subprocess.Popen(
                [sys.executable, "-m", "importer", *words],
                cwd=self.folder,
                env=environment(self.url, scratch),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=err,
                start_new_session=True,
            )
            out = _read(process, end)
        result = CommandResult(
            words, process.returncode, out, errors.read_text(encoding="utf-8", errors="replace")
        )
        errors.with_suffix(".out").write_text(f"{words} {result.code}\n{out}", encoding="utf-8")
        self.results.append(result)
        return result

    def lose_state(self) -> None:
        """Remove the state file and SQLite's files next to it."""
        for each in self._state():
            each.unlink()

    def keep_copy(self) -> None:
        """Back up the state while nothing runs."""
        copy = self._backup(self.copies)
        copy.mkdir(parents=True)
        self.copies += 1
        for each in self._state():
            shutil.copy(each, copy)

    def restore_copy(self, number: int) -> None:
        """Replace the state by a backup."""
        self.lose_state()
        for each in self._backup(number).iterdir():
            shutil.copy(each, self._home)

    @property
    def _home(self) -> Path:
        return self.folder / ".importer"

    def _backup(self, number: int) -> Path:
        return self.folder / "backups" / str(number)

    def _state(self) -> list[Path]:
        return [each for each in self._home.glob("state.db*") if each.suffix != ".lock"]


def _read(process: subprocess.Popen[bytes], end: SignalAt | None) -> str:
    """Return the output of a process and send it the signal at its time."""
    assert process.stdout is not None
    began, lines, events = time.monotonic(), [], 0
    timers = [threading.Timer(_LONGEST, process.kill)]
    if end and end.after_events is None:
        timers.append(threading.Timer(end.seconds, process.send_signal, [end.signal]))
    for timer in timers:
        timer.start()
    for line in process.stdout:
        lines.append(line)
        events += _APPLY_EVENT in line
        if end and events == end.after_events and _APPLY_EVENT in line:
            time.sleep(end.seconds)
            process.send_signal(end.signal)
    process.wait()
    process.stdout.close()
    for timer in timers:
        timer.cancel()
    assert time.monotonic() - began < _LONGEST, "a command did not end"
    return b"".join(lines).decode("utf-8", errors="replace")
