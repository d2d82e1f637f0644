from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

import pytest

from driver.errors import UsageError
from driver.parser import COMMANDS, command_of, parse, parser_of
from mapsight import __version__
from mapsight.labels.labeler import DEFAULT_TARGETS
from mapsight.workspace.stage_names import STAGES
from tests.support.paths import ROOT


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def options(*argv: str):
    return parse(argv, "mapsight")


def config(text: str, name: str = "mapsight.toml") -> None:
    Path(name).write_text(text, encoding="utf-8")


def complaint(*argv: str) -> str:
    with pytest.raises(UsageError) as caught:
        options(*argv)
    assert caught.value.exit_status == 2
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_defaults_are_those_of_the_report():
    found = options()
    assert found.command == "run"
    assert found.target_labels == list(DEFAULT_TARGETS)
    assert (found.runner, found.alpha, found.resolution) == ("local", 1.0, 224)
    assert (found.rank_by, found.order, found.max_rejected) == ("ppi", "desc", 0.5)


def test_pictures_without_metadata_choose_their_labels():
    assert options("--images", "a").target_labels == ["auto"]
    assert options("--images", "a", "--openimages", "b").target_labels == list(DEFAULT_TARGETS)
    assert options("--images", "a", "--head", "b").target_labels == list(DEFAULT_TARGETS)
    assert options("--openimages", "b", "--target-labels", "auto").target_labels == ["auto"]
    for others in (["Lion"], ["--head", "b"]):
        assert "auto stands alone" in complaint("--images", "a", "--target-labels", "auto", *others)


def test_run_may_be_said_or_left_out():
    assert vars(options("--images", "a")) == vars(options("run", "--images", "a"))


def test_the_file_in_the_working_folder_is_read():
    config('images = ["a", "b c"]\nrunner = "local"\nnear-model = true\nmax_rejected = 0.25\n')
    found = options()
    assert found.images == ["a", "b c"]
    assert (found.runner, found.near_model, found.max_rejected) == ("local", True, 0.25)


def test_a_named_file_replaces_it():
    config('workspace = "here"\n')
    config('workspace = "there"\n', "other.toml")
    assert options("--config", "other.toml").workspace == "there"


@pytest.mark.parametrize("typed", [["--workspace", "typed"], ["--workspace=typed"]])
def test_flags_win(typed):
    config('workspace = "filed"\n')
    assert options(*typed).workspace == "typed"


def test_typed_images_replace_those_of_the_file():
    config('images = ["a", "b"]\nopenimages = "o"\nworkspace = "w"\n')
    found = options("--images", "c", "--images=d")
    assert found.images == ["c", "d"]
    assert found.openimages is None
    assert found.workspace == "w"


def test_typed_labels_replace_those_of_the_file():
    config('target-labels = ["Dog", "Cat"]\n')
    assert options().target_labels == ["Dog", "Cat"]
    assert options("--target-labels", "Lion,Tiger", "Owl").target_labels == ["Lion", "Tiger", "Owl"]


def test_a_typed_force_replaces_that_of_the_file():
    config('force = ["plan", "rank"]\n')
    assert options("--force", "count").force == ["count"]


def test_a_table_is_for_its_command():
    config('top-k = 3\nlabel = "Lion"\nalpha = 0.5\n[search]\ntop-k = 7\n[model]\nalpha = 0.25\n')
    assert options("search", "x").top_k == 7
    assert options("search", "x").label == "Lion"
    assert options("model").alpha == 0.25
    assert options("run").alpha == 0.5


