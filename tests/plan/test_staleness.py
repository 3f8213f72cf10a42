"""What has changed since a plan was saved, so that it no longer holds."""

from __future__ import annotations

from importer.plan.matching import Conflict
from importer.plan.staleness import created_since
from tests.planning import NOTHING
from tests.plans import SHORT, create


def test_a_key_whose_identity_is_in_conflict_since_is_named_with_the_reason() -> None:
    found = created_since([create("A", SHORT)], NOTHING, {"A": Conflict("several incidents have it")})
    assert list(found) == ["'A': several incidents have it"]
