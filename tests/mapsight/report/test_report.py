import doctest
import filecmp

import pytest
from PIL import Image

from mapsight import collection_name
from mapsight.features import thumbnails
from mapsight.features.thumbnails import thumbnail
from mapsight.report import attention, evaluation_chapter, headline, links, pages, summary
from mapsight.report.cards import Answer, Extras, Sheet
from mapsight.report.links import anchor
from mapsight.report.report import write_report, write_search_page
from tests.support.pictures import encoded, scribble
from tests.support.predictions import MADE
from tests.support.reports import (
    HOSTILE,
    JPEG,
    RUN,
    Page,
    assert_inert,
    card,
    charts_drawn_once,
    write_chapter,
    write_results,
    write_table,
)

ORDER = ("accuracy", "attention", "distributions", "labels", "stages", "run")


@pytest.fixture
def report(tmp_path):
    """Write a report of changed results with the cards given, and parse it."""

    def make(cards=(), **changes) -> Page:
        results = write_results(tmp_path / "results", **changes)
        return Page(write_report(results, tmp_path / "out", [Sheet("Lion", "note", cards)]))

    with charts_drawn_once():
        yield make


@pytest.fixture(scope="module")
def usual(tmp_path_factory) -> Page:
    """The report of the usual results."""
    folder = tmp_path_factory.mktemp("usual")
    results = write_results(folder / "results")
    return Page(write_report(results, folder / "out", [Sheet("Lion", "note", ())]))


@pytest.fixture
def hostile(report):
    texts = dict.fromkeys(("image_id", "source", "label", "author", "title"), HOSTILE)
    return report(
        [card(**texts, license=f"javascript:{HOSTILE}")],
        label=HOSTILE,
        missing_labels=[HOSTILE],
        verified_absent={HOSTILE: {"n": 2, "predicted": 1}},
        **dict.fromkeys(("run_id", "host", "command", "started", "finished", "version"), HOSTILE),
        inputs=[HOSTILE],
        options={HOSTILE: HOSTILE},
        errors={HOSTILE: 2},
    )


@pytest.mark.parametrize("module", [attention, collection_name, links, pages, summary, thumbnails])
def test_examples_in_docstrings(module):
    assert doctest.testmod(module).failed == 0


def test_hostile_text_is_shown_and_inert(hostile):
    assert_inert(hostile)
    assert "<script>alert(1)</script>{{7*7}}" in hostile.text


def test_hostile_text_is_inert_on_the_search_page(tmp_path):
    hostile = card(title=HOSTILE, source=HOSTILE, license=f"https://[{HOSTILE}")
    answers = [Answer(HOSTILE, JPEG, HOSTILE, HOSTILE, [hostile], None, None, [HOSTILE])]
    write_search_page(tmp_path / "s.html", [*answers, Answer("q", None, "by", None, [], HOSTILE)])
    assert_inert(Page(tmp_path / "s.html"))


def test_thumbnail_names_stay_in_their_folder(report, tmp_path):
    page = report([card(image_id="../../evil"), card(image_id="A"), card(image_id="a")])
    files = {path.relative_to(tmp_path / "out").as_posix() for path in tmp_path.rglob("*.jpg")}
    shown = {image["src"] for image in page.all("img") if image["src"].startswith("thumbs/")}
    assert shown == files and len({name.lower() for name in files}) == 3


def test_thumbnails_have_sizes_alt_text_and_load_lazily(report):
    page = report([card(title="A lion")])
    row, sheet, large = [image for image in page.all("img") if image.get("loading") == "lazy"]
    assert row == sheet
    assert (row["alt"], row["width"], row["height"]) == ("A lion, Lion", "240", "160")
    assert (large["alt"], large["src"]) == (row["alt"], row["src"])
    assert all(image["alt"] for image in page.all("img"))


def test_every_local_address_exists_and_nothing_is_remote(report, tmp_path):
    page = report([card()])
    local = [address for address in page.addresses() if not address.startswith("#")]
    assert len({*local}) == 5 and all((tmp_path / "out" / address).is_file() for address in local)


