"""What the project file costs: long histories, single steps, bytes, and 100,000 images.

python -m benchmarks.journal
"""

import random
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import cv2
import numpy as np

from benchmarks.report import print_conditions, print_report, quantiles, timing
from core.edits import brush_stroke, erase_stroke, new_segment
from core.panoptic import Category, Edit, PanopticMap, Segment
from core.review import TO_REVIEW
from core.store import AnnotationStore, ImageQuery, Review

CELL: Final = Category(1, "cell", is_thing=True, color=(229, 134, 6))
SIZES: Final = ((2048, 200), (4096, 500))  # side, segments
LONG, TYPICAL = 10_000, 1_000  # edits
OPENINGS, STEPS, FILLS = 7, 150, 12
N_IMAGES: Final = 100_000
FILTERING: Final = """
import re, sys
from pathlib import Path
from core.review import TO_REVIEW
from core.store import AnnotationStore, ImageQuery
def peak():
    return int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])
before = peak()
with AnnotationStore.open(Path(sys.argv[1])) as store:
    ids = store.image_ids()
    for query in (ImageQuery("image_0999"), ImageQuery(states=TO_REVIEW)):
        found = store.image_ids(query)
        store.image_records(found[:100])
        store.next_image(1, query)
print(peak() - before)
"""
REPEATS: Final = 9


