"""A plan without changes -> what that means: whether the account matches the files, and of which part of them
this is known."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping

from importer.model import Plan, Scope, Severity
from importer.model.wording import first_few, numbered
from importer.plan.summary import summarise
from importer.renderers.columns import shortened
from importer.renderers.values import sanitised

_SHOWN_PATTERNS, _LONGEST_PATTERN = 2, 30

_DIFFERENCES = {
    "drift-kept": ("edits made in incident.io are kept in {}", "incident"),
    "cannot-be-cleared": ("{} cannot be cleared", "value"),
    "shown-differently": ("{} shown differently than written", "value"),
}
"""What a warning says of the account: it differs from the files."""
_POSSIBLE_DRIFT = {code: _DIFFERENCES[code] for code in ("drift-kept", "shown-differently")}
_NOT_KNOWN = {"not-visible": ("{} not visible to this API key", "incident")}
"""What a warning says of the account: whether it differs is not known."""
_NOT_COMPARED = frozenset({"not-compared", "not-visible"})


def no_changes(plan: Plan) -> str:
    """Return the line of a plan in which nothing differs that apply could change or that is blocked."""
    differing = [*_named(plan, _DIFFERENCES), *_unresolved(plan)]
    doubtful = [*_named(plan, _NOT_KNOWN), *_left_to_people(plan)]
    part = " in this part of the files" if plan.scope.left_out else ""
    if reasons := "; ".join([*differing, *doubtful]):
        verb = "differs" if differing else "may differ"
        return f"No changes{part}. The account {verb} from the files: {reasons}."
    if part:
        return f"No changes{part}."
    if not summarise(plan).unchanged:
        return "No changes: there are no incidents to compare."
    return "No changes. The account matches the files."


def no_drift(plan: Plan) -> str:
    """Return the line of a drift report without changes: no drift, or what may be drift and is kept."""
    is_whole = not plan.scope.left_out and all(each.code not in _NOT_COMPARED for each in plan.diagnostics)
    where = "" if is_whole else "in the incidents compared, "
    if possible := "; ".join(_named(plan, _POSSIBLE_DRIFT)):
        return f"Possible drift: {possible}. Apart from that, {where}nothing was edited in incident.io."
    return f"No drift: {where}nothing that importer wrote was edited in incident.io."


def left_out_note(scope: Scope) -> str:
    """Return a sentence about what a plan leaves out, or nothing if that is nothing."""
    if not scope.left_out:
        return ""
    return f"A part of the files ({_options(scope)}): {' and '.join(_left_out(scope))}."


def _options(scope: Scope) -> str:
    words = [f"--only {shortened(sanitised(shlex.quote(each)), _LONGEST_PATTERN)}" for each in scope.only]
    limit = [] if scope.limit is None else [f"--limit {scope.limit}"]
    return ", ".join([*([first_few(words, _SHOWN_PATTERNS, " ")] if words else []), *limit])


def _left_out(scope: Scope) -> Iterator[str]:
    if beyond := scope.beyond_limit:
        noun, verb = ("drifted incident", "is not shown") if scope.drift_only else ("change", "waits")
        plural = "are not shown" if scope.drift_only else "wait"
        yield f"{numbered(beyond, f'more {noun}')} {verb if beyond == 1 else plural}"
    if scope.not_compared:
        verb = "was" if scope.not_compared == 1 else "were"
        yield f"{numbered(scope.not_compared, 'declared incident')} {verb} not compared"


def _named(plan: Plan, meanings: Mapping[str, tuple[str, str]]) -> Iterator[str]:
    for code, (sentence, noun) in meanings.items():
        if count := sum(each.count for each in plan.diagnostics if each.code == code):
            yield sentence.format(numbered(count, noun))


def _unresolved(plan: Plan) -> Iterator[str]:
    """Yield what `on_unresolved` leaves out: each name that the account lacks is a warning."""
    count = sum(
        each.count
        for each in plan.diagnostics
        if each.severity is Severity.WARNING
        and each.code.startswith("unknown-")
        and each.code != "unknown-title"
    )
    if count:
        yield f"on_unresolved leaves out {numbered(count, 'unknown name')}"


def _left_to_people(plan: Plan) -> Iterator[str]:
    if plan.left_to_people:
        count = numbered(plan.left_to_people, "incident")
        yield f"ignore_changes leaves values of {count} to people"
