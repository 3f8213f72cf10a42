"""One run of the program: its arguments, and whether it may have changed the account."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Event

import click

from importer.model.errors import ExitCode


@dataclass(frozen=True, slots=True)
class Invocation:
    """`arguments` leaves out the program's name. `written` is set as soon as a request that writes has
    left."""

    arguments: list[str]
    written: Event = field(default_factory=Event)

    def exit_code(self, code: int) -> int:
        """Return the exit code of an error. Once something was written, a run has ended partially: 1 and 4
        would say that nothing was."""
        is_untrue = self.written.is_set() and code in (ExitCode.ERROR, ExitCode.REFUSED)
        return ExitCode.PARTIAL if is_untrue else code


def current_invocation() -> Invocation:
    """Return the run that the current command belongs to."""
    return click.get_current_context().find_object(Invocation) or Invocation([])
