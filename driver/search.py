"""The command search: prepare queries, run one job, show the answers."""

from __future__ import annotations

import hashlib
import json
import re
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from driver.answers import Question, show
from driver.errors import Failure, UsageError
from driver.head_file import check_given_head, fitted_head
from driver.label_stages import settings_of
from driver.pipeline import Pipeline
from driver.runners import check_runner
from driver.workspace import SEARCH, Workspace, is_current
from mapsight.classify import Classifier
from mapsight.decode import PictureError
from mapsight.extract import feature_of
from mapsight.fetch import FetchError, fetch
from mapsight.head import load_head
from mapsight.inputs import HEX_ID, open_uri, resolve, safe_id
from mapsight.labels import Labeler, resolve_targets
from mapsight.mobilenet import load_model
from mapsight.records import OTHER
from mapsight.results import merged_records
from mapsight.sandbox import Decoder
from mapsight.search import Query
from mapsight.shards import MAX_BYTES
from mapsight.text import plain

__all__ = ["search"]

MAX_TOP_K = 10_000
ANSWER_BYTES = 500
URL = re.compile(r"https?://", re.IGNORECASE)


def search(options: Namespace) -> int:
    """Answer every query of the command line; 1 if one could not be answered."""
    typed = _typed_queries(options)
    if options.top_k > MAX_TOP_K:
        raise UsageError(f"--top-k {options.top_k}: at most {MAX_TOP_K:,}")
    if options.format == "html" and not options.out:
        raise UsageError("--format html needs --out FILE")
    if options.out and not Path(options.out).absolute().parent.is_dir():
        raise UsageError(f"--out {options.out}: there is no such folder")
    check_runner(options)
    workspace = Workspace(options.workspace, SEARCH)
    documents = {name: _committed(workspace, name) for name in ("extract", "classify")}
    if not is_current(workspace, documents["classify"]):
        sys.stderr.write(
            f"{options.workspace}: a later run has read other pictures and gone no further;"
            " labels, results and report are those of the earlier one\n"
        )
    with tempfile.TemporaryDirectory(prefix="mapsight-search-") as scratch:
        run = Pipeline(options, workspace, Path(scratch))
        run.documents = documents
        settings, diagonal = settings_of(documents["classify"])
        head = _head(run)
        labeler = Labeler(settings["targets"], settings["parents"])
        classifier = Classifier(labeler, load_head(head) if head else None)
        questions = [_question(text) for text in typed]
        with run.attended(alone=False):
            _look_up(run, questions)
            _look_at(run, questions, classifier)
            _answer(run, questions, settings, diagonal, head)
        show(run, questions)
    for question in questions:
        if question.error:
            sys.stderr.write(f"mapsight: error: {plain(f'{question.typed}: {question.error}')}\n")
    return 1 if any(question.error for question in questions) else 0


def _head(run: Pipeline) -> Path | None:
    """The head that labels pictures: named by --head, or that of the workspace, if any."""
    if run.options.head:
        check_given_head(run, run.documents["extract"]["options"])
        return Path(run.options.head).resolve()
    return fitted_head(run)


def _typed_queries(options: Namespace) -> list[str]:
    queries = list(options.query)
    if options.queries:
        try:
            text = Path(options.queries).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"--queries {options.queries}: {error}") from None
        lines = (line.strip() for line in text.splitlines())
        queries += [line for line in lines if line and not line.startswith("#")]
    if not queries:
        raise UsageError("name a picture file, a URL or an image_id, or --queries FILE")
    return queries


def _committed(workspace: Workspace, stage: str) -> dict[str, Any]:
    document = workspace.committed(stage)
    if document is None:
        raise Failure(
            f"{workspace.location}: no pictures have been classified; run the pipeline first"
        )
    return document


def _question(typed: str) -> Question:
    """What a query is: a URL or a file to be looked at, or the id of a picture."""
    if URL.match(typed):
        return Question(typed)
    try:
        file_system, path = resolve(typed)
        if file_system.isfile(path):
            return Question(typed)
        if file_system.isdir(path):
            return Question(typed, error="is a folder; name a picture file")
    except (OSError, ValueError, ImportError) as error:
        return Question(typed, error=f"cannot be read: {error}")
    if safe_id(typed):
        return Question(typed, image_id=typed.lower() if HEX_ID.fullmatch(typed) else typed)
    return Question(typed, error="no such file, and not an image_id")


def _read(question: Question, allow_private: bool) -> bytes:
    """The bytes of a query picture; none, and the question's error, if they cannot be had."""
    try:
        if URL.match(question.typed):
            data = fetch(question.typed, allow_private=allow_private)
        else:
            with open_uri(question.typed) as file:
                data = file.read(MAX_BYTES + 1)
    except FetchError as error:
        question.error = str(error).removeprefix(f"{question.typed}: ")
        return b""
    except (OSError, ValueError) as error:
        question.error = f"cannot be read: {error}"
        return b""
    if len(data) > MAX_BYTES:
        question.error = f"larger than {MAX_BYTES:,} bytes"
        return b""
    question.sha256 = hashlib.sha256(data).hexdigest()
    return data