def main() -> int:
    """Measure, and print the tables."""
    print_conditions()
    columns = ["milliseconds", "p50", "p95", "max", "CPU p50", "budget"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print_report("A project of 100,000 images", columns, measure_many_images(folder))
        for side, n_segments in SIZES:
            with Scribbler(folder / f"{side}.bitbrush", side, n_segments) as scribbler:
                rows = measure_fills(scribbler, "", "60", "30")
                sizes = measure_bytes(scribbler)
                title = f"Bytes of {TYPICAL} strokes, {side} squared"
                print_report(title, ["", "MB on disk", "KB a stroke"], sizes)
                rows += measure_opening(scribbler)
                rows += measure_strokes(scribbler)
                rows += measure_fills(scribbler, f", after {LONG} strokes", "", "")
            print_report(f"{side} squared, {n_segments} segments", columns, rows)
    return 0


def measured(name: str, budget: str, work: Callable[[], object], repeats: int) -> list[str]:
    """A row on what some work takes."""
    times = Times(name, budget)
    for _ in range(repeats):
        with times.measuring():
            work()
    return times.row()


@dataclass(slots=True)
class Times:
    """What some work takes, in milliseconds; by CPU time it can be told from other programs."""

    name: str
    budget: str = ""
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    @contextmanager
    def measuring(self) -> Iterator[None]:
        began = time.thread_time()
        with timing(self.wall):
            yield
        self.cpu.append(1000 * (time.thread_time() - began))

    def row(self) -> list[str]:
        cpu = quantiles(self.cpu, 0.5)
        return [self.name, *quantiles(self.wall, 0.5, 0.95, 1), *cpu, self.budget]


@dataclass(slots=True)
class Sizes:
    """What the same edits would take, kept in other ways."""

    boxes: int = 0
    deflated_maps: int = 0
    maps: int = 0


class Scribbler:
    """A project of one image full of segments, and somebody who draws on it."""

    def __init__(self, path: Path, side: int, n_segments: int) -> None:
        self.path, self.side = path, side
        self.store = AnnotationStore.create(path, [CELL])
        (self.image,) = self.store.add_images([(path.with_suffix(".png"), None, side, side)])
        self.dice = random.Random(3)  # noqa: S311 - no secrets here
        self.map = self.store.load_map(self.image)
        self.commit(make_map(side, n_segments))
        self.map.areas()  # as the window has them

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.store.close()

    def reopen(self) -> None:
        self.store.close()
        self.store = AnnotationStore.open(self.path)

    def commit(self, edit: Edit) -> None:
        self.store.append_edit(self.image, edit)
        self.map.apply(edit)

    def next_edit(self) -> Edit:
        """A stroke of some hundred pixels; one in eight erases, one in ten begins a segment."""
        x, y = (self.dice.uniform(0, self.side) for _ in range(2))
        points = [(x, y)]
        for _ in range(self.dice.randrange(2, 12)):
            x, y = x + self.dice.uniform(-60, 60), y + self.dice.uniform(-60, 60)
            points.append((x, y))
        radius = self.dice.choice([4, 8, 15, 30])
        if self.dice.random() < 1 / 8:
            return erase_stroke(self.map, points, radius)
        known = list(self.map.segments.values())
        is_new = not known or self.dice.random() < 1 / 10
        segment = new_segment(self.map, CELL) if is_new else self.dice.choice(known)
        return brush_stroke(self.map, points, radius, segment)

    def draw(self, n_edits: int) -> None:
        """Draw for long; the disk is not waited for, which changes no byte of the file."""
        self.store._execute("PRAGMA synchronous = OFF")  # noqa: SLF001 - only here
        while n_edits > 0:
            edit = self.next_edit()
            self.commit(edit)
            n_edits -= not edit.is_empty  # as some strokes of a segment on itself are
        self.store._execute("PRAGMA synchronous = FULL")  # noqa: SLF001


def make_map(side: int, n_segments: int) -> Edit:
    """An edit that fills an image with segments: each pixel joins the nearest of some seeds."""
    places = np.random.default_rng(0).integers(0, side, (n_segments, 2))
    is_far = np.ones((side, side), np.uint8)
    is_far[places[:, 0], places[:, 1]] = 0
    _, nearest = cv2.distanceTransformWithLabels(
        is_far, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    ids = nearest.astype(np.uint16)
    segments = {int(i): Segment(int(i), CELL.id) for i in np.unique(ids)}
    return Edit(0, 0, np.zeros_like(ids), ids, {}, segments, "fill")


def measure_bytes(scribbler: Scribbler) -> list[list[str]]:
    """What the strokes of a typical session take in the file, and otherwise kept."""
    scribbler.reopen()
    scribbler.store.checkpoint()
    before = scribbler.path.stat().st_size
    sizes = Sizes()
    for number in range(TYPICAL):
        edit = scribbler.next_edit()
        scribbler.commit(edit)
        sizes.boxes += edit.before.nbytes + edit.after.nbytes
        sizes.maps += scribbler.map.segment_ids.nbytes
        if number % 50 == 0:  # it takes long
            ids = scribbler.map.segment_ids.tobytes()
            sizes.deflated_maps += 50 * len(zlib.compress(ids, 1))
    scribbler.reopen()
    scribbler.store.checkpoint()
    journal = scribbler.path.stat().st_size - before
    return [
        [name, f"{n_bytes / 1e6:.1f}", f"{n_bytes / 1e3 / TYPICAL:.1f}"]
        for name, n_bytes in (
            ("journal and its snapshots", journal),
            ("other: boxes as they are", sizes.boxes),
            ("other: the map after each, deflated", sizes.deflated_maps),
            ("other: the map after each", sizes.maps),
        )
    ]


def measure_opening(scribbler: Scribbler) -> list[list[str]]:
    """Opening the project and the map of an image with a long history; a long way back."""
    scribbler.draw(LONG - scribbler.store.history(scribbler.image)[1])
    scribbler.store.close()

    def open_image() -> None:
        with AnnotationStore.open(scribbler.path) as store:
            if not same(store.load_map(scribbler.image), scribbler.map):
                raise RuntimeError("the map did not come back")

    rows = [measured(f"open project and map, {LONG} edits", "300", open_image, OPENINGS)]
    scribbler.store = store = AnnotationStore.open(scribbler.path)
    ends = [LONG // 2, LONG]
    rows.append(
        measured(
            f"walk through {LONG // 2} steps",
            "",
            lambda: store.travel(
                scribbler.image, ends[store.history(scribbler.image)[1] < LONG]
            ),
            4,
        )
    )
    rows.append(measured("list the history", "", lambda: store.history(scribbler.image), 5))
    scribbler.map = store.load_map(scribbler.image)
    scribbler.map.areas()
    return rows


def same(one: PanopticMap, other: PanopticMap) -> bool:
    return np.array_equal(one.segment_ids, other.segment_ids)


def measure_strokes(scribbler: Scribbler) -> list[list[str]]:
    """Committing strokes while snapshots are made, then back and forth."""
    store, image, map = scribbler.store, scribbler.image, scribbler.map
    make = Times("stroke: make the edit")
    append = Times("stroke: commit, while snapshots are made")
    apply = Times("stroke: apply")
    for number in range(STEPS):
        if number % 50 == 0:
            store._snapshots.request(image)  # noqa: SLF001 - to have its thread at work
        with make.measuring():
            edit = scribbler.next_edit()
        with append.measuring():
            store.append_edit(image, edit)
        with apply.measuring():
            map.apply(edit)

    def undo() -> None:
        if edit := store.undo(image):
            map.apply(edit)

    def redo() -> None:
        if edit := store.redo(image):
            map.apply(edit)

    return [
        *(times.row() for times in (make, append, apply)),
        measured("undo a stroke", "30", undo, STEPS),
        measured("redo a stroke", "30", redo, STEPS),
    ]


def measure_fills(
    scribbler: Scribbler, when: str, budget: str, budget_undo: str
) -> list[list[str]]:
    """The whole map given to one segment: make, commit, apply; and each taken back again."""
    store, image, map = scribbler.store, scribbler.image, scribbler.map

    def fill() -> None:
        after = np.full_like(map.segment_ids, map.next_id)
        new = {map.next_id: Segment(map.next_id, CELL.id)}
        edit = Edit(0, 0, map.segment_ids.copy(), after, dict(map.segments), new, "fill")
        store.append_edit(image, edit)
        map.apply(edit)

    fills, back = Times(f"fill all{when}", budget), Times(f"undo it{when}", budget_undo)
    for _ in range(FILLS):
        with fills.measuring():
            fill()
        with back.measuring():
            if edit := store.undo(image):
                map.apply(edit)
    return [fills.row(), back.row()]


def measure_many_images(folder: Path) -> list[list[str]]:
    """Open, filter and go on in a project of many images, and what memory that takes."""
    path = folder / "many.bitbrush"
    with AnnotationStore.create(path, [CELL]) as store:
        names = (f"batch_{n // 1000}/image_{n:06}.jpg" for n in range(N_IMAGES))
        store.add_images((folder / name, None, 600, 800) for name in names)
        middle = N_IMAGES // 2
        approve = "UPDATE image SET review = 'approved', held_out = 0 WHERE id <= ?"
        store._execute(approve, middle)  # noqa: SLF001 - at once
    table = [
        measured("open the project", "300", lambda: AnnotationStore.open(path).close(), REPEATS)
    ]
    with AnnotationStore.open(path) as store:
        open_ones = ImageQuery(states=TO_REVIEW)
        for name, work in (
            ("list the ids of all", store.image_ids),
            ("filter by name", lambda: store.image_ids(ImageQuery("image_0999"))),
            ("filter by review", lambda: store.image_ids(open_ones)),
            ("filter by edits", lambda: store.image_ids(ImageQuery(has_edits=True))),
            (
                "count those approved",
                lambda: store.n_images(ImageQuery(states=(Review.APPROVED,))),
            ),
            ("next open image, 50,000 further", lambda: store.next_image(1, open_ones)),
            ("the records of 100 images", lambda: store.image_records(range(500, 600))),
            ("for comparison: every record", store.images),
        ):
            budget = "" if name.startswith("for comparison") else "300"
            table.append(measured(name, budget, work, REPEATS))
    table.append(["memory for all but the last, MB", measure_memory(path), "", "", "", ""])
    return table


def measure_memory(path: Path) -> str:
    """What a process of its own takes to open the project and filter it, beyond its imports."""
    if not Path("/proc/self/status").exists():
        return "unknown here"
    command = [sys.executable, "-c", FILTERING, path]
    finished = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    return f"{int(finished.stdout) / 1024:.1f}"


if __name__ == "__main__":
    sys.exit(main())
