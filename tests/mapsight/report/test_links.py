"""Links of a report: none is dead in a folder, and a server turns marks into links."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mapsight.report.cards import Sheet
from mapsight.report.links import POLICY, page_link, with_page_links
from mapsight.report.report import write_report
from tests.support.reports import HOSTILE, Page, assert_inert, card, write_results


@given(st.text())
def test_whatever_a_query_holds_is_inert(text):
    mark = page_link(q=text)
    assert mark.startswith("<!--page ?q=") and mark.count("--") == 2 and mark.endswith("-->")
    assert "<" not in mark[1:] and ">" not in mark[:-1]


def test_in_a_folder_there_is_no_link_into_the_page_and_a_server_shows_some(tmp_path):
    results = write_results(tmp_path / "results")
    path = write_report(results, tmp_path / "out", [Sheet("Lion", "", [card(image_id="a-b")])])
    assert not [one for one in Page(path).addresses() if one.startswith(("..", "/", "?"))]
    path.write_bytes(with_page_links(path.read_bytes()))
    addresses = Page(path).addresses()
    assert {"../?label=Lion", "../?q=a%2Db", "../?view=rejected"} <= set(addresses)


def test_hostile_names_stay_inert_when_a_server_shows_them(tmp_path):
    results = write_results(tmp_path / "results", label=HOSTILE)
    path = write_report(results, tmp_path / "out", [Sheet("", "", [card(image_id=HOSTILE)])])
    path.write_bytes(with_page_links(path.read_bytes()))
    assert_inert(Page(path))


def test_the_page_states_the_policy_that_a_server_may_send(tmp_path):
    page = Page(write_report(write_results(tmp_path / "results"), tmp_path / "out", []))
    stated = [meta["content"] for meta in page.all("meta") if "http-equiv" in meta]
    assert stated == [POLICY] and "script" not in POLICY and "default-src 'none'" in POLICY
