"""Ways of labelling the same pictures, measured in turn; prints a table.

    python -m benchmarks --pictures FOLDER [--openimages FOLDER] [--count 1000] [--rounds 3]

Every round runs every way once, so that a machine that is busy for a while is
so for all. Then each runs once more while its memory is watched. A way that
fails is a row that says why. The figures go to --out as JSON and Markdown.
With --busy another process keeps each core busy all the time.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.entries import ROOT, Entry, Setting, entries
from benchmarks.figures import BARE, Row, compared, table
from benchmarks.outcomes import accuracy, agreement, features
from benchmarks.pictures import usable, write_pictures
from benchmarks.processes import ProgramError, busy, peak_memory, timed
from driver.stages.model import find_model
from mapsight.features.weights import find_weights
from mapsight.records import Split

LEAST_AGREEMENT = 0.99
OURS = ("ai-edge-litert", "numpy", "pillow", "pyarrow", "mrjob")
THEIRS = ("tensorflow", "keras", "pyspark", "ray", "ai-edge-litert")


class Contest:
    """The entries, a row of figures for each, and the labels that all must give."""

    def __init__(self, chosen: Sequence[Entry], count: int, scratch: Path) -> None:
        self.scratch = scratch
        self.rows = {
            entry: Row(
                entry.way, entry.precision, entry.cores, 0 if entry.kind == "task" else count
            )
            for entry in chosen
        }
        self.expected: dict[str, int] = {}

    def round(self) -> None:
        """Run every entry that has not failed, once."""
        for entry, row in self.rows.items():
            if not row.failure:
                self._guarded(entry, row, self._run)

    def watch_memory(self) -> None:
        """Run every entry that has not failed once more."""
        for entry, row in self.rows.items():
            if not row.failure:
                self._guarded(entry, row, self._watch)

    def _guarded(self, entry: Entry, row: Row, what: Any) -> None:
        sys.stderr.write(f"{entry.title} ")
        sys.stderr.flush()
        try:
            what(entry, row, self.scratch / "out")
        except (ProgramError, OSError, ValueError, subprocess.TimeoutExpired) as error:
            row.failure = f"{type(error).__name__}: {error}"
        told = row.failure or f"{row.seconds[-1]:.2f} s"
        sys.stderr.write(f"{told}\n")

    def _run(self, entry: Entry, row: Row, out: Path) -> None:
        row.seconds.append(timed(entry.commands(out)))
        own = entry.own_rate(out, row.pictures)
        row.own += [own] if own else []
        if row.agreement is None and entry.kind != "task":
            self._compare(row, entry.labels(out))

    def _compare(self, row: Row, labels: dict[str, int]) -> None:
        if (row.way, row.precision) == (BARE, "float32"):
            self.expected = self.expected or labels
        if not self.expected:
            return
        row.agreement = agreement(labels, self.expected)
        if row.precision == "float32" and row.agreement < LEAST_AGREEMENT:
            raise ValueError(f"only {row.agreement:.3f} of its labels are those of bare float32")

    def _watch(self, entry: Entry, row: Row, out: Path) -> None:
        row.memory = peak_memory(entry.commands(out))

    def judge(self, files: Sequence[Path], folder: Path) -> None:
        """Fill in the accuracy of extract, by the labels people verified."""
        for entry, row in self.rows.items():
            if entry.kind == "extract" and not row.failure:
                timed(entry.commands(self.scratch / "out"))
                row.accuracy = accuracy(features(self.scratch / "out"), files, folder)


def prepare(options: argparse.Namespace, files: Sequence[Path], scratch: Path) -> Setting:
    """The Parquet files, and the models built if they are missing."""
    pictures = write_pictures(files, options.count, scratch / "pictures.parquet")
    one = write_pictures(files, 1, scratch / "one.parquet")
    split = Split(str(one), str(one), 0, 1, 1, one.stat().st_size, 0)
    (scratch / "one.txt").write_text(split.to_json() + "\n")
    calibration = str(options.calibration) if options.calibration else None
    models = {
        precision: find_model(1.0, 224, precision, calibration=calibration).path.resolve()
        for precision in ("float32", "int8")
    }
    weights = find_weights(1.0, 224).path.resolve()
    return Setting(pictures, models, weights, scratch / "one.txt", options.other_python.absolute())


def circumstances(options: argparse.Namespace) -> dict[str, Any]:
    """What the figures depend on."""
    return {
        "command": shlex.join(["python", "-m", "benchmarks", *sys.argv[1:]]),
        "pictures": options.count,
        "rounds": options.rounds,
        "other_busy_processes_a_core": int(options.busy),
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in OURS},
        "versions_of_others": _versions(options.other_python),
    }


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    found = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(found, platform.processor())


def _versions(python: Path) -> dict[str, str]:
    """Of packages in another environment; none if it is not there."""
    code = "import sys; from importlib.metadata import version as v\n"
    code += "print(*map(v, sys.argv[1:]), sep='\\n')"
    try:
        done = subprocess.run([python, "-c", code, *THEIRS], capture_output=True, text=True)
    except OSError:
        return {}
    return dict(zip(THEIRS, done.stdout.split(), strict=False))


def write(out: Path, around: dict[str, Any], rows: Sequence[Row]) -> str:
    """The figures as JSON and Markdown; returns the latter."""
    documents = compared(rows)
    told = [f"- {name.replace('_', ' ')}: {value}" for name, value in around.items()]
    text = "\n".join(told) + "\n\n" + table(documents)
    out.mkdir(parents=True, exist_ok=True)
    (out / "results.json").write_text(json.dumps({**around, "rows": documents}, indent=1))
    (out / "results.md").write_text(text)
    return text


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("benchmarks", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pictures", type=Path, required=True, help="folder of loose pictures")
    parser.add_argument("--openimages", type=Path, help="folder with their metadata, for accuracy")
    parser.add_argument("--calibration", type=Path, help="folder of other pictures, for int8")
    parser.add_argument("--count", type=int, default=1000, help="pictures (default: 1000)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each way (default: 3)")
    parser.add_argument("--only", nargs="+", default=[""], help="ways whose titles begin like this")
    parser.add_argument("--busy", action="store_true", help="with one other busy process a core")
    parser.add_argument("--no-memory", action="store_true", help="do not measure memory")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results")
    other = ROOT / ".venv-bench" / "bin" / "python"
    parser.add_argument("--other-python", type=Path, default=other, help="has Keras, Spark and Ray")
    return parser.parse_args()


def main() -> None:
    """Prepare, measure, judge, tell."""
    options = _options()
    around = circumstances(options)
    with tempfile.TemporaryDirectory() as name:
        files = usable(options.pictures)
        setting = prepare(options, files, Path(name))
        chosen = [e for e in entries(setting) if e.title.startswith(tuple(options.only))]
        contest = Contest(chosen, options.count, Path(name))
        with busy(sorted(os.sched_getaffinity(0)) if options.busy else ()):
            for _ in range(options.rounds):
                contest.round()
        if not options.no_memory:
            contest.watch_memory()
        if options.openimages:
            contest.judge(files[: options.count], options.openimages)
        sys.stdout.write(write(options.out, around, list(contest.rows.values())))


if __name__ == "__main__":
    main()
