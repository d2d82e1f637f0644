import warnings
import xml.etree.ElementTree as ET

import matplotlib
import numpy as np
import pytest

from mapsight.report import evaluation_plots, plots
from mapsight.report.chart_style import STYLE, Figure

LABELS = ["Lion", "Tiger", "other"]
LONG = [
    "Rhinoceros with a very long name and more " * 3,
    "$x_{",
    "虎\n\x00",
    "=1<script>",
    "ligre " * 40,
]
SHARES = [(0.9, 0.8, 0.95), None, (0.5, 0.2, 0.8)]
BINS = [(0.05, 0.1, 0.0, 0.4, 9), (0.97, 1.0, 0.8, 1.0, 400)]
CHARTS = {
    "reliability": (evaluation_plots.reliability_chart, {"label": BINS, "style": BINS[:1]}),
    "strengths": (evaluation_plots.strengths_chart, [0.01, 0.1, 1], [3, 2, 4], SHARES),
    "GCV alone": (evaluation_plots.strengths_chart, [0.01, 0.1], [3, 2], [None] * 2),
    "bars": (plots.bar_chart, LABELS, [3, 2_000_000, 0]),
    "intervals": (plots.interval_chart, LABELS, {"top 1": SHARES, "top 5": SHARES}),
    "confusion": (plots.confusion_chart, LABELS, np.diag([5, 0, 7])),
    "histogram": (plots.histogram_chart, [10, 20, 40], [3, 9], "PPI"),
    "long bars": (plots.bar_chart, LONG, [10**9, 2, 3, 4, 5]),
    "long intervals": (plots.interval_chart, LONG, {"top 1": [(1.0, 0.9, 1.0)] * 5}),
    "long confusion": (plots.confusion_chart, LONG, np.full((5, 5), 10**7)),
}
EMPTY = [
    (evaluation_plots.reliability_chart, {"label": []}),
    (evaluation_plots.strengths_chart, [], [], []),
    (plots.bar_chart, [], []),
    (plots.bar_chart, LABELS, [0, 0, 0]),
    (plots.interval_chart, LABELS, {"top 1": [None] * 3}),
    (plots.confusion_chart, [], np.zeros((0, 0))),
    (plots.histogram_chart, [], [], "PPI"),
    (plots.histogram_chart, [1, 2], [0], "PPI"),
]


@pytest.fixture(scope="module", params=CHARTS)
def chart(request):
    draw, *args = CHARTS[request.param]
    return draw, args


@pytest.fixture(scope="module")
def svg(chart) -> bytes:
    draw, args = chart
    return draw(*args)


def drawn_texts(svg: bytes) -> str:
    """The text of a chart, which is drawn as outlines, from the comments beside them."""
    parser = ET.XMLParser(target=ET.TreeBuilder(insert_comments=True))
    root = ET.fromstring(svg, parser)
    return "\n".join(e.text or "" for e in root.iter() if e.tag is ET.Comment)


def test_a_chart_is_well_formed_and_always_the_same(chart, svg):
    draw, args = chart
    assert ET.fromstring(svg).tag.endswith("svg")
    assert draw(*args) == svg


def test_a_chart_that_is_drawn_once_is_what_matplotlib_draws(chart, monkeypatch):
    draw, args = chart
    once = draw(*args)
    monkeypatch.delattr(Figure, "draw")
    assert draw(*args) == once


def test_a_chart_tells_neither_time_nor_versions(svg):
    text = svg.decode()
    assert "date" not in text.lower() and matplotlib.__version__ not in text


def test_nothing_is_cut_off(chart):
    draw, args = chart
    with matplotlib.rc_context(STYLE), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        figure = draw.__wrapped__(*args)
        figure.draw_without_rendering()
        box = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height


def test_charts_are_silent_and_leave_no_global_state(chart):
    draw, args = chart
    before = dict(matplotlib.rcParams)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        draw(*args)
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize("empty", EMPTY, ids=[case[0].__name__ for case in EMPTY])
def test_empty_data_is_said_plainly(empty):
    draw, *args = empty
    assert drawn_texts(draw(*args)).strip() == "no data"


def test_bars_show_names_and_counts():
    texts = drawn_texts(plots.bar_chart(["Lion", "$Tiger$"], [1234, 5]))
    assert {"Lion", "$Tiger$", "1,234", "5"} <= {text.strip() for text in texts.splitlines()}


def test_labels_without_verified_pictures_are_named():
    assert "none verified" in drawn_texts(plots.interval_chart(LABELS, {"top 1": SHARES}))


def test_a_large_confusion_keeps_the_labels_with_most_pictures():
    labels = [f"label {n}" for n in range(60)]
    texts = drawn_texts(plots.confusion_chart(labels, np.diag(range(60))))
    assert "40 of 60 labels" in texts
    assert "label 20 (20)" in texts and "label 19 (19)" not in texts


def test_confusion_counts_are_written():
    texts = drawn_texts(plots.confusion_chart(["a", "b"], np.array([[1234, 0], [7, 0]])))
    assert "1,234" in texts and "b (7)" in texts


@pytest.mark.parametrize(
    "call",
    [
        lambda: plots.bar_chart(["a"], [1, 2]),
        lambda: evaluation_plots.strengths_chart([1], [1, 2], [None]),
        lambda: plots.interval_chart(["a"], {"top 1": [None, None]}),
        lambda: plots.confusion_chart(["a"], np.zeros((2, 2))),
        lambda: plots.histogram_chart([1, 2], [1, 2], "PPI"),
    ],
)
def test_lengths_must_fit(call):
    with pytest.raises(ValueError, match="expected"):
        call()
