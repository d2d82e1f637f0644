"""A page of a server in a real Chromium, which notes what must not happen."""

from __future__ import annotations

import base64
import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request, sync_playwright

from tests.support.pictures import encoded, scribble

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
WIDE, NARROW = (1400, 900), (400, 800)
FILE = """([name, data]) => {
  const transfer = new DataTransfer();
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  transfer.items.add(new File([bytes], name, { type: "image/png" }));
  return transfer;
}"""
UNNAMED = re.compile(
    r"- (?:button|link|checkbox|slider|textbox|combobox|searchbox|spinbutton|tab|img|gridcell)"
    r"(?: \[[^]]*\])*:?$",
    re.MULTILINE,
)
marks = [
    pytest.mark.browser,
    pytest.mark.whole,
    pytest.mark.skipif(
        not CHROMIUM and not os.environ.get("CI"),
        reason="no chromium on PATH (Debian package: chromium)",
    ),
]


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Start Debian's Chromium; while it runs, this thread has an event loop."""
    with sync_playwright() as playwright:
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


@dataclass
class Window:
    """A page, and what went wrong in it."""

    page: Page
    url: str
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(15_000)
        self.page.on("console", lambda said: said.type == "error" and self.wrong.append(said.text))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("request", self._note)

    def _note(self, request: Request) -> None:
        if not request.url.startswith((self.url, "blob:", "data:")):
            self.wrong.append(f"asked {request.url}")

    def open(self, query: str = "") -> Page:
        """Go to an address of the page, and wait until its view is there."""
        self.page.goto(f"{self.url}/{query}")
        self.wait()
        return self.page

    def one_thumbnail(self) -> None:
        """Have all pictures look alike: made-up ones have no files."""
        data = encoded(scribble(1))
        self.page.route(
            "**/thumbnail*", lambda route: route.fulfill(body=data, content_type="image/png")
        )

    def wait(self) -> None:
        """Wait until the view that is shown has all that it asked for first."""
        self.page.wait_for_selector('.view[aria-busy="false"]:not([hidden])')

    @property
    def status(self) -> str:
        """Return the heading of the view that is shown."""
        self.wait()
        return self.page.locator(".view:not([hidden]) h1").inner_text()

    def ids(self) -> list[str]:
        """Return the ids of the pictures that are in the page."""
        self.page.wait_for_selector(".tile[data-id]")
        return self.page.locator(".tile[data-id]").evaluate_all("all => all.map(t => t.dataset.id)")

    def selected(self, text: str) -> None:
        """Wait until the bar of the selection says so."""
        self.page.locator("#selection").get_by_text(text, exact=True).wait_for()

    def focused(self, name: str) -> str | None:
        """Return an attribute of what has the focus."""
        return self.page.evaluate("name => document.activeElement.getAttribute(name)", name)

    def file(self, name: str, data: bytes) -> Any:
        """Return a DataTransfer of the page that holds a file."""
        return self.page.evaluate_handle(FILE, [name, base64.b64encode(data).decode()])

    def unnamed(self) -> list[str]:
        """Return the controls that a screen reader has no name for."""
        return UNNAMED.findall(self.page.locator("body").aria_snapshot())

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than the window."""
        return self.page.evaluate("document.documentElement.scrollWidth - innerWidth")


@contextlib.contextmanager
def window(
    browser: Browser, url: str, size: tuple[int, int] = WIDE, **how: Any
) -> Iterator[Window]:
    """Open a window of its own; in the end nothing must have gone wrong in it."""
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, **how)
    one = Window(context.new_page(), url)
    yield one
    context.close()
    assert one.wrong == []
