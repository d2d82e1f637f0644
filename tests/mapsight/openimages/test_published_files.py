from __future__ import annotations

import pytest

from mapsight.openimages.dataset import kind_of
from mapsight.openimages.published_files import (
    KINDS,
    SUBSETS,
    picture_bytes,
    picture_url,
    published_files,
)


def test_every_subset_has_its_files_and_all_have_their_kinds():
    files = [(file.kind, file.subset) for file in published_files(SUBSETS)]
    assert len(set(files)) == len(files) - 1  # descriptions are two
    assert {kind for kind, _ in files} == set(KINDS)
    assert {pair for pair in files if pair[1]} == {(k, s) for k in KINDS[2:] for s in SUBSETS}


def test_files_are_found_under_their_published_names():
    for file in published_files(SUBSETS):
        assert kind_of(file.name) == file.kind


def test_only_the_named_subsets_are_wanted():
    assert {file.subset for file in published_files(["test"])} == {"", "test"}


def test_a_mirror_has_the_same_paths():
    urls = [file.url for file in published_files(["test"], "http://mirror/x/")]
    assert all(url.startswith("http://mirror/x/") for url in urls)
    assert "http://mirror/x/v5/test-annotations-bbox.csv" in urls


def test_a_picture_is_in_the_public_bucket():
    url = "https://open-images-dataset.s3.amazonaws.com/train/0000000000000001.jpg"
    assert picture_url("train", "0000000000000001") == url
    assert picture_bytes() == pytest.approx(561e9 / (1_743_042 + 41_620 + 125_436), rel=0.03)


def test_an_unknown_subset_is_named():
    with pytest.raises(ValueError, match="no subset 'dev'"):
        published_files(["dev"])
