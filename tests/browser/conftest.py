"""One browser and one server for each module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.windows import Window, chromium, window
from tests.support.served import Running, fill, running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


@pytest.fixture(scope="session")
def served(made_once, environment: dict[str, str]) -> Path:
    """A folder with `open/images` and the workspace of a run over them; not to be changed."""
    return made_once("served", lambda folder: fill(folder, environment))


@pytest.fixture(scope="module")
def server(served: Path) -> Iterator[Running]:
    with running(served / "workspace") as one:
        yield one


@pytest.fixture
def wide(browser: Browser, server: Running) -> Iterator[Window]:
    with window(browser, server.url, accept_downloads=True) as one:
        yield one
