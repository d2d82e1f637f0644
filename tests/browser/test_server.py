"""The page and its server: a token, uploads that are refused, a state that changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mapsight.browse.browser import Browser as Rows
from tests.browser.windows import marks, window
from tests.support.browse_world import MadeUp, columns_of, facts
from tests.support.served import Running, running

pytestmark = marks
TOKEN = "correct horse battery staple"


@pytest.fixture(scope="module")
def guarded(served: Path) -> Iterator[Running]:
    with running(served / "workspace", token=TOKEN, watch_seconds=1e6) as one:
        yield one


@pytest.fixture
def changed(guarded: Running, tmp_path: Path) -> Iterator[Rows]:
    """Pictures of another state, in the place of those of the server's."""
    state = guarded.server.keeper.state
    before = state.browser
    yield Rows(columns_of(tmp_path / "columns", MadeUp({0: facts(30)})))
    state.browser = before


def test_a_server_with_a_token_is_opened_with_it_once(browser, guarded):
    with window(browser, guarded.url) as one:
        page = one.page
        page.goto(guarded.url)
        page.get_by_label("This server asks for its token").fill("guess")
        page.keyboard.press("Enter")
        page.get_by_text("That is not the token.").wait_for()
        page.get_by_label("This server asks for its token").fill(TOKEN)
        page.keyboard.press("Enter")
        assert one.status.endswith(" pictures")
        assert TOKEN not in page.url
        one.open("?view=rejected")
        one.wrong.clear()  # Chromium notes answers of 401 by itself


def test_a_file_that_is_no_picture_is_answered_with_why(wide):
    page = wide.open()
    page.dispatch_event("body", "drop", {"dataTransfer": wide.file("notes.png", b"no picture")})
    page.get_by_role("heading", name="That did not work").wait_for()
    assert "notes.png" in page.locator(".notice").inner_text()
    page.go_back()
    assert wide.ids()
    wide.wrong.clear()


def test_another_state_is_shown_without_loading_the_page_anew(browser, guarded, changed):
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with window(browser, guarded.url, extra_http_headers=headers) as one:
        one.one_thumbnail()
        page = one.open()
        guarded.server.keeper.state.browser = changed
        page.get_by_label("Order", exact=True).select_option("sharpness")
        page.get_by_role("heading", name="30 pictures").wait_for()
        page.get_by_role("link", name="Pictures 30").wait_for()
