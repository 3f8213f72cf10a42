"""No test hangs, and none depends on how the tests were started."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.processes import Process

ROOT = Path(__file__).parent.parent
SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
STARTED_WITHOUT_SIGNALS = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
os.execv(sys.executable, [sys.executable, "-m", "pytest", "-n", sys.argv[1], *sys.argv[2:]])
"""


@pytest.mark.parametrize("wanted", [signal.SIGINT, signal.SIGHUP, signal.SIGTERM])
@pytest.mark.parametrize("by", [SLEEP, ["bash", "-c", "echo up; exec sleep 600"]], ids=["python", "bash"])
def test_a_program_started_by_a_test_ends_on_a_signal(by: list[str], wanted: signal.Signals) -> None:
    with Process(by, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout and process.stdout.readline() == "up\n"
        process.send_signal(wanted)
        assert process.wait(10) == -wanted


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 1])
def test_the_tests_pass_when_started_with_signals_ignored(workers: int) -> None:
    wanted = f"{__file__}::{test_a_program_started_by_a_test_ends_on_a_signal.__name__}"
    command = [sys.executable, "-c", STARTED_WITHOUT_SIGNALS, str(workers), "-p", "no:cov", wanted]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_program_does_not_outlive_a_failing_block() -> None:
    began = time.monotonic()
    with pytest.raises(ZeroDivisionError), Process(SLEEP) as process:
        _ = 1 / 0
    assert process.returncode == -signal.SIGKILL
    assert time.monotonic() - began < 60
