"""The project: its images, its categories and, for each image, the journal of edits.

The journal is the truth, a map is what its edits add up to. Every method that changes something
has committed it to the disk when it returns, so a crash costs nothing that was seen.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from core.errors import ProjectError
from core.file_lock import FileLock
from core.journal import decode_edit, decode_map, encode_edit, encode_map
from core.panoptic import Category, Edit, PanopticMap
from core.schema import lock_project, new_database, open_database, project_errors, transaction

PROJECT_SUFFIX: Final = ".bitbrush"
PROJECT_NAME: Final = f"annotations{PROJECT_SUFFIX}"  # of a folder's own project
SNAPSHOT_EVERY: Final = 128  # edits; opening an image never replays more


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """One image file, or one frame of a video file.

    Attributes:
        path: absolute; the file may be missing.
        frame: of a video, from 0; None for an image file.
        n_edits: how many edits are in effect.
    """

    id: int
    path: Path
    frame: int | None
    height: int
    width: int
    n_edits: int


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an image stands in its journal."""

    height: int
    width: int
    position: int
    next_id: int


class AnnotationStore:
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
        self.path = path
        self._connection = connection
        self._lock = lock

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
            return cls(path, open_database(path, is_read_only=False), lock)
        except BaseException:
            lock.release()
            raise

    def close(self) -> None:
        """Close the file; nothing is left to be saved."""
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

    # Settings and categories.

    @property
    def categories(self) -> tuple[Category, ...]:
        """In the order that `set_categories` gave."""
        rows = self._execute(
            "SELECT id, name, is_thing, color, supercategory FROM category ORDER BY place"
        )
        return tuple(
            Category(id_, name, bool(is_thing), _color(color), supercategory)
            for id_, name, is_thing, color, supercategory in rows
        )

    def set_categories(self, categories: Sequence[Category]) -> None:
        """Replace the project's categories; segments keep their category ids.

        Raises:
            ValueError: two categories have the same id.
        """
        if len({category.id for category in categories}) < len(categories):
            raise ValueError(f"two of the categories {categories} have the same id")
        with self._writing():
            self._execute("DELETE FROM category")
            for place, c in enumerate(categories):
                row = c.id, place, c.name, c.is_thing, bytes(c.color).hex(), c.supercategory
                self._execute("INSERT INTO category VALUES (?, ?, ?, ?, ?, ?)", *row)

    @property
    def model(self) -> str:
        """Path of a model file or name of a starter; empty for none yet."""
        return self._setting("model") or ""

    def set_model(self, model: str) -> None:
        self._set_setting("model", model)

    @property
    def last_image(self) -> int | None:
        """Id of the image that was open last, if the project still has it."""
        value = self._setting("last_image")
        rows = self._execute("SELECT id FROM image WHERE id = ?", value)
        return rows[0][0] if rows else None

    def set_last_image(self, image_id: int) -> None:
        self._set_setting("last_image", str(image_id))

    # Images.

    def images(self) -> list[ImageRecord]:
        """Every image, in the order in which they came in."""
        rows = self._execute(
            "SELECT id, path, frame, height, width, position FROM image ORDER BY id"
        )
        folder = self.path.parent
        return [ImageRecord(id_, folder / path, *rest) for id_, path, *rest in rows]

    def add_images(self, images: Iterable[tuple[Path, int | None, int, int]]) -> list[int]:
        """Add images given as (path, frame, height, width), all or none.

        An image that the project has already is kept with its edits; while it has none, its
        size is brought up to date.

        Returns:
            The id of each.
        """
        rows = list(images)
        names = self._portable_names([path for path, *_ in rows])
        statement = (
            "INSERT INTO image (path, frame, height, width) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (path, coalesce(frame, -1)) DO UPDATE SET "
            "height = iif(next_id = 1, excluded.height, height), "
            "width = iif(next_id = 1, excluded.width, width) RETURNING id"
        )
        with self._writing():
            return [
                self._execute(statement, name, *rest)[0][0]
                for name, (_, *rest) in zip(names, rows, strict=True)
            ]

    # Maps and their journals.

    def load_map(self, image_id: int) -> PanopticMap:
        """The map of an image: the journal's edits up to the present position, carried out."""
        place = self._place(image_id)
        done, map = self._load_snapshot(image_id, place)
        for seq in range(done + 1, place.position + 1):
            edit = self._read_edit(image_id, seq)
            try:
                map.apply(edit)
            except ValueError as error:
                raise self._damage(image_id, seq, error) from error
        map.next_id = place.next_id
        return map

    def edits(self, image_id: int) -> Iterator[Edit]:
        """The edits in effect, oldest first."""
        for seq in range(1, self._place(image_id).position + 1):
            yield self._read_edit(image_id, seq)

    def append_edit(self, image_id: int, edit: Edit) -> None:
        """Commit an edit of the image's present map; edits that were taken back are dropped.

        An edit that changes nothing leaves no trace.

        Raises:
            ValueError: the edit lies outside the image.
        """
        if edit.is_empty:
            return
        payload = encode_edit(edit)
        with self._writing():
            place = self._place(image_id)
            if edit.rect.clipped(place.height, place.width) != edit.rect:
                raise ValueError(f"{edit.rect} of '{edit.label}' is not inside the image")
            seq = place.position + 1
            self._execute("DELETE FROM edit WHERE image_id = ? AND seq >= ?", image_id, seq)
            self._execute("DELETE FROM snapshot WHERE image_id = ? AND seq >= ?", image_id, seq)
            self._execute(
                "INSERT INTO edit VALUES (?, ?, ?, ?)", image_id, seq, edit.label, payload
            )
            next_id = max(edit.segments_after, default=0) + 1
            self._execute(
                "UPDATE image SET position = ?, next_id = max(next_id, ?) WHERE id = ?",
                seq,
                next_id,
                image_id,
            )
            if seq % SNAPSHOT_EVERY == 0:
                snapshot = encode_map(self.load_map(image_id))
                self._execute("INSERT INTO snapshot VALUES (?, ?, ?)", image_id, seq, snapshot)

    def undo(self, image_id: int) -> Edit | None:
        """Commit a step back; returns the edit that takes it in the map, None at the start."""
        with self._writing():
            if not self.can_undo(image_id):
                return None
            position = self._place(image_id).position
            self._set_position(image_id, position - 1)
            return self._read_edit(image_id, position).inverted()

    def redo(self, image_id: int) -> Edit | None:
        """Commit a step forward again; returns its edit, None at the end."""
        with self._writing():
            if not self.can_redo(image_id):
                return None
            position = self._place(image_id).position
            self._set_position(image_id, position + 1)
            return self._read_edit(image_id, position + 1)

    def can_undo(self, image_id: int) -> bool:
        return self._place(image_id).position > 0

    def can_redo(self, image_id: int) -> bool:
        position = self._place(image_id).position
        (n_edits,) = self._execute("SELECT max(seq) FROM edit WHERE image_id = ?", image_id)[0]
        return position < (n_edits or 0)

    def history(self, image_id: int) -> tuple[list[str], int]:
        """Labels of all edits, oldest first, and how many of them are in effect."""
        position = self._place(image_id).position
        rows = self._execute("SELECT label FROM edit WHERE image_id = ? ORDER BY seq", image_id)
        return [label for (label,) in rows], position

    def _place(self, image_id: int) -> _Place:
        rows = self._execute(
            "SELECT height, width, position, next_id FROM image WHERE id = ?", image_id
        )
        if not rows:
            raise ValueError(f"the project {self.path} has no image {image_id}")
        return _Place(*rows[0])

    def _set_position(self, image_id: int, position: int) -> None:
        self._execute("UPDATE image SET position = ? WHERE id = ?", position, image_id)

    def _read_edit(self, image_id: int, seq: int) -> Edit:
        rows = self._execute(
            "SELECT payload, label FROM edit WHERE image_id = ? AND seq = ?", image_id, seq
        )
        if not rows:
            raise self._damage(image_id, seq, "it is missing")
        try:
            return decode_edit(*rows[0])
        except ValueError as error:
            raise self._damage(image_id, seq, error) from error

    def _load_snapshot(self, image_id: int, place: _Place) -> tuple[int, PanopticMap]:
        """The last readable map on the way to the present one, and after which edit it was."""
        rows = self._execute(
            "SELECT seq FROM snapshot WHERE image_id = ? AND seq <= ? ORDER BY seq DESC",
            image_id,
            place.position,
        )
        for (seq,) in rows:
            ((payload,),) = self._execute(
                "SELECT payload FROM snapshot WHERE image_id = ? AND seq = ?", image_id, seq
            )
            with suppress(ValueError):  # then an older one and more of the journal will do
                return seq, decode_map(payload, place.height, place.width)
        return 0, PanopticMap.empty(place.height, place.width)

    def _damage(self, image_id: int, seq: int, reason: object) -> ProjectError:
        return ProjectError(
            f"Edit {seq} of image {image_id} in the project {self.path} is damaged ({reason}); "
            "the file was left as it is. Put a backup in its place, or keep it for a rescue."
        )

    def _portable_names(self, paths: Sequence[Path]) -> list[str]:
        """How the file names images: from the project's folder if they are inside it."""
        folders = {folder: folder.resolve() for folder in {path.parent for path in paths}}
        inside = self.path.parent
        for folder, resolved in folders.items():
            if resolved.is_relative_to(inside):
                folders[folder] = resolved.relative_to(inside)
        names = [(folders[path.parent] / path.name).as_posix() for path in paths]
        for name in names:
            try:
                name.encode()
            except UnicodeEncodeError as error:
                raise ProjectError(
                    f"The image name {name!a} is not valid text; rename the file."
                ) from error
        return names

    def _setting(self, name: str) -> str | None:
        rows = self._execute("SELECT value FROM setting WHERE name = ?", name)
        return rows[0][0] if rows else None

    def _set_setting(self, name: str, value: str) -> None:
        with self._writing():
            self._execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", name, value)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with project_errors(self.path), transaction(self._connection):
            yield

    def _execute(self, statement: str, *values: object) -> list[Any]:
        with project_errors(self.path):
            return self._connection.execute(statement, values).fetchall()


def _color(text: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(text)
    return red, green, blue
