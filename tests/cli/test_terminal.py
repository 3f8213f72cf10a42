"""At a real terminal: the question, the canary, the bar, and Ctrl-C."""

from __future__ import annotations

import os
import pty
import select
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from importer.sandbox import Fault, FaultKind, Faults
from tests.cli.conftest import Account, Folder, Result, declared

SLOW = Faults((Fault(FaultKind.LATENCY, on="POST /v2/incidents", seconds=0.4),))


class Terminal:
    """A command at a terminal, and what it showed so far."""

    def __init__(self, process: subprocess.Popen[bytes], master: int) -> None:
        self.process = process
        self.shown = ""
        self._master = master

    def until(self, words: str) -> None:
        """Wait until something is shown."""
        end = time.monotonic() + 30
        while words not in self.shown:
            assert time.monotonic() < end, self.shown
            assert self._read(), self.shown

    def answer(self, words: str) -> None:
        os.write(self._master, words.encode())

    def end(self) -> int:
        """Return how the command ended, when it did."""
        while self._read():
            pass
        assert "Traceback" not in self.shown
        return self.process.wait(timeout=30)

    def _read(self) -> bool:
        try:
            ready, _, _ = select.select([self._master], [], [], 30)
            piece = os.read(self._master, 65536) if ready else b""
        except OSError:  # Linux says so when the other end is closed
            return False
        self.shown += piece.decode(errors="replace")
        return bool(piece)


@contextmanager
def terminal(folder: Folder, *words: str, **environment: str) -> Iterator[Terminal]:
    master, slave = pty.openpty()
    streams = {"stdin": slave, "stdout": slave, "stderr": slave}
    known = {"TERM": "xterm-256color"} | environment
    with folder.start(*words, environment=known, **streams) as process:
        os.close(slave)
        try:
            yield Terminal(process, master)
        finally:
            process.kill()
            os.close(master)


def interrupted(process: subprocess.Popen[bytes], account: Account, *, after: int) -> Result:
    """Press Ctrl-C when so many incidents are there, and wait for the end."""
    while len(account.creations()) < after:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert b"Traceback" not in err
    return Result(process.returncode, out.decode(), err.decode())


@pytest.mark.parametrize("answer", ["y\n", "YES\n", "yes please\n", "\n", "\x04", "\xff\n"])
def test_anything_but_yes_cancels(folder: Folder, account: Account, answer: str) -> None:
    folder.declare(declared("A"))
    with terminal(folder, "apply") as shown:
        shown.until("Answer: ")
        shown.answer(answer)
        assert shown.end() == 1
    assert "Apply cancelled" in shown.shown
    assert account.incidents() == []


def test_yes_applies(folder: Folder, account: Account) -> None:
    folder.declare(declared("A"))
    with terminal(folder, "apply") as shown:
        shown.until("Answer: ")
        shown.answer("yes\n")
        assert shown.end() == 0
    assert "1 created" in shown.shown
    with terminal(folder, "apply") as again:
        assert again.end() == 0
    assert "Answer" not in again.shown
    assert len(account.incidents()) == 1


def test_ctrl_c_at_the_question_cancels_with_130(folder: Folder, account: Account) -> None:
    folder.declare(declared("A"))
    with terminal(folder, "apply") as shown:
        shown.until("Answer: ")
        shown.process.send_signal(signal.SIGINT)
        assert shown.end() == 130
    assert "nothing was written" in shown.shown
    assert account.incidents() == []


@pytest.mark.parametrize(("answer", "code", "made"), [("yes\n", 0, 3), ("no\n", 3, 1)])
def test_the_canary_is_one_incident_and_a_question(
    folder: Folder, account: Account, answer: str, code: int, made: int
) -> None:
    folder.declare(declared("A", name="Evil \x1b[31m name"), declared("B"), declared("C"))
    with terminal(folder, "apply", "--auto-approve", "--canary", NO_COLOR="1") as shown:
        shown.until("Answer: ")
        assert len(account.incidents()) == 1
        assert account.incidents()[0]["permalink"] in shown.shown
        shown.answer(answer)
        assert shown.end() == code
    assert "\x1b[31m" not in shown.shown
    assert len(account.incidents()) == made


def test_a_canary_of_a_saved_plan_leaves_the_rest_to_the_same_command(
    folder: Folder, account: Account
) -> None:
    folder.declare(*(declared(key) for key in "ABC"))
    folder.run("plan", "--out", "plan.json")
    with terminal(folder, "apply", "plan.json", "--canary") as shown:
        shown.until("Answer: ")
        shown.process.send_signal(signal.SIGINT)
        assert shown.end() == 130
    assert "not attempted" in shown.shown
    with terminal(folder, "apply", "plan.json", "--canary") as shown:
        shown.until("Answer: ")
        assert len(account.incidents()) == 2
        shown.answer("yes\n")
        assert shown.end() == 0
    assert folder.run("apply", "plan.json").code == 4
    assert sorted(account.creations().values()) == [1, 1, 1]


