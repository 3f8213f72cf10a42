"""Any exception -> words for a person, JSON where that was asked for, and an exit code."""

from __future__ import annotations

import os
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise
from tempfile import NamedTemporaryFile

import click

from importer.cli.console import Console, open_console
from importer.model import Diagnostic, Severity
from importer.model.errors import ExitCode, ImporterError, InvalidInput


def report(error: BaseException, words: list[str]) -> int:
    """Say what went wrong, on stderr, and on stdout as JSON where that is the output mode."""
    console = open_console(plain="--no-color" in words)
    diagnostics, code = _in_words(error)
    console.report(diagnostics)
    if isinstance(error, click.UsageError) and error.ctx:
        console.info(f"Try: {error.ctx.command_path} --help")
    if wants_json(words):
        with suppress(OSError):  # stdout may be what went wrong
            _write_json(console, diagnostics, words)
    return code


def wants_json(words: list[str]) -> bool:
    """Whether the command line asks for JSON; known even where the rest of it cannot be understood."""
    return any(
        word in ("--json", "--format=json") or (word == "--format" and value == "json")
        for word, value in pairwise([*words, ""])
    )


def _in_words(error: BaseException) -> tuple[tuple[Diagnostic, ...], int]:
    match error:
        case InvalidInput(diagnostics=diagnostics):
            return diagnostics, ExitCode.ERROR
        case ImporterError():
            return (_error(error.code, error.summary, error.hint),), error.exit_code
        case click.exceptions.Abort() | KeyboardInterrupt():
            return (_error("interrupted", "interrupted", ""),), ExitCode.INTERRUPTED
        case click.ClickException():
            return (_error("usage", error.format_message().expandtabs(2), ""),), ExitCode.ERROR
        case OSError(strerror=str() as words):
            return (_error("file", f"{error.filename or 'the output'}: {words}", ""),), ExitCode.ERROR
        case _:
            return (_bug(error),), ExitCode.ERROR


def _bug(error: BaseException) -> Diagnostic:
    """Keep what a developer needs in a file: a terminal shows it to nobody who can use it."""
    trace = "".join(traceback.format_exception(error))
    key = os.environ.get("INCIDENT_API_KEY")
    what = f"internal error (a bug in importer): {type(error).__name__}"
    hint = "it is safe to run the same command again"
    with (
        suppress(OSError),
        NamedTemporaryFile(
            "w", prefix="importer-bug-", suffix=".txt", encoding="utf-8", errors="replace", delete=False
        ) as file,
    ):
        file.write(trace.replace(key, "(hidden)") if key else trace)
        hint = f"please report it with the file {file.name}; {hint}"
    return _error("bug", what, hint)


def _error(code: str, summary: str, hint: str) -> Diagnostic:
    return Diagnostic(Severity.ERROR, code, summary, hint=hint)


def _write_json(console: Console, diagnostics: tuple[Diagnostic, ...], words: list[str]) -> None:
    from importer.cli.rendering import diagnostics_json  # noqa: PLC0415 - only where something went wrong
    from importer.renderers import events  # noqa: PLC0415

    if words[:1] == ["apply"]:
        console.output("".join(events.diagnostic(each, at=datetime.now(UTC)) for each in diagnostics))
    else:
        console.document({**diagnostics_json(diagnostics), "errored": True}, ensure_ascii=True)
