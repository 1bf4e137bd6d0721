"""The images of a project: adding, finding and reviewing them, up to a hundred thousand."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from os.path import normpath, relpath
from pathlib import Path
from typing import Any, Final

from core.clips import ProjectClips
from core.errors import ProjectError
from core.image_query import ALL_IMAGES, ImageQuery
from core.review import Review

APPROVED: Final = (Review.APPROVED,)
_AT_ONCE: Final = 500  # rows read by one statement; SQLite has a limit


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """One image file, or one frame of a video file.

    Attributes:
        path: absolute; the file may be missing.
        frame: of a video, from 0; None for an image file.
        n_edits: how many edits are in effect.
        review: how far it is.
        reason: why it was rejected.
        n_segments: of its map; -1 for not known, as it is damaged.
        model: name of the model whose proposal was accepted last, or that has found nothing in
            an empty image; empty for none.
        is_held_out: whether no training may see it; None for not decided.
        expected_work: how much is likely to be wrong with what a model made, the more the
            higher; None for not known.
    """

    id: int
    path: Path
    frame: int | None
    height: int
    width: int
    n_edits: int
    review: Review = Review.EMPTY
    reason: str = ""
    changed_at: int = 0  # when `review` changed last, in seconds since 1970; 0 for not known
    n_segments: int = 0
    model: str = ""
    is_held_out: bool | None = None
    expected_work: float | None = None


class ProjectImages(ProjectClips):
    """The part of `AnnotationStore` about images; their order is that in which they came in."""

    def n_images(self, query: ImageQuery = ALL_IMAGES) -> int:
        """How many images answer a query."""
        found = query.source
        return int(self._execute("SELECT count(*)" + found.sql, *found.values)[0][0])

    def image_ids(self, query: ImageQuery = ALL_IMAGES) -> list[int]:
        """The ids of the images that answer a query, in its order; by default they ascend."""
        found = query.source
        statement = "SELECT id" + found.sql + query.order_by
        return [id_ for (id_,) in self._execute(statement, *found.values)]

    def training_images(self) -> list[ImageRecord]:
        """The approved images that a training may see."""
        return self.image_records(
            self.image_ids(ImageQuery(states=APPROVED, is_held_out=False))
        )

    def hold_out_images(self) -> list[ImageRecord]:
        """The approved images that no training may see."""
        return self.image_records(self.image_ids(ImageQuery(states=APPROVED, is_held_out=True)))

    def next_image(
        self, image_id: int, query: ImageQuery = ALL_IMAGES, *, is_backward: bool = False
    ) -> int | None:
        """The nearest image by id after or before another one that answers a query, or None."""
        found = query.source
        side = " AND id < ? ORDER BY id DESC" if is_backward else " AND id > ? ORDER BY id"
        statement = "SELECT id" + found.sql + side + " LIMIT 1"
        rows = self._execute(statement, *found.values, image_id)
        return rows[0][0] if rows else None

    def image_record(self, image_id: int) -> ImageRecord:
        """One image.

        Raises:
            ValueError: the project does not have it.
        """
        return self._record(self._image_row(image_id))

    def image_records(self, image_ids: Sequence[int]) -> list[ImageRecord]:
        """Some images, in the order asked for; those that the project lacks are left out."""
        found: dict[int, ImageRecord] = {}
        for start in range(0, len(image_ids), _AT_ONCE):
            some = image_ids[start : start + _AT_ONCE]
            where = f"WHERE id IN ({', '.join('?' * len(some))})"
            for row in self._read("image", where, *some):
                found[row[0]] = self._record(row)
        return [found[image_id] for image_id in image_ids if image_id in found]

    def images(self) -> list[ImageRecord]:
        """Every image; of a large project, ask for `image_ids` and then for a few records."""
        return [self._record(row) for row in self._read("image", "ORDER BY id")]

    def find_images(self, paths: Sequence[Path]) -> list[int | None]:
        """The image of each file, for a video its first; None for a file the project lacks."""
        statement = "SELECT id FROM image WHERE path = CAST(? AS TEXT) ORDER BY frame LIMIT 1"
        found = []
        for name in self._portable_names(paths):
            rows = self._execute(statement, name.encode(errors="surrogateescape"))
            found.append(rows[0][0] if rows else None)
        return found

    def add_images(self, images: Iterable[tuple[Path, int | None, int, int]]) -> list[int]:
        """Add images given as (path, frame, height, width), all or none.

        An image that the project has already is kept with its edits; while it has none, its
        size is brought up to date.

        Returns:
            The id of each.
        """
        rows = list(images)
        names = self._portable_names([path for path, *_ in rows])
        check_text(names)
        statement = (
            "INSERT INTO image (path, frame, height, width, review, folder, origin) "
            "VALUES (?1, ?2, ?3, ?4, 'empty', folder_of(?1, ?2), origin_of(?1, ?2)) "
            "ON CONFLICT (path, coalesce(frame, -1)) DO UPDATE SET "
            "height = iif(next_id = 1, excluded.height, height), "
            "width = iif(next_id = 1, excluded.width, width) RETURNING id"
        )
        with self._writing():
            return [
                self._execute(statement, name, *rest)[0][0]
                for name, (_, *rest) in zip(names, rows, strict=True)
            ]

    def set_expected_work(self, image_id: int, score: float | None) -> None:
        """Keep how much is likely to be wrong with an image, or that it is not known."""
        self._image_row(image_id)
        with self._writing():
            statement = "UPDATE image SET expected_work = ? WHERE id = ?"
            self._execute(statement, score, image_id)

    def _image_row(self, image_id: int) -> Any:
        rows = self._read("image", "WHERE id = ?", image_id)
        if not rows:
            raise ValueError(f"the project {self.path} has no image {image_id}")
        return rows[0]

    def _record(self, row: Sequence[Any]) -> ImageRecord:
        id_, path, frame, height, width, position, _, review, *_ = row
        reason, changed_at, *_, n_segments, model, held_out, work = row[11:]
        try:
            path = Path(normpath(self.path.parent / path))
            state = Review(review)
        except ValueError as error:
            raise self._damage(f"Image {id_}", error) from error
        is_held_out = None if held_out is None else bool(held_out)
        reason = reason if state is Review.REJECTED else ""
        more = reason, changed_at, n_segments, model, is_held_out, work
        return ImageRecord(id_, path, frame, height, width, position, state, *more)

    def _portable_names(self, paths: Sequence[Path]) -> list[str]:
        """How the file names images: from the project's folder, if a folder has both.

        Older versions wrote the whole path of what lies outside the project's folder; a name
        that is in the file already stays what it is.
        """
        whole = {folder: folder.resolve() for folder in {path.parent for path in paths}}
        short = {folder: self._seen_from_here(at) for folder, at in whole.items()}
        names = []
        for path in paths:
            name = (short[path.parent] / path.name).as_posix()
            if name.startswith("../"):
                old = (whole[path.parent] / path.name).as_posix()
                name = old if self._has_name(old) else name
            names.append(name)
        return names

    def _seen_from_here(self, folder: Path) -> Path:
        """A folder from that of the project; whole if only the root of the disk has both."""
        here = self.path.parent
        if folder.is_relative_to(here):
            return folder.relative_to(here)
        return Path(relpath(folder, here)) if folder.parts[:2] == here.parts[:2] else folder

    def _has_name(self, name: str) -> bool:
        statement = "SELECT 1 FROM image WHERE path = CAST(? AS TEXT) LIMIT 1"
        return bool(self._execute(statement, name.encode(errors="surrogateescape")))


def check_text(names: Iterable[str]) -> None:
    """Refuse what the file cannot hold."""
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise ProjectError(
                f"The image name {name!a} is not valid text; rename the file."
            ) from error
