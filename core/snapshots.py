"""Snapshots: maps kept between the edits of a journal, so that an image opens fast.

They are made in a thread, through a connection of its own, and only when replaying the edits
since the last one has become costly: a stroke never pays for one, and an image with ten
thousand edits has a few dozen. A snapshot that was never made costs time and nothing else.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Final

from core.errors import AnnotateError
from core.image_states import Place
from core.journal import encode_map
from core.project_corrections import ProjectCorrections
from core.schema import open_database

SNAPSHOT_COST: Final = 40_000_000  # pixels written by replaying; about 100 ms


class ProjectSnapshots(ProjectCorrections):
    """The part of `AnnotationStore` that makes snapshots."""

    def needs_snapshot(self, image_id: int) -> bool:
        """Whether replaying the edits since the last snapshot has become costly."""
        place = self._place(image_id)
        return self._cost_since_snapshot(place) > SNAPSHOT_COST

    def take_snapshot(self, image_id: int) -> None:
        """Keep the present map of an image beside its edits, unless there is one already."""
        with self._reading():
            place = self._place(image_id)
            if not self._cost_since_snapshot(place):
                return
            payload = encode_map(self._map_at(place, place.position))
            provenance = self._find_provenance(place)
        with self._writing():  # which waits for nothing but the disk
            now = self._place(image_id)
            if now.branch == place.branch and now.base <= place.position:
                self._keep_snapshot(place.image_id, place.position, payload)
                if provenance is not None:
                    self._keep_provenance(place, *provenance)

    def _keep_snapshot(self, image_id: int, seq: int, payload: bytes) -> None:
        self._execute("DELETE FROM snapshot WHERE image_id = ? AND seq = ?", image_id, seq)
        self._insert("snapshot", image_id, seq, payload)

    def _cost_since_snapshot(self, place: Place) -> int:
        statement = "SELECT max(seq) FROM snapshot WHERE image_id = ? AND seq <= ?"
        ((last,),) = self._execute(statement, place.image_id, place.position)
        return self._replay_cost(place.image_id, last or 0, place.position)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Let all statements inside see the same state of the project."""
        self._execute("BEGIN")
        try:
            yield
        finally:
            self._execute("COMMIT")


class SnapshotWriter:
    """Makes snapshots in a thread, one after another.

    Attributes:
        path: of the project.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._wanted: SimpleQueue[int | None] = SimpleQueue()
        self._waiting: set[int] = set()
        self._lock = Lock()
        self._thread: Thread | None = None

    def request(self, image_id: int) -> None:
        """Let the thread make a snapshot of an image soon; returns at once."""
        with self._lock:
            if image_id in self._waiting:
                return
            self._waiting.add(image_id)
        if self._thread is None:
            self._thread = Thread(target=self._work, name="snapshots", daemon=True)
            self._thread.start()
        self._wanted.put(image_id)

    def wait(self) -> None:
        """Make all snapshots that were asked for, and end the thread."""
        if self._thread is not None:
            self._wanted.put(None)
            self._thread.join()
            self._thread = None

    def _work(self) -> None:
        while (image_id := self._wanted.get()) is not None:
            # Whatever went wrong, the journal has every edit, and who writes next is told.
            with suppress(AnnotateError, sqlite3.Error), self._connected() as project:
                project.take_snapshot(image_id)
            with self._lock:
                self._waiting.discard(image_id)

    @contextmanager
    def _connected(self) -> Iterator[ProjectSnapshots]:
        with closing(open_database(self.path, is_read_only=False)) as connection:
            yield ProjectSnapshots(self.path, connection)
