"""The versions of a project's model: where each file is, what it learned from, its scores."""

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from os.path import normpath
from pathlib import Path
from typing import Any

from core.bundled import MODEL_SUFFIX, find_model
from core.database import ProjectDatabase
from core.errors import ProjectError

_BASE = "base"  # among the scores: the model that a version went on from


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A model that was trained for a project.

    Attributes:
        name: unique in the project, and that of the model's card.
        path: of its file; the file may be missing.
        sha256: of the file when it was added, in hex.
        data_hash: of what it was trained on.
        n_images: that it was trained on.
        parent: id of the version that its training went on from; None if none of the project.
        scores: what it scored on the hold-out, and whatever else is worth keeping.
        created: in seconds since 1970.
    """

    id: int
    name: str
    path: Path
    sha256: str
    data_hash: str
    n_images: int
    parent: int | None = None
    scores: Mapping[str, Any] = field(default_factory=dict)
    created: int = 0


class ProjectModels(ProjectDatabase):
    """The part of `AnnotationStore` about its model and versions of it; none is ever removed.

    Models below the project's folder are named from there, so that both can be moved together.
    """

    @property
    def model(self) -> str:
        """Path of a model file or name of a starter; empty for none yet."""
        return self._whole_name(self._setting("model") or "")

    def set_model(self, model: str) -> None:
        """Keep which model is in use, named as `model` names it."""
        self._set_setting("model", self._portable_model(model))

    def find_model(self, name: str) -> Path:
        """The file of a version or a starter model given by name, or else the given path."""
        files = {version.name: version.path for version in self.model_versions()}
        return files.get(name) or find_model(name)

    def model_versions(self) -> list[ModelVersion]:
        """All of them, the oldest first."""
        return [self._version(row) for row in self._read("model_version", "ORDER BY id")]

    def add_model_version(
        self,
        name: str,
        path: Path,
        *,
        data_hash: str,
        n_images: int,
        parent: int | None = None,
        scores: Mapping[str, Any] | None = None,
    ) -> ModelVersion:
        """Add a version whose file is there.

        Raises:
            ValueError: the file is not below the project's folder, or the parent is unknown.
            ProjectError: the name is taken, or the file cannot be read.
        """
        known = self.model_versions()
        if parent is not None and parent not in {version.id for version in known}:
            raise ValueError(f"the project {self.path} has no model version {parent}")
        if name in {version.name for version in known}:
            raise ProjectError(
                f"The project {self.path} has a model '{name}' already; choose another name."
            )
        inside = path.resolve().relative_to(self.path.parent).as_posix()
        try:
            with path.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise ProjectError(
                f"The model file {path} cannot be read ({error.strerror}); train it again."
            ) from error
        made = inside, sha256, data_hash, n_images, parent
        with self._writing():
            self._execute(
                "INSERT INTO model_version (name, path, sha256, data_hash, n_images, parent, "
                "scores, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                name,
                *made,
                self._write_scores(scores or {}),
                int(time.time()),
            )
        return self.model_versions()[-1]

    def set_model_scores(self, version_id: int, scores: Mapping[str, Any]) -> None:
        """Keep what a version scored, in place of what was kept of it.

        Raises:
            ValueError: the project has no such version.
        """
        with self._writing():
            rows = self._execute(
                "UPDATE model_version SET scores = ? WHERE id = ? RETURNING id",
                self._write_scores(scores),
                version_id,
            )
        if not rows:
            raise ValueError(f"the project {self.path} has no model version {version_id}")

    def _write_scores(self, scores: Mapping[str, Any]) -> str:
        kept = dict(scores)
        if _BASE in kept:
            kept[_BASE] = self._portable_model(kept[_BASE])
        return json.dumps(kept)

    def _portable_model(self, model: str) -> str:
        """How the file names a model."""
        path = Path(model).absolute()
        is_inside = model.endswith(MODEL_SUFFIX) and path.is_relative_to(self.path.parent)
        return path.relative_to(self.path.parent).as_posix() if is_inside else model

    def _whole_name(self, name: str) -> str:
        """A model that the file names, as everybody else names it."""
        return str(self.path.parent / name) if name.endswith(MODEL_SUFFIX) else name

    def _version(self, row: list[Any]) -> ModelVersion:
        id_, name, path, sha256, data_hash, n_images, parent, scores, created = row
        whole = Path(normpath(self.path.parent / path))
        try:
            known = json.loads(scores)
            known |= {_BASE: self._whole_name(known[_BASE])} if _BASE in known else {}
        except ValueError as error:
            raise self._damage(f"Model version {id_}", error) from error
        return ModelVersion(
            id_, name, whole, sha256, data_hash, n_images, parent, known, created
        )
