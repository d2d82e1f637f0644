"""Where MobileNet's weights come from, and that they are the ones they should be.

Weights are looked for in this order: the file or folder the user names, the file
or folder in `$MAPSIGHT_WEIGHTS`, the model cache, the official download.
`model_cache/models.toml` lists the known files. A file whose SHA-256 is recorded
anywhere (in that table, in `SHA256SUMS` beside it, in the model cache) is refused
when it differs: a damaged weights file would otherwise load without a word.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from mapsight.application import checkout, project_file
from mapsight.files import locked, sha256_of, verify, write_whole

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = [
    "Weights",
    "WeightsError",
    "download",
    "find_weights",
    "known_weights",
    "local_weights",
    "model_cache_dir",
]

TABLE = project_file("model_cache/models.toml")
MAX_BYTES = 256 << 20
HDF5 = b"\x89HDF\r\n\x1a\n"

Progress = Callable[[int, "int | None"], None]
"""Called with the bytes received and the total (None if the server does not say)."""


class WeightsError(ValueError):
    """Weights are missing, altered or of an unknown kind."""


@dataclass(frozen=True)
class Weights:
    """A weights file that was found, its SHA-256 (hex) and where it is from."""

    path: Path
    sha256: str
    origin: str


def model_cache_dir() -> Path:
    """Return `$MAPSIGHT_MODEL_CACHE`, the checkout's `model_cache/`, or `~/.cache/mapsight`."""
    if named := os.environ.get("MAPSIGHT_MODEL_CACHE"):
        return Path(named)
    if checkout() and os.access(TABLE.parent, os.W_OK):
        return TABLE.parent
    return Path.home() / ".cache" / "mapsight"


@lru_cache(maxsize=1)
def _table() -> tuple[dict[str, Any], ...]:
    """The entries of models.toml, their origin spelled out."""
    table = tomllib.loads(TABLE.read_text("utf-8"))
    return tuple(
        {**entry, "origin": table["origins"][entry["origin"]]} for entry in table["weights"]
    )


def known_weights(alpha: float, resolution: int) -> list[dict[str, Any]]:
    """Return the entries of models.toml for exactly this width and resolution.

    Raises:
        WeightsError: MobileNet v1 was not published with them.
    """
    found = [entry for entry in _table() if _size(entry) == (alpha, resolution)]
    if not found:
        known = ", ".join(f"{a}/{r}" for a, r in sorted({_size(entry) for entry in _table()}))
        raise WeightsError(f"no MobileNet v1 of {alpha}/{resolution} is known; known: {known}")
    return found


def _size(entry: dict[str, Any]) -> tuple[float, int]:
    return entry["alpha"], entry["resolution"]


def find_weights(
    alpha: float,
    resolution: int,
    *,
    explicit: str | None = None,
    cache: Path | None = None,
    progress: Progress | None = None,
    base_url: str | None = None,
) -> Weights:
    """Return the weights for a width and resolution, downloaded if they are nowhere here.

    Args:
        explicit: a file (taken whatever its name) or a folder with a known file.
        cache: the model cache, default `model_cache_dir()`.
        base_url: replaces the folder of the official download.

    Raises:
        WeightsError: not found and not downloadable, altered, or not an .h5 file.
    """
    cache = cache or model_cache_dir()
    if local := local_weights(alpha, resolution, explicit=explicit, cache=cache):
        return local
    entry = next(entry for entry in known_weights(alpha, resolution) if "url" in entry)
    url = f"{base_url.rstrip('/')}/{entry['file']}" if base_url else entry["url"]
    path = cache / entry["file"]
    try:
        with locked(path):
            if not path.exists():
                download(url, path, progress=progress)
    except WeightsError as error:
        places = f"$MAPSIGHT_WEIGHTS ({os.environ.get('MAPSIGHT_WEIGHTS') or 'not set'}), {cache}"
        raise WeightsError(
            f"no weights for MobileNet {alpha}/{resolution} in {places}, and {error}; "
            "name a file with --weights FILE or MAPSIGHT_WEIGHTS, or allow the download"
        ) from error
    return _checked(path, entry, cache)


