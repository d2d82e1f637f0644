"""Answers from a copy of the index, which are those of the job; and the copy itself."""

from __future__ import annotations

import json
import multiprocessing
import shutil
import signal
import subprocess
import sys
import time
from argparse import Namespace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driver.errors import Failure
from driver.stages.recall import COMPARED, is_small, removed_arguments
from driver.workspace.changes import write_changes
from driver.workspace.workspace import Workspace
from mapsight.files import sha256_of
from mapsight.index.collection import collection_of
from mapsight.index.copies import Copies
from mapsight.index.local_copy import ROWS, IndexCopy, write_rows
from mapsight.index.nearest import Centres
from mapsight.index.removed_ids import IdList, id_table, write_ids_file
from mapsight.index.rows import INT8, INT16, batch_of, row_schema
from mapsight.search.by_index import Rounds, probe_here
from mapsight.search.copied_index import CopiedIndex
from mapsight.search.index_queries import find_rows
from mapsight.search.options import SearchOptions
from mapsight.search.probe import Probe, merged
from mapsight.search.probe_plan import (
    blocks_of,
    choose,
    choose_nearest,
    probe_lines,
    queries_by_cell,
    reads_of,
)
from mapsight.search.queries import GivenQueries, write_queries
from mapsight.search.question import Question
from mapsight.search.search_index import SearchIndex
from mapsight.search.searcher import Searcher
from mapsight.workspace.changes import Addition, Changes, Removals
from mapsight.workspace.document_checks import dumped
from mr_jobs.probe_index import MRProbeIndex
from tests.support.index_world import PLAIN_D, D, IndexWorld, indexed
from tests.support.jobs import run_and_read, write_manifest
from tests.support.paths import ROOT

PLAIN = {"style": "any", "rank_by": "score"}


@pytest.fixture(scope="module", params=[INT16, INT8])
def place(request, tmp_path_factory) -> tuple[Path, IndexWorld]:
    folder = tmp_path_factory.mktemp("indexed") / "w"
    return folder, indexed(folder, dtype=request.param)


def pictures(index: SearchIndex, ids: list[str]) -> list[Question]:
    rows = index.rows_of(ids)
    return [
        Question(i, image_id=i, record=rows[i], vector=rows[i]["vector"], style=rows[i]["style"])
        for i in ids
    ]


def answered(index, scorer, questions, options) -> str:
    rounds = Rounds(SearchOptions(**{**PLAIN, **options}), index, questions, scorer)
    rounds.to_the_end()
    told = [[q.answers, q.probed, q.exhausted, q.share] for q in questions]
    return f"{json.dumps(told, indent=1)}\n{rounds.summary()}"


OPTIONS = [
    {},
    {"probe": 2, "top_k": 3},
    {"features": "plain", "top_k": 300},
    {"style": "same", "rank_by": "diverse", "top_k": 7},
    {"style": "drawing", "rank_by": "ppi", "exclude_self": True},
    {"label": "Owl", "subset": "test", "min_ppi": 20.0, "probe": 1, "top_k": 30},
    {"license": "by/2.0", "rank_by": "diverse", "features": "plain", "exclude_self": True},
    {"label": "Zebra"},
]


def by_job(folder: Path):
    """Scores cells as the driver does with a job."""

    def scorer(index, vectors, queries, cells, d):
        wants: dict[int, list[int]] = {}
        for number, chosen in enumerate(cells):
            for cell in chosen.tolist():
                wants.setdefault(cell, []).append(number)
        if not wants:
            return
        place = folder / str(len(list(folder.iterdir())))
        place.mkdir()
        write_queries(place / "q.arrow", vectors, queries)
        lines = probe_lines(blocks_of(index.blocks, wants), wants)
        extra = ["--plain-d", d] if d < index.facts.d else []
        extra += removed_arguments(index.removed)
        manifest = write_manifest(place / "manifest", lines)
        arguments = ["--queries", place / "q.arrow", *extra, *manifest]
        found, _ = run_and_read(place, MRProbeIndex, *arguments)
        yield from ((int(number), answers) for number, answers in found)

    return scorer


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_answers_are_those_of_the_job(place, tmp_path, options):
    folder, world = place
    workspace = Workspace(str(folder))
    here, index = CopiedIndex(workspace, Copies(workspace, None)), SearchIndex(workspace)
    ids = [*world.ids[:9], world.ids[47]]  # some are equal, the last is a zero vector
    assert not world.x[47].any()
    for some in (ids, ids[:1], ids[-1:]):
        expected = answered(index, by_job(tmp_path), pictures(index, some), options)
        assert answered(here, probe_here, pictures(here, some), options) == expected
        assert answered(index, probe_here, pictures(index, some), options) == expected


