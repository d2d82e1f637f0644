"""Which pictures are the same to a person, and which are only of one kind."""

from __future__ import annotations

import io
import itertools

import numpy as np
import pytest
from PIL import Image

from mapsight.duplicates.bucket import copies
from mapsight.duplicates.crops import are_parts, windows
from mapsight.duplicates.keys import is_flat
from mapsight.duplicates.likeness import best_view, detail_of
from mapsight.duplicates.tiles import SIDE, VIEWS, tile_of, view
from mapsight.features.measures import grey_working, tile
from tests.support.duplicate_records import scene, shrunk, tile_text
from tests.support.pictures import invoice

SCENES = [np.rint(shrunk(scene(np.random.default_rng(n)))).clip(0, 255) for n in range(12)]
TILES = np.stack(SCENES).astype(np.uint8)


def measured(image: Image.Image) -> np.ndarray:
    return tile_of(tile(grey_working(image)))


def saved(image: Image.Image, share: float, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    size = [round(side * share) for side in image.size]
    image.resize(size).save(buffer, "JPEG", quality=quality)
    return Image.open(buffer)


def test_four_invoices_of_a_company_are_not_copies_of_each_other():
    tiles = np.stack([measured(invoice(number)) for number in range(4)])
    pairs = np.array(list(itertools.permutations(range(4), 2)))
    assert not copies(tiles[pairs[:, 0]], tiles[pairs[:, 1]]).any()


@pytest.mark.parametrize(("share", "quality"), [(1, 20), (0.5, 30), (0.25, 80), (2, 80)])
def test_an_invoice_saved_again_is_a_copy(share, quality):
    pairs = [(measured(invoice(n)), measured(saved(invoice(n), share, quality))) for n in range(4)]
    assert copies(*map(np.stack, zip(*pairs, strict=True))).all()


@pytest.mark.parametrize("number", range(VIEWS))
def test_the_view_in_which_pictures_are_alike_is_found(number):
    (found,) = set(best_view(detail_of(view(TILES, number)), detail_of(TILES)).tolist())
    assert (view(view(TILES, number), found) == TILES).all()


def test_different_pictures_are_alike_in_no_view_and_no_part():
    pairs = np.array(list(itertools.permutations(range(len(TILES)), 2)))
    assert not copies(TILES[pairs[:, 0]], TILES[pairs[:, 1]]).any()


def test_neither_brightness_nor_contrast_matters():
    darker = np.rint(TILES * 0.6 + 11).astype(np.uint8)
    assert (best_view(detail_of(darker), detail_of(TILES)) == 0).all()


@pytest.mark.parametrize("share", [0.95, 0.9, 0.8])
def test_a_part_is_found_in_its_whole_wherever_it_is(share):
    rng = np.random.default_rng(7)
    wholes, parts = [], []
    for number in range(12):
        picture = scene(np.random.default_rng(number))
        side = round(share * 64)
        top, left = rng.integers(0, 64 - side + 1, 2)
        wholes.append(shrunk(picture))
        parts.append(shrunk(picture[top : top + side, left : left + side]))
    wholes, parts = (np.rint(np.stack(x)).clip(0, 255).astype(np.uint8) for x in (wholes, parts))
    assert are_parts(wholes, parts).mean() >= 11 / 12
    assert copies(parts, wholes).mean() >= 11 / 12


def test_windows_are_means_of_what_they_cover():
    spans, shares = windows(16, 8)
    assert spans[0].tolist() == [16, 0]
    assert (shares.sum(axis=2) == spans[:, :1]).all()
    line = np.arange(16) + 0.5
    middles = spans[:, 1:] + spans[:, :1] * (np.arange(8) + 0.5) / 8
    assert np.allclose((shares * line).sum(axis=2) / spans[:, :1], middles, atol=0.5)


LEVELS = [((0, 0), True), ((255, 252), True), ((90, 200), False)]


@pytest.mark.parametrize(("levels", "flat"), LEVELS)
def test_a_picture_of_one_colour_is_flat(levels, flat):
    pixels = np.full((SIDE, SIDE), levels[0], np.uint8)
    pixels[::2] = levels[1]
    assert is_flat(["n", "s", tile_text(pixels), ""]) == flat
