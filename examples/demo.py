"""The whole program in two commands: classify a collection, then search it.

MAPSIGHT_OPENIMAGES=/path/to/openimages python examples/demo.py [WORKSPACE]
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parent.parent
RUN = [sys.executable, str(ROOT / "driver" / "run.py")]


def mapsight(*arguments: str) -> None:
    """Show a command and run it."""
    sys.stderr.write(f"\n$ {shlex.join(['mapsight', *arguments])}\n")
    sys.stderr.flush()
    subprocess.run([*RUN, *arguments], check=True)


def best_picture(results: Path) -> str:
    """The id of the picture with the highest rank of the first target label that has one."""
    ranking = pq.read_table(results / "ranking.parquet", filters=[("rank", "=", 1)]).to_pylist()
    labels = {row["label"]: row["image_id"] for row in ranking}
    named = [label for label in sorted(labels) if label not in ("*", "other")]
    return labels[named[0] if named else "*"]


def main() -> None:
    """Run the demo."""
    pictures = os.environ["MAPSIGHT_OPENIMAGES"]
    workspace = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "workspace")
    mapsight("-r", "local", "--openimages", pictures, "--workspace", workspace)
    query = best_picture(Path(workspace) / "results")
    mapsight("search", query, "--workspace", workspace, "--top-k", "5")
    sys.stderr.write(f"\nreport: {Path(workspace).resolve() / 'report' / 'index.html'}\n")


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
