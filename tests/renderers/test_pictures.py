"""The pictures in the docs are of what the program shows; `pytest --update-golden` takes them anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from importer.model import Plan
from importer.renderers import html, text
from tests import report_example, terminal
from tests.browser import opened_browser, opened_page

pytestmark = pytest.mark.slow

IMAGES = Path(__file__).parents[2] / "docs" / "images"
LARGEST = 300_000
WIDTH = 80


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with opened_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plan]:
    with report_example.planned(tmp_path_factory.mktemp("example")) as plan:
        yield plan


@pytest.fixture
def kept(request: pytest.FixtureRequest) -> Callable[[str, bytes], None]:
    """Return a check that a picture, and the one in the docs, is small enough for a page to load."""

    def check(name: str, picture: bytes) -> None:
        path = IMAGES / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(picture)
        assert max(len(picture), len(path.read_bytes())) < LARGEST

    return check


def saved(folder: Path, page: str) -> Path:
    path = folder / "page.html"
    path.write_text(page, encoding="utf-8")
    return path


def photographed(page: Page, width: int, height: int) -> bytes:
    return page.screenshot(full_page=True, clip={"x": 0, "y": 0, "width": width, "height": height})


def test_the_report(browser: Browser, plan: Plan, tmp_path: Path, kept) -> None:
    with opened_page(
        browser, saved(tmp_path, html.render_plan(plan, show_private=False)), width=1280
    ) as seen:
        expect(seen.page.locator("tr.change")).to_have_count(95)
        seen.page.locator("button.key").first.click()
        kept("report.png", photographed(seen.page, 1280, 1560))


def test_the_terminal(browser: Browser, plan: Plan, tmp_path: Path, kept) -> None:
    shown = text.render_plan(plan, width=WIDTH, colour=True)

    with opened_page(browser, saved(tmp_path, terminal.page("importer plan", shown)), width=760) as seen:
        box = seen.page.locator("pre").bounding_box()
        assert box
        assert not seen.page.evaluate("document.querySelector('pre').scrollWidth > window.innerWidth")
        kept("terminal.png", photographed(seen.page, 760, round(box["y"] + box["height"]) + 24))
