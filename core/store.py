"""The project: its images, its categories and, for each image, the journal of edits.

One class to its callers, in parts by subject: `core.project_images` has the images,
`core.history` the maps and edits. Every method that changes something has committed it to the
disk when it returns, so a crash costs nothing that was seen.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from core.authors import A_PERSON, Author
from core.clip_history import ProjectJointSteps
from core.compaction import ProjectCompaction
from core.errors import ProjectError
from core.file_lock import FileLock
from core.image_query import ImageQuery, Order
from core.model_versions import ProjectModels
from core.panoptic import Category, Edit
from core.project_categories import ProjectCategories
from core.project_images import ImageRecord
from core.review import Review
from core.schema import check_log, check_soundness, lock_project, new_database, open_database
from core.set_aside import finish_setting_aside
from core.snapshots import SnapshotWriter
from core.sources import ProjectSources, RelinkPlan, SourceState

__all__ = [
    "PROJECT_NAME",
    "PROJECT_SUFFIX",
    "AnnotationStore",
    "ImageQuery",
    "ImageRecord",
    "Order",
    "RelinkPlan",
    "Review",
    "SourceState",
]

PROJECT_SUFFIX: Final = ".bitbrush"
PROJECT_NAME: Final = f"annotations{PROJECT_SUFFIX}"  # of a folder's own project


class AnnotationStore(
    ProjectCategories, ProjectSources, ProjectModels, ProjectJointSteps, ProjectCompaction
):
    """An open project; made by `create` or `open`, ended by `close` or a `with` block.

    Only one process at a time can have a project open, but for reading.

    Attributes:
        path: of the project file, absolute.

    Raises:
        ProjectError: from every method, when the disk or the file lets us down; what was
            committed before stays, and the step that failed is not in the file.
    """

    def __init__(
        self, path: Path, connection: sqlite3.Connection, lock: FileLock | None
    ) -> None:
        super().__init__(path, connection)
        self._lock = lock
        self._snapshots = SnapshotWriter(path)

    @classmethod
    def create(cls, path: Path, categories: Sequence[Category], model: str = "") -> Self:
        """Make a new project and open it.

        Raises:
            ProjectError: the file exists already, or cannot be made there.
        """
        path = path.resolve()
        lock = lock_project(path)
        try:
            with new_database(path) as connection:
                draft = cls(path, connection, None)
                draft.set_categories(categories)
                draft.set_model(model)
            return cls(path, open_database(path, is_read_only=False), lock)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def open(cls, path: Path, *, is_read_only: bool = False) -> Self:
        """Open a project, for reading even while someone else writes to it.

        Raises:
            ProjectError: the file is missing, no project, too new, damaged, read-only, or
                open elsewhere.
        """
        path = path.resolve()
        if is_read_only:
            return cls(path, open_database(path, is_read_only=True), None)
        lock = lock_project(path)
        try:
            store = cls(path, _open_sound(path), lock)
        except BaseException:
            lock.release()
            raise
        try:
            store.count_anew()
            store.decide_hold_out()
        except BaseException:
            store.close()
            raise
        return store

    def open_again(self) -> Self:
        """Another connection to the open project, for a thread of its own; close it there."""
        return type(self)(self.path, open_database(self.path, is_read_only=False), None)

    def close(self) -> None:
        """Close the file; nothing is left to be saved."""
        self._snapshots.wait()
        self._connection.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # Edits.

    def append_edit(
        self,
        image_id: int,
        edit: Edit,
        author: Author = A_PERSON,
        *,
        keeps_review: bool = False,
    ) -> None:
        """Commit an edit, see `ProjectHistory`; a map that is costly to replay is kept soon."""
        super().append_edit(image_id, edit, author, keeps_review=keeps_review)
        with suppress(ProjectError):  # the edit is committed, and opening only takes longer
            if self._lock is not None and self.needs_snapshot(image_id):
                self._snapshots.request(image_id)

    def checkpoint(self) -> None:
        """Bring all that is committed into the one file, and let the last image open fast.

        Nothing depends on it: what was committed is safe.
        """
        self._execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if self.last_image is not None and self._lock is not None:
            self._snapshots.request(self.last_image)

    # Settings.

    @property
    def last_image(self) -> int | None:
        """Id of the image that was open last, if the project still has it."""
        value = self._setting("last_image")
        rows = self._execute("SELECT id FROM image WHERE id = ?", value)
        return rows[0][0] if rows else None

    def set_last_image(self, image_id: int) -> None:
        self._set_setting("last_image", str(image_id))

    @property
    def undo_limit(self) -> int | None:
        """How many steps of an image the user wants to keep; None, the default, for all."""
        value = self._setting("undo_limit")
        return int(value) if value else None

    def set_undo_limit(self, n_steps: int | None) -> None:
        """Keep the user's wish; nothing is dropped before `compact` is called.

        Raises:
            ValueError: the limit is negative.
        """
        if n_steps is not None and n_steps < 0:
            raise ValueError(f"{n_steps} steps cannot be kept")
        self._set_setting("undo_limit", "" if n_steps is None else str(n_steps))


def _open_sound(path: Path) -> sqlite3.Connection:
    """Open a project for writing, after whatever a killed recovery has left to do."""
    try:
        finish_setting_aside(path)
        check_log(path)
    except OSError as error:
        raise ProjectError(
            f"The folder {path.parent} of the project cannot be written ({error.strerror}); "
            "make it writable, or put the project in another folder."
        ) from error
    connection = open_database(path, is_read_only=False)
    try:
        check_soundness(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection
