"""How long the explore job takes on made-up boxes, phase by phase, and what memory.

    python -m benchmarks.explore [--rows 2000000] [--per-picture 8]

The phases are run one after the other, each as the process that a runner starts for a task, so
that one core is used; `sort` is the system's. Then the whole job runs with `-r local` and one core.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent  # a small process: its children begin as large
JOB = ROOT / "mr_jobs" / "explore_metadata.py"
HEADER = (
    "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,"
    "IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside\n"
)
LABELS = 600
PHASES = (
    ("read rows", "--mapper", 0),
    ("count pictures", "--reducer", 0),
    ("merge sums", "--reducer", 1),
)


def write_boxes(path: Path, rows: int, per_picture: int) -> None:
    """Boxes in the form of V5, those of a picture one after another; always the same."""
    rng = random.Random(1)
    with path.open("w", encoding="utf-8") as file:
        file.write(HEADER)
        for row in range(rows):
            x, y = rng.randrange(500_000), rng.randrange(500_000)
            flags = ",".join(rng.choices(("0", "1", "-1"), k=5))
            picture = row // per_picture * 0x9E3779B97F4A7C15 % 2**64
            mid = int(LABELS ** rng.random())
            file.write(
                f"{picture:016x},xclick,/m/{mid:04d},1,0.{x:06d},0.{x + 400_000:06d},"
                f"0.{y:06d},0.{y + 300_000:06d},{flags}\n"
            )


ALONE = """
import os, resource, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
status = os.waitstatus_to_exitcode(os.wait4(pid, 0)[1])
os.write(2, f"{resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss}".encode())
os._exit(status)
"""
"""A process starts with the peak memory of the one that it comes from: this one is small."""


def measured(command: Sequence[str], source: Path, target: Path) -> tuple[float, int]:
    """(seconds, peak memory in bytes) of a command that reads and writes a file."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "LC_ALL": "C"}
    program = [sys.executable, "-S", "-c", ALONE, shutil.which(command[0]) or "", *command[1:]]
    started = time.monotonic()
    with source.open("rb") as stdin, target.open("wb") as stdout:
        done = subprocess.run(
            program, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, env=variables, check=False
        )
    if done.returncode:
        raise RuntimeError(
            f"{' '.join(command)}: ended with {done.returncode}: {done.stderr[-2000:]}"
        )
    told = re.search(rb"\d+$", done.stderr)
    assert told
    return time.monotonic() - started, int(told[0]) * 1024


def tell(what: str, seconds: float, rows: int) -> None:
    """Print a time, and what it is for a million rows."""
    sys.stdout.write(f"{what}: {seconds:.1f} s, {seconds / rows * 1e6:.1f} s a million rows\n")


def main() -> int:
    """Print a line for each phase."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--per-picture", type=int, default=8)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        boxes, manifest = folder / "train-annotations-bbox.csv", folder / "manifest.txt"
        write_boxes(boxes, options.rows, options.per_picture)
        split = {"uri": str(boxes), "kind": "boxes", "start": 0, "end": boxes.stat().st_size}
        manifest.write_text(json.dumps(split) + "\n")
        data = manifest
        sys.stdout.write(f"{options.rows:,} rows, {boxes.stat().st_size:,} bytes\n")
        total = 0.0
        for number, (phase, kind, step) in enumerate(PHASES):
            target = folder / f"{number}.jsonl"
            command = [sys.executable, str(JOB), kind, f"--step-num={step}"]
            seconds, memory = measured(command, data, target)
            sorting, _ = measured(["sort", "-S", "256M"], target, folder / f"{number}.sorted")
            data = folder / f"{number}.sorted"
            total += seconds + sorting
            sys.stdout.write(
                f"{phase}: {seconds:.1f} s, {memory >> 20} MiB, {target.stat().st_size:,} bytes"
                f" out; sort {sorting:.1f} s\n"
            )
        tell("all phases", total, options.rows)
        settings = ["-r", "local", "--conf-path", str(ROOT / "mrjob.conf"), "--num-cores", "1"]
        command = [sys.executable, str(JOB), *settings, "--output-dir", str(folder / "out")]
        seconds, _ = measured([*command, str(manifest)], manifest, folder / "said")
        tell("-r local", seconds, options.rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