def test_links_within_the_page_lead_somewhere(usual):
    ids = [attributes["id"] for _, attributes in usual.tags if "id" in attributes]
    assert {a["href"][1:] for a in usual.all("a")} <= {*ids}
    assert len(ids) == len({*ids})


def test_a_picture_opens_larger_with_what_is_known_of_it(report):
    shown = card(image_id="a b", original="https://example.org/a.jpg", author="J. Doe")
    page = report([shown, card(image_id="c", source="zoo/c.jpg")])
    views = [attributes["id"] for _, attributes in page.tags if attributes.get("class") == "large"]
    assert len(views) == 2 and {f"#{view}" for view in views} <= {
        one["href"] for one in page.all("a")
    }
    assert "https://example.org/a.jpg" in page.addresses() and "zoo/c.jpg" in page.text
    assert "mapsight search 'a b'" in page.text


def test_the_page_is_named_by_its_collection(report):
    page = report(inputs=["/data/zoo/images/"])
    assert "zoo/images – Mapsight report" in page.html.partition("</title>")[0]


def test_what_is_decided_from_comes_first(evaluated):
    places = [evaluated.html.index(f'<section id="{name}"') for name in ORDER]
    assert places == sorted(places)


def test_a_label_has_a_row_that_opens_to_its_sheets(tmp_path):
    sheets = [Sheet(name, "", [card(image_id=name)]) for name in ("Best", "Least sure")]
    results = write_results(tmp_path / "results")
    extras = Extras({"Lion": sheets})
    ranked = Sheet("Lion", "ranked by PPI", [card(image_id="r")])
    page = Page(write_report(results, tmp_path / "out", [ranked], extras=extras))
    rows = [one for one in page.all("details") if one.get("class") == "row"]
    inside = [one["id"] for one in page.all("p") if "inside" in one.get("class", "")]
    assert len(rows) == 2 and inside == [anchor("label", "Lion"), anchor("label", "other")]
    text = " ".join(page.text.split())
    assert "accuracy 80.0 %" in text
    assert text.index("Best") < text.index("Least sure") < text.index("Highest ranked")
    assert [li["class"] for li in page.all("li")] == ["card"] * 3


def test_columns_and_sections_without_content_are_left_out(report):
    page = report(verified=0, verified_absent={}, images_rejected=0, errors={})
    assert "#accuracy" in report([card()]).addresses() and "#accuracy" not in page.addresses()
    for heading in ("Confusion matrix", "Duplicates", "Quality outliers", "Rejected pictures"):
        assert heading not in page.text


