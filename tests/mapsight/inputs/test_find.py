from __future__ import annotations

import hashlib
import os
import tarfile
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from mapsight.inputs.find import InputError, find_inputs
from mapsight.inputs.image_ids import image_id_of, safe_id
from mapsight.inputs.named_inputs import NamedInputs
from mapsight.storage.uri import open_uri


def sources(*args, **kwargs) -> list[str]:
    return [found.source for found in find_inputs(*args, **kwargs)]


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("b.jpg", "a/z.png", "a/no_suffix", ".hidden", ".git/x.jpg", "c[1]/d.jpg"):
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * len(name))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "tree"


@pytest.mark.parametrize("error", [ConnectionError, TimeoutError, OSError])
def test_a_server_that_does_not_tell_is_no_unreadable_folder(monkeypatch, error):
    def refuse(self, path, detail=True, **options):
        raise error("asked in vain")

    fsspec.filesystem("memory").pipe_file("/silent/a/b.jpg", b"x")
    monkeypatch.setattr(MemoryFileSystem, "ls", refuse)
    with pytest.raises(InputError, match="silent/a: cannot be listed: asked in vain"):
        list(find_inputs("memory://silent/a"))


def test_a_folder_that_may_not_be_listed_is_one_that_cannot_be_opened(monkeypatch):
    def refuse(self, path, detail=True, **options):
        raise PermissionError("not for you")

    fsspec.filesystem("memory").pipe_file("/closed/a/b.jpg", b"x")
    monkeypatch.setattr(MemoryFileSystem, "ls", refuse)
    assert [found.bytes for found in find_inputs("memory://closed/a")] == [-1]


def test_a_folder_gives_every_regular_file_but_hidden_ones(tree):
    expected = ["tree/a/no_suffix", "tree/a/z.png", "tree/b.jpg", "tree/c[1]/d.jpg"]
    assert sources("tree") == sources("tree/") == expected


def test_sources_begin_with_the_input_as_typed(tree):
    assert sources("./tree/a")[0] == "./tree/a/no_suffix"
    assert sources(str(tree / "b.jpg")) == [str(tree / "b.jpg")]
    assert sources(f"file://{tree}/a")[1] == f"file://{tree}/a/z.png"


def test_a_glob_keeps_what_was_typed_before_the_wildcard(tree):
    assert sources("tree/*.jpg") == ["tree/b.jpg"]
    assert sources("./tree/a/*") == ["./tree/a/no_suffix", "./tree/a/z.png"]
    assert sources(f"{tree}/a/*.png") == [f"{tree}/a/z.png"]


def test_a_folder_with_wildcards_in_its_name_is_that_folder(tree):
    assert sources("tree/c[1]") == ["tree/c[1]/d.jpg"]


def test_files_open_by_their_uri(tree):
    (found,) = find_inputs("tree/b.jpg")
    assert open_uri(found.uri).read() == b"x" * 5
    assert found.bytes == 5


def test_skipped_folders_are_not_looked_into(tree):
    assert "tree/a/z.png" not in sources("tree", skip={str(tree / "a")})


def test_names_can_be_left_out(tree):
    assert sources("tree", keep=lambda name: name != "b.jpg")[-1] == "tree/c[1]/d.jpg"


def test_links_count_where_their_target_is_not_read_itself(tree, tmp_path):
    (tmp_path / "outside.jpg").write_bytes(b"x")
    for name, target in (("link", tree / "b.jpg"), ("far", tmp_path / "outside.jpg")):
        (tree / f"{name}.jpg").symlink_to(target)
    (tree / "further.jpg").symlink_to(tmp_path / "outside.jpg")
    (tree / "hid.jpg").symlink_to(tree / ".hidden")
    (tree / "gone.jpg").symlink_to(tree / "nothing")
    (tree / "loop").symlink_to(tree)
    links = {"far", "further", "gone", "hid", "link", "loop"}
    found = [s for s in sources("tree") if Path(s).stem in links]
    assert found == ["tree/far.jpg", "tree/gone.jpg", "tree/hid.jpg"]
    assert "tree/link.jpg" not in sources("tree/*.jpg")


