"""HDFS over HTTP (WebHDFS): needs no Java and no native library.

fsspec has such a file system too; it gives an error page of a DataNode for data,
takes a rename that was refused for one that was done, and knows one NameNode.

DataNodes compare what they read from disk with its checksums before they send it
and turn to another replica if it is damaged; on the way here TCP's checksums are
all there is.
"""

from __future__ import annotations

import errno
import secrets
from collections.abc import Sequence
from functools import partial
from typing import Any, BinaryIO

from mapsight.storage.hdfs_base import HdfsFileSystem, error_of
from mapsight.storage.hdfs_buffers import RangeFile
from mapsight.storage.webhdfs_requests import NameNodes

__all__ = ["WebHdfs"]

UNFINISHED = ".part"


class WebHdfs(HdfsFileSystem):
    """A HDFS by the web addresses of its NameNodes, any of which may be the active one.

    Args:
        authority: as the user named it; kept in addresses.
        addresses: such as `http://host:9870`.
        user: on a cluster without Kerberos, who is asking.
        kerberos: prove who is asking with the ticket of `kinit`; needs requests-kerberos.
    """

    def __init__(
        self,
        authority: str = "",
        addresses: Sequence[str] = (),
        user: str | None = None,
        kerberos: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(authority, **kwargs)
        self._nodes = NameNodes(addresses, None if kerberos else user, kerberos)

    def _call(self, method: str, op: str, path: str, **parameters: Any) -> dict[str, Any]:
        """The answer to an operation that may be asked twice."""
        address = self.unstrip_protocol(path)
        return self._nodes.patiently(
            address, lambda: self._nodes.ask(method, op, path, address, **parameters).json()
        )

    def answers(self) -> bool:
        """Return whether there is a NameNode at all.

        Raises what it says, such as PermissionError.
        """
        try:
            self._info("/")
        except ConnectionError:
            return False
        return True

    def _info(self, path: str) -> dict[str, Any]:
        return _entry(path, self._call("GET", "GETFILESTATUS", path)["FileStatus"])

    def _entries(self, path: str) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = []
        after: dict[str, str] = {}
        more = True
        while more:
            listing = self._call("GET", "LISTSTATUS_BATCH", path, **after)["DirectoryListing"]
            batch = listing["partialListing"]["FileStatuses"]["FileStatus"]
            entries += (_entry(path, status) for status in batch)
            more = bool(listing["remainingEntries"] and batch)
            after = {"startAfter": batch[-1]["pathSuffix"]} if more else {}
        return entries

    def _open_read(self, path: str, block_size: int | None) -> Any:
        info = self._info(path)
        if info["type"] == "directory":
            raise IsADirectoryError(errno.EISDIR, "is a folder", self.unstrip_protocol(path))
        return RangeFile(self, path, self._read, block_size, info["size"])

    def _read(self, path: str, start: int, end: int) -> bytes:
        """A range of a file; what breaks off goes on where it was, at another replica."""
        address, pieces, at = self.unstrip_protocol(path), [], start
        while at < end:
            piece = self._nodes.patiently(
                address, partial(self._nodes.read, path, address, offset=at, length=end - at)
            )
            pieces.append(piece)
            at += len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _put(self, path: str, body: BinaryIO, replace: bool = True) -> None:
        """Write under a hidden name beside it, then rename over what is there.

        CREATE with overwrite=true would empty the old file first. RENAME with
        renameoptions=OVERWRITE is one step of the NameNode: everybody sees the
        old file or the new one.
        """
        part = f"{self._parent(path).rstrip('/')}/.{secrets.token_hex(8)}{UNFINISHED}"
        address = self.unstrip_protocol(path)

        def create() -> None:
            body.seek(0)
            self._nodes.ask("PUT", "CREATE", part, address, body=body, overwrite="true")

        try:
            self._nodes.patiently(address, create)
            self._rename(part, path, replace)
        except BaseException:
            self._nodes.at_once(lambda: self._nodes.ask("DELETE", "DELETE", part, address))
            raise

    def _make_folders(self, path: str) -> None:
        self._call("PUT", "MKDIRS", path)

    def _delete(self, path: str, recursive: bool) -> None:
        address, tries = self.unstrip_protocol(path), 0

        def delete() -> None:
            nonlocal tries
            tries += 1
            flag = "true" if recursive else "false"
            done = self._nodes.ask("DELETE", "DELETE", path, address, recursive=flag).json()
            # an answer that was lost may have been a yes
            if not done["boolean"] and tries == 1:
                raise error_of("FileNotFoundException", "", address)

        self._nodes.patiently(address, delete)

    def _rename(self, path1: str, path2: str, replace: bool = True) -> None:
        # a file that has just been written is known by the name it shall have
        address, tries = self.unstrip_protocol(path2 if path1.endswith(UNFINISHED) else path1), 0
        how = "OVERWRITE" if replace else "NONE"

        def rename() -> None:
            nonlocal tries
            tries += 1
            ask = partial(self._nodes.ask, "PUT", "RENAME", path1, address)
            try:
                answer = ask(destination=path2, renameoptions=how)
            except FileNotFoundError:
                # an answer that was lost may have been a yes
                if tries == 1 or not self.exists(path2):
                    raise
                return
            # HttpFS does not know the option, and answers as if there were none
            if answer.content and not answer.json()["boolean"]:
                raise OSError(errno.EIO, f"cannot be renamed to {path2}", address)

        self._nodes.patiently(address, rename)

    def checksum(self, path: str) -> str:
        """Return HDFS's own: the MD5 of MD5s of the blocks' CRCs, with their sizes."""
        path = self._strip_protocol(path)
        found = self._call("GET", "GETFILECHECKSUM", path)["FileChecksum"]
        return f"{found['algorithm']}:{found['bytes'][: 2 * found['length']]}"


def _entry(folder: str, status: dict[str, Any]) -> dict[str, Any]:
    suffix = status["pathSuffix"]
    return {
        "name": f"{folder.rstrip('/')}/{suffix}" if suffix else folder,
        "size": status["length"],
        "type": status["type"].lower(),
        "modificationTime": status["modificationTime"],
    }
