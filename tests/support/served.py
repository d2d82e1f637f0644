"""A server on loopback, in a thread of the tests."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from mapsight.serve.running import configured, listening
from mapsight.serve.server import Server
from mapsight.serve.settings import Limits, Settings
from tests.support.lions_and_tigers import make_dataset
from tests.support.pictures import encoded, scribble
from tests.support.program import CalledProgram

START_SECONDS = 30.0


def fill(folder: Path, environment: dict[str, str]) -> None:
    """Make `open/images`, with some that are rejected or nearly the same, and run over them."""
    images = make_dataset(folder / "open", 0, 80) / "images"
    (images / "00000000000000fd.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (images / "00000000000000fe.jpg").write_bytes(encoded(scribble(7), "JPEG")[:300])
    (images / "00000000000000ff.tiff").write_bytes(encoded(scribble(9), "TIFF"))
    (images / "0000000000000100.jpg").write_bytes(encoded(scribble(1000, 60, 40), "JPEG"))
    (images / "0000000000000101.jpg").write_bytes(encoded(scribble(1000, 120, 80), "JPEG"))
    program = CalledProgram(environment, folder)
    program.ok("--images", "open/images", "--openimages", "open", "--duplicates")


@dataclass
class Running:
    """A server that runs, and a client of it."""

    server: Server
    port: int
    lines: list[str]
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = httpx.Client(base_url=self.url, timeout=60.0)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self.client.get(f"/api/v1/{path}", params=query)

    def json(self, path: str, **query: Any) -> dict[str, Any]:
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()


@contextlib.contextmanager
def running(workspace: Path, limits: Limits | None = None, **settings: Any) -> Iterator[Running]:
    """Serve a workspace for a while; `settings` as Settings has them."""
    lines: list[str] = []
    chosen = Settings(str(workspace), port=0, limits=limits or Limits(), **settings)
    own = listening("127.0.0.1", 0)
    server = Server(chosen, lines.append)
    loop = uvicorn.Server(configured(server))
    thread = threading.Thread(target=loop.run, kwargs={"sockets": [own]})
    thread.start()
    try:
        ends = time.monotonic() + START_SECONDS
        while not loop.started and time.monotonic() < ends:
            time.sleep(0.01)
        one = Running(server, own.getsockname()[1], lines)
        yield one
        one.client.close()
    finally:
        loop.should_exit = True
        thread.join()
        own.close()


def descriptors() -> int:
    """Return how many files and sockets this process has open (Linux)."""
    return len(list(Path("/proc/self/fd").iterdir()))
