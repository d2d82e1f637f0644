"""The options of the commands add and remove."""

from __future__ import annotations

import argparse

__all__ = ["ADD_EXAMPLES", "REMOVE_EXAMPLES", "remove_options"]

ADD_EXAMPLES = """\
examples:
  %(prog)s new-pictures/
  %(prog)s lion.jpg 'more/*.jpg' shards/part.parquet
  %(prog)s -r local --openimages new-openimages/
  %(prog)s -r hadoop --images hdfs:///new --workspace hdfs:///user/me/mapsight

Labels, model, head and cells are those of the index. After a crash, run the same command again.
"""
REMOVE_EXAMPLES = """\
examples:
  %(prog)s 00966a975d566c45
  %(prog)s --ids unwanted.txt --ignore-missing
  %(prog)s --list > removed.txt

A picture that was removed comes back with `add`, as does another one of the same id.
"""


def remove_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of remove to a parser."""
    parser.add_argument("image_id", nargs="*", help="of a picture of the index")
    parser.add_argument("--ids", metavar="FILE", help="file with one image_id a line")
    parser.add_argument(
        "--ignore-missing",
        action="store_true",
        help="remove the others though the index does not have all",
    )
    parser.add_argument("--list", action="store_true", help="print what was removed, and no more")
