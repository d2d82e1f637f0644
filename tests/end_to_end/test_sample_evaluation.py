"""The evaluation tables of a whole run on the sample, against pandas and scikit-learn."""

from __future__ import annotations

import filecmp
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import precision_recall_fscore_support

from tests.support.program import CalledProgram, Program

TABLES = ("evaluation", "evaluation_groups", "reliability", "strengths", "suspects", "confusion")


@pytest.fixture(scope="module")
def program(environment, openimages_dir, made_once) -> Program:

    def fill(folder: Path) -> None:
        run = ("-r", "local", "--openimages", str(openimages_dir), "--workspace", "ws")
        CalledProgram(environment, folder).ok(*run)

    return CalledProgram(environment, made_once("sample", fill))


@pytest.fixture(scope="module")
def results(program) -> Path:
    return program.folder / "ws" / "results"


@pytest.fixture(scope="module")
def known(results) -> pd.DataFrame:
    """Predictions of pictures that people verified, a row a verified label."""
    frame = pd.read_parquet(results / "predictions.parquet")
    return frame[frame.truth.notna()].explode("truth").set_index("image_id", drop=False)


def read(results: Path, name: str, **wanted: str) -> pd.DataFrame:
    frame = pd.read_csv(results / f"{name}.csv", keep_default_na=False, na_values=[""])
    for column, value in wanted.items():
        frame = frame[frame[column].fillna("") == value]
    return frame


@pytest.mark.parametrize("split", ["test", "validation"])
@pytest.mark.parametrize("who", ["", "model_"])
def test_labels_are_evaluated_as_scikit_learn_does(results, known, split, who):
    rows = read(results, "evaluation", split=split).query("n > 0 and label != 'all'")
    part = known[known.split == split]
    precision, recall, f1, n = precision_recall_fscore_support(
        part.truth, part[f"{who}label"], labels=list(rows.label), zero_division=0
    )
    assert rows.n.tolist() == n.tolist()
    assert rows[f"{who}accuracy"].tolist() == pytest.approx(recall.tolist(), abs=1e-6)
    # no picture of the sample is verified to lack what it was given, and nothing else
    assert rows[f"{who}precision"].tolist() == pytest.approx(precision.tolist(), abs=1e-6)
    assert rows[f"{who}f1"].tolist() == pytest.approx(f1.tolist(), abs=1e-6)


def test_groups_of_size_are_those_of_pandas(results, known):
    for row in read(results, "evaluation_groups", split="all").itertuples():
        size = known[row.group]
        chosen = known[(size >= row._4 - 0.01) & (size < row.to)]
        if isinstance(row.style, str):
            continue
        assert abs(len(chosen) - row.n) <= 2  # an edge is rounded
        right = (chosen.model_label == chosen.truth).sum()
        assert abs(right - row.model_correct) <= 2


def test_the_reliability_diagram_is_that_of_pandas(results, known):
    part = known[known.split == "test"]
    by = part.assign(right=part.label == part.truth).groupby(
        np.minimum((part.score * 10).astype(int), 9)
    )
    rows = read(results, "reliability", kind="label", split="test")
    assert rows.n.tolist() == by.size().tolist()
    assert rows.right.tolist() == by.right.sum().tolist()
    assert rows.mean_score.tolist() == pytest.approx(by.score.mean().tolist(), abs=1e-6)


def test_the_summary_says_what_the_tables_say(results, known):
    facts = json.loads((results / "summary.json").read_text())["evaluation"]
    part = known[known.split == "test"]
    head, model = part.label == part.truth, part.model_label == part.truth
    assert (facts["test"]["n"], facts["test"]["correct"]) == (len(part), head.sum())
    assert facts["test"]["only_head_right"] == (head & ~model).sum()
    assert facts["test"]["only_model_right"] == (model & ~head).sum()


def test_the_head_took_the_strength_of_the_least_error(results):
    rows = read(results, "strengths")
    head = json.loads((results / "head.json").read_text())
    assert rows["lambda"][rows.gcv.idxmin()] == head["class_ridge"]["lambda"]


def test_suspects_are_the_confident_disagreements(results):
    frame = pd.read_parquet(results / "predictions.parquet")
    frame = frame[frame.truth.notna() & (frame.score >= 0.5)]
    wrong = frame[[label not in truth for label, truth in zip(frame.label, frame.truth)]]  # noqa: B905
    expected = wrong.sort_values(["score", "image_id"], ascending=[False, True]).image_id
    found = read(results, "suspects", reason="missed").image_id
    denied = set(read(results, "suspects", reason="absent").image_id)
    assert found.tolist() == [one for one in expected if one not in denied][: 60 - len(denied)]


def test_other_runners_and_another_count_of_tasks_give_the_same_tables(program, results):
    again = program.folder / "again"
    arguments = ["--workspace", "ws", "-r", "inline", "--force", "count", "--results", str(again)]
    program.ok("--openimages", _sample(program), *arguments)
    same, different, _ = filecmp.cmpfiles(
        results, again, [f"{name}.csv" for name in TABLES], shallow=False
    )
    assert len(same) == len(TABLES) and not different


def _sample(program: Program) -> str:
    return program.environment["MAPSIGHT_OPENIMAGES"]


def test_the_page_and_compare_tell_it(program, results):
    page = (results.parent / "report" / "index.html").read_text()
    assert "Confusion matrix" in page and "Calibration" in page and "Suspected label errors" in page
    out = program.ok("compare", "ws", "ws")
    assert out.count("\nws ") == 2 and "beware" not in out
