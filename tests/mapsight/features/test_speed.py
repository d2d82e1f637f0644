"""mapsight.features.speed: the made-up model is as large as the real one; measures are kept."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from mapsight.features import speed as module
from mapsight.features.mobilenet import interpreter
from mapsight.features.speed import Speed, convolutions, speed


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[tuple]:
    """What was measured, instead of two seconds of work."""
    calls: list[tuple] = []

    def measure(*size):
        calls.append(size)
        return {"float32": 0.02, "int8": 0.005}

    monkeypatch.setattr(module, "_measured", measure)
    return calls


def kernels(**model: object) -> list[tuple[int, ...]]:
    """Shapes of the weights of a model's convolutions, but for the classes."""
    details = interpreter(**model).get_tensor_details()
    shapes = [tuple(map(int, one["shape"])) for one in details if len(one["shape"]) == 4]
    return sorted(s for s in shapes if s[1:3] == (3, 3) or (s[1:3] == (1, 1) and 1 < s[0] < 1000))


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_the_made_up_model_has_the_layers_of_the_real_one(dtype: str, model_file):
    made_up = kernels(model_content=convolutions(0.25, 128, np.dtype(dtype)))
    assert made_up == kernels(model_path=str(model_file.path))
    assert len(made_up) == 27


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_it_ends_before_the_pooling(dtype: str):
    run = interpreter(model_content=convolutions(0.25, 128, np.dtype(dtype)))
    (output,) = run.get_output_details()
    assert (tuple(output["shape"]), output["dtype"]) == ((1, 4, 4, 256), np.dtype(dtype).type)
    run.invoke()


def test_both_are_measured_in_processor_time(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(module, "SECONDS", 0.05)
    found = speed(0.25, 128, tmp_path)
    assert 0 < found.int8 < 0.1 and 0 < found.float32 < 0.1


def test_what_was_measured_is_kept_for_this_size(tmp_path: Path, measured):
    first = speed(0.25, 128, tmp_path)
    assert speed(0.25, 128, tmp_path) == first == Speed(first.processor, 0.02, 0.005)
    assert measured == [(0.25, 128)]
    speed(1.0, 224, tmp_path)
    assert measured == [(0.25, 128), (1.0, 224)]
    assert json.loads(next(tmp_path.glob("speed_0.25_128_*")).read_text()) == asdict(first)


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"processor": "x"'])
def test_what_is_damaged_is_measured_again(tmp_path: Path, measured, content: str):
    speed(0.25, 128, tmp_path)
    next(tmp_path.glob("speed_*")).write_text(content)
    assert speed(0.25, 128, tmp_path).gain == 4
    assert len(measured) == 2


def test_a_folder_that_cannot_be_written_is_no_fault(tmp_path: Path, measured):
    (tmp_path / "file").write_text("")
    assert speed(0.25, 128, tmp_path / "file").gain == 4


def test_the_sentence_promises_nothing_that_is_not_there():
    assert "int8 is 4.0 times as fast as float32" in Speed("x", 0.02, 0.005).sentence()
    assert "int8 is no faster than float32" in Speed("x", 0.02, 0.019).sentence()
    assert "int8 is no faster than float32" in Speed("x", 0.02, 0.03).sentence()
