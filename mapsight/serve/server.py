"""A server in one object: its state, its threads, its figures; and running it with uvicorn."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.requests import Request

from mapsight.serve.layers.limits import Held
from mapsight.serve.layers.metrics import Metrics
from mapsight.serve.pictures import Cache, Drawers
from mapsight.serve.settings import Settings
from mapsight.serve.state import LOOKERS, Keeper, State
from mapsight.serve.work import Pool

__all__ = ["Asked", "Server", "asked_of"]

FETCHERS, DRAWERS = 4, 2
HELD = "mapsight.state"


class Server:
    """What all requests share.

    Args:
        settings: what is served, and how.
        tell: is called with lines for the log.

    Raises:
        Failure: the workspace cannot be opened.
    """

    def __init__(
        self, settings: Settings, tell: Callable[[str], object] = sys.stderr.write
    ) -> None:
        self.settings, self.tell, waiting = settings, tell, settings.limits.waiting
        self.metrics = Metrics()
        self.keeper = Keeper(settings, tell, self.metrics.add_refresh)
        self.cache, self.drawers = (
            Cache(settings.limits.cached_bytes, self.metrics.add_cached),
            Drawers(),
        )
        self.bodies = Held(settings.limits.held_bytes)
        self.search = Pool("search", settings.threads, waiting)
        self.read = Pool("read", settings.threads, waiting)
        self.draw = Pool("draw", DRAWERS, waiting)
        self.look = Pool("look", LOOKERS, waiting)
        self.fetch = Pool("fetch", FETCHERS, waiting)
        self._add_gauges()

    def _add_gauges(self) -> None:
        add, cache = self.metrics.add_gauge, self.cache
        for pool in self.pools:
            text = "requests that wait for threads, or have them"
            add("waiting", text, partial(getattr, pool, "taken"), work=pool.name)
        add("body_bytes", "bytes of bodies that are there", lambda: self.bodies.bytes)
        add("cached_bytes", "bytes of thumbnails that are held", lambda: cache.bytes)
        add("pictures", "pictures that are served", lambda: self.keeper.state.browser.rows)

    @property
    def pools(self) -> tuple[Pool, ...]:
        """Return the threads for each kind of work."""
        return self.search, self.read, self.draw, self.look, self.fetch

    @contextlib.asynccontextmanager
    async def running(self, app: Any) -> AsyncIterator[None]:
        """Keep the state new while an application runs."""
        self.keeper.start()
        try:
            yield
        finally:
            for pool in self.pools:
                pool.close()
            self.keeper.close()
            self.drawers.close()


@dataclass(frozen=True)
class Asked:
    """A request, the one state that it is answered from, and the server."""

    request: Request
    state: State
    server: Server


def asked_of(request: Request) -> Asked:
    """Return a request with what it is answered from."""
    return Asked(request, request.scope[HELD], request.app.state.server)
