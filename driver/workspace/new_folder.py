"""A folder of the user's that a command fills: there when all of it is, or not at all."""

from __future__ import annotations

import contextlib
import errno
import shutil
from collections.abc import Iterator
from pathlib import Path

from driver.errors import Failure, UsageError
from driver.output_files import check_folder
from driver.workspace.lock import remove_orphans, sign

__all__ = ["new_folder", "whole_folder"]


def new_folder(option: str, out: str) -> Path:
    """Return the path of a folder that is new or empty and can be made.

    Raises:
        UsageError: it is neither.
    """
    target = Path(out).absolute()
    if target.is_dir():
        if any(target.iterdir()):
            raise UsageError(f"{option} {out}: is not empty")
    elif target.exists():
        raise UsageError(f"{option} {out}: exists and is not a folder")
    elif not target.parent.is_dir():
        raise UsageError(f"{option} {out}: there is no folder {target.parent}")
    check_folder(option, out)
    return target


@contextlib.contextmanager
def whole_folder(target: Path, run_id: str, size: int) -> Iterator[Path]:
    """A folder beside the target that becomes it at the end, and is gone if that is not reached.

    Other files that are needed meanwhile may be put beside it. What a killed process left is
    removed by the next.

    Args:
        size: about how many bytes it will have.

    Raises:
        Failure: the disk is full, or cannot be written.
    """
    base = target.parent / f".{target.name}.part"
    folder = base / run_id
    try:
        remove_orphans(path for path in base.glob("*") if not path.is_symlink())
        folder.mkdir(parents=True)
        sign(base / run_id, run_id)
        if shutil.disk_usage(folder).free < size:
            raise OSError(errno.ENOSPC, f"about {size / 1e6:,.0f} MB are needed")
        (folder / "files").mkdir()
        yield folder / "files"
        if target.is_dir():
            target.rmdir()
        (folder / "files").rename(target)
    except OSError as error:
        raise Failure(f"{target}: cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            base.rmdir()
