"""Whatever is asked, the answer is an answer or a refusal, and never an error of the server."""

from __future__ import annotations

from urllib.parse import quote

from hypothesis import HealthCheck, example, given, seed, settings
from hypothesis import strategies as st

from mapsight.browse.filters import NAMES

PATHS = ("summary", "labels", "pictures", "facets", "search", "duplicates", "rejected", "suspects",
         "evaluation", "map", "map/1", "command", "export", "openapi.json", "nothing")  # fmt: skip
OWN = ("q", "sort", "limit", "cursor", "at", "top_k", "probe", "recall", "rank_by", "features",
       "mean", "exclude_self", "by", "error", "format", "side", "")  # fmt: skip
VALUES = (
    "", "0", "1", "-1", "1e309", "nan", "inf", "Lion", "tiger", "-ppi", "image_id", "same", "any",
    "0.5,0.5,0.6,0.6,0.1", "0,0,1,0,1,1", "WyJpbWFnZV9pZCIsIG51bGwsICIwIl0", "٣", "'", "\0", "%",
    "0000000000000001", "../../x", "http://127.0.0.1:1/", "http://[", "file:///etc/passwd",
    "99999999999999999999", "hide", "csv", "diverse", "plain", "e" * 400,
)  # fmt: skip
NAMED = st.sampled_from([*NAMES, *OWN]) | st.text(max_size=8)
WORD = st.sampled_from(VALUES) | st.text(max_size=20)


def encoded(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"))


@seed(20261130)
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(path=st.sampled_from(PATHS), pairs=st.lists(st.tuples(NAMED, WORD), max_size=6))
@example(path="pictures", pairs=[("cursor", "WyItcHBpIiwgTmFOLCAiMCJd"), ("sort", "-ppi")])
@example(path="pictures", pairs=[("label", "\ud800")])
def test_odd_query_strings_are_answered_or_refused(server, path, pairs):
    query = "&".join(f"{encoded(name)}={encoded(value)}" for name, value in pairs)
    answer = server.client.get(f"/api/v1/{path}?{query}")
    assert answer.status_code == 200 or 400 <= answer.status_code < 500, (query, answer.text)
    if answer.status_code != 200:
        assert set(answer.json()) <= {"error", "field"}


@seed(20261130)
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(text=st.text(alphabet=st.characters(codec="latin-1"), max_size=40))
def test_odd_paths_are_answered_or_refused(server, text):
    for path in (f"/{quote(text)}", f"/page/{quote(text)}", f"/api/v1/pictures/{quote(text)}"):
        assert server.client.get(path).status_code in (200, 404), path
