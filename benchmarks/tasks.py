"""The tasks that every program is measured on; other programs read it: standard library only.

All programs get the same images, maps and mouse movements, and call a task done when what it
changed is on the screen.
"""

import json
import math
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WINDOW = (1440, 900)
LARGE, LARGE_SEGMENTS = 4096, 500
MEDIUM, MEDIUM_SEGMENTS = 2048, 200
HUGE = 10_000  # 100 megapixels
STROKES, MOVES = 8, 40
BRUSH_SIZE = 60
FILLS = 8
ROW_TO_FILL = 1958  # of the large maps; runs between the discs of the second one
CHANGES = 12
FEW = 3  # times, of what takes seconds somewhere

PRESS = "begin a stroke, until shown"
MOVE = "mouse event of a stroke"
PAINT = "repaint after it"
MOVE_SHOWN = "both together"
STROKE_DONE = "end a stroke, until saved and shown"
UNDO, REDO = "undo of a stroke", "redo of a stroke"
FILL_SEGMENT = "fill one of 500 segments"
FILL_AROUND = "fill the void around 500"
FILL_ALL = "fill a whole empty map"
UNDO_IT, REDO_IT = "undo: {}", "redo: {}"
CHANGE = "change to a 2048 x 2048 image"

Place = tuple[float, float]


class Stopwatch:
    """What the events of each task took, in milliseconds.

    Attributes:
        taken: by the clock on the wall.
        worked: by the processor, in all threads; the same on a busy machine as on an idle one.
    """

    def __init__(self) -> None:
        self.taken: defaultdict[str, list[float]] = defaultdict(list)
        self.worked: defaultdict[str, list[float]] = defaultdict(list)

    @contextmanager
    def timing(self, task: str) -> Iterator[None]:
        """Add what the block takes to a task."""
        began, began_work = time.perf_counter(), time.process_time()
        yield
        self.worked[task].append(1000 * (time.process_time() - began_work))
        self.taken[task].append(1000 * (time.perf_counter() - began))

    def join(self, task: str, *parts: str) -> None:
        """Make a task of others that were timed one after the other."""
        for times in (self.taken, self.worked):
            together = zip(*(times[part] for part in parts), strict=True)
            times[task] = [sum(each) for each in together]

    def write(self) -> None:
        """Say all of it on standard output, for the process that started this one."""
        json.dump(self.taken, sys.stdout)


def stroke(width: float, height: float, number: int) -> list[Place]:
    """Places of the mouse along a wave over a canvas that shows the whole of a square image."""
    side = min(width, height)
    top = 0.5 * height + 0.6 * side * ((number + 0.5) / STROKES - 0.5)
    places = []
    for step in range(MOVES + 1):
        x = 0.5 * width + 0.6 * side * (step / MOVES - 0.5)
        places.append((x, top + 0.02 * side * math.sin(8 * math.pi * step / MOVES)))
    return places


class SceneFiles:
    """Where the generated images and maps lie, for any program to open.

    Attributes:
        large: 4096 x 4096, JPEG; the maps below belong to it.
        segments: its map of 500 segments that leave no void, uint16, .npy.
        cells: its map of 500 discs around which all is void.
        medium: two images of 2048 x 2048, JPEG.
        medium_maps: their maps of 200 segments, 16-bit PNG.

    Beside each image lies its map as polygons of 40 corners, in labelme's JSON.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.large = folder / "large.jpg"
        self.segments = folder / "segments.npy"
        self.cells = folder / "cells.npy"
        self.medium = (folder / "medium_a.jpg", folder / "medium_b.jpg")
        self.medium_maps = (folder / "medium_a_map.png", folder / "medium_b_map.png")
