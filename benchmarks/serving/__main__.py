"""What a server of a workspace takes, beside one `Searcher` in this process.

    python -m benchmarks.serving --workspace W [--clients 1 8 32] [--seconds 60] [--queries 200]
    python -m benchmarks.serving --workspace W --rows 1000000 --keep FOLDER

With --rows the server has a workspace of so many made-up pictures, which is made of W in FOLDER,
or found there. Each kind of request is asked for by so many clients at once, over connections that
stay open: a search by id, by vector and by a picture that is sent (ten answers each), and a page of
50 pictures under a filter that leaves about 1 in 1,000. Each answer to a search must have the
right picture first. Clients are threads of this process, the server is another one; both share the
machine's cores.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from argparse import Namespace
from pathlib import Path
from urllib.request import urlopen

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from benchmarks.serving.load import Load, Request, alone, loaded
from driver.text_table import table_lines
from mapsight.opened import OpenedWorkspace
from tests.support.memory import high_water

ROOT = Path(__file__).resolve().parent.parent.parent
HEAD = ("asked for", "clients", "answers/s", "p50, ms", "p95, ms", "p99, ms", "busy", "wrong")
TOP_K = 10
LEAST = 1e-3
"""The share of pictures that the filter of the grid leaves."""
PAGES = 2_000
"""Different filters of the grid; what is asked for again is answered from what was kept."""
BOUNDARY = "benchmark"


def _ready(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=60) as answer:
            return answer.status == 200
    except OSError:
        return False


def started(workspace: str, port: int) -> tuple[subprocess.Popen[bytes], float]:
    """Start a server; return it, and the seconds until it answered."""
    command = [sys.executable, str(ROOT / "driver/run.py"), "serve", "--workspace", workspace]
    began = time.perf_counter()
    server = subprocess.Popen([*command, "--port", str(port)], stderr=subprocess.DEVNULL)
    while not _ready(port):
        if server.poll() is not None:
            raise SystemExit(f"the server ended with {server.returncode}")
        time.sleep(0.02)
    return server, time.perf_counter() - began


def requests_of(opened: OpenedWorkspace, count: int) -> dict[str, list[Request]]:
    """Return the requests of each kind: for pictures of the workspace, evenly spread."""
    places = np.linspace(0, opened.browser.rows - 1, count).astype(np.int64)
    ids = opened.browser.columns.ids.take(places).to_pylist()
    names, vectors = opened.features(ids)
    search = f"/api/v1/search?top_k={TOP_K}"
    by_vector = [
        {"vectors": [np.round(x, 6).tolist()], "style": "any", "top_k": TOP_K} for x in vectors
    ]
    return {
        "id": [Request("GET", f"{search}&q={one}", holds=one) for one in ids],
        "vector": [
            Request("POST", "/api/v1/search", json.dumps(body).encode(), "application/json", one)
            for one, body in zip(names, by_vector, strict=True)
        ],
        "upload": [_upload(opened, one) for one in ids[: min(count, 50)]],
        "grid": _pages(opened),
    }


def _upload(opened: OpenedWorkspace, image_id: str) -> Request:
    name = f'name="file"; filename="{image_id}"'
    head = f"--{BOUNDARY}\r\nContent-Disposition: form-data; {name}\r\n\r\n".encode()
    body = head + opened.picture(image_id) + f"\r\n--{BOUNDARY}--\r\n".encode()
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    return Request("POST", "/api/v1/search", body, kind)


def _pages(opened: OpenedWorkspace) -> list[Request]:
    """Return requests for pages under filters by measures that leave LEAST of all pictures.

    They begin elsewhere each, so that few are answered from what was kept for another.
    """
    values = opened.browser.columns.values("ppi")
    known = np.sort(values[~np.isnan(values)])
    width = max(int(len(known) * LEAST), 1)
    firsts = np.linspace(0, len(known) - width, PAGES).astype(np.int64)
    ranges = [(known[i], known[i + width - 1]) for i in firsts]
    return [
        Request("GET", f"/api/v1/pictures?limit=50&min_ppi={low}&max_ppi={high}&sort=-score")
        for low, high in ranges
    ]


def beside(opened: OpenedWorkspace, requests: dict[str, list[Request]], seconds: float) -> Load:
    """Return what one Searcher takes for the searches by id, without a server."""
    ids = [request.holds for request in requests["id"]]
    opened.search(ids[0], TOP_K)
    return alone(lambda i: opened.search(ids[i % len(ids)], TOP_K), seconds)


def row_of(name: str, load: Load) -> tuple[str, ...]:
    """Return a line of the table."""
    times = (f"{load.milliseconds(percent):,.1f}" for percent in (50, 95, 99))
    counts = (f"{load.busy:,}", f"{len(load.wrong):,}")
    return (name, str(load.clients), f"{load.rate:,.1f}", *times, *counts)


def measured(options: Namespace, workspace: str) -> list[tuple[str, ...]]:
    """Return the lines of the table."""
    opened = OpenedWorkspace(workspace)
    requests = requests_of(opened, options.queries)
    rows = [HEAD, row_of("id, without a server", beside(opened, requests, options.seconds))]
    server, seconds = started(workspace, options.port)
    sys.stdout.write(f"{opened.browser.rows:,} pictures, ready in {seconds:.2f} s\n")
    try:
        for kind in options.kinds:
            for clients in options.clients:
                load = loaded(options.port, requests[kind], clients, options.seconds)
                rows.append(row_of(kind, load))
                sys.stderr.write("".join(f"{line}\n" for line in load.wrong[:3]))
        sys.stdout.write(f"memory of the server: {high_water(server.pid) >> 20:,} MiB\n")
    finally:
        server.terminate()
        server.wait()
    return rows


def main() -> int:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workspace", required=True)
    parser.add_argument("--rows", type=int, help="of a made-up workspace (default: W as it is)")
    parser.add_argument("--keep", default="serving-benchmark", help="folder of the made-up one")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--port", type=int, default=8765)
    kinds = ["id", "vector", "upload", "grid"]
    parser.add_argument("--kinds", nargs="+", choices=kinds, default=kinds)
    options = parser.parse_args()
    workspace = options.workspace
    if options.rows:
        from benchmarks.serving.made_up import made_up

        workspace = made_up(Path(workspace), options.rows, Path(options.keep))
    lines = table_lines(measured(options, workspace), (0,))
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
