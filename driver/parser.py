"""The command line: commands and their options, from flags over configuration over defaults."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Protocol, cast

from driver.errors import UsageError
from driver.needs import Need
from driver.options.config_file import config_flags
from driver.options.groups import check_settings_file, usual_workspace
from mapsight.near_names import near_names

__all__ = ["COMMANDS", "Command", "command_of", "parse", "parser_of"]

COMMANDS = (
    *("run", "status", "report", "duplicates", "compare"),
    *("search", "select", "serve", "add", "remove", "evaluate-index", "export"),
    *("plan", "fetch", "model", "pack"),
)
"""Each is the module of `driver.commands` of that name."""
NAME_WIDTH = max(map(len, COMMANDS)) + 2


class Command(Protocol):
    """What the module of a command holds.

    It may have `settle(options, typed)` too, which completes the options, given those that were
    typed, and refuses what argparse cannot; and `APART`, options that mean other things than those
    of other commands, which in a configuration file only the command's own table sets.
    """

    GROUP: str  # under which commands are listed
    DESCRIPTION: str  # in a sentence
    EXAMPLES: str
    USUAL: tuple[str, ...]  # options of --help; --help-all shows all
    NEEDS: tuple[Need, ...]
    FOR_OUTPUT: bool  # it is for what it writes to standard output

    def add_options(self, parser: argparse.ArgumentParser, /) -> None:
        """Add the options of the command."""

    def run(self, options: argparse.Namespace, /) -> int:
        """Run the command; return the exit status."""


@cache
def command_of(name: str) -> Command:
    """Return the module of a command."""
    return cast(Command, importlib.import_module(f"driver.commands.{name.replace('-', '_')}"))


class _HelpAll(argparse.Action):
    """Prints help with all options."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        assert isinstance(parser, _Parser)
        sys.stdout.write(parser.format_all())
        parser.exit()


class _Parser(argparse.ArgumentParser):
    """A parser that says in one line what is wrong, and of many options shows the usual ones."""

    def __init__(self, usual: Sequence[str], **keywords: Any) -> None:
        super().__init__(**keywords)
        self._usual = usual
        self.add_argument("--help-all", action=_HelpAll, nargs=0, help="show all options and exit")

    def format_help(self) -> str:
        """Return help with the usual options."""
        flags = self._option_string_actions
        usual = [flags[f"--{name}"] for name in (*self._usual, "help", "help-all")]
        return self._format(("arguments", None, _places(self)), ("usual options", None, usual))

    def format_all(self) -> str:
        """Return help with all options, in their groups."""
        groups = self._action_groups
        return self._format(*((g.title, g.description, g._group_actions) for g in groups))

    def _format(self, *sections: tuple[str | None, str | None, Sequence[argparse.Action]]) -> str:
        formatter = self._get_formatter()
        formatter.add_usage(self.usage, [], [])
        formatter.add_text(self.description)
        for title, text, actions in sections:
            formatter.start_section(title)
            formatter.add_text(text)
            formatter.add_arguments(actions)
            formatter.end_section()
        formatter.add_text(self.epilog)
        return formatter.format_help()

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        found, unknown = self.parse_known_args(args, namespace)
        if unknown:
            self.error(f"unknown: {' '.join(unknown)}{self._hint(unknown[0])}")
        return found

    def _hint(self, word: str) -> str:
        known = [*self._option_string_actions, *COMMANDS]
        near = near_names(word.split("=")[0], known, 1)
        if near:
            return f"; did you mean {near[0]}?"
        if word.startswith("-"):
            return ""
        images = self._option_string_actions.get("--images")
        if images and images.nargs:
            return "; pictures are named with --images"
        return "; a workspace is named with --workspace" if "--workspace" in known else ""

    def _get_value(self, action: argparse.Action, arg_string: str) -> Any:
        """Refuse what is empty, as an unset variable of a shell is, for every option."""
        if not arg_string.strip() or "\0" in arg_string:
            what = "has a null character" if arg_string.strip() else "is empty"
            raise argparse.ArgumentError(action, f"{arg_string!r} {what}")
        return super()._get_value(action, arg_string)

    def error(self, message: str) -> Any:
        raise UsageError(f"{message} (see {self.prog} --help)")


def parser_of(name: str, prog: str) -> argparse.ArgumentParser:
    """Return the parser of a command's options."""
    command, run = command_of(name), name == "run"
    parser = _Parser(
        command.USUAL,
        prog=prog if run else f"{prog} {name}",
        usage=f"{prog} [run] [options]\n       {prog} COMMAND [options]" if run else None,
        description=f"{_commands()}\n{command.DESCRIPTION}" if run else command.DESCRIPTION,
        epilog=command.EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.add_options(parser)
    words = [parser.prog, "[options]", *map(_place, _places(parser))]
    parser.usage = parser.usage or " ".join(words)
    return parser


def _places(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Return the positional arguments of a parser."""
    return [action for action in parser._actions if not action.option_strings]


def _place(action: argparse.Action) -> str:
    """Return a positional argument as usage shows it."""
    name = str(action.metavar or action.dest).upper()
    return f"{name} ..." if action.nargs == "+" else f"[{name} ...]"


def _commands() -> str:
    """Return a list of the commands in their groups, each in a line."""
    groups: dict[str, list[str]] = {}
    for name in COMMANDS:
        command = command_of(name)
        line = f"  {name:<{NAME_WIDTH}}{command.DESCRIPTION.rstrip('.')}\n"
        groups.setdefault(command.GROUP, []).append(line)
    return "\n".join(f"{group}:\n{''.join(lines)}" for group, lines in groups.items())


def _configurable(prog: str) -> Mapping[str, argparse.ArgumentParser]:
    """Return the parsers of the commands that a configuration file is for, by name."""
    parsers = {name: parser_of(name, prog) for name in COMMANDS}
    return {name: one for name, one in parsers.items() if "--config" in one._option_string_actions}


def parse(argv: Sequence[str], prog: str) -> argparse.Namespace:
    """Return the options of a command, from flags over configuration over defaults.

    Raises:
        UsageError: an option or a value is unknown; the message says which.
    """
    named = bool(argv) and argv[0] in COMMANDS
    name, flags = (argv[0], list(argv[1:])) if named else ("run", list(argv))
    parser = parser_of(name, prog)
    options = typed = parser.parse_args(flags)
    if hasattr(typed, "config"):
        apart = getattr(command_of(name), "APART", ())
        filed = config_flags(lambda: _configurable(prog), name, typed.config, flags, apart)
        options = parser.parse_args(filed + flags)
    options.command, options.program = name, parser.prog
    if getattr(options, "workspace", "") is None:
        options.workspace = usual_workspace(getattr(options, "runner", "local"))
    check_settings_file(options)
    if settle := getattr(command_of(name), "settle", None):
        settle(options, typed)
    return options