ASKED = st.fixed_dictionaries(
    {},
    optional={
        "top_k": st.integers(1, 40),
        "probe": st.integers(1, 7),
        "label": st.sampled_from(["Lion", "Owl", "Zebra"]),
        "style": st.sampled_from(["same", "photo", "drawing", "any"]),
        "min_ppi": st.sampled_from([1.0, 30.0, 49.5]),
        "license": st.sampled_from(["by/2.0", "example"]),
        "subset": st.sampled_from(["train", "test"]),
        "features": st.sampled_from(["new", "plain"]),
        "rank_by": st.sampled_from(["score", "ppi", "diverse"]),
        "exclude_self": st.booleans(),
    },
)


def by_tasks(index, vectors, queries, cells, d):
    """Scores cells as tasks of the job do, a block or a few each, and a reducer after them."""
    given, wants = GivenQueries(vectors, queries), queries_by_cell(cells)
    best: dict[int, list] = {}
    for line in probe_lines(blocks_of(index.blocks, wants), wants):
        task = Probe(given, d)
        task.read(list(reads_of(line)), index.removed)
        for number, answers in task.answers():
            best.setdefault(number, []).append(answers)
    yield from ((number, merged(given[number], lists)) for number, lists in sorted(best.items()))


@pytest.fixture(scope="module")
def opened(place) -> tuple[CopiedIndex, SearchIndex]:
    workspace = Workspace(str(place[0]))
    return CopiedIndex(workspace, Copies(workspace, None)), SearchIndex(workspace)


@settings(deadline=None, max_examples=30)
@given(ASKED, st.lists(st.integers(0, 299), min_size=1, max_size=9, unique=True))
def test_what_is_read_is_answered_as_by_tasks_and_from_a_copy(place, opened, options, numbers):
    here, index = opened
    ids = [place[1].ids[i] for i in numbers]
    read = answered(index, probe_here, pictures(index, ids), options)
    assert answered(here, probe_here, pictures(here, ids), options) == read
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mapsight.search.probe_plan.BATCH_BYTES", 9000)
        assert answered(index, by_tasks, pictures(index, ids), options) == read


def test_what_is_much_is_left_to_a_job(place):
    index = SearchIndex(Workspace(str(place[0])))
    every = [np.arange(len(index.centres))]
    size = index.bytes_of(range(len(index.centres)))
    assert size == index.cell_bytes.sum() > 0
    assert is_small(index, every, size) and not is_small(index, every, size - 1)
    assert is_small(index, every * COMPARED, size)
    assert not is_small(index, every * (COMPARED + 1), size)
    assert is_small(index, [np.arange(0)], 1)


def test_what_was_removed_is_hidden_as_in_the_job(tmp_path):
    world = indexed(tmp_path / "w")
    workspace = Workspace(str(tmp_path / "w"))
    gone = world.ids[:40:2]
    (tmp_path / "w/removed").mkdir()
    write_ids_file(id_table((image_id, 1) for image_id in gone), str(tmp_path / "w/removed/gone"))
    removals = Removals("removed/gone", len(gone), sha256_of(tmp_path / "w/removed/gone"))
    write_changes(workspace, Changes(removals=removals))
    here, index = CopiedIndex(workspace, Copies(workspace, None)), SearchIndex(workspace)
    (tmp_path / "jobs").mkdir()
    options = {"probe": world.k, "top_k": 300}
    expected = answered(
        index, by_job(tmp_path / "jobs"), pictures(index, world.ids[1:9:2]), options
    )
    for one in (here, index):
        assert answered(one, probe_here, pictures(one, world.ids[1:9:2]), options) == expected
    found = Searcher(str(tmp_path / "w")).search(world.ids[1], 300, probe=world.k, style="any")
    assert {row["image_id"] for row in found} == set(world.ids) - set(gone)
    assert here.rows_of(gone) == {}