def _look_up(run: Pipeline, questions: Sequence[Question]) -> None:
    """Find the records of queries that are ids, all in one job."""
    wanted = sorted({q.image_id for q in questions if q.image_id})
    if not wanted:
        return
    ids = run.side_file("ids.json", json.dumps(wanted))
    stage = "extract" if run.options.by == "features" else "classify"
    output = run.collect("find", run.workspace.parts(stage), ["--ids", ids])
    records: dict[str, Any] = {}
    for image_id, record in merged_records(output):
        if "error" not in record or image_id not in records:
            records[image_id] = record
    for question in questions:
        if question.image_id:
            question.record = records.get(question.image_id)
            question.error = _why_not(question)


def _why_not(question: Question) -> str | None:
    if question.record is None:
        return "no such file, and no picture with this image_id in the workspace"
    if "error" in question.record:
        return f"this picture was rejected: {question.record['error']}, {question.record['detail']}"
    return None


def _look_at(run: Pipeline, questions: Sequence[Question], classifier: Classifier) -> None:
    """Features and labels of all queries, by the model that the workspace was made with."""
    outside = [q for q in questions if q.image_id is None and not q.error]
    if outside:
        model = _model(run)
        with Decoder(side=model.resolution) as decoder:
            for question, result in decoder.decode_all(_read_all(run, outside)):
                if question.error:
                    continue
                if isinstance(result, PictureError):
                    question.error = f"cannot be used: {result.code}, {result.detail}"
                else:
                    question.record = feature_of(result, model)
                    _show_query(question)
                question.data = None
    for question in questions:
        if question.record and not question.error:
            known = question.record.get("label")
            question.label = known or classifier.label(question.record)["label"]


def _show_query(question: Question) -> None:
    """A thumbnail for the page, of a picture that the decoder's own process has come through."""
    if question.data:
        from mapsight.thumbnails import thumbnail

        question.thumbnail = thumbnail(question.data)


def _read_all(run: Pipeline, questions: Sequence[Question]) -> Iterator[tuple[Question, bytes]]:
    for question in questions:
        data = _read(question, run.options.allow_private)
        question.data = data if run.options.format == "html" else None
        yield question, data


def _model(run: Pipeline) -> Any:
    """The very file that the features were made with; the workspace keeps it."""
    extract = run.documents["extract"]
    used, name = extract["options"], extract["notes"]["model_file"]
    workspace, path = run.workspace, run.scratch / Path(name).name
    try:
        workspace.fs.get_file(workspace.fs._strip_protocol(workspace.uri(name)), str(path))
        return load_model(
            used["engine"],
            str(path),
            used["model"],
            alpha=used["alpha"],
            resolution=used["resolution"],
        )
    except OSError as error:
        raise Failure(f"{workspace.uri(name)}: cannot be read: {error}") from error
    except ValueError as error:
        raise Failure(f"{error}; run the pipeline again with --force extract") from error


def _answer(
    run: Pipeline,
    questions: Sequence[Question],
    settings: dict[str, Any],
    diagonal: float | None,
    head: Path | None,
) -> None:
    """Run all queries as one job and give each question its answers."""
    options = run.options
    wanted = _label(options.label, settings)
    queries = [_query(n, q, options, wanted) for n, q in enumerate(questions) if not q.error]
    if not queries:
        return
    lines = "".join(f"{query.to_json()}\n" for query in queries)
    arguments = ["--queries", run.side_file("queries.jsonl", lines), "--by", options.by]
    arguments += ["--targets", run.side_file("targets.json", json.dumps(settings))]
    if head:
        arguments += ["--head", str(head)]
    if diagonal:
        arguments += ["--screen-diagonal", str(diagonal)]
    stage = "extract" if options.by == "features" else "classify"
    answers_bytes = ANSWER_BYTES * options.top_k * len(queries)
    output = run.collect("search", run.workspace.parts(stage), arguments, answers_bytes)
    for number, answers in merged_records(output):
        question = questions[int(number)]
        question.answers = [
            {"query": question.typed, "rank": rank, "image_id": image_id, **fields}
            | {"score": fields["label_score"] if options.by == "label" else round(score, 6)}
            for rank, (score, image_id, fields) in enumerate(answers, 1)
        ]


def _label(text: str | None, settings: dict[str, Any]) -> str | None:
    """The label named by --label, as the workspace writes it."""
    if text is None or text == OTHER:
        return text
    names = {name.casefold(): name for name in settings["targets"]}
    if text.casefold() not in names:
        try:
            (name,) = resolve_targets([text], settings["targets"])
        except ValueError as error:
            raise UsageError(f"--label: {error}") from None
        if name not in settings["targets"]:
            known = ", ".join([*settings["targets"], OTHER])
            raise UsageError(f"--label {text}: the workspace has {known}")
        return name
    return names[text.casefold()]


def _query(number: int, question: Question, options: Namespace, wanted: str | None) -> Query:
    assert question.record is not None
    question.filter = wanted or (question.label if options.by == "label" else None)
    exclude, digest = options.exclude_self, question.sha256 or question.record["sha256"]
    return Query(
        number=number,
        top_k=options.top_k,
        embedding=question.record.get("embedding", ""),
        label=question.filter,
        min_ppi=options.min_ppi,
        exclude_id=question.image_id if exclude else None,
        exclude_sha256=digest if exclude else None,
    )
