"""A folder or URI that a workspace is in, and what is read there by name."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from stat import S_ISREG
from typing import TypeVar

from fsspec.implementations.local import LocalFileSystem

from mapsight.errors import Failure, UsageError
from mapsight.files import sha256_of
from mapsight.storage.uri import resolve
from mapsight.workspace.links import files_below, stays_inside

__all__ = ["Place"]

AnyPlace = TypeVar("AnyPlace", bound="Place")


class Place:
    """A folder or URI, read by the names of what is below it.

    Args:
        location: the folder or URI.

    Raises:
        Failure: there is no way to it, or its name has letters that globs give a meaning.
    """

    called = "{}"
    """How messages name a location that cannot be used."""

    def __init__(self, location: str) -> None:
        self.location = location
        shown = self.called.format(location)
        try:
            self.fs, root = resolve(location)
        except (ValueError, ImportError, OSError) as error:
            raise Failure(f"{shown}: {error}") from error
        self.root = root.rstrip("/") or "/"
        if any(character in self.root for character in "#*?[],"):
            raise UsageError(f"{shown}: may not have any of # * ? [ ] , in its name")
        self.local = isinstance(self.fs, LocalFileSystem)
        self._temporary: tempfile.TemporaryDirectory[str] | None = None

    def uri(self, *names: str) -> str:
        """Return the absolute address of something below it."""
        path = "/".join([self.root, *names])
        return path if self.local else self.fs.unstrip_protocol(path)

    def path(self, *names: str) -> str:
        """Return the place of something below it, for its file system."""
        return "/".join([self.root, *names])

    def inside(self: AnyPlace, *names: str) -> AnyPlace:
        """Return a folder of this one, as the same kind of thing."""
        return type(self)(self.uri(*names))

    def within(self, *names: str) -> str:
        """Return the address of something that a document names, to read it.

        Raises:
            Failure: a symbolic link leads out of the workspace.
        """
        if self.local and not stays_inside(self.root, *names):
            raise Failure(f"{self.uri(*names)} leads out of the workspace; nothing there is read")
        return self.uri(*names)

    @property
    def scratch(self) -> Path:
        """A folder of this machine for temporary files; gone with this object."""
        if self._temporary is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="mapsight-read-")
        return Path(self._temporary.name)

    def close(self) -> None:
        """Take the temporary files away."""
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = None

    def names(self, *folder: str) -> Iterator[str]:
        """Yield the names of what a folder holds; nothing where there is none."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            for entry in self.fs.ls(self.path(*folder), detail=False):
                yield entry.rstrip("/").rsplit("/", 1)[-1]

    def sizes(self, folder: str) -> Iterator[tuple[str, int]]:
        """Yield (name, bytes) of the files below a folder; links are none."""
        if self.local:
            yield from ((n, f.st_size) for n, f in files_below(folder) if S_ISREG(f.st_mode))
            return
        for path, info in (self.fs.find(folder, detail=True) or {}).items():
            yield path[len(folder) + 1 :], info["size"]

    def marks(self, paths: list[str]) -> Iterator[dict[str, str]]:
        """Yield for each file what changes when its bytes do: `sha256` here, else `stamp`."""
        if self.local:
            return ({"sha256": sha256_of(Path(path))} for path in paths)
        if hasattr(self.fs, "checksums"):
            return ({"stamp": text} for text in self.fs.checksums(paths))
        return ({"stamp": str(self.fs.checksum(path))} for path in paths)

    def fetch(self, address: str, path: str | Path) -> None:
        """Copy the file at an address of the workspace to this machine."""
        self.fs.get_file(self.fs._strip_protocol(address), str(path))

    def download(self, addresses: Iterable[str], folder: Path) -> list[str]:
        """Return local paths of files; those of a remote workspace are copied to `folder`."""
        if self.local:
            return list(addresses)
        folder.mkdir(parents=True, exist_ok=True)
        paths = []
        for number, address in enumerate(addresses):
            if "://" not in address:
                paths.append(address)
                continue
            suffix = "".join(Path(address).suffixes[-1:])
            paths.append(str(folder / f"{number:06d}{suffix}"))
            self.fetch(address, paths[-1])
        return paths
