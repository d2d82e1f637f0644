"""Tones and flags: against numpy, and of pictures that are made to be wrong."""

from __future__ import annotations

import doctest
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from mapsight.features.decode import Picture, decode
from mapsight.features.measures import grey_working, measure
from mapsight.features.tones import tones
from mapsight.labels import flags
from mapsight.labels.flags import FLAG_NAMES, NO_FLAGS, bits_of, flags_of, names_of, share_left
from tests.support.paths import ROOT

NOISE = Image.fromarray(np.random.default_rng(3).integers(0, 256, (256, 256), np.uint8))


def flagged(image: Image.Image) -> list[str]:
    return flags_of(measure(Picture(*image.size, "PNG", image)))


def scene(openimages_dir: Path) -> Image.Image:
    """A photo with which nothing is wrong."""
    return decode((openimages_dir / "images/28594b15ccc537ce.jpg").read_bytes()).image


def page() -> Image.Image:
    made = Image.new("RGB", (600, 800), "white")
    draw = ImageDraw.Draw(made)
    for line in range(40):
        draw.text((40, 40 + 18 * line), "A line of a letter that somebody has typed " * 2, "black")
    return made


def test_examples_in_docstrings():
    assert doctest.testmod(flags).failed == 0


def test_tones_are_numpys():
    level, found = np.asarray(NOISE).astype(int), tones(NOISE, NOISE)
    assert found["brightness"] == pytest.approx(level.mean(), abs=1e-6)
    assert found["contrast"] == pytest.approx(level.std(), abs=1e-6)
    quantiles = np.percentile(level, [5, 95], method="inverted_cdf")
    assert [found["shadows"], found["lights"]] == quantiles.tolist()


def test_crispness_is_that_of_percentiles():
    level = np.asarray(NOISE).astype(int)
    across = np.abs(np.diff(level, axis=1))[::2]
    bends = np.abs(
        level[1:-1, :-2] + level[1:-1, 2:] + level[:-2, 1:-1] + level[2:, 1:-1]
        - 4 * level[1:-1, 1:-1]
    )[::2]  # fmt: skip
    top = [np.percentile(some, 99, method="inverted_cdf") for some in (bends, across)]
    assert tones(NOISE, NOISE)["crispness"] == pytest.approx(top[0] / top[1], abs=1e-6)


def test_stripes_are_whole_and_noise_has_none():
    rows = Image.fromarray(np.repeat(np.arange(256) % 16 * 15, 256).reshape(256, 256).astype("u1"))
    assert tones(rows, rows)["stripes"] == 1.0
    assert tones(NOISE, NOISE)["stripes"] < 0.1


def test_a_flat_picture_has_no_contrast_and_one_tone():
    flat = grey_working(Image.new("L", (40, 30), 90))
    found = tones(flat, flat)
    assert (found["contrast"], found["plain"], found["flat"]) == (0.0, 1.0, 1.0)


def test_chroma_is_that_of_the_colour():
    red = Image.new("RGB", (300, 200), (200, 40, 90))
    assert tones(grey_working(red), red)["chroma"] == 160


def test_nothing_is_wrong_with_a_good_photo(openimages_dir: Path):
    assert flagged(scene(openimages_dir)) == []


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("dark", lambda photo: photo.point(lambda level: level // 3)),
        ("bright", lambda photo: photo.point(lambda level: min(166 + level // 2, 255))),
        ("low_contrast", lambda photo: photo.point(lambda level: 110 + level // 8)),
        ("blurry", lambda photo: photo.filter(ImageFilter.GaussianBlur(photo.height / 85))),
        ("low_information", lambda photo: Image.new("RGB", photo.size, (90, 140, 60))),
        ("odd_aspect_ratio", lambda photo: photo.resize((900, 200))),
        ("tiny", lambda photo: photo.resize((120, 90))),
        ("grayscale", lambda photo: photo.convert("L").convert("RGB")),
        ("document", lambda photo: page()),
    ],
)
def test_a_picture_that_is_made_wrong_is_flagged(name, change, openimages_dir: Path):
    assert name in flagged(change(scene(openimages_dir)))


def test_what_is_not_known_is_no_flag():
    assert flags_of({}) == []


def test_a_page_is_told_by_its_classes_too():
    seen = {"stripes": 0.4, "flat": 0.4, "top5": [["n06359193", 0.3]]}
    assert flags_of(seen) == ["document"]
    assert flags_of({**seen, "top5": [["n02129165", 0.3]]}) == []


def test_bits_and_names_are_the_same():
    assert bits_of(FLAG_NAMES) == NO_FLAGS
    assert names_of(NO_FLAGS) == list(FLAG_NAMES)
    assert bits_of(["unknown"]) == 0


def test_flags_take_their_share():
    assert share_left(()) == 1.0
    assert share_left(["dark", "tiny"]) == pytest.approx(0.25)


def test_the_docs_have_the_table():
    text = (ROOT / "docs/measures.md").read_text(encoding="utf-8")
    for flag in flags.FLAGS:
        assert f"| `{flag.name}` | {flag.rule} | {flag.left:g} |" in text
