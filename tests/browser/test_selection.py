"""A selection: marked by hand or all that match, exported as the API exports it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.browser.windows import marks

pytestmark = marks


def test_a_selection_is_exported_as_the_api_exports_it(wide, server):
    page = wide.open("?label=Lion&sort=-ppi")
    page.get_by_role("button", name="Select all").click()
    expected = server.get("export", label="Lion", sort="-ppi", format="ids").text
    wide.selected(f"{len(expected.split())} selected")
    with page.expect_download() as download:
        page.get_by_role("button", name="List of ids").click()
    assert Path(download.value.path()).read_text() == expected


def test_a_selection_by_hand_is_exported_with_what_is_known(wide, server):
    page = wide.open()
    shown = wide.ids()
    page.locator(".tile").nth(1).hover()
    page.locator(".mark").nth(1).click()
    page.locator(".tile").nth(4).click(modifiers=["Shift"])
    wide.selected("4 selected")
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    sent = {"ids": shown[1:5], "format": "csv"}
    expected = server.client.post("/api/v1/export", content=json.dumps(sent)).text
    assert Path(download.value.path()).read_text() == expected


def test_a_selection_names_the_command_that_gives_the_same(wide, server):
    page = wide.open("?label=Lion&min_sharpness=1")
    page.get_by_role("button", name="Select all").click()
    page.get_by_role("button", name="Command line").click()
    expected = server.json("command", label="Lion", min_sharpness="1")["command"]
    page.get_by_role("dialog").get_by_text(expected, exact=True).wait_for()
