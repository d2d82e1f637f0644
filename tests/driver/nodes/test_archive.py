"""The packed environment: deterministic, whole, without what belongs to the packing machine."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from driver.errors import Failure
from driver.nodes import archive as node_env
from driver.nodes import pip as node_pip
from driver.nodes import tree as node_tree
from driver.nodes.archive import Packed, packed_environment
from tests.support.paths import ROOT


def tree(folder: Path, files: dict[str, str]) -> Path:
    """A folder with files."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def archived(folder: Path, target: Path) -> bytes:
    node_tree.archive(folder, target)
    return target.read_bytes()


# ---- the archive


def test_equal_contents_give_equal_bytes(tmp_path):
    one = tree(tmp_path / "one", {"b": "2", "a/c": "1"})
    two = tree(tmp_path / "two", {"a/c": "1", "b": "2"})
    (two / "b").chmod(0o755)
    os.utime(two / "a/c", (1, 1))
    assert archived(one, tmp_path / "x.tar.gz") == archived(two, tmp_path / "y.gz")


def test_other_contents_give_other_bytes(tmp_path):
    one, two = tree(tmp_path / "one", {"a": "1"}), tree(tmp_path / "two", {"a": "2"})
    assert archived(one, tmp_path / "x") != archived(two, tmp_path / "y")


def test_an_archive_holds_plain_files_of_nobody(tmp_path):
    node_tree.archive(tree(tmp_path / "env", {"b": "2", "a/c": "1"}), tmp_path / "x")
    with tarfile.open(tmp_path / "x") as tar:
        found = [(m.name, m.isreg(), m.mode, m.uid, m.gid, m.uname) for m in tar]
    assert found == [("a/c", True, 0o644, 0, 0, ""), ("b", True, 0o644, 0, 0, "")]


def test_the_archive_tells_no_time_and_no_name(tmp_path):
    data = archived(tree(tmp_path / "env", {"a": "1"}), tmp_path / "secret-name.tar.gz")
    assert data[3:8] == bytes(5)  # neither flags nor mtime, RFC 1952
    assert b"secret" not in gzip.decompress(data) + data


def test_a_symbolic_link_is_refused_by_name(tmp_path):
    (tree(tmp_path / "env", {"a": "1"}) / "link").symlink_to("/etc/passwd")
    with pytest.raises(Failure, match=r"^link is not a plain file"):
        list(node_tree.members(tmp_path / "env"))


def test_hard_links_become_files_of_their_own(tmp_path):
    folder = tree(tmp_path / "env", {"a": "1"})
    os.link(folder / "a", folder / "b")
    node_tree.archive(folder, tmp_path / "x")
    with tarfile.open(tmp_path / "x") as tar:
        assert [member.isreg() for member in tar] == [True, True]


@pytest.mark.parametrize(
    "name",
    [
        "bin/f2py",
        "numpy/__pycache__/a.pyc",
        "__pycache__/six.pyc",
        "distutils-precedence.pth",
        "numpy-2.0.dist-info/RECORD",
        "numpy/_core/tests/test_a.py",
        "numpy/_core/include/numpy/arrayobject.h",
        "pyarrow/include/arrow/api.h",
        "pyarrow/libarrow_flight.so.2600",
        "pyarrow/libarrow_python.so",
        "pyarrow/libarrow_python.so.2600.1.0",
        "ai_edge_litert/libLiteRtWebGpuAccelerator.so",
    ],
)
def test_what_nodes_do_not_need_is_left_out(name, tmp_path):
    tree(tmp_path, {name: "x"})
    assert name not in dict(node_tree.members(tmp_path))


@pytest.mark.parametrize(
    "name",
    [
        "numpy/testing/__init__.py",
        "numpy-2.0.dist-info/licenses/LICENSE.txt",
        "pyarrow/libarrow_python.so.2600",
        "pyarrow/lib.cpython-311-x86_64-linux-gnu.so",
        "pyarrow/_hdfs.cpython-311-x86_64-linux-gnu.so",
        "ai_edge_litert/libLiteRt.so",
    ],
)
def test_what_nodes_need_is_kept(name, tmp_path):
    assert name in dict(node_tree.members(tree(tmp_path, {name: "x"})))


def test_distutils_is_put_where_pythonpath_finds_it(tmp_path):
    folder = tree(tmp_path, {"setuptools/_distutils/version.py": "x"})
    node_tree.complete(folder)
    assert (folder / "distutils/version.py").read_text() == "x"


# ---- what is required


def test_nodes_need_what_setup_requires_and_no_extras():
    names = [text.split(">")[0].split("<")[0] for text in node_pip.node_requirements()]
    assert names[:6] == ["ai-edge-litert", "fsspec", "mrjob", "numpy", "pillow", "pyarrow"]
    assert not any(text.startswith(("tensorflow", "pandas")) for text in names)


def test_nodes_get_the_versions_of_this_machine():
    import numpy

    pins = node_pip.installed_pins(["mrjob[aws]>=0.7", "numpy>=1", "no-such-package"])
    assert f"numpy=={numpy.__version__}" in pins
    assert [pin for pin in pins if pin.lower().startswith("pyyaml")]
    assert not [pin for pin in pins if pin.startswith(("boto", "no-such"))]


