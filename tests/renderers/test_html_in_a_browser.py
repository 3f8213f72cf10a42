"""The report as a person meets it: with keys, in the dark, on a phone, and with hostile texts in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from importer.model import NoOp, Plan
from importer.renderers import html
from tests import hostile, plans
from tests.browser import Scheme, Seen, opened_browser, opened_page

pytestmark = pytest.mark.slow

Show = Callable[..., AbstractContextManager[Seen]]
MANY = 450


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with opened_browser() as browser:
        yield browser


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Show:
    """Return what opens a plan's page."""

    def opened(plan: Plan, *, show_private: bool = True, **how) -> AbstractContextManager[Seen]:
        path = tmp_path / "report.html"
        path.write_text(html.render_plan(plan, show_private=show_private), encoding="ascii")
        return opened_page(browser, path, **how)

    return opened


def keys(page: Page) -> list[str]:
    return page.locator("button.key").all_inner_texts()


def focused(page: Page) -> str:
    found: str = page.evaluate("document.activeElement.textContent || document.activeElement.id")
    return found


# -- it opens -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", plans.PLANS)
def test_it_opens_in_silence_with_a_row_for_each_change(show: Show, name: str) -> None:
    plan = plans.PLANS[name]
    with show(plan) as seen:
        rows = seen.page.locator("tr.change")
        expect(rows).to_have_count(sum(not isinstance(each, NoOp) for each in plan.changes))
        for row in seen.page.locator("button.key").all():
            row.click()
        expect(seen.page.locator("tr.opened")).to_have_count(rows.count())
        assert seen.noise == []


def test_without_scripts_counts_chart_and_problems_are_there(show: Show) -> None:
    with show(plans.PLANS["mixed"], script=False) as seen:
        page = seen.page
        expect(page.get_by_text("The list of changes needs JavaScript")).to_be_visible()
        expect(page.locator(".tally").first).to_contain_text("to create")
        expect(page.locator(".problem")).to_contain_text("bob@example.com")
        expect(page.locator("svg.bars")).to_be_visible()
        expect(page.locator("#tool")).to_be_hidden()


# -- it is safe -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def usual(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Return the names of the elements that a page of harmless texts has."""
    path = tmp_path_factory.mktemp("harmless") / "report.html"
    path.write_text(
        html.render_plan(hostile.plan_with(hostile.HARMLESS), show_private=True), encoding="ascii"
    )
    with opened_page(browser, path) as seen:
        return elements(seen.page)


@pytest.mark.parametrize("first", range(0, len(hostile.TEXTS), 8))
def test_hostile_texts_stay_text(show: Show, usual: set[str], first: int) -> None:
    texts = [each[:5000] for each in hostile.TEXTS.values()][first : first + 8]
    with show(hostile.plan_with("\n".join(texts))) as seen:
        assert elements(seen.page) <= usual | {"pre", "details", "article"}
        assert seen.noise == []


def elements(page: Page) -> set[str]:
    """Open every row, and return the names of all elements of the page."""
    found = page.evaluate(
        """() => {
            document.querySelectorAll("button.key").forEach((each) => each.click());
            return [...document.querySelectorAll("*")].map((each) => each.localName);
        }"""
    )
    assert found.count("dl") >= 5
    return set(found)


def test_the_page_may_load_nothing_and_run_nothing_but_its_own(show: Show) -> None:
    with show(plans.PLANS["create"]) as seen:
        page = seen.page
        page.evaluate(
            """() => {
                document.body.append(Object.assign(new Image(), {src: "https://example.com/pixel.gif"}));
                const script = document.createElement("script");
                script.textContent = "window.ran = true";
                document.body.append(script);
                document.body.setAttribute("onclick", "window.ran = true");
                document.body.click();
            }"""
        )
        assert page.evaluate("window.ran") is None
        assert len([each for each in seen.noise if "Content Security Policy" in each]) == 3


def test_a_link_leads_to_the_live_incident_only(show: Show) -> None:
    bad = replace(plans.DRIFT, live=replace(plans.DRIFT.live, permalink="javascript:alert(1)"))
    with show(plans.plan(plans.UPDATE, bad)) as seen:
        links = seen.page.locator("a.reference")
        expect(links).to_have_count(1)
        assert links.get_attribute("href") == "https://app.incident.io/acme/incidents/77"


