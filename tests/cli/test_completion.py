"""Shells complete commands, options and values: the script works in a real shell, whatever else is installed."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from importer.cli.main import cli
from importer.formats import schemas
from importer.mapping.mapping_file import preset_names
from tests.cli.conftest import Folder

COMMANDS = cli.list_commands(None)  # type: ignore[arg-type]
SHELLS = ["bash", "zsh", "fish"]


@pytest.fixture
def program(folder: Folder) -> Folder:
    """A folder whose `PATH` begins with the program, and that has a file to complete."""
    shim = folder.write("bin/importer", f'#!/bin/sh\nexec "{sys.executable}" -m importer "$@"\n')
    shim.chmod(0o755)
    folder.environment |= {"PATH": f"{shim.parent}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder.path)}
    folder.write("only-plan.json", {})
    return folder


def in_shell(program: Folder, *command: str) -> str:
    """Return what a shell prints. It must not complain."""
    done = subprocess.run(
        command, cwd=program.path, env=program.clean(), capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr == ""
    return done.stdout


def completed(program: Folder, line: str) -> list[str]:
    """Return what bash offers for the end of a line."""
    words = line.split(" ")
    script = f"""
source <(importer completion bash)
COMP_WORDS=({" ".join(f"'{each}'" for each in words)}); COMP_CWORD={len(words) - 1}
_importer_completion importer
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    return in_shell(program, "bash", "--norc", "-c", script).split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("importer ", COMMANDS),
        ("importer s", ["show", "state", "sandbox", "schema"]),
        ("importer --v", ["--version"]),
        ("importer plan --det", ["--detailed-exitcode"]),
        ("importer check --format ", ["text", "json"]),
        ("importer plan --format m", ["markdown"]),
        ("importer state ", ["export", "forget", "import", "list", "show"]),
        ("importer schema ", list(schemas.names())),
        ("importer schema incident --acc", ["--account"]),
        ("importer convert x.csv --preset ", list(preset_names())),
        ("importer convert --preset pager", ["pagerduty", "pagerduty-analytics"]),
        ("importer completion ", SHELLS),
    ],
)
def test_bash_completes(program: Folder, line: str, offered: list[str]) -> None:
    found = completed(program, line)
    assert sorted(found) == sorted(offered)


@pytest.fixture
def terminal(program: Folder) -> Iterator[int]:
    """A terminal with bash at its prompt."""
    child, screen = pty.fork()
    if child == 0:
        os.chdir(program.path)
        environment = program.clean() | {"TERM": "dumb", "PS1": "ready> "}
        os.execvpe("bash", ["bash", "--norc", "--noprofile", "-i"], environment)
    yield screen
    os.close(screen)
    os.waitpid(child, 0)


def wait_for(screen: int, text: str) -> str:
    """Return what the terminal shows up to a text. Fails where it does not come."""
    shown, end = "", time.monotonic() + 30
    while text not in shown:
        ready, _, _ = select.select([screen], [], [], max(0.0, end - time.monotonic()))
        assert ready, shown
        shown += os.read(screen, 4096).decode(errors="replace")
    return shown


@pytest.mark.parametrize("typed", ["importer show only", "importer plan --config only", "importer apply on"])
def test_bash_completes_files_where_a_file_belongs(terminal: int, typed: str) -> None:
    wait_for(terminal, "ready> ")
    os.write(terminal, b"source <(importer completion bash); echo sour''ced\n")
    wait_for(terminal, "sourced\r\nready> ")
    os.write(terminal, f"{typed}\t".encode())
    wait_for(terminal, "only-plan.json ")
    os.write(terminal, b"\x15exit\n")


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed")
def test_fish_completes_and_tells_what_a_command_does(program: Folder) -> None:
    offered = in_shell(
        program, "fish", "-N", "-c", "importer completion fish | source; complete -C 'importer pl'"
    )
    assert offered == "plan\tShow what apply would do. Never writes.\n"


@pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed")
def test_zsh_reads_the_script(program: Folder) -> None:
    program.write("_importer", program.run("completion", "zsh").out)
    assert in_shell(program, "zsh", "-f", "-n", "_importer") == ""


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_all_that_is_printed_and_needs_no_shell(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, shell: str
) -> None:
    monkeypatch.setenv("PATH", str(folder.path / "nowhere"))
    result = folder.run("completion", shell)
    assert (result.code, result.err) == (0, "")
    assert f"_IMPORTER_COMPLETE={shell}_complete" in result.out
    assert list(folder.path.iterdir()) == []


def test_an_old_bash_changes_nothing(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    old = folder.write("bin/bash", "#!/bin/sh\necho 3.2.57\n")
    old.chmod(0o755)
    expected = folder.run("completion", "bash").out
    monkeypatch.setenv("PATH", f"{old.parent}{os.pathsep}{os.environ['PATH']}")
    result = folder.run("completion", "bash")
    assert (result.code, result.out, result.err) == (0, expected, "")


@pytest.mark.parametrize("words", [[], ["tcsh"]])
def test_a_shell_that_is_none_is_told_which_there_are(folder: Folder, words: list[str]) -> None:
    result = folder.run("completion", *words)
    assert (result.code, result.out) == (1, "")
    assert all(shell in result.err for shell in SHELLS)
    assert "\\t" not in result.err


def test_commands_are_completed_without_loading_them() -> None:
    program = """
import os, sys
from importer.cli.main import run
os.environ |= {"_IMPORTER_COMPLETE": "bash_complete", "COMP_WORDS": "importer ", "COMP_CWORD": "1"}
try:
    run([])
except SystemExit as done:
    print("code", done.code)
print("loaded:", *sorted(name for name in sys.modules if name.startswith("importer.cli.")))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        env={},
        capture_output=True,
        text=True,
        check=True,
    )
    *offered, code, loaded = done.stdout.splitlines()
    assert offered == [f"plain,{each}" for each in COMMANDS]
    assert code == "code 0"
    assert not {f"importer.cli.{each}" for each in COMMANDS} & set(loaded.split())
