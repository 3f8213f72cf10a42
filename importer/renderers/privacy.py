"""A card or a problem -> the same without the text of a private incident, for output that others read.

The key, the action and the location of a private incident remain.
"""

from __future__ import annotations

from dataclasses import replace

from importer.model import Diagnostic, Plan
from importer.model.diagnostics import grouped
from importer.renderers.cards import Card

HIDDEN = "private: not shown"


def redacted(one: Card) -> Card:
    """Return a card without the values of its private incident."""
    return replace(one, rows=(), unchanged=0, explanation=HIDDEN)


def visible_diagnostics(plan: Plan, *, show_private: bool) -> tuple[Diagnostic, ...]:
    """Return the problems of a plan, grouped. Without `show_private`, private ones have only their code and
    locations."""
    found = plan.diagnostics if show_private else map(_without_text, plan.diagnostics)
    return grouped(found)


def _without_text(diagnostic: Diagnostic) -> Diagnostic:
    if not diagnostic.is_private:
        return diagnostic
    return replace(diagnostic, summary="a problem with a private incident: not shown", detail="", hint="")