def grown(folder: Path) -> tuple[IndexWorld, IndexWorld]:
    """An index of 300 rows in which 90 of other vectors take the place of those of their ids."""
    worlds = indexed(folder), indexed(folder / "added/000001", n=90)
    (folder / "removed").mkdir()
    write_ids_file(
        id_table((image_id, 1) for image_id in worlds[1].ids), str(folder / "removed/gone")
    )
    changes = Changes(
        1,
        (Addition(1, 90, "90 7 int16", "300 7 int16"),),
        Removals("removed/gone", 90, sha256_of(folder / "removed/gone")),
    )
    write_changes(Workspace(str(folder)), changes)
    return worlds


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_what_was_added_in_the_place_of_others_answers_as_in_the_job(tmp_path, options):
    old, new = grown(tmp_path / "w")
    workspace = Workspace(str(tmp_path / "w"))
    here, index = CopiedIndex(workspace, Copies(workspace, None)), SearchIndex(workspace)
    (tmp_path / "jobs").mkdir()
    ids = [*new.ids[:3], *sorted(set(old.ids) - set(new.ids))[:3]]
    rows = index.rows_of(ids)
    assert [rows[name]["part"] for name in ids] == [1] * 3 + [0] * 3
    assert (rows[ids[0]]["vector"] == new.x[0]).all()
    expected = answered(index, by_job(tmp_path / "jobs"), pictures(index, ids), options)
    for one in (here, index):
        assert answered(one, probe_here, pictures(one, ids), options) == expected


def test_additions_are_not_read_beside_an_index_that_they_are_not_of(tmp_path, monkeypatch):
    grown(tmp_path / "w")

    def then_built_anew(*arguments):
        found = collection_of(*arguments)
        path = tmp_path / "w/index/stage.json"
        path.write_bytes(dumped(json.loads(path.read_text().replace("300 7 int16", "another"))))
        return found

    monkeypatch.setattr("mapsight.search.search_index.collection_of", then_built_anew)
    with pytest.raises(Failure, match="was rebuilt while it was read"):
        SearchIndex(Workspace(str(tmp_path / "w")))


def test_ids_that_are_there_ask_the_workspace_nothing(place):
    questions = [Question(place[1].ids[0], image_id=place[1].ids[0])]
    find_rows(None, SearchIndex(Workspace(str(place[0]))), questions)
    assert questions[0].error is None and questions[0].record


def test_rows_by_id_are_those_of_the_index(place):
    workspace, world = Workspace(str(place[0])), place[1]
    here, index = CopiedIndex(workspace, Copies(workspace, None)), SearchIndex(workspace)
    found, expected = (one.rows_of([*world.ids, "nosuch"]) for one in (here, index))
    assert found.keys() == expected.keys() == set(world.ids)
    for image_id, row in expected.items():
        assert (found[image_id].pop("vector") == row.pop("vector")).all()
        assert found[image_id] == row


def test_all_cells_give_what_brute_force_gives(tmp_path):
    world = indexed(tmp_path / "w")
    searcher = Searcher(str(tmp_path / "w"))
    for q in world.x[:7]:
        found = searcher.search(q, 20, probe=world.k)
        expected = [(round(score, 6), i) for score, i in world.exact(q, 20)]
        assert [(row["score"], row["image_id"]) for row in found] == expected
        plain = searcher.search(q[:PLAIN_D], 5, features="plain", probe=world.k)
        assert [r["image_id"] for r in plain] == [i for _, i in world.exact(q, 5, d=PLAIN_D)]
    ids = searcher.search_many(world.ids[:50], 5, probe=world.k, label="Owl")
    assert {row["label"] for rows in ids for row in rows} == {"Owl"}
    assert searcher.search_many([]) == []
    with pytest.raises(ValueError, match=r"lion\.jpg: a list of queries is expected"):
        searcher.search_many("lion.jpg")


def test_labels_are_known_in_any_case(tmp_path):
    world = indexed(tmp_path / "w")
    searcher = Searcher(str(tmp_path / "w"))
    found = searcher.search(world.x[3], 5, label="oWl")
    assert found == searcher.search(world.x[3], np.int64(5), label="Owl")
    assert {row["label"] for row in found} == {"Owl"}
    assert searcher.search(world.x[3], label="other") == []