def test_the_same_input_gives_the_same_bytes(tmp_path):
    results = write_results(tmp_path / "results")
    for name in "ab":
        write_report(results, tmp_path / name, [Sheet("Lion", "", [card()])])
    files = [p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*") if p.is_file()]
    assert len(files) == 6
    assert not any(filecmp.cmpfiles(tmp_path / "a", tmp_path / "b", files, shallow=False)[1:])


@pytest.mark.parametrize(
    "text",
    [
        "1,232 of 1,234 pictures classified",
        "The model has no class for Giraffe, Rhinoceros. No picture can get these labels.",
        "80.0 % 49.0–94.3",
        "the 20 most frequent of 41",
        "the picture ends before its data does",
        "Examples: the first 50 rejected pictures",
        "runs again only when its input, options or code have changed",
        "images/read",
        "17.8 for 224 × 224",
    ],
)
def test_the_report_says(usual, text):
    assert text in " ".join(usual.text.split())


def test_without_verified_labels_there_is_no_accuracy(report):
    page = report(verified=0)
    assert "Accuracy cannot be measured: no picture has a verified label." in page.text
    assert "Top-1 accuracy" not in page.text


def test_a_run_without_pictures_or_rejections(report):
    none = dict.fromkeys(("images_read", "images_extracted", "images_rejected"), 0)
    page = report(
        **none, errors={}, missing_labels=[], stages=[], ppi_histogram={"edges": [], "counts": []}
    )
    assert "No picture was rejected." in page.text and "no class for" not in page.text


def test_a_screen_makes_ppi_a_density(report):
    assert "a screen of 15.6 inches" in report(options={"screen_diagonal": 15.6}).text


def test_what_is_missing_from_results_is_an_error(tmp_path):
    (write_results(tmp_path / "results") / "labels.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"labels\.csv"):
        write_report(tmp_path / "results", tmp_path / "out", [])


@pytest.mark.parametrize(
    ("license_text", "shown"),
    [
        ("https://creativecommons.org/licenses/by/2.0/", "CC BY 2.0"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "CC0 1.0"),
        ("http://example.org/terms?a=1&b=2", "example.org"),
    ],
)
def test_a_web_address_of_a_licence_is_a_link(report, license_text, shown):
    page = report([card(license=license_text, author="J. Doe")])
    assert license_text in page.addresses() and shown in page.text and "by J. Doe" in page.text


@pytest.mark.parametrize("text", ["CC BY", "javascript:alert(1)", "https://", "//x", "data:,x"])
def test_other_licences_are_text(report, text):
    page = report([card(license=text)])
    assert text in page.text and text not in page.addresses()


def test_the_search_page_is_one_file_with_its_pictures(tmp_path):
    answers = [Answer("lion.jpg", JPEG, "features", "Lion", [card(), card(thumbnail=None)])]
    write_search_page(tmp_path / "s.html", answers)
    page = Page(tmp_path / "s.html")
    assert len(page.all("img")) == 2 and "no picture to show" in page.text
    assert all(image["src"].startswith("data:image/jpeg;base64,") for image in page.all("img"))


def test_queries_without_an_answer_say_why(tmp_path):
    none = Answer("a", None, "features", None, [])
    broken = Answer("b", None, "features", None, [], "empty: the file has no bytes")
    write_search_page(tmp_path / "s.html", [none, broken])
    text = Page(tmp_path / "s.html").text
    assert "No picture in the collection" in text and "empty: the file has no bytes" in text


def test_the_search_page_says_how_it_was_asked(tmp_path):
    folded = card(image_id="00966a975d566c45", copies=2)
    limits = ["photos only", "license with by/2.0"]
    found = Answer("a", None, "features", "Lion", [folded, card(copies=1)], limits=limits)
    broken = Answer("b.jpg", None, "features", None, [], "cannot be used: empty")
    write_search_page(tmp_path / "s.html", [found, broken], "highest PPI first")
    text = " ".join(Page(tmp_path / "s.html").text.split())
    for words in ("highest PPI first.", "and 2 near-duplicates", "and 1 near-duplicate "):
        assert words in text
    for words in ("photos only", "license with by/2.0", "Not answered:", "cannot be used: empty"):
        assert words in text
    assert "00966a975d566c45" in text
    assert "best first" not in text


def test_a_thumbnail_is_a_small_jpeg_of_the_picture(tmp_path):
    array = scribble(3, 900, 600)
    (tmp_path / "t.jpg").write_bytes(thumbnail(encoded(array)))
    with Image.open(tmp_path / "t.jpg") as small, Image.fromarray(array) as whole:
        assert (small.format, small.size) == ("JPEG", (240, 160))
        expected = whole.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
        assert small.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0)) == pytest.approx(
            expected, abs=2
        )


