"""A change without an answer, or of an incident that is not proven to be the declared one -> the outcome, and
what settles it. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from importer.apply.completion import Completion, ends_run
from importer.model import (
    Diagnostic,
    Failed,
    Incident,
    LiveIncident,
    NotAttempted,
    Outcome,
    Severity,
    Unknown,
)
from importer.model.errors import ApiError, ImporterError, NotAvailable, Refused


def unproven_change(incident: Incident, live: LiveIncident) -> Failed:
    """Return the outcome of a change to an incident that nothing binds to the key."""
    what = f"neither the state nor the marker field says that {live.reference} is '{incident.key}'"
    return _failed(incident, "not-ours", f"{what}; if it is, run: {_adopt(incident, live)}")


def foreign_answer(incident: Incident, live: LiveIncident) -> Failed:
    """Return the outcome of a creation that was answered with the incident of another importer."""
    what = (
        f"the server answered the creation of '{incident.key}' ({incident.name}) with {live.described},"
        " which is another incident: another importer uses the same namespace and key. Set identity.namespace"
        " in importer.yaml"
    )
    return _failed(incident, "namespace-clash", what)


def taken_key(incident: Incident, refusal: ApiError) -> Failed:
    """Return the outcome of a creation whose idempotency key was refused, though the account shows no
    incident that it can have made."""
    what = (
        f"{refusal.summary}. The account shows no incident like '{incident.key}' ({incident.name}): another"
        " importer may use the same namespace and key. If so, set identity.namespace in importer.yaml"
    )
    return Failed(incident.key, "namespace-clash", what, refusal.request_id, incident.location)


def not_as_asked(incident: Incident, error: Refused) -> Diagnostic:
    """Return what is wrong with an incident that no edit can correct."""
    what = "an incident was not created as declared, and no edit can correct it"
    return Diagnostic(Severity.WARNING, error.code, what, error.summary, locations=(incident.location,))


def unfinished(incident: Incident, error: ImporterError, *, in_doubt: bool) -> Outcome:
    """Return the outcome of a change none of whose steps was carried out. With its creation `in_doubt`, an
    earlier request may have made the incident."""
    if in_doubt:
        return unanswered(incident, error)
    if isinstance(error, ApiError) and error.was_sent:
        return Failed(incident.key, error.code, error.summary, error.request_id, incident.location)
    if isinstance(error, NotAvailable) or ends_run(error):
        return NotAttempted(incident.key, incident.location)
    return _failed(incident, error.code, f"{error.summary}; nothing was sent")


def failure(work: Completion) -> Outcome:
    """Return the outcome of an update none of whose steps is known to be carried out: of all that kept them
    from it, what leaves doubt comes first, then what was refused."""
    incident, first = work.incident, work.missing[0]
    doubt = next(filter(_leaves_doubt, work.errors), None)
    if doubt:
        return unanswered(incident, doubt)
    if work.errors and not any(each.was_sent for each in work.errors):
        return NotAttempted(incident.key, incident.location, tuple(work.missing))
    refusal = next((each for each in work.errors if isinstance(each, ApiError)), None)
    if refusal:
        return unfinished(incident, refusal, in_doubt=False)
    return _failed(incident, first.code, f"{first.summary} ({first.detail})")


def _leaves_doubt(error: ImporterError) -> bool:
    """Whether a request may have been carried out although this is all that came back."""
    if isinstance(error, ApiError):
        return error.is_server_error
    return error.was_sent and not isinstance(error, NotAvailable)


def unanswered(incident: Incident, error: ImporterError) -> Unknown:
    """Return the outcome of a change that may have been made, with the next step."""
    next_step = error.hint.removesuffix(".")
    what = f"{error.summary}. {next_step[0].upper()}{next_step[1:]}" if next_step else error.summary
    return Unknown(incident.key, what, incident.location)


def undecided_creation(incident: Incident, candidates: Iterable[LiveIncident]) -> Unknown:
    """Return the outcome of a creation in doubt that only a person can settle."""
    found = tuple(candidates)
    names = " or ".join(each.described for each in found)
    commands = " or ".join(_adopt(incident, each) for each in found)
    forget = shlex.join(["importer", "state", "forget", incident.key])
    what = (
        f"the creation was not answered. It may have made {names}, but nothing proves it."
        f" If it did, run: {commands}; if it did not, run: {forget}"
    )
    return Unknown(incident.key, what, incident.location)


def _adopt(incident: Incident, live: LiveIncident) -> str:
    return shlex.join(["importer", "adopt", incident.key, live.reference])


def _failed(incident: Incident, code: str, what: str) -> Failed:
    return Failed(incident.key, code, what, "", incident.location)