def test_vectors_of_any_length_are_the_same_query(tmp_path):
    world = indexed(tmp_path / "w")
    searcher = Searcher(str(tmp_path / "w"))
    x = world.x[3].astype(float)
    first, second = (searcher.search(scale * x, probe=world.k) for scale in (1e-9, 7.0))
    assert first == second
    assert [row["image_id"] for row in first] == [i for _, i in world.exact(world.x[3], 10)]


@pytest.mark.parametrize(
    ("query", "options", "message"),
    [
        ("nosuch", {}, "nosuch: no such file, label or image_id"),
        (np.ones(PLAIN_D + 1), {}, rf"shape \({PLAIN_D + 1},\): \({D},\) is .*or \({PLAIN_D},\)"),
        (np.zeros(PLAIN_D), {}, "a vector of zeros"),
        (np.full(D, np.nan), {}, "not finite"),
        (np.zeros(D), {"rank_by": "size"}, "rank_by 'size'"),
        (np.zeros(D), {"features": "old"}, "features 'old': one of None, new, plain"),
        (np.zeros(D), {}, "a vector of zeros"),
        (np.zeros(D, np.int16), {}, "a vector of zeros"),
        (np.arange(D) >= PLAIN_D, {"features": "plain"}, "a vector of zeros"),
        (np.ones(D), {"style": "cartoon"}, "style 'cartoon': one of same, photo, drawing, any"),
        (np.ones(D), {"style": 3}, "style 3: one of same, photo, drawing, any"),
        (np.ones(D), {"label": "Lyon"}, r"label 'Lyon': .* did you mean Lion\?"),
        (np.ones(D), {"label": "Zzz"}, "label 'Zzz': .* one of Lion, Owl, Tiger, other"),
        (np.ones(D), {"top_k": 0}, "top_k 0: 1 to 10,000"),
        (np.ones(D), {"top_k": -1}, "top_k -1: 1 to"),
        (np.ones(D), {"top_k": 10_001}, "top_k 10001: 1 to"),
        (np.ones(D), {"top_k": 2.5}, "top_k 2.5: a whole number, 1 to"),
        (np.ones(D), {"probe": 0}, "probe 0: 1 or more"),
        (np.ones(D), {"recall": 5}, "recall 5: a share, 0 to 1"),
        (np.ones(D), {"recall": np.nan}, "recall nan: a share"),
        (np.ones(D), {"min_ppi": -1}, "min_ppi -1: a number, 0 or more"),
        (np.ones(D), {"license": 2}, "license 2: text, or None"),
    ],
)
def test_what_is_no_query_is_refused(tmp_path_factory, query, options, message):
    folder = tmp_path_factory.getbasetemp() / "refused"
    if not folder.exists():
        indexed(folder)
    with pytest.raises(ValueError, match=message):
        Searcher(str(folder)).search(query, **options)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 50), st.integers(0, 99))
