"""The tool in hand and the settings of all tools."""

from typing import Final

from PySide6.QtCore import QElapsedTimer, QObject, Signal

from core import superpixels
from core.images import Rgb
from core.strokes import Tip
from core.superpixels import Superpixels
from core.wand import MAX_TOLERANCE

BRUSH: Final = "brush"
ERASER: Final = "eraser"
POLYGON: Final = "polygon"
LASSO: Final = "lasso"
WAND: Final = "wand"
SUPERPIXEL: Final = "superpixel"
FILL: Final = "fill"
MERGE: Final = "merge"
SPLIT: Final = "split"
REGION: Final = "region"
PICK: Final = "pick"
PAN: Final = "pan"  # moves the view and never touches the document, so the canvas does it
AREAS: Final = frozenset(
    {POLYGON, LASSO, FILL, WAND, SUPERPIXEL}
)  # add areas, or subtract them
MIN_SIZE: Final = 1
MAX_SIZE: Final = 1000
HOLD_MS: Final = 300


class ToolBox(QObject):
    """The tool in hand, and what can be set about tools.

    Attributes:
        name: of the tool in hand.
        size: diameter of brush and eraser in image pixels.
        tip: their shape.
        is_subtracting: whether tools that take an area make it void instead of giving it to
            the selected segment.
        tolerance: 0..255, how far a colour may be from the one that the wand touched.
        is_contiguous: whether the wand takes only pixels connected to that one.
        superpixel_size: in image pixels, about.

    Signals:
        changed(): another tool or another setting.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.name = BRUSH
        self.size = 20
        self.tip = Tip.ROUND
        self.is_subtracting = False
        self.tolerance = 24
        self.is_contiguous = True
        self.superpixel_size = 24
        self._superpixels: Superpixels | None = None
        self._before_hold = ""
        self._held_for = QElapsedTimer()

    @property
    def has_brush(self) -> bool:
        """Whether the tool in hand paints with a tip."""
        return self.name in {BRUSH, ERASER}

    def take(self, name: str) -> None:
        """Put another tool in hand, by one of the names above."""
        self._before_hold = ""
        self.name = name
        self.changed.emit()

    def hold(self, name: str) -> None:
        """Take a tool with a key that `let_go` ends; a short press keeps it in hand."""
        before = self.name
        self.take(name)
        self._before_hold = before
        self._held_for.start()

    def let_go(self) -> None:
        """Go back to the tool before `hold`, if the key was held for long."""
        if self._before_hold and self._held_for.elapsed() >= HOLD_MS:
            self.take(self._before_hold)

    # Settings.

    def set_size(self, size: int) -> None:
        """Make brush and eraser that wide, within limits."""
        self.size = min(max(size, MIN_SIZE), MAX_SIZE)
        self.changed.emit()

    def grow(self, steps: int) -> None:
        """Have the tool in hand take more, or less for negative steps.

        That is a larger superpixel, another tolerance of the wand, or else a wider brush; a
        wide brush changes faster.
        """
        if self.name == SUPERPIXEL:
            self.set_superpixel_size(self.superpixel_size + steps)
        elif self.name == WAND:
            self.set_tolerance(self.tolerance + steps)
        else:
            size = self.size
            for _ in range(abs(steps)):
                size += max(1, size // 10) if steps > 0 else -max(1, size // 11)
            self.set_size(size)

    def set_tip(self, tip: Tip) -> None:
        self.tip = tip
        self.changed.emit()

    def set_subtracting(self, is_subtracting: bool) -> None:
        self.is_subtracting = is_subtracting
        self.changed.emit()

    def set_tolerance(self, tolerance: int) -> None:
        """Let the wand take colours that far from the one it touches, within limits."""
        self.tolerance = min(max(tolerance, 0), MAX_TOLERANCE)
        self.changed.emit()

    def set_contiguous(self, is_contiguous: bool) -> None:
        self.is_contiguous = is_contiguous
        self.changed.emit()

    def set_superpixel_size(self, size: int) -> None:
        """Make superpixels about that large, within limits."""
        self.superpixel_size = min(max(size, superpixels.MIN_SIZE), superpixels.MAX_SIZE)
        self.changed.emit()

    def superpixels_of(self, image: Rgb) -> Superpixels:
        """Those of the image at hand; what has been computed of them is kept."""
        known = self._superpixels
        if known is None or known.image is not image or known.size != self.superpixel_size:
            known = self._superpixels = Superpixels(image, self.superpixel_size)
        return known
