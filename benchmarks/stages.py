"""What a record costs in each stage, in processor seconds and bytes, for `mapsight plan`.

    python -m benchmarks.stages --pictures FOLDER --calibration FOLDER [--count 200]

Mappers and reducers run as Hadoop Streaming runs them, on few records and on
many: the slope is what a record costs, the rest the start of a process. Processor
time (user + system, with all children) is counted, not the clock, so that a busy
machine disturbs little. Prints the figures as JSON, the form of driver/data/figures.json.
"""

from __future__ import annotations

import argparse
import dataclasses
import gzip
import io
import itertools
import json
import os
import platform
import shlex
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.pictures import usable, write_pictures
from driver.pipeline.fingerprint import ROOT
from driver.stages.model import find_model
from mapsight.features.decode import decode
from mapsight.features.models.image_model import ImageModel
from mapsight.features.preprocess import central_crop
from mapsight.inputs.find import find_inputs
from mapsight.inputs.splits import make_plan
from mapsight.labels.labeler import DEFAULT_TARGETS, resolve_targets
from mapsight.labels.ranking import RankPlan, plan_ranking
from mapsight.records import Split
from mapsight.results.predictions import merged_records, write_predictions, write_ranking
from mapsight.results.table_parts import PartsPlan, first_rows

SIZES = ((1.0, 224), (0.25, 128))
LARGE = (1024, 768)  # what Open Images pictures mostly are
REDUCED = 5000  # lines of extract's reducer
FEW = 10  # this part of the records, for the start of a process

Lines = Sequence[bytes]


class Stages:
    """Runs phases in a scratch folder and keeps the figures."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self.prefix = ""
        self.figures: dict[str, dict[str, Any]] = {}

    def tell(self, name: str, value: float, unit: str, n: int) -> None:
        name = self.prefix + name
        self.figures[name] = {"value": float(f"{value:.4g}"), "unit": unit, "n": n}
        sys.stderr.write(f"{name}: {value:.4g} {unit} (n = {n})\n")

    def phase(self, job: str, phase: str, lines: Lines, *arguments: str) -> tuple[float, Lines]:
        """(processor seconds, output lines) of a mapper or reducer over some lines."""
        command = [sys.executable, str(ROOT / "mr_jobs" / f"{job}.py"), "--step-num", "0"]
        source, sink = self.scratch / "in", self.scratch / "out"
        source.write_bytes(b"".join(lines))
        with source.open("rb") as given, sink.open("wb") as taken:
            process = subprocess.Popen(
                [*command, f"--{phase}", *arguments],
                stdin=given,
                stdout=taken,
                stderr=_LOG,
                env=_ENV,
            )
            _, status, usage = os.wait4(process.pid, 0)
        if status:
            raise RuntimeError(f"{job} --{phase} ended with status {status}")
        with sink.open("rb") as file:
            return usage.ru_utime + usage.ru_stime, file.readlines()

    def quietly(
        self, name: str, job: str, phase: str, lines: Lines, *args: str, of: int = 0
    ) -> Lines:
        """The output of a phase that is not measured."""
        return self.phase(job, phase, lines, *args)[1]

    def slope(
        self, name: str, job: str, phase: str, lines: Lines, *args: str, of: int = 0
    ) -> Lines:
        """Measure a phase on few and on all lines, of `of` pictures; its output for all."""
        few, many = max(len(lines) // FEW, 1), len(lines)
        short, _ = self.phase(job, phase, lines[:few], *args)
        long, out = self.phase(job, phase, lines, *args)
        count = of or many
        each = (long - short) / (many - few) * many / count
        self.tell(f"{name}.seconds", each, "s/picture", count)
        return out

    def tell_bytes(self, name: str, lines: Lines, count: int) -> None:
        """Bytes of a picture's lines as text and, sorted, as gzip."""
        self.tell(f"{name}.raw", sum(map(len, lines)) / count, "bytes/picture", count)
        self.tell(f"{name}.gzip", packed(sorted(lines)) / count, "bytes/picture", count)


_LOG = subprocess.DEVNULL
_ENV = {
    **os.environ,
    "PYTHONPATH": str(ROOT),
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    **({"SETUPTOOLS_USE_DISTUTILS": "stdlib"} if sys.version_info < (3, 12) else {}),
}


