"""Searches with one query and with many: time, memory, and what is read and shuffled.

    python -m benchmarks.queries --workspace W [-r hadoop] [--count 1 100 10000] [-- --job]

Queries are pictures of the index, the first by a hash of their ids; of a smaller index they are
taken again and again. Each search is the real command, `driver/run.py search --queries FILE
--format json`, as a process of its own in which the counters of its jobs are written down. What
follows `--` goes to it. Seconds are those of the whole command, start of Python included.

Processor seconds are of the command and the processes that it waited for. Read is what jobs
counted: nothing where the command reads the cells itself. Shuffled is with -r hadoop what Hadoop
counted (compressed: Reduce shuffle bytes), else the size of what the mappers wrote.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from tests.support.memory import high_water

__all__ = ["main", "measure", "recorded"]

ROOT = Path(__file__).resolve().parent.parent
HADOOP = "Map-Reduce Framework"
CHILD = "import sys; from benchmarks.queries import recorded; sys.exit(recorded(*sys.argv[1:]))"
COLUMNS = ("queries", "answers", "seconds", "processor s", "driver, MB", "jobs", "blocks", "rows")
COLUMNS += ("read, MB", "shuffled, kB")


def recorded(path: str, *words: str) -> int:
    """Run a command of Mapsight in this process; what its jobs counted goes to a JSON file.

    Returns:
        The command's exit status.
    """
    from driver import run
    from driver.pipeline import stage_jobs

    really, found = stage_jobs.launch, []

    def launch(job: Any, arguments: Any, scratch: Path, *others: Any) -> Any:
        counters, cost = really(job, arguments, scratch, *others)
        outputs = scratch.glob("*/step/*/mapper/*/output")
        found.append({"counters": counters, "mapped": sum(p.stat().st_size for p in outputs)})
        return counters, cost

    stage_jobs.launch = launch
    status = run.main(words)
    Path(path).write_text(json.dumps({"jobs": found, "memory": high_water(os.getpid())}))
    return status


def measure(options: argparse.Namespace, ids: Sequence[str], scratch: Path) -> dict[str, Any]:
    """Answer queries by one command; COLUMNS of what that took.

    Raises:
        RuntimeError: the command failed.
    """
    queries, told, kept = (scratch / name for name in ("queries.txt", "told.json", "kept.conf"))
    queries.write_text("".join(f"{image_id}\n" for image_id in ids))
    # mrjob removes what mappers wrote, unless it is told to keep it
    kept.write_text("runners: {local: {cleanup: [NONE]}, inline: {cleanup: [NONE]}}\n")
    words = ["search", "-r", options.runner, "--workspace", options.workspace]
    words += ["--queries", str(queries), "--format", "json", "--mrjob-conf", str(kept)]
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(scratch)}
    started, before = time.monotonic(), processor_seconds()
    with (scratch / "answers.jsonl").open("wb") as answers:
        done = subprocess.run(
            [sys.executable, "-c", CHILD, str(told), *words, *options.search],
            stdout=answers,
            stderr=subprocess.PIPE,
            env=variables,
            check=False,
        )
    seconds, worked = time.monotonic() - started, processor_seconds() - before
    if done.returncode:
        raise RuntimeError(f"{len(ids)} queries: {done.stderr.decode()[-2000:]}")
    with (scratch / "answers.jsonl").open("rb") as answers:
        rows = sum(1 for _ in answers)
    taken = {"seconds": round(seconds, 2), "processor s": round(worked, 2)}
    return {"queries": len(ids), "answers": rows, **taken, **_sums(json.loads(told.read_text()))}


def processor_seconds() -> float:
    """Return those of all processes that this one waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _sums(told: Mapping[str, Any]) -> dict[str, Any]:
    """COLUMNS that the jobs counted, of all of them together."""
    read = [job["counters"].get("index", {}) for job in told["jobs"]]
    hadoop = [job["counters"].get(HADOOP, {}) for job in told["jobs"]]
    shuffled = sum(
        counted.get("Reduce shuffle bytes", job["mapped"])
        for counted, job in zip(hadoop, told["jobs"], strict=True)
    )
    sums = {name: sum(one.get(name, 0) for one in read) for name in ("blocks", "rows", "bytes")}
    return {
        "driver, MB": told["memory"] // 10**6,
        "jobs": len(told["jobs"]),
        "blocks": sums["blocks"],
        "rows": sums["rows"],
        "read, MB": round(sums["bytes"] / 1e6, 1),
        "shuffled, kB": round(shuffled / 1e3, 1),
    }


def main() -> int:
    """Print a table with a row for each number of queries."""
    from driver.workspace.workspace import Workspace
    from mapsight.search.search_index import SearchIndex

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workspace", required=True)
    parser.add_argument("-r", "--runner", default="local")
    parser.add_argument("--count", type=int, nargs="+", default=[1, 100, 10_000])
    parser.add_argument("search", nargs="*", help="options of the search, after --")
    options = parser.parse_args()
    index = SearchIndex(Workspace(options.workspace))
    known = sorted(index.first_ids(max(options.count)))
    load = os.getloadavg()[0]
    sys.stdout.write(f"{index.rows:,} pictures in {len(index.centres):,} cells, load {load:.1f}\n")
    _tell(COLUMNS)
    _tell(["---"] * len(COLUMNS))
    for count in options.count:
        with tempfile.TemporaryDirectory(prefix="mapsight-queries-") as scratch:
            row = measure(options, list(islice(cycle(known), count)), Path(scratch))
        _tell([f"{row[name]:,}" for name in COLUMNS])
    return 0


def _tell(cells: Sequence[str]) -> None:
    """Print a line of the table at once: the next may take long."""
    sys.stdout.write(f"| {' | '.join(cells)} |\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
