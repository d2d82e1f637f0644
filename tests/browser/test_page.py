"""What a person does with the page, in a real browser."""

from __future__ import annotations

import re

import pytest

from tests.browser.windows import NARROW, marks, window

pytestmark = marks
LION = "0000000000000000"
"""A picture that has an exact copy and two that are nearly the same."""
TABS = ["Pictures", "Map", "Duplicates", "Rejected", "Quality", "Report"]
VIEWS = ["", "?view=duplicates", "?view=rejected", "?view=quality", f"?open={LION}", "?q=Lion"]


def alike(server, query: str) -> list[str]:
    """What the API answers to a query."""
    found = server.json("search", q=query, top_k=200, near_copies="fold")
    return [one["image_id"] for one in found["answers"][0]]


def listed(server, **query) -> list[str]:
    """The first pictures that fit filters, as the API lists them."""
    return [one["image_id"] for one in server.json("pictures", limit=500, **query)["items"]]


def test_the_first_sight_is_all_pictures_with_filters_and_views(wide, server):
    page = wide.open()
    pictures = server.json("summary")["pictures"]
    assert wide.status == f"{pictures} pictures"
    assert wide.ids() == listed(server)[: len(wide.ids())]
    page.get_by_role("checkbox", name="Lion").wait_for()
    tabs = page.get_by_role("navigation").get_by_role("link").all_inner_texts()
    assert [tab.strip(" 0123456789") for tab in tabs] == TABS


def test_a_dropped_picture_brings_its_like(wide, server, served):
    page = wide.open()
    data = (served / "open/images" / f"{LION}.png").read_bytes()
    page.dispatch_event("body", "drop", {"dataTransfer": wide.file("mine.png", data)})
    page.get_by_text("mine.png").wait_for()
    asked = {"top_k": 200, "near_copies": "fold"}
    sent = server.client.post("/api/v1/search", files={"file": data}, data=asked).json()
    shown = wide.ids()
    assert shown == [one["image_id"] for one in sent["answers"][0]][: len(shown)]
    assert LION in shown[:2]


def test_a_pasted_picture_is_searched_for_too(wide, served):
    page = wide.open()
    data = (served / "open/images" / f"{LION}.png").read_bytes()
    page.evaluate(
        "data => dispatchEvent(new ClipboardEvent('paste', { clipboardData: data }))",
        wide.file("pasted.png", data),
    )
    page.get_by_text("pasted.png").wait_for()
    assert LION in wide.ids()[:2]


def test_words_are_searched_for_and_stand_in_the_address(wide, server):
    page = wide.open()
    page.get_by_role("combobox", name="Search").fill("tiger")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?q=tiger")
    page.get_by_text("most alike", exact=False).first.wait_for()
    assert wide.ids() == alike(server, "tiger")[: len(wide.ids())]


def test_words_that_nobody_knows_are_answered_with_what_the_server_says(wide):
    page = wide.open("?q=Liom")
    assert "Lion" in page.locator(".notice").inner_text()
    page.get_by_role("button", name="Show all pictures").click()
    page.wait_for_url("**/")
    wide.wrong.clear()  # Chromium notes an answer of 404 by itself


def test_a_click_finds_the_like_of_a_picture_and_back_goes_back(wide, server):
    page = wide.open()
    before = wide.ids()
    page.locator(".tile").nth(3).click()
    page.wait_for_url(f"**/?q={before[3]}")
    page.locator(".query").wait_for()
    assert wide.ids()[:5] == alike(server, before[3])[:5]
    page.go_back()
    page.locator(".query").wait_for(state="detached")
    assert wide.ids() == before


def test_filters_say_what_they_would_leave_and_leave_it(wide, server):
    page = wide.open()
    lions = next(one for one in server.json("facets")["label"] if one["value"] == "Lion")
    box = page.get_by_role("checkbox", name="Lion")
    assert page.locator(".check", has=box).locator(".number").inner_text() == str(lions["count"])
    box.check()
    page.wait_for_url("**/?label=Lion")
    page.get_by_role("heading", name=f"{lions['count']} pictures").wait_for()
    assert wide.ids() == listed(server, label="Lion")[: len(wide.ids())]
    page.get_by_role("button", name="Without Lion").click()
    page.wait_for_url("**/")


def test_flags_are_filters_and_stand_among_the_facts_of_a_picture(wide, server):
    page = wide.open()
    flag = server.json("facets")["flag"][0]
    page.get_by_role("checkbox", name=flag["value"].replace("_", " ")).check()
    page.wait_for_url(f"**/?flag={flag['value']}")
    page.get_by_role("heading", name=f"{flag['count']} pictures").wait_for()
    (first, *_) = shown = wide.ids()
    assert shown == listed(server, flag=flag["value"])[: len(shown)]
    page.goto(f"{page.url}&open={first}")
    names = ", ".join(server.json(f"pictures/{first}")["flags"]).replace("_", " ")
    page.get_by_text(names, exact=True).wait_for()


