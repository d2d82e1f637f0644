"""Words: their forms, what they mean, and what is said of unknown ones."""

from __future__ import annotations

from importlib import resources

import pytest

from benchmarks.words.vocabulary import Synset, above, synset_of
from mapsight.features.mobilenet import wnids
from mapsight.labels.labeler import DEFAULT_TARGETS, Labeler, class_matches
from mapsight.words.forms import singular
from mapsight.words.understand import UnknownWordsError, understand
from mapsight.words.vocabulary import Vocabulary
from mapsight.words.wordnet import synsets, wnids_above

BIG_CATS = {"leopard", "snow leopard", "Jaguar (Animal)", "lion", "tiger", "cheetah"}


@pytest.fixture(scope="module")
def words() -> Vocabulary:
    return Vocabulary(wnids(), Labeler(DEFAULT_TARGETS))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("sports car", "sports car"),
        ("Sports-Cars", "sports cars (sports car)"),
        ("teddybear", "teddybear (teddy)"),
        ("lion", "the label Lion"),
        ("TIGERS", "the label Tiger"),
        ("Egyptian cat photo", "Egyptian cat; photos only"),
        ("a drawing of an elephant", "the label Elephant; drawings only"),
        ("not a drawing of an elephant", "the label Elephant; photos only"),
        ("lynx -tiger", "lynx; without the label Tiger"),
        ("lynx not tiger", "lynx; without the label Tiger"),
        ("lynx without tigers or lions", "lynx; without the label Tiger; without the label Lion"),
        ("lynx, no tiger", "lynx; without the label Tiger"),
        ("lynx or go-kart", "lynx or go kart (lynx, go-kart)"),
        ("lynx, go-kart", "lynx or go kart (lynx, go-kart)"),
        ("lynx and lion", "lynx and the label Lion"),
        ("Granny Smith apple", "granny smith apple (Granny Smith)"),
        ("lynx animal on a seat belt", "lynx animal (lynx) and seat belt"),
        ("mouse", "mouse (computer mouse)"),
        ("crane", "crane (Crane (Bird), Crane (Machine))"),
    ],
)
def test_words_are_understood(words, text, told):
    assert understand(text, words).told() == told


def test_a_kind_means_the_classes_below_it(words):
    (thing,) = understand("big cats", words).things
    assert set(thing.names) == BIG_CATS
    assert len(understand("dog", words).things[0].classes) == 118


def test_of_several_kinds_of_a_name_the_most_usual_is_meant(words):
    names = set(understand("cat", words).things[0].names)
    assert "Egyptian cat" in names and "lion" not in names


def test_a_label_in_company_means_its_classes(words):
    lion, _ = understand("lion and go-kart", words).things
    assert (lion.label, lion.names) == ("Lion", ("lion",))


def test_names_of_open_images_and_its_hierarchy_are_words(words):
    assert understand("Toilet paper", words).things[0].names == ("toilet tissue",)
    assert len(understand("Marine mammal", words).things[0].names) > 1


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("sprts car", "no class or label is called sprts; did you mean sports car", "; no class"),
        ("xyzzy", "no class or label is called xyzzy", ""),
        ("go-kartt", "did you mean go-kart", "; did you mean go-kart"),
        ("lion xyzzy", "no class or label is called xyzzy", "; no class or label is called xyzzy"),
        ("coffee table", "no class or label is called coffee table", "; no class or label"),
        ("drawing", "these words do not say what to look for", "; these words"),
        ("-lion", "these words do not say what to look for", "; these words"),
        ("photo or drawing of a lion", "photos and drawings exclude each other", "; photos and"),
        ("", "these words do not say what to look for", "; these words"),
    ],
)
def test_what_is_not_understood_is_no_guess(words, text, message, hint):
    with pytest.raises(UnknownWordsError) as caught:
        understand(text, words)
    assert message in str(caught.value)
    assert caught.value.hint.startswith(hint) and bool(hint) == bool(caught.value.hint)


@pytest.mark.parametrize(
    ("many", "one"),
    [("wolves", "wolf"), ("mice", "mouse"), ("foxes", "fox"), ("butterflies", "butterfly"),
     ("men", "man"), ("grass", "grass"), ("bus", "bus"), ("gas", "gas"), ("dogs", "dog")],
)  # fmt: skip
def test_plurals(many, one):
    assert singular(many) == one


def test_every_class_is_found_by_each_of_its_names(words):
    for number, wnid in enumerate(wnids()):
        for lemma, _ in synsets()[wnid].lemmas:
            (thing, *_) = understand(lemma, words).things
            assert thing.label or number in thing.classes, lemma


def test_the_table_has_all_classes_and_what_is_above_them():
    assert set(class_matches()) <= set(synsets())
    assert {name for wnid in wnids() for name in wnids_above(wnid)} == set(synsets())


def test_the_licence_of_the_table_stands_beside_it():
    text = resources.files("mapsight").joinpath("data", "wordnet-license.txt").read_text("utf-8")
    assert "WordNet 3.0 Copyright 2006 by Princeton University" in text


def test_a_line_of_wordnet_is_read():
    line = "02124075 05 n 01 Egyptian_cat 0 002 @ 02121808 n 0000 ~ 1 n 0000 | a domestic cat"
    read = synset_of(line)
    assert (list(read.lemmas), read.parents) == (["Egyptian_cat"], ["n02121808"])


def test_what_is_above_is_kept_once():
    tree = {"n1": Synset([], ["n2", "n3"]), "n2": Synset([], ["n3"]), "n3": Synset([], [])}
    assert above(["n1", "n2"], tree) == ["n1", "n2", "n3"]
