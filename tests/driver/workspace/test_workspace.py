from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import uuid
from argparse import Namespace
from functools import partial
from pathlib import Path

import fsspec
import pytest

from driver.commands import status
from driver.errors import Failure
from driver.workspace import workspace as module
from driver.workspace.lock import hold_heartbeat
from driver.workspace.publishing import RECORDS
from driver.workspace.workspace import Workspace
from driver.workspace.writable import RUNS
from mapsight.workspace.stage_names import STAGES
from mapsight.workspace.workspace import MARK
from tests.support.paths import ROOT
from tests.support.stage_documents import PARTS, commit, put

OWN = (".lock", "lock.json", MARK, RUNS, *RECORDS.values())
NOT_STAGES = ("results/labels.csv", "report/index.html", "mine/notes.txt", "extracted/a", "x.txt")


@pytest.fixture(params=["local", "memory"])
def location(request, tmp_path: Path):
    """A workspace on disk, or where remote ones go."""
    if request.param == "local":
        yield str(tmp_path / "ws")
        return
    name = uuid.uuid4().hex
    yield f"memory://{name}"
    if fsspec.filesystem("memory").exists(f"/{name}"):
        fsspec.filesystem("memory").rm(f"/{name}", recursive=True)


@pytest.fixture
def workspace(location: str) -> Workspace:
    workspace = Workspace(location)
    workspace.claim()
    return workspace


def tree(workspace: Workspace) -> dict[str, bytes]:
    """Every file of a workspace; locks and what makes it a workspace aside."""
    base = len(workspace.root) + 1
    found = workspace.fs.find(workspace.root)
    files = {path[base:]: workspace.fs.cat_file(path) for path in found}
    return {n: data for n, data in files.items() if n not in OWN}


def test_addresses_open_what_they_name(workspace):
    put(workspace, "extract/f/part-00000", b"hello")
    with fsspec.open(workspace.uri("extract", "f", "part-00000")) as file:
        assert file.read() == b"hello"


def test_describe_names_sizes_and_sums_in_order(workspace):
    commit(workspace, "extract", "f")
    parts = workspace.describe("extract", "f")
    named = [("f/deep/part-00002", 4), ("f/part-00000", 2), ("f/part-00001", 3)]
    assert [(part["name"], part["bytes"]) for part in parts] == named
    if workspace.local:
        assert parts[1]["sha256"] == hashlib.sha256(b"a\n").hexdigest()


def test_describe_passes_over_what_hadoop_hides(workspace):
    hidden = {"_SUCCESS": b"", ".part-00000.crc": b"x"}
    commit(workspace, "extract", "f", {**PARTS, **hidden})
    assert len(workspace.describe("extract", "f")) == len(PARTS)


def test_describe_tells_other_bytes_of_the_same_size(workspace):
    before = commit(workspace, "extract", "f")["parts"]
    put(workspace, "extract/f/part-00000", b"z\n")
    after = workspace.describe("extract", "f")
    assert before[0] == after[0]
    assert before[1] != after[1]


def test_an_empty_stage_has_no_parts(workspace):
    assert workspace.describe("annotate", "f") == []
    assert workspace.intact(commit(workspace, "annotate", "f", {}))


def test_nothing_is_committed_before_stage_json(workspace):
    put(workspace, "extract/f/part-00000")
    assert workspace.committed("extract") is None
    with pytest.raises(Failure, match="stage extract is not finished; run the pipeline first"):
        workspace.parts("extract")


def test_what_is_committed_is_read_back(workspace):
    document = commit(workspace, "extract", "f")
    assert Workspace(workspace.location).committed("extract") == document
    read = [workspace.fs.cat_file(address) for address in workspace.parts("extract")]
    assert read == [b"ccc\n", b"a\n", b"bb\n"]


@pytest.mark.parametrize("data", [None, b"b", b"bbb\n"])
def test_a_part_missing_or_of_another_size_is_noticed(workspace, data):
    document = commit(workspace, "extract", "f")
    assert workspace.intact(document)
    workspace.fs.rm_file(f"{workspace.root}/extract/f/part-00001")
    if data is not None:
        put(workspace, "extract/f/part-00001", data)
    assert not workspace.intact(document)
    with pytest.raises(Failure, match="parts of extract are missing; run with --force extract"):
        workspace.parts("extract")


@pytest.mark.parametrize("text", [b'{"stage": "extr', b'{"a": 1}', b"[]", b"\xff"])
def test_a_damaged_stage_json_commits_nothing(workspace, text):
    put(workspace, "extract/stage.json", text)
    assert workspace.committed("extract") is None


def test_a_rerun_does_not_mix_with_old_parts(workspace):
    commit(workspace, "extract", "aaaa")
    folder = workspace.new_folder("extract", "bbbb")
    assert folder.startswith("bbbb")
    commit(workspace, "extract", folder, {"part-00000": b"new"})
    assert [workspace.fs.cat_file(part) for part in workspace.parts("extract")] == [b"new"]


