"""The whole program in two commands: classify a collection, then search it.

    python examples/demo.py [WORKSPACE]

Its pictures are what mapsight.toml names, else the folder $MAPSIGHT_OPENIMAGES, else
the catalogue of drawn animals that comes with Mapsight.
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

NEXT = """
{accuracy}report: {report}

To look through these pictures in the browser, filter them and ask for more like one:
    {serve}

On your own pictures, with a MobileNet that knows the 1000 classes of ImageNet:
    make .venv/installed-model    # TensorFlow, which builds the model file, once
    .venv/bin/mapsight --images /path/to/pictures
"""


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


def held_out(results: Path) -> str:
    """A line that says how many pictures of the test subset got a right label, if there are any."""
    table = pq.read_table(
        results / "predictions.parquet",
        columns=["label", "truth"],
        filters=[("subset", "=", "test")],
    )
    known = [row for row in table.to_pylist() if row["truth"] is not None]
    right = sum(row["label"] in row["truth"] for row in known)
    return f"right labels in the test subset: {right} of {len(known)}\n" if known else ""


def main() -> None:
    """Run the demo."""
    workspace = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "workspace-demo")
    mapsight("-r", "local", "--workspace", workspace)
    query = best_picture(Path(workspace) / "results")
    mapsight("search", query, "--workspace", workspace, "--top-k", "5")
    report = Path(workspace).resolve() / "report" / "index.html"
    accuracy = held_out(Path(workspace) / "results")
    serve = shlex.join([*_program(), "serve", "--workspace", workspace])
    sys.stderr.write(NEXT.format(accuracy=accuracy, report=report, serve=serve))


def _program() -> list[str]:
    """How the program is called from where one stands: by make's installation, if it is there."""
    installed = Path(sys.executable).parent / "mapsight"
    if installed.is_file():
        return [os.path.relpath(installed)]
    return [os.path.relpath(sys.executable), os.path.relpath(ROOT / "driver" / "run.py")]


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
