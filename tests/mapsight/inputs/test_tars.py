from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapsight.inputs import tar_members, tars
from mapsight.inputs.image_ids import image_id_of
from mapsight.inputs.pack import pack_rows
from mapsight.inputs.shards import OURS, read_images
from mapsight.inputs.tars import read_tar

FILES = [("a.jpg", b"A" * 700), ("b.jpg", b"B" * 600), ("c.jpg", b"C" * 100)]
BLOCK = 512


def member(name: str, data: bytes = b"", **fields) -> tuple[tarfile.TarInfo, io.BytesIO]:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, io.BytesIO(data)


def write(path: Path, files: Iterable, mode: str = "w", form: int = tarfile.PAX_FORMAT) -> Path:
    """A tar file of (name, bytes), or of what `member` made."""
    with tarfile.open(path, mode, format=form) as archive:
        for file in files:
            archive.addfile(*(member(*file) if isinstance(file[0], str) else file))
    return path


def read(path: Path) -> list[dict]:
    return list(read_tar(str(path), "t.tar"))


def pictures(path: Path) -> list[tuple[str, bytes]]:
    return [(row["source"], row["image"]) for row in read(path) if "error" not in row]


def errors(path: Path) -> list[tuple[str, str]]:
    return [(row["source"], row["error"]) for row in read(path) if "error" in row]


def sources(files: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    return [(f"t.tar#{name}", data) for name, data in files]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_every_compression_gives_the_pictures_in_order(tmp_path, mode):
    assert pictures(write(tmp_path / "x.tar", FILES, mode)) == sources(FILES)


def test_zstd_is_read_too(tmp_path):
    packed = pa.compress(write(tmp_path / "x.tar", FILES).read_bytes(), "zstd", asbytes=True)
    (tmp_path / "x.tar").write_bytes(packed)
    assert pictures(tmp_path / "x.tar") == sources(FILES)


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_archives_written_one_after_another_are_one(tmp_path, mode):
    first = write(tmp_path / "1.tar", FILES[:1], mode).read_bytes()
    path = write(tmp_path / "2.tar", FILES[1:], mode)
    path.write_bytes(first + path.read_bytes())
    assert pictures(path) == sources(FILES)


NAMES = st.text(st.characters(exclude_characters="\0/", codec="utf-8"), min_size=1, max_size=150)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(PATHS, st.binary(max_size=1500)), max_size=8),
    st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]),
    st.sampled_from(["w", "w:gz"]),
)
def test_any_names_and_sizes_come_back_in_order(tmp_path_factory, files, form, mode):
    files = [(f"x/{name}.jpg", data) for name, data in files]
    path = write(tmp_path_factory.mktemp("t") / "x.tar", files, mode, form)
    expected = [(name, data) for name, data in files if not tars._hidden(name)]
    assert pictures(path) == sources(expected)
    assert errors(path) == []


ENDS = [BLOCK + 700, 4 * BLOCK + 600, 7 * BLOCK + 100]
"""Where the pictures of FILES end in their archive, whose end mark begins at 8 blocks."""


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 20 * BLOCK))
def test_a_cut_archive_keeps_what_came_before_and_says_so_once(tmp_path_factory, cut):
    path = write(tmp_path_factory.mktemp("t") / "x.tar", FILES)
    path.write_bytes(path.read_bytes()[:cut])
    whole = [file for file, end in zip(FILES, ENDS, strict=True) if end <= cut]
    assert pictures(path) == sources(whole)
    assert [code for _, code in errors(path)] == ["bad_shard"] * (cut <= 8 * BLOCK)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([0, 3, 6]), st.integers(0, 147), st.integers(1, 255))
