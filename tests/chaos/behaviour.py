"""Which side of each unknown of the API an account takes, as the sandbox's options.

The unknowns are listed in docs/api-notes.md. A scenario draws only behaviour under which its promises can be
kept; the reason for each exception stands where it is made.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

KEEPS_NO_KEYS = "expired"
REFUSALS = ("conflict", "unprocessable")
"""The answers to a known key that do not show its incident."""

_PLAIN_SHARE = 0.4
_REWRITES = ("spaces", "quotes", "case", "slash", "query", "escapes", "milliseconds")
_SHORT = (3, 30)
"""Seconds for which an account with a short memory keeps idempotency keys."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """The options of a sandbox, under the names of its flags; the defaults are the plain account."""

    idempotency: str = "replay"
    other_content: str = "replay"
    keys_kept: int | None = None
    keys_in_flight: int = 0
    list_lag: int = 0
    rewrites: tuple[str, ...] = ()
    rewrites_on: str = "write"
    creates_as: str = "as_sent"
    external_id_first: bool = False
    promotes_timeline: bool = False
    put_replaces: bool = False
    normalises: bool = False
    sets_timestamps: bool = False
    makes_slack_channels: bool = False
    clock_offset: int = 0
    date_offset: int = 0
    numbers: str = "as_sent"
    last_cursor: str = "absent"
    counter_stays: bool = False
    empty_pages: bool = False
    url_makes_document: bool = False

    @property
    def forgets_keys(self) -> bool:
        """Whether a key is forgotten at once or while a scenario runs."""
        return self.idempotency == KEEPS_NO_KEYS or self.keys_kept is not None

    def chosen(self) -> dict[str, Any]:
        """Return the options that differ from the plain account."""
        plain = Behaviour()
        every = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value for name, value in every.items() if value != getattr(plain, name)}

    def flags(self) -> Iterator[str]:
        """Yield the arguments of `importer sandbox`."""
        for name, value in self.chosen().items():
            for each in value if isinstance(value, tuple) else (value,):
                yield f"--{name.replace('_', '-')}"
                yield from () if each is True else (str(each),)

    def labels(self) -> Iterator[str]:
        """Yield a label for each option that differs from the plain account, or one for the plain account."""
        for name, value in self.chosen().items():
            for each in value if isinstance(value, tuple) else (value,):
                yield name if each is True else f"{name}={each}"
        if not self.chosen():
            yield "plain account"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What can show whose incident one is, besides the account's memory of idempotency keys."""

    has_marker: bool
    keeps_state: bool
    is_one_machine: bool

    @property
    def outlives_keys(self) -> bool:
        """Whether the keys may be forgotten. Two machines that look for an incident at the same moment both
        find nothing, and without keys both create it."""
        return (self.has_marker or self.keeps_state) and self.is_one_machine


def draw(dice: random.Random, evidence: Evidence) -> Behaviour:
    """Return the behaviour of an account in which this evidence is enough."""
    if dice.random() < _PLAIN_SHARE:
        return Behaviour()
    idempotency = dice.choice(_idempotencies(evidence))
    list_lag = dice.choice([2, 5]) if dice.random() < 0.15 else 0
    return Behaviour(
        idempotency=idempotency,
        other_content=_other_content(dice, evidence, list_lag),
        keys_kept=dice.choice(_SHORT) if evidence.outlives_keys and dice.random() < 0.1 else None,
        keys_in_flight=2 if evidence.is_one_machine and dice.random() < 0.1 else 0,
        list_lag=list_lag,
        rewrites=tuple(dice.sample(_REWRITES, dice.randint(1, 3))) if dice.random() < 0.25 else (),
        rewrites_on=dice.choice(["write", "read"]),
        external_id_first=dice.random() < 0.3,
        promotes_timeline=dice.random() < 0.25,
        put_replaces=dice.random() < 0.3,
        normalises=dice.random() < 0.5,
        sets_timestamps=dice.random() < 0.2,
        makes_slack_channels=dice.random() < 0.1,
        clock_offset=dice.choice([-3600, -5, 5, 3600]) if dice.random() < 0.2 else 0,
        date_offset=dice.choice([-30, -2, 2, 30]) if dice.random() < 0.15 else 0,
        numbers=dice.choice(["as_sent", "plain", "decimal"]),
        last_cursor=dice.choice(["absent", "absent", "null", "empty", "extra"]),
        counter_stays=dice.random() < 0.2,
        empty_pages=dice.random() < 0.25,
        url_makes_document=dice.random() < 0.2,
    )


def draw_unsafe(dice: random.Random) -> Behaviour:
    """Return the one behaviour that cannot be made safe: no keys are kept, and lists lag more than 5 s."""
    return Behaviour(idempotency=KEEPS_NO_KEYS, list_lag=dice.choice([7, 10, 20]))


def draw_uncorrectable(dice: random.Random) -> Behaviour:
    """Return an account whose new incidents are not what was sent, which no edit can correct."""
    return Behaviour(
        creates_as=dice.choice(["live", "public", "renumbered"]),
        clock_offset=dice.choice([-5, 0, 5]),
        idempotency=dice.choice(["replay", KEEPS_NO_KEYS]),
    )


def _idempotencies(evidence: Evidence) -> list[str]:
    """Return the possible answers to a known key. A refusal does not show the incident to a second machine,
    which without a marker field would need a person for each."""
    if not evidence.has_marker and not evidence.is_one_machine:
        return ["replay"]
    return ["replay", "replay", *REFUSALS, *([KEEPS_NO_KEYS] if evidence.outlives_keys else [])]


def _other_content(dice: random.Random, evidence: Evidence, list_lag: int) -> str:
    """Return the answer to a known key with other content. It matters once the state is lost and the file was
    corrected: then only a marker field that is listed can show that the incident exists."""
    if dice.random() < 0.6:
        return "replay"
    if evidence.keeps_state and evidence.is_one_machine:
        return dice.choice([*REFUSALS, "new"])
    if evidence.has_marker:
        return dice.choice(
            ["replay", *REFUSALS, *([] if list_lag and not evidence.is_one_machine else ["new"])]
        )
    return "replay"
