"""The report's chapter on how good predictions are: tables read, and put into words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mapsight.evaluation.accuracy import ALL
from mapsight.report.evaluation_plots import Point, reliability_chart, strengths_chart
from mapsight.report.pages import bounds
from mapsight.report.plots import Interval, interval_chart
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
    """What the template shows; tables that a run does not have are empty.

    `head` tells whether a head stands beside the model's own classes.
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
    plots: dict[str, bytes] = field(default_factory=dict)


def read_chapter(results: Path, run: Run) -> Chapter | None:
    """The chapter of a results folder; None if it is older, or nothing was verified."""
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
    """Test rows of labels and of all, with the accuracy of their five best classes.

    Of many labels they are those with most pictures.
    """
    top5 = {row["label"]: row["top5"] for row in read_accuracy(results)}
    rows = map(_row, read_rows(results / "evaluation.csv"))
    found = [{**row, "top5": top5.get(row["label"])} for row in rows if row["split"] == "test"]
    return [*map(dict, largest(found[:-1], "n")), found[-1]]


def _labels_note(labels: int) -> str:
    if labels <= MAX_LABELS:
        return ""
    return f"Of {amount(labels)} labels the {MAX_LABELS} with most pictures; all: evaluation.csv."


def _row(row: Mapping[str, str]) -> Row:
    """A row with numbers as such and its two intervals."""
    found: Row = {name: _value(name, text) for name, text in row.items()}
    found["right"], found["by_model"] = (_interval(found, prefix) for prefix in ("", "model_"))
    return found


def _value(name: str, text: str) -> Any:
    if name in ("split", "label", "group", "value", "style", "kind"):
        return text
    if not text:
        return None
    return int(text) if name in ("n", "correct", "given") else float(text)


def _interval(row: Row, prefix: str) -> Interval | None:
    share = row.get(f"{prefix}accuracy")
    return None if share is None else (share, row[f"{prefix}low"], row[f"{prefix}high"])


def _shown(interval: Interval) -> str:
    return f"{percent(interval[0])} ({bounds(interval)})"


def _fact(facts: Mapping[str, Any], prefix: str = "") -> str:
    return _shown(
        (facts[f"{prefix}accuracy"], facts[f"{prefix}low"], facts[f"{prefix}high"]),
    )


def _p(p: float) -> str:
    return f"p{NBSP}<{NBSP}0.001" if p < 0.001 else f"p{NBSP}={NBSP}{p:.2g}"


def _lead(facts: Mapping[str, Any], head: bool) -> str:
    test = facts["test"]
    if not head:
        return f"Of {amount(test['n'])} verified pictures {_fact(test)} were given the right label."
    return (
        f"Of the {amount(test['n'])} verified test pictures, on which the head was neither fitted"
        f" nor tuned, it gave {_fact(test)} the right label; the model’s own classes, on the"
        f" same pictures, {_fact(test, 'model_')}. The head alone was right on"
        f" {amount(test['only_head_right'])} of them, the model’s classes alone on"
        f" {amount(test['only_model_right'])} (McNemar’s test, {_p(test['mcnemar_p'])})."
    )


def _styles(groups: Sequence[Row]) -> list[Row]:
    rows = [row for row in groups if row["group"] == "all"]
    return [{**row, "name": STYLES[row["style"]]} for row in rows]


def _style_head(groups: Sequence[Row]) -> str:
    told = {
        row["value"]: f"{amount(row['correct'])} of {amount(row['n'])} {row['value']}s"
        for row in groups
        if (row["split"], row["group"]) == ("test", "style head")
    }
    if not told:
        return ""
    return f"The style head recognised {' and '.join(told.values())} of the test pictures."


