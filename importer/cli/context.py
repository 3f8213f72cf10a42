"""Common options -> what every command works with: settings, console and log."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from importer.cli.console import Console, open_console
from importer.cli.options import CommonOptions
from importer.model.diagnostics import Diagnostics
from importer.model.errors import InvalidInput, UsageError
from importer.model.settings import Settings
from importer.sources.settings_file import load_settings
from importer.state.ledger import Ledger, read_ledger
from importer.state.lock import locked_ledger

SANDBOX_FOLDER = Path(".importer/sandbox")


@dataclass(frozen=True, slots=True)
class CommandContext:
    """What a command works with: its options, the settings and the console."""

    common: CommonOptions
    settings: Settings
    console: Console

    def read_ledger(self, now: Callable[[], datetime]) -> AbstractContextManager[Ledger]:
        """Open the state file without changing it."""
        return closing(read_ledger(self.settings.state, now=now))

    def lock_ledger(self, now: Callable[[], datetime]) -> AbstractContextManager[Ledger]:
        """Open the state file and hold its lock."""
        timeout, tell = self.common.lock_timeout, self.console.info
        return locked_ledger(self.settings.state, timeout=timeout, now=now, tell=tell)


def open_context(common: CommonOptions, *, adopt_matching: bool = False) -> CommandContext:
    """Read importer.yaml and set up the log. `adopt_matching` has the effect of the setting of that name.

    Raises InvalidInput with every problem in importer.yaml.
    """
    console = open_console(plain=common.no_color)
    if common.sandbox and common.endpoint:
        raise UsageError("--sandbox and --endpoint cannot be used together", hint="leave out one of them")
    _open_log(common)
    problems = Diagnostics()
    settings = load_settings(common.config, Path.cwd(), problems)
    if problems.has_errors:
        raise InvalidInput(tuple(problems.found))
    console.report(problems.found)
    known = replace(
        settings,
        state=_state(common, settings),
        adopt_matching=adopt_matching or settings.adopt_matching,
    )
    return CommandContext(common, known, console)


def _state(common: CommonOptions, settings: Settings) -> Path:
    """Return the state file. The sandbox has its own: a rehearsal must not touch the real account's state."""
    if common.state:
        return common.state
    return settings.root / SANDBOX_FOLDER / "state.db" if common.sandbox else settings.state


def _open_log(common: CommonOptions) -> None:
    """Send the log to the file or to stderr. Only importer and httpx's request lines are logged: the layers
    below would log headers, and so the API key. A log that cannot be written is not worth a traceback."""
    logging.raiseExceptions = False
    handler = (
        logging.FileHandler(common.log_file, encoding="utf-8") if common.log_file else logging.StreamHandler()
    )
    formatter = logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = lambda seconds: datetime.fromtimestamp(seconds or 0, UTC).timetuple()
    handler.setFormatter(formatter)
    for name in ("importer", "httpx"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(common.log_level.upper())
        logger.propagate = False
