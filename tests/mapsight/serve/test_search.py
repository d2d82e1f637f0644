"""A search over HTTP answers what the library answers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mapsight.serve import answers
from mapsight.serve.settings import Limits
from tests.support.loopback import reply, serving
from tests.support.pictures import encoded, scribble
from tests.support.served import running


def pairs(rows: list[dict]) -> list[tuple[str, float]]:
    return [(row["image_id"], row.get("similarity", row["score"])) for row in rows]


def expected(opened, queries: list, **options) -> list[list[tuple[str, float]]]:
    return [
        [(row["image_id"], row["score"]) for row in rows]
        for rows in opened.search_many(queries, **options)
    ]


def answered(found: dict) -> list[list[tuple[str, float]]]:
    answers.Search.model_validate(found)
    return [pairs(rows) for rows in found["answers"]]


@pytest.mark.parametrize(
    "options",
    [
        {"top_k": 5},
        {"top_k": 7, "exclude_self": True, "style": "any"},
        {"top_k": 50, "label": "tiger", "style": "any"},
        {"top_k": 50, "style": "drawing", "features": "plain", "probe": 3},
        {"top_k": 9, "min_ppi": 1.5, "license": "by/1.0", "subset": "train", "recall": 1.0},
        {"top_k": 6, "rank_by": "diverse"},
        {"top_k": 6, "rank_by": "ppi", "mean": True},
        {"top_k": 6, "near_copies": "fold", "style": "any"},
        {"top_k": 9, "by": "features", "style": "drawing", "subset": "train", "min_ppi": 1.5},
        {"top_k": 4, "by": "label"},
        {"top_k": 4, "by": "features", "exclude_self": True},
    ],
    ids=str,
)
def test_answers_are_those_of_the_library(server, opened, ids, options):
    found = server.json("search", q=ids[:3], **{k: words(v) for k, v in options.items()})
    assert answered(found) == expected(opened, ids[:3], **options)


def words(value):
    return str(int(value)) if isinstance(value, bool) else value


def test_a_label_is_a_query_in_any_case(server, opened):
    found = server.json("search", q="lion", top_k=5)
    assert found["understood"] == [{"query": "lion", "kind": "label", "style": "photo"}]
    assert answered(found) == expected(opened, ["Lion"], top_k=5)


@pytest.mark.parametrize("by", ["index", "features"])
def test_what_is_less_alike_is_left_out(server, opened, ids, by):
    found = server.json("search", q=ids[0], top_k=50, by=by, min_similarity=0.8)
    assert answered(found) == expected(opened, ids[:1], top_k=50, by=by, min_score=0.8)
    assert 0 < len(found["answers"][0]) < 50


def test_words_are_queries_and_it_is_said_how_they_were_understood(server, opened):
    found = server.json("search", q=["a big cat -tiger", "photo of a lion"], top_k=7)
    assert answered(found) == expected(opened, ["big cat -tiger", "photo of a lion"], top_k=7)
    told = ["without the label Tiger", "the label Lion; photos only"]
    for one, end in zip(found["understood"], told, strict=True):
        assert one["kind"] == "words" and one["words"].endswith(end)


def test_pictures_that_are_sent_are_queries(server, opened, served_once, ids):
    path = served_once / "open/images" / f"{ids[4]}.png"
    files = [("file", ("mine.png", path.read_bytes())), ("file", ("x", path.read_bytes()))]
    found = server.client.post("/api/v1/search", files=files, data={"top_k": "4"}).json()
    assert found["understood"] == [
        {"query": "mine.png", "kind": "upload", "style": "photo"},
        {"query": "x", "kind": "upload", "style": "photo"},
    ]
    assert answered(found) == expected(opened, [str(path), path.read_bytes()], top_k=4)


def test_vectors_and_texts_in_json_are_queries(server, opened, ids):
    _, (vector,) = opened.features([ids[0]])
    body = {"queries": [ids[1]], "vectors": [vector.tolist()], "top_k": 3, "style": "any"}
    found = server.client.post("/api/v1/search", json=body).json()
    assert [one["kind"] for one in found["understood"]] == ["id", "vector"]
    assert answered(found) == expected(
        opened, [ids[1], vector.astype(np.float64)], top_k=3, style="any"
    )


def test_filters_of_browsing_choose_from_the_most_alike(server, opened, ids):
    rows = opened.search(ids[0], top_k=1000, style="any")
    sharp = opened.select(min_sharpness=200.0, format=("PNG",)).ids()
    fitting = {name for some in sharp for name in some}
    found = server.json("search", q=ids[0], style="any", min_sharpness=200, format="PNG", top_k=7)
    assert found["of"] == len(rows) < 1000
    assert pairs(found["answers"][0]) == pairs([r for r in rows if r["image_id"] in fitting][:7])


def test_a_url_is_fetched_where_that_is_allowed(served_once, opened, ids):
    data = (served_once / "open/images" / f"{ids[4]}.png").read_bytes()
    with (
        serving(reply(data, Content_Type="image/png")) as url,
        running(served_once / "workspace", allow_private=True) as server,
    ):
        found = server.json("search", q=f"{url}/p.png", top_k=3)
    assert found["understood"][0]["kind"] == "url"
    assert answered(found) == expected(opened, [data], top_k=3)


@pytest.mark.parametrize(
    ("query", "status", "field", "reason"),
    [
        ({"q": "http://127.0.0.1:1/x.jpg"}, 422, "q", "not a public address"),
        ({"q": "https://localhost/x.jpg"}, 422, "q", "not a public address"),
        ({"q": "0000000000009999"}, 404, "q", "no picture with this image_id"),
        ({"q": "Lionn"}, 404, "q", "did you mean the label Lion?"),
        ({"q": "00000000000000fe"}, 404, "q", "rejected"),
        ({"q": "/etc/passwd"}, 404, "q", "no picture"),
        ({"q": "hdfs://x/y"}, 404, "q", "no picture"),
        ({"q": "two words"}, 404, "q", "no URL, no label"),
        ({"q": "sports carr"}, 404, "q", "did you mean sports car"),
        ({"q": "x" * 5000}, 400, "q", "more than 4,096"),
        ({}, 400, "q", "0 queries"),
        ({"q": ["Lion"] * 11}, 400, "q", "11 queries"),
        ({"q": "Lion", "top_k": 0}, 400, "top_k", "1 to 1,000"),
        ({"q": "Lion", "topk": 3}, 400, "topk", "did you mean top_k?"),
        ({"q": "Lion", "recall": 2}, 400, "recall", "0 to 1"),
        ({"q": "Lion", "rank_by": "size"}, 400, "rank_by", "score, ppi, diverse"),
        ({"q": "Lion", "label": "Liom"}, 400, "label", "did you mean"),
        ({"q": "Lion", "by": "label", "probe": 3}, 400, "probe", "only by the index"),
        ({"q": "Lion", "top_k": [1, 2]}, 400, "top_k", "given 2 times"),
    ],
    ids=str,
)
def test_what_cannot_be_asked_is_refused_by_name(server, query, status, field, reason):
    answer = server.get("search", **query)
    known = answer.json()
    assert (answer.status_code, known["field"]) == (status, field), known
    assert reason in known["error"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], None),
        ("nonsense", None),
        ({"queries": "Lion"}, "queries"),
        ({"queries": [3]}, "queries"),
        ({"vectors": [[1, 2, "3"]]}, "vectors"),
        ({"vectors": [[1, 2, 3]]}, None),
        ({"vectors": [[10**400]]}, "vectors"),
        ({"queries": ["Lion"], "top_k": {"a": 1}}, "top_k"),
        ({"queries": ["Lion"], "unknown": 1}, "unknown"),
    ],
    ids=str,
)
def test_json_that_asks_nothing_is_refused(server, body, field):
    answer = server.client.post("/api/v1/search", json=body)
    assert (answer.status_code == 400 and answer.json().get("field") == field) or field is None


@pytest.mark.parametrize("text", ["{", "[" * 100_000, '{"vectors": [[NaN]]}', "\xff"])
def test_what_is_no_json_is_refused(server, text):
    headers = {"Content-Type": "application/json"}
    answer = server.client.post("/api/v1/search", content=text.encode("latin-1"), headers=headers)
    assert answer.status_code == 400, answer.text


def test_other_types_of_bodies_are_refused(server):
    answer = server.client.post("/api/v1/search", data={"q": "Lion"})
    assert answer.status_code == 415 and answer.json()["field"] == "Content-Type"


def test_damaged_pictures_that_are_sent_are_refused_with_a_reason(server, bad_dir: Path):
    for name in ("bomb_rgb_20000x20000.png", "drawing.svg", "html_named.jpg", "zero_bytes.jpg"):
        files = {"file": (name, (bad_dir / name).read_bytes())}
        answer = server.client.post("/api/v1/search", files=files)
        assert answer.status_code == 422, answer.text
        assert answer.json()["error"].startswith(f"{name}: cannot be used: ")


def test_a_form_without_a_boundary_or_with_other_files_is_refused(server):
    picture = encoded(scribble(3))
    other = server.client.post("/api/v1/search", files={"picture": ("a", picture)})
    broken = server.client.post(
        "/api/v1/search", content=b"--x", headers={"Content-Type": "multipart/form-data"}
    )
    many = server.client.post("/api/v1/search", files=[("file", ("a", picture))] * 11)
    assert [one.status_code for one in (other, broken, many)] == [400, 400, 400]


def test_the_library_takes_the_bytes_of_a_picture(opened, served_once, ids):
    path = served_once / "open/images" / f"{ids[4]}.png"
    for by in ("index", "features"):
        of_file = opened.search(path, top_k=4, by=by)
        of_bytes = opened.search(path.read_bytes(), top_k=4, by=by)
        assert json.dumps(pairs(of_file)) == json.dumps(pairs(of_bytes))


def test_a_copy_answers_where_its_keeper_does_not_fit(server):
    (keeper, other) = ("0000000000000101", "0000000000000100")
    most = server.json(f"pictures/{other}")["ppi"] + 0.01
    asked = {"q": keeper, "style": "any", "top_k": 1000, "duplicates": "hide", "recall": 1}
    for bounds, left in (({"max_ppi": most}, other), ({}, keeper)):
        (rows,) = server.json("search", **asked, **bounds)["answers"]
        assert {keeper, other} & {row["image_id"] for row in rows} == {left}


def test_a_style_that_nobody_asked_for_is_told(server, opened, ids):
    own = opened.predictions(["style"])["style"][2].as_py()
    for more, told in (({}, own), ({"style": "any"}, None), ({"style": own}, None)):
        (one,) = server.json("search", q=ids[2], top_k=3, **more)["understood"]
        assert one.get("style") == told
    found = server.json("search", q=[ids[2], ids[2]], mean=1)
    assert [one["style"] for one in found["understood"]] == [own, own]


def test_a_vector_that_cannot_be_compared_is_named(server):
    for vector in ([1.0, 2.0], [0.0] * 5):
        answer = server.client.post("/api/v1/search", json={"vectors": [vector]})
        assert (answer.status_code, answer.json()["field"]) == (400, "vectors")


def test_the_urls_of_a_request_have_one_bound_together(served_once):
    data = encoded(scribble(3, 60, 60), "BMP")
    limits = Limits(upload_bytes=2 * len(data) - 1)
    with (
        serving(reply(data)) as own,
        running(served_once / "workspace", limits=limits, allow_private=True) as server,
    ):
        urls = [f"{own}/{n}.bmp" for n in range(2)]
        assert server.get("search", q=urls[:1]).status_code == 200
        answer = server.get("search", q=urls)
        assert answer.status_code == 422 and "bytes" in answer.json()["error"]
