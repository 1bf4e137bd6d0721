"""One image, end to end, in the real window with the starter model that ships."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from app.opening import Opening
from app.sample_project import make_sample_folder
from app.window import MainWindow
from core.bundled import DEFAULT_MODEL
from core.coco import read_coco
from core.export import export_project
from core.store import AnnotationStore

PATIENT = {"timeout": 120_000}  # the first answer waits for torch, the others for the model
IMAGE = "fluorescence_bright.jpg"
NUCLEUS, BACKGROUND = 1, 2
STEPS = 4


@pytest.fixture
def store(own_home, qtbot):
    """The sample project as a new user gets it."""
    opening = Opening(make_sample_folder())
    with qtbot.waitSignal(opening.opened, **PATIENT) as opened:
        opening.start()
    with opened.args[0] as store:
        yield store


@pytest.fixture
def window(store, qtbot) -> MainWindow:
    window = MainWindow(store)
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    by_name = {record.path.name: record.id for record in store.images()}
    window.open_image(by_name[IMAGE])
    window.start_model()
    yield window
    window.close()


def press(window, key, modifier=Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(window, key, modifier)


def drag(window, *image_points: tuple[float, float]) -> None:
    """Draw a stroke with the mouse through places of the image."""
    canvas = window.canvas
    ratio = canvas.devicePixelRatioF()
    places = [QPointF(*canvas.view.to_device(x, y)) / ratio for x, y in image_points]
    first, *others = (QPoint(round(place.x()), round(place.y())) for place in places)
    button, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QTest.mousePress(canvas, button, none, first)
    for place in others:
        QTest.mouseMove(canvas, place)
    QTest.mouseRelease(canvas, button, none, others[-1])


def test_open_segment_correct_undo_export_and_read_back(window, store, qtbot, tmp_path):
    document, run = window.document, window.model_run
    assert store.model == DEFAULT_MODEL
    assert [category.name for category in store.categories] == ["nucleus", "background"]

    # Segment: every step is seen, then there is a proposal of many nuclei.
    qtbot.waitUntil(lambda: run.can_begin and document.image is not None, **PATIENT)
    panel = window.step_panel
    panel.set_options(type(panel.options())(steps=STEPS, time_delta=1, split_parts=True))
    seen = []
    document.proposal_changed.connect(lambda: seen.append(document.preview))
    press(window, Qt.Key.Key_R, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: document.has_proposal, **PATIENT)
    assert [preview.step for preview in seen if preview] == list(range(1, STEPS + 1))
    press(window, Qt.Key.Key_Return)
    nuclei = [s for s in document.map.segments.values() if s.category_id == NUCLEUS]
    assert len(nuclei) > 5
    accepted = document.map.copy()

    # Correct with the brush: one new nucleus, exactly where the stroke went.
    press(window, Qt.Key.Key_1)
    press(window, Qt.Key.Key_B)
    next_id = document.map.next_id
    drag(window, (40, 30), (60, 34), (80, 30))
    painted = document.map.segments[next_id]
    assert painted.category_id == NUCLEUS
    assert document.map.segment_ids[31, 50] == next_id
    corrected = document.map.copy()

    # Undo and redo give the same maps, bit for bit; so does opening the project again.
    control, shift = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
    press(window, Qt.Key.Key_Z, control)
    assert np.array_equal(document.map.segment_ids, accepted.segment_ids)
    press(window, Qt.Key.Key_Z, control)
    assert not document.map.segment_ids.any()
    press(window, Qt.Key.Key_Z, control | shift)
    press(window, Qt.Key.Key_Y, control)
    assert np.array_equal(document.map.segment_ids, corrected.segment_ids)
    assert document.map.segments == corrected.segments
    image_id = document.record.id
    with AnnotationStore.open(store.path, is_read_only=True) as again:
        stored = again.load_map(image_id)
    assert np.array_equal(stored.segment_ids, corrected.segment_ids)

    # Export, and read it back.
    json_path = tmp_path / "out" / "panoptic.json"
    json_path.parent.mkdir()
    assert list(export_project(store, json_path)) == [1]
    exported = read_coco(json_path)
    back = exported.load_map(0)
    assert exported.images[0].file_name == IMAGE
    assert np.array_equal(back.segment_ids, corrected.segment_ids)
    categories = {i: s.category_id for i, s in corrected.segments.items()}
    assert {i: s.category_id for i, s in back.segments.items()} == categories


def test_the_starter_model_finds_most_nuclei_of_a_sample(window, qtbot):
    """Otsu's threshold finds the nuclei of this picture but cannot part those that touch."""
    document, run = window.document, window.model_run
    qtbot.waitUntil(lambda: run.can_begin and document.image is not None, **PATIENT)
    press(window, Qt.Key.Key_R, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: document.has_proposal, **PATIENT)
    press(window, Qt.Key.Key_Return)
    ids = document.map.segment_ids
    is_nucleus = np.isin(
        ids, [i for i, s in document.map.segments.items() if s.category_id == NUCLEUS]
    )
    grey = document.image.mean(2)
    bright, dark = grey > np.percentile(grey, 99), grey < np.percentile(grey, 30)
    assert is_nucleus[bright].mean() > 0.9
    assert is_nucleus[dark].mean() < 0.05