def test_a_forced_rerun_leaves_the_committed_parts_alone(workspace):
    commit(workspace, "extract", "aaaa")
    folder = workspace.new_folder("extract", "aaaa")
    assert folder.startswith("aaaa-")
    assert len(workspace.parts("extract")) == len(PARTS)
    commit(workspace, "extract", folder, {"part-00000": b"new"})
    assert [workspace.fs.cat_file(part) for part in workspace.parts("extract")] == [b"new"]


def test_a_new_folder_is_empty(workspace):
    put(workspace, "extract/dead/part-00009")
    folder = workspace.new_folder("extract", "dead")
    assert workspace.describe("extract", folder) == []


def test_a_late_task_of_an_earlier_run_writes_into_no_folder_of_this_one():
    location = f"memory://{uuid.uuid4().hex}"
    earlier, now = (Workspace(location).new_folder("extract", "same") for _ in range(2))
    assert earlier != now


def test_clean_removes_what_is_not_committed(workspace):
    commit(workspace, "extract", "kept")
    before = tree(workspace)
    with workspace.locked():
        put(workspace, unfinished(workspace, "extract"))
        put(workspace, unfinished(workspace, "rank"))
        put(workspace, "extract/stage.json.0123.part")
    workspace.clean()
    assert tree(workspace) == before


def unfinished(workspace: Workspace, stage: str) -> str:
    """A part that a run has written and not committed."""
    return f"{stage}/{workspace.new_folder(stage, '0123456789abcdef')}/part-00000"


def test_clean_leaves_what_is_nobodys_stage(workspace):
    for name in NOT_STAGES:
        put(workspace, name)
    workspace.clean()
    assert set(tree(workspace)) == set(NOT_STAGES)


def test_scratch_ends_with_the_lock(workspace):
    with workspace.locked():
        scratch = workspace.scratch
        (scratch / "f").write_text("x")
    assert not scratch.exists()


