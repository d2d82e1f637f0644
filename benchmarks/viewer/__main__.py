"""How many cells of the table are shown as a viewer shows them.

    python -m benchmarks.viewer [--before FOLDER] [--cells]

Args:
    --before: another checkout of the project, to be judged by the same cells.
    --cells: names every cell that is wrong, and how.
"""

from __future__ import annotations

import argparse
import io
import os
import pickle
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.viewer import MAKERS
from benchmarks.viewer.scenes import Cell, fault

__all__ = ["decoded", "main"]

ROOT = Path(__file__).resolve().parents[2]

_DECODE = """
import pickle, sys
from mapsight.features.decode import PictureError, decode
def one(data):
    try:
        return decode(data)
    except PictureError as error:
        return error
# by values alone: the other checkout has classes of its own
for data in pickle.load(sys.stdin.buffer):
    result = one(data)
    kept = result.image if hasattr(result, "image") else (result.code, result.detail)
    pickle.dump(kept, sys.stdout.buffer)
"""


def decoded(cells: Sequence[Cell], tree: Path) -> list[Any]:
    """What a checkout's decoder makes of each cell: an RGB picture, or code and detail."""
    words = [sys.executable, "-c", _DECODE]
    given = pickle.dumps([cell.data for cell in cells])
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    done = subprocess.run(
        words, input=given, stdout=subprocess.PIPE, check=True, env=environment, cwd=tree
    )
    answers = io.BytesIO(done.stdout)
    return [pickle.load(answers) for _ in cells]


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table; 1 if a cell is wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--before", type=Path, help="another checkout of the project")
    parser.add_argument("--cells", action="store_true", help="name the wrong ones")
    options = parser.parse_args(argv)
    groups = {maker.__name__: list(maker()) for maker in MAKERS}
    cells = [(group, cell) for group, each in groups.items() for cell in each]
    trees = [tree for tree in (options.before, ROOT) if tree]
    wrong: list[Counter[tuple[str, str]]] = []
    for tree in trees:
        results = decoded([cell for _, cell in cells], tree.resolve())
        faults = [fault(cell, result) for (_, cell), result in zip(cells, results, strict=True)]
        wrong.append(Counter((g, c.format) for (g, c), f in zip(cells, faults, strict=True) if f))
        if options.cells:
            lines = [f"{c.name}: {f}" for (_, c), f in zip(cells, faults, strict=True) if f]
            sys.stdout.write("\n".join([f"wrong in {tree}:", *lines, ""]))
    tried = Counter((group, cell.format) for group, cell in cells)
    heads = ["cells tried", *(["wrong before"] if options.before else []), "wrong now"]
    sys.stdout.write(f"| kind | format | {' | '.join(heads)} |\n|---|---|{'---|' * len(heads)}\n")
    for key, count in [*sorted(tried.items()), (("all", ""), tried.total())]:
        numbers = [w.total() if key[0] == "all" else w[key] for w in wrong]
        row = " | ".join(map(str, [*key, count, *numbers]))
        sys.stdout.write(f"| {row} |\n".replace("_", " "))
    return int(wrong[-1].total() > 0)


if __name__ == "__main__":
    sys.exit(main())
