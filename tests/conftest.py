"""What all tests share: golden files, which `pytest --update-golden` updates."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from tests.ids import readable
from tests.processes import reset_signals

GOLDEN = Path(__file__).parent / "golden"


# How long an example takes depends on the machine and does not matter to the test.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

reset_signals()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite the golden files; review their diff"
    )


def pytest_make_parametrize_id(val: object, argname: str) -> str:
    return readable(val, argname)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Return a check that a text equals the golden file of a name, byte for byte."""
    renewed = request.config.getoption("--update-golden")

    def check(name: str, text: str) -> None:
        path = GOLDEN / name
        if renewed:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        expected = path.read_bytes().decode() if path.exists() else None
        assert text == expected, f"golden/{name} differs; if it should: pytest --update-golden"

    return check
