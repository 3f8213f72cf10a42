"""The steps of one change, as they are carried out -> what is there, and what is missing and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

from importer.model import Attribute, Diagnostic, Incident, LiveIncident, Outcome, Severity
from importer.model.errors import (
    ApiError,
    AuthenticationFailed,
    ImporterError,
    Interrupted,
    NotAvailable,
    Refused,
)


class RunEnded(Exception):
    """The run cannot go on: `outcome` is what became of the change until then."""

    def __init__(self, outcome: Outcome, error: ImporterError) -> None:
        super().__init__(error.summary)
        self.outcome = outcome
        self.error = error


@dataclass(slots=True)
class Completion:
    """What became of the steps of one change so far. `live` is the incident as the account now shows it,
    `carried_out` counts the steps that were, and `errors` has what kept others from it."""

    incident: Incident
    live: LiveIncident
    warnings: list[Diagnostic] = field(default_factory=list)
    missing: list[Diagnostic] = field(default_factory=list)
    errors: list[ImporterError] = field(default_factory=list)
    carried_out: int = 0
    _missing: set[Attribute] = field(default_factory=set)

    @property
    def ending(self) -> ImporterError | None:
        """The error that ends the run, if there is one: nothing more is sent."""
        return next(filter(ends_run, self.errors), None)

    def report(self) -> tuple[tuple[Diagnostic, ...], tuple[Diagnostic, ...]]:
        """Return the warnings, and what is missing."""
        return tuple(self.warnings), tuple(self.missing)

    @contextmanager
    def attempt(self, attributes: Iterable[Attribute]) -> Iterator[None]:
        """Note that attributes are missing if they are refused or not answered, and go on."""
        try:
            yield
        except ImporterError as error:
            self.errors.append(error)
            for each in attributes:
                self._add_failed(each, error)

    @contextmanager
    def recording(self) -> Iterator[None]:
        """End the run if an answer cannot be recorded. What was answered is in the account all the same."""
        try:
            yield
        except Refused as error:
            summary = "the account answered, but the answer could not be recorded in the state file"
            self.end(error, self._diagnostic("not-recorded", summary, error.summary, hint=error.hint))

    def end(self, error: ImporterError, reason: Diagnostic) -> None:
        """Note an error that ends the run, and what it leaves wrong or missing in the incident."""
        self.errors.append(error)
        self.missing.append(reason)

    def add_unsent(self, attributes: Iterable[Attribute], error: ImporterError) -> None:
        """Note that attributes are missing because the run had ended."""
        for each in attributes:
            summary = f"{each.field.value}: not sent, because the run had ended"
            self.add_missing(each, "not-attempted", summary, error.summary)

    def is_missing(self, attributes: Iterable[Attribute]) -> bool:
        """Whether any of these attributes is missing."""
        return not self._missing.isdisjoint(attributes)

    def add_missing(
        self, attribute: Attribute, code: str, summary: str, why: str = "", *, hint: str = ""
    ) -> None:
        """Note that an attribute is missing. The summary must be the same for every incident."""
        self._missing.add(attribute)
        detail = attribute.label + (f": {why}" if why else "")
        self.missing.append(self._diagnostic(code, summary, detail, hint=hint))

    def _add_failed(self, attribute: Attribute, error: ImporterError) -> None:
        what, hint = attribute.field.value, error.hint
        if isinstance(error, NotAvailable):
            summary = f"{what}: nothing was created or changed, because {error.summary}"
            self.add_missing(attribute, "not-attempted", summary, error.detail, hint=hint)
        elif isinstance(error, ApiError) and not error.is_server_error:
            summary = f"the incident exists, but the account refused its {what}"
            self.add_missing(attribute, "refused-part", summary, error.summary, hint=hint)
        elif error.was_sent:
            summary = f"{what}: sent and not answered; the next apply looks at the account before it sends"
            self.add_missing(attribute, "not-answered", summary, error.summary, hint=hint)
        else:
            self.add_unsent([attribute], error)

    def _diagnostic(self, code: str, summary: str, detail: str, *, hint: str) -> Diagnostic:
        key, reference, at = self.incident.key, self.live.reference, self.incident.location
        located = f"incident '{key}' ({reference}): {detail}"
        return Diagnostic(Severity.WARNING, code, summary, located, hint=hint, locations=(at,))


def ends_run(error: ImporterError) -> bool:
    """Whether no other change can succeed either: the key is invalid or lacks a role, the state cannot be
    written, the server is gone, or Ctrl-C was pressed."""
    if isinstance(error, NotAvailable):
        return False
    return isinstance(error, AuthenticationFailed | Refused | Interrupted) or not error.was_sent


def not_permitted(refusal: AuthenticationFailed) -> NotAvailable:
    """Return the error of a part that this key may not send. Raises the refusal if the key is invalid."""
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        raise refusal
    return NotAvailable(
        "this API key lacks a role for it",
        hint=refusal.hint,
        detail=refusal.summary,
        was_sent=refusal.was_sent,
    )
