"""What a run works on when no pictures are named, and what it says about that."""

from __future__ import annotations

import shutil
from argparse import Namespace
from pathlib import Path

import pytest

from driver.errors import Failure
from driver.options import defaults
from driver.options.defaults import choose_input
from driver.parser import parse
from tests.support.paths import ROOT

EXAMPLES = ROOT / "examples"
NO_PICTURES = shutil.ignore_patterns("openimages", ".*")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MAPSIGHT_OPENIMAGES", raising=False)
    return tmp_path


def chosen(*argv: str) -> Namespace:
    options = parse(argv, "mapsight")
    choose_input(options)
    return options


def test_named_pictures_are_taken_without_a_word(capsys):
    assert chosen("--images", "mine").images == ["mine"]
    assert capsys.readouterr().err == ""


def test_the_configuration_file_comes_first(folder, monkeypatch, capsys):
    monkeypatch.setenv("MAPSIGHT_OPENIMAGES", "elsewhere")
    (folder / "mapsight.toml").write_text('openimages = "configured"\n')
    assert chosen().openimages == "configured"
    said = f"configuration: {folder}/mapsight.toml\npictures: configured (from mapsight.toml)\n"
    assert capsys.readouterr().err == said


def test_the_variable_comes_second(monkeypatch, capsys):
    monkeypatch.setenv("MAPSIGHT_OPENIMAGES", "elsewhere")
    options = chosen()
    assert (options.openimages, options.model) == ("elsewhere", None)
    assert capsys.readouterr().err == "pictures: elsewhere (from $MAPSIGHT_OPENIMAGES)\n"


@pytest.mark.whole
def test_the_bundled_catalogue_comes_last_with_its_model(capsys):
    options = chosen()
    assert len(list(Path(options.openimages, "images").iterdir())) == 460
    assert options.model == str(EXAMPLES / "catalogue" / "model.tflite")
    said = capsys.readouterr().err
    assert "pictures: the drawn animals" in said and "--images" in said
    assert "model: trained on their train subset; it recognised 98.5% of 600 drawings" in said


@pytest.mark.whole
def test_a_model_that_was_asked_for_is_used_on_the_catalogue_too():
    assert chosen("--alpha", "0.25", "--resolution", "128").model is None
    assert chosen("--weights", "weights.h5").model is None
    assert chosen("--model", "mine.tflite").model == "mine.tflite"


@pytest.fixture
def installed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The examples as in an installation that cannot be written to."""
    examples = folder / "share" / "examples"
    shutil.copytree(EXAMPLES / "catalogue_art", examples / "catalogue_art")
    shutil.copy(EXAMPLES / "draw_catalogue.py", examples)
    shutil.copytree(EXAMPLES / "catalogue", examples / "catalogue", ignore=NO_PICTURES)
    monkeypatch.setattr(defaults, "_examples", lambda: examples)
    return examples


@pytest.mark.whole
def test_where_nothing_can_be_written_the_pictures_are_in_the_cache(folder, monkeypatch, request):
    drawn, cache = chosen().openimages, folder / ".cache" / "mapsight" / "catalogue"
    shutil.copytree(drawn, cache)
    request.getfixturevalue("installed")
    monkeypatch.setenv("HOME", str(folder))
    assert chosen().openimages == str(cache)


def test_pictures_that_cannot_be_drawn_are_one_line(installed, monkeypatch):
    monkeypatch.setenv("HOME", "/dev/null")
    with pytest.raises(Failure, match=r"cannot be drawn into /dev/null.*: draw_catalogue: .*"):
        chosen()
