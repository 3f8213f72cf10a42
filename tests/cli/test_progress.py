"""What a run tells while it goes on, seen without a terminal."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any

from importer.api.waiting import Pause, Wait
from importer.cli.console import Console
from importer.cli.interrupts import Interrupts
from importer.cli.options import OutputFormat, TextOrJson
from importer.cli.progress import ApplyOutput, Emit, EventStream, ProgressBar, ProgressLines, apply_output
from importer.model import Create, Failed, Incident, Location, Unknown

CHANGE = Create(Incident("K\x1b[2J", None, {}, Location("a.yaml", 3)), "key", {})
FAILED = Failed("K\x1b[2J", "invalid", "no :fire: [bold]such[/] thing \x1b[31m", "req", Location("a.yaml", 3))
UNKNOWN = Unknown("K", "lost", Location("a.yaml", 3))
WAIT = Wait(datetime(2026, 1, 1, tzinfo=UTC), 60, "rate limit", "requests")
BLINK = Wait(datetime(2026, 1, 1, tzinfo=UTC), 1, "rate limit", "requests")
PAUSE = Pause(300.0, "the server does not answer")


def console(*, is_live: bool = False) -> Console:
    return Console(io.StringIO(), io.StringIO(), 80, out_colour=False, err_colour=False, is_live=is_live)


def shown(known: Console) -> str:
    assert isinstance(known.err, io.StringIO)
    return known.err.getvalue()


def events_of(known: Console) -> list[dict[str, Any]]:
    assert isinstance(known.out, io.StringIO)
    return [json.loads(line) for line in known.out.getvalue().splitlines()]


def test_a_log_gets_a_line_every_ten_seconds_and_every_failure() -> None:
    moments = iter([0.0, 0.0, 4.0, 10.0, 11.0, 2000.0])
    known = console()
    lines = ProgressLines(known.info, lambda: next(moments))
    lines.begin(100)
    for outcome in (FAILED, UNKNOWN, UNKNOWN, UNKNOWN):
        lines.started(CHANGE)
        lines.ended(CHANGE, outcome)
    lines.end()
    written = shown(known).splitlines()
    assert len(written) == 3
    assert written[0].startswith("a.yaml:3: ")
    assert written[1] in (
        "2 of 100 done, 1 failed; about 490 s left",
        "2 of 100 done, 1 failed; about 8 min left",
    )
    assert written[2].endswith("left")
    assert "\x1b" not in shown(known)


def test_a_wait_is_told_only_where_a_person_would_notice_it() -> None:
    for known in (console(), console(is_live=True)):
        watcher = apply_output(known, OutputFormat.TEXT, None)
        watcher.waiting(BLINK)
        assert shown(known) == ""
        for _ in range(8):
            watcher.waiting(WAIT)
        assert shown(known).count("rate limit") == 1


def test_a_server_that_does_not_answer_is_a_pause_and_no_rate_limit() -> None:
    known, kept = console(), list[str]()
    watcher = apply_output(known, OutputFormat.TEXT, kept.append)
    for _ in range(2):  # it was back in between
        watcher.waiting(PAUSE)
    assert shown(known) == "the server does not answer: all requests are paused for at most 5 min\n" * 2
    assert [json.loads(each)["type"] for each in kept] == ["paused"] * 2


def test_the_bar_shows_a_failure_as_it_is_written() -> None:
    known = console()
    bar = ProgressBar(known)
    bar.begin(2)
    bar.started(CHANGE)
    bar.ended(CHANGE, FAILED)
    bar.ended(CHANGE, UNKNOWN)
    bar.end()
    assert "no :fire: [bold]such[/] thing" in shown(known)
    assert "\x1b[31m" not in shown(known)


def test_the_bar_can_begin_again_after_a_canary() -> None:
    bar = ProgressBar(console())
    for total in (1, 3):
        bar.begin(total)
        bar.ended(CHANGE, UNKNOWN)
        bar.end()


def test_programs_get_an_event_for_every_wait() -> None:
    known = console()
    events = EventStream(known.output, lambda: datetime(2026, 1, 1, tzinfo=UTC), lambda: 0.0)
    events.begin(1)
    events.started(CHANGE)
    events.waiting(BLINK)
    events.ended(CHANGE, FAILED)
    events.end()
    assert [each["type"] for each in events_of(known)] == ["apply_start", "rate_limited", "apply_errored"]
    assert shown(known) == ""


def reporters(known: Console, output_format: TextOrJson, keep: Emit | None) -> list[type]:
    return [type(each) for each in apply_output(known, output_format, keep).reporters]


def test_words_go_to_a_person_in_both_formats() -> None:
    for output_format in (OutputFormat.TEXT, OutputFormat.JSON):
        known = console()
        apply_output(known, output_format, None).info("a word")
        assert shown(known) == "a word\n"


def test_the_output_decides_who_reports() -> None:
    written: list[str] = []
    keep = written.append
    assert reporters(console(is_live=True), OutputFormat.JSON, keep) == [EventStream]
    assert reporters(console(is_live=True), OutputFormat.TEXT, keep) == [ProgressBar, EventStream]
    assert reporters(console(is_live=True), OutputFormat.TEXT, None) == [ProgressBar]
    assert reporters(console(), OutputFormat.TEXT, None) == [ProgressLines]
    output = apply_output(console(), OutputFormat.JSON, keep)
    assert output.emit
    output.emit("an event")
    assert written == ["an event"]


def test_a_signal_in_the_middle_of_a_write_still_stops_the_run() -> None:
    def reentrant(words: str) -> None:
        raise RuntimeError("reentrant call")

    interrupts = Interrupts(reentrant)
    interrupts.receive(2, None)
    assert interrupts.stop.is_set()
    assert interrupts.received


def test_a_program_hears_every_ten_seconds_how_far_the_run_is() -> None:
    moments = iter([0.0, 0.0, 5.0, 20.0])
    known = console()
    watcher = EventStream(known.output, lambda: datetime(2026, 1, 1, tzinfo=UTC), lambda: next(moments))
    watcher.begin(4)
    watcher.ended(CHANGE, FAILED)
    watcher.ended(CHANGE, FAILED)
    progress = [each for each in events_of(known) if each["type"] == "apply_progress"]
    assert [(each["done"], each["total"], each["seconds_left"]) for each in progress] == [(2, 4, 20)]


def test_events_that_cannot_be_written_stop_the_run_and_are_not_lost_on_others() -> None:
    kept: list[str] = []

    def full(_: str) -> None:
        raise OSError(28, "No space left on device")

    output = ApplyOutput(OutputFormat.JSON, kept.append, (full, kept.append))
    assert output.emit is not None
    output.emit("one\n")
    output.emit("two\n")
    assert kept == ["one\n", "two\n"]
    assert output.stop.is_set()
    assert output.failure is not None
    assert output.failure.strerror == "No space left on device"
