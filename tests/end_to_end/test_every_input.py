"""The same pictures in every form that people have them give the same features and results."""

from __future__ import annotations

import re
import tarfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mapsight.results.predictions import merged_records
from tests.support.loopback import reply, serving
from tests.support.pictures import encoded, scribble

COUNT = 66
WHERE = ("source", "original_url")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    """Pictures named by 16-hex ids, in three formats."""
    folder = tmp_path_factory.mktemp("same") / "pictures"
    folder.mkdir()
    for seed in range(COUNT):
        kind = ("jpeg", "png", "webp")[seed % 3]
        data = encoded(scribble(seed, 60 + seed, 50), kind)
        (folder / f"{seed * 7919:016x}.{kind}").write_bytes(data)
    return folder


def as_tar(files: list[Path], target: Path) -> str:
    with tarfile.open(target / "pictures.tar.gz", "w:gz") as archive:
        for path in files:
            archive.add(path, f"some/{path.name}")
    return "pictures.tar.gz"


def as_parquet(table: pa.Table, target: Path) -> str:
    pq.write_table(table, target / "rows.parquet", row_group_size=20)
    return "rows.parquet"


def as_plain_parquet(files: list[Path], target: Path) -> str:
    ids, data = [path.stem for path in files], [path.read_bytes() for path in files]
    return as_parquet(pa.table({"image_id": ids, "photo": data}), target)


def as_hugging_face(files: list[Path], target: Path) -> str:
    cells = [{"bytes": path.read_bytes(), "path": path.name} for path in files]
    return as_parquet(pa.table({"image": cells, "label": [1] * len(files)}), target)


def as_binary_file(files: list[Path], target: Path) -> str:
    paths = [f"file:/data/{path.name}" for path in files]
    data = [path.read_bytes() for path in files]
    sizes = [len(cell) for cell in data]
    return as_parquet(pa.table({"path": paths, "length": sizes, "content": data}), target)


def results_of(mapsight, folder: Path, *arguments: str) -> tuple[dict, pd.DataFrame, pd.DataFrame]:
    """Features by id, predictions and ranking, without where the pictures came from."""
    mapsight.ok("-r", "inline", *arguments)
    work = folder / "workspace"
    parts = sorted(map(str, next((work / "extract").glob("*/")).glob("part-*")))
    drop = {*WHERE, "shard", "row"}
    features = {
        key: {name: value for name, value in record.items() if name not in drop}
        for key, record in merged_records(parts)
    }
    tables = (
        pd.read_parquet(work / "results" / f"{n}.parquet") for n in ("predictions", "ranking")
    )
    return features, *(table.drop(columns=list(WHERE), errors="ignore") for table in tables)


@pytest.fixture(scope="module")
def expected(pictures, environment, tmp_path_factory):
    from tests.support.program import CalledProgram

    folder = tmp_path_factory.mktemp("folder")
    found = results_of(CalledProgram(environment, folder), folder, "--images", str(pictures))
    assert len(found[0]) == len(found[1]) == COUNT
    return found


def assert_same(found, expected) -> None:
    assert found[0] == expected[0]
    pd.testing.assert_frame_equal(found[1], expected[1])
    pd.testing.assert_frame_equal(found[2], expected[2])


@pytest.mark.parametrize("form", [as_tar, as_hugging_face, as_binary_file])
def test_a_file_of_pictures_is_like_a_folder_of_them(mapsight, pictures, expected, tmp_path, form):
    name = form(sorted(pictures.iterdir()), tmp_path)
    assert_same(results_of(mapsight, tmp_path, "--images", name), expected)


def test_any_column_can_be_named(mapsight, pictures, expected, tmp_path):
    name = as_plain_parquet(sorted(pictures.iterdir()), tmp_path)
    found = results_of(mapsight, tmp_path, "--images", name, "--image-column", "photo")
    assert_same(found, expected)


def test_a_list_of_urls_is_like_a_folder(mapsight, pictures, expected, tmp_path):
    files = sorted(pictures.iterdir())
    paths = {path.name: reply(path.read_bytes()) for path in files}
    with serving(reply(status=404), **paths) as address:
        urls = "".join(f"{address}/{path.name}\n" for path in files)
        (tmp_path / "urls.txt").write_text(urls)
        found = results_of(mapsight, tmp_path, "--images", "urls.txt", "--allow-private")
    assert_same(found, expected)


def test_a_column_is_that_of_foreign_tables_alone(mapsight, pictures, tmp_path):
    files = sorted(pictures.iterdir())[:8]
    as_plain_parquet(files[:4], tmp_path)
    as_tar(files[4:], tmp_path)
    named = ("rows.parquet", "pictures.tar.gz", "--image-column", "photo")
    mapsight.ok("--images", *named)
    frame = pd.read_parquet(tmp_path / "workspace" / "results" / "predictions.parquet")
    assert frame["image_id"].tolist() == [path.stem for path in files]
    assert len(list((tmp_path / "workspace" / "report" / "thumbs").iterdir())) == 8


def test_side_files_without_a_picture_are_told(mapsight, pictures, tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        tar.add(min(pictures.iterdir()), "1.jpg")
        for name in ("1.json", "7.json", "8.txt"):
            tar.addfile(tarfile.TarInfo(name))
    done = mapsight("-r", "inline", "--images", str(tmp_path / "a.tar"), "--until", "ingest")
    assert re.search("side files without a picture: 2, for example .*a.tar#7.json", done.stderr)
    assert "side_files_without_picture 2" in mapsight.ok("status")
