"""The map in a real browser: cells, pictures from near, a region as a filter."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser.windows import NARROW, marks, window

pytestmark = marks


@pytest.fixture
def cells(server) -> list[dict]:
    return sorted(server.json("map")["cells"], key=lambda one: (-one["pictures"], one["cell"]))


def corners(page) -> tuple[float, float, float, float]:
    box = page.get_by_role("application").bounding_box()
    return box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"]


def drag(page, *points: tuple[float, float]) -> None:
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=4)
    page.mouse.up()


def test_a_region_that_is_drawn_is_a_filter(wide, server, cells):
    page = wide.open("?view=map")
    left, top, right, bottom = corners(page)
    middle = (left + right) / 2
    page.get_by_role("button", name="Draw a region").click()
    at_left, edge = left + 2, bottom - 2
    drag(page, (at_left, top + 2), (middle, top + 2), (middle, edge), (at_left, edge))
    page.wait_for_url("**/?region=*")
    region = parse_qs(urlsplit(page.url).query)["region"][0]
    total = server.json("pictures", region=region)["total"]
    assert total == sum(one["pictures"] for one in cells if one["x"] < 0.5)
    page.get_by_role("heading", name=f"{total} picture").wait_for()
    page.go_back()
    assert wide.status == f"{len(cells)} cells"


def test_cells_are_a_list_for_keys_and_lead_to_their_pictures(wide, cells):
    page = wide.open("?view=map")
    first = page.locator(".cells button").first
    first.focus()
    page.keyboard.press("Enter")
    assert f"{cells[0]['pictures']} picture" in page.locator(".cell-card").inner_text()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/?cell={cells[0]['cell']}")
    page.get_by_role("heading", name=f"{cells[0]['pictures']} picture").wait_for()


def test_from_near_a_cell_is_its_pictures_and_a_click_finds_their_like(wide, server, cells):
    page = wide.open("?view=map")
    page.locator(".cells button").first.click()
    page.locator(".cell-card").get_by_role("button", name="Zoom in").click()
    nearest = server.json(f"map/{cells[0]['cell']}")["pictures"][0]["image_id"]
    page.locator(".cell-card").get_by_role("button", name="Close").click()
    left, top, right, bottom = corners(page)
    page.wait_for_timeout(600)  # until the flight is over
    page.mouse.click((left + right) / 2, (top + bottom) / 2)
    page.wait_for_url(f"**/?q={nearest}")


def test_what_is_seen_is_taken_by_keys_alone(wide, server, cells):
    page = wide.open("?view=map")
    page.get_by_role("application").focus()
    for key in ("+", "+", "ArrowRight", "0"):
        page.keyboard.press(key)
    page.get_by_role("button", name="Take what is seen").press("Enter")
    page.wait_for_url("**/?region=*")
    total = sum(one["pictures"] for one in cells)
    page.get_by_role("heading", name=f"{total} pictures").wait_for()


def test_colours_mean_a_measure_or_a_label_and_a_legend_says_which(wide, cells):
    page = wide.open("?view=map")
    legend = page.get_by_role("list", name="Colours")
    assert "Lion" in legend.inner_text()
    page.get_by_label("Coloured by").select_option("sharpness")
    assert legend.inner_text().startswith("Sharpness")


def test_at_400_pixels_the_map_fits_and_all_has_names(browser, server):
    with window(browser, server.url, NARROW, color_scheme="dark") as one:
        one.open("?view=map")
        assert (one.overflow(), one.unnamed()) == (0, [])
