"""The options of the command search."""

from __future__ import annotations

import argparse
from collections.abc import Callable

__all__ = ["SEARCH_EXAMPLES", "search_options"]

SEARCH_EXAMPLES = """\
examples:
  %(prog)s lion.jpg
  %(prog)s 00966a975d566c45 --top-k 20 --format json
  %(prog)s https://example.org/lion.jpg --by label --min-ppi 20
  %(prog)s --queries queries.txt --exclude-self --format html --out answers.html
"""
RECALL = 0.95


def search_options(
    parser: argparse.ArgumentParser,
    positive: Callable[[str], int],
    real: Callable[[str], float],
    share: Callable[[str], float],
) -> None:
    """Add them to a parser; the other arguments turn text into values."""
    parser.add_argument("query", nargs="*", help="picture file, URL or image_id")
    parser.add_argument("--queries", metavar="FILE", help="file with one query a line")
    parser.add_argument(
        "--by",
        choices=["index", "features", "label"],
        help="most alike, by the index or by reading all features; or same label and highest PPI"
        " (default: index where there is one, else features)",
    )
    parser.add_argument("--label", help="only pictures with this label")
    parser.add_argument(
        "--head", metavar="FILE", help="label by this head (default: that of the workspace)"
    )
    parser.add_argument("--min-ppi", type=real, default=0.0, metavar="PPI")
    parser.add_argument(
        "--top-k", type=positive, default=10, metavar="K", help="default: %(default)s"
    )
    parser.add_argument(
        "--allow-private", action="store_true", help="also fetch queries from private addresses"
    )
    parser.add_argument("--exclude-self", action="store_true", help="leave out the query itself")
    parser.add_argument("--format", choices=["table", "json", "html"], default="table")
    parser.add_argument("--out", metavar="FILE", help="write the answers there")
    _index_options(parser.add_argument_group("by index"), positive, share)


def _index_options(
    group: argparse._ArgumentGroup,
    positive: Callable[[str], int],
    share: Callable[[str], float],
) -> None:
    group.add_argument(
        "--probe",
        type=positive,
        metavar="N",
        help="read the N cells nearest the query (default: as many as --recall needs)",
    )
    group.add_argument(
        "--recall",
        type=share,
        metavar="SHARE",
        help="of the true ten best that are to be found, as measured when the index was built"
        f" (default: {RECALL})",
    )
    group.add_argument(
        "--features",
        choices=["new", "plain"],
        help="compare embeddings joined with label scores, or embeddings alone"
        " (default: new where a head was fitted)",
    )
