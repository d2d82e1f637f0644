"""How fast extract is beside bare model and decode, and what memory it takes.

    python benchmarks/extract.py --pictures FOLDER [--count 1000] [--large 20000]

Each way is run several times in turn on the same pictures; medians are printed
as one JSON document. The pictures are linked under new ids as often as needed.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from memory import watch  # noqa: E402

from driver.model import find_model  # noqa: E402
from mapsight.decode import decode  # noqa: E402
from mapsight.mobilenet import MobileNet  # noqa: E402
from mapsight.preprocess import central_crop  # noqa: E402
from mapsight.records import Split  # noqa: E402


def replicate(folder: Path, count: int, target: Path) -> Path:
    """`count` pictures under ids of their own, links where the file system allows."""
    target.mkdir()
    files = sorted(path for path in folder.iterdir() if path.is_file())
    for number, path in zip(range(count), itertools.cycle(files), strict=False):
        copy = target / f"{number:016x}{path.suffix}"
        try:
            copy.hardlink_to(path)
        except OSError:
            shutil.copyfile(path, copy)
    return target


def bare(folder: Path, model_path: Path) -> float:
    """Pictures/s of decode, crop and model in one thread, nothing else."""
    model = MobileNet(model_path)
    data = [path.read_bytes() for path in sorted(folder.iterdir())]
    started = time.perf_counter()
    for picture in data:
        model.predict(central_crop(decode(picture).image, model.resolution))
    return len(data) / (time.perf_counter() - started)


def pipeline(folder: Path, workspace: Path, processes: int) -> dict[str, float]:
    """Pictures/s of the extract stage (its start-up included) and peak memory."""
    command = [sys.executable, str(ROOT / "driver" / "run.py"), "-r", "local"]
    command += ["--processes", str(processes), "--images", str(folder)]
    command += ["--workspace", str(workspace), "--until", "extract"]
    cores = set(range(processes))
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )
    peaks = watch(process, every=0.1)
    if process.returncode:
        raise SystemExit(f"failed: {' '.join(command)}")
    stage = json.loads((workspace / "extract" / "stage.json").read_text())
    rate = stage["counters"]["images"]["read"] / stage["seconds_performing"]
    return {"rate": rate, **{f"{kind}_mb": size / 1e6 for kind, size in peaks.items()}}


def startup(shard: Split, model: Path) -> float:
    """Seconds of a whole map task with one picture."""
    job = ROOT / "mr_jobs" / "extract_features.py"
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, str(job), "--mapper", "--step-num=0", "--model", str(model)],
        input=shard.to_json().encode(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT), "SETUPTOOLS_USE_DISTUTILS": "stdlib"},
        check=True,
    )
    return time.perf_counter() - started


def one_picture(folder: Path, scratch: Path) -> Split:
    """A shard of a single picture."""
    from mapsight.inputs import find_inputs
    from mapsight.pack import write_shard
    from mapsight.plan import make_plan

    path = sorted(folder.iterdir())[0]
    (split,) = make_plan(find_inputs(str(path)), scratch / "one.parquet").loose
    split = Split(**{**vars(split), "uri": str(scratch / "one.parquet")})
    return write_shard(split, str(scratch / "shard.parquet"), lambda n: None)[0]


def main() -> None:
    """Run everything and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--large", type=int, default=0, help="also measure memory at this number")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    model = find_model(1.0, 224, "float32").path
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        folder = replicate(options.pictures, options.count, scratch / "pictures")
        shard = one_picture(folder, scratch)
        for number in range(options.rounds):
            os.sched_setaffinity(0, {0})
            found.setdefault("bare_per_core", []).append(bare(folder, model))
            os.sched_setaffinity(0, set(range(os.cpu_count() or 1)))
            found.setdefault("task_startup_s", []).append(startup(shard, model))
            for processes in (1, 2):
                workspace = scratch / f"w{number}-{processes}"
                for key, value in pipeline(folder, workspace, processes).items():
                    found.setdefault(f"extract_{processes}_{key}", []).append(value)
        if options.large:
            many = replicate(options.pictures, options.large, scratch / "many")
            for key, value in pipeline(many, scratch / "large", 2).items():
                found.setdefault(f"large_{key}", []).append(value)
    figures = {key: round(statistics.median(values), 3) for key, values in found.items()}
    figures |= {"pictures": options.count, "large": options.large, "rounds": options.rounds}
    figures["share_of_bare_1"] = round(figures["extract_1_rate"] / figures["bare_per_core"], 3)
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