def _calibration(facts: Mapping[str, Any]) -> str:
    told = []
    for key, name in (("calibration_error", "label"), ("style_calibration_error", "style")):
        errors = {split: facts.get(split, {}).get(key) for split in ("test", "validation")}
        known = [f"{100 * e:.1f} ({split})" for split, e in errors.items() if e is not None]
        told += [f"of the {name} {', '.join(known)}"] if known else []
    return f"Expected calibration error in percentage points: {'; '.join(told)}."


def _reliability(rows: Iterable[Mapping[str, str]]) -> dict[str, list[Point]]:
    series: dict[str, list[Point]] = {}
    for row in rows:
        if row["split"] == "test":
            name = {"label": "label is right", "style": "picture is a drawing"}[row["kind"]]
            point = (row["mean_score"], row["share"], row["low"], row["high"], row["n"])
            series.setdefault(name, []).append(tuple(map(float, point)))  # type: ignore[arg-type]
    return series


def _read_strengths(path: Path) -> list[Row]:
    return [_row(row) for row in read_rows(path)] if path.exists() else []


def _answer(fact: Mapping[str, Any]) -> tuple[str, str]:
    """Whether a measure of quality matters, and the figures that say so."""
    low, high = fact["smallest"], fact["largest"]
    where = "verified pictures" if fact["split"] == ALL else "test pictures"
    apart = low["high"] < high["low"] or high["high"] < low["low"]
    return (
        _verdict(fact),
        f"{_fact(low)} right of the {amount(low['n'])} {where} with the smallest"
        f" ({_span(fact['measure'], low)}), {_fact(high)} of the {amount(high['n'])} with the"
        f" largest ({_span(fact['measure'], high)}); the intervals"
        f" {'do not overlap' if apart else 'overlap'}. Trend over all {amount(fact['n'])}:"
        f" {_p(fact['trend']['p'])}; with label and style held fixed: {_p(fact['within']['p'])}.",
    )


def _verdict(fact: Mapping[str, Any]) -> str:
    name = MEASURES[fact["measure"]]
    whom = "the model’s own classes" if fact["by"] == "model" else "the labels given"
    trend, within = fact["trend"], fact["within"]
    if within["p"] >= SIGNIFICANT:
        if trend["p"] >= SIGNIFICANT:
            return f"No sign that {name} matters to {whom}."
        return f"{_capital(name)} does not matter to {whom} where label and style are the same."
    told = f"{_capital(name)} matters to {whom}: {'larger' if within['z'] > 0 else 'smaller'}"
    if trend["z"] * within["z"] > 0 and abs(trend["z"]) > 2 * abs(within["z"]):
        return f"{told} is better, but most of the difference is one of labels and styles."
    return f"{told} is better."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _span(measure: str, row: Mapping[str, Any]) -> str:
    low, high = row["from"], row["to"]
    if measure == "bytes":
        return f"{amount(low / 1000, 1)}–{amount(high / 1000, 1)} kB"
    return f"{low:.3g}–{high:.3g}"


def _charts(chapter: Chapter) -> dict[str, bytes]:
    who = HEAD if chapter.head else "label given"
    names = [row["label"] for row in chapter.labels]
    charts = {"quality_labels": _beside(who, names, chapter.labels)}
    for measure, rows in chapter.sizes.items():
        shown = [row for row in rows if row["split"] == "test"]
        names = [f"{_span(measure, row)}, n = {amount(row['n'])}" for row in shown]
        charts[f"quality_{measure}"] = _beside(who, names, shown)
    charts["reliability"] = reliability_chart(chapter.reliability)
    if chapter.strengths:
        charts["strengths"] = strengths_chart(
            [row["lambda"] for row in chapter.strengths],
            [row["gcv"] for row in chapter.strengths],
            [row["right"] for row in chapter.strengths],
        )
    return charts


def _beside(who: str, names: Sequence[str], rows: Sequence[Row]) -> bytes:
    series = {who: [row["right"] for row in rows]}
    if any(row["by_model"] for row in rows):
        series[MODEL] = [row["by_model"] for row in rows]
    return interval_chart(names, series)
