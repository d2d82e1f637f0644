from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mapsight.inputs import pack, shards
from mapsight.inputs.find import find_inputs
from mapsight.inputs.image_ids import image_id_of
from mapsight.inputs.pack import image_rows, write_shard
from mapsight.inputs.shards import OURS, image_column, read_image, read_images, read_images_at
from mapsight.inputs.splits import make_plan
from mapsight.records import Split


def packed(folder: Path, tmp_path: Path, name: str = "0") -> Split:
    """One shard of a folder's files."""
    (split,) = make_plan(find_inputs(str(folder)), tmp_path, splits=1).splits["files"]
    split = replace(split, uri=str(tmp_path / "listing.parquet"))
    return write_shard(image_rows(split), str(tmp_path / "shards" / name), split.first)[0]


def foreign(path: Path, table: dict, **options) -> Split:
    pq.write_table(pa.table(table), path, **options)
    metadata = pq.read_metadata(path)
    return Split(str(path), "typed.parquet", 0, metadata.num_row_groups, metadata.num_rows, 0, 5)


def test_a_shard_gives_back_what_was_packed(pictures, tmp_path):
    images = list(read_images(packed(pictures, tmp_path)))
    assert [image.data for image in images] == [p.read_bytes() for p in sorted(pictures.iterdir())]
    assert [image.image_id for image in images] == [f"{i:016x}" for i in range(12)]
    assert [image.ordinal for image in images] == [n << 32 for n in range(12)]
    assert images[3].source == f"{pictures}/0000000000000003.jpg"


def test_row_groups_stay_small(tmp_path, monkeypatch):
    monkeypatch.setattr(pack, "ROW_GROUP_BYTES", 1000)
    folder = tmp_path / "in"
    folder.mkdir()
    for i, size in enumerate([400, 400, 400, 5000, 10]):
        (folder / f"{i}").write_bytes(b"x" * size)
    shard = packed(folder, tmp_path)
    metadata = pq.read_metadata(shard.uri)
    assert [metadata.row_group(i).num_rows for i in range(shard.row_groups)] == [2, 1, 1, 1]
    assert [len(image.data) for image in read_images(shard)] == [400, 400, 400, 5000, 10]


def test_files_that_cannot_be_read_are_named_and_lose_nothing_else(pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(pack, "MAX_BYTES", 20_000)
    (pictures / "big.jpg").write_bytes(b"x" * 20_001)
    (pictures / "broken.jpg").symlink_to(tmp_path / "nowhere")
    (pictures / "empty.jpg").touch()
    images = {Path(i.source).name: i for i in read_images(packed(pictures, tmp_path))}
    assert images["big.jpg"].error["error"] == "too_many_bytes"
    assert images["broken.jpg"].error["error"] == "unreadable"
    assert images["empty.jpg"].data == b""
    assert sum(image.error is None for image in images.values()) == 13


@pytest.mark.parametrize("name", ["image", "jpg", "jpeg", "bytes", "content"])
def test_foreign_binary_columns_are_found(tmp_path, name):
    split = foreign(tmp_path / "f.parquet", {"n": [1, 2], name: [b"a", b"b"]})
    images = list(read_images(split))
    assert [image.data for image in images] == [b"a", b"b"]
    assert [image.source for image in images] == ["typed.parquet#0", "typed.parquet#1"]
    assert [image.ordinal for image in images] == [5, 6]
    assert images[1].image_id == image_id_of("typed.parquet#1", "")


def test_a_struct_with_bytes_and_path_is_read(tmp_path):
    value = [{"bytes": b"a", "path": "x/00966a975d566c45.jpg"}, {"bytes": None, "path": "y"}, None]
    first, second, third = read_images(foreign(tmp_path / "f.parquet", {"image": value}))
    assert (first.data, first.image_id) == (b"a", "00966a975d566c45")
    assert second.error["error"] == third.error["error"] == "no_image"


def test_a_named_column_is_used_and_a_wrong_name_says_what_there_is(tmp_path):
    split = foreign(tmp_path / "f.parquet", {"image": ["text"], "scan": [b"a"]})
    assert [image.data for image in read_images(split, "scan")] == [b"a"]
    (lost,) = read_images(split)
    assert lost.error["error"] == "bad_shard"
    assert "scan (binary)" in lost.error["detail"]
    with pytest.raises(ValueError, match="no column 'other'"):
        image_column(pq.read_schema(tmp_path / "f.parquet"), "other")


def test_ids_and_provenance_travel_along(tmp_path):
    table = {"image_id": ["my-1", "not safe"], "image": [b"a", b"b"], "license": ["CC", None]}
    first, second = read_images(foreign(tmp_path / "f.parquet", table))
    assert (first.image_id, first.provenance) == ("my-1", {"license": "CC"})
    assert second.image_id == image_id_of("typed.parquet#1", "")


def test_a_damaged_row_group_loses_only_its_rows(tmp_path):
    path = tmp_path / "f.parquet"
    values = [bytes([65 + i]) * 500 for i in range(30)]
    split = foreign(
        path, {"image": values}, row_group_size=10, write_page_checksum=True, compression="none"
    )
    data = bytearray(path.read_bytes())
    data[data.find(values[15]) + 7] ^= 1
    path.write_bytes(data)
    images = list(read_images(split))
    assert [image.data for image in images if not image.error] == values[:10] + values[20:]
    lost = [image for image in images if image.error]
    assert [image.error["error"] for image in lost] == ["bad_shard"] * 10
    assert [image.source for image in lost] == [f"typed.parquet#{i}" for i in range(10, 20)]
    assert [image.ordinal for image in images] == list(range(5, 35))


def test_a_vanished_file_loses_its_rows_by_number(tmp_path):
    split = Split(str(tmp_path / "gone.parquet"), "gone.parquet", 0, 1, 3, 0, 0)
    assert [image.error["error"] for image in read_images(split)] == ["bad_shard"] * 3


def test_an_unreadable_split_is_one_record():
    (lost,) = read_images(Split("x", "typed.parquet", 0, 1, 1, 0, 9, 0, "no footer"))
    assert (lost.source, lost.ordinal, lost.error["detail"]) == ("typed.parquet", 9, "no footer")


def test_pictures_of_several_row_groups_are_found_in_one_reading(tmp_path):
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"image": [b"%d" % n for n in range(10)]}), path, row_group_size=4)
    found = dict(read_images_at(str(path), [9, 0, 5, 3, 10, -1]))
    assert found == {0: b"0", 3: b"3", 5: b"5", 9: b"9"}


