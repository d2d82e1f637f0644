"""What belongs to the user stays, whatever stands in a workspace or is called like ours."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import fsspec
import pytest

from driver.errors import Failure, UsageError
from driver.stages.outputs import drop_shards
from driver.workspace import publishing
from driver.workspace.changes import clean_changes, write_changes
from driver.workspace.cleaning import erase_stage
from driver.workspace.owned_files import FILES, Source, copy_into
from driver.workspace.publishing import RECORDS
from driver.workspace.workspace import Workspace
from mapsight.workspace.changes import ADDED, REMOVED, Changes
from mapsight.workspace.stage_names import FETCHED
from mapsight.workspace.workspace import MARK
from tests.support.paths import ROOT
from tests.support.stage_documents import sound

FINGERPRINT = "0123456789abcdef"
THINGS = (
    *("results/mine.txt", "report/notes.md", "index/2023/a.jpg", "plan/drafts/a.txt"),
    *("added/photos/a.jpg", "merge/x/a", ".tmp/a", ".jobs/a", "a.txt", ".lock.old", "lock.jsonl"),
    *("removed/a.arrow", "fetched/a.parquet", "uploads/a", "model/a", "copy/a", "known/stage.json"),
)
INSIDE = (
    *("results/mine.txt", "results/deep/mine.txt", "report/notes.md", "report/plots/mine.svg"),
    *("index/2023/a.jpg", "plan/drafts/a.txt", "added/photos/a.jpg", "added/123/a", "merge/x/a"),
    *(".tmp/a", ".tmp/0123456789ab/a", "removed/mine.txt", f"removed/{FINGERPRINT}.arrow"),
    *("fetched/mine.parquet", "fetched/mine/a.json", "uploads/mine.csv", "model/mine.h5"),
    *("environments/a", ".jobs/a", "copy/mine", f"index/{FINGERPRINT}/a", "stage.json", "x.part"),
    *(f"index/{FINGERPRINT}-0123456789ab/a", "extract/stage.json.bak", "known/a", ".notes.part"),
)


@pytest.fixture(params=["local", "memory"])
def workspace(request, tmp_path: Path):
    """A workspace on disk, or where remote ones go."""
    if request.param == "local":
        yield Workspace(str(tmp_path / "ws"))
        return
    found = Workspace(f"memory://{uuid.uuid4().hex}")
    yield found
    if found.fs.exists(found.root):
        found.fs.rm(found.root, recursive=True)


def put(workspace: Workspace, name: str, data: bytes = b"mine") -> None:
    path = workspace.path(name)
    workspace.fs.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
    workspace.fs.pipe_file(path, data)


def tree(workspace: Workspace) -> dict[str, bytes]:
    base = len(workspace.root) + 1
    return {p[base:]: workspace.fs.cat_file(p) for p in workspace.fs.find(workspace.root)}


def commit(workspace: Workspace, stage: str, parts: dict[str, bytes], **fields) -> None:
    """A stage that this run has made, committed."""
    folder = workspace.new_folder(stage, FINGERPRINT)
    for name, data in parts.items():
        put(workspace, f"{stage}/{folder}/{name}", data)
    described = workspace.describe(stage, folder)
    workspace.commit(stage, sound(stage, folder, described, run=workspace.run_id, **fields))


# ---- the mark


@pytest.mark.parametrize("name", THINGS)
def test_a_folder_of_somebody_is_refused_before_anything_is_written(workspace, name):
    put(workspace, name)
    before = tree(workspace)
    with pytest.raises(UsageError, match="not empty: it holds "), workspace.locked():
        pytest.fail("locked")
    assert tree(workspace) == before
    assert not workspace.is_there()


@pytest.mark.parametrize("text", [b"{}", b"[1]", b'{"stage": "plan"}', b"mine"])
def test_a_document_that_is_not_ours_makes_no_workspace(workspace, text):
    put(workspace, "plan/stage.json", text)
    with pytest.raises(UsageError), workspace.locked():
        pytest.fail("locked")
    assert tree(workspace) == {"plan/stage.json": text}


def test_an_empty_folder_is_marked_and_taken_again(workspace):
    for _ in range(2):
        with Workspace(workspace.location).locked():
            assert MARK in tree(workspace)


def test_a_workspace_of_before_there_were_marks_is_known_by_its_stages(workspace):
    commit(workspace, "merge", {"labels.csv": b"old"})
    put(workspace, "results/labels.csv", b"older")
    put(workspace, "results/mine.txt")
    with Workspace(workspace.location).locked():
        workspace.publish(["merge"], "results")
    found = tree(workspace)
    assert MARK in found
    assert (found["results/labels.csv"], found["results/mine.txt"]) == (b"old", b"mine")


def test_a_workspace_of_a_newer_version_is_left_alone(workspace):
    put(workspace, MARK, json.dumps({"mapsight": "9.0", "format": 99}).encode())
    with pytest.raises(Failure, match=r"newer version of Mapsight \(9.0\)"), workspace.locked():
        pytest.fail("locked")


# ---- what the user keeps in a workspace


@pytest.mark.parametrize("name", INSIDE)
def test_what_the_user_keeps_in_a_workspace_survives_everything(workspace, name):
    workspace.claim()
    put(workspace, name)
    for number in range(3):
        run = Workspace(workspace.location)
        with run.locked():
            for stage in ("plan", "index", "merge", "render"):
                commit(run, stage, {f"{number}.csv": b"x", "plots/a.svg": b"y"}, notes=NOTES[stage])
            run.publish(["merge"], "results")
            run.publish(["render"], "report")
            drop_shards(run, ())
            clean_changes(run)
    with Workspace(workspace.location).locked():
        erase_stage(workspace, "index")
    assert tree(workspace)[name] == b"mine"


NOTES = {
    **{stage: sound(stage, "f", [])["notes"] for stage in ("plan", "merge", "render")},
    "index": sound("index", "f", [])["notes"],
}


def test_what_ours_has_superseded_goes_and_what_the_user_put_beside_stays(workspace):
    for number in range(3):
        run = Workspace(workspace.location)
        with run.locked():
            commit(run, "count", {"part-0": b"x", "_SUCCESS": b"", ".part-0.crc": b"c"})
            if number == 1:
                folder = run.committed("count")["folder"]
                put(run, f"count/{folder}/mine.txt")
    with Workspace(workspace.location).locked():
        names = {name.partition("/")[2] for name in tree(workspace) if name.startswith("count/")}
    kept = workspace.committed("count")["folder"]
    ours = {"stage.json", f"{kept}/part-0", f"{kept}/_SUCCESS", f"{kept}/.part-0.crc"}
    assert names == ours | {f"{folder}/mine.txt"}


def test_lists_and_additions_of_ours_go_when_they_count_no_more(workspace):
    workspace.claim()
    place = workspace.inside(ADDED, "000001")
    place.claim()
    commit(place, "count", {"part-0": b"x"})
    data = b"a list"
    name = f"{__import__('hashlib').sha256(data).hexdigest()[:16]}.arrow"
    put(workspace, f"{REMOVED}/{name}", data)
    put(workspace, "added/000001/mine.txt")
    write_changes(workspace, Changes(numbered=1))
    clean_changes(workspace)
    left = [n for n in tree(workspace) if n.startswith((ADDED, REMOVED))]
    assert left == ["added/000001/mine.txt"]


# ---- results and report


@pytest.mark.parametrize("name", ["labels.csv", "sub", "sub/a.csv"])
def test_a_file_of_the_user_under_a_name_of_ours_is_not_overwritten(workspace, name):
    workspace.claim()
    put(workspace, f"results/{name}")
    commit(workspace, "merge", {"labels.csv": b"x", "sub/a.csv": b"y"})
    if name == "sub" and not workspace.local:
        pytest.skip("stores have no folders")
    with pytest.raises(Failure, match=r"(was not written by Mapsight|in the way)"):
        workspace.publish(["merge"], "results")
    assert tree(workspace)[f"results/{name}"] == b"mine"


def test_results_that_are_damaged_or_gone_are_restored(workspace):
    workspace.claim()
    commit(workspace, "merge", {"a.csv": b"aa", "b.csv": b"bb", "c/d.csv": b"cc"})
    workspace.publish(["merge"], "results")
    put(workspace, "results/a.csv", b"xx")
    workspace.fs.rm_file(workspace.path("results/b.csv"))
    workspace.publish(["merge"], "results")
    found = {n: d for n, d in tree(workspace).items() if n.startswith("results/")}
    assert found == {"results/a.csv": b"aa", "results/b.csv": b"bb", "results/c/d.csv": b"cc"}


@pytest.mark.parametrize("at", [0, 1])
def test_a_flipped_byte_is_not_published(tmp_path, at):
    workspace = Workspace(str(tmp_path / "ws"))
    workspace.claim()
    commit(workspace, "merge", {"labels.csv": b"good"})
    workspace.publish(["merge"], "results")
    (part,) = workspace.parts("merge")
    Path(part).write_bytes(b"gOod" if at else b"Good")
    shutil.rmtree(tmp_path / "ws/results")
    with pytest.raises(Failure, match="has changed since it was made; run with --force merge"):
        workspace.publish(["merge"], "results")
    with pytest.raises(Failure, match="has changed since it was made"):
        copy_into(tmp_path / "copy", dict(workspace.sources("merge")))
    assert not list((tmp_path / "copy").glob("labels*"))


class Killed(BaseException):
    pass


STEPS = ("rename", "link", "unlink", "mkdir", "replace", "rmdir", "fsync", "symlink")


@pytest.mark.parametrize("swap", [True, False])
def test_a_stop_at_any_step_shows_the_old_results_or_the_new(tmp_path, monkeypatch, swap):
    """Every call that changes a folder is the last, in turn."""
    step, reached = 0, True
    while reached:
        workspace = published(tmp_path / f"{swap}{step}")
        with monkeypatch.context() as broken:
            reached = stopped(workspace, broken, step, swap)
        shown = contents(workspace)
        if not (swap or shown):
            Workspace(workspace.location).locked().__enter__()
            shown = contents(workspace)
        assert shown in ({"a": b"1", "m": b"m", "d/n": b"n"}, {"b": b"2", "m": b"m", "d/n": b"n"})
        run = Workspace(workspace.location)
        with run.locked():
            run.publish(["merge"], "results")
        assert contents(workspace) == {"b": b"2", "m": b"m", "d/n": b"n"}
        assert not list(Path(workspace.root).glob(".mapsight-*"))
        step += 1
    assert step > 10


def published(folder: Path) -> Workspace:
    """A workspace that shows one result beside things of the user, and has another to show."""
    workspace = Workspace(str(folder))
    with workspace.locked():
        commit(workspace, "merge", {"a": b"1"})
        workspace.publish(["merge"], "results")
        for name in ("m", "d/n"):
            put(workspace, f"results/{name}", name[-1:].encode())
        commit(workspace, "merge", {"b": b"2"})
    return workspace


def stopped(workspace: Workspace, broken, step: int, swap: bool) -> bool:
    """Whether publishing was stopped before a step; not if there is no such step."""
    left = [step]

    def counted(call):
        def once(*arguments, **options):
            if not left[0]:
                raise Killed
            left[0] -= 1
            return call(*arguments, **options)

        return once

    run = Workspace(workspace.location)
    with run.locked():
        for name in STEPS:
            broken.setattr(os, name, counted(getattr(os, name)))
        real = publishing.put_in_place
        broken.setattr(publishing, "put_in_place", counted(real))
        if not swap:
            broken.setattr("driver.workspace.exchange.exchange", lambda *_: False)
        broken.setattr(publishing, "_take_down", dying(publishing._take_down, left))
        try:
            run.publish(["merge"], "results")
        except Killed:
            return True
        finally:
            broken.undo()
    return False


def dying(call, left):
    """Nothing is taken down by who is dead."""

    def once(*arguments):
        if sys.exc_info()[0] is Killed:
            raise Killed
        return call(*arguments)

    return once


def contents(workspace: Workspace) -> dict[str, bytes]:
    folder = Path(workspace.path("results"))
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_a_kill_while_results_are_shown_again_and_again_leaves_one_of_them(tmp_path):
    workspace = published(tmp_path / "ws")
    code = (
        "import sys; from driver.workspace.workspace import Workspace as W\n"
        "from pathlib import Path\n"
        "w = W(sys.argv[1])\n"
        "with w.locked():\n"
        "    print('held', flush=True); n = 0\n"
        "    while True:\n"
        "        n += 1; new = w.scratch / f'new{n}'; new.mkdir()\n"
        "        for name in 'abc': (new / name).write_text(f'{n}' * 9999)\n"
        "        w.replace(new, 'results')\n"
    )
    command = [sys.executable, "-c", code, workspace.location]
    for seconds in (0.05, 0.11, 0.17):
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(seconds)
            process.kill()
        shown = contents(workspace)
        assert len({shown[n] for n in ("a", "b", "c") if n in shown} | ({shown["b"]})) == 1
        assert (shown["m"], shown["d/n"]) == (b"m", b"n")


# ---- folders outside


@pytest.mark.parametrize("name", ["labels.csv", "report/index.html", "labels.csv/x", "report"])
def test_a_copy_overwrites_nothing_that_is_not_ours(tmp_path, name):
    source = tmp_path / "made"
    source.write_text("ours")
    (tmp_path / "to" / name).parent.mkdir(parents=True)
    (tmp_path / "to" / name).write_text("mine")
    with pytest.raises(Failure, match=r"(not written by Mapsight|in the way)"):
        copy_into(
            tmp_path / "to", dict.fromkeys(("labels.csv", "report/index.html"), Source(source))
        )
    assert [p.read_text() for p in (tmp_path / "to").rglob("*") if p.is_file()] == ["mine"]


def test_a_copy_is_made_again_over_the_last(tmp_path):
    for text in ("one", "two"):
        (tmp_path / "made").write_text(text)
        copy_into(tmp_path / "to", {"a/b.csv": Source(tmp_path / "made")})
    assert {p.name for p in (tmp_path / "to").rglob("*")} == {"a", "b.csv", FILES}
    assert (tmp_path / "to/a/b.csv").read_text() == "two"


# ---- links and names


@pytest.mark.parametrize("kind", [".lock", "results", "report", "merge", ".tmp", "results/a.csv"])
def test_nothing_is_written_or_deleted_through_a_link(tmp_path, kind):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "mine.txt").write_text("mine")
    workspace = Workspace(str(tmp_path / "ws"))
    workspace.claim()
    link = tmp_path / "ws" / kind
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(outside / "mine.txt" if kind in (".lock", "results/a.csv") else outside)
    with pytest.raises(Failure, match=r"is a (symbolic )?link"), workspace.locked():
        assert workspace.scratch
        commit(workspace, "merge", {"a.csv": b"x"})
        workspace.publish(["merge"], "results")
        commit(workspace, "render", {"a.html": b"x"})
        workspace.publish(["render"], "report")
    assert [p.name for p in outside.iterdir()] == ["mine.txt"]
    assert (outside / "mine.txt").read_text() == "mine"


def test_a_stage_document_that_is_a_link_is_replaced_itself(tmp_path):
    (tmp_path / "mine.json").write_text("mine")
    workspace = Workspace(str(tmp_path / "ws"))
    workspace.claim()
    (tmp_path / "ws/count").mkdir()
    (tmp_path / "ws/count/stage.json").symlink_to(tmp_path / "mine.json")
    assert workspace.committed("count") is None
    with pytest.raises(Failure, match="symbolic link"):
        commit(workspace, "count", {"a": b"x"})
    assert (tmp_path / "mine.json").read_text() == "mine"


BAD_NAMES = ("../..", "..", "/etc", "a/b", "", ".", "a\\b", "a\0", None, 7, [], {"a": 1}, True)


@pytest.mark.parametrize("field", ["folder", "part", "before"])
@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_leads_elsewhere_commits_nothing(tmp_path, field, name):
    (tmp_path / "mine.txt").write_text("mine")
    workspace = Workspace(str(tmp_path / "deep/ws"))
    workspace.claim()
    document = sound("count", "f", [{"name": "f/a", "bytes": 1}])
    if field == "folder":
        document["folder"] = name
    elif field == "part":
        document["parts"][0]["name"] = f"f/{name}" if isinstance(name, str) else name
    else:
        document["before"] = [{"folder": name, "parts": []}]
    put(workspace, "count/stage.json", json.dumps(document).encode())
    if (field, name) == ("part", "a/b"):
        return
    assert workspace.committed("count") is None
    assert "count/stage.json" in workspace.fault("count")
    with Workspace(workspace.location).locked():
        pass
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_a_part_that_is_a_link_is_missing(tmp_path):
    (tmp_path / "mine.txt").write_bytes(b"x")
    workspace = Workspace(str(tmp_path / "ws"))
    workspace.claim()
    commit(workspace, "count", {"a": b"x"})
    (part,) = workspace.parts("count")
    Path(part).unlink()
    Path(part).symlink_to(tmp_path / "mine.txt")
    with pytest.raises(Failure, match="parts of count are missing"):
        workspace.parts("count")


@pytest.mark.parametrize("what", ["fifo", "text", "folder", "link"])
def test_a_lock_that_is_not_ours_is_left_alone(tmp_path, what):
    workspace = Workspace(str(tmp_path / "ws"))
    workspace.claim()
    path = tmp_path / "ws/.lock"
    (tmp_path / "mine").write_text("mine")
    {
        "fifo": lambda: os.mkfifo(path),
        "text": lambda: path.write_text("mine"),
        "folder": path.mkdir,
        "link": lambda: path.symlink_to(tmp_path / "mine"),
    }[what]()
    with pytest.raises(Failure, match=r"/\.lock "), workspace.locked():
        pytest.fail("locked")
    assert (tmp_path / "mine").read_text() == "mine"


def test_a_remote_lock_that_is_not_ours_is_left_alone():
    workspace = Workspace(f"memory://{uuid.uuid4().hex}")
    workspace.claim()
    put(workspace, "lock.json", b"mine")
    with pytest.raises(Failure, match="is not a lock of Mapsight"), workspace.locked():
        pytest.fail("locked")
    assert fsspec.filesystem("memory").cat_file(f"{workspace.root}/lock.json") == b"mine"


def test_fetched_shards_that_nobody_names_go(workspace):
    workspace.claim()
    ours = f"{FETCHED}/{'0' * 24}/{FINGERPRINT}.parquet"
    for name in (ours, ours.replace("0" * 24, "1" * 24)):
        put(workspace, name)
    drop_shards(workspace, {ours.removeprefix(f"{FETCHED}/")})
    assert [n for n in tree(workspace) if n.startswith(FETCHED)] == [ours]


def test_records_are_no_results(workspace):
    workspace.claim()
    commit(workspace, "merge", {"a": b"x"})
    workspace.publish(["merge"], "results")
    assert {n for n in tree(workspace) if n.startswith("results")} == {"results/a"}
    assert RECORDS["results"] in tree(workspace)


# ---- tables in one file or in parts

WHOLE = {"t.parquet": b"whole", "a.csv": b"a"}
PARTS = {f"t.parquet/part-{n}.parquet": b"part" for n in range(3)} | {"a.csv": b"a"}
FEWER = {"t.parquet/part-0.parquet": b"fewer", "a.csv": b"a"}


@pytest.mark.parametrize("forms", [(WHOLE, PARTS), (PARTS, WHOLE), (PARTS, FEWER)])
def test_a_table_in_another_form_leaves_nothing_of_the_old(workspace, tmp_path, forms):
    workspace.claim()
    put(workspace, "results/mine/t.parquet/a")
    (tmp_path / "to" / "empty").mkdir(parents=True)
    for files in forms:
        commit(workspace, "merge", files)
        workspace.publish(["merge"], "results")
        found = {n[8:]: d for n, d in tree(workspace).items() if n.startswith("results/")}
        assert found == {**files, "mine/t.parquet/a": b"mine"}
        if workspace.local:
            copy_into(tmp_path / "to", dict(workspace.sources("merge")))
            found = {p.relative_to(tmp_path / "to").as_posix(): p.read_bytes()
                     for p in (tmp_path / "to").rglob("*") if p.is_file()}  # fmt: skip
            assert found.keys() - {FILES} == files.keys()
            assert {name: found[name] for name in files} == files
            assert (tmp_path / "to" / "empty").is_dir()


@pytest.mark.parametrize(
    ("name", "forms"),
    [
        ("t.parquet/mine", (PARTS, WHOLE)),
        ("t.parquet", (WHOLE,)),
        ("t.parquet", (PARTS,)),
        ("t.parquet/part-0.parquet", (FEWER,)),
        ("t.parquet/deep/mine", (WHOLE,)),
    ],
)
def test_a_file_of_the_user_is_not_lost_to_a_table(workspace, tmp_path, name, forms):
    workspace.claim()
    for number, files in enumerate(forms):
        commit(workspace, "merge", files)
        if number < len(forms) - 1:
            workspace.publish(["merge"], "results")
    put(workspace, f"results/{name}")
    before = tree(workspace)
    with pytest.raises(Failure, match=r"(was not written by Mapsight|is in the way of)"):
        workspace.publish(["merge"], "results")
    assert tree(workspace) == before
