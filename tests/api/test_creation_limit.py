"""The pause and the pace that creations share after a refusal."""

from __future__ import annotations

from math import inf

from importer.api.creation_limit import CreationLimit
from tests.api.clocks import Waits


def left_at(limit: CreationLimit) -> float:
    """Return when the next creation is sent, however long it waits."""
    moment = limit.wait_turn(inf)
    assert moment is not None
    return moment


def test_refusals_of_concurrent_creations_cause_one_pause() -> None:
    waits = Waits()
    limit = CreationLimit(waits.wait_policy)
    left = [left_at(limit) for _ in range(8)]
    for each in left:
        limit.record_refusal(left_at=each)

    left_at(limit)

    assert waits.clock.slept == [60]


def test_a_refusal_after_the_pause_causes_a_longer_one() -> None:
    waits = Waits()
    limit = CreationLimit(waits.wait_policy)
    limit.record_refusal(left_at=left_at(limit))
    limit.record_refusal(left_at=left_at(limit))
    left_at(limit)

    assert waits.clock.slept == [60, 120]


def test_a_success_resets_the_length_of_the_next_pause() -> None:
    waits = Waits()
    limit = CreationLimit(waits.wait_policy)
    limit.record_refusal(left_at=left_at(limit))
    limit.record_refusal(left_at=left_at(limit))
    left = left_at(limit)
    limit.record_success()
    limit.record_refusal(left_at=left)
    left_at(limit)

    assert waits.clock.slept == [60, 120, 60]


def test_after_a_pause_one_creation_is_sent_alone() -> None:
    waits = Waits()
    limit = CreationLimit(waits.wait_policy)
    limit.record_refusal(left_at=left_at(limit))

    assert left_at(limit) == 60
    assert left_at(limit) == 120


def test_the_pace_forgets_what_was_created_more_than_an_hour_ago() -> None:
    waits = Waits()
    limit = CreationLimit(waits.wait_policy)
    for _ in range(3600):
        left_at(limit)
        limit.record_success()
    waits.clock.seconds = 3601.0
    for _ in range(120):
        limit.record_success()
    limit.record_refusal(left_at=left_at(limit))
    first, second = left_at(limit), left_at(limit)

    assert second - first == 3600 / 120


def test_a_pace_estimated_too_low_speeds_up_with_each_success() -> None:
    waits = Waits()
    limit = CreationLimit(waits.wait_policy)
    limit.record_refusal(left_at=left_at(limit))
    began = left_at(limit)
    for _ in range(100):
        limit.record_success()
        ended = left_at(limit)

    assert ended - began < 1300