def test_a_damaged_header_loses_its_member_only(tmp_path_factory, block, place, change):
    path = write(tmp_path_factory.mktemp("t") / "x.tar", FILES)
    content = bytearray(path.read_bytes())
    content[block * BLOCK + place] ^= change
    path.write_bytes(content)
    assert pictures(path) == sources([file for n, file in enumerate(FILES) if n != block // 3])
    assert errors(path) == [(f"t.tar#@{block * BLOCK}", "bad_shard")]


def test_ids_are_hex_stems_or_follow_from_the_source(tmp_path):
    path = write(tmp_path / "x.tar", [("d/00966A975D566C45.jpg", b"a"), ("cat.jpg", b"b")])
    ids = [row["image_id"] for row in read(path)]
    assert ids == ["00966a975d566c45", image_id_of("t.tar#cat.jpg")]


def test_side_files_before_or_after_describe_the_picture(tmp_path):
    told = json.dumps({"URL": "http://x/a", "author": "Ann", "width": 3}).encode()
    path = write(
        tmp_path / "x.tar",
        [("a.json", told), ("a.jpg", b"A"), ("a.txt", b"one"), ("b.jpg", b"B"), ("b.txt", b"two")],
    )
    first, second = read(path)
    assert (first["original_url"], first["author"], first["caption"]) == (
        "http://x/a",
        "Ann",
        "one",
    )
    assert (second["caption"], "author" in second) == ("two", False)


def test_two_pictures_of_a_sample_share_what_is_known(tmp_path):
    files = [("a.jpg", b"1"), ("a.mask.png", b"2"), ("a.txt", b"text"), ("a.cls", b"7")]
    rows = read(write(tmp_path / "x.tar", files))
    assert [(row["source"], row["caption"]) for row in rows] == [
        ("t.tar#a.jpg", "text"),
        ("t.tar#a.mask.png", "text"),
    ]


def test_a_side_file_with_a_longer_name_is_that_pictures_alone(tmp_path):
    files = [("p.1.jpg", b"1"), ("p.1.txt", b"one"), ("p.2.jpg", b"2"), ("p.2.txt", b"two")]
    rows = read(write(tmp_path / "x.tar", files))
    assert [row["caption"] for row in rows] == ["one", "two"]


@pytest.mark.parametrize("told", [b"{", b"[1]", b"\xff", b"[" * 10**5, b"9" * 10**5])
def test_a_side_file_that_is_no_json_costs_nothing(tmp_path, told):
    (row,) = read(write(tmp_path / "x.tar", [("a.jpg", b"A"), ("a.json", told)]))
    assert (row["image"], set(row)) == (b"A", {"image", "image_id", "source"})


def test_a_huge_side_file_is_passed_over(tmp_path):
    told = b'{"title": "' + b"x" * tars.SIDE_BYTES + b'"}'
    (row,) = read(write(tmp_path / "x.tar", [("a.json", told), ("a.jpg", b"A")]))
    assert (row["image"], "title" in row) == (b"A", False)


def test_hidden_files_and_those_of_macos_are_passed_over(tmp_path):
    names = ["__MACOSX/a.jpg", "._a.jpg", "d/.hidden/a.jpg", ".DS_Store", "./a.jpg", "d/./b.jpg"]
    found = pictures(write(tmp_path / "x.tar", [(name, b"A") for name in names]))
    assert found == sources([("a.jpg", b"A"), ("d/./b.jpg", b"A")])


def test_symbolic_links_devices_and_folders_are_passed_over(tmp_path):
    kinds = [tarfile.SYMTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]
    odd = [member(f"{n}.jpg", type=kind, linkname="/etc/passwd") for n, kind in enumerate(kinds)]
    path = write(tmp_path / "x.tar", [FILES[0], *odd, member("d", type=tarfile.DIRTYPE), FILES[1]])
    assert (pictures(path), errors(path)) == (sources(FILES[:2]), [])


def test_names_that_lead_elsewhere_are_only_names(tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path / "in")
    names = ["../evil.jpg", f"{tmp_path}/abs.jpg", "a/../../up.jpg"]
    found = pictures(write(tmp_path / "x.tar", [(name, b"A") for name in names]))
    assert found == sources([(name, b"A") for name in names])
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["in", "x.tar"]


def test_a_name_that_is_not_utf8_is_written_in_full(tmp_path):
    name = b"caf\xe9.jpg".decode("utf-8", "surrogateescape")
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT, errors="surrogateescape") as archive:
        archive.addfile(*member(name, b"A"))
    assert pictures(path) == [("t.tar#caf\\xe9.jpg", b"A")]


def test_a_member_above_the_limit_is_named_and_passed_over(tmp_path, monkeypatch):
    monkeypatch.setattr(tars, "MAX_BYTES", 650)
    path = write(tmp_path / "x.tar", FILES)
    assert errors(path) == [("t.tar#a.jpg", "too_many_bytes")]
    assert pictures(path) == sources(FILES[1:])


def test_a_sample_lets_go_of_its_pictures_before_they_are_too_many(tmp_path, monkeypatch):
    monkeypatch.setattr(tars, "MAX_BYTES", 4000)
    monkeypatch.setattr(tars, "ROW_BYTES", 1)
    files = [(f"a.{n}.jpg", bytes([n]) * 1500) for n in range(5)]
    rows = read(write(tmp_path / "x.tar", [("a.author", b"Ann"), *files, ("a.txt", b"text")]))
    assert [row["image"] for row in rows] == [data for _, data in files]
    assert [row["author"] for row in rows] == ["Ann"] * 5
    assert [row.get("caption") for row in rows] == [None, None, None, None, "text"]


def test_a_member_that_breaks_off_is_named(tmp_path):
    path = write(tmp_path / "x.tar", FILES)
    path.write_bytes(path.read_bytes()[:2100])
    assert errors(path) == [("t.tar#b.jpg", "bad_shard")]


@pytest.mark.whole
@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz"])
def test_cut_or_damaged_compression_keeps_what_came_before(tmp_path, mode):
    files = [(f"{n}.jpg", os.urandom(1 << 20)) for n in range(4)]
    path = write(tmp_path / "x.tar", files, mode)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 3 // 4])
    assert pictures(path)[:2] == sources(files[:2])
    assert [code for _, code in errors(path)] == ["bad_shard"]
    path.write_bytes(whole[:-200_000] + bytes(100) + whole[-199_900:])
    assert [code for _, code in errors(path)] == ["bad_shard"]


def test_an_empty_archive_has_no_pictures(tmp_path):
    assert read(write(tmp_path / "x.tar", [])) == []


def test_an_archive_of_no_bytes_says_so(tmp_path):
    (tmp_path / "x.tar").touch()
    assert errors(tmp_path / "x.tar") == [("t.tar", "empty")]


@pytest.mark.parametrize("content", [b"no", b"<html>" * 200, b"\xff\xd8\xff" * 10**5])
def test_what_is_no_archive_is_one_row(tmp_path, content):
    (tmp_path / "x.tar").write_bytes(content)
    assert errors(tmp_path / "x.tar") == [("t.tar#@0", "bad_shard")]


def test_an_archive_that_is_gone_is_one_row(tmp_path):
    assert errors(tmp_path / "gone.tar") == [("t.tar", "unreadable")]


@pytest.mark.parametrize("form", ["gnu", "pax"])
def test_a_sparse_member_is_named(tmp_path, form):
    if not shutil.which("tar"):
        pytest.skip("needs GNU tar")
    with (tmp_path / "holes.jpg").open("wb") as file:
        file.write(b"A" * 4096)
        file.truncate(10 << 20)
    (tmp_path / "last.jpg").write_bytes(b"B")
    command = ["tar", f"--format={form}", "-S", "-cf", "x.tar", "holes.jpg", "last.jpg"]
    subprocess.run(command, cwd=tmp_path, check=True)
    assert errors(tmp_path / "x.tar") == [("t.tar#holes.jpg", "unreadable")]
    assert pictures(tmp_path / "x.tar") == sources([("last.jpg", b"B")])


def header(name: str, size: int, kind: bytes = b"0") -> bytes:
    """A ustar header, whose size may be anything."""
    info = tarfile.TarInfo(name)
    info.type = kind
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT)[:BLOCK])
    block[124:136] = b"\x80" + size.to_bytes(11, "big")
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


