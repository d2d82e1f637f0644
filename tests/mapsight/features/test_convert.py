"""Conversion: checked against Keras, published whole, TensorFlow kept out of the driver."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from driver.run import main
from mapsight.features import convert
from mapsight.features.convert import ensure_model
from mapsight.features.keras_build import ConversionError, digest_of, made_up_crops, pictures_in
from mapsight.features.recipe import METHOD, Recipe, cached_record
from mapsight.files import AlteredError
from tests.support.paths import ROOT

NAME = "mobilenet_v1_0.25_128_float32"


@pytest.fixture
def cache(model_file, tmp_path: Path) -> Path:
    """A cache of the test's own that holds the built model."""
    for suffix in (".tflite", ".json"):
        shutil.copy(model_file.path.with_suffix(suffix), tmp_path)
    return tmp_path


def run(*options: str, code: str = "") -> subprocess.CompletedProcess[str]:
    what = ["-c", code] if code else ["-m", "mapsight.features.convert"]
    command = [sys.executable, *what, *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def ensure(cache: Path, weights_dir: Path, **options):
    return ensure_model(0.25, 128, "float32", cache=cache, weights=str(weights_dir), **options)


def test_record_tells_where_the_model_is_from(model_file):
    record = json.loads(model_file.path.with_suffix(".json").read_text())
    assert record["sha256"] == model_file.sha256
    assert record["weights"]["sha256"].startswith("f7082643")
    assert "batch norm folded in" in record["weights"]["origin"]
    assert set(record["versions"]) == {"tensorflow", "keras", "ai-edge-litert"}
    assert record["checks"]["made_up"]["embedding_difference"] < convert.TOLERANCE


def test_cached_model_is_used_without_tensorflow(cache: Path, weights_dir: Path):
    code = (
        "import sys; from pathlib import Path; from mapsight.features.convert import ensure_model;"
    )
    code += "ensure_model(0.25, 128, 'float32', cache=Path(sys.argv[1]), weights=sys.argv[2]);"
    code += "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    done = run(str(cache), str(weights_dir), code=code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_cached_model_is_used_without_weights(cache: Path, model_file, monkeypatch):
    monkeypatch.delenv("MAPSIGHT_WEIGHTS")
    assert ensure_model(0.25, 128, "float32", cache=cache).sha256 == model_file.sha256


def test_altered_model_is_refused(cache: Path, weights_dir: Path, model_file):
    with (cache / f"{NAME}.tflite").open("r+b") as file:
        file.seek(5000)
        file.write(b"\xff\x00\xff")
    with pytest.raises(AlteredError, match=f"{NAME}.tflite is altered: .* {model_file.sha256}"):
        ensure(cache, weights_dir)


def test_model_of_other_weights_is_built_again(cache: Path, weights_dir: Path):
    recipe = Recipe(0.25, 128, "float32", cache)
    weights = convert.find_weights(0.25, 128, explicit=str(weights_dir), cache=cache)
    assert cached_record(recipe, weights)
    assert cached_record(recipe, replace(weights, sha256="0")) is None


def test_model_without_its_record_is_built_again(cache: Path):
    (cache / f"{NAME}.json").unlink()
    assert cached_record(Recipe(0.25, 128, "float32", cache), None) is None


def test_command_prints_one_json_line(cache: Path, weights_dir: Path, model_file):
    options = f"--alpha=0.25 --resolution=128 --cache={cache} --weights={weights_dir}".split()
    done = run(*options)
    assert done.stdout.count("\n") == 1
    record = json.loads(done.stdout)
    assert record["path"] == str(cache / f"{NAME}.tflite")
    assert record["sha256"] == model_file.sha256


def test_command_fails_with_one_line(tmp_path: Path):
    done = run(f"--cache={tmp_path}", "--weights=absent.h5")
    line = "mapsight.features.convert: error: --weights absent.h5: no such file or folder\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", line)


def test_failed_conversion_says_why_and_leaves_nothing(tmp_path: Path):
    (tmp_path / "mine.h5").write_bytes(b"not HDF5")
    cache = tmp_path / "cache"
    with pytest.raises(ConversionError, match=r"mine\.h5 does not fit MobileNet 0\.25/128"):
        ensure(cache, tmp_path / "mine.h5")
    assert [path.suffix for path in cache.iterdir()] == [".lock"]


def test_missing_tensorflow_names_the_extra(weights_dir, tmp_path, monkeypatch):
    (tmp_path / "tensorflow.py").write_text("raise ModuleNotFoundError('no tensorflow')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(ConversionError, match=r"pip install 'mapsight\[model\]'$"):
        ensure(tmp_path / "cache", weights_dir)


def test_a_model_that_differs_from_keras_is_not_published():
    far = {"probability_difference": 2e-4, "embedding_difference": 0.0}
    with pytest.raises(ConversionError, match=r"differs from Keras by 0\.0002 on real pictures"):
        convert._must_agree({"real": far})
    with pytest.raises(ConversionError, match="by nan"):
        convert._must_agree({"real": {**far, "probability_difference": float("nan")}})


def test_unknown_precision_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="precision 'int4', expected float32 or int8"):
        ensure_model(0.25, 128, "int4", cache=tmp_path)


def test_int8_is_calibrated_on_the_pictures_named(weights_dir, model_cache, pictures: Path):
    options = {"weights": str(weights_dir), "cache": model_cache, "calibration": str(pictures)}
    built = ensure_model(0.25, 128, "int8", **options)
    record = json.loads(built.path.with_suffix(".json").read_text())
    assert record["calibration"]["pictures"] == 12
    assert record["calibration"]["sha256"] == digest_of(pictures_in(pictures))
    assert record["checks"]["made_up"]["cosine_mean"] > 0.99
    assert built.path.stat().st_size < 1_500_000  # float32 is 1.9 MB


def test_an_int8_model_made_in_another_way_is_built_again(cache: Path, model_file):
    recipe = Recipe(0.25, 128, "int8", cache)
    shutil.copy(model_file.path, recipe.path)
    record = json.loads(model_file.path.with_suffix(".json").read_text())
    for method, used in ((METHOD, True), ("another", False)):
        kept = record | {"calibration": {"method": method}}
        recipe.path.with_suffix(".json").write_text(json.dumps(kept))
        assert bool(cached_record(recipe, None)) is used


def test_int8_without_calibration_pictures_is_warned_of(tmp_path: Path):
    assert "nearer to those of float32" in Recipe(0.25, 128, "int8", tmp_path).warning()
    assert Recipe(0.25, 128, "int8", tmp_path, calibration="folder").warning() == ""
    assert Recipe(0.25, 128, "float32", tmp_path).warning() == ""


def test_pictures_are_chosen_the_same_way_each_time(pictures: Path):
    assert pictures_in(pictures, 5) == pictures_in(pictures, 5)
    assert len(pictures_in(pictures, 5)) == 5
    with pytest.raises(ConversionError, match="no pictures"):
        pictures_in(pictures / "none")


def test_pictures_to_check_are_not_those_of_the_calibration(pictures: Path):
    first = pictures_in(pictures, 5)
    rest = pictures_in(pictures, besides=first)
    assert len(rest) == 7 and not set(rest) & set(first)
    with pytest.raises(ConversionError, match="no other pictures"):
        pictures_in(pictures, besides=first + rest)


def test_made_up_crops_depend_on_the_seed_alone():
    one, same, other = (next(made_up_crops(32, 1, seed)) for seed in (1, 1, 2))
    assert one.tobytes() == same.tobytes() != other.tobytes()


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("nonexistent", "No such file or directory"),
        ("empty", "no pictures"),
        ("texts", "no pictures"),
        ("file.jpg", "Not a directory"),
        ("folder_named", "no pictures"),
    ],
)
@pytest.mark.parametrize("option", ["--check", "--calibration"])
def test_a_folder_to_check_on_is_looked_at_also_where_the_model_is_built(
    cache: Path, model_file, tmp_path: Path, monkeypatch, capsys, option, place, why
):
    for name in ("empty", "texts", "folder_named/x.jpg"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "texts" / "a.txt").touch()
    (tmp_path / "file.jpg").touch()
    monkeypatch.setenv("MAPSIGHT_MODEL_CACHE", str(cache))
    size = ["--alpha", "0.25", "--resolution", "128"]
    assert main(["model", *size, option, str(tmp_path / place)]) == 1
    said = capsys.readouterr()
    assert why in said.err
    assert said.out == ""


@pytest.mark.parametrize("option", ["--check", "--calibration"])
def test_a_model_that_was_given_is_compared_with_nothing(tmp_path: Path, capsys, option):
    assert main(["model", "--model", str(tmp_path / "m.tflite"), option, str(tmp_path)]) == 2
    assert f"--model FILE excludes {option}" in capsys.readouterr().err


def test_a_check_of_a_model_that_is_there_is_made_and_leaves_the_file(
    cache: Path, weights_dir: Path, model_file, pictures: Path
):
    path = cache / f"{NAME}.tflite"
    before = path.read_bytes()
    said: list[str] = []
    options = {"weights": str(weights_dir), "cache": cache, "check": str(pictures)}
    ensure_model(0.25, 128, "float32", log=said.append, **options)
    record = json.loads(path.with_suffix(".json").read_text())
    assert record["checks"]["real"]["pictures"] == 12
    assert path.read_bytes() == before
    assert said == [f"comparing {path.name} with Keras on pictures of {pictures}"]
