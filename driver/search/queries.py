"""The queries of a search: what was typed, and what the model sees in it."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import re
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from driver.errors import Failure, UsageError
from driver.pipeline.pipeline import Pipeline
from driver.search.answers import Question
from driver.streams import closed_streams
from mapsight.features.decode import PictureError
from mapsight.features.decoder_process import Decoder
from mapsight.features.engines import load_model
from mapsight.features.extract import feature_of
from mapsight.inputs.image_ids import HEX_ID, safe_id
from mapsight.inputs.shards import MAX_BYTES
from mapsight.labels.classify import Classifier
from mapsight.redaction import public_address, without_secrets
from mapsight.storage.schemes import AddressError, named_errors
from mapsight.storage.uri import open_uri, resolve
from mapsight.text_files import decoded, read_text
from mapsight.web.fetch import FetchError, fetch

__all__ = ["NO_QUERY", "STDIN", "look_at", "queries_in", "question_of", "typed_queries"]

STDIN = "-"
NO_QUERY = "no such file, and not an image_id"

URL = re.compile(r"https?://", re.IGNORECASE)
SHOWN = 300  # letters of a reason


def typed_queries(options: Namespace) -> list[str]:
    """The queries of the command line and of --queries, which is not read where `each` is."""
    queries = list(options.query)
    if options.each:
        return queries
    if options.queries:
        try:
            text = _text_of(options.queries)
        except OSError as error:
            why = error.strerror or error
            raise UsageError(f"--queries {options.queries}: cannot be read: {why}") from None
        except ValueError as error:
            raise UsageError(f"--queries {options.queries}: {error}") from None
        queries += queries_in(text.splitlines())
    if not queries:
        raise UsageError("name a picture file, a URL or an image_id, or --queries FILE")
    return queries


def _text_of(name: str) -> str:
    if name == STDIN and "standard input" in closed_streams():
        raise OSError(errno.EBADF, "standard input is closed")
    if name != STDIN:
        return read_text(name)
    return decoded(sys.stdin.buffer.read()) if hasattr(sys.stdin, "buffer") else sys.stdin.read()


def queries_in(lines: Iterable[str]) -> Iterator[str]:
    """The queries of some lines: all but empty ones and remarks."""
    stripped = (line.removeprefix("\ufeff").strip() for line in lines)
    return (line for line in stripped if line and not line.startswith("#"))


def question_of(typed: str) -> Question:
    """What a query is: a URL or a file to be looked at, or the id of a picture."""
    question = Question(public_address(typed), typed)
    if URL.match(typed):
        return question
    is_file = is_folder = is_there = False
    try:
        with named_errors(typed):
            file_system, path = resolve(typed)
            is_file, is_folder = file_system.isfile(path), file_system.isdir(path)
            is_there = is_file or is_folder or file_system.exists(path)
    except AddressError as error:
        question.error = str(error).removeprefix(f"{question.typed}: ")
    except FileNotFoundError:  # the current folder was deleted
        pass
    except (OSError, ValueError, ImportError) as error:
        question.error = f"cannot be read: {_reason(error, question)}"
    if question.error or is_file:
        return question
    if is_folder:
        question.error = "is a folder; name a picture file"
    elif is_there:
        question.error = "is a device or a pipe; name a picture file"
    elif safe_id(typed) and "://" not in typed:
        question.image_id = typed.lower() if HEX_ID.fullmatch(typed) else typed
    else:
        question.error = NO_QUERY
    return question


def _reason(error: Exception, question: Question) -> str:
    """What a file system says, without the name that stands before it anyway."""
    text = " ".join(without_secrets(str(error), question.address).split())
    text = text or type(error).__name__
    return text.removeprefix(f"{question.typed}: ")[:SHOWN]


def _read(question: Question, allow_private: bool) -> bytes:
    """The bytes of a query picture; none, and the question's error, if they cannot be had."""
    address = question.address or question.typed
    try:
        if URL.match(address):
            data = fetch(address, allow_private=allow_private)
        else:
            with named_errors(address), open_uri(address) as file:
                data = file.read(MAX_BYTES + 1)
    except FetchError as error:
        question.error = str(error).removeprefix(f"{question.typed}: ")
        return b""
    except (OSError, ValueError, ImportError) as error:
        question.error = f"cannot be read: {_reason(error, question)}"
        return b""
    if len(data) > MAX_BYTES:
        question.error = f"larger than {MAX_BYTES:,} bytes"
        return b""
    question.sha256 = hashlib.sha256(data).hexdigest()
    return data


def look_at(run: Pipeline, questions: Sequence[Question], classifier: Classifier) -> None:
    """Features and labels of all queries, by the model that the workspace was made with."""
    outside = [q for q in questions if q.image_id is None and q.vector is None and not q.error]
    if outside:
        model = _model(run)
        with _decoder(run, model.resolution) as decoder:
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
            record = question.record
            known = record if "label" in record else classifier.label(record)
            question.label, question.style = known["label"], known.get("style")


@contextlib.contextmanager
def _decoder(run: Pipeline, side: int) -> Iterator[Decoder]:
    """A decoder for some pictures, or for all of a run that answers queries one by one."""
    kept: contextlib.ExitStack | None = run.memo.get("kept")
    if kept is None:
        with Decoder(side=side) as decoder:
            yield decoder
        return
    if "decoder" not in run.memo:
        run.memo["decoder"] = kept.enter_context(Decoder(side=side))
    yield run.memo["decoder"]


def _show_query(question: Question) -> None:
    """A thumbnail for the page, of a picture that the decoder's own process has come through."""
    if question.data:
        from mapsight.features.thumbnails import thumbnail

        question.thumbnail = thumbnail(question.data)


def _read_all(run: Pipeline, questions: Sequence[Question]) -> Iterator[tuple[Question, bytes]]:
    for question in questions:
        data = _read(question, run.options.allow_private)
        question.data = data if run.options.format == "html" else None
        yield question, data


def _model(run: Pipeline) -> Any:
    """The very file that the features were made with; the workspace keeps it. Loaded once."""
    if "search_model" not in run.memo:
        run.memo["search_model"] = _load(run)
    return run.memo["search_model"]


def _load(run: Pipeline) -> Any:
    extract = run.documents["extract"]
    used, name = extract["options"], extract["notes"]["model_file"]
    workspace, path = run.workspace, run.scratch / Path(name).name
    try:
        workspace.fetch(workspace.within(name), path)
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