@pytest.mark.parametrize(
    "typed",
    [
        ["tree", "./tree", "{}/tree"],
        ["tree/b.jpg", "tree", "tree/*.jpg"],
        ["tree/a", "tree", "tree/a/z.png"],
        ["folder-link", "tree/a", "tree"],
        ["tree", "tree/b.jpg", "link.jpg"],
    ],
)
def test_a_file_that_is_named_twice_is_read_once(tree, tmp_path, typed):
    (tmp_path / "folder-link").symlink_to(tree)
    (tmp_path / "link.jpg").symlink_to(tree / "b.jpg")
    inputs = [name.format(tmp_path) for name in typed]
    named = NamedInputs(inputs)
    found = [found for each in inputs for found in find_inputs(each, named=named)]
    places = sorted(os.path.realpath(file.uri) for file in found)
    expected = sorted(
        os.fsencode(tree / name) for name in ("b.jpg", "a/z.png", "a/no_suffix", "c[1]/d.jpg")
    )
    assert places == expected


def test_a_link_into_a_folder_that_is_not_read_is_read(tree):
    (tree / "z.jpg").symlink_to(tree / "a" / "z.png")
    assert "tree/z.jpg" in sources("tree", skip=[str(tree / "a")])


def test_a_stamp_follows_links_and_sees_a_rewrite_of_the_same_size(tree, tmp_path):
    (tmp_path / "one").write_bytes(b"1")
    (tmp_path / "two").write_bytes(b"2")
    link = tree / "link.jpg"

    def stamp():
        return next(f.stamp for f in find_inputs("tree") if f.source == "tree/link.jpg")

    link.symlink_to(tmp_path / "one")
    os.utime(tmp_path / "one", ns=(10**18, 10**18))
    stamps = [stamp()]
    os.utime(tmp_path / "one", ns=(10**18, 10**18 + 1))
    stamps.append(stamp())
    os.utime(tmp_path / "two", ns=(10**18, 10**18 + 1))
    link.unlink()
    link.symlink_to(tmp_path / "two")
    stamps.append(stamp())
    assert len(set(stamps)) == 3


def put(path: Path, *names: str) -> None:
    for name in names:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(b"x")


MARKS = (
    *("_SUCCESS", "_temporary/0/part-1.jpg", "_committed_12", "_started_12", "_metadata"),
    *("_common_metadata", "_spark_metadata/0", "_staging/x", "a.jpg._COPYING_", ".part-0.crc"),
)


def test_marks_and_unfinished_output_of_jobs_are_no_input(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "out", "part-0.jpg", "_date=1/x.jpg", "_DSC1.JPG", *MARKS)
    assert sources("out") == ["out/_DSC1.JPG", "out/_date=1/x.jpg", "out/part-0.jpg"]


