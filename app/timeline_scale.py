"""Where in the timeline a frame lies: beside the names of segments, all frames of the clip."""

from dataclasses import dataclass, field
from typing import Final

from app.theme import scaled

NAMES_WIDTH: Final = 132  # of the column with the names of segments
MARGIN: Final = 12  # on the right, for the scroll bar
LABEL_STEPS: Final = (1, 2, 5)
LABEL_WIDTH: Final = 64


@dataclass(frozen=True, slots=True)
class TimelineScale:
    """Frames side by side in a widget of some width.

    Attributes:
        left: where the first frame begins.
    """

    n_frames: int
    width: int
    left: int = field(default_factory=lambda: scaled(NAMES_WIDTH))

    @property
    def pixels(self) -> float:
        """The width of a frame."""
        return max(self.width - self.left - MARGIN, 1) / max(self.n_frames, 1)

    def x_of(self, frame: int) -> float:
        """Where a frame begins."""
        return self.left + frame * self.pixels

    def middle_of(self, frame: int) -> float:
        """The middle of a frame."""
        return self.left + (frame + 0.5) * self.pixels

    def frame_at(self, x: float) -> int:
        """The frame at a place, else the one next to it."""
        frame = int((x - self.left) // self.pixels)
        return min(max(frame, 0), max(self.n_frames - 1, 0))

    def label_step(self) -> int:
        """How many frames lie between two numbers that are written."""
        size = 1
        while True:
            for step in LABEL_STEPS:
                if step * size * self.pixels >= scaled(LABEL_WIDTH):
                    return step * size
            size *= 10
