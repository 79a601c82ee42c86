"""The page in a real browser, opened from the disk: quiet, quick at any size, usable by keyboard, readable by everybody."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from bulkdcm.conversion import retelling
from bulkdcm.report import recorded
from tests import ledgers
from tests.pages import browser

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from playwright.sync_api import Browser, Page

SMALL, LARGE = 20, 100_000
HOSTILE = (
    "</script><script>alert(1)</script>.png",
    '"><img src=x onerror=alert(2)>.png',
    "' onmouseover='alert(3).png",
    "<!--<script>.png",
    "{{ 7 * 7 }}{% raw %}.png",
    "gpj.\u202egnp\u2066.png",
    "\x00\x1b[31m\x7f\u2028.png",
    "javascript:alert(4)",
    "&lt;b&gt;.png",
    "__proto__",
)


def page_of(folder: Path, sources: Sequence[str], *, identifiers: bool = False, **facts: object) -> Path:
    ledgers.folder_of(folder, sources, **facts)
    with recorded(folder) as (report, images):
        retelling.rewrite(retelling.retold(report, folder, images, identifiers=identifiers), folder)
    return folder / "report.html"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.browser() as found:
        yield found


@pytest.fixture(scope="module")
def pages(tmp_path_factory, chromium) -> dict[int, Path]:
    assert chromium  # without it nothing need be made
    return {count: page_of(tmp_path_factory.mktemp(str(count)), ledgers.sources_of(count)) for count in (SMALL, LARGE)}


def expect_found(page: Page, told: str) -> None:
    page.locator("#found").filter(has_text=re.compile(f"^{re.escape(told)}$")).wait_for(timeout=20_000)


def cells(page: Page, name: str) -> list[str]:
    """Return what the table shows of a column, from its top."""
    place = page.locator("#grid th").evaluate_all(
        "(found, name) => found.findIndex((one) => one.dataset.name === name)", name
    )
    return page.locator(f"#grid tbody tr[aria-rowindex] td:nth-child({place + 1})").all_inner_texts()


@pytest.mark.parametrize("count", [SMALL, LARGE])
def test_rows_are_found_and_sorted_and_only_those_in_sight_are_there(count, pages, chromium):
    with browser.opened(chromium, pages[count]) as (page, _):
        expect_found(page, f"{count:,} rows")
        assert cells(page, "line")[:3] == ["2", "3", "4"]
        page.locator("th[data-name=line] button").click()
        assert page.locator("th[data-name=line]").get_attribute("aria-sort") == "descending"
        assert cells(page, "line")[0] == f"{count + 1:,}"
        page.locator("th[data-name=size] button").click()
        sizes = [cell.split(" \u00d7 ") for cell in cells(page, "size") if cell]
        areas = [int(width) * int(height) for width, height in sizes]
        assert areas == sorted(areas)
        page.locator("#search").fill("ultrasound patient 1")
        expected = [n for n in range(min(count, 12)) if n % 11 % 3 == 2]
        expect_found(page, f"{len(expected)} of {count:,} rows")
        assert set(cells(page, "class")) == {"Ultrasound"}
        assert set(cells(page, "patient")) == {"patient 1"}
        page.locator("#clear").click()
        page.locator("#search").fill("nothing has this")
        expect_found(page, f"0 of {count:,} rows")
        page.locator("#clear").click()
        expect_found(page, f"{count:,} rows")
        assert page.locator("#grid tbody tr").count() < 100


@pytest.mark.parametrize("count", [SMALL, LARGE])
def test_scrolling_to_the_end_shows_the_last_row(count, pages, chromium):
    with browser.opened(chromium, pages[count]) as (page, _):
        page.locator("#grid").evaluate("(grid) => { grid.scrollTop = grid.scrollHeight; }")
        page.locator(f"#grid tr[aria-rowindex='{count + 1}']").wait_for()
        assert cells(page, "line")[-1] == f"{count + 1:,}"


def test_a_cause_and_a_status_lead_to_their_rows(pages, chromium):
    with browser.opened(chromium, pages[LARGE]) as (page, _):
        failed = [n for n in range(LARGE) if n % 97 == 96]
        page.locator("input[name=status][value=failed]").check()
        expect_found(page, f"{len(failed):,} of {LARGE:,} rows")
        assert set(cells(page, "status")) == {"failed"}
        page.locator("[data-why]", has_text="Show them").first.click()
        told = page.locator(".failures li").first.locator(".count b").inner_text()
        expect_found(page, f"{told} of {LARGE:,} rows")
        assert len(set(cells(page, "why"))) == 1
        page.locator("#went [data-line]").first.click()
        expect_found(page, f"1 of {LARGE:,} rows")


@pytest.mark.parametrize("count", [SMALL, LARGE])
def test_the_tree_opens_down_to_the_rows(count, pages, chromium):
    with browser.opened(chromium, pages[count]) as (page, _):
        patients = page.locator("#tree > details")
        assert patients.count() == min(100, -(-count // 12))
        first = patients.first
        assert first.locator("summary").first.inner_text() == "patient 1 2 studies · 6 series · 12 rows"
        first.locator("details").first.locator("summary").first.click()
        series = first.locator("details details").first
        series.locator("summary").click()
        series.locator("li button").first.click()
        assert page.locator("#row-title").inner_text() == "Line 2"
        assert "study 1" in page.locator("#row dl").inner_text()
        page.keyboard.press("Escape")
        assert not page.locator("#row").is_visible()
        if count == LARGE:
            page.locator("#tree > .more").click()
            assert patients.count() == 200


def test_the_keyboard_is_enough(pages, chromium):
    with browser.opened(chromium, pages[SMALL]) as (page, _):
        page.keyboard.press("/")
        page.keyboard.type("Ultrasound")
        expect_found(page, "6 of 20 rows")
        page.locator("#grid tbody button").first.focus()
        page.keyboard.press("Enter")
        assert page.locator("#row-title").inner_text() == "Line 4"
        page.keyboard.press("Escape")
        page.locator("th[data-name=line] button").focus()
        page.keyboard.press("Enter")
        assert cells(page, "line")[0] == "21"
        page.locator("#tree summary").nth(1).focus()
        page.keyboard.press("Enter")
        assert page.locator("#tree details[open]").count() == 2


def ground(page: Page) -> str:
    return page.locator("body").evaluate("(body) => getComputedStyle(body).backgroundColor")


def test_the_theme_is_the_systems_until_one_is_chosen(pages, chromium):
    light, dark = "rgb(246, 247, 249)", "rgb(18, 21, 26)"
    with browser.opened(chromium, pages[SMALL], color_scheme="dark") as (page, _):
        assert ground(page) == dark
        page.locator("#theme").click()
        assert (page.locator("#theme").inner_text(), ground(page)) == ("Theme: light", light)
        page.reload()
        assert ground(page) == light
    with browser.opened(chromium, pages[SMALL], color_scheme="light") as (page, _):
        assert ground(page) == light
        page.locator("#theme").click()
        page.locator("#theme").click()
        assert ground(page) == dark


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("count", [SMALL, LARGE])
def test_axe_finds_nothing(count, scheme, pages, chromium):
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415  # only where there is a browser

    with browser.opened(chromium, pages[count], color_scheme=scheme, bypass_csp=True) as (page, _):
        page.locator("#tree details details summary").first.click()
        found = Axe().run(page)
        assert not found.response["violations"], found.generate_report()
        page.locator("#grid tbody button").first.click()
        assert not Axe().run(page).response["violations"]


def test_a_phone_scrolls_in_one_direction(pages, chromium):
    with browser.opened(chromium, pages[SMALL], viewport=browser.PHONE) as (page, _):
        assert page.evaluate("document.documentElement.scrollWidth") == browser.PHONE["width"]


def test_what_is_printed_has_no_buttons_and_is_light(pages, chromium):
    with browser.opened(chromium, pages[SMALL], color_scheme="dark") as (page, _):
        page.emulate_media(media="print")
        assert ground(page) == "rgb(255, 255, 255)"
        assert not page.locator("#theme").is_visible()
        assert page.locator(".verdict").is_visible()


def test_hostile_cells_stay_text(tmp_path, chromium):
    outcomes = [
        {
            "ordinal": n, "status": "failed", "stage": "decode", "error": source, "message": f"{source}: {source} is no image. {source}",
            "reason": source, "decisions": source, "photometric_interpretation": source, "worker": 1,
        }
        if n % 2
        else {**ledgers.outcome(n, source), "output": source, "decisions": source, "photometric_interpretation": source}
        for n, source in enumerate(HOSTILE)
    ]  # fmt: skip
    told = {"warnings": list(HOSTILE), "notes": list(HOSTILE)}
    path = page_of(tmp_path, HOSTILE, identifiers=True, outcomes=outcomes, **told)
    with browser.opened(chromium, path) as (page, _):
        expect_found(page, f"{len(HOSTILE)} rows")
        assert cells(page, "source")[:3] == list(HOSTILE[:3])
        assert cells(page, "source")[5:7] == [r"gpj.\u202egnp\u2066.png", r"\x00\x1b[31m\x7f\u2028.png"]
        page.locator("#search").fill("alert(2)")
        expect_found(page, f"1 of {len(HOSTILE)} rows")
        page.locator("#grid tbody button").first.click()
        assert HOSTILE[1] in page.locator("#row dl").inner_text()
        assert page.locator("img[src=x]").count() == 0
        assert page.locator("script").count() == 2


def test_an_empty_manifest_has_a_page_too(tmp_path, chromium):
    path = page_of(tmp_path, [])
    with browser.opened(chromium, path) as (page, _):
        assert page.locator("h1").inner_text() == "The manifest has no rows."
        expect_found(page, "0 rows")
