"""How the open image and its map are drawn; none of it changes either."""

from typing import Final

from PySide6.QtCore import QObject, Signal

from app.tone import Tone

OPACITY_STEP: Final = 0.1


class Look(QObject):
    """What the View menu can change but for the place of the image.

    Attributes:
        opacity: of the inside of segments, 0 to 1.
        is_outlined: whether segments are drawn as outlines only.
        is_by_category: whether all segments of a category have its colour, or each its own.
        is_image_only: whether the map is not drawn.
        is_highlighting: whether the segment under the mouse is marked.
        tone: of the image.
        has_grid: whether lines part magnified pixels.
        has_rulers: whether coordinates are written along the edges.
        has_navigator: whether a small picture shows where a part of the image lies.

    Signals:
        recolored(): the map has other colours.
        retoned(): the image has another tone, or a grid.
        changed(): anything, after the others.
    """

    recolored = Signal()
    retoned = Signal()
    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.opacity = 0.4
        self.is_outlined = False
        self.is_by_category = False
        self.is_image_only = False
        self.is_highlighting = True
        self.tone = Tone()
        self.has_grid = True
        self.has_rulers = True
        self.has_navigator = True

    def set_opacity(self, opacity: float) -> None:
        """Let the image shine through segments more or less."""
        self.opacity = min(max(opacity, 0.0), 1.0)
        self._recolor()

    def raise_opacity(self) -> None:
        self.set_opacity(round(self.opacity + OPACITY_STEP, 2))

    def lower_opacity(self) -> None:
        self.set_opacity(round(self.opacity - OPACITY_STEP, 2))

    def toggle_outlines(self) -> None:
        """Draw segments as outlines only, or filled again."""
        self.is_outlined = not self.is_outlined
        self._recolor()

    def toggle_by_category(self) -> None:
        """Give all segments of a category its colour, or each one of its own."""
        self.is_by_category = not self.is_by_category
        self._recolor()

    def toggle_image_only(self) -> None:
        """Show the image without its map, or with it again."""
        self.set_image_only(not self.is_image_only)

    def set_image_only(self, is_image_only: bool) -> None:
        if is_image_only == self.is_image_only:
            return
        self.is_image_only = is_image_only
        self.changed.emit()

    def set_tone(self, tone: Tone) -> None:
        """Show the image brighter, darker, stretched or in one channel."""
        if tone != self.tone:
            self.tone = tone
            self.retoned.emit()
            self.changed.emit()

    def reset_tone(self) -> None:
        """Show the image as it is shown at first."""
        self.set_tone(Tone())

    def set_aids(
        self,
        *,
        is_by_category: bool,
        is_highlighting: bool,
        has_grid: bool,
        has_rulers: bool,
        has_navigator: bool,
    ) -> None:
        """Turn on and off what helps to see and to find one's way, all at once."""
        self.is_by_category = is_by_category
        self.is_highlighting = is_highlighting
        self.has_grid = has_grid
        self.has_rulers = has_rulers
        self.has_navigator = has_navigator
        self.retoned.emit()
        self._recolor()

    def toggle_highlight(self) -> None:
        """Mark the segment under the mouse, or none."""
        self.is_highlighting = not self.is_highlighting
        self.changed.emit()

    def toggle_grid(self) -> None:
        """Part magnified pixels by lines, or by nothing."""
        self.has_grid = not self.has_grid
        self.retoned.emit()
        self.changed.emit()

    def toggle_rulers(self) -> None:
        """Write coordinates along the edges, or not."""
        self.has_rulers = not self.has_rulers
        self.changed.emit()

    def toggle_navigator(self) -> None:
        """Show where in the image the view lies, or not."""
        self.has_navigator = not self.has_navigator
        self.changed.emit()

    def _recolor(self) -> None:
        self.recolored.emit()
        self.changed.emit()
