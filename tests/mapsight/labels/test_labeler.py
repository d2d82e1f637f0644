from __future__ import annotations

import json

import pytest

from driver.errors import UsageError
from driver.parser import COMMANDS, parse, parser_of
from mapsight.evaluation.accuracy import tally
from mapsight.labels.classify import Classifier
from mapsight.labels.labeler import (
    DEFAULT_TARGETS,
    Labeler,
    class_matches,
    class_named,
    near_labels,
    parents,
    resolve_targets,
)
from mapsight.near_names import near_names
from mapsight.openimages.dataset import find_dataset, read_descriptions, read_hierarchy

LION, TIGER, TABBY, LYNX = "n02129165", "n02129604", "n02123045", "n02127052"
TUSKER, AFRICAN, INDIAN = "n01871265", "n02504458", "n02504013"


@pytest.fixture(scope="module")
def labeler() -> Labeler:
    return Labeler(DEFAULT_TARGETS)


def test_every_imagenet_class_is_in_the_table_in_order(weights_dir):
    index = json.loads((weights_dir / "imagenet_class_index.json").read_text())
    assert [(m.wnid, m.name) for m in class_matches().values()] == [
        tuple(index[str(i)]) for i in range(1000)
    ]


def test_the_table_agrees_with_the_published_names_and_hierarchy(openimages_dir):
    files = find_dataset(str(openimages_dir)).files
    mids = set(read_descriptions(files["descriptions"]).values())
    above = read_hierarchy(files["hierarchy"])
    listed = [file for file in files["descriptions"] if "boxable" in file.source]
    boxable = set(read_descriptions(listed).values())
    for match in class_matches().values():
        assert match.mid in mids | {""}
        assert match.target_mid in boxable | {""}
    for mid, direct in parents().items():
        assert set(direct) == set(above.get(mid, ()))


def test_nearly_every_class_has_a_match():
    matches = class_matches().values()
    assert sum(bool(m.mid) for m in matches) == 994
    assert sum(bool(m.target_mid) for m in matches) == 848


@pytest.mark.parametrize("wnid", [TUSKER, AFRICAN, INDIAN])
def test_elephants_of_every_kind_are_elephants(labeler, wnid):
    assert labeler.label([[wnid, 0.9]]) == ("Elephant", 0.9)


def test_probabilities_of_one_label_add_up(labeler):
    top5 = [[LION, 0.4], [AFRICAN, 0.25], [TUSKER, 0.2], [TABBY, 0.1], [LYNX, 0.05]]
    assert labeler.label(top5) == ("Elephant", 0.45)
    assert labeler.labels_in(top5) == ["Elephant", "Lion", "other"]


def test_a_tie_goes_to_the_label_that_ranks_first(labeler):
    assert labeler.label([[TIGER, 0.3], [LION, 0.3]])[0] == "Tiger"


def test_labels_that_imagenet_lacks_are_known(labeler):
    assert labeler.missing() == ["Giraffe", "Rhinoceros"]


def test_a_target_above_a_class_counts_for_it():
    targets = resolve_targets(["Cat", "Carnivore"])
    assert Labeler(targets).label([[TABBY, 1.0]])[0] == "Cat"
    assert Labeler(targets).label([[LION, 1.0]])[0] == "Carnivore"


def test_targets_are_resolved_by_name_in_any_case_or_mid():
    assert resolve_targets(["lion", "/m/07dm6"]) == {"Lion": "/m/096mb", "Tiger": "/m/07dm6"}
    assert resolve_targets(["Quokka"], {"Quokka": "/m/q"}) == {"Quokka": "/m/q"}


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (["Girafe"], "did you mean Giraffe"),
        (["Lion", "lion"], "given twice"),
        (["zzzz"], "unknown"),
    ],
)
def test_labels_that_cannot_be_resolved_are_named(wanted, message):
    with pytest.raises(ValueError, match=message):
        resolve_targets(wanted)