def test_an_archive_needs_the_newest_glibc_of_its_wheels():
    old = "Tag: cp311-cp311-manylinux_2_17_x86_64\nTag: cp311-cp311-manylinux_2_31_x86_64"
    new = "Tag: cp311-cp311-manylinux_2_28_x86_64"
    assert node_env._least_glibc([old, new, "Tag: py3-none-any"]) == "2.28"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("/usr/bin/python: No module named pip", "this Python has no pip"),
        ("ERROR: [Errno 28] No space left on device", "no space is left"),
        ("WARNING: Retrying after NameResolutionError\nERROR: No matching", "cannot be reached"),
        ("ERROR: No matching distribution found for a==1", "no wheel of a==1 for Python 3"),
        ("ERROR: something else", "ERROR: something else"),
        ("", "pip failed without a word"),
    ],
)
def test_what_pip_says_becomes_one_line(said, reason):
    assert reason in node_pip._reason(said)


# ---- building, with pip and wheels of the test's own


def wheel(folder: Path, name: str, code: str) -> None:
    """A wheel of one module."""
    import zipfile

    folder.mkdir(exist_ok=True)
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as file:
        file.writestr(f"{name}.py", code)
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        file.writestr(f"{info}/RECORD", "")


@pytest.fixture
def packing(tmp_path, monkeypatch):
    """Packs wheels of a folder, without a network; what tasks import is `probe`."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    wheel(tmp_path / "wheels", "probe", "import json\n")
    monkeypatch.setattr(node_env, "imported_modules", lambda: ["probe"])
    said: list[str] = []

    def pack(*names: str, **options) -> Packed:
        wanted = names or ("probe",)
        return packed_environment(wanted, tmp_path / "cache", say=said.append, **options)

    pack.said = said
    return pack


def test_an_archive_is_named_by_its_content(packing):
    packed = packing()
    assert packed.path.name == f"env-{packed.sha256[:16]}.tar.gz"
    assert (packed.path.stat().st_size, packed.packages) == (packed.bytes, ("probe 1.0",))


def test_the_second_time_nothing_is_built(packing):
    assert packing() == packing()
    assert len(packing.said) == 1


def test_refresh_builds_again_and_gives_the_same_bytes(packing):
    assert packing() == packing(refresh=True)
    assert len(packing.said) == 2


def test_other_requirements_are_another_archive(packing, tmp_path):
    wheel(tmp_path / "wheels", "other", "")
    assert packing().sha256 != packing(extra=["other"]).sha256


def test_an_altered_archive_is_built_again(packing):
    packed = packing()
    packed.path.write_bytes(packed.path.read_bytes()[:-1])
    assert packing() == packed
    assert len(packing.said) == 2


def test_what_a_dead_build_left_is_removed(packing, tmp_path):
    tree(tmp_path / "cache" / "build-dead", {"env/a": "1"})
    packing()
    assert not list((tmp_path / "cache").glob("build-*"))


def test_a_failed_build_leaves_nothing_that_is_taken_for_whole(packing, tmp_path):
    with pytest.raises(Failure, match="no wheel of missing for Python"):
        packing("missing")
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["environments.lock"]


def test_an_archive_without_what_tasks_import_is_refused(packing, tmp_path):
    wheel(tmp_path / "wheels", "probe", "import numpy\n")
    with pytest.raises(Failure, match=r"import of probe: ModuleNotFoundError: .*numpy"):
        packing()


def test_two_at_once_build_it_once(packing):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: packing(), range(2))
    assert (first, len(packing.said)) == (second, 1)


def test_a_python_without_pip_is_told_in_one_line(packing, tmp_path, monkeypatch):
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    monkeypatch.setattr(sys, "executable", str(bare / "bin" / "python"))
    with pytest.raises(Failure, match="this Python has no pip"):
        packing()


# ---- the check


def checked(*modules: str, environment: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-S", str(node_env.CHECK), str(environment), str(ROOT)]
    return subprocess.run([*command, *modules], capture_output=True, text=True)


def test_the_check_finds_modules_that_come_from_elsewhere(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    tree(tmp_path / "elsewhere", {"stray.py": ""})
    path = str(tmp_path / "elsewhere")
    tree(tmp_path / "env", {"probe.py": f"import sys\nsys.path.append({path!r})\nimport stray\n"})
    found = checked("probe", environment=tmp_path / "env")
    assert (found.returncode, "stray comes from" in found.stderr) == (1, True)


def test_the_check_is_content_with_the_project_and_pythons_own_library(tmp_path):
    tree(tmp_path, {"probe.py": "import json, ssl, mapsight.text\n"})
    assert checked("probe", environment=tmp_path).returncode == 0


def test_what_jobs_import_is_checked():
    modules = node_env.imported_modules()
    assert {
        "mr_jobs.extract_features",
        "mapsight.features.mobilenet",
        "mapsight.inputs.shards",
    } <= set(modules)
