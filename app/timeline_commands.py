"""Going through a clip: what keys, buttons and the timeline ask for, and how it is shown."""

from dataclasses import replace
from math import ceil
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from app.canvas_frame import CanvasFrame
from app.document import Document
from app.frame_panel import ImageList
from app.menus import Actions
from app.onion_skin import OnionSkin
from app.settings import Preferences
from app.timeline import Timeline
from app.timeline_bar import Place
from app.timeline_index import TimelineIndex, is_corrected
from app.timeline_player import Player
from core.clips import FrameState, clip_of
from core.errors import AnnotateError
from core.panoptic import VOID
from core.review import VERDICTS

ANY: Final = -1
DOUBTFUL_SHARE: Final = 0.25  # of the frames of which the expected work is known
NONE_CORRECTED: Final = "No other frame of the clip is in work or approved."
NONE_DOUBTFUL: Final = (
    "Of no other frame of the clip is it known that much work is expected: pre-annotate the "
    "clip with more than one sample."
)


class TimelineCommands(QObject):
    """Opens frames of the clip that the open image belongs to; the newest wish wins.

    Attributes:
        view: the timeline, shown while there is a clip and it is wanted.
        index: what is known of the clip.
        player: plays it.
        onion: outlines of the frames beside the open one.
        is_wanted: whether the timeline may be seen.

    Signals:
        image_wanted(int): the image of this id is to be opened.
        told(object): a sentence on why nothing happens.
        changed(): clip, place, playing, or whether the timeline may be seen.
    """

    image_wanted = Signal(int)
    told = Signal(object)
    changed = Signal()

    def __init__(
        self,
        document: Document,
        frame: CanvasFrame,
        images: ImageList,
        preferences: Preferences,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._document = document
        self._preferences = preferences
        self.is_wanted = True
        self.index = TimelineIndex(document.store, self)
        self.onion = OnionSkin(document, self.index, self)
        self.player = Player(self)
        self.view = Timeline(self.player)
        self._wish: int | None = None  # a frame that is to be opened
        self._segment_id = VOID  # to be selected in the frame that is opened next
        self._doubtful: frozenset[int] = frozenset()
        self._opening = QTimer(self, singleShot=True, interval=0)
        self._opening.timeout.connect(self._open_wish)
        self.index.changed.connect(self._on_index_changed)
        self.player.frame_wanted.connect(self.want)
        self.player.changed.connect(self._show_place)
        self.player.changed.connect(self.changed)
        self.view.fps_chosen.connect(self._on_fps_chosen)
        self.view.bar.pressed.connect(self.player.pause)
        self.view.bar.frame_wanted.connect(self.want)
        self.view.strip.segment_wanted.connect(self._on_segment_wanted)
        frame.add_below(self.view)
        frame.canvas.gesture_began.connect(self.player.pause)
        document.image_changed.connect(self._on_image_changed)
        document.selection_changed.connect(self._show_place)
        document.categories_changed.connect(self._on_index_changed)
        document.others_edited.connect(images.forget_all)
        frame.canvas.wear(self.onion)
        images.forgotten.connect(self.index.forget)
        images.forgotten.connect(self.onion.forget)
        self.image_wanted.connect(images.choose)
        self.view.hide()

    def join(self, commands: Actions) -> None:
        """Put the actions of the table onto the timeline, and keep them up to date."""
        self.view.join(commands)
        self.changed.connect(commands.refresh)

    # What is asked.

    @property
    def has_clip(self) -> bool:
        """Whether the open image belongs to a clip."""
        return self.index.clip is not None

    @property
    def frame(self) -> int | None:
        """The frame that is wished for, else the open one; None without a clip."""
        if self._wish is not None:
            return self._wish
        record = self._document.record
        return None if record is None else self.index.frame_of(record.id)

    @property
    def is_playing(self) -> bool:
        return self.player.is_playing

    @property
    def is_looping(self) -> bool:
        return self.player.is_looping

    # What is done.

    @Slot(int)
    def want(self, frame: int) -> None:
        """Open a frame as soon as the last one is read."""
        if self.index.clip is not None and frame != self.frame:
            self._wish = frame
            self._show_place()
            self._opening.start()

    def step(self, by: int) -> None:
        """Go to the frame that many after the one that is seen; the ends stop it."""
        if self.index.clip is not None and self.frame is not None:
            frame = min(max(self.frame + by, 0), len(self.index.clip) - 1)
            self._go(frame)

    def go_to_end(self, way: int) -> None:
        """Go to the first frame, or for a way of 1 to the last."""
        if self.index.clip is not None:
            self._go(0 if way < 0 else len(self.index.clip) - 1)

    def toggle_playing(self) -> None:
        """Play from here, or stay here."""
        if self.player.is_playing:
            self.player.pause()
        elif self.frame is not None:
            self.player.play(self.frame)

    def begin_range(self) -> None:
        """Let the range that is played again and again begin here."""
        if self.frame is not None:
            self.player.begin_range(self.frame)

    def end_range(self) -> None:
        """Let the range end here."""
        if self.frame is not None:
            self.player.end_range(self.frame)

    def go_to_corrected(self, way: int) -> None:
        """Go to the next frame that somebody has worked on, or for -1 to the one before."""
        if self.frame is not None:
            self._go_or_say(self.index.find(self.frame, way, is_corrected), NONE_CORRECTED)

    def go_to_doubtful(self) -> None:
        """Go to the next frame where much work is expected."""
        if self.frame is None:
            return
        later = [frame for frame in sorted(self._doubtful) if frame > self.frame]
        others = later + [frame for frame in sorted(self._doubtful) if frame < self.frame]
        self._go_or_say(others[0] if others else None, NONE_DOUBTFUL)

    def toggle_view(self) -> None:
        """Show the timeline, or do not."""
        self.is_wanted = not self.is_wanted
        self.view.setVisible(self.is_wanted and self.has_clip)
        self.changed.emit()

    def look_again(self) -> None:
        """Find the clip anew: the project has other images, or others edited them."""
        self._find_clip(is_forced=True)

    def stop(self) -> None:
        """Let the thread end."""
        self.player.pause()
        self.index.stop()

    def _go(self, frame: int) -> None:
        """Open a frame at once, if none is being read."""
        self.player.seek(frame)
        self.want(frame)
        self._open_wish()

    def _go_or_say(self, frame: int | None, sentence: str) -> None:
        if frame is None:
            self.told.emit(sentence)
        else:
            self._go(frame)

    @Slot()
    def _open_wish(self) -> None:
        self._opening.stop()
        if self._wish is None or self.index.clip is None or self._document.reader.is_reading:
            return  # when it is read, this is tried again
        image_id, self._wish = self.index.clip.image_ids[self._wish], None
        self._segment_id = self._segment_id or self._document.selected_id
        self.image_wanted.emit(image_id)
        self._show_place()  # nothing was opened if something is being drawn

    # What happened.

    @Slot()
    def _on_image_changed(self) -> None:
        self._find_clip()
        if self._document.map is not None:
            self._select()
        if self._wish is not None and not self._document.reader.is_reading:
            self._opening.start()
        self._show_rate()
        self._show_place()
        self.changed.emit()

    def _select(self) -> None:
        """Stay with the segment that was selected in the last frame, if it is here as well."""
        segment_id, self._segment_id = self._segment_id, VOID
        if segment_id:
            self._document.select(segment_id)

    def _find_clip(self, *, is_forced: bool = False) -> None:
        record = self._document.record
        is_known = record is not None and self.index.frame_of(record.id) is not None
        if is_known and not is_forced:
            return
        try:
            clip = None if record is None else clip_of(self._document.store, record.id)
        except AnnotateError as error:
            self._document.failed.emit(str(error))
            clip = None
        if clip is None and self.index.clip is None:
            return
        self._wish = None
        self.player.use_clip(0 if clip is None else len(clip))
        self.index.show_clip(clip)
        self.view.setVisible(self.is_wanted and clip is not None)

    @Slot()
    def _on_index_changed(self) -> None:
        self._doubtful = find_doubtful(self.index.states)
        self.view.bar.show_states(self.index.states, self._doubtful)
        self.view.strip.show_presence(
            self.index.presence, len(self.index.states), self._document.categories
        )
        self._show_place()

    @Slot()
    def _show_place(self) -> None:
        frame, player = self.frame, self.player
        place = Place(frame, player.loop, player.is_looping)
        self.view.show_place(place, "" if frame is None else self._describe(frame))
        self.view.strip.show_place(frame, self._document.selected_id)

    def _describe(self, frame: int) -> str:
        n_frames = len(self.index.states)
        seconds = frame / self.player.fps
        state = self.index.states[frame].review.value
        time = f"{int(seconds) // 60}:{seconds % 60:05.2f}"
        return f"{frame + 1:,} of {n_frames:,}   {time}   {state}"

    def _show_rate(self) -> None:
        record, folder_fps = self._document.record, self._preferences.values.folder_fps
        is_folder = record is not None and record.frame is None
        self.player.set_fps(folder_fps if is_folder else self._document.reader.fps)
        self.view.show_fps(folder_fps, is_folder=is_folder)

    @Slot(int)
    def _on_fps_chosen(self, fps: int) -> None:
        self._preferences.use(replace(self._preferences.values, folder_fps=fps))
        self._show_rate()
        self._show_place()

    @Slot(int, int)
    def _on_segment_wanted(self, segment_id: int, frame: int) -> None:
        """Select a segment, where it is: in a frame, else the one nearest to it."""
        frames = self.index.presence.frames_of(segment_id)
        if not frames.size or self.frame is None:
            return
        if frame == ANY:
            frame = self.frame
        if frame not in frames:
            frame = int(frames[abs(frames - frame).argmin()])
        self._segment_id = segment_id
        if frame == self.frame:
            self._select()
        else:
            self._go(frame)


def find_doubtful(states: list[FrameState]) -> frozenset[int]:
    """The frames where most work is expected: a quarter of those of which that is known."""
    known = sorted(
        (-state.expected_work, frame)
        for frame, state in enumerate(states)
        if state.expected_work and state.review not in VERDICTS
    )
    return frozenset(frame for _, frame in known[: ceil(len(known) * DOUBTFUL_SHARE)])
