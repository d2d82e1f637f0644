"""Vectors of pictures that are not in the index, for a Searcher."""

from __future__ import annotations

import tempfile
from argparse import Namespace
from pathlib import Path

import numpy as np

from driver.errors import Failure
from driver.pipeline.pipeline import Pipeline
from driver.pipeline.typed_options import TypedOptions
from driver.search.index_queries import give_vectors
from driver.search.notices import tell_earlier
from driver.search.queries import look_at, question_of
from driver.stages.classify import settings_of
from driver.stages.head_file import fitted_head
from driver.workspace.workspace import Workspace
from mapsight.index.collection import OTHER_MODEL
from mapsight.labels.classify import Classifier
from mapsight.labels.head import load_head
from mapsight.labels.labeler import Labeler

__all__ = ["OwnPictures"]


class OwnPictures:
    """Makes vectors by the model and the head that a workspace was made with, each loaded once.

    Memory: the model, and a picture at a time.

    Raises:
        Failure: the workspace's model or head is missing, cannot be read, or is not that of the
            index.
    """

    def __init__(self, workspace: Workspace) -> None:
        if not tell_earlier(workspace, silent=True):
            raise Failure(f"{workspace.location}: {OTHER_MODEL}")
        self._scratch = tempfile.TemporaryDirectory(prefix="mapsight-search-")
        options = Namespace(runner="inline", format="json", allow_private=False)
        self._run = Pipeline(TypedOptions(options), workspace, Path(self._scratch.name))
        for stage in ("extract", "classify"):
            workspace.parts(stage)
            self._run.documents[stage] = workspace.required(stage)
        settings, _ = settings_of(self._run.documents["classify"])
        head = fitted_head(self._run)
        labeler = Labeler(settings["targets"], settings["parents"])
        self._classifier = Classifier(labeler, load_head(head) if head else None)

    def vector(self, picture: str) -> np.ndarray:
        """Of a picture file or a public URL: (d,) int16.

        Raises:
            ValueError: it is not there, or is no picture that can be read.
        """
        question = question_of(picture)
        if question.image_id:
            raise ValueError(f"{picture}: no such file")
        look_at(self._run, [question], self._classifier)
        if not question.error:
            give_vectors([question], self._classifier.head)
        if question.error or question.vector is None:
            raise ValueError(f"{picture}: {question.error}")
        return question.vector
