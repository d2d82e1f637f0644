"""Records that jobs of several families get."""

from __future__ import annotations

from pathlib import Path

import pytest

from mapsight.labels.classify import Classifier
from mapsight.labels.labeler import Labeler
from tests.support.feature_records import REJECTED, TARGETS, feature
from tests.support.jobs import Records, write_json


@pytest.fixture
def targets(tmp_path: Path) -> Path:
    return write_json(tmp_path / "targets.json", TARGETS)


@pytest.fixture
def labeler() -> Labeler:
    return Labeler(TARGETS["targets"], {})


@pytest.fixture
def predictions(labeler) -> Records:
    """Fifty pictures of three labels, with truths, ties and a rejected one."""
    kinds = ["n02129165", "n02128385", "n01440764"]
    made = []
    for number in range(50):
        record = Classifier(labeler).predict(feature(number, kinds[number % 3]))
        truth = [["Lion"], None, ["Leopard", "Tiger"], ["other"]][number % 4]
        made.append((f"{number * 37 % 50:04d}", {**record, "truth": truth, "absent": ["Zebra"]}))
    return [*made, ("x", REJECTED)]


@pytest.fixture
def features() -> Records:
    kinds = ["n02129165", "n02128385"]
    return [*((f"{n:04d}", feature(n, kinds[n % 2])) for n in range(40)), ("x", REJECTED)]