@pytest.mark.parametrize("size", [1 << 80, 1 << 62, 1 << 40])
def test_a_member_that_declares_too_much_is_one_row(tmp_path, size):
    (tmp_path / "x.tar").write_bytes(header("a.jpg", size) + b"A" * 2000)
    assert "bad_shard" in [code for _, code in errors(tmp_path / "x.tar")]
    assert pictures(tmp_path / "x.tar") == []


@pytest.mark.parametrize("kind", [b"x", b"L"])
def test_an_extended_header_above_the_limit_costs_its_member(tmp_path, kind):
    path = write(tmp_path / "x.tar", FILES)
    size = tar_members.MAX_HEADER + 1
    path.write_bytes(header("x", size, kind) + bytes(size + -size % BLOCK) + path.read_bytes())
    assert errors(path) == [("t.tar#a.jpg", "unreadable")]
    assert pictures(path) == sources(FILES[1:])


@pytest.mark.parametrize("pax", [b"12 path=b", b"x path=b\n", b"99999999 path=b\n", b"7 path\n"])
def test_a_damaged_extended_header_costs_its_member(tmp_path, pax):
    path = write(tmp_path / "x.tar", FILES)
    head = header("x", len(pax), b"x") + pax.ljust(BLOCK, b"\0")
    path.write_bytes(head + path.read_bytes())
    assert errors(path) == [("t.tar#a.jpg", "unreadable")]


def test_a_name_above_the_limit_is_cut_and_named(tmp_path):
    ((source, code),) = errors(write(tmp_path / "x.tar", [("n" * 5000, b"A")]))
    assert (len(source), code) == (106, "unreadable")


BOMBS = {
    "one member": [("a.jpg", 80 << 20)],
    "many members": [(f"{n}.jpg", 4 << 20) for n in range(20)],
    "a side file": [("a.json", 80 << 20)],
    "a name": [("x", 80 << 20)],
}

