"""The configuration file: options in TOML, which typed flags override."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from driver.errors import UsageError
from mapsight.near_names import near_names
from mapsight.text import plain as printable
from mapsight.text_files import read_text

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["CONFIG", "config_flags"]

CONFIG = "mapsight.toml"
NAMED_ONLY = {
    "mrjob-conf": "its `setup` runs commands",
    "node-python": "it is a command that nodes run",
    "ignore-robots": "it fetches what hosts ask programs to leave alone",
    "allow-private": "it opens addresses of the own network",
}
"""What a file that is merely found must not say, and why: it may lie beside downloaded pictures."""
NOT_OPTIONS = ("help", "help-all", "version", "config")
MOST_BYTES = 1 << 20


def config_flags(
    parsers_of: Callable[[], Mapping[str, argparse.ArgumentParser]],
    command: str,
    named: str | None,
    argv: Sequence[str],
    apart: Collection[str] = (),
) -> list[str]:
    """Return the configuration file's options as flags that come before the typed ones.

    Args:
        parsers_of: returns the parsers of all commands that it is for, by name; called only where
            there is a file.
        command: the one that is run.
        named: the file of --config; None takes `mapsight.toml`, if there is one.
        argv: the typed flags, which win.
        apart: options that mean other things for this command than for others: only its own
            table sets them.

    Raises:
        UsageError: the file cannot be read, says something that no command knows, or
            something of NAMED_ONLY without being named.
    """
    document, where = _read_config(named), named or CONFIG
    if document is None:
        return []
    sys.stderr.write(f"configuration: {printable(str(Path(where).absolute()))}\n")
    parsers = parsers_of()
    tables = {key: value for key, value in document.items() if isinstance(value, dict)}
    plain = {key: value for key, value in document.items() if key not in tables}
    unknown = sorted(set(tables) - set(parsers))
    if unknown:
        raise UsageError(f"{where}: unknown table [{unknown[0]}]")
    actions = _configurable(parsers[command])
    elsewhere = {name for parser in parsers.values() for name in _configurable(parser)}
    flags: list[str] = []
    own = tables.get(command, {})
    for key, value in {**plain, **own}.items():
        name = key.replace("_", "-")
        if name in apart and key not in own:
            continue
        if name not in actions:
            if key in plain and name in elsewhere:
                continue
            near = near_names(name, sorted(elsewhere), 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise UsageError(f"{where}: unknown option {key!r}{hint}")
        if not _overridden(name, argv):
            if not named and name in NAMED_ONLY and value is not False:
                raise UsageError(_not_from_here(name))
            flags += _as_flags(actions[name], value, f"{where}: {key}")
    _check(parsers[command], flags, where)
    return flags


def _not_from_here(name: str) -> str:
    return (
        f"{CONFIG}: {name} is not taken from a file that is only found here, for"
        f" {NAMED_ONLY[name]}; type --{name}, or --config {CONFIG} if the file is yours"
    )


def _configurable(parser: argparse.ArgumentParser) -> dict[str, argparse.Action]:
    """The options that a configuration file may give, by name."""
    actions = {a.option_strings[-1][2:]: a for a in parser._actions if a.option_strings}
    return {name: a for name, a in actions.items() if name not in NOT_OPTIONS}


def _check(parser: argparse.ArgumentParser, flags: list[str], name: str) -> None:
    """Complain of the file's values in the file's name."""
    try:
        parser.parse_args(flags)
    except UsageError as error:
        raise UsageError(f"{name}: {error}") from None


def _overridden(name: str, argv: Sequence[str]) -> bool:
    """Whether typed flags replace an option that would otherwise add to them."""
    group = {"images", "openimages"} if name in ("images", "openimages") else {name}
    return any(
        arg == f"--{other}" or arg.startswith(f"--{other}=") for other in group for arg in argv
    )


def _as_flags(action: argparse.Action, value: Any, where: str) -> list[str]:
    flag = action.option_strings[-1]
    if isinstance(value, bool):
        if action.nargs != 0:
            raise UsageError(f"{where}: expected a value, not {str(value).lower()}")
        return [flag] if value else []
    if action.nargs == 0:
        raise UsageError(f"{where}: expected true or false")
    if isinstance(value, dict):
        raise UsageError(f"{where}: expected a value, not a table")
    if not isinstance(value, list):
        return [f"{flag}={value}"]
    if action.nargs == "+":
        return [flag, *map(str, value)]
    if not isinstance(action.default, list):
        raise UsageError(f"{where}: expected one value, not a list")
    return [f"{flag}={item}" for item in value]


def _read_config(named: str | None) -> dict[str, Any] | None:
    """Return the document; None where no file is named and none is there."""
    path = Path(named or CONFIG)
    if not named and not path.is_file():
        return None
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError("more than 1 MiB is no configuration")
        return tomllib.loads(read_text(path))
    except OSError as error:
        raise UsageError(f"--config {path}: {error.strerror}") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: not TOML: {error}") from None
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from None
    except RecursionError:
        raise UsageError(f"{path}: nested too deeply") from None
