"""Copies of a project to train on, which stay as they are while the window goes on.

Images to train on go into one project and held-out ones into another, so that no run that is
given the first can see the second. Each image comes with its present map, without its history.
"""

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os.path import normpath
from pathlib import Path
from typing import Final

from core.errors import ProjectError
from core.migrations import COLUMNS
from core.schema import new_database, project_errors, transaction
from core.store import PROJECT_SUFFIX, AnnotationStore

TRAINING_NAME: Final = f"training{PROJECT_SUFFIX}"
HOLD_OUT_NAME: Final = f"hold-out{PROJECT_SUFFIX}"
WHOLE_NAME: Final = f".whole{PROJECT_SUFFIX}"

# The history begins at the last map that was kept on the way to the present one.
_FORGET: Final = (
    "UPDATE image SET path = whole_path(path), base = coalesce((SELECT max(seq) "
    "FROM source.snapshot AS s WHERE s.image_id = image.id "
    "AND s.seq BETWEEN image.base AND image.position), base)"
)


@dataclass(frozen=True, slots=True)
class TrainingSnapshot:
    """The projects that were made; `hold_out` is None if no image is held out."""

    training: Path
    hold_out: Path | None


def snapshot_project(
    project: Path, folder: Path, training: Collection[int], held_out: Collection[int] = ()
) -> TrainingSnapshot:
    """Copy some images of a project as they are at one moment; it may be open elsewhere.

    Args:
        project: to copy from.
        folder: for `training.bitbrush` and `hold-out.bitbrush`; made if it is not there.
        training: ids of the images to train on.
        held_out: ids of those to measure the model on.

    Raises:
        ValueError: an image is in both, the project lacks one, or none is to be trained on.
        ProjectError: the project cannot be read, or the folder cannot be written or holds a
            snapshot already.
    """
    if not training:
        raise ValueError("images [] are too few to train on")
    if both := set(training) & set(held_out):
        raise ValueError(f"images {sorted(both)} cannot be both trained on and held out")
    _check(project, {*training, *held_out})
    whole = folder / WHOLE_NAME
    made = TrainingSnapshot(
        folder / TRAINING_NAME, folder / HOLD_OUT_NAME if held_out else None
    )
    with _clearing(folder, whole):
        _copy_images(project, whole, {*training, *held_out})  # at one moment
        if made.hold_out is not None:
            _copy_images(whole, made.hold_out, held_out)
        _copy_images(whole, made.training, training)
    return made


def _check(project: Path, image_ids: Collection[int]) -> None:
    with AnnotationStore.open(project, is_read_only=True) as store:
        found = {record.id for record in store.image_records(sorted(image_ids))}
    if lacking := set(image_ids) - found:
        raise ValueError(f"the project {project} has no images {sorted(lacking)}")


@contextmanager
def _clearing(folder: Path, whole: Path) -> Iterator[None]:
    """Make the folder; what is only needed on the way goes at the end."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        whole.unlink(missing_ok=True)  # of a process that was killed here
    except OSError as error:
        raise ProjectError(
            f"{folder} cannot hold a snapshot ({error.strerror}); choose another folder."
        ) from error
    try:
        yield
    finally:
        whole.unlink(missing_ok=True)


def _copy_images(source: Path, target: Path, image_ids: Collection[int]) -> None:
    source = source.resolve()
    with new_database(target.resolve()) as connection, project_errors(source):
        connection.execute("ATTACH ? AS source", (f"{source.as_uri()}?mode=ro",))
        connection.create_function(
            "whole_path", 1, lambda path: normpath(source.parent / path), deterministic=True
        )
        connection.execute("CREATE TEMP TABLE chosen (id INTEGER PRIMARY KEY)")
        rows = ((image_id,) for image_id in image_ids)
        connection.executemany("INSERT INTO chosen VALUES (?)", rows)
        with transaction(connection):  # which reads the source as it is at its beginning
            _copy_rows(connection)
        connection.execute("DETACH source")


def _copy_rows(connection: sqlite3.Connection) -> None:
    connection.execute(_copy("category"))
    connection.execute(_copy("author"))
    connection.execute(_copy("image", "JOIN chosen USING (id)"))
    connection.execute(_FORGET)
    present = "JOIN main.image AS image ON image.id = s.image_id WHERE"
    connection.execute(_copy("snapshot", f"{present} s.seq = image.base"))
    connection.execute(
        _copy("provenance", f"{present} s.seq BETWEEN image.base AND image.position")
    )
    connection.execute(
        _copy("edit", f"{present} s.seq > image.base AND s.seq <= image.position")
    )


def _copy(table: str, where: str = "") -> str:
    """A statement that copies rows with their checksums, so that damage stays damage."""
    columns = COLUMNS[table].split(", ")
    named = ", ".join(f"s.{column}" for column in columns)
    return (
        f"INSERT INTO main.{table} ({COLUMNS[table]}, checksum) "  # noqa: S608 - our own names
        f"SELECT {named}, s.checksum FROM source.{table} AS s {where}"
    )
