"""The files of a project's model versions: kept beside the project, copied out of it."""

import shutil
from pathlib import Path

from core.bundled import MODEL_SUFFIX
from core.durable import replacing
from core.errors import CheckpointError
from core.retraining import models_folder


def keep_file(project: Path, model: Path, name: str) -> Path:
    """Copy the model of a run to where the project's versions are; returns the place.

    Raises:
        CheckpointError: it cannot be read, or the place cannot be written.
    """
    target = models_folder(project) / f"{name}{MODEL_SUFFIX}"
    copy_model(model, target)
    return target


def copy_model(model: Path, target: Path) -> None:
    """Copy a model file, whole or not at all.

    Raises:
        CheckpointError: it cannot be read, or the place cannot be written.
    """
    try:
        with replacing(target) as partial:
            shutil.copyfile(model, partial)
    except OSError as error:
        raise CheckpointError(
            f"{model} cannot be copied to {target} ({error.strerror}); free some space, or "
            "choose another place."
        ) from error