def test_cells_are_chosen_as_if_all_were_put_in_order(seed, k, probe, least):
    rng = np.random.default_rng(seed)
    x = rng.integers(-32767, 32768, (3, 5)) // rng.choice([1, 9999, 99999])
    centres = Centres((rng.integers(-32767, 32768, (k, 5)) // rng.choice([1, 9999])).astype("i2"))
    fitting = rng.integers(0, 3, k)
    x = x.astype("i2")
    for nearest, ranked in zip(centres.rankings(x), centres.ranked(x), strict=True):
        for n in {1, k // 2 + 1, k}:
            assert nearest(n).tolist() == ranked[:n].tolist()
        found, expected = (
            choose_nearest(nearest, fitting, probe, least),
            choose(ranked, fitting, probe, least),
        )
        assert (found[0].tolist(), found[1]) == (expected[0].tolist(), expected[1])


# ---- the copy


def copies_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("index-*"))


def test_a_copy_is_made_once_and_old_ones_are_removed(tmp_path, capsys):
    indexed(tmp_path / "w")
    Searcher(str(tmp_path / "w"))
    assert "copying" in capsys.readouterr().err
    first = copies_in(tmp_path / "w" / "copy")
    Searcher(str(tmp_path / "w"))
    assert capsys.readouterr().err == ""
    shutil.rmtree(tmp_path / "w" / "index")
    world = indexed(tmp_path / "w", n=90)
    found = Searcher(str(tmp_path / "w")).search(world.ids[0], 1, probe=world.k)
    assert found[0]["score"] == 1
    second = copies_in(tmp_path / "w" / "copy")
    assert len(first) == len(second) == 1 and first != second


def test_a_cut_copy_is_made_again(tmp_path):
    world = indexed(tmp_path / "w")
    Searcher(str(tmp_path / "w"), str(tmp_path / "c"))
    (rows,) = (tmp_path / "c").glob("*/index-*/rows.arrow")
    rows.write_bytes(rows.read_bytes()[:-9])
    found = Searcher(str(tmp_path / "w"), str(tmp_path / "c")).search(world.ids[0], 1)
    assert found[0]["score"] == 1


@pytest.mark.parametrize("name", ["cells-*.arrow", "ids-*.arrow"])
def test_a_changed_index_is_not_copied(tmp_path, name):
    indexed(tmp_path / "w")
    path = next((tmp_path / "w" / "index").glob(f"*/{name}"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises((ValueError, Failure), match=r"arrow(: bytes .*)? ha(s|ve) changed"):
        Searcher(str(tmp_path / "w"))
    assert copies_in(tmp_path / "w" / "copy") == []


def test_where_no_workspace_is_that_is_said(tmp_path):
    (tmp_path / "empty").mkdir()
    for name in ("nowhere", "empty"):
        with pytest.raises(Failure, match=f"{name}: no workspace is there"):
            Searcher(str(tmp_path / name))
    (tmp_path / "empty" / "plan").mkdir()
    with pytest.raises(Failure, match="empty: is no workspace of Mapsight"):
        Searcher(str(tmp_path / "empty"))


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path, monkeypatch):
    indexed(tmp_path / "w")
    monkeypatch.setattr("shutil.disk_usage", lambda _: Namespace(free=9))
    with pytest.raises(Failure, match=r"MB are needed; name a folder with --copy FOLDER"):
        Searcher(str(tmp_path / "w"))
    assert [path.name for path in (tmp_path / "w" / "copy").iterdir()] == ["copies.lock"]


def test_a_disk_that_fills_up_is_told_too(tmp_path):
    indexed(tmp_path / "w", n=2000)
    program = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000));"
        f"from mapsight.search.searcher import Searcher; Searcher({str(tmp_path / 'w')!r})"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", program], cwd=ROOT, capture_output=True, text=True
    )
    assert "no copy of the index: File too large" in done.stderr.splitlines()[-1]
    assert [path.name for path in (tmp_path / "w" / "copy").iterdir()] == ["copies.lock"]


def test_who_has_opened_a_copy_goes_on_when_it_is_removed(tmp_path):
    world = indexed(tmp_path / "w")
    searcher = Searcher(str(tmp_path / "w"))
    shutil.rmtree(tmp_path / "w" / "copy")
    for image_id in world.ids:
        assert searcher.index.rows_of([image_id]).keys() == {image_id}
    assert searcher.search(world.ids[0], 1)[0]["score"] == 1


def test_what_is_left_of_blocks_with_hidden_rows_is_not_kept_for_ever(tmp_path):
    n, rows, d = 100, 50, 1024
    ids = [f"{i:016x}" for i in range(n * rows)]
    schema = row_schema(d, d)
    x = np.ones((rows, d), np.int16)
    batches = (
        batch_of(ids[i : i + rows], x, [{}] * rows, schema) for i in range(0, n * rows, rows)
    )
    write_rows(tmp_path / ROWS, batches, {d})
    write_ids_file(id_table((image_id, 1) for image_id in ids[::rows]), str(tmp_path / "gone"))
    blocks = pa.table({"cell": list(range(n)), "offset": [0] * n})
    copy = IndexCopy(tmp_path, blocks, 0, 0, IdList(tmp_path / "gone"))
    before = pa.total_allocated_bytes()
    for _ in range(2):
        shown = [
            name for i in range(n) for b in copy.batches(i) for name in b["image_id"].to_pylist()
        ]
        assert shown == [name for i, name in enumerate(ids) if i % rows]
    assert pa.total_allocated_bytes() - before < n * rows * d * 2 / 2


