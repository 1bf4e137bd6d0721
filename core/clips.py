"""Which images of a project follow each other: the frames of a video, numbered files."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from core.database import ProjectDatabase
from core.review import Review

_AT_ONCE: Final = 500  # rows read by one statement; SQLite has a limit
_NUMBERED: Final = re.compile(r"(|.*[^0-9])([0-9]+)", re.DOTALL)
# The expression on frames is that of the index.
_FRAMES: Final = (
    "SELECT id FROM image WHERE path = ? AND frame IS NOT NULL ORDER BY coalesce(frame, -1)"
)
_STATES: Final = "SELECT id, position, branch, review, expected_work FROM image "
_FILES: Final = (
    "SELECT id, path FROM image INDEXED BY image_source WHERE path >= ? AND path < ? "
    "AND frame IS NULL AND height = ? AND width = ?"
)


@dataclass(frozen=True, slots=True)
class Clip:
    """Images that belong together, from the first to the last in time.

    Attributes:
        image_ids: at least two; a segment of one id is the same thing in all of them.
    """

    image_ids: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.image_ids)

    def index_of(self, image_id: int) -> int | None:
        """The place of an image in the clip, from 0; None if it is not of it."""
        return self.image_ids.index(image_id) if image_id in self.image_ids else None


@dataclass(frozen=True, slots=True)
class FrameState:
    """How far a frame is.

    Attributes:
        mark: tells its map from every other that it has had or will have, as
            `AnnotationStore.mark` does.
        expected_work: as of `ImageRecord`.
    """

    mark: tuple[int, int] = (0, 0)
    review: Review = Review.EMPTY
    expected_work: float | None = None

    @property
    def is_void(self) -> bool:
        """Whether no edit is in effect, so that there is no segment."""
        return self.mark[0] == 0


class ProjectClips(ProjectDatabase):
    """The part of `AnnotationStore` about what follows what."""

    def images_like(self, image_id: int) -> list[int]:
        """The images that `clip_of` an image consists of, which may be this one alone.

        Raises:
            ValueError: the project does not have the image.
        """
        rows = self._read("image", "WHERE id = ?", image_id)
        if not rows:
            raise ValueError(f"the project {self.path} has no image {image_id}")
        _, path, frame, height, width, *_ = rows[0]
        if frame is not None:
            return [id_ for (id_,) in self._execute(_FRAMES, path)]
        return self._numbered_like(path, (height, width)) or [image_id]

    def frame_states(self, image_ids: Sequence[int]) -> dict[int, FrameState]:
        """How far some images are, by id; a hundred thousand take less than a second."""
        found: dict[int, FrameState] = {}
        for start in range(0, len(image_ids), _AT_ONCE):
            some = image_ids[start : start + _AT_ONCE]
            where = f"WHERE id IN ({', '.join('?' * len(some))})"
            for id_, position, branch, review, work in self._execute(_STATES + where, *some):
                try:
                    found[id_] = FrameState((position, branch), Review(review), work)
                except ValueError as error:
                    raise self._damage(f"Image {id_}", error) from error
        return found

    def _numbered_like(self, path: str, size: tuple[int, int]) -> list[int]:
        suffix = PurePosixPath(path).suffix
        parts = _NUMBERED.fullmatch(path.removesuffix(suffix))
        if parts is None:
            return []
        before = parts[1]
        # What begins so and goes on with a digit: the colon comes after the nine.
        rows = self._execute(_FILES, f"{before}0", f"{before}:", *size)
        ending = re.compile(f"([0-9]+){re.escape(suffix)}")
        found = []
        for image_id, other in rows:
            numbered = ending.fullmatch(other, len(before))
            if numbered:
                found.append((int(numbered[1]), other, image_id))
        return [image_id for *_, image_id in sorted(found)]


def clip_of(store: ProjectClips, image_id: int) -> Clip | None:
    """The clip that an image belongs to; None if it is alone.

    A clip is either all frames of one video that the project has, or the files of one folder
    that have the same size, suffix and name but for the number at its end, in the order of the
    numbers.

    Raises:
        ValueError: the project does not have the image.
    """
    image_ids = store.images_like(image_id)
    return Clip(tuple(image_ids)) if len(image_ids) > 1 else None
