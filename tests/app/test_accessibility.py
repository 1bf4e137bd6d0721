"""Every control of the window and of its dialogs can be reached by keys and has a name."""

import pytest
from PySide6.QtCore import QAbstractListModel, QModelIndex, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QScrollBar,
    QTabBar,
    QTabWidget,
    QToolButton,
    QWidget,
)

from app.actions import ACTIONS
from app.canvas import CanvasView
from app.window import MainWindow
from core.model_card import ModelCard
from core.panoptic import Segment
from core.proposals import SamplingOptions

CONTROLS = (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QKeySequenceEdit,
    QLineEdit,
    QTabBar,
    CanvasView,
)
ELSEWHERE = {"new", "open", "recover", "palette"}  # the program answers; the last is none
DIALOGS = [
    spec.name for spec in ACTIONS if spec.text.endswith("…") and spec.name not in ELSEWHERE
] + ["help"]


@pytest.fixture
def window(store, qtbot) -> MainWindow:
    window = MainWindow(store)
    qtbot.addWidget(window)
    window.resize(1600, 1000)
    window.show()
    window.tone_dock.toggle()
    return window


@pytest.fixture
def dialog(request, window, put, qtbot) -> QDialog:
    """The dialog that an action opens.

    As with a model that knows the project's categories, and with a segment of a clip selected.
    """
    put(Segment(1, 1), slice(0, 9), slice(0, 9))
    window.document.select(1)
    qtbot.waitUntil(lambda: window.timeline.index.is_complete)
    categories = tuple(window.document.categories.values())
    window.segmenter.loaded.emit(ModelCard("tiny", "", categories, SamplingOptions()))
    window.commands[request.param].setEnabled(True)
    window.commands[request.param].trigger()
    return next(dialog for dialog in window.findChildren(QDialog) if dialog.isVisible())


def is_inner(control: QWidget) -> bool:
    """Whether a control is a part of another one that answers for it."""
    parent = control.parentWidget()
    is_of_qt = control.objectName().startswith("qt_")
    outer = (QAbstractSpinBox, QComboBox, QAbstractItemView, QKeySequenceEdit, QLineEdit)
    is_cell = parent is not None and isinstance(parent.parentWidget(), QAbstractItemView)
    return is_of_qt or is_cell or isinstance(control, QScrollBar) or isinstance(parent, outer)


def controls_of(top: QWidget) -> list[QWidget]:
    """The controls that somebody could use now."""
    return [
        control
        for control in top.findChildren(QWidget)
        if isinstance(control, CONTROLS)
        and control.window() is top
        and control.isVisibleTo(top)
        and not is_inner(control)
    ]


def name_of(control: QWidget) -> str:
    """What a screen reader says; tool tips do not count, they need a mouse."""
    labels = control.window().findChildren(QLabel)
    buddies = [label for label in labels if label.buddy() is control]
    text = control.text() if isinstance(control, QAbstractButton) else ""
    is_word = any(letter.isalnum() for letter in text)
    return (
        control.accessibleName()
        or (text if is_word else "")
        or "".join(label.text() for label in buddies)
    )


def tab_order(top: QWidget) -> set[QWidget]:
    """What Tab goes to from anywhere in a window."""
    start = focus = top
    reached = set()
    while True:
        focus = focus.nextInFocusChain()
        if focus is start or focus in reached:
            return reached
        reached.add(focus)


def is_reached(control: QWidget, order: set[QWidget]) -> bool:
    """Whether Tab goes there, or a tab bar, group or list gives the focus on to it."""
    by_tab = bool(control.focusPolicy() & Qt.FocusPolicy.TabFocus) and control in order
    proxy = control.focusProxy()
    return by_tab or (proxy is not None and is_reached(proxy, order))


def describe(control: QWidget) -> str:
    names = []
    while control is not None:
        names.append(f"{type(control).__name__}({control.objectName() or name_of(control)})")
        control = control.parentWidget()
    return " in ".join(names[:4])


def assert_can_be_used(top: QWidget) -> None:
    controls, order = controls_of(top), tab_order(top)
    assert controls
    nameless = [describe(control) for control in controls if not name_of(control)]
    assert nameless == []
    lost = [describe(control) for control in controls if not is_reached(control, order)]
    assert lost == []


def test_every_control_of_the_window_has_a_name_and_is_reached_by_tab(window):
    window.notices.fail("A notice has a button too.")
    assert_can_be_used(window)


@pytest.mark.parametrize("dialog", DIALOGS, indirect=True)
def test_every_control_of_a_dialog_has_a_name_and_is_reached_by_tab(dialog):
    for pages in dialog.findChildren(QTabWidget):
        for page in range(pages.count()):
            pages.setCurrentIndex(page)
            assert_can_be_used(dialog)
    assert_can_be_used(dialog)


@pytest.mark.parametrize("dialog", DIALOGS, indirect=True)
def test_escape_closes_a_dialog(qtbot, window, dialog):
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not any(dialog.isVisible() for dialog in window.findChildren(QDialog))


def test_every_list_says_what_is_in_a_row(window, put):
    put(Segment(1, 1), slice(0, 9), slice(0, 9))
    for view in window.findChildren(QAbstractItemView):
        model = view.model()
        if not view.isVisible() or not model.rowCount(QModelIndex()):
            continue
        is_list = isinstance(model, QAbstractListModel)
        for column in range(1 if is_list else model.columnCount(QModelIndex())):
            index = model.index(0, column)
            spoken = index.data(Qt.ItemDataRole.AccessibleTextRole) or index.data()
            assert spoken, (view.accessibleName(), column)


def test_buttons_without_words_say_what_they_do(window):
    for button in window.findChildren(QToolButton):
        if button.isVisible() and not is_inner(button):
            assert any(letter.isalpha() for letter in name_of(button)), describe(button)


def test_tab_goes_round_the_whole_window(qtbot, window, put):
    put(Segment(1, 1), slice(0, 9), slice(0, 9))
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.canvas.setFocus()
    seen = []
    for _ in range(200):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        focus = QApplication.focusWidget()
        if focus is window.canvas:
            break
        seen.append(focus)
    assert focus is window.canvas
    for part in (window.image_list, window.categories, window.segments, window.step_panel):
        assert any(part.isAncestorOf(widget) for widget in seen), part
