"""A value of a wrong type anywhere in a workspace's documents ends in a line with its file."""

from __future__ import annotations

import copy
import json
import shutil
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from driver.commands import search, status
from driver.errors import Failure
from driver.parser import parse
from driver.results.sheets import duplicate_sheets, sheets_of
from driver.workspace.workspace import Workspace
from mapsight.index.collection import is_comparable
from mapsight.index.pictures import Pictures
from mapsight.search.query_pictures import QueryPictures
from mapsight.search.search_index import SearchIndex
from mapsight.workspace import workspace as reading
from mapsight.workspace.document_checks import DamagedDocumentError, dumped, parsed
from mapsight.workspace.documents import changes_document, stage_document
from tests.support.program import CalledProgram

WRONG: tuple[Any, ...] = (None, 7, -1, "x", [], [[]], {}, {"x": {}}, True, 1.5, "../..")


@pytest.fixture(scope="module")
def finished(environment, finished_once, tmp_path_factory) -> Path:
    """A workspace after a run, an addition, and a removal."""
    folder = tmp_path_factory.mktemp("documents")
    shutil.copytree(finished_once, folder, dirs_exist_ok=True)
    program = CalledProgram(environment, folder)
    program.ok("-r", "inline", "--images", "pictures", "--cells", "2", "--duplicates")
    (folder / "more").mkdir()
    shutil.move(folder / "pictures" / f"{3:016x}.jpg", folder / "more" / "another.jpg")
    program.ok("add", "more/another.jpg", "-r", "inline")
    program.ok("remove", f"{5:016x}")
    return folder / "workspace"


def paths_of(value: Any, at: tuple = ()) -> Iterator[tuple]:
    """Every place in a document; of lists the first item."""
    if at:
        yield at
    if isinstance(value, dict):
        for name in value:
            yield from paths_of(value[name], (*at, name))
    elif isinstance(value, list) and value:
        yield from paths_of(value[0], (*at, 0))


def spoiled(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Documents with one value of a wrong type, or a key less."""
    for at in paths_of(document):
        for wrong in (*WRONG, "a key less"):
            new = copy.deepcopy(document)
            inner = new
            for name in at[:-1]:
                inner = inner[name]
            if type(inner[at[-1]]) is type(wrong) and wrong != "../..":
                continue
            if wrong == "a key less":
                del inner[at[-1]]
            else:
                inner[at[-1]] = wrong
            yield f"{at} {wrong!r}", new


def bare(path: Path) -> dict[str, Any]:
    document = json.loads(path.read_text())
    document.pop("sum", None)
    return document


def documents(workspace: Path) -> list[Path]:
    return sorted([*workspace.rglob("stage.json"), workspace / "changes.json"])


def readings(workspace: str) -> Iterator[Any]:
    """What reads documents, with what it is asked for."""
    one = f"{7:016x}"
    yield lambda: status.run(Namespace(workspace=workspace))
    yield lambda: SearchIndex(Workspace(workspace)).rows_of([one])
    yield lambda: look_outside(reading.Workspace(workspace))
    yield lambda: cards_of_all(Workspace(workspace))


def look_outside(workspace: reading.Workspace) -> None:
    """What a query that is a picture reads of documents."""
    is_comparable(workspace)
    pictures = QueryPictures(workspace, workspace.scratch)
    assert pictures.classifier


def cards_of_all(workspace: Workspace) -> None:
    """What the report reads of documents."""
    names = ("extract", "classify", "merge")
    read = {name: workspace.required(name) for name in names}
    Pictures(workspace, read["extract"])
    sheets_of({**read, "merge": without_pictures(read["merge"])})
    duplicate_sheets({**read, "merge": without_pictures(read["merge"])})


def without_pictures(merge: dict[str, Any]) -> dict[str, Any]:
    """Thumbnails take their time, and are of no document."""
    rows = [row for rows in merge["notes"]["sheets"].values() for row in rows]
    rows += [row for group in merge["notes"].get("duplicates", []) for row in group["rows"]]
    for row in rows:
        row["shard"] = None
    return merge


def outcome(read: Any) -> str:
    """ "" for an answer or a line that names a file; else the error."""
    try:
        read()
    except Failure as error:
        return "" if ".json" in str(error) or "workspace" in str(error) else str(error)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def test_no_wrong_value_ends_in_an_error_without_a_file(finished):
    """Where the checks let a value pass, whoever reads it must do with it (every 60th is tried)."""
    seen, passed, wrong = 0, 0, []
    for path in documents(finished):
        whole = path.read_bytes()
        for what, document in spoiled(bare(path)):
            data = json.dumps(document).encode()
            seen += 1
            if path.name == "stage.json" and not passes(data, path.parent.name):
                continue
            if path.name == "changes.json" and not changes_pass(data):
                continue
            passed += 1
            if passed % 60:
                continue
            path.write_bytes(data)
            place = str(finished)
            wrong += [
                f"{path.relative_to(finished)} {what}: {told}"
                for told in map(outcome, readings(place))
                if told
            ]
        path.write_bytes(whole)
    assert seen > 5000 and passed < seen / 4
    assert wrong == []


def passes(data: bytes, stage: str) -> bool:
    try:
        stage_document(data, stage)
    except DamagedDocumentError:
        return False
    return True


def changes_pass(data: bytes) -> bool:
    try:
        changes_document(data, 1, "removed")
    except DamagedDocumentError:
        return False
    return True


def test_a_damaged_document_is_named_by_whoever_needs_it(finished, capsys):
    path = finished / "classify" / "stage.json"
    whole = path.read_bytes()
    try:
        path.write_bytes(json.dumps({**bare(path), "options": []}).encode())
        with pytest.raises(
            Failure, match=r"classify/stage\.json is not what a run writes .*option"
        ):
            search.run(parse(["search", "x", "--workspace", str(finished)], "mapsight"))
        status.run(Namespace(workspace=str(finished)))
        assert "damaged: run again" in capsys.readouterr().out
    finally:
        path.write_bytes(whole)


def test_a_flipped_byte_in_a_document_is_noticed(finished):
    for path in documents(finished):
        data = path.read_bytes()
        for at in range(0, len(data), max(len(data) // 40, 1)):
            changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
            if path.name == "stage.json" and passes(changed, path.parent.name):
                assert same(stage_document(changed, path.parent.name), data, path), (path, at)


def same(found: dict[str, Any], data: bytes, path: Path) -> bool:
    """Whether a document says what was written, but for a key of nobody."""
    whole = stage_document(data, path.parent.name)
    return all(found.get(name) == value for name, value in whole.items())


@pytest.mark.parametrize("data", [b"", b"null", b"[" * 100_000, b"\xff", b'{"a": NaN}', b"{}"])
def test_what_is_no_document_is_damaged(data):
    with pytest.raises(DamagedDocumentError):
        stage_document(data, "plan")


def test_a_checksum_is_held_to():
    data = dumped({"a": 1.5, "b": ["ü", 2**70]})
    assert parsed(data, lambda value, at: None) == {"a": 1.5, "b": ["ü", 2**70]}
    with pytest.raises(DamagedDocumentError, match="checksum"):
        parsed(data.replace(b"1.5", b"2.5"), lambda value, at: None)
