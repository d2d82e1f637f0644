"""The options of the command fetch."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from mapsight.openimages.published_files import SUBSETS

__all__ = ["FETCH_EXAMPLES", "fetch_options"]

FETCH_EXAMPLES = """\
examples:
  %(prog)s --labels Lion,Tiger --per-label 50 --subset validation --to openimages/
  %(prog)s --labels Lion,Tiger,Owl --per-label 500 --with-negatives --dry-run
  %(prog)s -r local --labels Lion,Tiger,Owl --per-label 500 --no-depictions --to openimages/
  %(prog)s -r hadoop --labels Lion,Tiger --per-label 5000 --to hdfs:///user/me/openimages

then: mapsight -r local --openimages openimages/ --target-labels Lion,Tiger
Run it again to get what failed, or with a larger --per-label to get more.
"""


def fetch_options(
    parser: argparse.ArgumentParser,
    positive: Callable[[str], int],
    labels: Callable[[str], list[str]],
) -> None:
    """Add what fetch alone knows; `positive` and `labels` read numbers and lists."""
    group = parser.add_argument_group("sample")
    group.add_argument(
        "--labels",
        nargs="+",
        type=labels,
        action="extend",
        default=[],
        metavar="LABEL",
        help="Open Images names or MIDs (needed)",
    )
    group.add_argument(
        "--per-label",
        type=positive,
        metavar="N",
        help="pictures of each label from each subset (needed)",
    )
    group.add_argument(
        "--subset",
        nargs="+",
        choices=SUBSETS,
        default=list(SUBSETS),
        help="default: all three",
    )
    group.add_argument(
        "--with-negatives",
        action="store_true",
        help="as many pictures of which people said that they do not show the label",
    )
    group.add_argument(
        "--no-depictions",
        action="store_true",
        help="no pictures with a box of the label that is a drawing, a statue or the like",
    )
    _place_options(parser)


def _place_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("from and to")
    group.add_argument("--to", metavar="DIR", help="folder or URI to fill (needed)")
    group.add_argument(
        "--dry-run",
        action="store_true",
        help="download the metadata only, and say how many pictures and bytes would come",
    )
    group.add_argument(
        "--cache",
        metavar="DIR",
        help="keeps the metadata (default: $MAPSIGHT_CACHE, else ~/.cache/mapsight)",
    )
    group.add_argument(
        "--refresh", action="store_true", help="ask whether the metadata has changed"
    )
    group.add_argument(
        "--metadata-from", metavar="URL", help="a mirror of storage.googleapis.com/openimages"
    )
    group.add_argument(
        "--pictures-from", metavar="URL", help="a mirror of the bucket: URL/SUBSET/IMAGE_ID.jpg"
    )
