"""Any exception -> a message, JSON if the command line asks for it, and an exit code."""

from __future__ import annotations

import os
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise
from tempfile import NamedTemporaryFile

import click

from importer.cli.console import Console, open_console
from importer.cli.invocation import Invocation
from importer.model import Diagnostic, Severity
from importer.model.errors import ExitCode, ImporterError, InvalidInput, Refused


def report(error: BaseException, invocation: Invocation) -> int:
    """Report an error on stderr, and in JSON mode on stdout too. Return the exit code."""
    arguments = invocation.arguments
    console = open_console(plain="--no-color" in arguments)
    diagnostics, code = _diagnose(error)
    console.report(diagnostics)
    if isinstance(error, click.UsageError) and error.ctx:
        console.info(f"Try: {error.ctx.command_path} --help")
    if wants_json(arguments):
        with suppress(OSError):  # stdout may be what failed
            _write_json(console, diagnostics, arguments)
    return invocation.exit_code(code)


def wants_json(arguments: list[str]) -> bool:
    """Return whether the command line asks for JSON, even if the rest of it is invalid."""
    return any(
        name in ("--json", "--format=json") or (name == "--format" and value == "json")
        for name, value in pairwise([*arguments, ""])
    )


def _diagnose(error: BaseException) -> tuple[tuple[Diagnostic, ...], int]:
    match error:
        case InvalidInput(diagnostics=diagnostics):
            return diagnostics, ExitCode.ERROR
        case Refused(diagnostics=reasons):
            return (*reasons, _error(error.code, error.summary, error.hint)), error.exit_code
        case ImporterError():
            return (_error(error.code, error.summary, error.hint),), error.exit_code
        case click.exceptions.Abort() | KeyboardInterrupt():
            return (_error("interrupted", "interrupted", ""),), ExitCode.INTERRUPTED
        case click.ClickException():
            return (_error("usage", error.format_message().expandtabs(2), ""),), ExitCode.ERROR
        case OSError(strerror=str() as reason):
            return (_error("file", f"{error.filename or 'the output'}: {reason}", ""),), ExitCode.ERROR
        case _:
            return (_bug(error),), ExitCode.ERROR


def _bug(error: BaseException) -> Diagnostic:
    """Save the traceback in a file, for a bug report, and return the diagnostic that names the file."""
    trace = "".join(traceback.format_exception(error))
    key = os.environ.get("INCIDENT_API_KEY")
    summary = f"internal error (a bug in importer): {type(error).__name__}"
    hint = "it is safe to run the same command again"
    with (
        suppress(OSError),
        NamedTemporaryFile(
            "w", prefix="importer-bug-", suffix=".txt", encoding="utf-8", errors="replace", delete=False
        ) as file,
    ):
        file.write(trace.replace(key, "(hidden)") if key else trace)
        hint = f"please report it with the file {file.name}; {hint}"
    return _error("bug", summary, hint)


def _error(code: str, summary: str, hint: str) -> Diagnostic:
    return Diagnostic(Severity.ERROR, code, summary, hint=hint)


def _write_json(console: Console, diagnostics: tuple[Diagnostic, ...], arguments: list[str]) -> None:
    from importer.cli.rendering import diagnostics_json  # noqa: PLC0415 - only needed after an error
    from importer.renderers import events  # noqa: PLC0415

    if arguments[:1] == ["apply"]:
        console.output("".join(events.diagnostic(each, at=datetime.now(UTC)) for each in diagnostics))
    else:
        console.document({**diagnostics_json(diagnostics), "errored": True}, ensure_ascii=True)
