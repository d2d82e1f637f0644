"""Damaged pictures and Parquet files, all in one run: none stops it, none is lost or falsified.

`python benchmarks/mutants.py` does the same with ten times as many.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.mutants import decode_mutants, judge, mutate, pictures_of, write_mutants
from benchmarks.reader_mutants import CHECKED, KINDS, read_mutants
from driver.workspace.workspace import Workspace
from mapsight.records import ERROR_CODES

PICTURES, PARQUET = 200, 60


@pytest.fixture(scope="module")
def found(environment, tmp_path_factory):
    """What became of the mutants, and how many there were."""
    from tests.support.program import CalledProgram

    base = tmp_path_factory.mktemp("mutants")
    (base / "mutants").mkdir()
    sample = os.environ.get("MAPSIGHT_OPENIMAGES")
    others = pictures_of(Path(sample), 20) if sample else []
    rows = write_mutants(base / "mutants", PICTURES, PARQUET, seed=4, others=others)
    run = ("-r", "local", "--images", "mutants", "--max-rejected", "1", "--until", "extract")
    CalledProgram(environment, base).ok(*run)
    return judge(Workspace(str(base / "workspace")), rows)


def test_every_row_is_accounted_for(found):
    assert found["told"] == found["planned"]
    assert sum(found["became"]["picture"].values()) == PICTURES


def test_no_row_of_a_file_with_checksums_is_accepted_with_other_bytes(found):
    assert found["falsified"] == []
    assert found["became"]["ours"]["accepted"] and found["became"]["sums"]["accepted"]


def test_every_error_has_a_known_code_and_damage_is_found(found):
    codes = {code for counts in found["became"].values() for code in counts}
    assert codes - {code for code in codes if code.startswith("accepted")} <= set(ERROR_CODES)
    assert found["became"]["picture"]["corrupt"] and found["became"]["ours"]["bad_shard"]


def test_mutants_of_every_format_and_mode_cost_one_record_each():
    found = decode_mutants(400, seed=7)
    assert sum(found["total"].values()) == found["read"] == 400
    assert set(found["total"]) <= {"classified", *ERROR_CODES}
    assert "decoder_crashed" not in found["total"] and found["children"] == 1
    assert found["peak"] < 400 * 2**20


@pytest.fixture(scope="module")
def readers(tmp_path_factory):
    return read_mutants(tmp_path_factory.mktemp("readers"), 60, seed=3)


@pytest.mark.parametrize("kind", KINDS)
def test_readers_account_for_damaged_files(readers, kind):
    for form, counts in readers[kind].items():
        assert not {"crashed", "missing", "unaccounted"} & set(counts), form
        assert counts.get("right", 0) + counts.get("told", 0) > counts.get("other", 0), form


def test_what_has_checksums_is_never_other_without_a_word(readers):
    forms = readers["parquet"] | readers["tar"]
    assert {form for form in CHECKED if forms[form].get("other")} == set()


@given(st.binary(min_size=1, max_size=300), st.integers(0, 2**32), st.binary(min_size=1))
def test_a_mutant_is_never_the_original_and_always_the_same(data, seed, other):
    damaged = mutate(data, random.Random(seed), other)
    assert damaged != data
    assert damaged == mutate(data, random.Random(seed), other)
