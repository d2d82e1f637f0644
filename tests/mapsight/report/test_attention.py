"""What needs attention, with the command that comes next."""

from __future__ import annotations

import shlex

import pytest

from driver.parser import COMMANDS, parser_of
from mapsight.report.attention import attention, workspace_option
from tests.support.reports import RUN

LABELS = [{"label": "Lion", "pictures": 9}, {"label": "Cat", "pictures": 0}]
QUIET = {
    **RUN, "images_rejected": 0, "missing_labels": [], "images_not_selected": 0,
    "images_without_annotation": 0, "annotations_without_picture": 0, "labelled_by": "model",
    "duplicates": {"groups": 0, "exact": 0, "near": 0, "bytes": 0},
}  # fmt: skip


def items(suspects=(), unsure=0, labels=LABELS[:1], **changes):
    return attention({**QUIET, **changes}, suspects, unsure, labels)


def test_where_all_is_well_there_is_nothing():
    assert items() == []


def test_rejected_pictures_come_first_with_their_reasons():
    rejected, missing = items(images_rejected=2, missing_labels=["Owl"])
    assert (rejected.count, rejected.link) == ("2", "rejected")
    assert "truncated 2." in rejected.text and rejected.command == "mapsight run pictures"
    assert missing.command == "mapsight fetch --labels Owl --to openimages/"
    assert missing.text == "The model has no class for Owl. No picture can get this label."


def test_suspects_duplicates_and_unsure_pictures():
    found = {"groups": 2, "exact": 1, "near": 3, "bytes": 2500}
    suspected, twice, unsure = items([{"image_id": "a b"}], 300, duplicates=found)
    assert suspected.command == "mapsight select --disputed --format csv"
    assert (twice.count, twice.link) == ("4", "duplicates") and "2 groups" in twice.text
    assert (unsure.count, unsure.command) == ("300", "mapsight select --unsure")


def test_duplicates_that_nobody_looked_for_have_a_command():
    (item,) = items(duplicates=None, command="mapsight --workspace hdfs:///ws --images x")
    assert item.command == "mapsight duplicates --workspace hdfs:///ws"


def test_what_was_not_used_is_counted():
    options = {**RUN["options"], "license": "by/2.0", "only_labels": ["Cat", "Dog"]}
    (unused,) = items(images_not_selected=7, options=options)
    assert "--license by/2.0 and --only-labels Cat,Dog" in unused.text
    titles = [one.title for one in items(images_without_annotation=1, labels=LABELS)]
    assert titles == ["label without a picture", "picture without metadata"]


@pytest.mark.parametrize(
    ("command", "option"),
    [
        ("mapsight --workspace a", " --workspace a"),
        ("mapsight --workspace", ""),
        ("mapsight --workspace workspace", ""),
        ("mapsight 'open", ""),
        (None, ""),
    ],
)
def test_the_workspace_is_that_of_the_command(command, option):
    assert workspace_option({"command": command}) == option


def test_commands_are_of_the_program():
    found = {"groups": 1, "exact": 1, "near": 0, "bytes": 1}
    every = [
        *items([{"image_id": "a"}], 3, duplicates=found, missing_labels=["Owl"]),
        *items(duplicates=None),
    ]
    commands = [shlex.split(one.command) for one in every if one.command]
    for program, name, *words in (words for words in commands if words[2:] != ["pictures"]):
        assert (program, name in COMMANDS) == ("mapsight", True)
        parser_of(name, "mapsight").parse_args(words)
