"""What metadata costs a run: explore, annotate, fit, and labelling by a head.

    python -m benchmarks.metadata [--records 20000]

Made-up features and rows, as many a picture as Open Images V7 has, measured as
benchmarks.stages does: processor time, the slope from a tenth of the records to all. Prints
figures as JSON, for driver/data/figures.json.
"""

from __future__ import annotations

import argparse
import base64
import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.made_up import Files, rows_of, write_distinct, write_rows
from benchmarks.stages import FEW, Lines, Stages, measure_text, packed, print_figures
from mapsight.labels.examples import Leaks
from mapsight.labels.fit_sums import FitPlan, plan_fit
from mapsight.labels.labeler import DEFAULT_TARGETS

WIDTHS = {"1.0": 1024, "0.25": 256}  # of the embedding, by alpha


def manifest(files: Files, share: float = 1.0) -> Lines:
    """Lines that name the files, or so much of the beginning of each."""
    splits = (
        {"uri": str(path), "kind": kind, "start": 0, "end": int(path.stat().st_size * share)}
        for kind, (path, _) in files.items()
    )
    return [json.dumps(split).encode() + b"\n" for split in splits]


def read_map(stages: Stages, name: str, job: str, files: Files) -> Lines:
    """Measure a map over whole files and over a tenth of their bytes; its output for all."""
    short, _ = stages.phase(job, "mapper", manifest(files, 1 / FEW))
    long, out = stages.phase(job, "mapper", manifest(files))
    rows = rows_of(files)
    stages.tell(f"{name}.map.seconds", (long - short) / (1 - 1 / FEW) / rows, "s/row", rows)
    return out


def tell_per_row(stages: Stages, name: str, lines: Lines, rows: int, less: Lines = ()) -> None:
    """Bytes of lines for a row, as text and as gzip, without those of `less`."""
    for form, size in (("raw", lambda some: sum(map(len, some))), ("gzip", packed)):
        each = (size(sorted(lines)) - size(sorted(less))) / rows
        stages.tell(f"{name}.{form}", each, "bytes/row", rows)


def measure_explore(stages: Stages, files: Files) -> None:
    """Both jobs of explore, for a row."""
    rows = rows_of(files)
    size = sum(path.stat().st_size for path, _ in files.values())
    stages.tell("metadata.row.bytes", size / rows, "bytes/row", rows)
    job = "explore_metadata"
    mapped = sorted(read_map(stages, "explore.row", job, files))
    tell_per_row(stages, "explore.row", mapped, rows)
    sums = sorted(_slope(stages, "explore.row.reduce", job, mapped, rows))
    _slope(stages, "explore.row.merge", job, sums, rows, "--step-num=1")


