"""Playing a clip: which frame it is time for, at the clip's rate or another one."""

from typing import Final

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal, Slot

DEFAULT_FPS: Final = 25.0  # of a folder, and of a video that does not say it
SPEEDS: Final = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
MIN_TICK_MS: Final = 10


class Player(QObject):
    """Says which frame is to be seen now; frames that there is no time for are left out.

    Attributes:
        is_playing: whether it does.
        is_looping: whether it begins again after the range, or the clip without one.
        speed: how many times as fast as the clip.

    Signals:
        frame_wanted(int): it is time for this frame.
        changed(): playing or not, the speed, the range.
    """

    frame_wanted = Signal(int)
    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.is_playing = False
        self.is_looping = False
        self.speed = 1.0
        self._range: tuple[int, int] | None = None
        self._n_frames = 0
        self._fps = DEFAULT_FPS
        self._began_at = 0  # the frame that was seen when the clock began
        self._frame = 0
        self._clock = QElapsedTimer()
        self._ticks = QTimer(self)
        self._ticks.timeout.connect(self._on_tick)

    @property
    def loop(self) -> tuple[int, int] | None:
        """The first and the last frame of the range, if there is one."""
        return self._range

    def use_clip(self, n_frames: int) -> None:
        """Play another clip, from its beginning; the range was of the last one."""
        self.pause()
        self._n_frames, self._range = n_frames, None
        self.changed.emit()

    def set_fps(self, fps: float) -> None:
        """The rate of the clip; zero for not known."""
        fps = fps or DEFAULT_FPS
        if fps != self._fps:
            self._fps = fps
            self._begin_at(self._frame)
            self.changed.emit()

    @property
    def fps(self) -> float:
        """Frames a second at speed 1."""
        return self._fps

    def set_speed(self, speed: float) -> None:
        """Play so many times as fast."""
        self.speed = speed
        self._begin_at(self._frame)
        self.changed.emit()

    def change_speed(self, by: int) -> None:
        """Play at the next faster or slower speed."""
        place = SPEEDS.index(self.speed) + by
        self.set_speed(SPEEDS[min(max(place, 0), len(SPEEDS) - 1)])

    def play(self, frame: int) -> None:
        """Play on from a frame; from the last one, begin again."""
        if self._n_frames == 0:
            return
        first, last = self._ends()
        self.is_playing = True
        self._begin_at(frame if first <= frame < last else first)
        self.frame_wanted.emit(self._frame)
        self.changed.emit()

    @Slot()
    def pause(self) -> None:
        """Stay where one is."""
        if self.is_playing:
            self.is_playing = False
            self._ticks.stop()
            self.changed.emit()

    def seek(self, frame: int) -> None:
        """Go on from another frame, if it plays."""
        self._begin_at(frame)

    def toggle_loop(self) -> None:
        """Begin again at the end, or stop there."""
        self.is_looping = not self.is_looping
        self.changed.emit()

    def begin_range(self, frame: int) -> None:
        """Let the range begin here; it ends where it did, if that is later."""
        last = self._n_frames - 1
        end = self._range[1] if self._range is not None else last
        self._set_range(frame, end if end > frame else last)

    def end_range(self, frame: int) -> None:
        """Let the range end here; it begins where it did, if that is earlier."""
        begin = self._range[0] if self._range is not None else 0
        self._set_range(begin if begin < frame else 0, frame)

    def _set_range(self, first: int, last: int) -> None:
        whole = 0, self._n_frames - 1
        self._range = None if (first, last) == whole or first >= last else (first, last)
        self.is_looping = self._range is not None
        self.changed.emit()

    def _ends(self) -> tuple[int, int]:
        whole = 0, self._n_frames - 1
        return self._range if self._range is not None and self.is_looping else whole

    def _begin_at(self, frame: int) -> None:
        self._began_at = self._frame = frame
        self._clock.start()
        if self.is_playing:
            self._ticks.start(max(round(1000 / (self._fps * self.speed)), MIN_TICK_MS))

    @Slot()
    def _on_tick(self) -> None:
        first, last = self._ends()
        passed = int(self._clock.elapsed() * self._fps * self.speed / 1000)
        frame = self._began_at + passed
        if frame > last:
            if not self.is_looping:
                self.frame_wanted.emit(last)
                self.pause()
                return
            frame = first
            self._begin_at(first)
        self._frame = frame
        self.frame_wanted.emit(frame)
