"""A grid of twenty thousand pictures, of which only what is seen is in the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mapsight.browse.browser import Browser as Rows
from tests.browser.windows import NARROW, Window, marks, window
from tests.support.browse_world import MadeUp, columns_of, facts
from tests.support.served import Running, running

pytestmark = marks
MANY = 20_000
FULL = 200
"""More tiles than a window has."""


@pytest.fixture(scope="module")
def many(served: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that lists made-up pictures in the place of its own."""
    columns = columns_of(tmp_path_factory.mktemp("many") / "columns", MadeUp({0: facts(MANY)}))
    with running(served / "workspace", watch_seconds=1e6) as one:
        one.server.keeper.state.browser = Rows(columns)
        yield one


def drawn(one: Window) -> Window:
    """A window with the made-up pictures."""
    one.one_thumbnail()
    one.open()
    one.ids()
    return one


def at(many: Running, index: int) -> str:
    return many.server.keeper.state.browser.columns.ids[index].as_py()


DRAWN = """() => {
    const seen = document.querySelector(".grid").getBoundingClientRect();
    const tiles = [...document.querySelectorAll(".tile")];
    const boxes = tiles.map(tile => tile.getBoundingClientRect());
    const covered = boxes.some(box => box.top < seen.bottom && box.bottom > seen.top);
    if (!covered || document.querySelector(".waiting")) return null;
    return tiles.map(tile => [Number(tile.dataset.index), tile.dataset.id]);
}"""
"""The tiles, once they are where the grid is scrolled to and none waits for its facts."""


def check(one: Window, many: Running) -> int:
    """All tiles that are seen are the pictures of their places; returns the first place."""
    tiles = one.page.wait_for_function(DRAWN).json_value()
    assert 0 < len(tiles) < FULL
    assert [(index, at(many, index)) for index, _ in tiles] == [*map(tuple, tiles)]
    return tiles[0][0]


def test_the_bar_leads_past_ten_thousand_and_the_wheel_on_from_there(browser, many):
    with window(browser, many.url) as wide:
        page = drawn(wide).page
        grid = page.get_by_role("grid")
        grid.evaluate("grid => { grid.scrollTop = .6 * grid.scrollHeight }")
        first = check(wide, many)
        assert first > 10_000
        grid.hover()
        page.mouse.wheel(0, 1000)
        page.wait_for_function(
            "first => Number(document.querySelector('.tile').dataset.index) > first", arg=first
        )
        assert first < check(wide, many) < first + 100


def test_keys_lead_to_the_end_and_back_brings_the_place_again(browser, many):
    with window(browser, many.url) as wide:
        page = drawn(wide).page
        page.locator(".tile[tabindex='0']").focus()
        page.keyboard.press("Control+End")
        check(wide, many)
        assert wide.focused("data-id") == at(many, MANY - 1)
        page.keyboard.press("PageUp")
        first = check(wide, many)
        page.wait_for_function("() => history.state?.first > 10000")
        page.get_by_role("link", name="Rejected").click()
        page.go_back()
        assert abs(check(wide, many) - first) < 30


def test_a_list_that_is_higher_than_a_browser_scrolls_is_reached_everywhere(browser, many):
    with window(browser, many.url, NARROW) as narrow:
        page = drawn(narrow).page
        page.get_by_label("Size of pictures").fill("420")
        grid = page.get_by_role("grid")
        page.wait_for_function("() => document.querySelector('.sizer').clientHeight === 8000000")
        grid.evaluate("grid => { grid.scrollTop = grid.scrollHeight / 2 }")
        page.wait_for_function("() => Number(document.querySelector('.tile').dataset.index) > 9000")
        first = check(narrow, many)
        assert abs(first - MANY / 2) < 5
        grid.hover()
        page.mouse.wheel(0, 900)
        page.wait_for_function(
            "first => Number(document.querySelector('.tile').dataset.index) > first", arg=first
        )
        assert first < check(narrow, many) <= first + 4
        grid.evaluate("grid => { grid.scrollTop = grid.scrollHeight }")
        page.wait_for_selector(f".tile[data-index='{MANY - 1}']")
        check(narrow, many)


def test_all_that_match_are_selected_and_exported_without_being_in_the_page(browser, many):
    with window(browser, many.url, accept_downloads=True) as wide:
        page = drawn(wide).page
        page.get_by_role("button", name="Select all").click()
        wide.selected("20,000 selected")
        with page.expect_download() as download:
            page.get_by_role("button", name="List of ids").click()
        ids = Path(download.value.path()).read_text().split()
        assert ids == many.server.keeper.state.browser.columns.ids[:].to_pylist()