def test_what_means_another_thing_for_search_counts_in_its_own_table():
    config('rank-by = "sharpness"\nsubset = ["train"]\n[search]\nlicense = "by/2.0"\n')
    found = options("search", "x")
    assert (found.rank_by, found.subset, found.license) == (None, None, "by/2.0")
    assert (options().rank_by, options().subset) == ("sharpness", ["train"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("top_kk = 3", ["mapsight.toml", "'top_kk'", "'top-k'"]),
        ("[search]\nminppi = 3", ["mapsight.toml", "'minppi'", "'min-ppi'"]),
        ("[search]\nalpha = 1.0", ["'alpha'"]),
        ("[serch]\ntop-k = 3", ["mapsight.toml", "[serch]"]),
        ("help = true", ["'help'"]),
        ('config = "other.toml"', ["'config'"]),
        ("top-k =", ["mapsight.toml", "not TOML"]),
    ],
)
def test_what_is_unknown_in_the_file_is_named(text, words):
    config(text)
    message = complaint("search", "x")
    assert all(word in message for word in words), message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("exclude-self = 1", ["exclude-self", "true or false"]),
        ("top-k = true", ["top-k", "a value"]),
        ('top-k = "many"', ["top-k", "'many'", "number"]),
        ("top-k = 2.5", ["top-k", "'2.5'", "number"]),
        ("top-k = [1, 2]", ["top-k", "one value"]),
        ("[search]\nlabel = {a = 1}", ["label", "table"]),
        ('format = "xml"', ["format", "'xml'", "table"]),
    ],
)
def test_wrong_types_in_the_file_are_named_with_the_file(text, words):
    config(text)
    message = complaint("search", "x")
    assert all(word in message for word in ["mapsight.toml", *words]), message


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--workspce", "x"], ["--workspce"]),
        (["--splits", "0"], ["--splits", "'0' is not a positive whole number ("]),
        (["--splits", "1000000000001"], ["is more than 1,000,000,000,000"]),
        (["status", "ws"], ["unknown: ws; a workspace is named with --workspace"]),
        (["ws"], ["unknown: ws; pictures are named with --images"]),
        (["plan", "ws"], ["unknown: ws ("]),
        (["--splits", "few"], ["--splits", "'few'", "number"]),
        (["--ranks", "9:1"], ["--ranks", "9:1", "FIRST:LAST"]),
        (["--max-rejected", "1.5"], ["1.5", "between 0 and 1"]),
        (["--screen-diagonal", "-3"], ["--screen-diagonal", "-3"]),
        (["-r", "spark"], ["spark", "hadoop"]),
        (["--alpha", "0.3"], ["0.3", "0.25"]),
        (["--target-labels", ","], ["--target-labels"]),
        (["--config", "none.toml"], ["none.toml", "No such file"]),
        (["search", "x", "--top-k", "-1"], ["--top-k", "-1"]),
        (["--image", "x"], ["--image"]),
    ],
)
def test_what_is_wrong_with_flags_is_said_in_a_line(argv, words):
    message = complaint(*argv)
    assert all(word in message for word in words), message


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples(command, capsys):
    with pytest.raises(SystemExit) as stop:
        options(command, "--help")
    text = capsys.readouterr().out
    assert stop.value.code == 0
    example = "mapsight --images pictures/" if command == "run" else f"  mapsight {command}"
    assert example in text.split("examples:")[1]


@pytest.fixture
def helped(capsys):
    """Returns what a command line prints that asks for help."""

    def ask(*argv: str) -> str:
        with pytest.raises(SystemExit) as stop:
            options(*argv)
        assert stop.value.code == 0
        return capsys.readouterr().out

    return ask


def test_help_lists_every_command_in_a_line_before_any_option(helped):
    first, _, rest = helped("--help").partition("usual options:")
    assert all(first.count(f"\n  {name} ") == 1 for name in COMMANDS)
    assert first.startswith("usage: mapsight [run] [options]\n       mapsight COMMAND [options]\n")
    assert "inline,local,hadoop,emr" in rest and "--images" in rest
    assert helped("run", "--help") == helped("--help")


