"""Read the tables of the evaluation and put them into the report's chapter on accuracy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from mapsight.evaluation.accuracy import ALL
from mapsight.report.charts.drawing import Drawing
from mapsight.report.charts.evaluation_plots import Point, reliability_chart, strengths_chart
from mapsight.report.charts.plots import Interval, interval_chart
from mapsight.report.pages import bounds
from mapsight.report.summary import MAX_LABELS, Run, largest, read_accuracy, read_rows
from mapsight.text import amount, percent

__all__ = ["Chapter", "read_chapter"]

Row = dict[str, Any]

STYLES = {"": "All pictures", "photo": "Photos", "drawing": "Drawings"}
MEASURES = {"ppi": "PPI", "bytes": "file size"}
HEAD, MODEL = "head", "model’s own classes"
SIGNIFICANT = 0.05
NBSP = "\u00a0"


@dataclass(frozen=True)
class Chapter:
    """Hold what the template shows; tables that a run does not have are empty.

    `head` is true where a head is compared with the model's own classes.
    """

    head: bool
    lead: str
    labels: Sequence[Row]
    styles: Sequence[Row]
    cells: Sequence[Row]
    style_head: str
    calibration: str
    reliability: Mapping[str, Sequence[Point]]
    strengths: Sequence[Row]
    sizes: Mapping[str, Sequence[Row]]
    answers: Sequence[tuple[str, str]]
    labels_note: str = ""
    plots: dict[str, Drawing] = field(default_factory=dict)


def read_chapter(results: Path, run: Run) -> Chapter | None:
    """Read the chapter of a results folder; None if it is older, or nothing was verified."""
    facts = run["evaluation"]
    if not facts or not (results / "evaluation.csv").exists() or "test" not in facts:
        return None
    head = facts["test"].get("model_correct") is not None
    groups = [_row(row) for row in read_rows(results / "evaluation_groups.csv")]
    strengths = _read_strengths(results / "strengths.csv")
    chapter = Chapter(
        head,
        _lead(facts, head),
        _labels(results),
        _styles(groups),
        [r for r in groups if r["group"] == "label" and r["style"] and r["split"] == "test"],
        _style_head(groups),
        _calibration(facts),
        _reliability(read_rows(results / "reliability.csv")),
        strengths,
        {m: [r for r in groups if (r["group"], r["style"]) == (m, "")] for m in MEASURES},
        [_answer(fact) for fact in facts["quality"]],
        _labels_note(sum(1 for _ in read_rows(results / "labels.csv"))),
    )
    chapter.plots.update(_charts(chapter))
    return chapter


def _labels(results: Path) -> list[Row]:
    """Read the test rows of the most frequent labels and of all, with their top-5 accuracy."""
    top5 = {row["label"]: row["top5"] for row in read_accuracy(results)}
    rows = map(_row, read_rows(results / "evaluation.csv"))
    tested = [{**row, "top5": top5.get(row["label"])} for row in rows if row["split"] == "test"]
    return [*map(dict, largest(tested[:-1], "n")), tested[-1]]


def _labels_note(labels: int) -> str:
    if labels <= MAX_LABELS:
        return ""
    return (
        f"The {MAX_LABELS} of {amount(labels)} labels with most pictures;"
        " all are in evaluation.csv."
    )


def _row(row: Mapping[str, str]) -> Row:
    """Return a row with its numbers parsed and its two intervals."""
    parsed: Row = {name: _value(name, text) for name, text in row.items()}
    parsed["right"], parsed["by_model"] = (_interval(parsed, prefix) for prefix in ("", "model_"))
    return parsed


def _value(name: str, text: str) -> Any:
    if name in ("split", "label", "group", "value", "style", "kind"):
        return text
    if not text:
        return None
    return int(text) if name in ("n", "correct", "given") else float(text)


def _interval(row: Row, prefix: str) -> Interval | None:
    share = row.get(f"{prefix}accuracy")
    return None if share is None else (share, row[f"{prefix}low"], row[f"{prefix}high"])


def _with_bounds(interval: Interval) -> str:
    return f"{percent(interval[0])} ({bounds(interval)})"


def _fact(facts: Mapping[str, Any], prefix: str = "") -> str:
    return _with_bounds(
        (facts[f"{prefix}accuracy"], facts[f"{prefix}low"], facts[f"{prefix}high"]),
    )


def _p(p: float) -> str:
    return f"p{NBSP}<{NBSP}0.001" if p < 0.001 else f"p{NBSP}={NBSP}{p:.2g}"


def _lead(facts: Mapping[str, Any], head: bool) -> str:
    test = facts["test"]
    if not head:
        return f"Top-1 accuracy is {_fact(test)} on {amount(test['n'])} verified pictures."
    return (
        f"The head’s top-1 accuracy is {_fact(test)} on the {amount(test['n'])} verified test"
        " pictures, which were used neither to fit nor to tune it. The model’s own classes reach"
        f" {_fact(test, 'model_')} on the same pictures. Only the head is right on"
        f" {amount(test['only_head_right'])} of them, only the model’s classes on"
        f" {amount(test['only_model_right'])} (McNemar’s test, {_p(test['mcnemar_p'])})."
    )


def _styles(groups: Sequence[Row]) -> list[Row]:
    rows = [row for row in groups if row["group"] == "all"]
    return [{**row, "name": STYLES[row["style"]]} for row in rows]


def _style_head(groups: Sequence[Row]) -> str:
    recognised = [
        f"{amount(row['correct'])} of {amount(row['n'])} {row['value']}s"
        for row in groups
        if (row["split"], row["group"]) == ("test", "style head")
    ]
    if not recognised:
        return ""
    return f"The style head recognised {' and '.join(recognised)} of the test pictures."


def _calibration(facts: Mapping[str, Any]) -> str:
    errors = []
    for key, name in (("calibration_error", "label"), ("style_calibration_error", "style")):
        by_split = {split: facts.get(split, {}).get(key) for split in ("test", "validation")}
        points = [f"{100 * e:.1f} ({split})" for split, e in by_split.items() if e is not None]
        errors += [f"{name} {', '.join(points)}"] if points else []
    return f"Expected calibration error in percentage points: {'; '.join(errors)}."


def _reliability(rows: Iterable[Mapping[str, str]]) -> dict[str, list[Point]]:
    series: dict[str, list[Point]] = {}
    for row in rows:
        if row["split"] == "test":
            name = {"label": "label is correct", "style": "picture is a drawing"}[row["kind"]]
            point = (row["mean_score"], row["share"], row["low"], row["high"], row["n"])
            series.setdefault(name, []).append(tuple(map(float, point)))  # type: ignore[arg-type]
    return series


def _read_strengths(path: Path) -> list[Row]:
    return [_row(row) for row in read_rows(path)] if path.exists() else []


def _answer(fact: Mapping[str, Any]) -> tuple[str, str]:
    """Return whether a measure of quality affects accuracy, and the figures."""
    low, high, name = fact["smallest"], fact["largest"], MEASURES[fact["measure"]]
    where = "verified pictures" if fact["split"] == ALL else "test pictures"
    apart = low["high"] < high["low"] or high["high"] < low["low"]
    return (
        _verdict(fact),
        f"Accuracy is {_fact(low)} on the {amount(low['n'])} {where} with the smallest {name}"
        f" ({_span(fact['measure'], low)}) and {_fact(high)} on the {amount(high['n'])} with the"
        f" largest ({_span(fact['measure'], high)}). The intervals"
        f" {'do not overlap' if apart else 'overlap'}. Trend over all {amount(fact['n'])}:"
        f" {_p(fact['trend']['p'])}; with label and style held fixed: {_p(fact['within']['p'])}.",
    )


def _verdict(fact: Mapping[str, Any]) -> str:
    name = MEASURES[fact["measure"]]
    whose = "the model’s own classes" if fact["by"] == "model" else "the predicted labels"
    trend, within = fact["trend"], fact["within"]
    if within["p"] >= SIGNIFICANT:
        if trend["p"] >= SIGNIFICANT:
            return f"No sign that {name} affects the accuracy of {whose}."
        return (
            f"{_capital(name)} does not affect the accuracy of {whose}"
            " with label and style held fixed."
        )
    better = "larger" if within["z"] > 0 else "smaller"
    verdict = f"{_capital(name)} affects the accuracy of {whose}: {better} is better"
    if trend["z"] * within["z"] > 0 and abs(trend["z"]) > 2 * abs(within["z"]):
        return f"{verdict}, but most of the difference comes from labels and styles."
    return f"{verdict}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _span(measure: str, row: Mapping[str, Any]) -> str:
    low, high = row["from"], row["to"]
    if measure == "bytes":
        return f"{amount(low / 1000, 1)}–{amount(high / 1000, 1)} kB"
    return f"{low:.3g}–{high:.3g}"


def _charts(chapter: Chapter) -> dict[str, Drawing]:
    who = HEAD if chapter.head else "predicted label"
    names = [row["label"] for row in chapter.labels]
    charts = {"quality_labels": _beside(who, names, chapter.labels)}
    for measure, rows in chapter.sizes.items():
        tested = [row for row in rows if row["split"] == "test"]
        names = [f"{_span(measure, row)}, n = {amount(row['n'])}" for row in tested]
        charts[f"quality_{measure}"] = _beside(who, names, tested)
    charts["reliability"] = partial(reliability_chart, chapter.reliability)
    if chapter.strengths:
        charts["strengths"] = partial(
            strengths_chart,
            [row["lambda"] for row in chapter.strengths],
            [row["gcv"] for row in chapter.strengths],
            [row["right"] for row in chapter.strengths],
        )
    return charts


def _beside(who: str, names: Sequence[str], rows: Sequence[Row]) -> Drawing:
    series = {who: [row["right"] for row in rows]}
    if any(row["by_model"] for row in rows):
        series[MODEL] = [row["by_model"] for row in rows]
    return partial(interval_chart, names, series)
