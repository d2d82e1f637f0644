"""The ways that are compared, as command lines."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.outcomes import features, labels_of_features, labels_of_parquet
from benchmarks.processes import Command

__all__ = ["Entry", "Setting", "entries"]

ROOT = Path(__file__).resolve().parent.parent
CORES = 2
JOB = ROOT / "mr_jobs" / "extract_features.py"


@dataclass(frozen=True)
class Setting:
    """What all ways are given.

    `models` are LiteRT files by precision, `one` a manifest of a split with one
    picture, `other` the interpreter of the environment that has the other programs.
    """

    pictures: Path
    models: Mapping[str, Path]
    weights: Path
    one: Path
    other: Path


@dataclass(frozen=True, eq=False)
class Entry:
    """One way on some cores; `kind` says how its labels are read."""

    way: str
    precision: str
    cores: int
    kind: str
    words: Sequence[Sequence[str]]

    @property
    def title(self) -> str:
        """Its name on the command line."""
        return f"{self.way} {self.precision} {self.cores}".strip()

    def commands(self, out: Path) -> list[Command]:
        """The programs to start at once; what they write goes below `out`."""
        shutil.rmtree(out, ignore_errors=True)
        allowed = sorted(os.sched_getaffinity(0))[: self.cores]
        # programs that share the cores have one each
        places = [allowed] if len(self.words) == 1 else [[core] for core in allowed]
        return [
            Command([word.format(out=out) for word in words], frozenset(place), _environment())
            for words, place in zip(self.words, places, strict=True)
        ]

    def labels(self, out: Path) -> dict[str, int]:
        """Top-1 class by image_id of a finished run."""
        if self.kind == "extract":
            return labels_of_features(features(out))
        return labels_of_parquet(out) if self.kind == "way" else {}

    def own_rate(self, out: Path, pictures: int) -> float | None:
        """Pictures/s without start-up as the way counts them, if it does."""
        if self.kind == "extract":
            stage = json.loads((out / "extract" / "stage.json").read_text("utf-8"))
            return pictures / stage["seconds_performing"]
        told = [json.loads(path.read_text()) for path in sorted(out.glob("own-*.json"))]
        return sum(part["pictures"] / part["seconds"] for part in told) or None


def entries(setting: Setting) -> Iterator[Entry]:
    """All of them, in the order of the table."""
    for precision, model in setting.models.items():
        for cores in range(1, CORES + 1):
            parts = [
                _way(setting, sys.executable, "bare", model, f"--part={part}", f"--of={cores}")
                for part in range(cores)
            ]
            yield Entry("bare", precision, cores, "way", parts)
    for precision, model in setting.models.items():
        for cores in range(1, CORES + 1):
            yield Entry("extract", precision, cores, "extract", [_extract(setting, model, cores)])
    float32, other = setting.models["float32"], str(setting.other)
    keras, spark = (
        _way(setting, other, n, setting.weights) for n in ("keras_predict", "spark_udf")
    )
    yield Entry("keras", "float32", CORES, "way", [keras])
    yield Entry("spark", "float32", CORES, "way", [spark])
    yield Entry("ray", "float32", CORES, "way", [_way(setting, other, "ray_data", float32)])
    mapper = [sys.executable, str(JOB), "--mapper", "--step-num=0", f"--model={float32}"]
    yield Entry("one picture, a map task", "float32", 1, "task", [[*mapper, str(setting.one)]])


def _way(setting: Setting, python: str, name: str, model: Path, *more: str) -> list[str]:
    words = [python, "-m", f"benchmarks.ways.{name}", f"--pictures={setting.pictures}"]
    return [*words, f"--model={model}", "--out={out}", *more]


def _extract(setting: Setting, model: Path, processes: int) -> list[str]:
    words = [sys.executable, str(ROOT / "driver" / "run.py"), "-r", "local", "--until", "extract"]
    words += ["--processes", str(processes), "--images", str(setting.pictures)]
    return [*words, "--model", str(model), "--workspace", "{out}"]


def _environment() -> dict[str, str]:
    """Ours, without settings that change what is run; distutils as the driver has it."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MAPSIGHT_", "PYTHON"))}
    ours = {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "2", "RAY_USAGE_STATS_ENABLED": "0"}
    return {**kept, **ours, "SETUPTOOLS_USE_DISTUTILS": "stdlib"}
