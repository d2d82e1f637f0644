"""`mapsight add` and `mapsight remove`: only new files, and searches that see the change."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import fsspec
import pytest

from driver.run import main
from driver.workspace.workspace import SEARCH, Workspace
from driver.workspace.writable import RUNS
from mapsight.index.layout import KINDS
from mapsight.index.oddness import ODD_BIT, Kinds
from mapsight.search.search_index import SearchIndex
from tests.support.lions_and_tigers import make_dataset, stripes
from tests.support.pictures import encoded, scribble
from tests.support.program import CalledProgram, Program

CELLS = "5"
LABELS = ("--target-labels", "Lion", "Tiger")
OLD, NEW = f"{4:016x}", f"{71:016x}"
EVERYTHING = ("--style", "any", "--probe", CELLS, "--top-k", "99")


@pytest.fixture(scope="module")
def world(environment, tmp_path_factory) -> SimpleNamespace:
    """An index of 61 pictures; 21 others, their index alone, and the first with these added."""
    folder = tmp_path_factory.mktemp("grown")
    make_dataset(folder / "base", 0, 60)
    make_dataset(folder / "new", 70, 20)
    program = CalledProgram(environment, folder)
    program.ok("--openimages", "base", *LABELS, "--cells", CELLS, "--workspace", "base-w")
    shutil.copytree(folder / "base-w", folder / "grown-w")
    before = contents(folder / "grown-w")
    said = program("add", "--openimages", "new", "--workspace", "grown-w")
    assert said.returncode == 0, said.stderr
    return SimpleNamespace(folder=folder, program=program, before=before, said=said)


@pytest.fixture
def own(world, tmp_path, environment) -> Program:
    """A copy of the index without additions in `workspace`, which a test may change."""
    return copied(world, "base-w", tmp_path, environment)


@pytest.fixture
def grown(world, tmp_path, environment) -> Program:
    """A copy of the index with its addition."""
    return copied(world, "grown-w", tmp_path, environment)


def copied(world, name: str, folder: Path, environment) -> Program:
    shutil.copytree(world.folder / name, folder / "workspace")
    for one in ("base", "new"):
        (folder / one).symlink_to(world.folder / one)
    return CalledProgram(environment, folder)


def contents(workspace: Path) -> dict[str, tuple[str, int]]:
    """SHA-256 and time of every file, but for those that say who was here."""
    return {
        str(path.relative_to(workspace)): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_mtime_ns,
        )
        for path in sorted(workspace.rglob("*"))
        if path.is_file() and path.name not in (".lock", RUNS)
    }


def found(program: Program, *arguments: str) -> list[dict]:
    out = program.ok("search", *arguments, "--format", "json")
    return [json.loads(line) for line in out.splitlines()]


def ids(rows: list[dict]) -> list[str]:
    return [row["image_id"] for row in rows]


def index_of(folder: Path, name: str = "workspace") -> SearchIndex:
    return SearchIndex(Workspace(str(folder / name), SEARCH))


def picture(folder: Path, image_id: str, array) -> str:
    folder.mkdir(exist_ok=True)
    (folder / f"{image_id}.png").write_bytes(encoded(array))
    return folder.name


NAMES = [f"{n:016x}" for n in (*range(61), *range(70, 91))]


# ---- adding


def test_only_new_files_are_written(world):
    after = contents(world.folder / "grown-w")
    assert {name: after[name] for name in world.before} == world.before
    new = {name.split("/")[0] for name in after.keys() - world.before.keys()}
    assert new == {"added", "changes.json"}
    assert "21 pictures read, 21 new" in world.said.stderr
    assert "added: 21 pictures to 61; mean squared distance" in world.said.stderr
    assert f"\n  {NEW}  " in world.said.stderr
    table = (world.folder / "grown-w/added/000001/added.csv").read_text().splitlines()
    assert (table[0], len(table)) == ("image_id,source", 22)
    assert world.said.stdout.strip() == str(world.folder / "grown-w/added/000001")


def test_added_pictures_have_the_rows_that_a_run_with_this_head_gives_them(world):
    head = ["--head", "base-w/results/head.npz", "--cells", "2", "--until", "index"]
    world.program.ok("--openimages", "new", *LABELS, *head, "--workspace", "alone")
    alone = index_of(world.folder, "alone").rows_of(NAMES)
    grown = index_of(world.folder, "grown-w").rows_of(NAMES)
    assert len(alone) == 21 and sorted(grown) == NAMES
    base = index_of(world.folder, "base-w")
    centres, kinds = base.centres, Kinds(json.loads(base.parts[0].read(KINDS)))
    for name, row in alone.items():
        other = grown[name]
        assert row.pop("vector").tolist() == other["vector"].tolist()
        assert other["cell"] == centres.nearest(other["vector"][None])[0][0]
        for place in ("cell", "part", "shard", "source"):
            row.pop(place)
        (odd,) = kinds.odd([row["label"]], other["vector"][None])  # for a label of the base
        assert other["flags"] == row.pop("flags") & ~ODD_BIT | (ODD_BIT if odd else 0)
        assert {key: other[key] for key in row} == row


@pytest.mark.parametrize("query", [OLD, NEW, "new/images/000000000000004f.png"])
def test_all_ways_find_old_and_new_pictures(world, query):
    every = found(world.program, query, *EVERYTHING, "--workspace", "grown-w")
    assert sorted(ids(every)) == NAMES and every[0]["exhausted"]
    plain = found(
        world.program, query, *EVERYTHING, "--features", "plain", "--workspace", "grown-w"
    )
    expected = found(
        world.program, query, "--by", "features", "--top-k", "99", "--workspace", "grown-w"
    )
    assert [{name: row[name] for name in ("rank", "image_id", "score")} for row in plain] == [
        {name: row[name] for name in ("rank", "image_id", "score")} for row in expected
    ]
    rows = found(world.program, query, "--by", "label", "--top-k", "99", "--workspace", "grown-w")
    label = rows[0]["label"]
    assert set(ids(rows)) == {row["image_id"] for row in every if row["label"] == label}


def test_what_is_known_of_added_pictures_is_told(world):
    (first,) = found(world.program, NEW, "--top-k", "1", "--workspace", "grown-w")
    assert (first["image_id"], first["license"]) == (NEW, f"https://l.example/by/{71 % 3}.0/")
    page = ("--format", "html", "--out", "page.html", "--top-k", "82", "--workspace", "grown-w")
    world.program.ok("search", NEW, OLD, "--style", "any", "--near-copies", "show", *page)
    text = (world.folder / "page.html").read_text()
    assert text.count("data:image/") == 2 * 82 + 2


def test_the_index_of_parts_is_measured_and_told_of(world):
    text = world.program.ok("evaluate-index", "--queries", "999", "--workspace", "grown-w")
    assert " 82 " in text and "precision@10" in text
    status = world.program.ok("status", "--workspace", "grown-w")
    assert "added to the index: 21 pictures in 1 addition" in status


def test_pictures_that_are_there_are_left_out_and_told(own, tmp_path):
    said = own("add", "base/images", f"new/images/{NEW}.png")
    assert said.returncode == 0
    first = ", ".join(f"{n:016x}" for n in range(5))
    assert f"already in the index, skipped: 61 ({first}, …)" in said.stderr
    assert index_of(tmp_path).rows == 62
    assert ids(found(own, NEW, *EVERYTHING)).count(OLD) == 1


def test_nothing_new_is_no_addition(grown, tmp_path):
    before = contents(tmp_path / "workspace")
    said = grown("add", "new/images", f"base/images/{OLD}.png")
    assert (said.returncode, said.stdout) == (0, "")
    assert "nothing to add: all these pictures are in the index already" in said.stderr
    assert contents(tmp_path / "workspace") == before


def test_copies_under_other_ids_are_added(own, tmp_path):
    shutil.copy(tmp_path / f"base/images/{OLD}.png", tmp_path / "cat.png")
    own.ok("add", "cat.png")
    first, second = found(own, OLD, "--top-k", "2")
    assert first["score"] == second["score"] == 1 and first["image_id"] != second["image_id"]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ([], "1 of 1 pictures cannot be used (1 not_an_image), for example bad.jpg"),
        (["--max-rejected", "1"], "none of 1 pictures is usable; nothing was added"),
    ],
)
def test_nothing_readable_is_an_error(own, tmp_path, more, reason):
    before = contents(tmp_path / "workspace")
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    said = own("add", "bad.jpg", *more)
    assert said.returncode == 1 and reason in said.stderr
    after = contents(tmp_path / "workspace")
    assert {n: after[n] for n in before} == before and "changes.json" not in after


def test_no_list_of_rejected_pictures_is_named_that_is_not_kept(own, tmp_path):
    folder = picture(tmp_path / "some", OLD, scribble(3))
    for n in range(5):
        (tmp_path / folder / f"bad{n}.jpg").write_bytes(b"no picture")
    said = own("add", folder, "--max-rejected", "1")
    assert "nothing to add" in said.stderr and "… and 2 more" in said.stderr
    assert "rejected.csv" not in said.stderr


def test_rejected_pictures_are_told(own, tmp_path):
    folder = picture(tmp_path / "some", NEW, scribble(3))
    left = tmp_path / "workspace/added/000001"  # by another addition, killed at its end
    Workspace(str(left)).claim()
    (left / "rejected.csv").write_text("x" * 88)
    (tmp_path / folder / "bad.jpg").write_bytes(b"no picture")
    said = own("add", folder)
    assert "rejected: 1 (not_an_image: 1)\n  some/bad.jpg: " in said.stderr
    assert "some/bad.jpg" in (tmp_path / "workspace/added/000001/rejected.csv").read_text()


def test_every_runner_adds_the_same(world, own, tmp_path):
    own.ok("add", "-r", "local", "--processes", "2", "--openimages", "new")
    rows, expected = (
        index_of(folder, name).rows_of(NAMES)
        for folder, name in ((tmp_path, "workspace"), (world.folder, "grown-w"))
    )
    for one in (*rows.values(), *expected.values()):
        one["vector"] = one["vector"].tolist()
    assert rows == expected


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["add"], 2, "name the pictures to add"),
        (["add", "new", "--workspace", "nowhere"], 1, "nowhere: no workspace is there"),
        (["remove"], 2, "name an image_id"),
        (["remove", "--ids", "nowhere"], 2, "--ids nowhere: No such file or directory"),
        (["remove", OLD, "--workspace", "nowhere"], 1, "nowhere: no workspace is there"),
        (["remove", "--ids", "nofile"], 2, "--ids nofile"),
    ],
)
def test_mistakes_are_one_clear_line(tmp_path, monkeypatch, capsys, arguments, status, message):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == status
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


# ---- removing


def test_removed_pictures_are_hidden_whichever_way(grown, tmp_path):
    (tmp_path / "ids.txt").write_text(f"# two\n{NEW.upper()}\n\n")
    before = contents(tmp_path / "workspace")
    said = grown("remove", OLD, "--ids", "ids.txt")
    assert said.stderr == "removed: 2\n"
    after = contents(tmp_path / "workspace")
    changed = {n for n in after if before.get(n) != after[n]}
    assert {n.split("/")[0] for n in changed} == {"changes.json", "removed"}
    assert before.keys() <= after.keys() and index_of(tmp_path).rows == 80
    left = [name for name in NAMES if name not in (OLD, NEW)]
    for gone in (OLD, NEW):
        where = "new" if gone == NEW else "base"
        file = f"{where}/images/{gone}.png"
        assert sorted(ids(found(grown, file, *EVERYTHING))) == left
        rows = found(grown, file, "--by", "features", "--top-k", "99")
        assert sorted(ids(rows)) == left
        rows = found(grown, file, "--by", "label", "--top-k", "99")
        assert not {OLD, NEW} & set(ids(rows))
    for way in ([], ["--by", "features"], ["--by", "label"]):
        said = grown("search", OLD, NEW, *way)
        assert said.returncode == 1 and said.stderr.count("this picture was removed") == 2
    assert grown.ok("remove", "--list").split() == [OLD, NEW]
    assert "removed from the index: 2\n" in grown.ok("status")
    assert "searches see 80 pictures" in grown.ok("status")


def test_unknown_ids_change_nothing_unless_they_may_be_missing(own, tmp_path):
    before = contents(tmp_path / "workspace")
    said = own("remove", OLD, "nosuch")
    assert (said.returncode, said.stdout) == (1, "")
    assert "not in the index: 1 (nosuch); nothing was removed" in said.stderr
    assert contents(tmp_path / "workspace") == before
    said = own("remove", OLD, "nosuch", "--ignore-missing")
    assert said.stderr == "removed: 1; not in the index: 1 (nosuch)\n"
    assert own("remove", OLD).stderr == "removed: 0; removed before: 1\n"


def test_remove_and_add_replace_a_picture(own, tmp_path):
    own.ok("remove", OLD)
    folder = picture(tmp_path / "other", OLD, stripes(99))
    own.ok("add", folder)
    rows = found(own, f"{folder}/{OLD}.png", *EVERYTHING)
    assert (rows[0]["image_id"], rows[0]["source"]) == (OLD, f"{folder}/{OLD}.png")
    assert ids(rows).count(OLD) == 1 and len(rows) == 61
    for way in ("features", "label"):
        (row,) = (
            row
            for row in found(own, OLD, "--by", way, "--top-k", "99", "--label", rows[0]["label"])
            if row["image_id"] == OLD
        )
        assert row["source"] == f"{folder}/{OLD}.png"
    assert own.ok("remove", "--list") == ""
    own.ok("remove", OLD)
    assert OLD not in ids(found(own, NAMES[0], *EVERYTHING))
    own.ok("add", folder)
    assert index_of(tmp_path).places_of([OLD])[OLD][0] == 2
    assert index_of(tmp_path).rows == 61


# ---- later runs


@pytest.mark.parametrize("force", [(), ("--force", "vectors", "--force", "index")])
def test_a_run_that_changes_nothing_keeps_what_was_added(grown, tmp_path, force):
    grown.ok("remove", OLD)
    said = grown("--openimages", "base", *LABELS, "--cells", CELLS, *force)
    assert said.returncode == 0
    assert "left out" not in said.stderr
    assert index_of(tmp_path).rows == 81


def test_another_index_leaves_additions_out_and_says_so(grown, tmp_path):
    grown.ok("remove", OLD)
    said = grown("--openimages", "base", *LABELS, "--cells", "4")
    message = "left out: 21 pictures in 1 addition, because the index was rebuilt since"
    assert message in said.stderr
    said = grown("search", NAMES[0], *EVERYTHING, "--format", "json")
    assert message in said.stderr and len(said.stdout.splitlines()) == 60
    assert "left out, because the index was rebuilt since: 21 pictures" in grown.ok("status")
    grown.ok("add", f"new/images/{NEW}.png")
    assert [path.name for path in (tmp_path / "workspace/added").iterdir()] == ["000002"]
    assert len(found(grown, NAMES[0], *EVERYTHING)) == 61


# ---- kill −9

STAGES = ("ingest", "extract", "known", "vectors")


@pytest.mark.parametrize("stage", STAGES)
def test_a_killed_add_leaves_the_old_index_and_goes_on(world, own, tmp_path, stage):
    committed = tmp_path / "workspace/added/000001" / stage / "stage.json"
    process = own.start("add", "--openimages", "new")
    end = time.monotonic() + 120
    while not committed.exists():
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.005)
    process.kill()
    process.communicate()
    assert not (tmp_path / "workspace/changes.json").exists()
    assert index_of(tmp_path).rows == 61
    assert "unfinished addition: " in own.ok("status")
    made = committed.stat().st_mtime_ns
    own.ok("add", "--openimages", "new")
    assert committed.stat().st_mtime_ns == made
    after = contents(tmp_path / "workspace")
    assert {name: after[name] for name in world.before} == world.before
    assert sorted(index_of(tmp_path).places_of(NAMES)) == NAMES
    assert not list((tmp_path / "workspace").glob(".tmp/*"))


KILLER = """
import os, signal, sys
import driver.workspace.writable
from driver.run import main
whole = driver.workspace.writable.write_whole
def killed(path, content):
    if path.name == "changes.json":
        if sys.argv[1] == "after":
            whole(path, content)
        else:
            path.with_name("changes.json.1.part").write_bytes(content[:40])
        os.kill(os.getpid(), signal.SIGKILL)
    whole(path, content)
