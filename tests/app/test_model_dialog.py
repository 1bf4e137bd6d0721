"""A project gets another model, with a real inference process and tiny models."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QFileDialog, QLabel, QPushButton

from app.model_choice import MODEL_FILE, NO_MODEL
from app.model_dialog import ModelDialog
from app.window import MainWindow
from core.panoptic import Category
from core.store import AnnotationStore

NUCLEUS = Category(1, "nucleus", is_thing=True, color=(80, 160, 220))
OTHER = Category(3, "debris", is_thing=True, color=(230, 160, 0))
SIZE = (48, 64)
PATIENT = {"timeout": 60_000}  # the first answer waits for torch


@pytest.fixture
def store(tmp_path, pictures):
    """A project without a model."""
    with AnnotationStore.create(tmp_path / "a.bitbrush", (NUCLEUS, OTHER)) as store:
        store.add_images([(path, None, *SIZE) for path in pictures])
        yield store


@pytest.fixture
def window(store, qtbot) -> MainWindow:
    window = MainWindow(store)
    qtbot.addWidget(window)
    window.show()
    window.start_model()
    yield window
    window.close()


@pytest.fixture
def other_model(tmp_path, tiny_model) -> Path:
    """A model that knows nothing but debris and ghosts."""
    from core.model.checkpoint import load_checkpoint, save_checkpoint  # noqa: PLC0415

    model, card = load_checkpoint(tiny_model, "cpu")
    ghost = Category(2, "ghost", is_thing=False, color=(9, 9, 9))
    path = tmp_path / "other.safetensors"
    save_checkpoint(path, model, replace(card, name="other", categories=(OTHER, ghost)))
    return path


def open_dialog(window: MainWindow) -> ModelDialog:
    window.commands["model"].trigger()
    return window.findChildren(ModelDialog)[-1]


def use(qtbot, window: MainWindow, name: str) -> None:
    """Choose a model in the dialog and leave it with Enter."""
    dialog = open_dialog(window)
    dialog.models.choose(name)
    with qtbot.waitSignal(dialog.destroyed):
        qtbot.keyClick(dialog, Qt.Key.Key_Return)


def wait_for_model(qtbot, window: MainWindow, name: str) -> None:
    qtbot.waitUntil(lambda: window.model_run.can_begin, **PATIENT)
    assert window.model_run.card.name == name


def seen(widget) -> str:
    """Everything that can be read in a widget."""
    return " ".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


def notices(window: MainWindow) -> list[str]:
    return [notice.text for notice in window.notice_stack.shown]


def test_a_project_without_a_model_gets_one_and_keeps_it(
    qtbot, window, store, tiny_model
) -> None:
    assert not window.model_run.can_begin
    use(qtbot, window, str(tiny_model))
    assert not window.model_run.can_begin
    wait_for_model(qtbot, window, "tiny")
    assert store.model == str(tiny_model)
    assert "The model 'tiny' does not know 'debris': label these by hand." in notices(window)
    window.commands["segment_image"].trigger()
    qtbot.waitUntil(lambda: window.document.has_proposal, **PATIENT)


def test_a_model_file_is_found_by_mouse_and_keys(qtbot, window, store, tiny_model) -> None:
    dialog = open_dialog(window)
    box = dialog.findChild(QComboBox)
    qtbot.keyClicks(box, MODEL_FILE[0])
    assert dialog.models.name == ""
    files = dialog.findChild(QFileDialog)
    files.fileSelected.emit(str(tiny_model))
    files.close()
    assert "Drawn at random; knows nuclei" in seen(dialog)
    assert "The model does not know 'debris'." in seen(dialog)
    assert "Its segments of 'background' will be left out" in seen(dialog)
    button = next(b for b in dialog.findChildren(QPushButton) if b.text() == "Choose")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    wait_for_model(qtbot, window, "tiny")
    assert store.model == str(tiny_model)


def test_leaving_the_dialog_changes_nothing(qtbot, window, store, tiny_model) -> None:
    dialog = open_dialog(window)
    dialog.models.choose(str(tiny_model))
    with qtbot.waitSignal(dialog.destroyed):
        qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert store.model == ""
    assert window.segmenter.model_path is None


def test_the_steps_of_the_last_model_go_and_its_proposal_stays(
    qtbot, window, tiny_model, other_model
) -> None:
    use(qtbot, window, str(tiny_model))
    wait_for_model(qtbot, window, "tiny")
    window.commands["segment_image"].trigger()
    qtbot.waitUntil(lambda: window.document.has_proposal, **PATIENT)
    suggestion = window.document.suggestion
    use(qtbot, window, str(other_model))
    wait_for_model(qtbot, window, "other")
    assert any("'other' also knows 'ghost'; the project does" in t for t in notices(window))
    assert window.document.suggestion is suggestion
    window.commands["accept"].trigger()
    assert {s.category_id for s in window.document.map.segments.values()} <= {NUCLEUS.id}


def test_choosing_a_model_stops_the_run_of_the_last_one(
    qtbot, window, tiny_model, other_model
) -> None:
    use(qtbot, window, str(tiny_model))
    wait_for_model(qtbot, window, "tiny")
    window.step_panel.set_options(replace(window.step_panel.options(), steps=1000))
    window.commands["segment_image"].trigger()
    qtbot.waitUntil(lambda: window.document.preview is not None, **PATIENT)
    use(qtbot, window, str(other_model))
    qtbot.waitUntil(lambda: not window.model_run.is_running, **PATIENT)
    wait_for_model(qtbot, window, "other")
    assert window.document.is_editable


def test_a_model_that_cannot_be_loaded_leaves_the_last_one_in_use(
    qtbot, window, store, tiny_model, tmp_path
) -> None:
    use(qtbot, window, str(tiny_model))
    wait_for_model(qtbot, window, "tiny")
    short = tmp_path / "short.safetensors"
    short.write_bytes(tiny_model.read_bytes()[:-100])  # its card is whole, its weights are not
    use(qtbot, window, str(short))
    wait_for_model(qtbot, window, "tiny")
    assert store.model == str(tiny_model)
    failure = notices(window)[-1]
    assert str(short) in failure
    assert failure.endswith("The model 'tiny' stays in use.")
    window.commands["segment_image"].trigger()
    qtbot.waitUntil(lambda: window.document.has_proposal, **PATIENT)


def test_a_file_that_is_gone_is_refused_in_the_dialog(qtbot, window, store, tmp_path) -> None:
    store.set_model(str(tmp_path / "gone.safetensors"))
    dialog = open_dialog(window)
    assert "gone.safetensors" in seen(dialog)
    assert dialog.findChild(QComboBox).currentText() == NO_MODEL


def test_a_model_can_be_given_up(qtbot, window, store, tiny_model) -> None:
    use(qtbot, window, str(tiny_model))
    wait_for_model(qtbot, window, "tiny")
    window.step_panel.set_options(replace(window.step_panel.options(), steps=1000))
    window.commands["segment_image"].trigger()
    with qtbot.waitSignal(window.segmenter.ready, **PATIENT):
        use(qtbot, window, "")
    assert store.model == ""
    assert not window.model_run.can_begin
    assert window.model_run.card is None
    assert window.document.is_editable
    assert not any("given up" in text for text in notices(window))


def test_a_process_that_never_starts_ends_the_waiting_for_a_model(
    qtbot, store, tiny_model, monkeypatch
) -> None:
    monkeypatch.setattr("app.segmenter.python_command", lambda *_: ["/nowhere/python"])
    store.set_model(str(tiny_model))
    window = MainWindow(store)
    qtbot.addWidget(window)
    window.show()
    with qtbot.waitSignal(window.segmenter.load_failed, **PATIENT):
        window.start_model()
    assert (
        "ends as soon as it starts" in window.step_panel.findChildren(QPushButton)[0].toolTip()
    )
    window.close()
