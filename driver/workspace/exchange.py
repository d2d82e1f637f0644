"""Two folders change places in one step, where the system can do that."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from pathlib import Path

__all__ = ["exchange", "put_in_place"]

AT_FDCWD, RENAME_EXCHANGE, RENAME_SWAP = -100, 2, 2
UNKNOWN = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM)


def exchange(one: Path, other: Path) -> bool:
    """Exchange two paths of a file system; nobody sees a moment in between.

    Returns:
        False if the system or the file system cannot do it; nothing has happened then.

    Raises:
        OSError: it failed for another reason.
    """
    names = os.fsencode(one), os.fsencode(other)
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        if sys.platform == "darwin":
            failed = libc.renamex_np(*names, RENAME_SWAP)
        else:
            failed = libc.renameat2(AT_FDCWD, names[0], AT_FDCWD, names[1], RENAME_EXCHANGE)
    except AttributeError:
        return False
    if failed and (number := ctypes.get_errno()) not in UNKNOWN:
        raise OSError(number, os.strerror(number), str(other))
    return not failed


def put_in_place(new: Path, target: Path, aside: Path) -> None:
    """Put a folder in the place of another, which goes to where the new one was, or `aside`.

    Where folders cannot be exchanged there is a moment without one; `aside` has the old then.
    """
    if not target.exists():
        new.rename(target)
    elif not exchange(new, target):
        target.rename(aside)
        try:
            new.rename(target)
        except BaseException:
            aside.rename(target)
            raise