def open_it(folder: str, ready, results) -> None:
    ready.wait()
    results.put([row["image_id"] for row in Searcher(folder).search(np.ones(D), 5, probe=7)])


def test_processes_that_come_at_once_make_one_copy(tmp_path, capfd):
    indexed(tmp_path / "w", n=2000)
    context = multiprocessing.get_context("spawn")
    ready, results = context.Barrier(3), context.Queue()
    arguments = (str(tmp_path / "w"), ready, results)
    started = [context.Process(target=open_it, args=arguments) for _ in range(3)]
    for process in started:
        process.start()
    found = [results.get(timeout=60) for _ in started]
    for process in started:
        process.join()
    assert found[0] == found[1] == found[2] and len(found[0]) == 5
    assert capfd.readouterr().err.count("copying") == 1
    assert len(copies_in(tmp_path / "w" / "copy")) == 1


def test_a_maker_that_is_killed_leaves_nothing_in_the_way(tmp_path):
    world = indexed(tmp_path / "w")
    program = (
        "import time, mapsight.search.copied_index as c;"
        "c.write_rows = lambda path, *_: (path.write_bytes(b'half'), time.sleep(60));"
        f"from mapsight.search.searcher import Searcher; Searcher({str(tmp_path / 'w')!r})"
    )
    maker = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stderr=subprocess.DEVNULL)
    half = tmp_path / "w" / "copy" / ".part" / "rows.arrow"
    deadline = time.monotonic() + 60
    while not half.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    maker.send_signal(signal.SIGKILL)
    maker.wait()
    assert Searcher(str(tmp_path / "w")).search(world.ids[0], 1)[0]["score"] == 1
    assert not half.parent.exists()


def flipped(path: Path, place: float, mask: int = 1) -> None:
    """Change a bit of a file at a share of its length."""
    data = bytearray(path.read_bytes())
    data[min(int(len(data) * place), len(data) - 1)] ^= mask
    path.write_bytes(data)


@pytest.mark.parametrize("place", [0, 0.01, 0.3, 0.5, 0.7, 0.99, 1])
def test_a_damaged_copy_is_made_again_and_answers_are_the_same(tmp_path, place, capsys):
    world = indexed(tmp_path / "w")
    asked = [*world.ids[::40], np.ones(D)]
    right = Searcher(str(tmp_path / "w")).search_many(asked, 300, probe=world.k)
    (copy,) = (tmp_path / "w" / "copy").glob("index-*")
    for path in sorted(copy.iterdir()):
        flipped(path, place)
        found = Searcher(str(tmp_path / "w")).search_many(asked, 300, probe=world.k)
        assert found == right, path.name
        assert Searcher(str(tmp_path / "w")).search_many(asked, 300, probe=world.k) == right
    assert "copying" in capsys.readouterr().err


def test_damage_that_comes_while_a_service_runs_is_noticed(tmp_path):
    world = indexed(tmp_path / "w")
    searcher, other = Searcher(str(tmp_path / "w")), Searcher(str(tmp_path / "w"))
    (rows,) = (tmp_path / "w" / "copy").glob("index-*/rows.arrow")
    with rows.open("r+b") as file:  # in place: it is mapped
        file.seek(rows.stat().st_size // 2)
        file.write(bytes(40))
    expected = [image_id for _, image_id in world.exact(world.x[0], 20)]
    for one in (searcher, other):
        found = one.search(world.ids[0], 20, probe=world.k, style="any")
        assert [row["image_id"] for row in found] == expected


def test_a_damaged_copy_that_cannot_be_made_again_is_refused_by_name(tmp_path):
    world = indexed(tmp_path / "w")
    Searcher(str(tmp_path / "w"), str(tmp_path / "c"))
    (rows,) = (tmp_path / "c").glob("*/index-*/rows.arrow")
    flipped(rows, 0.5)
    shutil.move(tmp_path / "w" / "index", tmp_path / "w" / "gone")
    copy = rows.parent
    blocks = pa.table({"cell": list(range(world.k)), "offset": [0] * world.k})
    found = IndexCopy(copy, blocks, 3, 0, IdList())
    with pytest.raises(ValueError, match=r"rows\.arrow: damaged: not what was written"):
        [found._whole(number) for number in range(world.k)]
