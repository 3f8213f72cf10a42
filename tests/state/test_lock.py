"""One writer at a time, whose name is known and whose crash is reported."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from importer.model.errors import ApiError, ExitCode, Refused
from importer.state.ledger import read_ledger
from importer.state.lock import locked_ledger
from tests.processes import Process

HOLDER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from importer.model import Unanswered
from importer.state.lock import locked_ledger
now = lambda: datetime(2026, 3, 1, 12, tzinfo=UTC)
with locked_ledger(Path(sys.argv[1]), timeout=0, now=now, tell=print) as ledger:
    ledger.sending("A", "create", Unanswered("i-A"), plan_hash="")
    print("held", flush=True)
    sys.stdin.readline()
"""


def now() -> datetime:
    return datetime(2026, 3, 1, 13, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "state.db"


@contextmanager
def held_elsewhere(path: Path) -> Iterator[subprocess.Popen[str]]:
    with Process(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout and process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def told_when_locked(path: Path, *, timeout: float = 0) -> list[str]:
    messages: list[str] = []
    with locked_ledger(path, timeout=timeout, now=now, tell=messages.append):
        pass
    return messages


def test_two_processes_cannot_hold_the_lock_and_the_second_is_told_who_does(path: Path) -> None:
    with held_elsewhere(path) as process:
        with pytest.raises(
            Refused, match=r"the state .* is locked by another run: .*@.* \(pid \d+\) since"
        ) as refusal:
            told_when_locked(path)
        assert str(process.pid) in refusal.value.summary
        assert "2026-03-01 12:00:00 UTC" in refusal.value.summary
        assert (refusal.value.code, refusal.value.exit_code) == ("locked", ExitCode.REFUSED)
        assert "--lock-timeout" in refusal.value.hint


def test_another_name_of_the_same_file_is_the_same_lock(path: Path) -> None:
    with locked_ledger(path, timeout=0, now=now, tell=print):
        pass
    other = path.parent.parent / "link.db"
    other.symlink_to(path)
    with (
        locked_ledger(path, timeout=0, now=now, tell=print),
        pytest.raises(Refused, match="locked by another run"),
    ):
        told_when_locked(other)


def test_a_holder_that_has_not_recorded_its_name_is_unknown(path: Path) -> None:
    from filelock import FileLock  # noqa: PLC0415

    path.parent.mkdir()
    with FileLock(f"{path}.lock"), pytest.raises(Refused, match="unknown"):
        told_when_locked(path)
    assert not path.exists()


def test_a_waiting_process_gets_the_lock_when_the_other_ends(path: Path) -> None:
    with held_elsewhere(path) as process:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
        assert told_when_locked(path, timeout=30) == []


def test_the_lock_of_a_killed_process_is_taken_over_with_a_message(path: Path) -> None:
    with held_elsewhere(path) as process:
        process.kill()
        process.wait()
        messages: list[str] = []
        with locked_ledger(path, timeout=10, now=now, tell=messages.append) as ledger:
            assert ledger.pending() == ("A",)
    (words,) = messages
    assert f"(pid {process.pid})" in words
    assert "did not finish" in words
    assert told_when_locked(path) == []


def test_a_run_that_ends_with_an_error_is_not_reported_as_unfinished(path: Path) -> None:
    refusal = ApiError(status=422, code="is_required", message="no")
    with pytest.raises(ApiError), locked_ledger(path, timeout=0, now=now, tell=print):
        raise refusal
    assert told_when_locked(path) == []


def test_a_holder_without_a_user_name_is_called_somebody(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("USER", "USERNAME", "LOGNAME"):
        monkeypatch.delenv(name, raising=False)
    with locked_ledger(path, timeout=0, now=now, tell=print):
        ledger = read_ledger(path, now=now)
        assert (ledger.meta("holder") or "").startswith("somebody@")
        ledger.close()


def test_an_unwritable_folder_is_a_readable_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Refused, match="cannot be used") as refusal:
        told_when_locked(tmp_path / "file" / "state.db")
    assert "--state FILE" in refusal.value.hint


def test_a_foreign_state_file_is_refused_and_the_lock_released(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("incidents: []\n" * 99)
    for _ in range(2):
        with pytest.raises(Refused, match="not a database"):
            told_when_locked(path)