driver.workspace.writable.write_whole = killed
main(sys.argv[2:])
"""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("command", [("add", "new/images"), ("remove", OLD)])
def test_a_kill_at_the_commit_shows_the_old_or_the_new(own, tmp_path, when, command):
    arguments = [sys.executable, "-c", KILLER, when, *command]
    done = subprocess.run(arguments, cwd=tmp_path, env=own.environment, capture_output=True)
    assert done.returncode == -signal.SIGKILL
    rows = {"add": 82, "remove": 60}[command[0]] if when == "after" else 61
    assert index_of(tmp_path).rows == rows
    own.ok(*command)
    assert index_of(tmp_path).rows == {"add": 82, "remove": 60}[command[0]]
    assert not list((tmp_path / "workspace").glob("changes.json.*"))


def test_the_workspace_is_held(own, tmp_path):
    process = own.start("add", "--openimages", "new")
    lock = tmp_path / "workspace/.lock"
    while not (lock.exists() and lock.read_text()):
        time.sleep(0.005)
    said = own("remove", OLD)
    process.kill()
    process.communicate()
    assert said.returncode == 1 and "is in use by run" in said.stderr


# ---- damage, and file systems


@pytest.mark.parametrize("text", ["{", '{"format": 9}', "[]"])
def test_a_damaged_list_of_changes_is_refused(tmp_path, capsys, text, world):
    shutil.copytree(world.folder / "base-w", tmp_path / "workspace")
    (tmp_path / "workspace/changes.json").write_text(text)
    before = contents(tmp_path / "workspace")
    for command in (["search", OLD], ["add", str(tmp_path)], ["remove", OLD], ["status"]):
        assert main([*command, "--workspace", str(tmp_path / "workspace")]) == 1
        assert "changes.json: not what add and remove write" in capsys.readouterr().err
    assert contents(tmp_path / "workspace") == before


def test_changed_removals_are_refused(own, tmp_path):
    own.ok("remove", OLD)
    (path,) = (tmp_path / "workspace/removed").iterdir()
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    said = own("search", NAMES[0])
    assert said.returncode == 1 and "has changed since it was written" in said.stderr


def test_pictures_of_a_workspace_elsewhere_are_removed(world, tmp_path):
    fsspec.filesystem("memory").put(str(world.folder / "grown-w"), "/far", recursive=True)
    for gone in (OLD, NEW):
        assert main(["remove", gone, "--workspace", "memory://far"]) == 0
    found = SearchIndex(Workspace("memory://far", SEARCH), tmp_path)
    assert sorted(found.rows_of(NAMES)) == [name for name in NAMES if name not in (OLD, NEW)]
    assert (found.rows, len(found.removed), found.changes.numbered) == (80, 2, 1)
    with Workspace("memory://far").locked():
        assert len(fsspec.filesystem("memory").ls("/far/removed")) == 1
