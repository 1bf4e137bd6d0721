"""The dialog that drops old steps of undo: only when asked, and after saying how many."""

from functools import partial

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QProgressBar,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.thread_run import ThreadRun
from core.compaction import CompactionPlan, compact_beside
from core.errors import AnnotateError
from core.store import AnnotationStore

MAX_STEPS = 1_000_000
USUAL_STEPS = 200
WHAT = (
    "Every step of every image can be taken back, as far as to the first. The oldest steps can "
    "be dropped to make the project file smaller: the maps stay as they are, but these steps "
    "cannot be taken back any more."
)


class CompactDialog(QDialog):
    """Asks how many steps to keep, says what that drops, and drops it.

    Signals:
        compacted(): the histories of some images begin later than before.
    """

    compacted = Signal()

    def __init__(self, store: AnnotationStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Drop old steps of undo")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(520)
        self._store = store
        self._run: ThreadRun | None = None
        self._limit = QSpinBox(self)
        self._limit.setRange(0, MAX_STEPS)
        self._limit.setGroupSeparatorShown(True)
        self._limit.setSingleStep(50)
        self._limit.setAccessibleName("Steps that each image keeps")
        self._plan = QLabel(self)
        self._bar = QProgressBar(self)
        self._bar.hide()
        self._buttons = QDialogButtonBox(self)
        role = QDialogButtonBox.ButtonRole
        self._drop = self._buttons.addButton("Drop these steps", role.DestructiveRole)
        self._close = self._buttons.addButton("Close", role.RejectRole)
        self._lay_out()
        self._limit.valueChanged.connect(self._show_plan)
        self._drop.clicked.connect(self.start)
        self._buttons.rejected.connect(self.reject)
        try:
            limit = store.undo_limit
        except AnnotateError:
            limit = None  # the plan says what is wrong
        self._limit.setValue(USUAL_STEPS if limit is None else limit)
        self._show_plan()

    def _lay_out(self) -> None:
        what = QLabel(WHAT, self)
        for label in (what, self._plan):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        form = QFormLayout()
        form.addRow("&Keep, of each image, the last", self._limit)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(20, 18, 20, 16)
        whole.setSpacing(12)
        whole.addWidget(what)
        whole.addLayout(form)
        whole.addWidget(self._plan)
        whole.addWidget(self._bar)
        whole.addWidget(self._buttons)

    @Slot()
    def _show_plan(self) -> None:
        try:
            plan = self._store.plan_compaction(self._limit.value())
        except AnnotateError as error:
            self._plan.setText(str(error))
            self._drop.setEnabled(False)
            return
        self._plan.setText(say_plan(plan))
        self._bar.setMaximum(max(plan.n_images, 1))
        self._drop.setEnabled(plan.n_steps > 0)

    @Slot()
    def start(self) -> None:
        """Drop the steps that the plan names."""
        limit = self._limit.value()
        try:
            self._store.set_undo_limit(limit)
        except AnnotateError as error:
            self._plan.setText(str(error))
            return
        steps = partial(compact_beside, self._store.path, limit)
        self._run = ThreadRun(steps, "dropping steps", self)
        self._run.progressed.connect(self._bar.setValue)
        self._run.finished.connect(self._on_finished)
        self._run.cancelled.connect(self._on_finished)
        self._run.failed.connect(self._on_failed)
        self._show_running(is_running=True)
        self._run.start()

    def reject(self) -> None:
        """Close; while steps are dropped, stop that first."""
        if self._run is None:
            super().reject()
        else:
            self._plan.setText("Stopping…")
            self._run.cancel()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._run is not None:
            event.ignore()
            self.reject()

    @Slot()
    def _on_finished(self) -> None:
        self._end()
        self._show_plan()

    @Slot(object)
    def _on_failed(self, sentence: str) -> None:
        self._end()
        self._plan.setText(sentence)

    def _end(self) -> None:
        self._run = None
        self._show_running(is_running=False)
        self.compacted.emit()

    def _show_running(self, *, is_running: bool) -> None:
        self._bar.setVisible(is_running)
        self._bar.setValue(0)
        self._limit.setEnabled(not is_running)
        self._drop.setEnabled(not is_running)
        self._close.setText("Stop" if is_running else "Close")


def say_plan(plan: CompactionPlan) -> str:
    """What a plan would drop, in a sentence."""
    if not plan.n_steps:
        return f"No image has more than {plan.limit:,} steps: nothing would be dropped."
    steps = "1 step" if plan.n_steps == 1 else f"{plan.n_steps:,} steps"
    images = "1 image" if plan.n_images == 1 else f"{plan.n_images:,} images"
    size = f"{plan.n_bytes / 1e6:,.1f} MB" if plan.n_bytes >= 1e5 else f"{plan.n_bytes:,} bytes"
    return f"{steps} of {images} would be dropped for good, which frees {size}."
