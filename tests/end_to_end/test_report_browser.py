"""The pages in a real browser: nothing wider than the window, every picture loaded."""

import functools
import html
import http.server
import io
import json
import os
import re
import shutil
import subprocess
import threading

import numpy as np
import pytest
from PIL import Image

from mapsight.report.cards import Answer, Sheet
from mapsight.report.report import write_report, write_search_page
from tests.support.predictions import MADE
from tests.support.reports import HOSTILE, card, exploration, write_chapter, write_explored

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-sync", "--disable-background-networking", "--disable-component-update"),
    *("--virtual-time-budget=8000", "--dump-dom"),
]
LONG = "Rhinoceros_with_a_name_that_has_no_blanks_" * 8
MEASURE = """<iframe id=page src="{page}" style="width:{width}px;height:30000px"></iframe><script>
const shown = element => element.getClientRects().length;
page.onload = () => {{
  const root = page.contentDocument.documentElement, images = [...root.querySelectorAll("img")];
  const found = {{
    scroll: root.scrollWidth, client: root.clientWidth, images: images.length,
    blank: images.filter(shown).filter(image => !image.complete || !image.naturalWidth).length,
    broken: [...root.querySelectorAll("th code, td code, .matrix th, .number")]
      .filter(shown).filter(cell => cell.getClientRects().length > 1).length,
    unframed: [...root.querySelectorAll("table")]
      .filter(table => !table.closest(".scroll[tabindex]")).length,
    small: [...root.querySelectorAll(".plot img")].filter(shown)
      .filter(image => image.clientWidth < Math.min(300, {width} - 100)).length
  }};
  document.body.append("found" + JSON.stringify(found));
}}</script>"""
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not CHROMIUM and not os.environ.get("CI"),
        reason="no chromium on PATH (Debian package: chromium)",
    ),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A report and a search page with long and hostile texts, on a loopback port."""
    folder = tmp_path_factory.mktemp("site")
    shown = [card(image_id=f"{n}", title=t) for n, t in enumerate(["Lion", LONG, HOSTILE])]
    found = exploration(LONG)
    results = write_explored(folder / "results", found, label=LONG, inputs=[LONG], command=LONG * 3)
    write_chapter(results, MADE)
    sheet = Sheet(LONG, LONG, shown)
    write_report(results, folder / "report", [sheet], sheet, sheet)
    write_search_page(folder / "search.html", [Answer(LONG, None, LONG, LONG, shown)])
    handler = functools.partial(QuietHandler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def measured(site, profile, page: str, width: int) -> dict:
    folder, address = site
    (folder / "measure.html").write_text(MEASURE.format(page=page, width=width))
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={profile}"]
    run = subprocess.run(
        [*command, f"{address}/measure.html"], capture_output=True, text=True, timeout=60
    )
    found = re.search(r"found(\{.*?\})", html.unescape(run.stdout).rpartition("</script>")[2])
    assert found, run.stderr[-2000:]
    return json.loads(found[1])


@pytest.mark.parametrize("width", [1400, 400])
@pytest.mark.parametrize(("page", "images"), [("report/index.html", 29), ("search.html", 3)])
def test_a_page_fits_its_window(site, tmp_path, page, images, width):
    found = measured(site, tmp_path, page, width)
    assert found["scroll"] <= found["client"] <= width
    assert (found["images"], found["blank"]) == (images, 0)
    assert (found["broken"], found["unframed"], found["small"]) == (0, 0, 0)


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as running:
        started = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.mark.parametrize("width", [1400, 400])
def test_a_picture_opens_larger_and_the_page_stays_where_it_was(site, browser, width):
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto((site[0] / "report" / "index.html").as_uri())
    page.locator("#suspects ~ ol .thumb").first.click()
    before = page.evaluate("scrollY")
    view = page.locator(".large:target")
    assert before > 0 and view.locator("img").is_visible()
    assert view.locator("code.copy").first.inner_text() == "0"
    view.locator(".close").click()
    assert (page.locator(".large:target").count(), page.evaluate("scrollY")) == (0, before)
    page.go_back()
    assert page.locator(".large:target").is_visible()
    page.close()


def test_the_contents_stay_in_view_and_lead_to_sections(site, browser):
    for width in (1400, 400):
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.goto((site[0] / "report" / "index.html").as_uri())
        contents = page.locator("nav.contents")
        contents.get_by_text("Distributions").click()
        assert contents.bounding_box()["y"] == 0
        top = page.locator("#distributions").bounding_box()["y"]
        assert 0 <= top < 120
        page.close()


def test_a_link_to_a_label_opens_its_row(site, browser):
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.goto((site[0] / "report" / "index.html").as_uri())
    page.locator(".matrix tbody th a").first.click()
    assert page.locator("details.row[open]").count() == 1
    assert page.locator("details.row[open] > summary").bounding_box()["y"] >= 0
    page.close()


def test_in_the_dark_charts_are_no_white_cards(site, browser):
    page = browser.new_page(color_scheme="dark", viewport={"width": 1400, "height": 900})
    page.goto(f"{site[1]}/report/index.html")
    chart = page.locator(".plot img").first
    chart.scroll_into_view_if_needed()
    with Image.open(io.BytesIO(chart.screenshot())) as shown:
        grey = np.asarray(shown.convert("L"))
    assert np.median(grey) < 60 and grey.max() > 150
    page.close()


def test_nothing_is_asked_of_another_host_and_the_console_is_silent(site, browser):
    page = browser.new_page()
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"{site[1]}/report/index.html", wait_until="networkidle")
    assert said == [] and all(url.startswith((site[1], "data:")) for url in asked)
    page.close()