def test_names_that_cameras_and_people_begin_with_a_line_are_pictures(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mine = ("_DSC1234.jpg", "_MG_0001.CR2", "_album/_DSC1.jpg", "_x/y", "_no_ending")
    put(tmp_path / "mine", *mine)
    assert sources("mine") == sorted(f"mine/{name}" for name in mine)


def delta(folder: Path, *commits: str) -> None:
    put(folder, "old.parquet", "new a.parquet", "p=1/x.parquet")
    (folder / "_delta_log").mkdir()
    for version, lines in enumerate(commits):
        (folder / "_delta_log" / f"{version:020d}.json").write_text(lines)


ADD = '{"commitInfo":{}}\n{"add":{"path":"old.parquet"}}\n{"add":{"path":"p=1/x.parquet"}}\n'
CHANGE = '{"remove":{"path":"old.parquet"}}\n{"add":{"path":"new%20a.parquet"}}\n'


def test_of_a_delta_table_the_files_are_those_of_its_log(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    delta(tmp_path / "t", ADD, CHANGE)
    assert sources("t") == ["t/new a.parquet", "t/p=1/x.parquet"]


def test_the_log_of_a_delta_table_goes_on_from_its_checkpoint(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    delta(tmp_path / "t", ADD, CHANGE, '{"remove":{"path":"p%3D1/x.parquet"}}\n')
    log = tmp_path / "t/_delta_log"
    rows = [{"add": {"path": "new%20a.parquet"}}, {"add": {"path": "p=1/x.parquet"}}]
    pq.write_table(pa.Table.from_pylist(rows), log / f"{1:020d}.checkpoint.parquet")
    for version in (0, 1):
        (log / f"{version:020d}.json").unlink()
    assert sources("t") == ["t/new a.parquet"]


@pytest.mark.parametrize(
    ("commits", "reason"),
    [
        (
            (ADD, '{"add":{"path":"old.parquet","deletionVector":{}}}'),
            "deletion vec",
        ),
        ((ADD, '{"add":{"path":"s3://b/x.parquet"}}'), "outside of it"),
        ((ADD, '{"add":{"path":"../x.parquet"}}'), "outside of it"),
        ((ADD, '{"add":'), "damaged"),
        ((), "gaps"),
    ],
)
def test_a_delta_table_that_is_not_understood_is_refused(tmp_path, monkeypatch, commits, reason):
    monkeypatch.chdir(tmp_path)
    delta(tmp_path / "t", *commits)
    with pytest.raises(InputError, match=f"t: a Delta table.*{reason}"):
        sources("t")


@pytest.mark.parametrize(
    ("marks", "name"),
    [
        ((".hoodie/hoodie.properties",), "Hudi"),
        (("metadata/v2.metadata.json", "data/x.parquet"), "Iceberg"),
    ],
)
def test_tables_whose_present_files_are_not_told_are_refused(tmp_path, monkeypatch, marks, name):
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "t", *marks)
    with pytest.raises(InputError, match=f"t: an? {name} table"):
        sources("t")


@pytest.mark.parametrize("name", ["data", "x.pq", "x.snappy", "x.parquet", "x.PARQUET", "part-0"])
def test_parquet_is_told_by_its_bytes(tmp_path, name):
    pq.write_table(pa.table({"image": [b"x"]}), tmp_path / name)
    assert [found.kind for found in find_inputs(str(tmp_path))] == ["parquet"]


@pytest.mark.parametrize("name", ["photos", "photos.gz", "photos.bin", "x.tar", "x.zst"])
def test_archives_are_told_by_their_bytes(tmp_path, name):
    (tmp_path / "a.jpg").write_bytes(b"x")
    with tarfile.open(tmp_path / name, "w:gz" if name.endswith("gz") else "w") as archive:
        archive.add(tmp_path / "a.jpg", "a.jpg")
    assert [found.kind for found in find_inputs(str(tmp_path))] == ["picture", "tar"]


def test_pipes_are_no_pictures(tree):
    os.mkfifo(tree / "pipe")
    assert "tree/pipe" not in sources("tree")


def test_a_name_that_is_not_utf8_opens_and_is_shown_escaped(tree):
    path = os.fsencode(tree) + b"/caf\xe9.jpg"
    Path(os.fsdecode(path)).write_bytes(b"latin")
    found = next(f for f in find_inputs("tree") if "caf" in f.source)
    assert found.source == "tree/caf\\xe9.jpg"
    assert open_uri(found.uri).read() == b"latin"


def test_names_with_url_characters_open(tree):
    (tree / "a::b #1?.jpg").write_bytes(b"odd")
    found = next(f for f in find_inputs("tree") if "::" in f.source)
    assert open_uri(found.uri).read() == b"odd"


def test_parquet_is_told_by_name_and_content(tree):
    pq.write_table(pa.table({"image": [b""]}), tree / "real.parquet")
    (tree / "false.parquet").write_text("no")
    kinds = {f.source: f.kind for f in find_inputs("tree") if "parquet" in f.source}
    assert kinds == {"tree/real.parquet": "parquet", "tree/false.parquet": "picture"}


@pytest.mark.parametrize("typed", ["nowhere", "tree/nothing*.gif", "nosuch://bucket/x"])
def test_what_is_not_there_is_named(tree, typed):
    with pytest.raises(InputError, match=typed.split("*")[0]):
        sources(typed)


def test_the_stamp_changes_with_the_file(tree):
    before = next(iter(find_inputs("tree/b.jpg"))).stamp
    os.utime(tree / "b.jpg", (1, 1))
    assert next(iter(find_inputs("tree/b.jpg"))).stamp != before


def test_ids_are_hex_stems_or_hashes():
    assert image_id_of("x/00966A975d566c45.jpg") == "00966a975d566c45"
    assert (
        image_id_of("x/00966a975d566c4.jpg")
        == hashlib.sha256(b"x/00966a975d566c4.jpg").hexdigest()[:16]
    )
    assert image_id_of("f.parquet#3", "a/00966a975d566c45.png") == "00966a975d566c45"


def test_given_ids_must_be_safe_keys():
    assert safe_id("img_000-1:a/b=c.d+e@f")
    assert not any(map(safe_id, ["", "a b", 'a"b', "a\tb", "ä", "x" * 129]))
