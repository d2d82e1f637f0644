"""Running a job class in this process, and its files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from driver.processes.job import make_runner
from tests.support.paths import ROOT

Records = list[tuple[Any, Any]]


def run_job(job_class: type, *arguments: object, runner: str = "inline") -> dict[str, Any]:
    """Run a job in this process, local tasks in forks of it; its counters by group."""
    settings = ["-r", runner, "--conf-path", str(ROOT / "mrjob.conf"), "--no-read-logs"]
    job = job_class([*settings, *map(str, arguments)]).sandbox()
    with make_runner(job) as running:
        running.task_bytes = 1  # small inputs are divided too
        running.run()
        counters: dict[str, Counter[str]] = {}
        for step in running.counters():
            for group, values in step.items():
                counters.setdefault(group, Counter()).update(values)
    return counters


def read_parts(folder: Path) -> Records:
    """Records of a job's output, in the order of its parts."""
    lines = (line for part in sorted(folder.glob("part-*")) for line in part.open("rb"))
    return [tuple(map(json.loads, line.split(b"\t", 1))) for line in lines]


def run_and_read(folder: Path, job_class: type, *arguments: object, **how: str):
    """(records, counters) of a job whose output goes to a new folder."""
    output = folder / f"{job_class.__name__}-{len(list(folder.iterdir()))}"
    counters = run_job(job_class, "--output-dir", output, *arguments, **how)
    return read_parts(output), counters


def write_records(path: Path, records: Iterable[tuple[Any, Any]]) -> Path:
    path.write_text("".join(f"{json.dumps(k)}\t{json.dumps(v)}\n" for k, v in records))
    return path


def write_manifest(folder: Path, lines: Iterable[str]) -> list[Path]:
    """A file for every line, each a map task of its own."""
    folder.mkdir(parents=True)
    paths = []
    for number, line in enumerate(lines):
        paths.append(folder / f"{number:03d}.txt")
        paths[-1].write_text(line + "\n")
    return paths


def write_json(path: Path, document: Any) -> Path:
    path.write_text(json.dumps(document))
    return path


def spread(folder: Path, records: Records, files: int) -> list[Path]:
    """Records dealt out to files, each a map task or more."""
    return [
        write_records(folder / f"in-{files}-{n}.jsonl", records[n::files]) for n in range(files)
    ]
