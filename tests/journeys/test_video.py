"""A real video, end to end: segment a frame, propagate, correct, propagate, undo, export.

The model's weights were drawn at random. The claims are about what happens to maps, not about
how good they are.
"""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from app.propagation_steps import PropagationWish
from app.window import MainWindow
from core.coco import read_coco
from core.export import export_project
from core.panoptic import Category
from core.propagation import VideoOptions
from core.store import AnnotationStore, Review
from core.video import Video
from tests.journeys.video_parts import make_video_model

PATIENT = {"timeout": 120_000}  # the first answer waits for torch
VIDEO = "bottle-detection.mp4"
N_FRAMES, CORRECTED = 20, 8
CATEGORIES = (
    Category(1, "nucleus", is_thing=True, color=(80, 160, 220)),
    Category(2, "background", is_thing=False, color=(90, 90, 100)),
)
SHIFT, CONTROL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def store(tmp_path, shared_dir):
    """A project of all frames of the video."""
    model = make_video_model(tmp_path / "video.safetensors")
    with Video(shared_dir / "data" / "videos" / VIDEO) as video:
        frames = [(video.path, k, video.height, video.width) for k in range(video.n_frames)]
    with AnnotationStore.create(tmp_path / "a.bitbrush", CATEGORIES, str(model)) as store:
        store.add_images(frames)
        yield store


@pytest.fixture
def window(store, qtbot) -> MainWindow:
    window = MainWindow(store)
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    window.start_model()
    qtbot.waitUntil(lambda: window.model_run.can_begin, **PATIENT)
    yield window
    window.close()


def press(window, key, modifier=Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(window, key, modifier)


def open_frame(qtbot, window, number) -> None:
    """Show a frame by its number, which is one less than the id of its image."""
    window.open_image(number + 1)
    document = window.document
    qtbot.waitUntil(lambda: document.record.id == number + 1 and document.map is not None)


def propagate(qtbot, window) -> None:
    press(window, Qt.Key.Key_Right, SHIFT)
    run = window.propagation.run
    assert run.is_active
    qtbot.waitUntil(lambda: not run.is_active, **PATIENT)


def stroke(window, *image_points: tuple[float, float]) -> None:
    """Draw with the brush through places of the image."""
    canvas = window.canvas
    ratio = canvas.devicePixelRatioF()
    places = [QPointF(*canvas.view.to_device(x, y)) / ratio for x, y in image_points]
    first, *others = (QPoint(round(place.x()), round(place.y())) for place in places)
    button, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QTest.mousePress(canvas, button, none, first)
    for place in others:
        QTest.mouseMove(canvas, place)
    QTest.mouseRelease(canvas, button, none, others[-1])


def maps(store):
    return [store.load_map(number + 1).segment_ids for number in range(N_FRAMES + 2)]


def are_same(one, other, numbers) -> bool:
    return all(np.array_equal(one[number], other[number]) for number in numbers)


def test_segment_propagate_correct_propagate_undo_export(window, store, qtbot, tmp_path):
    document, panel = window.document, window.step_panel
    open_frame(qtbot, window, 0)
    panel.set_options(type(panel.options())(steps=2, min_area=0))
    press(window, Qt.Key.Key_R, SHIFT)
    qtbot.waitUntil(lambda: document.has_proposal, **PATIENT)
    press(window, Qt.Key.Key_Return)
    first_ids = set(document.map.segments)
    assert len(first_ids) > 2

    # Twenty frames, each with a map of its own; what is followed keeps its id.
    window.propagation.wish = PropagationWish(N_FRAMES, VideoOptions(2, 2))
    propagate(qtbot, window)
    reviews = store.reviews()
    assert [reviews[k + 1] for k in range(22)] == [Review.PROPOSED] * 21 + [Review.EMPTY]
    assert first_ids & set(store.load_map(2).segments)
    after_first = maps(store)

    # A correction of frame 8 changes what follows, and nothing before.
    open_frame(qtbot, window, CORRECTED)
    press(window, Qt.Key.Key_B)
    press(window, Qt.Key.Key_M)
    drawn = document.map.next_id
    stroke(window, (200, 100), (240, 140), (300, 160))
    corrected = document.map.copy()
    window.propagation.wish = PropagationWish(N_FRAMES - CORRECTED, VideoOptions(2, 2))
    propagate(qtbot, window)
    after_second = maps(store)
    assert are_same(after_first, after_second, range(CORRECTED))
    assert np.array_equal(after_second[CORRECTED], corrected.segment_ids)
    assert not are_same(after_first, after_second, [CORRECTED + 1])
    assert drawn in corrected.segments

    # Undo in one of its frames takes the second run back, and only that.
    open_frame(qtbot, window, 12)
    press(window, Qt.Key.Key_Z, CONTROL)
    undone = maps(store)
    assert are_same(undone, after_first, range(CORRECTED + 1, N_FRAMES + 2))
    assert np.array_equal(undone[CORRECTED], corrected.segment_ids)
    assert np.array_equal(document.map.segment_ids, after_first[12])
    press(window, Qt.Key.Key_Z, CONTROL | SHIFT)
    assert are_same(maps(store), after_second, range(N_FRAMES + 2))

    # What is exported is what is in the project.
    out = tmp_path / "out" / "panoptic.json"
    out.parent.mkdir()
    assert list(export_project(store, out))[-1] == N_FRAMES + 1
    exported = read_coco(out)
    assert len(exported.images) == N_FRAMES + 1
    for number in (0, CORRECTED, N_FRAMES):
        assert np.array_equal(exported.load_map(number).segment_ids, after_second[number])
