"""Files of trainings that are decided on: what is kept of them, and what only takes room."""

from pathlib import Path
from typing import Final

from core.errors import TrainingError
from core.gate_report import REPORT_NAME
from core.retraining import OUTCOME_NAME, PLAN_NAME, models_folder
from core.run_folder import LOG_NAME, is_running

# What was asked for, the curves, how the models compared, and what was decided. The file of a
# version was copied out of the folder when it was kept, and its data hash is in the project.
KEPT: Final = frozenset({PLAN_NAME, LOG_NAME, REPORT_NAME, OUTCOME_NAME})


def find_spent_files(project: Path) -> list[Path]:
    """Files in the folders of a project's runs that nobody needs any more.

    They are of runs on which somebody has decided: checkpoints, copies of the project, models.
    """
    decided = (
        folder
        for folder in sorted(models_folder(project).glob("run-*"))
        if (folder / OUTCOME_NAME).exists() and not is_running(folder)
    )
    return [
        path
        for folder in decided
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in KEPT and not path.is_symlink()
    ]


def count_bytes(paths: list[Path]) -> int:
    """How much room files take; those that are gone take none."""
    return sum(path.stat().st_size for path in paths if path.exists())


def drop_files(paths: list[Path]) -> int:
    """Remove files; returns how many bytes that freed.

    Raises:
        TrainingError: one cannot be removed.
    """
    freed = 0
    for path in paths:
        try:
            size = path.stat().st_size
            path.unlink()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise TrainingError(
                f"{path} cannot be removed ({error.strerror}); see who may write there."
            ) from error
        freed += size
    return freed


def say_size(n_bytes: int) -> str:
    """As `174 MB` or `1.2 GB`, for a person."""
    if n_bytes < 1e6:
        return f"{max(round(n_bytes / 1e3), 1)} kB"
    return f"{n_bytes / 1e6:.0f} MB" if n_bytes < 1e9 else f"{n_bytes / 1e9:.1f} GB"
