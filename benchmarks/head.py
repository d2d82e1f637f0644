"""How long join, fit and labelling take on made-up features, phase by phase, and what memory.

    python -m benchmarks.head [--records 2000 20000 200000]

The phases are run one after the other, each as the process that a runner starts for a task, so
that one core is used; `sort` is the system's. The ridge of scikit-learn, on all embeddings in
memory, is measured beside the fit.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from benchmarks.explore import ROOT, measured
from mapsight.labels.examples import Leaks
from mapsight.labels.fit_sums import FitPlan
from mapsight.labels.labeler import DEFAULT_TARGETS
from mapsight.records import MEASURES, OTHER

D = 1024
LABELS = (*list(DEFAULT_TARGETS)[:7], OTHER)
SUBSETS = ("train", "train", "train", "validation", "test")
BEE = "/m/01h3n"
RIDGE = """
import base64, json, sys
import numpy as np
from sklearn.linear_model import Ridge
x, y = [], []
for line in sys.stdin:
    record = json.loads(line.split("\\t", 1)[1])
    x.append(np.frombuffer(base64.b64decode(record["embedding"]), "<i2"))
    y.append(int(record["dhash"], 16) % 8)
Ridge(alpha=0.1, fit_intercept=False).fit(np.array(x, np.float64) / 32767, np.eye(8)[y])
"""


def write_features(
    features: Path, labels: Path, records: int, d: int = D, subsets: Sequence[str] = SUBSETS
) -> None:
    """Feature records and a file of labels; picture n shows label n modulo 8. Always the same."""
    rng = np.random.default_rng(1)
    centres = np.abs(rng.standard_normal((len(LABELS), d)))
    with features.open("w") as file, labels.open("w") as rows:
        rows.write("ImageID,Source,LabelName,Confidence\n")
        for number in range(records):
            kind = number % len(LABELS)
            v = np.abs(centres[kind] + rng.standard_normal(d))
            x = np.rint(v * (32767 / np.sqrt(v @ v))).astype("<i2")
            record = dict.fromkeys(MEASURES, 1.5) | {
                "source": f"pictures/{number}.jpg", "width": 500, "height": 375, "format": "JPEG",
                "dhash": f"{number:016x}", "sha256": f"{number * 0x9E3779B97F4A7C15 % 2**64:064x}",
                "shard": "shard:0", "row": number,
                "subset": subsets[number // 8 % len(subsets)],
                "top5": [["n02129165", 0.5], ["n02128385", 0.25]],
                "embedding": base64.b64encode(x.tobytes()).decode(),
            }  # fmt: skip
            image_id = f"{number:016x}"
            file.write(f"{json.dumps(image_id)}\t{json.dumps(record)}\n")
            mid = DEFAULT_TARGETS.get(LABELS[kind], BEE)
            rows.write(f"{image_id},verification,{mid},1\n{image_id},machine,{mid},0.9\n")


class Bench:
    """Runs phases in a folder and tells of them."""

    def __init__(self, folder: Path, records: int) -> None:
        self.folder, self.records = folder, records

    def phase(self, title: str, command: Sequence[str], source: Path, name: str) -> Path:
        """Run a command from a file to another; print seconds, memory and bytes."""
        target = self.folder / name
        seconds, memory = measured(command, source, target)
        sys.stdout.write(
            f"{self.records:>9,}  {title:<22} {seconds:7.1f} s {seconds / self.records * 1e6:8.0f}"
            f" s/million {memory >> 20:5} MiB {target.stat().st_size:>13,} bytes out\n"
        )
        sys.stdout.flush()
        return target

    def job(self, title: str, job: str, kind: str, source: Path, *arguments: object) -> Path:
        """Run a task of a job."""
        path = ROOT / "mr_jobs" / f"{job}.py"
        command = [sys.executable, str(path), f"--{kind}", "--step-num=0", *map(str, arguments)]
        return self.phase(title, command, source, f"{job}.{kind}")

    def sort(self, source: Path) -> Path:
        """Sort as Hadoop does between map and reduce."""
        return self.phase("  sort", ["sort", "-S", "256M"], source, f"{source.name}.sorted")

    def write(self, name: str, text: str) -> Path:
        """A side file."""
        path = self.folder / name
        path.write_text(text)
        return path


def run(folder: Path, records: int) -> None:
    """All phases over so many records."""
    bench = Bench(folder, records)
    features, labels = folder / "features.jsonl", folder / "train-annotations-human-imagelabels.csv"
    write_features(features, labels, records)
    splits = [
        {"uri": str(labels), "kind": "labels", "start": 0, "end": labels.stat().st_size},
        {"uri": str(features), "kind": "features", "start": 0, "end": 0},
    ]
    manifest = bench.write("manifest.txt", "".join(f"{json.dumps(one)}\n" for one in splits))
    mapped = bench.job("join, map", "annotate_images", "mapper", manifest)
    joined = bench.job("join, reduce", "annotate_images", "reducer", bench.sort(mapped))
    mapped.unlink()

    settings = {"targets": dict(DEFAULT_TARGETS), "parents": {}}
    targets = ["--targets", bench.write("targets.json", json.dumps(settings))]
    examples = bench.job("find examples, map", "split_examples", "mapper", joined, *targets)
    ordered = bench.sort(examples)
    bench.job("find examples, reduce", "split_examples", "reducer", ordered, *targets)

    plan = FitPlan([(label, "", max(records * 3 // 40, 1)) for label in LABELS], (0, 0))
    Leaks({}).save(folder / "leaks.npz")
    leaks = ["--leaks", folder / "leaks.npz"]
    arguments = [*targets, *leaks, "--plan", bench.write("plan.json", json.dumps(asdict(plan)))]
    sums = bench.job("fit, map", "fit_head", "mapper", joined, *arguments)
    solved = bench.job("fit, reduce", "fit_head", "reducer", sums, *arguments)
    for line in solved.read_text().splitlines():
        name, text = map(json.loads, line.split("\t", 1))
        (folder / name).write_bytes(base64.b64decode(text))
    bench.phase("  scikit-learn's ridge", [sys.executable, "-c", RIDGE], joined, "ridge")

    head = ["--head", folder / "head"]
    tried = ["--tried", folder / "tried"]
    bench.job("calibrate, map", "calibrate_head", "mapper", joined, *targets, *head, *tried, *leaks)
    bench.job("classify, map", "classify_images", "mapper", joined, *targets, *head)


def main() -> int:
    """Print a line for each phase and size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, nargs="+", default=[2_000, 20_000, 200_000])
    for records in parser.parse_args().records:
        with tempfile.TemporaryDirectory() as name:
            run(Path(name), records)
    return 0


if __name__ == "__main__":
    sys.exit(main())
