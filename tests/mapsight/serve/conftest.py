"""A workspace with all that can be served, and a server of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import mapsight as library
from tests.support.lions_and_tigers import make_dataset
from tests.support.pictures import encoded, scribble
from tests.support.program import CalledProgram
from tests.support.served import Running, running


def _fill(folder: Path, environment: dict[str, str]) -> None:
    images = make_dataset(folder / "open", 0, 80) / "images"
    (images / "00000000000000fd.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (images / "00000000000000fe.jpg").write_bytes(encoded(scribble(7), "JPEG")[:300])
    (images / "00000000000000ff.tiff").write_bytes(encoded(scribble(9), "TIFF"))
    (images / "0000000000000100.jpg").write_bytes(encoded(scribble(1000, 60, 40), "JPEG"))
    (images / "0000000000000101.jpg").write_bytes(encoded(scribble(1000, 120, 80), "JPEG"))
    program = CalledProgram(environment, folder)
    program.ok("--images", "open/images", "--openimages", "open", "--duplicates")


@pytest.fixture(scope="session")
def served_once(made_once, environment: dict[str, str]) -> Path:
    """A folder with `open/images` and the workspace of a run over them; not to be changed."""
    return made_once("served", lambda folder: _fill(folder, environment))


@pytest.fixture(scope="session")
def opened(served_once: Path) -> library.opened.OpenedWorkspace:
    """The workspace that is served."""
    return library.open(served_once / "workspace")


@pytest.fixture(scope="session")
def ids(opened) -> list[str]:
    """Those of all pictures, in order."""
    return opened.predictions(["image_id"]).column(0).to_pylist()


@pytest.fixture(scope="module")
def server(served_once: Path) -> Iterator[Running]:
    """A server of the workspace, which nobody changes."""
    with running(served_once / "workspace") as one:
        yield one