def test_a_range_is_chosen_by_its_ends(wide, server):
    page = wide.open()
    page.get_by_role("slider", name="Sharpness, from").press("ArrowRight")
    page.wait_for_url("**/?min_sharpness=*")
    least = int(page.url.rpartition("=")[2])
    assert least == int(server.json("facets")["sharpness"]["edges"][1])
    left = server.json("pictures", min_sharpness=least)["total"]
    page.get_by_role("heading", name=f"{left} pictures").wait_for()


def test_pictures_are_sorted_by_a_measure_either_way(wide, server):
    page = wide.open()
    page.get_by_label("Order", exact=True).select_option("sharpness")
    page.wait_for_url("**/?sort=-sharpness")
    wide.wait()
    assert wide.ids()[0] == listed(server, sort="-sharpness")[0]
    page.get_by_role("button", name="Turn the order round").click()
    page.wait_for_url("**/?sort=sharpness")
    wide.wait()
    assert wide.ids()[0] == listed(server, sort="sharpness")[0]


def test_the_large_view_has_the_facts_and_arrows_lead_on(wide, server):
    page = wide.open()
    first, second = wide.ids()[:2]
    page.locator(".tile").first.hover()
    page.get_by_role("button", name="Large view").first.click()
    page.wait_for_url(f"**/?open={first}")
    large = page.get_by_role("dialog", name="Large view")
    large.get_by_text(f"{server.json(f'pictures/{first}')['width']} ×").wait_for()
    page.keyboard.press("ArrowRight")
    page.wait_for_url(f"**/?open={second}")
    page.keyboard.press("Escape")
    page.wait_for_url("**/")
    assert wide.focused("data-index") == "1"


def test_duplicates_are_shown_in_groups_with_the_one_to_keep(wide, server):
    page = wide.open("?view=duplicates")
    groups = server.json("duplicates")["groups"]
    assert page.locator("section[aria-label*='like']").count() == len(groups)
    first = page.locator("section[aria-label*='like']").first
    assert first.locator(".tile").count() == len(groups[0]["pictures"])
    assert first.locator(".badge").all_inner_texts() == ["kept"]
    assert groups[0]["why"] in first.inner_text()


def test_rejected_pictures_are_counted_and_chosen_by_reason(wide, server):
    page = wide.open("?view=rejected")
    rejected = server.json("rejected")
    assert page.locator("tbody tr").count() == len(rejected["items"]) == 2
    page.get_by_role("button", name="Truncated").click()
    page.wait_for_url("**error=truncated")
    wide.wait()
    left = [one["source"] for one in rejected["items"] if one["error"] == "truncated"]
    assert page.locator("tbody .path").all_inner_texts() == left


def test_a_number_of_the_confusions_leads_to_its_pictures(wide, server):
    page = wide.open("?view=quality")
    number = page.locator(".confusion button").first
    shown = number.inner_text()
    number.click()
    page.get_by_role("heading", name=re.compile(f"^{shown} picture")).wait_for()


def test_keys_alone_do_all(wide, server):
    page = wide.open()
    page.keyboard.press("/")
    assert wide.focused("id") == "words"
    page.keyboard.type("Lion")
    page.keyboard.press("Enter")
    page.locator(".query").wait_for()
    while wide.focused("role") != "gridcell":
        page.keyboard.press("Tab")
    for key in ("ArrowRight", "ArrowDown", "End", "Control+Home", "ArrowRight"):
        page.keyboard.press(key)
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowRight")
    wide.selected("2 selected")
    third = alike(server, "Lion")[2]
    page.keyboard.press("v")
    page.wait_for_url(f"**open={third}")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/?q={third}")


def test_what_is_shown_is_light_or_dark_as_the_system_or_the_switch_says(browser, server):
    ground = "getComputedStyle(document.body).backgroundColor"
    with window(browser, server.url, color_scheme="dark") as one:
        page = one.open()
        assert page.evaluate(ground) == "rgb(19, 23, 26)"
        page.locator("#scheme").click()
        assert page.evaluate(ground) == "rgb(251, 251, 250)"
        page.reload()
        one.wait()
        assert page.evaluate(ground) == "rgb(251, 251, 250)"


@pytest.mark.parametrize("query", VIEWS)
def test_at_400_pixels_nothing_is_wider_than_the_window_and_all_has_names(browser, server, query):
    with window(browser, server.url, NARROW, color_scheme="dark") as one:
        one.open(query)
        assert one.overflow() <= 0
        assert one.unnamed() == []


def test_at_400_pixels_filters_are_a_drawer(browser, server):
    with window(browser, server.url, NARROW) as one:
        page = one.open()
        box = page.get_by_role("checkbox", name="Lion")
        assert not box.is_visible()
        page.get_by_role("button", name="Filters", exact=True).click()
        assert one.focused("aria-label") == "Close filters"
        box.check()
        page.wait_for_url("**/?label=Lion")
        page.keyboard.press("Escape")
        box.wait_for(state="hidden")
        assert one.focused("id") == "filters-button"
