"""Queries that are pictures from outside: read, decoded and measured as a workspace's own are."""

from __future__ import annotations

import contextlib
import hashlib
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mapsight.errors import Failure
from mapsight.features.mobilenet import wnids
from mapsight.inputs.image_ids import HEX_ID, safe_id
from mapsight.labels.classify import Classifier
from mapsight.labels.made_with import classifier_of, head_file
from mapsight.redaction import public_address, without_secrets
from mapsight.search.question import Question
from mapsight.storage.schemes import AddressError, named_errors
from mapsight.storage.uri import open_uri, resolve
from mapsight.words.directions import Directions
from mapsight.words.vocabulary import Vocabulary
from mapsight.workspace.stage_facts import ExtractNotes, ExtractOptions
from mapsight.workspace.workspace import Workspace

if TYPE_CHECKING:
    from mapsight.features.decoder_process import Decoder

__all__ = ["NO_QUERY", "QueryPictures", "question_of"]

NO_QUERY = "no such file, no label, and not an image_id"

URL = re.compile(r"https?://", re.IGNORECASE)
SHOWN = 300  # letters of a reason
_DIRECTIONS: dict[str, Directions] = {}
"""Of all searches of this process, by the model's file, whose name has its digest."""
_LOADING = threading.Lock()


def question_of(typed: str) -> Question:
    """Return what a query is: a URL or a file to be looked at, or the id of a picture."""
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
    """Return what a file system says, without the name that stands before it anyway."""
    text = " ".join(without_secrets(str(error), question.address).split())
    text = text or type(error).__name__
    return text.removeprefix(f"{question.typed}: ")[:SHOWN]


def _read(question: Question, allow_private: bool) -> bytes:
    """Return the bytes of a query picture; none, and the question's error, if there are none."""
    from mapsight.inputs.shards import MAX_BYTES
    from mapsight.web.fetch import FetchError, fetch

    address = question.address or question.typed
    try:
        if question.data is not None:
            data = question.data
        elif URL.match(address):
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


class QueryPictures:
    """Looks at pictures from outside by the model and the head that a workspace was made with.

    The model is loaded with the first picture. Memory: the model, and a picture at a time.

    Args:
        workspace: that keeps the model and the head.
        scratch: a local folder for copies of them.
        documents: of the stages `extract` and `classify`; None reads them when they are needed.
        classifier: what labels pictures; None takes the targets and the head of the workspace.
        thumbnails: whether questions are to have one.
    """

    def __init__(
        self,
        workspace: Workspace,
        scratch: Path,
        documents: Mapping[str, dict[str, Any]] | None = None,
        classifier: Classifier | None = None,
        *,
        thumbnails: bool = False,
    ) -> None:
        self._workspace, self._scratch = workspace, scratch
        self._read, self._given, self._thumbnails = documents, classifier, thumbnails
        self._kept: Decoder | None = None
        self._stack: contextlib.ExitStack | None = None

    @cached_property
    def _documents(self) -> Mapping[str, dict[str, Any]]:
        if self._read is not None:
            return self._read
        return {stage: self._workspace.required(stage) for stage in ("extract", "classify")}

    @cached_property
    def classifier(self) -> Classifier:
        """Return what labels pictures.

        Raises:
            Failure: the workspace's head is missing, or has changed.
        """
        if self._given is not None:
            return self._given
        head = head_file(self._workspace, self._scratch)
        return classifier_of(self._documents["classify"], head)

    @cached_property
    def model(self) -> Any:
        """Load the very file that the features were made with; the workspace keeps it.

        Raises:
            Failure: it is missing, or cannot be read.
        """
        from mapsight.features.engines import load_model

        extract = self._documents["extract"]
        used, name = ExtractOptions.of(extract), ExtractNotes.of(extract).model_file
        workspace, path = self._workspace, self._scratch / Path(name).name
        try:
            workspace.fetch(workspace.within(name), path)
            return load_model(
                used.engine,
                str(path),
                used.model,
                alpha=used.alpha or 1.0,
                resolution=used.resolution,
            )
        except OSError as error:
            raise Failure(f"{workspace.uri(name)}: cannot be read: {error}") from error
        except ValueError as error:
            raise Failure(f"{error}; run the pipeline again with --force extract") from error

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """Return the words that the workspace's model and labels give a meaning."""
        classes = ExtractNotes.of(self._documents["extract"]).own_classes
        return Vocabulary(wnids() if classes is None else classes, self.classifier.labeler)

    @cached_property
    def directions(self) -> Directions:
        """Return what the last layer of the model knows of its classes.

        Raises:
            Failure: as `model`.
            ValueError: the model has no such layer.
        """
        from mapsight.features.last_layer import last_layer

        name = ExtractNotes.of(self._documents["extract"]).model_file
        with _LOADING:
            if name not in _DIRECTIONS:
                _DIRECTIONS[name] = Directions(last_layer(self.model))
        return _DIRECTIONS[name]

    def look_at(self, questions: Sequence[Question], *, allow_private: bool = False) -> None:
        """Give questions the features of their pictures and their labels, or an error.

        Args:
            allow_private: whether to fetch from addresses that are not public.
        """
        outside = [question for question in questions if question.is_outside]
        if outside:
            self._measure(outside, allow_private)
        for question in questions:
            if question.record and not question.error:
                record = question.record
                labeled = record if "label" in record else self.classifier.label(record)
                question.label, question.style = labeled["label"], labeled.get("style")

    def _measure(self, questions: Sequence[Question], allow_private: bool) -> None:
        from mapsight.features.decode import PictureError
        from mapsight.features.extract import feature_of

        model = self.model
        with self._decoder() as decoder:
            for question, result in decoder.decode_all(self._read_all(questions, allow_private)):
                if question.error:
                    continue
                if isinstance(result, PictureError):
                    question.error = f"cannot be used: {result.code}, {result.detail}"
                else:
                    question.record = feature_of(result, model)
                    _show_query(question)
                question.data = None

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Keep one decoder's process for all pictures of this time, once one needs it."""
        try:
            with contextlib.ExitStack() as self._stack:
                yield
        finally:
            self._kept = self._stack = None

    @contextlib.contextmanager
    def _decoder(self) -> Iterator[Decoder]:
        """Yield a decoder for some pictures, or for all of the time of `kept`."""
        if self._stack is None:
            with self._new_decoder() as decoder:
                yield decoder
            return
        if self._kept is None:
            self._kept = self._stack.enter_context(self._new_decoder())
        yield self._kept

    def _new_decoder(self) -> Decoder:
        from mapsight.features.decoder_process import Decoder

        return Decoder(side=self.model.resolution, resize=self.model.resize)

    def _read_all(
        self, questions: Sequence[Question], allow_private: bool
    ) -> Iterator[tuple[Question, bytes]]:
        for question in questions:
            data = _read(question, allow_private)
            question.data = data if self._thumbnails else None
            yield question, data


def _show_query(question: Question) -> None:
    """Make a thumbnail for the page, of a picture that the decoder's own process came through."""
    if question.data:
        from mapsight.features.thumbnails import thumbnail

        question.thumbnail = thumbnail(question.data)
