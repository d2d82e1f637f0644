"""Nothing that lies in the folder one stands in is executed, or decides what is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from driver.errors import Failure, UsageError
from driver.parser import parse
from driver.pipeline.cluster import runner_settings
from mapsight.features.decoder_process import Decoder
from mapsight.python_child import clean_environment, module_command
from tests.support.paths import ROOT

MODEL = ROOT / "examples" / "catalogue" / "model.tflite"
NAMES = (
    *("json", "numpy", "PIL", "typing", "mapsight", "driver", "mr_jobs", "pyarrow", "runpy"),
    *("struct", "pickle", "mrjob", "requests", "sitecustomize", "usercustomize"),
)


@pytest.fixture
def trapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with a Python file for every name; one that runs leaves `executed`."""
    folder = tmp_path / "downloaded"
    folder.mkdir()
    mark = f"open({str(tmp_path / 'executed')!r}, 'a').write(__file__ + ' ')\nraise SystemExit(7)\n"
    for name in NAMES:
        (folder / f"{name}.py").write_text(mark)
    monkeypatch.chdir(folder)
    return folder


def executed(folder: Path) -> str:
    mark = folder.parent / "executed"
    return mark.read_text() if mark.exists() else ""


def mapsight(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    usual = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [sys.executable, str(ROOT / "driver" / "run.py"), *words]
    return subprocess.run(command, env=usual | variables, capture_output=True, text=True)


def test_commands_execute_no_file_of_the_current_folder(trapped):
    Image.new("RGB", (60, 40), "red").save(trapped / "a.png")
    place = ("--workspace", str(trapped.parent / "w"))
    for runner in ("inline", "local"):
        words = ("--images", "a.png", *place, "--model", str(MODEL), "--no-index")
        done = mapsight("-r", runner, *words, "--force", "plan", "--force", "extract")
        assert (done.returncode, executed(trapped)) == (0, ""), done.stderr
    for words in (("search", "a.png"), ("duplicates",), ("status",)):
        done = mapsight(*words, *place)
        assert (done.returncode, executed(trapped)) == (0, ""), done.stderr


@pytest.mark.parametrize("path", [f"{ROOT}:", f":{ROOT}", ".", f"{ROOT}::x", "../downloaded"])
def test_relative_entries_of_pythonpath_are_not_used(trapped, path):
    for name in ("sitecustomize", "usercustomize"):  # these Python itself imports
        (trapped / f"{name}.py").unlink()
    done = mapsight("status", "--workspace", "none", PYTHONPATH=path)
    assert "none: no workspace is there" in done.stderr and executed(trapped) == ""


@pytest.mark.parametrize("path", ["", ":", "/nowhere:", ".", "x:/nowhere"])
def test_modules_that_are_started_find_no_current_folder(trapped, monkeypatch, path):
    monkeypatch.setenv("PYTHONPATH", path)
    command = module_command("mapsight.features.weights")
    done = subprocess.run(command, env=clean_environment(), capture_output=True, text=True)
    assert (done.returncode, done.stderr, executed(trapped)) == (0, "", "")


def test_the_decoder_executes_no_file_of_the_current_folder(trapped, monkeypatch):
    monkeypatch.setattr(sys, "path", ["", ".", *sys.path])
    with Decoder() as decoder:
        assert decoder.decode(b"").code == "empty"
    assert executed(trapped) == ""


CHART = """
from matplotlib.figure import Figure
from mapsight.report.charts.chart_style import as_svg
def draw():
    figure = Figure()
    figure.subplots().plot([1, 2])
    return figure
print(as_svg(draw)())
"""


def test_a_matplotlibrc_of_the_current_folder_changes_no_chart(tmp_path):
    drawn = []
    for text in ("", "lines.linewidth: 9\naxes.facecolor: red\ntext.usetex: True\n"):
        (tmp_path / "matplotlibrc").write_text(text)
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", CHART]
        drawn.append(subprocess.check_output(command, cwd=tmp_path, env=environment))
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("mrjob-conf = 'evil.conf'", "mrjob-conf"),
        ("mrjob_conf = 'evil.conf'", "mrjob-conf"),
        ("[search]\nmrjob-conf = 'evil.conf'", "mrjob-conf"),
        ("node-python = 'sh evil.sh'", "node-python"),
    ],
)
def test_what_can_execute_is_not_taken_from_a_file_that_is_only_there(trapped, text, name):
    Path("mapsight.toml").write_text(text)
    Path("evil.conf").write_text("runners: {}")
    with pytest.raises(UsageError, match=f"{name} is not taken .* type --{name}, or --config"):
        parse(["search", "Lion"], "mapsight")
    named = parse(["search", "Lion", "--config", "mapsight.toml"], "mapsight")
    assert getattr(named, name.replace("-", "_")) is not None
    assert parse(["search", "Lion", f"--{name}=evil.conf"], "mapsight").command == "search"


def test_private_addresses_are_not_opened_by_a_file_that_is_only_there(trapped):
    Path("mapsight.toml").write_text("allow-private = true")
    with pytest.raises(UsageError, match="allow-private is not taken"):
        parse(["--images", "x.csv"], "mapsight")
    assert parse(["--images", "x.csv", "--config", "mapsight.toml"], "mapsight").allow_private


@pytest.mark.parametrize("words", [[], ["--config", "mapsight.toml"]])
def test_a_configuration_is_named_where_it_was_read(trapped, capsys, words):
    Path("mapsight.toml").write_text("top-k = 3")
    parse(["search", "Lion", *words], "mapsight")
    assert capsys.readouterr().err == f"configuration: {trapped}/mapsight.toml\n"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"x = " + b"[" * 9999, "nested too deeply"),
        (b"x = " + b"{a=" * 9999, "nested too deeply"),
        (b"x = '\xff'", "is not UTF-8"),
        (b"#" * 2_000_000, "more than 1 MiB"),
    ],
)
def test_odd_configurations_are_refused_by_name(trapped, content, reason):
    Path("mapsight.toml").write_bytes(content)
    with pytest.raises(UsageError, match=rf"mapsight.toml: .*{reason}"):
        parse(["search", "Lion"], "mapsight")


def test_settings_of_runners_never_come_from_the_current_folder(trapped, monkeypatch):
    Path("mrjob.conf").write_text("runners: {inline: {setup: [evil]}}")
    assert str(trapped) not in " ".join(runner_settings("inline"))
    monkeypatch.setattr("driver.pipeline.cluster.project_file", trapped.parent.joinpath)
    with pytest.raises(Failure, match=r"no mrjob\.conf"):
        runner_settings("inline")
