"""Hostile clients: what each got, and the memory and descriptors of the server before and after.

    python -m benchmarks.serving.hostile --workspace W --bad FOLDER [--queries 10000]

FOLDER has damaged pictures, among them bombs. Queries are odd, drawn with a seed.
"""

from __future__ import annotations

import argparse
import http.client
import random
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

from benchmarks.serving.__main__ import started
from driver.text_table import table_lines
from mapsight.browse.filters import NAMES
from mapsight.serve.searching import OWN

SEED = 20261130
PATHS = ("summary", "labels", "pictures", "facets", "search", "duplicates", "rejected", "suspects",
         "evaluation", "map", "map/1", "command", "export", "pictures/x", "nothing")  # fmt: skip
WORDS = ("", "0", "1", "-1", "1e309", "nan", "inf", "Lion", "-ppi", "image_id", "same",
         "٣", "'", "\0", "%", "../../x", "http://127.0.0.1:1/", "http://[", "file:///etc/passwd",
         "99999999999999999999", "hide", "csv", "0,0,1,0,1,1", "e" * 4000)  # fmt: skip
TRAVERSALS = ("/page/../app.py", "/page/..%2fapp.py", "/page/%2e%2e/app.py", "/../../etc/passwd",
              "/api/v1/pictures/..%2f..%2fetc%2fpasswd/image", "/page//etc/passwd")  # fmt: skip
HEAD = ("who", "what they got", "MiB after", "descriptors after")
ENDLESS_BYTES = 200 << 20


def held(pid: int) -> tuple[int, int]:
    """Return the resident MiB and the descriptors of a process (Linux)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096 >> 20, len(list(Path(f"/proc/{pid}/fd").iterdir()))


def asked(port: int, path: str, method: str = "GET", body: bytes = b"", **headers: str) -> str:
    """Return the status of an answer; "closed" where there is none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=90)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body or None, named)
        answer = connection.getresponse()
        answer.read()
        return str(answer.status)
    except (OSError, http.client.HTTPException):
        return "closed"
    finally:
        connection.close()


def odd_queries(port: int, count: int) -> Iterator[str]:
    """Ask odd things, and yield the statuses."""
    rng = random.Random(SEED)
    names = [*NAMES, *OWN, "sort", "limit", "cursor", "at", "format", "error", "side", "", "x"]
    for _ in range(count):
        pairs = [
            f"{quote(rng.choice(names))}={quote(rng.choice([*WORDS, _text(rng)]))}"
            for _ in range(rng.randrange(5))
        ]
        yield asked(port, f"/api/v1/{rng.choice(PATHS)}?{'&'.join(pairs)}")


def _text(rng: random.Random) -> str:
    return "".join(chr(rng.choice([rng.randrange(0xD7FF), rng.randrange(128)])) for _ in range(8))


def silent(port: int, count: int) -> Iterator[str]:
    """Open connections that say nothing, and yield what became of each, and of others meanwhile."""
    every = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
    yield f"others: {asked(port, '/api/v1/summary')}"
    for one in every:
        one.settimeout(60)
        began = time.monotonic()
        gone = one.recv(1) == b""
        yield "closed" if gone and time.monotonic() - began < 60 else "open"
        one.close()


def uploads(port: int, folder: Path) -> Iterator[str]:
    """Send damaged pictures, and yield the statuses."""
    for path in sorted(folder.iterdir()):
        head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        body = head + path.read_bytes() + b"\r\n--x--\r\n"
        kind = "multipart/form-data; boundary=x"
        yield asked(port, "/api/v1/search", "POST", body, Content_Type=kind)


def endless(port: int) -> Iterator[str]:
    """Send a body without end, and yield the answer and how much was taken."""
    sent = 0
    with socket.create_connection(("127.0.0.1", port), timeout=60) as one:
        one.sendall(
            b"POST /api/v1/search HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
            b"Content-Type: multipart/form-data; boundary=x\r\n\r\n"
        )
        head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        try:
            for piece in (head, *[bytes(1 << 16)] * (ENDLESS_BYTES >> 16)):
                one.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
                sent += len(piece)
        except OSError:
            pass
        try:
            status = one.recv(12).decode()[-3:]
        except OSError:
            status = "closed"
    yield f"{status} after {sent >> 20} MiB"


def strangers(port: int) -> Iterator[str]:
    """Ask as a foreign page would, and by another name."""
    yield asked(port, "/api/v1/summary", Origin="http://evil.example")
    yield asked(port, "/api/v1/search", "POST", Origin="null")
    yield asked(port, "/", Host="evil.example")


def main() -> int:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workspace", required=True)
    parser.add_argument("--bad", type=Path, required=True)
    parser.add_argument("--queries", type=int, default=10_000)
    parser.add_argument("--port", type=int, default=8766)
    options = parser.parse_args()
    port = options.port
    server, _ = started(options.workspace, port)
    kinds: dict[str, Callable[[], Iterator[str]]] = {
        "a good client": lambda: iter([asked(port, "/api/v1/search?q=Lion")]),
        "100 that say nothing": lambda: silent(port, 100),
        f"{options.queries:,} odd queries": lambda: odd_queries(port, options.queries),
        "damaged pictures and bombs": lambda: uploads(port, options.bad),
        "a body without end": lambda: endless(port),
        "foreign Origin and Host": lambda: strangers(port),
        "paths with ..": lambda: (asked(port, path) for path in TRAVERSALS),
        "a good client again": lambda: iter([asked(port, "/api/v1/search?q=Lion")]),
    }
    rows = [HEAD]
    try:
        for name, ask in kinds.items():
            got = ", ".join(f"{n:,} × {text}" for text, n in sorted(Counter(ask()).items()))
            memory, descriptors = held(server.pid)
            rows.append((name, got, f"{memory:,}", str(descriptors)))
    finally:
        server.terminate()
        server.wait()
    sys.stdout.writelines(f"{line}\n" for line in table_lines(rows, (0, 1)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
