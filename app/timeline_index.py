"""What the timeline knows of a clip: read in a thread, and again where something changes."""

import logging
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from threading import Event
from time import monotonic
from typing import Final

from PySide6.QtCore import QObject, QThreadPool, QTimer, Signal, Slot

from core.clips import Clip, FrameState
from core.errors import AnnotateError
from core.presence import Presence, find_categories
from core.store import AnnotationStore, Review

BLOCK_S: Final = 0.3  # what is read for so long is told at once
REFRESH_MS: Final = 60  # edits that follow each other so fast are read once
VOID: Final = FrameState()

# Of frames: the state and, where the map is another one, segment id -> category id.
Found = dict[int, tuple[FrameState, Mapping[int, int] | None]]

_log = logging.getLogger(__name__)


class TimelineIndex(QObject):
    """The states and segments of the frames of one clip.

    A clip of 10,000 frames is gone through in a thread; what an edit changes is read next.

    Attributes:
        clip: None for none.
        states: of each frame; those of a new project until they are read.
        presence: which segments each frame has.

    Signals:
        changed(): something is known that was not.
    """

    changed = Signal()
    _read = Signal(object, object)
    _ended = Signal(object)

    def __init__(self, store: AnnotationStore, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._path = store.path
        self.clip: Clip | None = None
        self.states: list[FrameState] = []
        self.presence = Presence(0)
        self._marks: dict[int, tuple[int, int]] = {}  # of the maps that `presence` is of
        self._places: Mapping[int, int] = {}
        self._stale: deque[int] = deque()  # frames to be read; the thread takes them from it
        self._stopped: Event | None = None  # of the thread that reads
        self._pool = QThreadPool(self)
        self._refreshing = QTimer(self, singleShot=True, interval=REFRESH_MS)
        self._refreshing.timeout.connect(self._start)
        self._read.connect(self._on_read)
        self._ended.connect(self._on_ended)

    @property
    def is_complete(self) -> bool:
        """Whether nothing is being read, nor about to be."""
        return not self._stale and self._stopped is None

    def show_clip(self, clip: Clip | None) -> None:
        """Know all about another clip as soon as it is read."""
        self.stop()
        self.clip = clip
        image_ids = () if clip is None else clip.image_ids
        self._places = {image_id: frame for frame, image_id in enumerate(image_ids)}
        self.states = [VOID] * len(image_ids)
        self.presence = Presence(len(image_ids))
        self._marks = {}
        self.forget_all()
        self.changed.emit()

    def frame_of(self, image_id: int) -> int | None:
        """The place of an image in the clip; None if it is not of it."""
        return self._places.get(image_id)

    @Slot(int)
    def forget(self, image_id: int) -> None:
        """Read a frame again, soon and before others: something about it has changed."""
        frame = self.frame_of(image_id)
        if frame is not None:
            self._stale.appendleft(frame)
            self._refreshing.start()

    def forget_all(self) -> None:
        """Read every frame again of which another map is known than it has."""
        self.stop()
        self._stale = deque(range(len(self.states)))
        self._start()

    def stop(self) -> None:
        """Let the thread end."""
        self._refreshing.stop()
        if self._stopped is not None:
            self._stopped.set()
        self._stopped = None

    def find(self, frame: int, way: int, is_wanted: Callable[[FrameState], bool]) -> int | None:
        """The next frame after or, for a way of -1, before one whose state is wanted.

        After the last comes the first; None if no other frame is wanted.
        """
        n = len(self.states)
        places = ((frame + way * step) % n for step in range(1, n))
        return next((place for place in places if is_wanted(self.states[place])), None)

    @Slot()
    def _start(self) -> None:
        if self.clip is not None and self._stale and self._stopped is None:
            self._stopped = Event()
            job = _Job(self.clip, self._stale, dict(self._marks), self._stopped)
            self._pool.start(partial(self._work, job))

    def _work(self, job: "_Job") -> None:
        """In a thread: read, through a connection of its own."""
        try:
            with AnnotationStore.open(self._path, is_read_only=True) as store:
                job.read(store, partial(self._read.emit, job.clip))
        except AnnotateError:
            job.stale.clear()  # opening a frame says what is wrong
        except Exception:  # noqa: BLE001 - the edge of the thread
            _log.exception("the timeline cannot read the clip")
            job.stale.clear()
        self._ended.emit(job.stopped)

    @Slot(object, object)
    def _on_read(self, clip: Clip, found: Found) -> None:
        if clip is not self.clip or not found:
            return
        for frame, (state, category_ids) in found.items():
            self.states[frame] = state
            if category_ids is not None:
                self._marks[frame] = state.mark
                self.presence.put(frame, category_ids)
        self.changed.emit()

    @Slot(object)
    def _on_ended(self, stopped: Event) -> None:
        if stopped is self._stopped:
            self._stopped = None
            self._start()


class _Job:
    """What the thread does: the states of all frames first, then their segments.

    Args:
        stale: frames to be read; others may be added meanwhile.
        marks: of the maps whose segments are known.
        stopped: set when nothing is wanted any more.
    """

    def __init__(
        self,
        clip: Clip,
        stale: deque[int],
        marks: dict[int, tuple[int, int]],
        stopped: Event,
    ) -> None:
        self.clip = clip
        self.stale = stale
        self.stopped = stopped
        self._marks = marks

    def read(self, store: AnnotationStore, tell: Callable[[Found], object]) -> None:
        """Tell what is found, again and again."""
        if len(self.stale) > 1:
            states = self._states(store, sorted(set(self.stale)))
            tell({frame: (state, None) for frame, state in states.items()})
        block, told = Found(), monotonic()
        while self.stale and not self.stopped.is_set():
            frame = self.stale.popleft()
            state, found = self._look_up(store, frame)
            if found is None and frame in block:
                found = block[frame][1]  # it was to be read twice
            block[frame] = state, found
            if monotonic() - told > BLOCK_S:
                tell(block)
                block, told = Found(), monotonic()
        tell(block)

    def _states(self, store: AnnotationStore, frames: list[int]) -> dict[int, FrameState]:
        ids = [self.clip.image_ids[frame] for frame in frames]
        states = store.frame_states(ids)
        return {
            frame: states.get(image_id, VOID)
            for frame, image_id in zip(frames, ids, strict=True)
        }

    def _look_up(
        self, store: AnnotationStore, frame: int
    ) -> tuple[FrameState, Mapping[int, int] | None]:
        state = self._states(store, [frame])[frame]
        if state.mark == self._marks.get(frame, VOID.mark):
            return state, None
        self._marks[frame] = state.mark
        return state, find_categories(store, self.clip.image_ids[frame])


def is_corrected(state: FrameState) -> bool:
    """Whether a person has worked on a frame or approved it."""
    return state.review in {Review.IN_WORK, Review.APPROVED}
