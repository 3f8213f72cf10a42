"""How long reports of 5,000 and 10,000 changes take: to be made, to open, to search, to filter and to sort.

Run with --benchmark-only; sizes and megabytes are in the extra_info of --benchmark-json.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from pytest_benchmark.fixture import BenchmarkFixture

from importer.renderers import html
from tests import plans
from tests.browser import opened_browser, opened_page

SIZES = pytest.mark.parametrize("number", [5_000, 10_000])
ROUNDS = 5
STEPS = {
    "search for what one has": "search.value = 'number 4321'; search.dispatchEvent(new Event('input'));",
    "search for what all have": "search.value = 'payments api'; search.dispatchEvent(new Event('input'));",
    "filter": "severity.selectedIndex = 2; severity.dispatchEvent(new Event('change', {bubbles: true}));",
    "sort": "document.querySelector('th[data-sort=incident] button').click();",
}
"""What a person does, as the page hears it."""
_UNTIL_DRAWN = """(step) => new Promise((done) => {
    const search = document.getElementById("search");
    const severity = document.getElementById("filter-severity");
    new MutationObserver((_, seen) => {
        seen.disconnect();
        requestAnimationFrame(() => setTimeout(done));
    }).observe(document.getElementById("rows"), {childList: true});
    new Function("search", "severity", step)(search, severity);
})"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with opened_browser() as browser:
        yield browser


def saved(number: int, folder: Path) -> Path:
    path = folder / "report.html"
    path.write_text(html.render_plan(plans.many(number), show_private=False), encoding="ascii")
    return path


@contextmanager
def drawn(browser: Browser, path: Path) -> Iterator[Page]:
    with opened_page(browser, path) as seen:
        seen.page.locator("tr.change").nth(199).wait_for()
        yield seen.page


@SIZES
def test_making(benchmark: BenchmarkFixture, number: int) -> None:
    plan = plans.many(number)
    page = benchmark.pedantic(html.render_plan, (plan,), {"show_private": False}, rounds=3)
    benchmark.extra_info["megabytes"] = round(len(page) / 1e6, 1)


@SIZES
def test_opening(benchmark: BenchmarkFixture, browser: Browser, tmp_path: Path, number: int) -> None:
    """Open a new page, until its first rows can be seen."""
    path = saved(number, tmp_path)

    def opened() -> None:
        with drawn(browser, path):
            pass

    benchmark.pedantic(opened, rounds=ROUNDS)


@SIZES
@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_a_step(
    benchmark: BenchmarkFixture, browser: Browser, tmp_path: Path, number: int, step: str
) -> None:
    """Take a step, until what it leaves is drawn. The first search is the slowest; 80 ms of each are the
    pause that it leaves for the next letter."""
    path = saved(number, tmp_path)
    with ExitStack() as stack:

        def fresh() -> tuple[tuple[Page], dict[str, object]]:
            stack.pop_all().close()
            return (stack.enter_context(drawn(browser, path)),), {}

        benchmark.pedantic(lambda page: page.evaluate(_UNTIL_DRAWN, step), setup=fresh, rounds=ROUNDS)
