"""Documents name files that exist, and their links lead somewhere."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted(
    [
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "model_cache/README.md")),
        *(ROOT / "docs").glob("*.md"),
    ]
)
CODE = re.compile(r"`([^`\n]+)`")
PROGRAM = re.compile(r"(?<![\w/.-])((?:[\w.-]+/)*[\w-]+\.py)\b")
LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
TARGET = re.compile(r"\bmake ([a-z.][\w./-]*)")
FOLDERS = ("mapsight", "driver", "mr_jobs", "benchmarks", "examples", "devcluster", "tests")
MADE_UP = {
    "json.py",
    "sitecustomize.py",
    "driver/commands/NAME.py",
    "driver/stages/NAME.py",
    "mr_jobs/verb_noun.py",
    "mr_jobs/x.py",
}
"""Names of files that are somebody else's, or yet to be written."""


def heading_anchor(title: str) -> str:
    """The anchor that GitHub gives to a heading."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def anchors(document: Path) -> set[str]:
    text = re.sub(r"^( {4}|```).*$", "", document.read_text(encoding="utf-8"), flags=re.M)
    return {heading_anchor(title) for title in re.findall(r"^#+ (.+)$", text, flags=re.M)}


def programs(text: str) -> set[str]:
    """Python files that a document names, in code or in indented commands."""
    places = [*CODE.findall(text), *re.findall(r"^ {4}.*$", text, flags=re.M)]
    return {name for place in places for name in PROGRAM.findall(place)} - MADE_UP


@functools.cache
def bare_names() -> set[str]:
    """Names of Python files without their folders, as documents may give them in context."""
    return {path.name for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_the_programs_that_a_document_names_exist(document):
    named = programs(document.read_text(encoding="utf-8"))
    unknown = [name for name in named if not (ROOT / name).is_file() and name not in bare_names()]
    assert unknown == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(document):
    broken = []
    for link in LINK.findall(document.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = document.parent / name if name else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_the_make_targets_that_a_document_names_exist(document):
    rules = (ROOT / "Makefile").read_text(encoding="utf-8").replace("$(VENV)", ".venv")
    known = set(re.findall(r"^([\w./-]+):(?!=)", rules, flags=re.M))
    text = document.read_text(encoding="utf-8")
    places = [*CODE.findall(text), *re.findall(r"^ {4}.*$", text, flags=re.M)]
    assert {name for place in places for name in TARGET.findall(place)} <= known


def test_every_document_is_linked_from_the_readme():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    linked = {ROOT / link.partition("#")[0] for link in LINK.findall(text)}
    trials = ROOT / "docs" / "devcluster.md"
    assert {path for path in (ROOT / "docs").glob("*.md") if path != trials} <= linked


def test_an_anchor_is_that_of_github():
    assert heading_anchor("left_out.csv and orphans.csv") == "left_outcsv-and-orphanscsv"
    assert heading_anchor("How it works: [records](records.md)") == "how-it-works-records"