def test_a_picture_is_found_again_by_shard_and_row(pictures, tmp_path):
    split = packed(pictures, tmp_path)
    for image in read_images(split):
        assert image.shard == OURS.format(0)
        assert read_image(split.uri, image.row) == image.data
    assert read_image(split.uri, 99) is None
    assert read_image("nowhere.parquet", 0) is None


def test_shards_are_the_same_bytes_every_time(pictures, tmp_path):
    shards = [Path(packed(pictures, tmp_path, name).uri) for name in "ab"]
    assert shards[0].read_bytes() == shards[1].read_bytes()


READ = """
import sys
from mapsight.records import Split
from mapsight.inputs.shards import read_images
split = Split(sys.argv[1], "b.parquet", 0, 1, 30, 0, 0)
print(*{(len(i.data or b""), (i.error or {}).get("error")) for i in read_images(split)})
print(next(line.split()[1] for line in open("/proc/self/status") if "VmHWM" in line))
"""


@pytest.mark.whole
@pytest.mark.parametrize(
    ("dictionary", "said"), [(False, "(0, 'bad_shard')"), (True, "(0, 'bad_shard')")]
)
def test_a_file_that_swells_takes_little_memory(tmp_path, dictionary, said):
    zeros = pa.table({"image": [bytes(20 << 20)] * 30})
    path = tmp_path / "bomb.parquet"
    pq.write_table(zeros, path, compression="zstd", use_dictionary=dictionary)
    command = [sys.executable, "-c", READ, str(path)]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[0] == said
    assert int(out.splitlines()[1]) < 250_000


def test_large_pictures_are_read_one_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "READ_BYTES", 3000)
    values = [os.urandom(1000) for _ in range(20)]
    split = foreign(tmp_path / "f.parquet", {"image": values})
    with Path(split.uri).open("rb") as handle:
        batches = list(shards._File(handle).batches(0, ["image"]))
    assert max(batch.num_rows for batch in batches) <= 3
    assert [image.data for image in read_images(split)] == values


def test_an_odd_cell_costs_that_cell(tmp_path):
    title = pa.array([b"fine", b"caf\xe9", b"fine"]).view(pa.string())
    table = {
        "image": pa.array([b"a", b"b", b"c"]).dictionary_encode(),
        "title": title,
        "license": pa.array([2**53] * 3, pa.timestamp("ms")),
        "path": [1, 2, 3],
    }
    images = list(read_images(foreign(tmp_path / "f.parquet", table)))
    assert [image.data for image in images] == [b"a", b"b", b"c"]
    assert [image.provenance for image in images] == [{"title": "fine"}, {}, {"title": "fine"}]


def test_a_struct_path_need_not_be_text(tmp_path):
    value = [{"bytes": b"a", "path": b"x"}]
    (image,) = read_images(foreign(tmp_path / "f.parquet", {"image": value}))
    assert (image.data, image.error) == (b"a", None)


def test_an_unusable_file_loses_the_same_rows_however_it_is_split(tmp_path):
    path = tmp_path / "f.parquet"
    pq.write_table(pa.table({"text": ["x"] * 12}), path, row_group_size=3)

    def names(splits: int) -> list[str]:
        plan = make_plan(find_inputs(str(path)), tmp_path, splits=splits)
        return [image.source for split in plan.splits["parquet"] for image in read_images(split)]

    assert names(1) == names(4) == [f"{path}#{i}" for i in range(12)]


def test_a_file_that_changed_since_planning_loses_its_planned_rows(tmp_path):
    split = foreign(tmp_path / "f.parquet", {"image": [b"a"] * 4})
    foreign(tmp_path / "f.parquet", {"image": [b"a"] * 3})
    errors = [image.error for image in read_images(split)]
    assert len(errors) == 4
    assert all("has changed" in error["detail"] for error in errors)


