"""What a run works on when nothing is named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path

from driver.errors import Failure, UsageError
from mapsight.application import checkout, project_file
from mapsight.python_child import clean_environment

__all__ = ["choose_input"]

CATALOGUE = (
    "the drawn animals that come with Mapsight, a stand-in for yours (name those with --images)"
)


def choose_input(options: Namespace, before: Callable[[], Sequence[str]] = tuple) -> None:
    """Name pictures where none are named, and say which.

    First what mapsight.toml names, then $MAPSIGHT_OPENIMAGES, then the bundled
    catalogue with the model that was trained for it, and a note for the report.

    Args:
        before: returns what the workspace was made from, if it was; called only where nothing
            is named. What nobody typed replaces nothing of the user's.

    Raises:
        UsageError: it would.
    """
    options.note, options.bundled = None, False
    if options.images or options.openimages:
        if options.input_from:
            named = [*options.images, *([options.openimages] if options.openimages else [])]
            sys.stderr.write(f"pictures: {', '.join(named)} (from {options.input_from})\n")
        return
    if folder := os.environ.get("MAPSIGHT_OPENIMAGES"):
        _spare(options, before, folder, "those of $MAPSIGHT_OPENIMAGES")
        options.openimages = folder
        sys.stderr.write(f"pictures: {folder} (from $MAPSIGHT_OPENIMAGES)\n")
        return
    examples = _examples()
    _spare(options, before, str(_folder(examples)), "the bundled catalogue")
    sys.stderr.write(f"pictures: {CATALOGUE}\n")
    if _no_model_named(options):
        path = examples / "catalogue" / "model.tflite"
        options.model = str(path)
        fresh = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["fresh"]
        share = f"{fresh['accuracy']:.1%} of {fresh['n']} drawings it had never seen"
        sys.stderr.write(f"model: trained on their train subset; it recognised {share}\n")
        options.note = (
            "These are the drawn animals that come with Mapsight. The model learned from their"
            f" train subset, so the accuracy shown is too high: it recognised {share}."
        )
    options.openimages, options.bundled = str(_drawn(examples)), True


def _spare(options: Namespace, before: Callable[[], Sequence[str]], folder: str, what: str) -> None:
    inputs = before()
    if inputs and list(inputs) != [folder]:
        raise UsageError(
            f"{options.workspace} was made from {', '.join(inputs)}: name these again with --images"
            f" or --openimages, or another --workspace for {what}"
            " (mapsight status shows what it holds, mapsight --help what can be done)"
        )


def _examples() -> Path:
    """Return the folder of the bundled catalogue: in the checkout, or the installed copy."""
    examples = project_file("examples")
    if not (examples / "draw_catalogue.py").is_file():
        raise UsageError("name pictures with --images or --openimages (see mapsight --help)")
    return examples


def _drawn(examples: Path) -> Path:
    """The catalogue's pictures, drawn at first use."""
    folder = _folder(examples)
    if not folder.is_dir():
        sys.stderr.write(f"drawing the catalogue into {folder} (once, about ten seconds)\n")
    command = [sys.executable, str(examples / "draw_catalogue.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, env=clean_environment())
    if done.returncode:
        reason = (done.stderr.splitlines() or ["no message"])[-1]
        raise Failure(f"the catalogue cannot be drawn into {folder}: {reason}", done.stderr)
    return folder


def _folder(examples: Path) -> Path:
    """Where the catalogue's pictures are: in the checkout, or in the user's cache."""
    if examples.parent != checkout() or not os.access(examples / "catalogue", os.W_OK):
        return Path.home() / ".cache" / "mapsight" / "catalogue"
    return examples / "catalogue" / "openimages"


def _no_model_named(options: Namespace) -> bool:
    plain = (options.model, options.weights) == (None, None)
    size = options.alpha, options.resolution, options.precision, options.engine
    return plain and size == (1.0, 224, "float32", "litert")