def test_help_names_every_stage_where_all_options_are(helped):
    assert all(word in helped("--help-all") for word in (*COMMANDS, *STAGES))


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_the_usual_options_and_help_all_the_others_too(command, helped):
    usual, everything = helped(command, "--help"), helped(command, "--help-all")
    flags = {action.option_strings[-1] for action in valued(command)}
    assert {f"--{name}" for name in command_of(command).USUAL} <= flags | switches(command)
    assert len(command_of(command).USUAL) <= 12
    for flag in flags | switches(command):
        shown = flag[2:] in command_of(command).USUAL or flag in ("--help", "--help-all")
        assert len(re.findall(rf"^  (--?\w.*, )?{flag}\b(?!-)", usual, re.M)) == shown, flag
        assert re.search(rf"^  (--?\w.*, )?{flag}\b(?!-)", everything, re.M), flag


def valued(command: str) -> list[argparse.Action]:
    actions = parser_of(command, "mapsight")._actions
    return [action for action in actions if action.option_strings and action.nargs != 0]


def switches(command: str) -> set[str]:
    actions = parser_of(command, "mapsight")._actions
    return {one.option_strings[-1] for one in actions if one.option_strings and one.nargs == 0}


@pytest.mark.parametrize("command", ["run", "search"])
def test_the_guide_has_every_option(command):
    guide = (ROOT / "docs/guide.md").read_text(encoding="utf-8")
    before, after = guide.split("`mapsight search QUERY…`")
    text = before if command == "run" else f"{before}{after}"
    flags = {one.option_strings[-1] for one in valued(command)} | switches(command)
    assert [
        flag for flag in sorted(flags - {"--help"}) if not re.search(rf"`{flag}\b(?!-)", text)
    ] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_says_what_it_does_and_its_default(command):
    for action in valued(command):
        assert re.search(r"\w.+\((default.+|needed)\)", action.help or ""), action.option_strings
        if action.default not in (None, [], False) and "%(default)" in action.help:
            assert action.help.count("default") == 2, action.option_strings
    actions = parser_of(command, "mapsight")._actions
    assert all(len(action.help or "") > 10 for action in actions)


@pytest.mark.parametrize("command", sorted(set(COMMANDS) - {"run"}))
def test_examples_of_help_can_be_parsed(command, capsys):
    with pytest.raises(SystemExit):
        options(command, "--help")
    text = capsys.readouterr().out.split("examples:")[1].replace("\\\n", "")
    lines = [line.split() for line in text.splitlines() if line.startswith("  mapsight")]
    assert lines
    assert all(options(*words[1:]).command == command for words in lines)


def test_version(capsys):
    with pytest.raises(SystemExit) as stop:
        options("--version")
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"mapsight {__version__}\n"


def test_the_toml_reader_is_there_for_this_python():
    from driver.options import config_file as module

    expected = "tomllib" if sys.version_info >= (3, 11) else "tomli"
    assert module.tomllib.__name__ == expected


@pytest.mark.parametrize(
    "typed", [["--duplicates"], ["--until=duplicates"], ["--force=duplicates"]]
)
def test_who_names_the_stage_wants_duplicates(typed):
    assert options(*typed).duplicates
    assert not options().duplicates


def test_what_a_file_says_for_runs_is_not_for_duplicates():
    config('force = ["plan"]\nworkspace = "w"\n[duplicates]\nmin-cosine = 0.9\n')
    found = options("duplicates")
    assert (found.workspace, found.min_cosine, found.again) == ("w", 0.9, False)


@pytest.mark.parametrize("words", ["--help", "search --help-all", "run --version"])
def test_help_starts_without_what_takes_long_to_import(words, tmp_path):
    program = "from driver.parser import parse; parse(sys.argv[1:], 'mapsight')"
    script = f"import atexit, sys; atexit.register(lambda: print(*sys.modules)); {program}"
    command = [sys.executable, "-c", script, *words.split()]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    imported = set(done.stdout.splitlines()[-1].split())
    assert done.returncode == 0 and "driver.parser" in imported
    assert not imported & {"numpy", "pyarrow", "fsspec", "PIL", "requests", "mrjob", "psutil"}