def local_weights(
    alpha: float, resolution: int, *, explicit: str | None, cache: Path
) -> Weights | None:
    """Return the same as `find_weights`, but None where that would download."""
    entries = known_weights(alpha, resolution)
    named = {"--weights": explicit, "MAPSIGHT_WEIGHTS": os.environ.get("MAPSIGHT_WEIGHTS")}
    for source, place in {**named, "cache": cache}.items():
        path = Path(place or "")
        if not place or (source == "cache" and not path.is_dir()):
            continue
        if path.is_file():
            return _checked(path, _entry_named(path), cache)
        if not path.is_dir():
            raise WeightsError(f"{source} {path}: no such file or folder")
        for entry in entries:
            if (path / entry["file"]).is_file():
                return _checked(path / entry["file"], entry, cache)
        if source == "--weights":
            names = " or ".join(entry["file"] for entry in entries)
            raise WeightsError(f"--weights {path}: the folder has no {names}")
    return None


def _entry_named(path: Path) -> dict[str, Any]:
    """The table's entry for a file name, or a bare one for a file of the user's own."""
    own = {"origin": f"a file of the user's: {path.name}"}
    return next((entry for entry in _table() if entry["file"] == path.name), own)


def _checked(path: Path, entry: dict[str, Any], cache: Path) -> Weights:
    """The weights at `path`, compared with every record of their SHA-256."""
    if path.suffix != ".h5":
        raise WeightsError(f"{path}: weights must be an .h5 or .weights.h5 file")
    expected = entry.get("sha256") or _listed(path)
    if expected or "url" not in entry:
        return Weights(path, verify(path, expected), entry["origin"])
    record = cache / f"{path.name}.sha256"
    if record.exists():
        return Weights(path, verify(path, record.read_text("ascii").split()[0]), entry["origin"])
    found = sha256_of(path)
    write_whole(record, f"{found}  {path.name}\n".encode())
    return Weights(path, found, entry["origin"])


def _listed(path: Path) -> str | None:
    """The SHA-256 that `SHA256SUMS` in the file's folder gives for it."""
    sums = path.parent / "SHA256SUMS"
    lines = sums.read_text("utf-8").splitlines() if sums.is_file() else []
    pairs = (line.split(maxsplit=1) for line in lines if line.strip())
    return next((sha for sha, name in pairs if name.lstrip("*") == path.name), None)


def download(
    url: str, path: Path, *, tries: int = 5, wait: float = 1.0, progress: Progress | None = None
) -> None:
    """Download an HDF5 file to `path`, which appears only when it is complete.

    Server errors and broken connections are tried again after `wait` seconds,
    doubled each time, with up to as much again at random.

    Raises:
        WeightsError: it cannot be had, or is not an HDF5 file.
    """
    import http.client

    part = path.with_name(f"{path.name}.part")
    for attempt in range(1, tries + 1):
        try:
            _receive(url, part, progress)
            part.replace(path)
            return
        except (OSError, http.client.HTTPException) as error:
            code = getattr(error, "code", 500)
            final = code < 500 and code not in (408, 429)
            if final or attempt == tries:
                raise WeightsError(f"{url} cannot be downloaded: {error}") from error
            time.sleep(wait * 2 ** (attempt - 1) * (1 + random.random()))
        finally:
            part.unlink(missing_ok=True)


def _receive(url: str, part: Path, progress: Progress | None) -> None:
    """Streams a URL into a file; OSError if it ends early, WeightsError if it is wrong."""
    import urllib.request

    with urllib.request.urlopen(url, timeout=30) as response, part.open("wb") as file:
        length = response.headers.get("Content-Length")
        total = int(length) if length else None
        while block := response.read(1 << 18):
            if file.tell() == 0 and not block.startswith(HDF5):
                raise WeightsError(f"{url} is not an HDF5 file: it starts with {block[:16]!r}")
            if file.tell() + len(block) > MAX_BYTES:
                raise WeightsError(f"{url} is larger than {MAX_BYTES} bytes")
            file.write(block)
            if progress:
                progress(file.tell(), total)
        if file.tell() == 0 or (total is not None and file.tell() != total):
            raise OSError(f"{file.tell()} of {total} bytes came")
