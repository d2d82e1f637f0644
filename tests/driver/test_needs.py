"""What a command needs is asked before it begins, and the message names what to type."""

import re
import sys
from importlib import metadata

import pytest

from driver.needs import EVERYWHERE, needs_of
from driver.parser import COMMANDS, command_of, parse
from driver.run import main
from mapsight import extras
from tests.support.paths import ROOT

COMMAND_LINES = [
    ("run --images p", ("jinja2", "matplotlib"), "driver"),
    ("run --images p --until render", ("matplotlib",), "driver"),
    ("run", ("matplotlib",), "driver"),
    ("run --images p --engine keras --until fit", ("tensorflow",), "model"),
    ("run --images s3://b/p --until plan", ("s3fs",), "emr"),
    ("run --images p --until plan -r emr --workspace s3://b/w", ("boto3",), "emr"),
    ("report", ("jinja2",), "driver"),
    ("report", ("matplotlib",), "driver"),
    ("search x --format html --out x.html", ("matplotlib",), "driver"),
    ("search x --workspace s3://b/w", ("s3fs",), "emr"),
    ("add s3a://b/p", ("s3fs",), "emr"),
    ("export --format faiss --out o", ("faiss",), "faiss"),
    ("status --workspace s3://b/w", ("s3fs",), "emr"),
    ("compare s3://b/w", ("s3fs",), "emr"),
    ("model --check p", ("tensorflow",), "model"),
]
WITHOUT = [
    "run --images p --until merge",
    "run --images p --dry-run",
    "search x",
    "-r local --images p --until plan",
    "search x --no-job -r local",
    "search x -r local",
    "add p",
    "add p -r local",
    "evaluate-index -r local",
    "duplicates -r local",
    "fetch --labels Lion o -r local",
    "status",
    "duplicates",
    "remove x",
    "export --format npy --out o",
    "evaluate-index",
    "pack",
    "model",
    "plan",
    "compare w",
    "fetch --labels Lion o",
]


@pytest.mark.parametrize(("line", "modules", "extra"), COMMAND_LINES)
def test_a_command_that_cannot_end_does_not_begin(
    tmp_path, monkeypatch, capsys, line, modules, extra
):
    monkeypatch.chdir(tmp_path)
    for name in modules:
        monkeypatch.setitem(sys.modules, name, None)
    assert main(line.split()) == 2
    said = capsys.readouterr().err
    assert all(extras.PACKAGES.get(name, name) in said for name in modules)
    assert re.search(rf"pip install '\S*\[{extra}\]'\n$", said)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("line", WITHOUT)
def test_what_a_command_does_not_use_it_does_not_need(line):
    options = parse(line.split(), "mapsight")
    assert list(needs_of(command_of(options.command).NEEDS, options)) == []


def test_a_model_asks_for_tensorflow_before_weights_are_fetched(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    monkeypatch.setenv("MAPSIGHT_MODEL_CACHE", str(tmp_path))
    monkeypatch.setattr("driver.stages.model._weights", lambda *_: pytest.fail("looks for weights"))
    assert main(["model"]) == 1
    assert "building the model needs TensorFlow: pip install" in capsys.readouterr().err


def test_packages_are_listed_as_people_do():
    said = extras.lacking("x", ["faiss", "jinja2", "tqdm"])
    assert said.startswith("x needs faiss-cpu, jinja2 and tqdm: ")


def test_commands_name_modules_that_there_are():
    setup = (ROOT / "setup.py").read_text()
    needs = [need for name in COMMANDS for need in command_of(name).NEEDS]
    assert len(needs) > 10
    for need in (*needs, *EVERYWHERE):
        assert {*need.modules} <= {*extras.EXTRAS}
    for module, extra in extras.EXTRAS.items():
        assert f'"{extra}": ' in setup
        assert extras.PACKAGES.get(module, module).lower() in setup or module == "boto3"


def test_an_installed_package_and_a_checkout_are_told_what_fits(monkeypatch):
    def nowhere(name):
        raise metadata.PackageNotFoundError(name)

    assert extras.advice(["faiss", "jinja2"]).endswith("pip install 'mapsight[driver,faiss]'")
    monkeypatch.setattr(metadata, "distribution", nowhere)
    assert extras.advice(["jinja2"]).endswith(f"pip install '{ROOT}[driver]'")