@pytest.mark.parametrize(
    ("labels", "truth"),
    [
        ([], (None, [])),
        ([["/m/096mb", 1.0, "machine"]], (None, [])),
        ([["/m/096mb", 0.0, "verification"]], (None, ["Lion"])),
        ([["/m/096mb", 1.0, "verification"]], (["Lion"], [])),
        ([["/m/096mb", 1.0, "crowdsource-verification"], ["/m/07dm6", 0.0, "verification"]],
         (["Lion"], ["Tiger"])),
        ([["/m/0mkg", 1.0, "verification"]], (["other"], [])),
        ([["/m/096mb", 1.0, "verification"], ["/m/096mb", 0.0, "crowdsource-verification"]],
         (None, [])),
        ([["/m/0mkg", 1.0, "verification"], ["/m/096mb", 1.0, "verification"]], (["Lion"], [])),
        ([["/m/01lrl", 1.0, "verification"]], (None, [])),  # a Carnivore may be a Lion
        ([["/m/01lrl", 1.0, "verification"], ["/m/0mkg", 1.0, "verification"]], (["other"], [])),
    ],
)  # fmt: skip
def test_truth_is_what_people_verified(labeler, labels, truth):
    assert labeler.truth(labels) == truth


@pytest.mark.parametrize(
    ("text", "names", "near"),
    [
        ("Tigr", ["Tiger", "Lion"], ["Tiger"]),
        ("Lino", ["Tiger", "Lion"], ["Lion"]),
        ("big tiger", ["Tiger", "Lion"], ["Tiger"]),
        ("Elefant", ["Elephant", "Leopard"], ["Elephant"]),
        ("other", ["Tiger", "Leopard"], []),
        ("otter", ["Tiger", "Parrot"], []),
        ("lamp", ["Lion", "Leopard"], []),
        ("cat", ["Car", "Crab", "Owl"], []),
        ("x" * 5000, ["x" * 4999], []),
    ],
)
def test_labels_that_are_far_are_not_offered(text, names, near):
    assert near_labels(text, names) == near


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("--imges", ["--images"]),
        ("--image", ["--images"]),
        ("--work-space", ["--workspace"]),
        ("--dryrun", ["--dry-run"]),
        ("serach", ["search"]),
        ("statsu", ["status"]),
        ("--frob", []),
        ("--model-name", []),
        ("--ids", []),
        ("delete", []),
        ("help", ["--help"]),
        ("x.jpg", []),
    ],
)
def test_options_and_commands_that_are_far_are_not_offered(text, near):
    names = parser_of("run", "mapsight")._option_string_actions
    assert near_names(text, [*names, *COMMANDS], 1) == near


@pytest.mark.parametrize(("key", "hint"), [("imges", "'images'"), ("frob", ""), ("color", "")])
def test_keys_of_a_configuration_that_are_far_are_not_offered(tmp_path, key, hint):
    (tmp_path / "m.toml").write_text(f"{key} = 1\n")
    with pytest.raises(UsageError) as refused:
        parse(["--config", str(tmp_path / "m.toml")], "mapsight")
    assert ("did you mean" in str(refused.value), hint in str(refused.value)) == (bool(hint), True)


def test_classes_are_known_by_name_or_are_their_own(labeler):
    assert class_named("Lion").wnid == LION
    assert class_named("tiger_cat").wnid == "n02123159"
    assert class_named("giraffe").mid == DEFAULT_TARGETS["Giraffe"]  # ImageNet has none
    assert class_named("crane").mid == names("Crane")  # ImageNet has two
    scratch = class_named("deep_scratch")
    assert (scratch.title, scratch.mid, scratch.wnid) == ("deep scratch", "", "deep_scratch")
    beyond = class_named("n00007846")  # a person; of ImageNet-21k, not of the 1,000
    assert (beyond.title, beyond.mid, beyond.wnid) == ("n00007846", "", "n00007846")
    assert labeler.label([["n00007846", 0.9]]) == ("other", 0.9)
    assert [labeler.label_of(name) for name in ("lion", "scratch")] == ["Lion", "other"]


def names(label: str) -> str:
    try:
        return resolve_targets([label])[label]
    except ValueError:
        return ""


def test_a_class_of_its_own_can_be_a_label():
    labeler = Labeler(resolve_targets(["scratch", "Lion"], {"scratch": "scratch"}))
    assert labeler.label([["scratch", 0.5], ["dent", 0.3], ["lion", 0.2]]) == ("scratch", 0.5)
    assert labeler.missing(["dent", "scratch"]) == ["Lion"]


def test_without_classes_nothing_is_known(labeler):
    assert labeler.label([]) == ("other", 0.0)
    predicted = Classifier(labeler).label({"top5": []})
    assert predicted == {
        "label": "other",
        "score": 0.0,
        "mid": "",
        "top5_labels": [],
        "unlabelled": True,
    }
    judged = {**predicted, "split": "test", "truth": ["Lion"], "absent": ["Owl"], "ppi": 1.0}
    assert {key[0] for key in tally(judged)} == {"label", "ppi"}
