"""Where words go: stdout is data, stderr is talk; what the terminal can show is decided once, here."""

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
"""Columns of what is not a terminal: a log, a file."""


@dataclass(frozen=True, slots=True)
class Console:
    """Two streams with what each can show."""

    out: TextIO
    err: TextIO
    width: int
    out_colour: bool
    err_colour: bool
    is_live: bool

    def output(self, text: str) -> None:
        """Write data. Unless there is none, it ends in exactly one line feed."""
        _write(self.out, text if not text or text.endswith("\n") else f"{text}\n")

    def document(self, members: Mapping[str, object], *, ensure_ascii: bool = False) -> None:
        """Write a JSON document whose version is the first of its members."""
        document = {"format_version": "1.0", **members}
        self.output(json.dumps(document, indent=2, ensure_ascii=ensure_ascii))

    def table(self, lines: Iterable[str]) -> None:
        """Write data for people, a line each; what came from elsewhere cannot move the cursor."""
        _write(self.out, "".join(f"{sanitised(line)}\n" for line in lines))

    def info(self, text: str) -> None:
        """Write talk. What came from a file or from the API cannot move the cursor."""
        _write(self.err, "\n".join(sanitised(line) for line in text.split("\n")) + "\n")

    def report(self, diagnostics: Iterable[Diagnostic], *, places: int | None = SHOWN_LOCATIONS) -> None:
        """Write problems, grouped, with so many of their places (None: with all), and hints."""
        shown = render_diagnostics(diagnostics, width=self.width, colour=self.err_colour, places=places)
        _write(self.err, shown)

    def confirm(self, question: str) -> bool:
        """Ask the person at the terminal; only the word `yes` is approval."""
        self.info(f"\n{question}\nType 'yes' to approve; anything else cancels.")
        _write(self.err, "Answer: ")
        return sys.stdin.buffer.readline().strip() == b"yes"


def open_console(environ: Mapping[str, str] = os.environ, *, plain: bool = False) -> Console:
    """Look at the streams and the environment (NO_COLOR, CLICOLOR_FORCE, TERM, CI, COLUMNS). `plain` is
    --no-color."""
    out, err = sys.stdout or StringIO(), sys.stderr or StringIO()  # a stream that was closed is None
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
    """Whether somebody sits at a terminal to answer."""
    return sys.stdin is not None and sys.stdin.isatty()


def _write(stream: TextIO, text: str) -> None:
    """Write at once. Whoever read the stream may have gone (`| head`): then the work goes on, unheard.

    Raises OSError where the stream cannot take it, once: what is left in its buffer goes nowhere.
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