@pytest.mark.slow
def test_ctrl_c_while_the_canary_is_made_is_the_answer(folder: Folder, account: Account) -> None:
    account.sandbox.faults = Faults((Fault(FaultKind.LATENCY, on="POST /v2/incidents", seconds=2),))
    folder.declare(declared("A"), declared("B"))
    with terminal(folder, "apply", "--auto-approve", "--canary") as shown:
        shown.until("0/1")
        time.sleep(0.3)
        shown.process.send_signal(signal.SIGINT)
        assert shown.end() == 130
    assert "Answer: " not in shown.shown
    assert "1 not attempted" in shown.shown
    assert len(account.incidents()) == 1


def test_a_canary_that_is_refused_ends_the_run(folder: Folder, account: Account) -> None:
    folder.declare(declared("A"), declared("B"))
    refusal = Fault(FaultKind.ERROR_BEFORE, on="POST /v2/incidents", status=422)
    account.sandbox.faults = Faults((refusal,))
    with terminal(folder, "apply", "--auto-approve", "--canary") as shown:
        assert shown.end() == 3
    assert "1 not attempted" in shown.shown
    assert account.incidents() == []


def test_a_canary_that_cannot_be_read_back_was_created_all_the_same(folder: Folder, account: Account) -> None:
    folder.declare(declared("A"), declared("B"))
    refusal = Fault(FaultKind.ERROR_BEFORE, on="GET /v2/incidents/{id}", status=403)
    account.sandbox.faults = Faults((refusal,))
    with terminal(folder, "apply", "--auto-approve", "--canary") as shown:
        shown.until("Answer: ")
        shown.answer("no\n")
        assert shown.end() == 3
    assert "1 created, 0 updated, 0 unchanged, 1 not attempted" in shown.shown


def test_a_canary_that_ends_the_run_is_not_followed_by_a_question(folder: Folder, account: Account) -> None:
    folder.declare(declared("A", follow_ups=[{"title": "Add an alert"}]), declared("B"))
    refusal = Fault(FaultKind.ERROR_BEFORE, on="POST /v3/follow_ups", status=401)
    account.sandbox.faults = Faults((refusal,))
    with terminal(folder, "apply", "--auto-approve", "--canary") as shown:
        assert shown.end() == 3
    assert "Answer: " not in shown.shown
    assert "1 created, 0 updated, 0 unchanged, 1 not attempted, 1 incomplete" in shown.shown


@pytest.mark.slow
def test_the_bar_counts_and_estimates_and_gives_the_cursor_back(folder: Folder, account: Account) -> None:
    account.sandbox.faults = SLOW
    folder.declare(*(declared(f"K{number}") for number in range(12)))
    with terminal(folder, "apply", "--auto-approve", "--parallelism", "4") as shown:
        assert shown.end() == 0
    assert " 0/12" in shown.shown
    assert "0:00:0" in shown.shown
    assert shown.shown.rindex("\x1b[?25h") > shown.shown.rindex("\x1b[?25l")


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"CI": "true"}])
def test_there_is_no_bar_where_it_cannot_be_drawn(
    folder: Folder, account: Account, environment: dict[str, str]
) -> None:
    folder.declare(declared("A"))
    with terminal(folder, "apply", "--auto-approve", "--no-color", **environment) as shown:
        assert shown.end() == 0
    assert "\x1b" not in shown.shown


@pytest.mark.slow
def test_ctrl_c_ends_what_is_in_flight_and_the_same_command_does_the_rest(
    folder: Folder, account: Account
) -> None:
    account.sandbox.faults = SLOW
    folder.declare(*(declared(f"K{number:02}") for number in range(30)))
    words = ("apply", "--auto-approve", "--parallelism", "2", "--json")
    with folder.start(*words) as process:
        result = interrupted(process, account, after=4)
    assert result.code == 130
    assert "Interrupted" in result.err
    assert result.summary()["next_command"] == "importer " + " ".join(words)
    assert result.summary()["not_attempted"] > 10
    account.sandbox.faults = Faults()
    again = folder.run(*words)
    assert again.code == 0, again.err
    assert len(account.creations()) == 30
    assert set(account.creations().values()) == {1}


