"""One state of a workspace, opened whole; and the next, which takes its place at once."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from mapsight.errors import Failure
from mapsight.files import fingerprint
from mapsight.index.collection import collection_of, has_index
from mapsight.index.pictures import PartPictures
from mapsight.opened import OpenedWorkspace
from mapsight.records import OTHER
from mapsight.search.searcher import Query, Searcher
from mapsight.serve.lending import Lending
from mapsight.serve.looking import Looker
from mapsight.serve.settings import Settings
from mapsight.serve.tables import Tables
from mapsight.workspace.changes import CHANGES, NEXT
from mapsight.workspace.stage_names import STAGES
from mapsight.workspace.workspace import Workspace, is_current

__all__ = ["Keeper", "State", "outside"]

Tell = Callable[[str], object]
LAST = ("index", "merge")
"""Stages that must be of one run before a new state is opened."""
LOOKERS = 2
CLOSE_SECONDS = 5.0
"""That the end waits for a state which is just being opened."""
MOST_PAUSES = 16
"""Times the usual pause that a state which cannot be opened is let lie."""


def outside(workspace: Workspace) -> str:
    """Return what changes with all that a state is made of: documents of stages, and changes."""
    documents = [workspace.committed(stage) for stage in STAGES]
    names = sorted(set(workspace.names()) & {CHANGES, NEXT})
    changes = [workspace.fs.cat_file(workspace.path(name)).hex() for name in names]
    return fingerprint([[one and one["digest"] for one in documents], changes])


class State:
    """A workspace as it was at one moment; nothing of it changes any more.

    Memory: two searchers and two lookers map the same files.

    Args:
        settings: say where it is.

    Raises:
        Failure: it cannot be opened, or has changed in this time.
    """

    def __init__(self, settings: Settings) -> None:
        read = Workspace(settings.workspace)
        self.outside = outside(read)
        self.opened = OpenedWorkspace(settings.workspace, settings.copy)
        self.workspace, self.users, self.retired = read, 0, False
        self.browser, self.tables = self.opened.browser, Tables(self.opened)
        merged = read.parts("merge") if read.committed("merge") else []
        self.predictions = [name for name in merged if "predictions.parquet" in name]
        self.searchers, self.lookers = Lending[Searcher](), Lending(Looker.close)
        self.collection = collection_of(read)
        self.pictures = PartPictures(self.collection.parts)
        self.lookup: Searcher | None = None
        self.labels: dict[str, str] = {}
        if has_index(read):
            self._open_index(read, settings)
        self.names = {label.casefold() for label in (*self.labels, OTHER)}
        self._known: dict[str, Any] = {}
        self._lock, self._scanning = threading.RLock(), threading.Lock()
        self.reading = threading.Lock()
        if outside(read) != self.outside:
            raise Failure(f"{settings.workspace}: changed while it was opened")

    def _open_index(self, read: Workspace, settings: Settings) -> None:
        self.lookup = Searcher(read, settings.copy)
        self.labels = self.lookup.labels
        for _ in range(settings.threads):
            self.searchers.add(Searcher(read, settings.copy))
        for _ in range(LOOKERS):
            self.lookers.add(Looker(read))

    @property
    def id(self) -> str:
        """Return the digest that answers name."""
        return self.browser.state

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """Return what is made of a state when it is first asked for, and kept."""
        with self._lock:
            if name not in self._known:
                self._known[name] = make()
            return self._known[name]

    def record_of(self, image_id: str) -> dict[str, Any] | None:
        """Return where a picture is, and its `sha256`; None if there is no such picture."""
        with self.reading:
            if self.lookup is None:
                return self.opened.record(image_id)
            return self.lookup.index.rows_of([image_id]).get(image_id)

    def cell(self, number: int) -> list[dict[str, Any]]:
        """Return the pictures of a cell of the map; errors as `Browser.cell`."""
        index = self.lookup.index if self.lookup else None
        with self.reading:
            return self.browser.cell(number, index)  # type: ignore[arg-type] # it has no map then

    def prepare(self) -> None:
        """Lay out the map, so that nobody waits for it: seconds for thousands of cells, once."""
        with contextlib.suppress(Exception):  # whoever asks for it is told
            self.browser.map()

    def classified(self, part: int) -> list[str]:
        """Return the addresses of the records of what was added, by its number."""
        return self.collection.parts[part].parts("classify")

    def scan(
        self, queries: Sequence[Query], top_k: int, by: str, options: dict[str, Any]
    ) -> list[list[dict[str, Any]]]:
        """Return the answers to queries by reading all pictures, one caller at a time."""
        with self._scanning:
            return self.opened.scanner.search_many(queries, top_k, by=by, **options)

    def close(self) -> None:
        """End the processes that decode, and take temporary files away."""
        self.searchers.close()
        self.lookers.close()
        self.opened.close()
        for one in (self.workspace, *self.collection.parts.values()):
            one.close()


class Keeper:
    """Keeps the state that requests are answered from, and looks for the next one.

    Args:
        settings: say where the workspace is.
        tell: is called with a line when a new state is there, or cannot be opened.
        note: is called with `opened` or `failed`.
    """

    def __init__(self, settings: Settings, tell: Tell, note: Tell = str) -> None:
        self._settings, self._tell, self._note = settings, tell, note
        self._workspace = Workspace(settings.workspace)
        self._lock, self._stop = threading.Lock(), threading.Event()
        self.state, self.error = State(settings), ""
        self.pause = settings.watch_seconds
        self._thread = threading.Thread(target=self._watch, name="watch", daemon=True)

    def start(self) -> None:
        """Begin to look for new states."""
        self._thread.start()

    def close(self) -> None:
        """Look no more, and let the state go."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_SECONDS)
        self._retire(self.state)
        self._workspace.close()

    @contextlib.contextmanager
    def held(self) -> Iterator[State]:
        """Give the state of now for the time of a request, whatever comes after it."""
        with self._lock:
            state = self.state
            state.users += 1
        try:
            yield state
        finally:
            with self._lock:
                state.users -= 1
                last = state.retired and not state.users
            if last:
                state.close()

    def _watch(self) -> None:
        self.state.prepare()
        while not self._stop.wait(self.pause):
            self.look()

    def look(self) -> None:
        """Open the next state, if there is a whole one, and put it in the place of this one.

        `pause`, the seconds until the next look, doubles while it cannot be opened.
        """
        usual = self._settings.watch_seconds
        try:
            now = outside(self._workspace)
            if now == self.state.outside:
                self.error = ""
            elif self._is_whole():
                self._change()
            self.pause = usual
        except Exception as error:  # whatever is wrong, the state of before is served
            self.pause = min(2 * self.pause, MOST_PAUSES * usual)
            self._fail(str(error) or type(error).__name__)

    def _is_whole(self) -> bool:
        """Return whether no run is between its index and its results."""
        documents = [self._workspace.committed(name) for name in LAST]
        return all(one is None or is_current(self._workspace, one) for one in documents)

    def _change(self) -> None:
        state = State(self._settings)
        state.prepare()
        with self._lock:
            self.state, before = state, self.state
        self.error = ""
        self._retire(before)
        self._note("opened")
        self._tell(f"a new state is served: {state.browser.rows:,} pictures\n")

    def _fail(self, why: str) -> None:
        if why != self.error:
            self._tell(f"the new state cannot be opened, the one before is served: {why}\n")
        self.error = why
        self._note("failed")

    def _retire(self, state: State) -> None:
        with self._lock:
            state.retired = True
            idle = not state.users
        if idle:
            state.close()
