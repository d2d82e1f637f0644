"""The command serve: a page and an API for a finished workspace."""

from __future__ import annotations

import argparse
import os
import sys
from argparse import Namespace
from dataclasses import replace
from typing import TYPE_CHECKING

from driver.errors import UsageError
from driver.needs import Need
from driver.options.groups import add_program_options, add_workspace_option

if TYPE_CHECKING:
    from mapsight.serve.server import Server
    from mapsight.serve.settings import Settings

GROUP = "Search"
DESCRIPTION = "Show a finished workspace in the browser, and answer programs over HTTP."
EXAMPLES = """\
examples:
  %(prog)s
  %(prog)s --workspace hdfs:///user/me/mapsight --port 8080
  %(prog)s --host 0.0.0.0 --allow-host pictures.example.org --token EDDN1P4GJ8ZYHM3R
"""
USUAL = ("workspace", "host", "port", "token")
NEEDS = (Need("mapsight serve", ("fastapi", "uvicorn", "python_multipart", "prometheus_client")),)
FOR_OUTPUT = False
TOKEN = "MAPSIGHT_TOKEN"
LEAST = 16
"""Letters of a token."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of serve."""
    add_workspace_option(parser)
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="where to listen (default: %(default)s, which only this machine reaches)",
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=8000,
        metavar="N",
        help="of the server, 0 for a free one (default: %(default)s)",
    )
    parser.add_argument(
        "--token",
        metavar="TEXT",
        help=f"what callers must know, {LEAST} letters at least; others on this machine see it in"
        f" the list of processes, but not ${TOKEN} (default: that, or none)",
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a name by which callers may know the server, as of a reverse proxy; again for more"
        " (default: its own addresses, and where --host reaches further its host name)",
    )
    parser.add_argument(
        "--allow-private",
        action="store_true",
        help="also fetch queries from addresses that are not public",
    )
    parser.add_argument(
        "--copy",
        metavar="FOLDER",
        help="where to keep the local copy of the index (default: as searches do)",
    )
    add_program_options(parser)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 1 << 16):
        raise argparse.ArgumentTypeError(f"{text!r}: expected a port, 0 to 65535")
    return int(text)


def run(options: Namespace) -> int:
    """Serve until told to stop."""
    # before numpy is imported: each search has one thread, and they would wait for each other
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from mapsight.serve.running import listening, serve

    settings = _settings(options)
    own = listening(settings.host, settings.port)
    port = own.getsockname()[1]
    settings = replace(settings, port=port)

    def ready(server: Server) -> None:
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        pictures = server.keeper.state.browser.rows
        sys.stderr.write(f"{pictures:,} pictures: http://{host}:{port} (Ctrl-C ends)\n")
        sys.stderr.flush()

    serve(settings, own, sys.stderr.write, ready)
    return 0


def _settings(options: Namespace) -> Settings:
    from mapsight.serve.settings import Settings

    token = options.token or os.environ.get(TOKEN, "")
    if token and len(token) < LEAST:
        raise UsageError(f"--token: {LEAST} letters at least, or anybody guesses it")
    settings = Settings(
        options.workspace,
        host=options.host,
        port=options.port,
        token=token,
        allow_hosts=tuple(options.allow_host),
        allow_private=options.allow_private,
        copy=options.copy,
    )
    if not settings.is_loopback and not token:
        sys.stderr.write(
            f"--host {options.host}: everybody who reaches this machine can see the pictures;"
            " give a --token, or put a reverse proxy before it\n"
        )
    return settings
