"""Make pictures, run the whole pipeline on them, and check what must hold.

    python -m benchmarks.million --count 1000000 --pictures FOLDER --openimages FOLDER --work DIR
        [-r local] [--processes 2] [--only make run check] [-- OPTIONS OF run]

FOLDER has a few hundred loose pictures and their metadata as Open Images publishes it. Every
step goes on where it was when it is started again. WORK gets `figures.json`: by stage seconds,
processor seconds, memory and shuffled bytes, files and bytes, and the checks.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.million import checks
from benchmarks.million.collection import SHARD_ROWS, Collection, Sources
from benchmarks.pictures import usable
from driver.pipeline.fingerprint import ROOT
from tests.support.memory import watch

STEPS = ("make", "run", "check")
WATCH_SECONDS = 0.25


def make(options: argparse.Namespace, collection: Collection) -> None:
    """Make the shards that are missing, then the metadata of all."""
    sources = Sources.read(usable(options.pictures), options.openimages)
    shards, left = -(-options.count // SHARD_ROWS), len(collection.missing())
    started = time.monotonic()
    for done, _ in enumerate(collection.make(sources, options.processes), 1):
        rate = done * SHARD_ROWS / (time.monotonic() - started)
        tell(f"{shards - left + done} of {shards} shards, {rate:.0f} pictures/s")
    collection.join_metadata(sources, options.openimages)


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Run the pipeline; return its status, seconds, and the most memory by kind of process."""
    work, started = options.work, time.monotonic()
    inputs = ["--images", str(work / "pictures"), "--openimages", str(work / "metadata")]
    model = ["--alpha", "0.25", "--resolution", "128", "--duplicates"]
    command = [sys.executable, str(ROOT / "driver" / "run.py"), "run", "-r", options.runner]
    places = ["--workspace", options.workspace or str(work / "workspace")]
    places += ["--results", str(work / "results")]
    if options.runner == "local":
        places += ["--processes", str(options.processes)]
    process = subprocess.Popen([*command, *inputs, *model, *places, *options.more], cwd=work)
    memory = watch(process, WATCH_SECONDS)
    return {
        "status": process.returncode,
        "seconds": round(time.monotonic() - started, 1),
        "memory": memory,
    }


def check(results: Path, count: int) -> dict[str, Any]:
    """Return what is wrong by check, and what was measured."""
    missing, near = checks.copies_found(results, count)
    return {
        "wrong": {
            "accounted": checks.accounted(results, count),
            "broken": checks.broken_by_reason(results, count),
            "copies": missing,
            "ranks": checks.ranks_whole(results),
        },
        "near_copies_found": near,
        "recall": checks.recall_of(results),
        "predictions": checks.digest(results / "predictions.parquet"),
    }


def stages(results: Path, workspace: Path) -> list[dict[str, Any]]:
    """Return a row for each stage: what it took, and what it keeps."""
    summary = json.loads((results / "summary.json").read_text("utf-8"))
    return [
        {"stage": stage["name"], "seconds": stage["seconds"], **stage["cost"]}
        | _kept(workspace / stage["name"])
        for stage in summary["stages"]
    ]


def _kept(folder: Path) -> dict[str, int]:
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return {"files": len(sizes), "bytes": sum(sizes)}


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return Markdown, a line a stage."""
    head = ("stage", "s", "processor s", "largest task, MiB", "shuffled, MB", "files", "kept, MB")
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for row in rows:
        cells = (
            row["stage"],
            f"{row['seconds']:,.0f}",
            f"{row.get('processor_seconds', 0):,.0f}",
            f"{row.get('largest_task_bytes', 0) >> 20:,}",
            f"{row.get('shuffled_bytes', 0) / 1e6:,.0f}",
            f"{row['files']:,}",
            f"{row['bytes'] / 1e6:,.0f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def tell(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "benchmarks.million", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--count", type=int, default=1_000_000, help="pictures")
    parser.add_argument("--pictures", type=Path, required=True, help="folder of loose pictures")
    parser.add_argument("--openimages", type=Path, required=True, help="folder of their metadata")
    parser.add_argument("--work", type=Path, required=True, help="folder for all of it")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-r", "--runner", default="local")
    parser.add_argument("--workspace", help="(default: in WORK)")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", nargs="+", choices=STEPS, default=STEPS)
    parser.add_argument("more", nargs="*", help="options of run, after --")
    return parser.parse_args()


def main() -> int:
    """Do the steps that are asked for; 1 if something is wrong."""
    options = _options()
    options.work.mkdir(parents=True, exist_ok=True)
    kept = options.work / "figures.json"
    figures = json.loads(kept.read_text()) if kept.exists() else {}
    if "make" in options.only:
        make(options, Collection(options.work, options.count, options.seed))
    if "run" in options.only:
        figures["run"] = run(options)
        kept.write_text(json.dumps(figures, indent=1))
        if figures["run"]["status"]:
            return 1
    if "check" in options.only:
        results = options.work / "results"
        figures["checks"] = check(results, options.count)
        figures["stages"] = stages(results, Path(options.workspace or options.work / "workspace"))
        kept.write_text(json.dumps(figures, indent=1))
        tell(table(figures["stages"]))
        tell(json.dumps({**figures.get("run", {}), **figures["checks"]}, indent=1))
        return int(any(figures["checks"]["wrong"].values()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
