"""What is looked through over HTTP is what the library gives."""

from __future__ import annotations

import base64
import time

import numpy as np
import pyarrow as pa
import pytest

from mapsight.results.tables import REJECTED_SCHEMA
from mapsight.serve import answers
from mapsight.serve.facts import MEASURES, measures_of
from mapsight.workspace.workspace import Workspace


@pytest.fixture
def columns(opened) -> dict[str, list]:
    return opened.predictions().to_pydict()


def walked(server, limit: int, **query) -> list[dict]:
    """All items of all pages."""
    items, cursor = [], None
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = server.json("pictures", limit=limit, **query, **more)
        answers.Page.model_validate(page)
        items += page["items"]
        cursor = page["next"]
        if not cursor:
            return items


def test_the_summary_says_what_there_is(server, opened):
    summary = answers.Summary.model_validate(server.json("summary"))
    assert (summary.pictures, summary.rejected) == (opened.browser.rows, 2)
    unknown = {name for name, known in summary.has.model_dump().items() if not known}
    assert unknown == {"author", "suspects"}
    assert summary.runs_at == opened.summary["finished"] and summary.state == opened.browser.state


def test_ppi_has_the_unit_that_the_run_gave_it(server, opened):
    assert server.json("summary")["measures"][0]["unit"] == "√pixel"
    document = Workspace(opened.location).committed("classify")
    document["options"]["diagonal"] = 15.6
    assert [one[2] for one in measures_of(document)][:2] == ["pixels per inch", MEASURES[1][2]]


def test_the_map_is_laid_out_before_somebody_asks(server):
    browser = server.server.keeper.state.browser
    ends = time.monotonic() + 30
    while browser._cell_map is None and time.monotonic() < ends:
        time.sleep(0.05)
    assert browser._cell_map is not None


def test_labels_have_mids_and_counts(server, columns):
    labels = answers.Labels.model_validate(server.json("labels")).labels
    assert {one.label: one.pictures for one in labels if one.pictures} == {
        label: columns["label"].count(label) for label in set(columns["label"])
    }
    assert {one.label: one.mid for one in labels}["Lion"] == "/m/096mb"


@pytest.mark.parametrize("limit", [1, 7, 500])
def test_pages_by_cursor_are_all_pictures_once_in_order(server, ids, limit):
    assert [item["image_id"] for item in walked(server, limit)] == ids


def test_a_sorted_walk_is_in_the_order_of_the_measure(server, columns):
    found = [item["image_id"] for item in walked(server, 10, sort="-sharpness")]
    order = np.lexsort((columns["image_id"], [-value for value in columns["sharpness"]]))
    assert found == [columns["image_id"][i] for i in order]


def test_items_are_what_predictions_say(server, columns):
    item = server.json("pictures", limit=1)["items"][0]
    for name in ("image_id", "label", "score", "style", "ppi", "width", "sharpness", "truth"):
        assert item[name] == columns[name][0], name


def test_a_filter_leaves_what_fits(server, columns):
    page = server.json("pictures", label="Lion", max_ppi=1e9)
    assert page["total"] == columns["label"].count("Lion")