def _slope(
    stages: Stages, name: str, job: str, lines: Lines, of: int, *arguments: str, unit: str = "s/row"
) -> Lines:
    """Measure a reducer as `Stages.slope` does, told for so many rows."""
    short, _ = stages.phase(job, "reducer", lines[: len(lines) // FEW], *arguments)
    long, out = stages.phase(job, "reducer", lines, *arguments)
    stages.tell(f"{name}.seconds", (long - short) / (1 - 1 / FEW) / of, unit, of)
    return out


def measure_annotate(stages: Stages, features: Path, files: Files, records: int) -> Lines:
    """The join: of a picture alone, and what a row adds; the joined records."""
    job, rows = "annotate_images", rows_of(files)
    few = features.with_name("few.jsonl")
    lines = features.read_bytes().splitlines(keepends=True)
    few.write_bytes(b"".join(lines[: records // FEW]))
    taken = [stages.phase(job, "mapper", [_whole(path)]) for path in (few, features)]
    each = (taken[1][0] - taken[0][0]) / (records - records // FEW)
    stages.tell("annotate.map.seconds", each, "s/picture", records)
    pictures = sorted(taken[1][1])
    alone = stages.slope("annotate.reduce", job, "reducer", pictures, "--no-metadata")
    said = read_map(stages, "annotate.row", job, files)
    tell_per_row(stages, "annotate.row", said, rows)
    both = sorted([*pictures, *said])
    short, _ = stages.phase(job, "reducer", both[: len(both) // FEW])
    long, joined = stages.phase(job, "reducer", both)
    each = stages.figures["annotate.reduce.seconds"]["value"]
    rest = (long - short) / (1 - 1 / FEW) - each * records
    stages.tell("annotate.row.reduce.seconds", rest / rows, "s/row", rows)
    tell_per_row(stages, "joined.row", joined, rows, less=alone)
    return joined


def _whole(path: Path) -> bytes:
    return json.dumps({"uri": str(path), "kind": "features", "start": 0, "end": 0}).encode() + b"\n"


def plan_of(stages: Stages, joined: Lines, targets: Sequence[str]) -> FitPlan:
    """What the driver would plan to fit."""
    _, mapped = stages.phase("split_examples", "mapper", joined, *targets)
    _, lines = stages.phase("split_examples", "reducer", sorted(mapped), *targets)
    pairs = (map(json.loads, line.split(b"\t", 1)) for line in lines)
    return plan_fit(Counter({tuple(key): n for key, n in pairs}), list(DEFAULT_TARGETS))


def measure_fit(stages: Stages, joined: Lines, targets: Sequence[str], width: str) -> list[str]:
    """The pass that fits; the options that name the head."""
    folder, records = stages.scratch, len(joined)
    plan = plan_of(stages, joined, targets)
    (folder / "plan.json").write_text(json.dumps(asdict(plan)))
    Leaks({}).save(folder / "leaks.npz")
    leaks = ["--leaks", str(folder / "leaks.npz")]
    arguments = [*targets, *leaks, "--plan", str(folder / "plan.json")]
    job = "fit_head"
    short, _ = stages.phase(job, "mapper", joined[: records // FEW], *arguments)
    long, sums = stages.phase(job, "mapper", joined, *arguments)
    each = (long - short) / (records - records // FEW)
    stages.tell(f"fit.map.seconds.{width}", each, "s/picture, 91 % train", records)
    begun, _ = stages.phase("count_labels", "mapper", [])
    emitted = max(short - each * (records // FEW) - begun, 0)
    stages.tell(f"fit.emit.seconds.{width}", emitted, "s/map task", 1)
    stages.tell(f"fit.emit.bytes.{width}", sum(map(len, sums)), "bytes/map task", 1)
    short, solved = stages.phase(job, "reducer", sums, *arguments)
    long, _ = stages.phase(job, "reducer", sorted([*sums] * 4), *arguments)
    added = (long - short) / 3
    stages.tell(f"fit.add.seconds.{width}", added, "s/map task, in the reducer", 3)
    stages.tell(f"fit.solve.seconds.{width}", max(short - added - begun, 0), "s", 1)
    for line in solved:
        name, text = map(json.loads, line.split(b"\t", 1))
        (folder / name).write_bytes(base64.b64decode(text))
    return ["--head", str(folder / "head"), "--tried", str(folder / "tried"), *leaks]


def main() -> None:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--records", type=int, default=20_000)
    records = parser.parse_args().records
    with tempfile.TemporaryDirectory() as scratch:
        stages = Stages(Path(scratch))
        features = stages.scratch / "features.jsonl"
        files = write_rows(stages.scratch, records)
        measure_explore(stages, files)
        (stages.scratch / "targets.json").write_text(
            json.dumps({"targets": dict(DEFAULT_TARGETS), "parents": {}})
        )
        targets = ["--targets", str(stages.scratch / "targets.json")]
        joined = joined_records(stages, write_distinct(features, records, WIDTHS["0.25"]), files)
        measure_fit(stages, joined, targets, "0.25")
        write_distinct(features, records, WIDTHS["1.0"])
        joined = measure_annotate(stages, features, files, records)
        joined = [line for line in joined if b'"orphan"' not in line]
        head = measure_fit(stages, joined, targets, "1.0")
        mapped = stages.slope("split.map", "split_examples", "mapper", joined, *targets)
        stages.tell_bytes("split.shuffle", mapped, records)
        stages.slope("split.reduce", "split_examples", "reducer", sorted(mapped), *targets)
        stages.slope("calibrate.map", "calibrate_head", "mapper", joined, *targets, *head)
        stages.prefix = "head."
        measure_text(stages, joined, joined, *targets, *head[:2])
        del stages.figures["head.sort.seconds"]  # of the same lines as without a head
        print_figures(stages, "benchmarks.metadata")


def joined_records(stages: Stages, features: Path, files: Files) -> Lines:
    _, mapped = stages.phase("annotate_images", "mapper", [_whole(features), *manifest(files)])
    return stages.phase("annotate_images", "reducer", sorted(mapped))[1]


if __name__ == "__main__":
    main()
