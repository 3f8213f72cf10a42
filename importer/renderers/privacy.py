"""A card or a problem -> the same without what a private incident says, for an output that others read.

Of a private incident there remain the key, the action and the place.
"""

from __future__ import annotations

from dataclasses import replace

from importer.model import Diagnostic, Plan
from importer.model.diagnostics import grouped
from importer.renderers.cards import Card

HIDDEN = "private: not shown"


def redacted(one: Card) -> Card:
    """Return a card without the values of its incident, which is private."""
    return replace(one, rows=(), unchanged=0, explanation=HIDDEN)


def visible_diagnostics(plan: Plan, *, show_private: bool) -> tuple[Diagnostic, ...]:
    """Return the problems of a plan by cause; those that are private by code and places alone, unless they
    are to be shown."""
    found = plan.diagnostics if show_private else map(_without_words, plan.diagnostics)
    return grouped(found)


def _without_words(diagnostic: Diagnostic) -> Diagnostic:
    if not diagnostic.is_private:
        return diagnostic
    return replace(diagnostic, summary=f"a problem with an incident that is {HIDDEN}", detail="", hint="")