def test_at_begins_at_a_share_of_the_way(server, ids):
    assert server.json("pictures", at=0.5, limit=1)["items"][0]["image_id"] == ids[len(ids) // 2]


def test_facets_count_what_each_filter_would_leave(server, opened):
    facets = server.json("facets", label="Lion")
    answers.Facets.model_validate(facets)
    del facets["state"]
    assert facets == opened.browser.facets(opened.browser.settled(filters(label=("Lion",))))


def filters(**values):
    from mapsight.browse.filters import Filters

    return Filters(**values)


def test_facts_of_a_picture_are_its_prediction_and_more(server, opened, ids):
    facts = server.json(f"pictures/{ids[3]}")
    answers.Facts.model_validate(facts)
    (row,) = opened.predictions().slice(3, 1).to_pylist()
    for name in ("mid", "top_label", "split", "style_score"):
        assert facts["predictions"][name] == row[name]
    assert facts["measures"]["dhash"] == row["dhash"] and facts["source"] == row["source"]


def test_facts_name_the_others_of_a_group(server, opened):
    first, second = opened.duplicates().slice(0, 2).to_pylist()
    facts = server.json(f"pictures/{second['image_id']}")
    assert {"image_id": first["image_id"], "kind": "keeper"} in facts["duplicates"]
    assert second["image_id"] not in {one["image_id"] for one in facts["duplicates"]}


@pytest.mark.parametrize(
    ("image_id", "reason"),
    [
        ("00000000000000fe", "rejected"),
        ("1234", "no picture with this image_id"),
        ("../../etc/passwd", "no picture with this image_id"),
        ("Lions", "did you mean the label Lion?"),
    ],
)
def test_no_picture_is_a_404_that_says_why(server, image_id, reason):
    answer = server.get(f"pictures/{image_id.replace('/', '%2F')}")
    assert answer.status_code == 404 and reason in answer.json()["error"]


def test_groups_of_duplicates_have_the_keeper_first(server, opened):
    groups = answers.Groups.model_validate(server.json("duplicates")).groups
    table = opened.duplicates().to_pylist()
    assert {group.keeper for group in groups} == {row["keeper"] for row in table}
    by_id = {row["image_id"]: row for row in table}
    for group in groups:
        assert group.pictures[0].image_id == group.keeper and group.why
        for one in group.pictures:
            row = by_id[one.image_id]
            assert (one.kind, one.distance, one.cosine) == (
                row["kind"], row["distance"], row["cosine"],
            )  # fmt: skip


def test_groups_come_a_page_at_a_time(server):
    every = server.json("duplicates")
    first = server.json("duplicates", limit=1)
    rest = server.json("duplicates", cursor=first["next"])
    assert first["groups"] + rest["groups"] == every["groups"] and rest["next"] is None


def test_rejected_pictures_have_reasons_and_counts(server, opened):
    every = answers.Rejected.model_validate(server.json("rejected"))
    table = opened.rejected().to_pylist()
    assert [one.model_dump() for one in every.items] == table
    assert sum(every.counts.values()) == len(table) == 2
    one = server.json("rejected", limit=1)
    rest = server.json("rejected", limit=1, cursor=one["next"])
    assert one["items"] + rest["items"] == table and rest["next"] is None
    code = table[0]["error"]
    assert {row["error"] for row in server.json("rejected", error=code)["items"]} == {code}


def test_rejected_pictures_that_share_an_id_are_all_listed(server, monkeypatch):
    tables = server.server.keeper.state.tables
    names = ["a", "a", "a", "b", ""]
    rows = [
        {"image_id": n, "source": f"s{i}", "error": "e", "detail": "d"} for i, n in enumerate(names)
    ]
    rows[3]["error"] = "other"
    monkeypatch.setattr(tables, "rejected", pa.Table.from_pylist(rows, REJECTED_SCHEMA))
    for error, expected in ((None, "01234"), ("e", "0124")):
        found, more = "", {} if error is None else {"error": error}
        while True:
            page = server.json("rejected", limit=2, **more)
            found += "".join(one["source"][1:] for one in page["items"])
            if page["next"] is None:
                break
            more["cursor"] = page["next"]
        assert found == expected
    foreign = base64.urlsafe_b64encode(b"other 2").decode()
    for cursor in (foreign, "eA"):
        assert server.get("rejected", cursor=cursor).json()["field"] == "cursor"


def test_a_full_table_of_suspects_says_so(server, monkeypatch):
    tables = server.server.keeper.state.tables
    row = {"image_id": server.json("pictures", limit=1)["items"][0]["image_id"], "reason": "other"}
    for count, more in ((59, False), (60, True)):
        monkeypatch.setattr(tables, "suspects", [row] * count)
        found = answers.Suspects.model_validate(server.json("suspects"))
        assert (len(found.items), found.more) == (count, more)


def test_suspects_have_what_is_known_of_them(server):
    for one in server.json("suspects")["items"]:
        assert {"reason", "given", "verified", "image_id", "label"} <= one.keys()


def test_the_confusion_counts_what_can_be_looked_at(server, opened):
    found = answers.Evaluation.model_validate(server.json("evaluation"))
    assert [row["label"] for row in found.accuracy] == opened.accuracy()["label"].to_pylist()
    counts = dict(zip(found.confusion.truth, map(sum, found.confusion.counts), strict=True))
    assert counts.items() <= {row["label"]: row["n"] for row in found.accuracy}.items()


def test_a_number_of_the_confusions_is_that_of_its_pictures(server):
    confusion = server.json("evaluation")["confusion"]
    for truth, row in zip(confusion["truth"], confusion["counts"], strict=True):
        for label, count in zip(confusion["labels"], row, strict=True):
            page = server.json("pictures", truth=truth, label=label, split="test")
            assert page["total"] == count, (truth, label)
    assert server.json("pictures")["total"] > sum(map(sum, confusion["counts"]))
