"""A workspace with all that can be served, and a server of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import mapsight as library
from tests.support.served import Running, fill, running


@pytest.fixture(scope="session")
def served_once(made_once, environment: dict[str, str]) -> Path:
    """A folder with `open/images` and the workspace of a run over them; not to be changed."""
    return made_once("served", lambda folder: fill(folder, environment))


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