READ = """
import sys
from mapsight.inputs.tars import read_tar
for row in read_tar(sys.argv[1], "t.tar"):
    if "error" in row:
        print(row["error"])
print(next(line.split()[1] for line in open("/proc/self/status") if "VmHWM" in line))
"""


def zeros(path: Path, files: list[tuple[str, int]], command: str) -> Path:
    """An archive whose members are nothing but zeros, packed by a program."""
    with path.open("wb") as file:
        packing = subprocess.Popen([command, "-c"], stdin=subprocess.PIPE, stdout=file)
        for name, size in files:
            packing.stdin.write(header(name, size, b"L" if name == "x" else b"0"))
            for at in range(0, size, 4 << 20):
                packing.stdin.write(bytes(min(4 << 20, size - at)))
        packing.stdin.close()
        assert packing.wait() == 0
    return path


@pytest.mark.whole
@pytest.mark.parametrize("command", ["gzip", "bzip2", "xz"])
@pytest.mark.parametrize("files", BOMBS.values(), ids=BOMBS)
def test_an_archive_that_swells_takes_little_memory(tmp_path, files, command):
    if not shutil.which(command):
        pytest.skip(f"needs {command}")
    path = zeros(tmp_path / "bomb.tar", files, command)
    out = subprocess.run([sys.executable, "-c", READ, str(path)], capture_output=True, text=True)
    *codes, kilobytes = out.stdout.split()
    assert codes[-1] == "bad_shard"
    assert int(kilobytes) < 150_000


def test_pictures_of_an_archive_are_packed_with_ordinals(tmp_path):
    path = write(tmp_path / "x.tar", [*FILES, ("c.txt", b"text")])
    ((split, _),) = pack_rows(read_tar(str(path), "t.tar"), str(tmp_path / "s"), 3 << 32)
    images = list(read_images(split))
    assert [(image.source, image.data) for image in images] == sources(FILES)
    assert [image.ordinal - (3 << 32) for image in images] == [0, 1, 2]
    assert images[2].shard == OURS.format(3 << 32)
    assert images[2].provenance == {"caption": "text"}


PACK = """
import sys
from mapsight.inputs.pack import pack_rows
from mapsight.inputs.tars import read_tar
print(sum(split.rows for split, _ in pack_rows(read_tar(sys.argv[1], "t"), sys.argv[2], 0)))
print(next(line.split()[1] for line in open("/proc/self/status") if "VmHWM" in line))
"""


@pytest.mark.whole
def test_packing_holds_few_copies_of_the_largest_picture(tmp_path):
    path = write(tmp_path / "x.tar", [(f"a.{n}.jpg", os.urandom(40 << 20)) for n in range(4)])
    command = [sys.executable, "-c", PACK, str(path), str(tmp_path / "shards")]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[0] == "4"
    assert int(out.splitlines()[1]) < 400_000


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
@pytest.mark.parametrize("format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
def test_hard_links_are_pictures(tmp_path, mode, format):
    deep = "a.jpg" if format == tarfile.USTAR_FORMAT else "d/" * 40 + "n" * 55 + ".jpg"
    with tarfile.open(tmp_path / "x.tar", mode, format=format) as archive:
        for name, link in ((deep, ""), ("b.jpg", deep), ("./c.jpg", f"./{deep}"), ("e", "gone")):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = (tarfile.LNKTYPE, link) if link else (tarfile.REGTYPE, "")
            info.size = 0 if link else 3
            archive.addfile(info, None if link else io.BytesIO(b"abc"))
    found = read(tmp_path / "x.tar")
    images = {row["source"]: row.get("image") for row in found}
    names = [f"t.tar#{name}" for name in (deep, "b.jpg", "c.jpg")]
    assert images == {**dict.fromkeys(names, b"abc"), "t.tar#e": None}
    assert "hard link to gone" in found[-1]["detail"]


def test_a_checksum_that_does_not_fit_tells_which_pictures_came_from_the_stream(tmp_path):
    path = write(tmp_path / "x.tar", FILES[:2])
    packed = bytearray(gzip.compress(path.read_bytes()))
    packed[-6] ^= 1
    path.write_bytes(packed)
    *_, last = read(path)
    assert last["error"] == "bad_shard"
    assert "the 2 pictures before may be damaged, from a.jpg to " in last["detail"]


def test_side_files_without_a_picture_are_counted(tmp_path):
    files = [(name, b"{}") for name in ("1.json", "1.jpg", "2.json", "2.txt", "3.jpg", "4.txt")]
    counts = {"alone": 0}
    path = write(tmp_path / "x.tar", [member(name, data) for name, data in files])
    assert len(list(read_tar(str(path), "t.tar", counts))) == 2
    assert counts == {"alone": 3, "first": "2.json"}
