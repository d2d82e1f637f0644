"""The arithmetic of the benchmarks, and the bare way; never a speed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pyarrow.parquet as pq
import pytest

from benchmarks.__main__ import Contest
from benchmarks.entries import Setting, entries
from benchmarks.figures import Row, compared, table
from benchmarks.made_up import rows_of, write_rows
from benchmarks.outcomes import accuracy, agreement, labels_of_parquet
from benchmarks.pictures import usable, write_pictures
from benchmarks.processes import Command, ProgramError, busy, peak_memory, timed
from benchmarks.ways.parts import measured
from benchmarks.ways.parts import table as table_of_parts
from driver.commands.plan import read_figures
from mapsight.features.decode import decode
from mapsight.features.models.image_model import ImageModel
from mapsight.features.preprocess import central_crop
from mapsight.openimages.dataset import CsvSplit, annotation_rows
from tests.support.paths import ROOT
from tests.support.pictures import encoded, scribble

EVERY_CORE = frozenset(os.sched_getaffinity(0))


def rows() -> list[Row]:
    return [
        Row("bare", "float32", 2, 100, [3.0, 2.0, 9.0], [50.0, 40.0, 60.0]),
        Row("extract", "float32", 2, 100, [4.0, 2.5, 2.0]),
        Row("keras", "float32", 2, 100, [10.0]),
        Row("spark", "float32", 2, 100, failure="Error: no | Java"),
    ]


def test_rates_are_of_the_median_round():
    assert [row.rate for row in rows()] == [100 / 3, 40.0, 10.0, None]
    assert rows()[0].own_rate == 50.0


def test_ratios_are_to_bare_without_start_up_and_to_whole_programs():
    _, extract, keras, spark, _ = compared([*rows(), Row("ray", "float32", 2, 100, [6.25])])
    assert (extract["of_bare"], extract["times_keras"], extract["times_spark"]) == (0.8, 4.0, None)
    assert extract["times_ray"] == 2.5
    assert keras["times_keras"] == 1.0
    assert spark["of_bare"] is None


def test_another_precision_or_number_of_cores_is_not_compared_with_bare():
    one, int8 = Row("extract", "float32", 1, 100, [1.0]), Row("extract", "int8", 2, 100, [1.0])
    assert [row["of_bare"] for row in compared([*rows(), one, int8])[-2:]] == [None, None]


def test_made_up_metadata_has_as_many_rows_a_picture_as_plan_takes_for_granted(tmp_path):
    files = write_rows(tmp_path, 100)
    assert {kind: rows for kind, (_, rows) in files.items()} == {
        "labels": 670,
        "images": 100,
        "boxes": 830,
    }
    lines = sum(len(path.read_text().splitlines()) - 1 for path, _ in files.values())
    assert lines == rows_of(files) == 100 * read_figures()[0]["metadata.rows"]


def test_made_up_metadata_is_read_without_a_malformed_row(tmp_path):
    for kind, (path, rows) in write_rows(tmp_path, 50).items():
        found = list(annotation_rows(CsvSplit(str(path), kind, 0, path.stat().st_size)))
        assert len(found) == rows
        assert None not in found


def test_a_failure_is_a_row_of_the_table():
    lines = table(compared(rows())).splitlines()
    assert len(lines) == 2 + 4
    assert lines[5].startswith("| spark | float32 | 2 | failed: Error: no / Java |")
    assert {line.count("|") for line in lines} == {14}


def test_a_row_without_pictures_has_no_rate():
    (found,) = compared([Row("task", "float32", 1, 0, [0.5])])
    assert (found["rate"], found["seconds_median"]) == (None, 0.5)


def test_lost_pictures_do_not_agree():
    assert agreement({"a": 1}, {"a": 1, "b": 2}) == 0.5


def test_labels_are_held_to_those_of_bare_float32_alone(tmp_path):
    contest = Contest([], 2, tmp_path)
    int8, bare = Row("extract", "int8", 1, 2), Row("bare", "float32", 1, 2)
    contest._compare(int8, {"a": 1, "b": 2})
    assert int8.agreement is None
    contest._compare(bare, {"a": 1, "b": 3})
    contest._compare(int8, {"a": 1, "b": 2})
    assert (bare.agreement, int8.agreement) == (1.0, 0.5)
    with pytest.raises(ValueError, match=r"only 0\.500 of its labels"):
        contest._compare(Row("ray", "float32", 2, 2), {"a": 1})


def test_accuracy_is_over_verified_pictures_with_a_label(tmp_path):
    lines = ["ImageID,Source,LabelName,Confidence"]
    lines += [f"{key},verification,/m/096mb,1" for key in ("a1", "a2")]
    lines += ["a3,verification,/m/03k3r,1", "a4,machine,/m/096mb,1"]
    (tmp_path / "train-annotations-human-imagelabels.csv").write_text("\n".join(lines))
    lion, tiger = ({"top5": [[wnid, 1.0]]} for wnid in ("n02129165", "n02129604"))
    records = {f"{n:016x}": record for n, record in enumerate((lion, tiger, lion, lion))}
    files = [Path(f"{key}.jpg") for key in ("a1", "a2", "a3", "a4")]
    assert accuracy(records, files, tmp_path) == (1, 2)


@pytest.fixture
def parquet(pictures: Path) -> Path:
    return write_pictures(usable(pictures), 17, pictures.parent / "pictures.parquet")


def test_pictures_are_repeated_under_new_ids(parquet, pictures):
    rows = pq.read_table(parquet).to_pylist()
    assert [row["image_id"] for row in rows] == [f"{n:016x}" for n in range(17)]
    assert rows[12]["image"] == rows[0]["image"] == sorted(pictures.iterdir())[0].read_bytes()


def test_pictures_that_do_not_decode_are_not_measured(pictures):
    (pictures / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    assert len(usable(pictures)) == 12


def test_two_bare_processes_label_everything_as_the_library_does(parquet, model_file, tmp_path):
    models = {"float32": model_file.path}
    setting = Setting(parquet, models, tmp_path, tmp_path, Path(sys.executable))
    bare = next(e for e in entries(setting) if (e.way, e.cores) == ("bare", 2))
    for number, words in enumerate(bare.words):
        command = [word.format(out=tmp_path / "out") for word in words]
        subprocess.run(command, cwd=ROOT, check=True)
        assert (tmp_path / "out" / f"own-{number}.json").exists()
    model = ImageModel(model_file.path)
    found = labels_of_parquet(tmp_path / "out")
    for row in pq.read_table(parquet).to_pylist():
        crop = central_crop(decode(row["image"]).image, model.resolution)
        assert found[row["image_id"]] == np.argmax(model.predict(crop)[0])


def python(code: str) -> Command:
    return Command([sys.executable, "-c", code], EVERY_CORE, dict(os.environ))


def test_a_program_that_fails_is_named_by_what_it_said():
    with pytest.raises(ProgramError, match="exit status 1: ValueError: no such thing"):
        timed([python("pass"), python("raise ValueError('no such thing')")])


def test_memory_of_programs_is_counted_together():
    held = "x = bytearray(80 << 20); import time; time.sleep(2)"
    assert peak_memory([python(held), python(held)])["total"] > 160 << 20


def test_a_core_is_kept_busy_until_the_end():
    core = min(os.sched_getaffinity(0))
    with busy([core]):
        # tests before may have left the process of jobs to the session
        every = psutil.Process().children()
        (hog,) = (one for one in every if one.cmdline()[-1:] == ["while True: pass"])
        assert hog.cpu_affinity() == [core]
    assert not hog.is_running()


def test_every_part_of_extract_takes_time(model_file, tmp_path):
    for seed in range(12):
        (tmp_path / f"{seed}.png").write_bytes(encoded(scribble(seed, 200, 150)))
    parts = measured(sorted(tmp_path.iterdir()), str(model_file.path), (300, 200))
    assert list(parts)[-1] == "task"
    assert all(value > 0 for value in parts.values())


def test_parts_are_medians_of_the_rounds():
    rounds = [[{"decode": n, "task": 2.0}] for n in (9.0, 1.0, 3.0)]
    assert table_of_parts(rounds, ["here"]).splitlines()[-1] == "| here | 3.00 | 2.00 |"
