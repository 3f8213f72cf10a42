"""The two output streams: results go to stdout, everything else to stderr; detects what they can display."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import StringIO
from typing import TextIO

from importer.model import Diagnostic
from importer.model.diagnostics import SHOWN_LOCATIONS
from importer.renderers.text import diagnostics as render_diagnostics
from importer.renderers.values import sanitised

PLAIN_WIDTH = 100
"""Columns of output that does not go to a terminal, such as a log."""


@dataclass(frozen=True, slots=True)
class Console:
    """Two streams, and what each can display."""

    out: TextIO
    err: TextIO
    width: int
    out_colour: bool
    err_colour: bool
    is_live: bool

    def output(self, text: str) -> None:
        """Write a result to stdout, with a final line feed unless it is empty."""
        _write(self.out, text if not text or text.endswith("\n") else f"{text}\n")

    def document(self, members: Mapping[str, object], *, ensure_ascii: bool = False) -> None:
        """Write a JSON document to stdout, its version first."""
        document = {"format_version": "1.0", **members}
        self.output(json.dumps(document, indent=2, ensure_ascii=ensure_ascii))

    def table(self, lines: Iterable[str]) -> None:
        """Write lines for people to stdout, with control characters escaped."""
        _write(self.out, "".join(f"{sanitised(line)}\n" for line in lines))

    def info(self, text: str) -> None:
        """Write a message to stderr, with control characters escaped."""
        _write(self.err, "\n".join(sanitised(line) for line in text.split("\n")) + "\n")

    def report(self, diagnostics: Iterable[Diagnostic], *, places: int | None = SHOWN_LOCATIONS) -> None:
        """Write problems to stderr, grouped, with at most `places` locations each (None: all), and hints."""
        shown = render_diagnostics(diagnostics, width=self.width, colour=self.err_colour, places=places)
        _write(self.err, shown)

    def confirm(self, question: str) -> bool:
        """Ask for approval at the terminal. Only `yes` approves."""
        self.info(f"\n{question}\nType 'yes' to approve; anything else cancels.")
        _write(self.err, "Answer: ")
        return sys.stdin.buffer.readline().strip() == b"yes"


def open_console(environ: Mapping[str, str] = os.environ, *, plain: bool = False) -> Console:
    """Inspect the streams and the environment (NO_COLOR, CLICOLOR_FORCE, TERM, CI, COLUMNS). `plain` disables
    colour."""
    out, err = sys.stdout or StringIO(), sys.stderr or StringIO()  # a closed stream is None
    for stream in (out, err):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="backslashreplace")
    terminal = err.isatty()
    width = (
        shutil.get_terminal_size((PLAIN_WIDTH, 24)).columns
        if terminal or "COLUMNS" in environ
        else PLAIN_WIDTH
    )
    return Console(
        out,
        err,
        width,
        _wants_colour(out, environ) and not plain,
        _wants_colour(err, environ) and not plain,
        terminal and "CI" not in environ and environ.get("TERM") != "dumb",
    )


def can_ask() -> bool:
    """Return whether stdin is a terminal, where somebody can answer."""
    return sys.stdin is not None and sys.stdin.isatty()


def _write(stream: TextIO, text: str) -> None:
    """Write and flush. If the reader has gone (`| head`), the command goes on without output.

    Raises OSError if the stream fails otherwise, once: later writes are discarded.
    """
    try:
        stream.write(text)
        stream.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if not isinstance(error, BrokenPipeError):
            raise


def _wants_colour(stream: TextIO, environ: Mapping[str, str]) -> bool:
    if environ.get("NO_COLOR"):
        return False
    if environ.get("CLICOLOR_FORCE", "0") != "0":
        return True
    return stream.isatty() and environ.get("TERM") != "dumb"