# -- it finds -------------------------------------------------------------------------------------------


def test_search_looks_into_names_values_and_places(show: Show) -> None:
    with show(plans.PLANS["mixed"]) as seen:
        page = seen.page
        for words, found in [("jira-77", 1), ("POOL larger", 1), ("2023.yaml:40", 1), ("no such thing", 0)]:
            page.fill("#search", words)
            expect(page.locator("#found")).to_have_text(f"{found} of 6 changes")
            expect(page.locator("tr.change")).to_have_count(found)
        expect(page.get_by_text("No change matches")).to_be_visible()
        page.get_by_role("button", name="Reset").click()
        expect(page.locator("#found")).to_have_text("6 changes")


@pytest.mark.parametrize(
    ("label", "option", "found"),
    [
        ("Action", "update (2)", ["JIRA-77", "JIRA-79"]),
        ("Severity", "Major (1)", ["JIRA-77"]),
        ("Visibility", "private (1)", ["JIRA-79"]),
    ],
)
def test_filters_leave_what_fits(show: Show, label: str, option: str, found: list[str]) -> None:
    with show(plans.PLANS["mixed"]) as seen:
        seen.page.get_by_label(label, exact=True).select_option(label=option)
        expect(seen.page.locator("tr.change")).to_have_count(len(found))
        assert keys(seen.page) == found


def test_the_report_of_drift_calls_it_drift_also_in_its_filter(show: Show) -> None:
    with show(plans.PLANS["drift-possible"]) as seen:
        page = seen.page
        expect(page.locator("td.action .badge.is-update")).to_have_text(["~ drifted", "~ may have drifted"])
        page.get_by_label("Action", exact=True).select_option(label="drifted (1)")
        expect(page.locator("tr.change")).to_have_count(1)


def test_a_column_sorts_up_then_down_then_as_planned(show: Show) -> None:
    with show(plans.PLANS["mixed"]) as seen:
        page, heading = seen.page, seen.page.locator("th[data-sort=incident]")
        planned = keys(page)
        for direction, expected in [
            ("ascending", sorted(planned, key=lambda key: int(key[5:]))),
            ("descending", sorted(planned, key=lambda key: -int(key[5:]))),
            ("none", planned),
        ]:
            heading.get_by_role("button").click()
            expect(heading).to_have_attribute("aria-sort", direction)
            assert keys(page) == expected


def test_severities_sort_by_rank(show: Show) -> None:
    with show(plans.PLANS["mixed"]) as seen:
        seen.page.locator("th[data-sort=severity] button").click()
        assert seen.page.locator("td.severity").all_inner_texts()[-1] == "Major"


def test_a_long_list_is_drawn_as_it_is_needed(show: Show) -> None:
    with show(plans.many(MANY)) as seen:
        page = seen.page
        expect(page.locator("tr.change")).to_have_count(200)
        page.locator("#more").scroll_into_view_if_needed()
        expect(page.locator("tr.change")).to_have_count(400)
        page.locator("#more").scroll_into_view_if_needed()
        expect(page.locator("tr.change")).to_have_count(MANY)
        expect(page.locator("#more")).to_be_hidden()


def test_the_button_below_a_long_list_goes_on_where_the_list_ended(show: Show) -> None:
    with show(plans.many(MANY)) as seen:
        page = seen.page
        expect(page.locator("#more")).to_have_text("Show 200 more of 250")
        page.evaluate("document.getElementById('more').click()")
        assert focused(page) == "JIRA-200"
        expect(page.locator("#more")).to_have_text("Show 50 more of 50")


def test_paper_has_every_row(show: Show) -> None:
    with show(plans.many(MANY)) as seen:
        seen.page.pdf()
        expect(seen.page.locator("tr.change")).to_have_count(MANY)


# -- it needs no mouse ----------------------------------------------------------------------------------


