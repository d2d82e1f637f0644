"""`mapsight search` by the index, and `evaluate-index`, on a collection with a head and styles."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from driver.pipeline.pipeline import Pipeline
from driver.workspace.workspace import Workspace
from mapsight.index.cosines import cosines
from mapsight.search.probe_plan import mean_vector
from mapsight.search.search_index import SearchIndex
from mapsight.search.searcher import Searcher
from tests.support.lions_and_tigers import make_dataset
from tests.support.paths import ROOT
from tests.support.program import CalledProgram

CELLS = 5
PAIR = LION_ID, TIGER_ID = f"{4:016x}", f"{5:016x}"


@pytest.fixture(scope="module")
def ran(environment, made_once) -> SimpleNamespace:
    """81 pictures, half of them lions and photos, half tigers and drawings, in five cells."""

    def fill(folder: Path) -> None:
        make_dataset(folder / "open", 0, 80)
        labels = ["--target-labels", "Lion", "Tiger", "--cells", str(CELLS)]
        CalledProgram(environment, folder).ok("-r", "local", "--openimages", "open", *labels)

    folder = made_once("searched", fill)
    program = CalledProgram(environment, folder)
    frame = pd.read_parquet(folder / "workspace" / "results" / "predictions.parquet")
    return SimpleNamespace(program=program, folder=folder, frame=frame.set_index("image_id"))


def search(ran, *arguments: str) -> list[dict]:
    out = ran.program.ok("search", *arguments, "--format", "json")
    return [json.loads(line) for line in out.splitlines()]


def ids(rows: list[dict]) -> list[str]:
    return [row["image_id"] for row in rows]


QUERY = (TIGER_ID, "open/images/0000000000000007.png")


def test_all_cells_and_plain_features_are_the_search_by_features(ran):
    rest = (*QUERY, "--top-k", "15", "--exclude-self")
    every = ("--probe", str(CELLS), "--features", "plain", "--style", "any")
    found = search(ran, *rest, *every)
    expected = search(ran, *rest, "--by", "features")
    assert [{name: row[name] for name in expected[0]} for row in found] == expected
    assert {row["cell"] for row in found} <= set(range(CELLS))


def test_the_same_answers_on_other_runners(ran):
    rest = (*QUERY, "dog -tiger", "--top-k", "7", "--rank-by", "diverse", "--job")
    assert search(ran, *rest) == search(ran, *rest, "-r", "local")


@pytest.mark.parametrize(
    "asked",
    [
        [],
        ["Lion", "--mean", "--features", "plain", "--exclude-self"],
        ["tiger", "--rank-by", "diverse", "--license", "by/2.0", "--probe", "1"],
        ["big cat -tiger", "dog", "drawing of a tiger", "--top-k", "3"],
        ["vehicle", "sports car", "--rank-by", "diverse"],
        ["wild dog", "--rank-by", "ppi", "--mean"],
    ],
)
def test_without_a_job_the_answers_are_the_same_bytes(ran, asked):
    asked = [*QUERY, *asked, "--format", "json"]
    read, by_job, copied = (
        ran.program.ok("search", *asked, *how) for how in ([], ["--job"], ["--no-job"])
    )
    assert by_job and read == by_job == copied


def test_words_are_understood_and_it_is_said_how(ran):
    done = ran.program("search", "big cats -tiger", "--format", "json", "--top-k", "40")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    told = "big cats (leopard, snow leopard, Jaguar (Animal), lion, tiger, cheetah);"
    told += " without the label Tiger"
    assert f"big cats -tiger: understood as {told}\n" in done.stderr
    assert {row["understood"] for row in rows} == {told}
    assert {row["label"] for row in rows} & {"Tiger"} == set()
    assert [row["score"] for row in rows] == sorted((r["score"] for r in rows), reverse=True)


def test_words_that_are_a_label_are_the_query_of_the_label(ran):
    (one, other) = (search(ran, *asked) for asked in (["Lion"], ["a photo of lions"]))
    same = [name for name in one[0] if name not in ("query", "understood")]
    assert [[row[n] for n in same] for row in one] == [[row[n] for n in same] for row in other]


def test_words_that_are_not_known_are_no_guess(ran):
    done = ran.program("search", "sports carr")
    assert (done.returncode, done.stdout) == (1, "")
    assert "did you mean sports car, sport car, spot?" in done.stderr


def test_no_job_is_started_unless_it_is_wanted(ran, monkeypatch):
    started = []
    launched = Pipeline.collect
    monkeypatch.setattr(
        Pipeline, "collect", lambda *a, **k: started.append(a[1].title) or launched(*a, **k)
    )
    for how in ([], ["--no-job"], ["--job"], ["--by", "features"]):
        ran.program.ok("search", TIGER_ID, *how)
        assert started == {"--job": ["probe"], "--by": ["find", "search"]}.get("".join(how[:1]), [])
        started.clear()
    monkeypatch.setattr("driver.search.by_index.READ_LIMIT", 0)
    ran.program.ok("search", TIGER_ID)
    assert started == ["probe"]
    ran.program.ok("search", TIGER_ID, "--read-limit", "1")
    assert started == ["probe"]


def test_each_line_is_answered_as_it_comes(ran):
    asked = ["--no-job", "--top-k", "3", "--format", "json"]
    running = ran.program.start("search", *asked, "--queries", "-")
    for line, status in ((TIGER_ID, 3), ("nosuch", 0), (QUERY[1], 3), ("lion", 3), (QUERY[1], 3)):
        running.stdin.write(f"# the next one\n\n{line}\n")
        running.stdin.flush()
        rows = list(iter(running.stdout.readline, "\n"))
        assert "".join(rows) == (ran.program.ok("search", line, *asked[1:]) if status else "")
    _, error = running.communicate()
    assert running.returncode == 1
    assert error.splitlines()[-1].endswith(
        "nosuch: no such file, label or image_id (results/predictions.parquet lists the ids)"
    )


def test_queries_of_standard_input_are_one_job(ran):
    running = ran.program.start("search", "--queries", "-", "--format", "json")
    out, _ = running.communicate(f"{TIGER_ID}\ntiger\n")
    assert out == ran.program.ok("search", TIGER_ID, "tiger", "--format", "json")


def test_a_search_by_id_imports_neither_model_nor_runner_nor_web(ran, tmp_path):
    code = "import sys; from driver.run import main; main(sys.argv[1:]); print(*sys.modules)"
    words = ["search", TIGER_ID, "--workspace", "workspace", "--out", str(tmp_path / "answers")]
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=ran.folder, env=ran.program.environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    needless = {"ai_edge_litert", "mrjob", "psutil", "pyarrow.dataset", "http.client"}
    needless |= {"jinja2", "matplotlib", "mapsight.features.engines", "mapsight.report.report"}
    assert needless.isdisjoint(done.stdout.split())
    assert (tmp_path / "answers").read_text()


@pytest.mark.parametrize(
    ("asked", "styles"),
    [([], {"drawing"}), (["--style", "photo"], {"photo"}), (["--style", "any"], {"photo", ""})],
)
def test_styles(ran, asked, styles):
    (style,) = {ran.frame["style"][TIGER_ID]}
    found = search(ran, TIGER_ID, "--top-k", "81", *asked)
    frame = ran.frame if "any" in asked else ran.frame[ran.frame["style"].isin(styles)]
    assert style == "drawing"
    assert set(ids(found)) == set(frame.index)
    assert {row["style"] for row in found} == set(frame["style"])


def test_filters_come_before_ranking_and_starve_nothing(ran):
    rest = ["--license", "by/2.0", "--subset", "train", "--style", "any", "--probe", "1"]
    found = search(ran, LION_ID, "--top-k", "50", *rest)
    frame = ran.frame[ran.frame["license"].fillna("").str.contains("by/2.0")]
    assert set(ids(found)) == set(frame[frame["subset"] == "train"].index)
    assert {row["exhausted"] for row in found} == {True}
    few = search(ran, LION_ID, "--top-k", "2", *rest)
    assert len(few) == 2 and set(ids(few)) <= set(ids(found))


@pytest.mark.parametrize("place", [[], ["--by", "features"], ["--no-job"]])
def test_flags_are_filters_of_every_search(ran, place):
    style = ["--style", "any"] if "features" not in place else []
    asked = [LION_ID, "--top-k", "81", *style, *place]
    flagged = {i: set(names) for i, names in ran.frame["flags"].items()}
    counts = Counter(name for names in flagged.values() for name in names)
    (name, _), *_ = counts.most_common()
    assert set(ids(search(ran, *asked, "--flag", name))) == {
        i for i, names in flagged.items() if name in names
    }
    left = {i for i, names in flagged.items() if not names}
    assert set(ids(search(ran, *asked, "--no-flags"))) == left
    rest = set(ids(search(ran, *asked, "--without-flag", name)))
    assert rest == {i for i, names in flagged.items() if name not in names} and left <= rest


def test_a_label_skips_cells_without_it(ran):
    found = search(ran, LION_ID, "--label", "tiger", "--style", "any", "--top-k", "81")
    assert set(ids(found)) == set(ran.frame[ran.frame["label"] == "Tiger"].index)
    assert found[0]["probed"] == len({row["cell"] for row in found})


def test_the_name_of_a_label_is_a_query(ran):
    found = search(ran, "tiger", "--top-k", "10")
    assert Counter(row["label"] for row in found) == {"Tiger": 10}
    assert {row["query"] for row in found} == {"tiger"}


@pytest.mark.parametrize("style", ["any", "drawing"])
def test_a_label_is_the_mean_of_its_pictures(ran, style):
    index = SearchIndex(Workspace(str(ran.folder / "workspace")))
    tigers = ran.frame[ran.frame["label"] == "Tiger"]
    if style != "any":
        tigers = tigers[tigers["style"] == style]
    rows = index.rows_of(list(tigers.index))
    x = np.stack([row["vector"] for row in rows.values()])
    mean = mean_vector(x, np.ones(len(x), np.int64)).astype(float)
    scores = cosines(mean[None], x.astype(float))[0]
    every = ["--style", style, "--probe", str(CELLS), "--top-k", "81"]
    found = {row["image_id"]: row["score"] for row in search(ran, "tiger", *every)}
    for image_id, score in zip(rows, scores.tolist(), strict=True):
        assert found[image_id] == round(score, 6)


def test_the_mean_of_one_query_is_the_query(ran):
    one, mean = search(ran, TIGER_ID), search(ran, TIGER_ID, "--mean")
    assert (ids(one), one[0]["query"]) == (ids(mean), mean[0]["query"])


def test_the_mean_of_two_lies_between_them(ran):
    every = ["--style", "any", "--probe", str(CELLS), "--top-k", "81"]
    scores = [{row["image_id"]: row["score"] for row in search(ran, q, *every)} for q in PAIR]
    mean = search(ran, *PAIR, "--mean", *every)
    assert {row["query"] for row in mean} == {f"mean of {LION_ID}, {TIGER_ID}"}
    assert ran.program.ok("search", "Lion", "Tiger", "--mean").splitlines()[0] == (
        "mean of Lion, Tiger"
    )
    order = sorted(scores[0], key=lambda i: -(scores[0][i] + scores[1][i]))
    assert set(ids(mean)[:9]) == set(order[:9])
    assert set(ids(search(ran, *PAIR, "--mean", *every, "--exclude-self"))) == set(order) - set(
        PAIR
    )


def test_by_ppi_orders_the_most_alike(ran):
    alike = search(ran, TIGER_ID, "--top-k", "12")
    best = sorted(alike, key=lambda row: (-row["ppi"], row["image_id"]))[:3]
    assert ids(search(ran, TIGER_ID, "--top-k", "3", "--rank-by", "ppi")) == ids(best)


def test_copies_are_folded_into_one_answer(ran):
    twin, first = f"{80:016x}", f"{0:016x}"
    rest = [first, "--style", "any", "--top-k", "5"]
    assert {twin, first} <= set(ids(search(ran, *rest)))
    found = search(ran, *rest, "--rank-by", "diverse")
    assert found[0]["image_id"] == first and found[0]["copies"] >= 1
    assert twin not in ids(found)


def test_near_copies_are_folded_where_that_is_asked_for(ran):
    rest = [f"{0:016x}", "--style", "any", "--top-k", "5"]
    shown, folded = search(ran, *rest), search(ran, *rest, "--near-copies", "fold")
    assert folded[0]["copies"] >= 1 and len(folded) == 5
    kept = [row for row in shown if row["image_id"] in ids(folded)]
    assert ids(folded)[: len(kept)] == ids(kept)
    assert f"{80:016x}" in set(ids(shown)) - set(ids(folded))


@pytest.mark.parametrize(
    "how",
    [[], ["--near-copies", "fold"], ["--by", "features"], ["--rank-by", "ppi"], ["--job"]],
)
def test_no_answer_is_below_the_least_score(ran, how):
    rest = [TIGER_ID, *how, "--top-k", "90", "--style", "any"]
    every = search(ran, *rest)
    least = sorted(row["score"] for row in every)[20]
    some = search(ran, *rest, "--min-score", str(least))
    assert ids(some) == [row["image_id"] for row in every if row["score"] >= least]


def test_a_score_is_told_as_a_per_cent_too(ran):
    rows = search(ran, TIGER_ID, "big cat")
    assert [row["percent"] for row in rows] == [round(100 * row["score"], 1) for row in rows]
    assert {row["percent"] for row in search(ran, TIGER_ID, "--by", "label")} == {None}


@pytest.mark.parametrize(
    "limits",
    [
        ["--style", "drawing"],
        ["--style", "same", "--min-ppi", "1"],
        ["--license", "by/2.0", "--style", "any"],
        ["--subset", "train", "--style", "any"],
    ],
)
def test_filters_of_the_search_by_features_are_those_of_the_index(ran, limits):
    every = ["--probe", str(CELLS), "--features", "plain", "--top-k", "70"]
    by_index = search(ran, TIGER_ID, *limits, *every)
    by_features = search(ran, TIGER_ID, *limits, "--by", "features", "--top-k", "70")
    assert ids(by_index) == ids(by_features) and 0 < len(by_index) < 70


def test_one_bad_query_loses_nothing_else(ran):
    done = ran.program("search", "nosuch", TIGER_ID, "--format", "json")
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 10
    assert (
        "nosuch: no such file, label or image_id (results/predictions.parquet lists the ids)\n"
        in done.stderr
    )


def test_the_table_says_how_far_it_looked(ran):
    few = ["--probe", "2", "--top-k", "1"]
    text = ran.program.ok("search", TIGER_ID, *few, "--style", "any")
    assert text.splitlines()[-1].startswith("  2 cells probed, ")
    assert "; drawings only" in ran.program.ok("search", TIGER_ID, *few)
    page = ran.program.ok("search", "Tiger", TIGER_ID, "--format", "html", "--out", "page.html")
    assert (ran.folder / page.strip()).stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--by", "features", "--near-copies", "fold"], 2, "--near-copies needs --by index"),
        (["--by", "label", "--rank-by", "ppi"], 2, "--rank-by needs --by index"),
        (["--by", "index", "--head", "results/head.npz"], 2, "needs --by features"),
        (["--recall", "2"], 2, "not a share"),
        (
            ["--by", "features", "--flag", "odd_for_label"],
            2,
            "--flag odd_for_label excludes --by features: only the index knows it",
        ),
        (
            ["--no-job", "--by", "features"],
            2,
            "--no-job answers from the index and excludes --by features",
        ),
        (
            ["--no-job", "--by", "label"],
            2,
            "--no-job answers from the index and excludes --by label",
        ),
        (["--no-job", "--head", "results/head.npz"], 2, "--head FILE needs --by features"),
        (["--copy", "there"], 2, "--copy FOLDER needs --no-job"),
        (["--job", "--no-job"], 2, "--job excludes --no-job"),
        (["--job", "--read-limit", "1"], 2, "--job excludes --read-limit"),
        (["--by", "features", "--read-limit", "1"], 2, "--read-limit needs --by index"),
    ],
)
def test_mistakes_are_one_clear_line(ran, arguments, status, message):
    done = ran.program("search", TIGER_ID, *arguments)
    assert (done.returncode, message in done.stderr) == (status, True), done.stderr


def test_a_searcher_makes_vectors_of_files(ran, tmp_path):
    (tmp_path / "text.jpg").write_text("hello")
    searcher = Searcher(str(ran.folder / "workspace"))
    path = str(ran.folder / QUERY[1])
    asked = search(ran, QUERY[1], "--style", "any", "--no-job")
    found = searcher.search(searcher.vector(path), style="any")
    assert [(row["image_id"], row["score"]) for row in found] == [
        (row["image_id"], row["score"]) for row in asked
    ]
    for wrong, why in [("text.jpg", "cannot be used: not_an_image"), ("no.jpg", "no such file")]:
        with pytest.raises(ValueError, match=f"{wrong}: {why}"):
            searcher.vector(str(tmp_path / wrong))


@pytest.mark.parametrize(
    ("queries", "options"),
    [
        ([QUERY[1]], {}),
        ([TIGER_ID, QUERY[1]], {"exclude_self": True, "top_k": 3}),
        (["tiger"], {"min_ppi": 1.0, "label": "Tiger"}),
        (["Tiger", TIGER_ID], {"mean": True, "rank_by": "diverse"}),
        ([TIGER_ID], {"features": "plain", "probe": 2, "style": "any"}),
    ],
)
def test_a_searcher_answers_as_the_command_does(ran, monkeypatch, queries, options):
    monkeypatch.chdir(ran.folder)
    flags = {f"--{name.replace('_', '-')}": value for name, value in options.items()}
    typed = [[name] if value is True else [name, str(value)] for name, value in flags.items()]
    expected = search(ran, *queries, "--no-job", *itertools.chain(*typed))
    found = Searcher("workspace").search_many(queries, **options)
    assert list(itertools.chain(*found)) == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["Tigr"],
            "Tigr: no such file, label or image_id (results/predictions.parquet lists the ids);",
        ),
        (["Tigr"], "; did you mean the label Tiger?\n"),
        (["Big tiger"], "no label, and not an image_id; did you mean the label Tiger?\n"),
        (["Tiger", "--style", "photo"], "Tiger: no photo of the index has this label, but 4"),
        (["tiger", "--by", "features"], "; the name of a label is a query only --by index\n"),
        (["tiger", "--by", "label"], "; the name of a label is a query only --by index\n"),
    ],
)
def test_labels_that_are_no_query_say_why(ran, arguments, message):
    done = ran.program("search", *arguments)
    assert (done.returncode, message in done.stderr) == (1, True), done.stderr


def test_without_an_index_all_features_are_read(ran, tmp_path):
    shutil.copytree(ran.folder / "workspace", tmp_path / "w")
    shutil.rmtree(tmp_path / "w" / "index")
    done = ran.program("search", TIGER_ID, "--workspace", str(tmp_path / "w"))
    assert done.returncode == 0 and "cells" not in done.stderr
    done = ran.program("search", TIGER_ID, "--by", "index", "--workspace", str(tmp_path / "w"))
    assert "no index of its pictures" in done.stderr
    done = ran.program("search", TIGER_ID, "--no-job", "--workspace", str(tmp_path / "w"))
    assert (done.returncode, "no index of its pictures" in done.stderr) == (1, True)


def test_recall_is_a_result_and_chooses_the_probe(ran):
    table = pd.read_csv(ran.folder / "workspace" / "results" / "recall.csv")
    table = table[table["features"] == "new"].set_index("probe")
    assert (
        table.loc[CELLS, ["recall_1", "recall_10", "recall_100", "share_read"]].tolist() == [1] * 4
    )
    assert table["recall_10"].is_monotonic_increasing
    least = table.index[table["recall_10"] >= 0.95][0]
    probed = search(ran, TIGER_ID, "--style", "any", "--top-k", "1")[0]["probed"]
    assert probed == least
    all_of_them = search(ran, TIGER_ID, "--style", "any", "--top-k", "1", "--recall", "1")
    assert all_of_them[0]["probed"] == table.index[table["recall_10"] >= 1][0]


def test_evaluate_index_prints_the_same_recall(ran):
    text = ran.program.ok("evaluate-index", "--queries", "81", "--probe", "2", "--probe", "99")
    table = pd.read_csv(ran.folder / "workspace" / "results" / "recall.csv")
    expected = table[table["probe"].isin([2, CELLS])][["probe", "recall_10"]].round(4).to_numpy()
    lines = [line.split() for line in text.splitlines() if line.split()[1:3] == ["5", "81"]]
    assert [[int(line[0]), float(line[4])] for line in lines] == expected.tolist()
    assert "precision@10" in text
    verified = [line.split() for line in text.splitlines() if line.split()[:1] == ["verified"]]
    assert [(line[1], line[2]) for line in verified[:3]] == [
        ("all", "81"),
        ("Lion", "41"),
        ("Tiger", "40"),
    ]


def test_why_a_picture_was_rejected_is_told(mapsight, pictures, tmp_path):
    (tmp_path / "pictures" / f"{99:016x}.jpg").write_bytes(b"no picture")
    mapsight.ok("--images", "pictures")
    done = mapsight("search", f"{99:016x}")
    assert f"{99:016x}: this picture was rejected: not_an_image" in done.stderr


def test_many_queries_are_measured_by_the_real_command(ran):
    workspace = str(ran.folder / "workspace")
    command = [sys.executable, "-m", "benchmarks.queries", "--workspace", workspace]
    options = ["-r", "local", "--count", "1", "90", "--", "--job", "--style", "any"]
    options += ["--probe", str(CELLS)]
    done = subprocess.run(
        [*command, *options],
        cwd=ROOT, env=ran.program.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    first, head, _, *lines = done.stdout.splitlines()
    names, *rows = ([cell.strip() for cell in line.split("|")[1:-1]] for line in (head, *lines))
    one, many = (dict(zip(names, row, strict=True)) for row in rows)
    assert first.startswith("81 pictures in 5 cells")
    assert [(row["queries"], row["answers"]) for row in (one, many)] == [("1", "10"), ("90", "900")]
    assert {(row["jobs"], row["rows"]) for row in (one, many)} == {("1", "81")}
    assert one["blocks"] == many["blocks"] == str(len(SearchIndex(Workspace(workspace)).blocks))
    assert float(one["shuffled, kB"]) * 50 < float(many["shuffled, kB"])
