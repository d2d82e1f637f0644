"""Weights: found in order, refused when altered, downloaded whole or not at all."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from mapsight.features import weights
from mapsight.features.weights import (
    WeightsError,
    download,
    find_weights,
    known_weights,
    local_weights,
)
from mapsight.files import AlteredError
from tests.support.loopback import reply, serving

BODY = weights.HDF5 + bytes(range(256)) * 40
SHA = hashlib.sha256(BODY).hexdigest()
OFFICIAL = "mobilenet_2_5_128_tf.h5"
KNOWN = "mobilenet_v1_0.25_128_deq.weights.h5"
CUT_OFF = reply(BODY[:500], Content_Length=str(len(BODY)))


@pytest.fixture(autouse=True)
def no_weights_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAPSIGHT_WEIGHTS", raising=False)


def test_all_sixteen_published_sizes_are_known():
    for alpha in (1.0, 0.75, 0.5, 0.25):
        for resolution in (224, 192, 160, 128):
            assert sum("url" in entry for entry in known_weights(alpha, resolution)) == 1


def test_url_is_the_one_keras_uses():
    entry = known_weights(0.75, 192)[0]
    base = "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet/"
    assert entry["url"] == base + "mobilenet_7_5_192_tf.h5"


def test_unknown_size_is_refused():
    with pytest.raises(WeightsError, match=r"0\.3/224 .* known: 0\.25/128"):
        known_weights(0.3, 224)


def test_local_files_have_the_hashes_of_the_table(weights_dir: Path, tmp_path: Path):
    for alpha, resolution in ((1.0, 224), (0.75, 192), (0.5, 160), (0.25, 128)):
        found = local_weights(alpha, resolution, explicit=str(weights_dir), cache=tmp_path)
        assert found and found.path.parent == weights_dir
        assert "batch norm" in found.origin


def test_named_file_wins_over_variable_and_cache(tmp_path: Path, monkeypatch):
    for folder in ("named", "variable", "cache"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / OFFICIAL).write_bytes(BODY + folder.encode())
    order = []
    for explicit, variable in (("named", "variable"), ("", "variable"), ("", "")):
        monkeypatch.setenv("MAPSIGHT_WEIGHTS", variable and str(tmp_path / variable))
        (tmp_path / "cache" / f"{OFFICIAL}.sha256").unlink(missing_ok=True)
        named = explicit and str(tmp_path / explicit)
        found = find_weights(0.25, 128, explicit=named, cache=tmp_path / "cache")
        order.append(found.path.parent.name)
    assert order == ["named", "variable", "cache"]


def test_own_file_is_taken_whatever_its_name(tmp_path: Path):
    (tmp_path / "mine.h5").write_bytes(BODY)
    found = find_weights(1.0, 224, explicit=str(tmp_path / "mine.h5"), cache=tmp_path)
    assert (found.sha256, found.origin) == (SHA, "a file of the user's: mine.h5")


@pytest.mark.parametrize("name", ["absent", "absent.h5"])
def test_named_but_absent_is_an_error(tmp_path: Path, name: str):
    with pytest.raises(WeightsError, match=f"--weights .*{name}: no such file"):
        find_weights(1.0, 224, explicit=str(tmp_path / name), cache=tmp_path)


def test_folder_without_the_file_is_an_error(tmp_path: Path):
    with pytest.raises(WeightsError, match=f"the folder has no {OFFICIAL} or {KNOWN}"):
        find_weights(0.25, 128, explicit=str(tmp_path), cache=tmp_path)


def test_pickles_are_refused(tmp_path: Path):
    (tmp_path / "model.pkl").write_bytes(b"")
    with pytest.raises(WeightsError, match=r"must be an \.h5"):
        find_weights(1.0, 224, explicit=str(tmp_path / "model.pkl"), cache=tmp_path)


def test_one_flipped_bit_in_a_known_file_is_refused(weights_dir: Path, tmp_path: Path):
    altered = tmp_path / KNOWN
    shutil.copyfile(weights_dir / KNOWN, altered)
    content = bytearray(altered.read_bytes())
    content[len(content) // 2] ^= 1
    altered.write_bytes(content)
    with pytest.raises(AlteredError, match=rf"{KNOWN} is altered: SHA-256 \w+, expected f7082643"):
        find_weights(0.25, 128, explicit=str(altered), cache=tmp_path)


def test_sums_beside_a_file_are_enforced(tmp_path: Path):
    (tmp_path / "mine.h5").write_bytes(BODY)
    (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  other.h5\n{'1' * 64} *mine.h5\n")
    with pytest.raises(AlteredError, match="expected 1111"):
        find_weights(1.0, 224, explicit=str(tmp_path / "mine.h5"), cache=tmp_path)


def test_download_is_recorded_and_a_changed_file_refused(tmp_path: Path):
    with serving(reply(BODY)) as url:
        found = find_weights(0.25, 128, cache=tmp_path, base_url=url)
    assert found.sha256 == SHA
    assert (tmp_path / f"{OFFICIAL}.sha256").read_text() == f"{SHA}  {OFFICIAL}\n"
    found.path.write_bytes(BODY + b"!")
    with pytest.raises(AlteredError, match=f"altered: SHA-256 .*, expected {SHA}"):
        find_weights(0.25, 128, cache=tmp_path)


def test_download_outlasts_a_busy_server_and_a_cut_off_body(tmp_path: Path):
    seen: list[tuple[int, int | None]] = []
    with serving(reply(status=503), CUT_OFF, reply(BODY)) as url:
        download(url, tmp_path / "w.h5", wait=0.01, progress=lambda *at: seen.append(at))
    assert (tmp_path / "w.h5").read_bytes() == BODY
    assert seen[-1] == (len(BODY), len(BODY))


def test_download_that_never_completes_leaves_nothing(tmp_path: Path):
    with serving(CUT_OFF) as url, pytest.raises(WeightsError, match=r"500 of 10248 bytes|more"):
        download(url, tmp_path / "w.h5", tries=2, wait=0.01)
    assert list(tmp_path.iterdir()) == []


def test_missing_everywhere_says_where_and_what_to_do(tmp_path: Path):
    pattern = r"no weights for .*not set.*, and .*404.*--weights FILE or MAPSIGHT_WEIGHTS"
    with serving(reply(status=404)) as url, pytest.raises(WeightsError, match=pattern):
        find_weights(1.0, 224, cache=tmp_path, base_url=url)


def test_a_web_page_is_not_taken_for_weights(tmp_path: Path):
    with serving(reply(b"<html>log in")) as url, pytest.raises(WeightsError, match="not an HDF5"):
        download(url, tmp_path / "w.h5", wait=0.01)


def test_cache_folder_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("MAPSIGHT_MODEL_CACHE", str(tmp_path))
    assert weights.model_cache_dir() == tmp_path
