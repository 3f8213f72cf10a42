"""The end of an apply -> text: counts, failures with their request IDs, and the command to run next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import assert_never

from importer.apply.summary import ApplyCounts, ApplySummary
from importer.model import Adopted, Applied, Failed, NotAttempted, Outcome, Unknown
from importer.renderers.columns import wrapped
from importer.renderers.text import NARROWEST, Paint, painter
from importer.renderers.values import quoted, sanitised
from importer.renderers.verdict import left_out_note

SHOWN = 5

_FIX = "fix what failed"

_REMEDIES = {
    "missing_required_scope": "give the API key the missing role",
    "unauthenticated": "set a valid API key",
    "not-attempted": "see above what the account or the API key lacks",
}
"""What to do, by the code of what failed: the API's (API page: Errors) or importer's."""


def outcomes(ending: ApplySummary, *, width: int, colour: bool) -> str:
    """Return the report of an apply, ending in a line feed. Failures with the same cause are grouped."""
    paint, width = painter(colour), max(width, NARROWEST)
    counts = ending.counts
    parts = [*_causes(ending, width, paint)]
    if ending.stopped:
        parts += [*wrapped(f"Stopped: {sanitised(ending.stopped)}", width=width, indent=""), ""]
    # No line is wrapped: the first is searched for, the last is copied.
    parts += [_counts(counts, ending), *filter(None, [left_out_note(ending.scope)]), _next(ending)]
    return "\n".join(parts) + "\n"


def _counts(counts: ApplyCounts, ending: ApplySummary) -> str:
    parts = [
        f"{counts.created} created",
        f"{counts.updated} updated",
        *([f"{counts.adopted} adopted"] if counts.adopted else []),
        f"{counts.unchanged} unchanged",
        *([f"{ending.blocked} blocked"] if ending.blocked else []),
        *([f"{counts.failed} failed"] if counts.failed else []),
        *([f"{counts.unknown} unknown"] if counts.unknown else []),
        *([f"{counts.not_attempted} not attempted"] if counts.not_attempted else []),
        *([f"{ending.incomplete} incomplete"] if ending.incomplete else []),
    ]
    result = "Apply complete" if ending.is_whole else "Apply ended partially"
    return f"{result}: {', '.join(parts)}."


def _next(ending: ApplySummary) -> str:
    counts, command = ending.counts, ending.next_command
    if counts.is_whole:
        return f"Next: {command}"
    remedies = {_remedy(each) for each in ending.outcomes} - {""}
    if remedies:
        return f"Next: {remedies.pop() if len(remedies) == 1 else _FIX}, then run: {command}"
    return f"Next: to continue where this run ended, run: {command}"


def _remedy(outcome: Outcome) -> str:
    """Return what to do about an outcome before the next run; empty if nothing has to be done."""
    match outcome:
        case Failed(code=code):
            return _REMEDIES.get(code, _FIX)
        case NotAttempted(missing=missing):
            return _REMEDIES["not-attempted"] if missing else ""
        case Applied() | Adopted() | Unknown():
            return ""
        case _:
            assert_never(outcome)


def _causes(ending: ApplySummary, width: int, paint: Paint) -> Iterator[str]:
    causes: defaultdict[tuple[str, str], list[Failed | Unknown]] = defaultdict(list)
    for each in ending.outcomes:
        match each:
            case Failed(message=message, request_id=request):
                # The server's message may contain the request ID; without it, equal messages are one group.
                causes["error", message.replace(request, "…") if request else message].append(each)
            case Unknown(message=message):
                causes["warning", message].append(each)
            case Applied() | Adopted() | NotAttempted():
                pass
            case _:
                assert_never(each)
    for (severity, message), found in causes.items():
        word = "Error:" if severity == "error" else "Unknown:"
        first, *rest = wrapped(sanitised(message), width=width - len(word) - 1, indent="") or [""]
        yield f"{paint(severity, word)} {paint('bold', first)}"
        yield from (f"  {line}" for line in rest)
        yield from (f"  {_place(each)}" for each in found[:SHOWN])
        if len(found) > SHOWN:
            yield f"  (and {len(found) - SHOWN} more; --report FILE lists all)"
        yield ""


def _place(outcome: Failed | Unknown) -> str:
    request = f", request {outcome.request_id}" if isinstance(outcome, Failed) and outcome.request_id else ""
    return sanitised(f"on {outcome.location}: {quoted(outcome.key)}{request}")
