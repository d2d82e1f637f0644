import warnings
import xml.etree.ElementTree as ET

import matplotlib
import pytest

from mapsight.report.charts import evaluation_plots, plots
from mapsight.report.charts.chart_style import STYLE, Figure
from mapsight.report.charts.index_plots import map_chart

SVG = "{http://www.w3.org/2000/svg}"
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
    "histogram": (plots.histogram_chart, [10, 20, 40], [3, 9], "PPI"),
    "long bars": (plots.bar_chart, LONG, [10**9, 2, 3, 4, 5]),
    "long intervals": (plots.interval_chart, LONG, {"top 1": [(1.0, 0.9, 1.0)] * 5}),
    "map": (map_chart, [(0.0, 1.0, 9, "Lion"), (-1.0, 0.2, 3, LONG[0]), (1.0, 0.1, 1, LONG[2])]),
}
EMPTY = [
    (evaluation_plots.reliability_chart, {"label": []}),
    (evaluation_plots.strengths_chart, [], [], []),
    (plots.bar_chart, [], []),
    (plots.bar_chart, LABELS, [0, 0, 0]),
    (plots.interval_chart, LABELS, {"top 1": [None] * 3}),
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
    """The text of a chart, which stays text."""
    return "\n".join(e.text or "" for e in ET.fromstring(svg).iter(f"{SVG}text"))


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


def test_charts_are_in_the_font_of_the_page_and_have_colours_for_the_dark(svg):
    text = svg.decode()
    assert "'DejaVu Sans'; " not in text and "font-family: system-ui" in text
    assert "@media (prefers-color-scheme:dark)" in text and "<path" in text
    assert "fill: #ffffff" not in text.partition("</style>")[2]


@pytest.mark.parametrize(
    "call",
    [
        lambda: plots.bar_chart(["a"], [1, 2]),
        lambda: evaluation_plots.strengths_chart([1], [1, 2], [None]),
        lambda: plots.interval_chart(["a"], {"top 1": [None, None]}),
        lambda: plots.histogram_chart([1, 2], [1, 2], "PPI"),
    ],
)
def test_lengths_must_fit(call):
    with pytest.raises(ValueError, match="expected"):
        call()
