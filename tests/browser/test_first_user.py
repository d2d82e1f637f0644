"""What stopped a first user of the page: each of these failed once."""

from __future__ import annotations

import json
import math

import pytest
from playwright.sync_api import expect

from mapsight.collection_name import collection_name
from tests.browser.windows import NARROW, Window, marks, window

pytestmark = marks
LION = "0000000000000000"
TIGER = "0000000000000001"
DROP = """([name, type, count, data]) => {
  const transfer = new DataTransfer();
  const bytes = Uint8Array.from(data);
  for (let i = 0; i < count; i++) transfer.items.add(new File([bytes], `${i}${name}`, { type }));
  document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true }));
}"""
DRAWN = """{
  const { fillText, arc, clearRect } = CanvasRenderingContext2D.prototype;
  Object.assign(CanvasRenderingContext2D.prototype, {
    clearRect(...box) { window.drawn = { names: [], circles: [] }; clearRect.apply(this, box); },
    arc(...circle) { window.drawn.circles.push(circle.slice(0, 3)); arc.apply(this, circle); },
    fillText(text, x, y) {
      window.drawn.names.push([x, y, this.measureText(text).width]);
      fillText.call(this, text, x, y);
    },
  });
}"""


@pytest.fixture
def picture(served) -> bytes:
    return (served / f"open/images/{LION}.png").read_bytes()


def drop(one: Window, data: bytes, name: str = "mine.png", kind: str = "image/png", n: int = 1):
    one.page.evaluate(DROP, [name, kind, n, [*data]])


def test_a_picture_is_dropped_again_after_the_page_was_loaded_anew(wide, picture):
    page = wide.open()
    drop(wide, picture)
    page.get_by_text("0mine.png").wait_for()
    page.reload()
    page.locator(".notice", has_text="Drop it again").wait_for()
    assert not page.locator(".notice .chip").count()
    drop(wide, picture, "again.png")
    page.get_by_text("0again.png").wait_for()
    assert LION in wide.ids()[:2]


def test_a_selection_is_there_after_the_page_was_loaded_anew(wide):
    page = wide.open()
    page.locator(".tile").nth(1).hover()
    page.locator(".mark").nth(1).click()
    wide.selected("1 selected")
    page.reload()
    wide.selected("1 selected")
    expect(page.locator(".tile").nth(1)).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("link", name="Report")).to_have_attribute("target", "_blank")
    page.get_by_role("button", name="Clear").click()
    page.reload()
    wide.wait()
    assert not page.locator("#selection").is_visible()


def test_what_failed_has_no_heading_of_what_was_there_before_and_offers_labels(wide):
    page = wide.open("?q=Lion")
    page.locator(".query").wait_for()
    page.get_by_role("combobox", name="Search").fill("Liom")
    page.keyboard.press("Enter")
    page.locator(".notice .chip").first.wait_for()
    assert not page.locator(".query").count()
    text = page.locator(".notice p").first.inner_text()
    assert text.endswith("did you mean the label Lion?")
    page.locator(".notice").get_by_role("button", name="Lion", exact=True).click()
    page.wait_for_url("**/?q=Lion")
    wide.wrong.clear()  # Chromium notes an answer of 404 by itself


def test_several_queries_stand_in_the_box_as_they_can_be_asked_again(wide, server):
    page = wide.open(f"?q={LION}&q={TIGER}")
    box = page.get_by_role("combobox", name="Search")
    assert box.input_value() == f"{LION} + {TIGER}"
    first = wide.ids()
    box.press("Enter")
    wide.wait()
    assert page.url.endswith(f"?q={LION}&q={TIGER}") and wide.ids() == first
    box.fill(f"{TIGER} + Lion")
    box.press("Enter")
    page.wait_for_url(f"**/?q={TIGER}&q=Lion")
    page.get_by_text("Like all of these").wait_for()


def test_what_is_said_is_seen(wide, picture):
    page = wide.open()
    drop(wide, b"text", "notes.txt", "text/plain")
    page.locator(".toast", has_text="That is no picture").wait_for()
    drop(wide, picture, n=11)
    page.locator(".toast", has_text="Only the first 10 of 11 pictures").wait_for()
    page.get_by_text("9mine.png").wait_for()
    page.get_by_role("button", name="Select all").click()
    with page.expect_download():
        page.get_by_role("button", name="List of ids").click()
    page.locator(".toast", has_text="exported").wait_for()


def test_a_search_says_that_it_keeps_to_the_style_of_its_query(wide, server):
    page = wide.open(f"?q={LION}")
    (style,) = {one["style"] for one in server.json("search", q=LION, top_k=200)["answers"][0]}
    before = wide.status
    page.get_by_role("button", name=f"{style}s, like the query").click()
    page.wait_for_url("**style=photo&style=drawing**")
    wide.wait()
    assert int(wide.status.split()[0]) > int(before.split()[0])
    assert not page.get_by_text("like the query").count()