def test_a_row_opens_and_closes_by_keys(show: Show) -> None:
    with show(plans.PLANS["update"]) as seen:
        page, row = seen.page, seen.page.locator("button.key").first
        row.focus()
        for key in ("Enter", "Space"):
            page.keyboard.press(key)
            expect(row).to_have_attribute("aria-expanded", "true")
            assert page.locator(f"#{row.get_attribute('aria-controls')}").is_visible()
            page.keyboard.press(key)
            expect(row).to_have_attribute("aria-expanded", "false")
            expect(page.locator("tr.opened")).to_have_count(0)
        expect(row).to_be_focused()


def test_arrows_go_from_row_to_row_beyond_what_is_drawn(show: Show) -> None:
    with show(plans.many(MANY)) as seen:
        page = seen.page
        page.locator("button.key").first.focus()
        page.keyboard.press("ArrowDown")
        assert focused(page) == "JIRA-1"
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowUp")
        assert focused(page) == "JIRA-0"
        page.locator("button.key").nth(199).focus()
        page.keyboard.press("ArrowDown")
        assert focused(page) == "JIRA-200"


def test_a_slash_goes_to_the_search_and_is_a_letter_there(show: Show) -> None:
    with show(plans.PLANS["mixed"]) as seen:
        page = seen.page
        page.keyboard.press("/")
        expect(page.locator("#search")).to_be_focused()
        page.keyboard.type("a/b")
        expect(page.locator("#search")).to_have_value("a/b")


def test_focus_goes_down_the_page_and_can_be_seen(show: Show) -> None:
    with show(plans.PLANS["create"]) as seen:
        page, tops = seen.page, []
        for _ in range(14):
            page.keyboard.press("Tab")
            box, style, width = page.evaluate(
                """() => {
                    const style = getComputedStyle(document.activeElement);
                    return [document.activeElement.getBoundingClientRect().top + scrollY,
                            style.outlineStyle, style.outlineWidth];
                }"""
            )
            assert (style, width) == ("solid", "2px")
            tops.append(round(box / 60))
        assert tops == sorted(tops)


def test_every_control_has_a_name(show: Show) -> None:
    with show(plans.PLANS["mixed"]) as seen:
        for control in seen.page.locator("button, input, select, summary").all():
            labels = control.evaluate(
                "(each) => [...(each.labels || [])].map((one) => one.textContent).join('')"
            )
            assert control.is_hidden() or labels.strip() or (control.text_content() or "").strip()


# -- it can be read -------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_follows_the_colour_scheme(show: Show, scheme: Scheme) -> None:
    with show(plans.PLANS["mixed"], scheme=scheme) as seen:
        paper, ink = seen.page.evaluate(
            "[document.documentElement, document.body].map((each, place) =>"
            " getComputedStyle(each)[place ? 'color' : 'backgroundColor'].match(/\\d+/g).map(Number))"
        )
        assert (sum(paper) > sum(ink)) == (scheme == "light")


@pytest.mark.parametrize("width", [360, 800, 1400])
@pytest.mark.parametrize("name", ["mixed", "hostile", "errored"])
def test_everything_has_its_place_on_a_screen_of_any_width(show: Show, name: str, width: int) -> None:
    with show(plans.PLANS[name], width=width) as seen:
        page = seen.page
        for row in page.locator("button.key").all():
            row.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        boxes = [each.bounding_box() for each in page.locator("header, section, footer").all()]
        assert all(box and box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)
        edges = [(box["y"], box["y"] + box["height"]) for box in boxes if box]
        assert all(end <= start for (_, end), (start, _) in pairwise(edges))
        assert wider_than_their_place(page) == []


def wider_than_their_place(page: Page) -> list[str]:
    """Return the cells, fields and tallies whose text sticks out."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("td, dt, dd, pre, .tally, .problem, figure, th")]
            .filter((each) => !each.closest(".scroll"))
            .filter((each) => each.clientWidth && each.scrollWidth > each.clientWidth + 1)
            .map((each) => each.className + ": " + each.textContent.slice(0, 60))"""
    )
    return found


def test_names_under_the_chart_do_not_touch(show: Show) -> None:
    for width in (360, 1400):
        with show(plans.many(MANY), width=width) as seen:
            boxes = [each.bounding_box() for each in seen.page.locator("svg.names text").all()]
            ends = [(box["x"], box["x"] + box["width"]) for box in boxes if box]
            assert len(ends) > 1
            assert all(end < start for (_, end), (start, _) in pairwise(ends))