def spent(what: Callable[[], Any]) -> float:
    """Processor seconds of this process for a call."""
    started = time.process_time()
    what()
    return time.process_time() - started


def packed(lines: Iterable[bytes]) -> int:
    """Bytes of lines as gzip, at Hadoop's usual level."""
    return len(gzip.compress(b"".join(lines), 6))


def renamed(values: Lines, count: int) -> Lines:
    """`count` lines under ids of their own, with fewer values taken in turn."""
    ids = (number * 2654435761 for number in range(count))
    return [
        b'"%016x"\t' % name + value
        for name, value in zip(ids, itertools.cycle(values), strict=False)
    ]


def manifest(pictures: Path, count: int) -> Lines:
    import pyarrow.parquet as pq

    metadata = pq.read_metadata(pictures)
    groups = metadata.num_row_groups
    assert metadata.num_rows == count
    split = Split(str(pictures), str(pictures), 0, groups, count, pictures.stat().st_size, 0)
    return [split.to_json().encode() + b"\n"]


def measure_model(stages: Stages, files: Sequence[Path], calibration: str) -> None:
    """The model alone, one thread, on pictures that are decoded already."""
    for alpha, side in SIZES:
        crops = [central_crop(decode(file.read_bytes()).image, side) for file in files]
        for precision in ("float32", "int8"):
            found = find_model(alpha, side, precision, calibration=calibration)
            model = ImageModel(str(found.path))
            model.predict(crops[0])
            seconds = spent(lambda: [model.predict(crop) for crop in crops])  # noqa: B023
            name = f"model.{alpha}/{side}.{precision}.seconds"
            stages.tell(name, seconds / len(crops), "s/picture", len(crops))


