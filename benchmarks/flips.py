"""One byte flipped in every file of a finished workspace, and what each command makes of it.

    python -m benchmarks.flips --work DIR [--all] [--places 3] [--mask 1] [--only TEXT]
        [--processes 2] [--seconds 600] [--keep]

DIR is a new folder. A workspace is made of drawn pictures with everything that a workspace may
have: an index, duplicates, an addition, a removal, a copy for searches without a job, a rejected
picture. Then, for each file and each of some places (middle, start, end), a copy of it with that
one byte flipped is read by the commands that may read the file: all ways of searching, export,
report, status, and last the run again. Outcomes of a command:

- right: status and answers as without damage
- refused: it ended with an error that names the file, or the stage that it belongs to
- again: right, and the file has become what it was
- WRONG: other answers, and no error
- UNNAMED: an error that names neither

Of many files alike (thumbnails, plots, parts of a stage) the first and the last are taken, unless
--all. Every command runs in a process of its own, forked from this one. At the end the workspace
itself is compared with what it was. Prints a table as JSON; status 1 where anything is WRONG or
UNNAMED.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.entries import ROOT
from mapsight.files import sha256_of

MODEL = ROOT / "examples" / "catalogue" / "model.tflite"
PICTURES, ADDED = 24, 3
SHARES = (0.5, 0.0, 1.0)
"""Where in a file a byte is flipped."""
ALIKE = re.compile(r"[0-9a-f]{6,}|[0-9]+")
PASSING = re.compile(
    r'"(run_id|started|finished|command|seconds|skipped|pictures_per_second|host)": [^\n]*'
    r"|\bRun (?:<bdi>)?[0-9a-f]{12}\b|[0-9.,]+ pictures/s|[0-9.,]+ s\b"
    r"|[0-9-]{10}[ T][0-9:]{5,8}[+0-9]*"
)
"""What a run writes of its own time and not of pictures."""
SEARCH = ("search", "--format", "json", "--top-k", "6", "--workspace", "workspace")


def id_of(prefix: str, number: int) -> str:
    """The id of a drawn picture: a letter that says of which folder it is, and digits."""
    return f"{prefix}{number:015x}"


BAD = id_of("c", 0)


@dataclass(frozen=True)
class Command:
    """Words of a command line; `stages` are those that it reads, or files of some."""

    name: str
    words: tuple[str, ...]
    stages: tuple[str, ...] = ()


IMPORTED = ("driver.run", "driver.search.answerer", "driver.stage_table", "driver.search.removal")
"""Before processes are forked, which then need not."""
HIDDEN = ("changes", "removed")
TABLES = ("merge/predictions.parquet", "merge/rejected.csv", "merge/stage.json")
MODEL_FILES = ("fit", "model", "extract/stage.json")
COMMANDS = (
    Command("status", ("status", "--workspace", "workspace"), HIDDEN),
    Command(
        "index",
        (*SEARCH, id_of("a", 3), id_of("b", 0), id_of("a", 5), BAD),
        (*HIDDEN, *TABLES, "index", "recall"),
    ),
    Command(
        "no job",
        (*SEARCH, id_of("a", 4), "query.png", "other", "--no-job"),
        (*HIDDEN, *TABLES, *MODEL_FILES, "index", "recall", "copy"),
    ),
    Command(
        "features",
        (*SEARCH, id_of("a", 3), id_of("b", 0), "query.png", "--by", "features"),
        (*HIDDEN, *TABLES, *MODEL_FILES, "extract", "known"),
    ),
    Command(
        "label",
        (*SEARCH, id_of("a", 3), "query.png", "--by", "label"),
        (*HIDDEN, *TABLES, *MODEL_FILES, "classify"),
    ),
    Command(
        "export",
        ("export", "--format", "npy", "--out", "exported", "--workspace", "workspace"),
        (*HIDDEN, "index"),
    ),
    Command(
        "report",
        ("report", "--out", "reported", "--workspace", "workspace"),
        ("merge", "index", "ingest", "fetch", "fetched", "duplicates", "extract", "classify"),
    ),
    Command("run", ()),
)


def rerun() -> tuple[str, ...]:
    """The words of the run that made the workspace."""
    made = ("-r", "inline", "--images", "pictures", "--model", str(MODEL))
    return (*made, "--cells", "4", "--duplicates")


def draw(folder: Path, prefix: str, n: int) -> None:
    """Write n pictures of noise made large, unlike one another."""
    for number in range(n):
        noise = bytes((number * 37 + len(prefix) + i * i * (number + 3)) % 251 for i in range(192))
        picture = Image.frombytes("RGB", (8, 8), noise).resize((120 + number, 90))
        picture.save(folder / f"{id_of(prefix, number)}.jpg")


def make(work: Path) -> Path:
    """Make the workspace with all that it may have; its folder."""
    base = work / "base"
    for name in ("pictures", "new"):
        (base / name).mkdir(parents=True)
    draw(base / "pictures", "a", PICTURES)
    draw(base / "new", "b", ADDED)
    (base / "pictures" / "twice.jpg").write_bytes(
        (base / "pictures" / f"{id_of('a', 0)}.jpg").read_bytes()
    )
    (base / "pictures" / f"{BAD}.jpg").write_bytes(b"no picture")
    picture = Image.open(base / "pictures" / f"{id_of('a', 7)}.jpg")
    picture.rotate(5).save(base / "query.png")
    others = ("--workspace", "workspace")
    for words in (
        rerun(),
        ("add", "new", *others),
        ("remove", id_of("a", 5), *others),
        (*SEARCH, id_of("a", 3), "--no-job"),
        rerun(),
    ):
        status, _, errors = perform(base, words)
        if status:
            raise SystemExit(f"{' '.join(words)}: {errors}")
    return base


def perform(folder: Path, words: Sequence[str]) -> tuple[int, str, str]:
    """Run a command in a folder by a process of its own: (status, output, errors)."""
    child = os.fork()
    if not child:
        status = 70
        try:
            os.chdir(folder)
            os.environ["PYTHONPATH"] = str(ROOT)
            for number, name in enumerate(("in", "out", "err")):
                flags = os.O_RDWR | os.O_CREAT | (os.O_TRUNC if number else 0)
                os.dup2(os.open(f".{name}", flags), number)
            sys.stdout, sys.stderr = open(1, "w"), open(2, "w")  # noqa: SIM115
            from driver.run import main

            status = main(words)
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(status)
    _, ended = os.waitpid(child, 0)
    texts = [(folder / name).read_text("utf-8", "replace") for name in (".out", ".err")]
    return os.waitstatus_to_exitcode(ended), texts[0], texts[1]


@dataclass(frozen=True)
class Told:
    """What a command said and wrote."""

    status: int
    output: str
    errors: str
    files: dict[str, str]

    @property
    def answer(self) -> tuple[Any, ...]:
        """All that must be the same; what it says of an error only where it is one."""
        return self.status, self.output, self.errors if self.status else "", self.files


def ask(folder: Path, command: Command) -> Told:
    """Run a command in a folder that has the workspace."""
    places = {"export": ["exported"], "report": ["reported"]}
    written = places.get(command.name, [])
    for name in written:
        shutil.rmtree(folder / name, ignore_errors=True)
    status, output, errors = perform(folder, command.words or rerun())
    if command.name == "run":
        written = ["workspace/results", "workspace/report"]
        output = ""
    files = {} if status else {k: v for name in written for k, v in contents(folder, name)}
    passing = [PASSING.sub("", text).replace(str(folder), "") for text in (output, errors)]
    return Told(status, *passing, files)


def contents(folder: Path, name: str) -> Iterator[tuple[str, str]]:
    """(name, content that must be the same) of files below a folder."""
    for path in sorted((folder / name).rglob("*")):
        if path.is_file():
            told = path.suffix in (".json", ".html", ".md")
            text = PASSING.sub("", path.read_text("utf-8", "replace")) if told else sha256_of(path)
            yield str(path.relative_to(folder)), text.replace(str(folder), "")


def files_of(workspace: Path, whole: bool) -> list[Path]:
    """The files to damage, relative; of those alike the first and the last unless all."""
    groups: dict[str, list[Path]] = {}
    for path in sorted(workspace.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.stat().st_size:
            inside = path.relative_to(workspace)
            many = (
                inside.parts[0] in ("render", "report", "results", "copy") or "parts" in path.name
            )
            alike = ALIKE.sub("0", str(inside.parent / (path.suffix if many else path.name)))
            groups.setdefault(alike, []).append(inside)
    chosen = ((some if whole or len(some) < 3 else [some[0], some[-1]]) for some in groups.values())
    return sorted(path for some in chosen for path in some)


def reads(command: Command, file: Path) -> bool:
    """Whether a command may read a file of the workspace."""
    stage = stage_of(file)
    if command.name == "run" or (not stage and command.name in ("status", "export")):
        return True
    return stage in command.stages or f"{stage}/{file.name}" in command.stages


def stage_of(file: Path) -> str:
    """The stage that a file belongs to, also in an addition; "" of what belongs to none."""
    parts = file.parts[2:] if file.parts[0] == "added" else file.parts
    return parts[0] if len(parts) > 1 else {"changes.json": "changes"}.get(parts[0], "")


def names(told: Told, file: Path) -> bool:
    """Whether an error names a file, or the stage that it belongs to."""
    stage = stage_of(file) or file.name
    said = told.errors or told.output
    return file.name in said or bool(re.search(rf"\b{re.escape(stage)}\b", said))


class Trial:
    """Copies of a workspace with one byte flipped, in folders of their own."""

    def __init__(self, base: Path, work: Path, mask: int, keep: bool) -> None:
        self._base, self._work, self._mask, self._keep = base, work, mask, keep
        folder = self._copied("sound")
        self.right = {command: ask(folder, command) for command in COMMANDS}
        for command, told in self.right.items():
            sys.stderr.write(f"{command.name}: status {told.status}, {len(told.output)} letters\n")

    def _copied(self, name: str) -> Path:
        folder = self._work / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        shutil.copytree(self._base / "workspace", folder / "workspace", symlinks=True)
        for other in ("pictures", "new", "query.png"):
            (folder / other).symlink_to(self._base / other)
        return folder

    def flip(self, file: Path, share: float) -> list[dict[str, Any]]:
        """Outcomes of all commands that may read the file."""
        folder = self._copied(f"flipped-{os.urandom(6).hex()}")
        path = folder / "workspace" / file
        data = bytearray(path.read_bytes())
        before = bytes(data)
        data[int(share * (len(data) - 1))] ^= self._mask
        path.write_bytes(data)
        rows = []
        for command in COMMANDS:
            if reads(command, file):
                told = ask(folder, command)
                outcome = self._outcome(command, told, file)
                if outcome == "right" and path.exists() and path.read_bytes() == before:
                    outcome = "again"
                why = told.errors[-300:] if outcome != "right" else ""
                rows.append({"file": str(file), "at": share, "command": command.name,
                             "outcome": outcome, "errors": why})  # fmt: skip
                if outcome in ("WRONG", "UNNAMED"):
                    sys.stderr.write(f"{outcome} {command.name} {file} {share}: {why}\n")
        if not self._keep:
            shutil.rmtree(folder)
        return rows

    def _outcome(self, command: Command, told: Told, file: Path) -> str:
        if told.answer == self.right[command].answer:
            return "right"
        if command.name == "status" and "damaged" in told.output:
            return "refused"
        if told.status == self.right[command].status == 0:
            return "WRONG"
        return "refused" if names(told, file) and told.status in (1, 2) else "UNNAMED"


def main() -> int:
    """Make, flip, ask, tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="a new folder")
    parser.add_argument("--all", action="store_true", help="every file, also of many alike")
    parser.add_argument("--places", type=int, default=3, help="of middle, start, end (default: 3)")
    parser.add_argument("--mask", type=int, default=1, help="bits to flip of the byte (default: 1)")
    parser.add_argument("--only", default="", help="files with this in their names")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=600, help="begin no flip after (600)")
    parser.add_argument("--keep", action="store_true", help="keep the copies")
    options = parser.parse_args()
    started = time.monotonic()
    for name in IMPORTED:
        import_module(name)
    work = options.work.absolute()
    base = make(work) if not (work / "base").exists() else work / "base"
    before = dict(contents(base, "workspace"))
    trial = Trial(base, work, options.mask, options.keep)
    files = [f for f in files_of(base / "workspace", options.all) if options.only in str(f)]

    def timely(file: Path, share: float) -> list[dict[str, Any]]:
        late = time.monotonic() - started > options.seconds
        return [] if late else trial.flip(file, share)

    shares = SHARES[: options.places]
    with ThreadPoolExecutor(options.processes) as pool:
        jobs = [pool.submit(timely, file, share) for share in shares for file in files]
        done = [job.result() for job in jobs]
    rows = [row for some in done for row in some]
    table: dict[str, Counter[str]] = {}
    for row in rows:
        table.setdefault(row["command"], Counter())[row["outcome"]] += 1
    bad = [row for row in rows if row["outcome"] in ("WRONG", "UNNAMED")]
    found = {
        "files": len(files),
        "flips": sum(map(bool, done)),
        "left out, for want of time": sum(not some for some in done),
        "commands": len(rows),
        "seconds": round(time.monotonic() - started),
        "outcomes": {name: dict(sorted(counts.items())) for name, counts in table.items()},
        "bad": [f"{r['outcome']} {r['command']} {r['file']} {r['at']}" for r in bad],
        "untouched": dict(contents(base, "workspace")) == before,
    }
    sys.stdout.write(json.dumps(found, indent=1) + "\n")
    return int(bool(bad) or not found["untouched"])


if __name__ == "__main__":
    sys.exit(main())