def test_where_no_duplicates_are_known_the_page_names_the_command_that_looks(wide, server):
    none = {"state": server.json("summary")["state"], "total": 0, "groups": [], "next": None}
    summary = server.json("summary")
    summary["has"]["duplicates"] = False
    page = wide.page
    page.route("**/api/v1/duplicates*", lambda route: route.fulfill(body=json.dumps(none)))
    page.route("**/api/v1/summary", lambda route: route.fulfill(body=json.dumps(summary)))
    wide.open()
    page.get_by_role("link", name="Duplicates").click()
    shown = page.locator(".notice .command", has_text="mapsight duplicates")
    shown.wait_for()
    assert shown.inner_text() == server.json("command")["command"].replace("select", "duplicates")


def test_a_picture_that_is_not_selected_shows_no_check_under_the_pointer(wide):
    page = wide.open()
    mark, check = page.locator(".mark").first, page.locator(".mark path").first
    page.locator(".tile").first.hover()
    mark.click()
    expect(check).to_have_css("opacity", "1")
    mark.click()
    expect(check).to_have_css("opacity", "0")


def test_names_of_a_filter_stay_where_they_are_when_counts_change(wide, server):
    def turned(route):
        facets = route.fetch().json()
        facets["label"].reverse()
        route.fulfill(json=facets)

    page = wide.open()
    page.get_by_role("checkbox", name="Lion").wait_for()
    names = page.get_by_role("group", name="Label").locator(".name")
    before = names.all_inner_texts()
    page.route("**/api/v1/facets?*", turned)
    with page.expect_response("**/api/v1/facets?*"):
        page.get_by_role("checkbox", name="Lion").check()
    page.locator(".chip", has_text="Lion").wait_for()
    page.wait_for_timeout(300)
    assert len(before) > 1 and names.all_inner_texts() == before


def test_an_end_of_a_range_has_the_digits_of_its_measure(wide, server):
    page = wide.open()
    page.get_by_role("slider", name="Sharpness, to").press("ArrowLeft")
    page.wait_for_url("**/?max_sharpness=*")
    (digits,) = {
        m["digits"] for m in server.json("summary")["measures"] if m["title"] == "Sharpness"
    }
    edge = server.json("facets")["sharpness"]["edges"][-2]
    most = f"{math.ceil(edge * 10**digits) / 10**digits:g}"
    assert page.url.endswith(f"max_sharpness={most}")
    expect(page.get_by_role("spinbutton", name="Sharpness, to")).to_have_value(most)


def test_orders_and_the_collection_are_named_alike(wide, server, served):
    page = wide.open()
    orders = page.get_by_label("Order", exact=True).locator("option").all_inner_texts()
    assert {"by PPI", "by sharpness", "by width", "by top probability"} <= {*orders}
    run = json.loads((served / "workspace/results/summary.json").read_text())
    assert page.locator("#name").inner_text() == collection_name(run)


def test_keys_are_soon_at_the_pictures_and_stay_there(wide):
    page = wide.open()
    page.get_by_role("checkbox", name="Lion").wait_for()
    tabs = 0
    while wide.focused("role") != "gridcell":
        page.keyboard.press("Tab")
        tabs += 1
    assert tabs < 25
    page.keyboard.press("Enter")
    page.wait_for_url("**/?q=*")
    page.locator(".query").wait_for()
    page.wait_for_function("document.activeElement.dataset.index === '0'")
    page.keyboard.press("ArrowRight")
    assert wide.focused("data-index") == "1"


@pytest.mark.parametrize("size", [(1400, 900), NARROW], ids=["1400", "400"])
def test_names_on_the_map_lie_in_their_circle_or_over_none(browser, server, size):
    with window(browser, server.url, size) as one:
        one.page.add_init_script(DRAWN)
        page = one.open("?view=map")
        page.wait_for_function("window.drawn?.names.length")
        page.wait_for_timeout(1500)
        names, circles = (page.evaluate(f"drawn.{name}") for name in ("names", "circles"))
    assert names
    for x, y, width in names:
        corners = [(x + dx, y + dy) for dx in (-width / 2, width / 2) for dy in (-4, 4)]
        over = [c for c in circles if _gap(c, x, y, width) < 0]
        assert all(math.dist(c[:2], at) <= c[2] + 1 for c in over for at in corners)


def _gap(circle, x: float, y: float, width: float) -> float:
    """Return how far a circle is from a name; negative where it lies under it."""
    left, top, r = circle
    across = max(0, abs(left - x) - width / 2)
    return math.hypot(across, max(0, abs(top - y) - 4)) - r