@pytest.mark.parametrize("data", [b"", b"<html>", JPEG[: len(JPEG) // 2]])
def test_what_cannot_be_decoded_has_no_thumbnail(data):
    assert thumbnail(data) is None


def test_a_thumbnail_needs_a_side():
    with pytest.raises(ValueError, match="got 0"):
        thumbnail(JPEG, 0)


# ---- how good it is


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory) -> Page:
    folder = tmp_path_factory.mktemp("evaluated")
    results = write_chapter(write_results(folder / "results"), MADE)
    looks = [Sheet(name, "note", [card(image_id=name)]) for name in ("taken", "suspected")]
    return Page(write_report(results, folder / "out", [], *looks))


@pytest.mark.parametrize(
    "text",
    [
        "verified test pictures, which were used neither to fit nor to tune it",
        "McNemar’s test, p",
        "Expected calibration error in percentage points: label",
        "The style head recognised",
        "generalised cross-validation",
        "No sign that PPI affects the accuracy of the predicted labels.",
        "with label and style held fixed: p =",
        "the class head scores highest",
        "and the head had too few examples",
    ],
)
def test_the_chapter_says(evaluated, text):
    assert text in " ".join(evaluated.text.split())


def test_the_chapter_shows_its_charts_and_sheets(evaluated):
    shown = {image["src"] for image in evaluated.all("img")}
    names = ("quality_labels", "quality_ppi", "quality_bytes", "reliability", "strengths")
    assert shown >= {f"plots/{name}.svg" for name in names}
    assert "plots/accuracy.svg" not in shown
    assert sum(address.startswith("thumbs/") for address in shown) == 2
    assert_inert(evaluated)


def test_without_a_head_top_5_stands_beside_top_1(tmp_path):
    made = [{**one, "split": "test"} for one in MADE]
    for one in made:
        for name in ("scores", "model_label", "style", "style_score"):
            del one[name]
    results = write_chapter(write_results(tmp_path / "results", label="Tiger"), made)
    page = Page(write_report(results, tmp_path / "out", []))
    assert "Top-1 accuracy is" in page.text
    assert "Top-5 accuracy" in page.text and "model’s own classes" not in page.text


def answer(trend: float, within: float) -> tuple[str, str]:
    """What is said of p-values, as both trends are upwards."""
    group = {"from": 1.0, "to": 2.0, "n": 9, "correct": 8, "accuracy": 0.9, "low": 0.8, "high": 1.0}
    fact = {"measure": "ppi", "split": "test", "by": "label", "n": 18}
    told = {name: {"z": 2.0, "p": p} for name, p in (("trend", trend), ("within", within))}
    return evaluation_chapter._answer({**fact, **told, "smallest": group, "largest": group})


@pytest.mark.parametrize(
    ("trend", "within", "verdict"),
    [
        (0.5, 0.5, "No sign that PPI affects the accuracy of the predicted labels."),
        (
            0.01,
            0.5,
            "PPI does not affect the accuracy of the predicted labels"
            " with label and style held fixed.",
        ),
        (0.01, 0.01, "PPI affects the accuracy of the predicted labels: larger is better."),
    ],
)
def test_whether_quality_matters_is_said_from_the_trends(trend, within, verdict):
    assert answer(trend, within)[0] == verdict
    assert "The intervals overlap." in answer(trend, within)[1]


def test_pictures_that_were_not_selected_are_not_called_classified():
    run = {"images_read": 9, "images_extracted": 4, "images_rejected": 0, "images_not_selected": 5}
    assert headline.heading(run) == "4 of 9 pictures classified"
    figures = headline.figures({**RUN, **run}, [])
    assert ("Classified", "4", "5 were not selected") in figures


def test_of_many_labels_charts_show_the_largest():
    rows = [{"label": str(n), "n": n % 100} for n in range(600)]
    shown = summary.largest(rows, "n")
    wanted = [n for n in range(600) if n % 100 > 93 or n in (93, 193, 293, 393)]
    assert [row["label"] for row in shown] == [str(n) for n in wanted]
    assert summary.largest(rows[:40], "n") == rows[:40]


def test_many_labels_that_nothing_gives_are_named_in_part(report):
    text = " ".join(report(missing_labels=[f"Bird {n}" for n in range(60)]).text.split())
    assert "Bird 10, Bird 11 and 48 more" in text
    assert "Bird 12" not in text


def test_the_chart_of_many_labels_is_no_taller_than_of_forty(tmp_path):
    rows = [{"label": f"label {n}", "mid": "", "pictures": n, "share": 0} for n in range(601)]
    heights = []
    for number in (40, 601):
        results = write_results(tmp_path / f"results{number}")
        write_table(results / "labels.csv", rows[-number:])
        write_report(results, tmp_path / str(number), [])
        chart = (tmp_path / str(number) / "plots" / "labels.svg").read_text()
        heights.append(chart.partition('height="')[2].partition('"')[0])
    assert heights[0] == heights[1]