def test_local_files_of_a_killed_run_go_with_the_next_and_those_of_a_living_one_stay(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    code = "from mapsight.storage import schemes; schemes.SCHEMES.add('memory')\n"
    code += "from driver.workspace.workspace import Workspace as W; import time\n"
    code += "print(W('memory://x').scratch, flush=True); time.sleep(600)"
    command = [sys.executable, "-c", code]
    how = {"stdout": subprocess.PIPE, "cwd": ROOT, "env": {**os.environ, "TMPDIR": str(tmp_path)}}
    with subprocess.Popen(command, **how) as living, subprocess.Popen(command, **how) as dead:
        folders = [Path(p.stdout.readline().decode().strip()) for p in (living, dead)]
        dead.kill()
        dead.wait()
        with Workspace("memory://x").locked():
            left = [folder.exists() for folder in folders]
        living.kill()
    assert left == [True, False]


def test_what_dead_runs_left_ends_with_the_next_lock(workspace):
    with workspace.locked():
        put(workspace, unfinished(workspace, "extract"))
    left = Workspace(workspace.location)
    if workspace.local:
        (left.scratch / "f").write_text("x")
    with workspace.locked():
        pass
    assert tree(workspace) == {}


def test_a_locked_workspace_refuses_others(workspace):
    other = Workspace(workspace.location)
    with workspace.locked():
        put(workspace, "extract/running/part-00000")
        with pytest.raises(Failure, match=f"in use by run {workspace.run_id} "), other.locked():
            pytest.fail("locked twice")
        assert "extract/running/part-00000" in tree(workspace)
    with other.locked():
        pass


def test_nothing_is_committed_after_the_lock_is_lost(monkeypatch):
    monkeypatch.setattr(module, "hold_heartbeat", partial(hold_heartbeat, beat=0.05))
    workspace = Workspace(f"memory://{uuid.uuid4().hex}")
    with workspace.locked():
        put(workspace, "lock.json", json.dumps({"run": "thief"}).encode())
        threading.Event().wait(0.5)
        with pytest.raises(Failure, match=r"was taken over by another run"):
            commit(workspace, "extract", "f")
    assert workspace.committed("extract") is None


def test_write_is_whole_or_not_at_all(tmp_path):
    """A writer that is killed leaves one of the whole files it wrote."""
    writer = (
        "import sys; from driver.workspace.workspace import Workspace\n"
        "w = Workspace(sys.argv[1]); n = 0\n"
        "while True:\n    n += 1; w.write(b'%09d' % n * 100_000, 'extract', 'stage.json')\n"
    )
    command = [sys.executable, "-c", writer, str(tmp_path)]
    path = tmp_path / "extract" / "stage.json"
    with subprocess.Popen(command, cwd=ROOT) as process:
        seen = watch(path, 60)
        process.kill()
    assert len(seen) > 5
    assert all(data == data[:9] * 100_000 for data in (*seen, path.read_bytes()))


def watch(path: Path, changes: int) -> set[bytes]:
    """Different contents of a file while somebody writes it."""
    seen: set[bytes] = set()
    for _ in range(20_000):
        if path.exists():
            seen.add(path.read_bytes())
        if len(seen) >= changes:
            break
        threading.Event().wait(0.001)
    return seen


def test_drop_takes_files_and_folders_and_what_is_not_there(workspace):
    put(workspace, "extract/f/part-00000")
    put(workspace, "extract/f/deep/part-00001")
    for name in ("part-00000", "deep", "nothing"):
        workspace.drop("extract", "f", name)
    assert tree(workspace) == {}


def test_write_replaces(workspace):
    workspace.write(b"old and long", "extract", "stage.json")
    workspace.write(b"new", "extract", "stage.json")
    assert tree(workspace) == {"extract/stage.json": b"new"}


def test_status_reads_every_stage_file_once(workspace, monkeypatch, capsys):
    asked, needs = [], []
    for stage in STAGES:
        document = commit(workspace, stage, "f")
        inputs = dict.fromkeys(needs, "")
        workspace.commit(stage, {**document, "inputs": inputs, "seconds": 1.0})
        needs.append(stage)
    committed = Workspace.committed
    monkeypatch.setattr(Workspace, "committed", lambda w, s: asked.append(s) or committed(w, s))
    status.run(Namespace(workspace=workspace.location))
    assert asked == list(STAGES)
    assert capsys.readouterr().out.count(" done ") == len(STAGES)


def test_upload_and_download_are_each_others_inverse(workspace, tmp_path):
    folder = tmp_path / "made"
    for name, data in PARTS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    workspace.upload(folder, "extract", "f")
    parts = [workspace.uri("extract", "f", name) for name in PARTS]
    paths = workspace.download(parts, tmp_path / "back")
    assert [Path(path).read_bytes() for path in paths] == list(PARTS.values())


def test_download_keeps_what_is_local_and_the_kind_of_file(workspace, tmp_path):
    put(workspace, "merge/f/part-00000.gz", b"zip")
    local = tmp_path / "here.txt"
    local.write_text("here")
    addresses = [str(local), workspace.uri("merge", "f", "part-00000.gz")]
    first, second = workspace.download(addresses, tmp_path / "back")
    assert first == str(local)
    assert second.endswith(".gz")


def test_publish_shows_the_new_without_the_old(workspace):
    commit(workspace, "merge", "aaaa")
    workspace.publish(["merge"], "results")
    assert published(workspace) == PARTS
    commit(workspace, "merge", "bbbb", {"part-00000": b"new", "sub/x": b"y"})
    workspace.publish(["merge"], "results")
    assert published(workspace) == {"part-00000": b"new", "sub/x": b"y"}


def test_replace_shows_a_local_folder_without_the_old(workspace, tmp_path):
    for name in ("old/x", "deep/y"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "f").write_bytes(b"y")
        workspace.replace(tmp_path / name.split("/")[0], "results")
    assert published(workspace) == {"y/f": b"y"}


def published(workspace: Workspace) -> dict[str, bytes]:
    files = tree(workspace)
    return {n.removeprefix("results/"): files[n] for n in files if n.startswith("results/")}


def test_readers_of_a_published_folder_see_no_mixture(tmp_path):
    workspace = Workspace(str(tmp_path))
    sets = [{f"{i:02d}": bytes([65 + n]) for i in range(20)} for n in range(2)]
    seen, done = [], threading.Event()
    reader = threading.Thread(target=look, args=(tmp_path / "results", seen, done), daemon=True)
    reader.start()
    for turn in range(30):
        commit(workspace, "merge", f"f{turn}", sets[turn % 2])
        workspace.publish(["merge"], "results")
    done.set()
    reader.join(10)
    # an old folder is empty just before it is gone
    assert set(seen) - {frozenset()} == {frozenset(b"A"), frozenset(b"B")}


def first_byte(name: str, folder: int) -> int:
    handle = os.open(name, os.O_RDONLY, dir_fd=folder)
    try:
        return os.read(handle, 1)[0]
    finally:
        os.close(handle)


def look(path: Path, seen: list, done: threading.Event) -> None:
    """The different bytes in a folder's files, read through one open folder."""
    while not done.is_set():
        try:
            folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            continue
        try:
            seen.append(frozenset(first_byte(entry.name, folder) for entry in os.scandir(folder)))
        except OSError:
            pass  # it has been replaced and removed meanwhile
        finally:
            os.close(folder)


def test_a_place_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    workspace = Workspace(str(tmp_path / "file" / "ws"))
    wanted = pytest.raises(Failure, match=r"--workspace .*file/ws: cannot be made")
    with wanted, workspace.locked():
        pytest.fail("locked")


def test_an_unknown_kind_of_place_is_named():
    with pytest.raises(Failure, match=r"--workspace nowhere://x: .*nowhere"):
        Workspace("nowhere://x")
