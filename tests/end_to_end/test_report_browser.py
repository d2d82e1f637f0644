"""The pages in a real browser: nothing wider than the window, every picture loaded."""

import functools
import html
import http.server
import json
import os
import re
import shutil
import subprocess
import threading

import pytest

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