def enlarged(files: Sequence[Path]) -> bytes:
    """A JPEG at LARGE of four pictures side by side, with as much detail as they have."""
    whole = Image.new("RGB", LARGE)
    half = LARGE[0] // 2, LARGE[1] // 2
    for number, file in enumerate(files):
        picture = decode(file.read_bytes()).image.convert("RGB")
        quarter = picture.resize(half, Image.Resampling.BICUBIC)
        whole.paste(quarter, (number % 2 * half[0], number // 2 * half[1]))
    out = io.BytesIO()
    whole.save(out, "JPEG", quality=90)
    return out.getvalue()


def measure_extract(stages: Stages, files: Sequence[Path]) -> None:
    """Everything of extract but the model, for small and large pictures."""
    folder = stages.scratch / "large"
    folder.mkdir()
    large = []
    for number in range(len(files)):
        four = [files[(number + step) % len(files)] for step in range(4)]
        large.append(folder / f"{number:06d}.jpg")
        large[-1].write_bytes(enlarged(four))
    for name, some in (("small", files), ("large", large)):
        _extract_rest(stages, name, some)


def _extract_rest(stages: Stages, name: str, files: Sequence[Path]) -> None:
    found = find_model(*SIZES[-1], "float32")
    arguments = ["--model", str(found.path), "--model-sha256", found.sha256]
    few, many = max(len(files) // FEW, 1), len(files)
    seconds = []
    for count in (few, many):
        pictures = write_pictures(files, count, stages.scratch / f"{name}-{count}.parquet")
        taken, _ = stages.phase("extract_features", "mapper", manifest(pictures, count), *arguments)
        seconds.append(taken)
    model = stages.figures[f"model.{SIZES[-1][0]}/{SIZES[-1][1]}.float32.seconds"]["value"]
    each = (seconds[1] - seconds[0]) / (many - few) - model
    size = sum(file.stat().st_size for file in files) / many
    stages.tell(f"extract.{name}.bytes", size, "bytes/picture", many)
    stages.tell(f"extract.{name}.seconds", each, "s/picture without the model", many)
    if name == "small":
        stages.tell("task.start.seconds", seconds[0] - few * (each + model), "s/task", 1)


def measure_features(stages: Stages, files: Sequence[Path]) -> Lines:
    """Bytes of records of the narrowest and of the widest model; those of the widest."""
    kept: Lines = []
    for alpha, side in reversed(SIZES):
        found = find_model(alpha, side, "float32")
        count = len(files)
        pictures = write_pictures(files, count, stages.scratch / "bytes.parquet")
        arguments = ["--model", str(found.path), "--model-sha256", found.sha256]
        _, out = stages.phase("extract_features", "mapper", manifest(pictures, count), *arguments)
        kept = [_feature(line) for line in out]
        stages.tell_bytes(f"features.{alpha}", kept, count)
    many = renamed([line.split(b"\t", 1)[1] for line in out], REDUCED)
    stages.slope("extract.reduce", "extract_features", "reducer", many, *arguments)
    return kept


def measure_ingest(stages: Stages, files: Sequence[Path]) -> None:
    """Listing loose files on the driver, and packing them."""
    folder = stages.scratch / "loose"
    folder.mkdir()
    for number, file in enumerate(files):
        (folder / f"{number:06d}.jpg").write_bytes(file.read_bytes())
    made: list[Any] = []
    seconds = spent(lambda: made.append(make_plan(find_inputs(str(folder)), stages.scratch)))
    stages.tell("plan.seconds", seconds / len(files), "s/picture, on the driver", len(files))
    (split,) = made[0].splits["files"]
    whole = dataclasses.replace(split, uri=str(stages.scratch / split.uri))
    line = whole.to_json().encode() + b"\n"
    shards = ("--shards", str(stages.scratch / "shards"))
    long, _ = stages.phase("pack_images", "mapper", [line], *shards)
    short, _ = stages.phase("count_labels", "mapper", [])  # a process that starts and ends
    size = sum(path.stat().st_size for path in (stages.scratch / "shards").iterdir())
    own = sum(file.stat().st_size for file in files)
    stages.tell("shard.overhead", (size - own) / len(files), "bytes/picture", len(files))
    stages.tell("ingest.seconds", max(long - short, 0) / len(files), "s/picture", len(files))


def measure_labels(stages: Stages, features: Lines, count: int) -> None:
    """The text stages: bytes of distinct records, seconds of many made from them."""
    settings = stages.scratch / "targets.json"
    targets = resolve_targets(list(DEFAULT_TARGETS), {})
    settings.write_text(json.dumps({"targets": targets, "parents": {}}))
    own = [line.split(b"\t", 1)[1] for line in features]
    arguments = ("--targets", str(settings))
    measure_text(stages, renamed(own, len(own)), renamed(own, count), *arguments)


def measure_text(stages: Stages, distinct: Lines, many: Lines, *arguments: str) -> None:
    """Classify, its classes, count, rank and merge: bytes of distinct records, seconds of many.

    Args:
        arguments: of classify.
    """
    for inputs, told in ((distinct, stages.tell_bytes), (many, None)):
        predictions, ranked = _labels_of(stages, inputs, told, arguments)
        measure_merge(stages, predictions, ranked, distinct=bool(told))
        measure_parts(stages, predictions, ranked, told)


def _labels_of(
    stages: Stages,
    inputs: Lines,
    told: Callable[..., None] | None,
    arguments: Sequence[str],
) -> tuple[Lines, Lines]:
    """(predictions, ranked); `told` gets bytes, or else seconds are measured."""
    count = len(inputs)
    run = stages.quietly if told else stages.slope
    told = told or (lambda *_: None)
    run("classes.map", "count_classes", "mapper", inputs)
    shuffled = run("classify.map", "classify_images", "mapper", inputs, *arguments)
    told("classify.shuffle", shuffled, count)
    predictions = run("classify.reduce", "classify_images", "reducer", sorted(shuffled), *arguments)
    told("predictions", predictions, count)
    counted = run("count.map", "count_labels", "mapper", predictions)
    rows = [json.loads(line.split(b"\t")[1]) for line in counted if line.startswith(b'["sample"]')]
    plan = plan_ranking(RankPlan("ppi", True, None, 1, None), rows[0], count, count)
    path = stages.scratch / "plan.json"
    path.write_text(json.dumps(dataclasses.asdict(plan)))
    arguments = ("--plan", str(path))
    shuffled = run("rank.map", "rank_images", "mapper", predictions, *arguments)
    told("rank.shuffle", shuffled, count)
    ranked = run("rank.reduce", "rank_images", "reducer", sorted(shuffled), *arguments, of=count)
    told("ranked", ranked, count)
    if run == stages.slope:
        stages.tell("sort.seconds", _sort_seconds(stages, shuffled), "s/line", len(shuffled))
    return predictions, ranked


def _feature(line: bytes) -> bytes:
    """The record that the reducer of extract would write for a mapper's line."""
    key, value = line.split(b"\t", 1)
    return key + b"\t" + json.dumps(json.loads(value)[1]).encode() + b"\n"


def _sort_seconds(stages: Stages, lines: Lines) -> float:
    source = stages.scratch / "sort"
    source.write_bytes(b"".join(lines))
    process = subprocess.Popen(["sort", str(source)], stdout=_LOG, env={**_ENV, "LC_ALL": "C"})
    _, _, usage = os.wait4(process.pid, 0)
    return (usage.ru_utime + usage.ru_stime) / len(lines)


def measure_merge(stages: Stages, predictions: Lines, ranked: Lines, *, distinct: bool) -> None:
    """The driver's last stage, one process on one core: bytes of distinct records, or seconds."""
    count = len(predictions)
    with tempfile.TemporaryDirectory(dir=stages.scratch) as scratch:
        folder = Path(scratch, "results")
        folder.mkdir()
        parts = {}
        for name, lines in (("predictions", predictions), ("ranked", ranked)):
            parts[name] = str(Path(scratch, f"part-{name}.gz"))
            Path(parts[name]).write_bytes(gzip.compress(b"".join(sorted(lines)), 6))
        taken = spent(lambda: write_predictions(merged_records([parts["predictions"]]), folder))
        target = folder / "ranking.parquet"
        taken += spent(lambda: write_ranking(merged_records([parts["ranked"]]), target, 12))
        size = sum(path.stat().st_size for path in folder.iterdir())
    if distinct:
        stages.tell("results.bytes", size / count, "bytes/picture", count)
    else:
        stages.tell("merge.seconds", taken / count, "s/picture, on the driver", count)


def measure_parts(
    stages: Stages, predictions: Lines, ranked: Lines, told: Callable[..., None] | None
) -> None:
    """The job that writes both tables in parts; `told` as of `_labels_of`."""
    groups = Counter(json.loads(line.split(b"\t")[0])[0] for line in ranked)
    plan = PartsPlan(starts=first_rows(groups), part_rows=len(ranked))
    path = stages.scratch / "parts_plan.json"
    path.write_text(json.dumps(dataclasses.asdict(plan)))
    arguments = ("--plan", str(path), "--tables", str(stages.scratch / "tables"))
    run, count = stages.quietly if told else stages.slope, len(predictions)
    shuffled: list[bytes] = []
    for name, lines in (("predictions", predictions), ("ranking", ranked)):
        out = run(f"parts.{name}.map", "write_tables", "mapper", lines, *arguments, of=count)
        name = f"parts.{name}.reduce"
        run(name, "write_tables", "reducer", sorted(out), *arguments, of=count)
        shuffled += out
    if told:
        told("parts.shuffle", shuffled, count)


def circumstances(module: str) -> dict[str, str]:
    """Command, machine, Python and day of a run of a module."""
    cpus = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(": ")[1] for line in cpus if line.startswith("model name")), "")
    return {
        "command": shlex.join(["python", "-m", module, *sys.argv[1:]]),
        "machine": f"{model}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.0f}",
        "python": platform.python_version(),
        "date": time.strftime("%Y-%m-%d"),
    }


def print_figures(stages: Stages, module: str) -> None:
    """All figures as JSON, each with the circumstances."""
    source = circumstances(module)
    document = {name: {**figure, **source} for name, figure in stages.figures.items()}
    sys.stdout.write(json.dumps(document, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--calibration", required=True, help="pictures to calibrate int8 with")
    parser.add_argument("--count", type=int, default=200, help="pictures")
    parser.add_argument("--records", type=int, default=20_000, help="of the text stages")
    options = parser.parse_args()
    files = usable(options.pictures)[: options.count]
    with tempfile.TemporaryDirectory() as scratch:
        stages = Stages(Path(scratch))
        measure_model(stages, files, options.calibration)
        measure_extract(stages, files)
        features = measure_features(stages, files)
        measure_ingest(stages, files)
        measure_labels(stages, features, options.records)
    print_figures(stages, "benchmarks.stages")


if __name__ == "__main__":
    main()
