"""How a search is to be answered, beside the options of the library's searches."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Asked"]


@dataclass(frozen=True)
class Asked:
    """By what pictures are compared, where that is done, and how answers are shown.

    `each`: queries of standard input are answered one by one. `read_limit`: of what is read in
    this process, in MiB; None for READ_LIMIT.
    """

    by: str
    job: bool
    no_job: bool
    read_limit: int | None
    each: bool
    copy: str | None
    head: str | None
    format: str
    only_ids: bool
    out: str | None
