from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from mapsight.records import Split, decode_embedding, encode_embedding, error_record

vectors = npst.arrays(np.float32, st.integers(1, 64), elements=st.floats(0, 6, width=32))


@given(vectors)
def test_an_embedding_comes_back_as_the_unit_vector(vector):
    decoded = decode_embedding(encode_embedding(vector))
    norm = np.linalg.norm(vector.astype(np.float64))
    expected = vector / norm * 32767 if norm else vector
    assert decoded.dtype == np.int16
    assert np.abs(decoded - expected).max() <= 0.5 + 1e-6


def test_an_embedding_is_little_endian_base64():
    assert encode_embedding(np.array([1.0, 0.0])) == "/38AAA=="


@given(st.text(), st.text(), st.lists(st.integers(0, 2**40), min_size=5, max_size=5), st.text())
def test_a_split_comes_back(uri, source, numbers, unreadable):
    split = Split(uri, source, *numbers, unreadable)
    assert Split.from_json(split.to_json()) == split


def test_other_json_is_no_split():
    with pytest.raises(ValueError, match="not a split"):
        Split.from_json('{"uri": "x"}')


def test_errors_come_from_the_closed_list():
    assert error_record("corrupt", "a\n b") == {"error": "corrupt", "detail": "a b"}
    with pytest.raises(ValueError, match="unknown error code 'broken'"):
        error_record("broken", "")
