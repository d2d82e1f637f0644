"""Options that several commands have, in groups."""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path

from driver.errors import UsageError
from driver.options.config_file import CONFIG
from driver.options.types import not_negative, positive, positive_real, share

__all__ = [
    "add_fetching_options",
    "add_input_options",
    "add_job_options",
    "add_program_options",
    "add_workspace_option",
    "check_settings_file",
    "usual_workspace",
]

CONTACT = re.compile(r"[!-'*-~]{1,200}")


def usual_workspace(runner: str) -> str:
    """Return the workspace that is meant where none is named."""
    if runner != "hadoop":
        return "./workspace"
    import getpass

    user = os.environ.get("HADOOP_USER_NAME") or getpass.getuser()
    return f"hdfs:///user/{user}/mapsight"


def add_workspace_option(parser: argparse.ArgumentParser) -> None:
    """Add --workspace."""
    parser.add_argument(
        "--workspace",
        metavar="DIR",
        help="folder or URI that keeps all stages (default: ./workspace; with -r "
        "hadoop hdfs:///user/YOU/mapsight)",
    )


def add_program_options(parser: argparse.ArgumentParser) -> None:
    """Add --config and --debug."""
    parser.add_argument(
        "--config",
        metavar="FILE",
        help=f"TOML file with options (default: {CONFIG}, if there is one)",
    )
    parser.add_argument("--debug", action="store_true", help="show tracebacks and task logs")


def add_job_options(parser: argparse.ArgumentParser) -> None:
    """Add where jobs run, and on which cluster."""
    parser.add_argument(
        "-r",
        "--runner",
        choices=["inline", "local", "hadoop", "emr"],
        default="local",
        help="where jobs run: in one process, on this machine's cores, on YARN or on "
        "EMR (default: %(default)s)",
    )
    group = parser.add_argument_group("jobs")
    group.add_argument(
        "--processes",
        type=positive,
        metavar="N",
        help="tasks at once with -r local (default: one per core)",
    )
    group.add_argument(
        "--parallel-jobs",
        type=positive,
        default=3,
        metavar="N",
        help="jobs at once with -r hadoop, where they need not wait for each other "
        "(default: %(default)s)",
    )
    group.add_argument(
        "--mrjob-conf",
        metavar="FILE",
        help="cluster settings that override Mapsight's mrjob.conf (default: none)",
    )
    group.add_argument(
        "--node-python",
        metavar="COMMAND",
        help="with -r hadoop and -r emr, a Python on every node that has Mapsight's "
        "packages (default: packages are sent along)",
    )
    _add_emr_options(parser)


def _add_emr_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "EMR", "What is not named here comes from mrjob.conf and --mrjob-conf."
    )
    group.add_argument(
        "--cluster-id",
        metavar="ID",
        help="use this running cluster and leave it running (default: start one and "
        "end it after the run)",
    )
    group.add_argument(
        "--instance-type",
        metavar="TYPE",
        help="EC2 type of the machines that run tasks (default: from mrjob.conf)",
    )
    group.add_argument(
        "--num-core-instances",
        type=positive,
        metavar="N",
        help="number of machines that run tasks (default: from mrjob.conf)",
    )
    group.add_argument(
        "--spot",
        type=positive_real,
        metavar="USD",
        help="rent all but one of them on the spot market, at this price per hour at "
        "most, in US dollars (default: on demand)",
    )


def check_settings_file(options: argparse.Namespace) -> None:
    """Refuse a file of --mrjob-conf that is not there, in commands that have the option."""
    settings = getattr(options, "mrjob_conf", None)
    if settings and not Path(settings).is_file():
        raise UsageError(f"--mrjob-conf {settings}: no such file")


def add_input_options(parser: argparse.ArgumentParser) -> None:
    """Add which pictures are read, and how."""
    group = parser.add_argument_group("input")
    group.add_argument(
        "--images",
        nargs="+",
        action="extend",
        default=[],
        metavar="PATH",
        help="folders, globs, pictures, Parquet files, tar archives, or text or CSV files of URLs;"
        " may be repeated (default: from mapsight.toml; a run then takes $MAPSIGHT_OPENIMAGES, else"
        " the bundled drawings)",
    )
    group.add_argument(
        "--openimages",
        metavar="DIR",
        help="folder of Open Images files under their published names (default: none)",
    )
    group.add_argument(
        "--image-column",
        metavar="NAME",
        help="column of Parquet files that holds pictures (default: found by name)",
    )
    group.add_argument(
        "--url-column",
        metavar="NAME",
        help="column of CSV files that holds URLs (default: found by name or content)",
    )
    group.add_argument(
        "--splits",
        type=positive,
        metavar="N",
        help="number of map tasks (default: from the size of the input)",
    )
    group.add_argument(
        "--max-rejected",
        type=share,
        default=0.5,
        metavar="SHARE",
        help="fail if a larger share of the pictures is unusable, 0 to 1 (default: %(default)s)",
    )
    add_fetching_options(parser)


def _contact(text: str) -> str:
    """Read an address for the User-Agent: printable ASCII without spaces and brackets."""
    if not CONTACT.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r}: expected an address of printable ASCII, without spaces and brackets"
        )
    return text


def add_fetching_options(parser: argparse.ArgumentParser) -> None:
    """Add how URLs are fetched."""
    group = parser.add_argument_group(
        "fetching URLs", "Numbers are for each map task: a host sees them times the running tasks."
    )
    group.add_argument(
        "--connections",
        type=positive,
        default=16,
        metavar="N",
        help="connections open at once (default: %(default)s)",
    )
    group.add_argument(
        "--per-host",
        type=positive,
        default=4,
        metavar="N",
        help="connections to one host, also where redirects lead (default: %(default)s)",
    )
    group.add_argument(
        "--fetch-seconds",
        type=positive_real,
        default=120.0,
        metavar="S",
        help="seconds for one URL, all retries included (default: %(default)g)",
    )
    group.add_argument(
        "--host-pause",
        type=not_negative,
        default=0.0,
        metavar="S",
        help="least seconds between two requests to one host; more where its robots.txt says"
        " Crawl-delay (default: %(default)g)",
    )
    group.add_argument(
        "--user-agent-contact",
        type=_contact,
        metavar="ADDRESS",
        help="web page or mail address that servers are told in the User-Agent, so that their"
        " owners can reach you (default: none)",
    )
    group.add_argument(
        "--ignore-robots",
        action="store_true",
        help="fetch also what robots.txt does not allow, and use pictures with X-Robots-Tag: noai,"
        " noimageai, noindex or noimageindex",
    )
    group.add_argument(
        "--allow-private",
        action="store_true",
        help="also fetch from addresses that are not public",
    )
