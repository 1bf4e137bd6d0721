"""How far a batch is, with buttons that pause and stop it: in the status bar while it lasts."""

from PySide6.QtCore import QTimer, Signal, SignalInstance, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QToolButton, QWidget

from app.batch_run import BatchRun
from app.batch_words import say_progress
from app.theme import scaled

TICK_MS = 1000
BAR_WIDTH = 120


class BatchBar(QWidget):
    """Follows a batch; hidden without one.

    Signals:
        pause_requested(): or to go on.
        stop_requested(): the end of the batch.
    """

    pause_requested = Signal()
    stop_requested = Signal()

    def __init__(self, run: BatchRun, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._run = run
        self._text = QLabel(self)
        self._bar = QProgressBar(self)
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(scaled(BAR_WIDTH))
        self._bar.setAccessibleName("Images that are pre-annotated")
        self._pause = self._button("Pause", self.pause_requested)
        self._stop = self._button("Stop", self.stop_requested)
        self._stop.setToolTip("Stop within one denoising step; maps that are made stay")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        for widget in (self._text, self._bar, self._pause, self._stop):
            row.addWidget(widget)
        self._ticks = QTimer(self, interval=TICK_MS)
        self._ticks.timeout.connect(self._show_state)
        run.changed.connect(self._show_state)
        self._show_state()

    def _button(self, text: str, wanted: SignalInstance) -> QToolButton:
        button = QToolButton(self)
        button.setText(text)
        button.setAutoRaise(True)
        button.clicked.connect(wanted)
        return button

    @Slot()
    def _show_state(self) -> None:
        run = self._run
        self.setVisible(run.is_active)
        if not run.is_active:
            self._ticks.stop()
            return
        if run.is_paused:
            self._ticks.stop()
            self._text.setText(f"Pre-annotation paused: {run.n_done:,} of {run.n_images:,}")
        else:
            self._ticks.start()
            progress = say_progress(run.n_done, run.n_images, run.worked_s)
            self._text.setText(f"Pre-annotating: {progress}")
        self._bar.setRange(0, max(run.n_images, 1))
        self._bar.setValue(run.n_done)
        self._pause.setText("Go on" if run.is_paused else "Pause")