def test_a_second_ctrl_c_stops_at_once_and_nothing_is_doubled(folder: Folder, account: Account) -> None:
    account.sandbox.faults = Faults((Fault(FaultKind.LATENCY, on="POST /v2/incidents", seconds=3),))
    folder.declare(*(declared(f"K{number}") for number in range(4)))
    with terminal(folder, "apply", "--auto-approve") as shown:
        shown.until("0/4")
        time.sleep(0.3)
        began = time.monotonic()
        shown.process.send_signal(signal.SIGINT)
        shown.until("Interrupted")
        shown.process.send_signal(signal.SIGINT)
        assert shown.end() == 130
        assert time.monotonic() - began < 2
    assert shown.shown.endswith("\x1b[?25h")
    account.sandbox.faults = Faults()
    assert folder.run("apply", "--auto-approve").code == 0
    assert set(account.creations().values()) == {1}
    assert len(account.creations()) == 4


def _is_connected(pid: int) -> bool:
    """Whether a process holds a socket: it has asked the account, and waits for its slow answer."""
    with suppress(OSError):  # a file that is closed while it is looked at
        return any(str(each.readlink()).startswith("socket:") for each in Path(f"/proc/{pid}/fd").iterdir())
    return False


def test_ctrl_c_while_planning_is_130(folder: Folder, account: Account) -> None:
    account.sandbox.faults = Faults((Fault(FaultKind.LATENCY, seconds=5),))
    folder.declare(declared("A"))
    with folder.start("plan", "--json") as process:
        while not _is_connected(process.pid):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"Traceback" not in err
    assert b'"interrupted"' in out


def test_another_run_that_holds_the_state_is_named(folder: Folder, account: Account) -> None:
    account.sandbox.faults = SLOW
    folder.declare(*(declared(f"K{number}") for number in range(30)))
    with folder.start("apply", "--auto-approve", "--parallelism", "1") as process:
        while not account.creations():
            assert process.poll() is None
        held = folder.run("apply", "--auto-approve", "--json")
        assert held.code == 4
        assert f"(pid {process.pid})" in held.err
        assert "since 20" in " ".join(held.err.split())
        assert folder.run("state", "forget", "K1").code == 4
        account.sandbox.faults = Faults()
        assert folder.run("apply", "--auto-approve", "--lock-timeout", "30").code == 0
        assert process.wait(timeout=30) == 0
    assert set(account.creations().values()) == {1}


def test_a_served_sandbox_says_how_to_reach_it_and_ends_with_ctrl_c(folder: Folder) -> None:
    with folder.start("sandbox", "--port", "0", "--data", "account.db", "--fault", "latency=1%") as process:
        assert process.stdout
        first, second = process.stdout.readline().decode(), process.stdout.readline().decode()
        assert first.startswith("export INCIDENT_ENDPOINT=http://127.0.0.1:")
        assert second == "export INCIDENT_API_KEY=sandbox-key\n"
        folder.environment |= dict(
            line.removeprefix("export ").strip().split("=", 1) for line in (first, second)
        )
        folder.declare(declared("A"))
        assert folder.call("apply", "--auto-approve").code == 0
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Stopped." in err.decode()


def test_a_served_sandbox_ends_at_once_with_sigterm_whatever_its_clients_do(folder: Folder) -> None:
    request = b"GET /v1/identity HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sandbox-key\r\n"
    with folder.start("sandbox", "--port", "0") as process, ExitStack() as open_connections:
        assert process.stdout
        url = process.stdout.readline().decode().strip().partition("=")[2]
        address = ("127.0.0.1", int(url.rpartition(":")[2]))
        idle, *stalled = (
            open_connections.enter_context(socket.create_connection(address)) for _ in range(21)
        )
        idle.sendall(request + b"\r\n")
        assert idle.recv(15) == b"HTTP/1.1 200 OK"
        for each in stalled:
            each.sendall(request)
        folder.environment |= {"INCIDENT_ENDPOINT": url, "INCIDENT_API_KEY": "sandbox-key"}
        folder.declare(declared("A"))
        with folder.start("plan") as client:
            with suppress(subprocess.TimeoutExpired):
                client.wait(1)
            process.terminate()
            assert process.wait(timeout=5) == -signal.SIGTERM
            client.kill()


@pytest.mark.parametrize(
    "words",
    [
        ["--fault", "nonsense"],
        ["--fault", "drop_after=x%"],
        ["--fault", "drop_after=500%"],
        ["--fault", "drop_after@NOPE"],
        ["--fault", "drop_after:500"],
        ["--missing", "/v9/incidents"],
        ["--data", "."],
        ["--data", "absent/account.db"],
        ["--host", "192.0.2.1"],
    ],
)
def test_a_sandbox_that_cannot_be_served_says_why(folder: Folder, words: list[str]) -> None:
    result = folder.call("sandbox", "--port", "0", *words)
    assert result.code == 1
    assert result.err.startswith("Error: ")
    assert "hint:" in result.err
    assert not (folder.path / "absent").exists()
