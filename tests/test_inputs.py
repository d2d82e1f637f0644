from __future__ import annotations

import hashlib
import os
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from mapsight.inputs import InputError, find_inputs, image_id_of, open_uri, safe_id


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


def test_links_to_files_count_and_links_to_folders_do_not(tree):
    (tree / "link.jpg").symlink_to(tree / "b.jpg")
    (tree / "loop").symlink_to(tree)
    assert [s for s in sources("tree") if "link" in s or "loop" in s] == ["tree/link.jpg"]


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
