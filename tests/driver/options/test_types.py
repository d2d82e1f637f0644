"""Every option of every command with odd values: nan, infinity, underscores, nothing at all."""

from __future__ import annotations

import argparse

import pytest

from driver.errors import UsageError
from driver.options.types import number, positive, positive_real, ranks, share, whole
from driver.parser import COMMANDS, parse, parser_of

ODD = (
    *("nan", "inf", "-inf", "infinity", "1_0", "0x10", "", " ", " 5", "5 ", "-1", "1e999"),
    *("9" * 5000, "٣", "\uff15", "1e", "one", "5\n", "--5", "1/2", "1,5"),
)
TYPES = (whole, number, positive, positive_real, share, ranks)


def actions_of(command: str) -> list[argparse.Action]:
    actions = parser_of(command, "mapsight")._actions
    return [action for action in actions if action.nargs != 0]


def numeric() -> list[tuple[str, str]]:
    """(command, option) of all that take a number."""
    return [
        (command, action.option_strings[-1])
        for command in COMMANDS
        for action in actions_of(command)
        if getattr(action.type, "__module__", "") == "driver.options.types"
        and getattr(action.type, "__name__", "") != "labels_in"
    ]


@pytest.mark.parametrize("value", ODD)
def test_odd_numbers_are_refused_by_every_option(tmp_path, monkeypatch, value):
    monkeypatch.chdir(tmp_path)
    assert len(numeric()) > 40
    for command, option in numeric():
        with pytest.raises(UsageError) as caught:
            parse([command, f"{option}={value}"], "mapsight")
        assert option.lstrip("-") in str(caught.value), (command, option)


def test_no_option_reads_numbers_in_another_way():
    others = {
        (action.option_strings, action.type)
        for command in COMMANDS
        for action in actions_of(command)
        if action.type in (int, float)
    }
    assert not others


@pytest.mark.parametrize("value", ["", " ", "\t", "\n"])
def test_what_is_empty_is_refused_by_every_option_and_place(tmp_path, monkeypatch, value):
    monkeypatch.chdir(tmp_path)
    for command in COMMANDS:
        for action in actions_of(command):
            typed = f"{action.option_strings[-1]}={value}" if action.option_strings else value
            with pytest.raises(UsageError, match="is empty"):
                parse([command, typed], "mapsight")


@pytest.mark.parametrize("key", ["workspace", "images", "license", "head"])
def test_what_is_empty_in_the_file_is_refused_in_its_name(tmp_path, monkeypatch, key):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.toml").write_text(f'{key} = ""\n')
    with pytest.raises(UsageError, match=rf"own.toml.*--{key}.*is empty"):
        parse(["--config", "own.toml"], "mapsight")


@pytest.mark.parametrize("text", ["0.5", "1e-3", ".25", "1.", "+1", "0"])
def test_plain_numbers_are_read(text):
    assert number(text) == float(text) and share(text) == float(text)