def test_whole_numbers_can_be_ids(tmp_path):
    images = read_images(foreign(tmp_path / "f.parquet", {"image_id": [7, 8], "image": [b"a"] * 2}))
    assert [image.image_id for image in images] == ["7", "8"]


def test_ids_are_those_of_rows_not_of_the_file(tmp_path):
    split = foreign(tmp_path / "00966a975d566c45.parquet", {"image": [b"a", b"b"]})
    split = Split(**{**vars(split), "source": "00966a975d566c45.parquet"})
    first, second = read_images(split)
    assert first.image_id == image_id_of("00966a975d566c45.parquet#0", "")
    assert first.image_id != second.image_id


def test_hex_ids_are_written_in_small_letters(tmp_path):
    table = {"image_id": ["00966A975D566C45"], "image": [b"a"]}
    (image,) = read_images(foreign(tmp_path / "f.parquet", table))
    assert image.image_id == "00966a975d566c45"


PICTURES = [os.urandom(300) * 5 for _ in range(9)]


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "brotli", "zstd", "lz4"])
@pytest.mark.parametrize("dictionary", [False, True])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_every_compression_is_read(tmp_path, compression, dictionary, version):
    how = {"compression": compression, "use_dictionary": dictionary, "row_group_size": 4}
    split = foreign(tmp_path / "f", {"image": PICTURES}, data_page_version=version, **how)
    assert [image.data for image in read_images(split)] == PICTURES


@pytest.mark.parametrize("kind", [pa.large_binary(), pa.binary_view(), pa.binary(1500)])
def test_every_binary_type_is_read_alone_and_in_a_struct(tmp_path, kind):
    cells = pa.array(PICTURES, kind)
    struct = pa.StructArray.from_arrays([cells, pa.array(["x"] * 9)], ["bytes", "path"])
    for column in (cells, struct):
        images = read_images(foreign(tmp_path / "f", {"image": column}))
        assert [image.data for image in images] == PICTURES


def test_a_spark_binary_file_is_read(tmp_path):
    times = pa.array([1] * 9, pa.timestamp("us", "UTC"))
    paths = [f"file:/d/{n:016X}.jpg" for n in range(9)]
    table = {"path": paths, "modificationTime": times, "length": [1500] * 9, "content": PICTURES}
    images = list(read_images(foreign(tmp_path / "f", table, compression="snappy")))
    assert [image.data for image in images] == PICTURES
    assert [image.image_id for image in images] == [f"{n:016x}" for n in range(9)]


def test_what_img2dataset_writes_is_read(tmp_path):
    more = {"key": ["0"] * 9, "url": ["http://x/y"] * 9, "caption": ["a lion"] * 9}
    images = list(read_images(foreign(tmp_path / "f", {**more, "jpg": PICTURES})))
    assert [image.data for image in images] == PICTURES
    assert images[8].provenance == {"original_url": "http://x/y", "caption": "a lion"}


def test_a_row_group_of_rows_larger_than_pictures_may_be_is_refused(tmp_path, monkeypatch):
    split = foreign(tmp_path / "f", {"image": [os.urandom(2000)] * 3}, use_dictionary=False)
    monkeypatch.setattr(shards, "MAX_BYTES", 1500)
    details = [image.error["detail"] for image in read_images(split)]
    assert len(details) == 3
    assert "3 rows declare" in details[0]


FLAT = """
import sys
from mapsight.records import Split
from mapsight.inputs.shards import read_images
print(sum(i.data is not None for i in read_images(Split(sys.argv[1], "f", 0, 1, 4000, 0, 0))))
print(next(line.split()[1] for line in open("/proc/self/status") if "VmHWM" in line))
"""


@pytest.mark.whole
def test_a_row_group_takes_the_memory_of_a_page_however_large_it_is(tmp_path):
    how = {"use_dictionary": False, "write_batch_size": 16}
    split = foreign(tmp_path / "f", {"image": [os.urandom(1 << 16)] * 4000}, **how)
    assert Path(split.uri).stat().st_size > 250 << 20
    command = [sys.executable, "-c", FLAT, split.uri]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[0] == "4000"
    assert int(out.splitlines()[1]) < 180_000


def test_a_footer_that_ends_pyarrow_does_not_end_the_task(tmp_path):
    split = foreign(tmp_path / "f", {"image": [b"a", b"b"]})
    content = bytearray(Path(split.uri).read_bytes())
    at = content.rindex(b"\x15\x0c\x19")  # the column's type, BYTE_ARRAY, becomes FLOAT
    content[at + 1] = 8
    Path(split.uri).write_bytes(content)
    assert len(list(read_images(split))) == 2


def test_rows_without_bytes_fill_row_groups_too(tmp_path):
    rows = ({"image_id": f"{n}", "source": "s", "image": b""} for n in range(10_000))
    split, _ = write_shard(rows, str(tmp_path / "empty.parquet"), 0)
    assert (split.rows, split.row_groups) == (10_000, 3)
