"""The step panel: settings of the sampler, a run as it goes, and its steps to look back on."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from PySide6.QtCore import (
    QElapsedTimer,
    QRandomGenerator,
    Qt,
    QTimer,
    Signal,
    SignalInstance,
    Slot,
)
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.buttons import mark_primary
from app.keys import Keys
from app.step_strip import Rgb, StepModel, StepStrip
from core.jobs import Device
from core.panoptic import Category
from core.proposals import Preview, SamplingOptions

TICK_MS: Final = 100
MAX_SEED: Final = 2**31 - 1
HINT: Final = "Segment the image ({}): the map appears here step by step."
SEGMENT_TIP: Final = "Segment the whole image"
STEPS_TIP: Final = (
    "DDIM steps N: how often the network denoises the map, from pure noise (t = 1) to the "
    "finished map (t = 0). More steps are slower and settle more. A region takes half as many, "
    "or two."
)
TIME_DELTA_TIP: Final = (
    "Asymmetric time interval td (time difference): each step tells the network a time that is "
    "td steps noisier than the map is, so that early guesses can still be corrected."
)
SEED_TIP: Final = (
    "Seed of the starting noise x_T ~ N(0, 1): the same seed gives the same map, another seed "
    "another map that the model finds as likely."
)


class StepPanel(QWidget):
    """Starts and stops runs, shows their steps, and asks for a decision on the proposal.

    The panel only asks: whoever owns the model and the document answers its signals and tells
    it what happens through `begin`, `add_preview`, `end_with_proposal`, `end_without` and
    `settle`.

    Signals:
        segment_requested(): a run with `options()`.
        cancel_requested(): the end of the run.
        accept_requested(): the proposal becomes part of the map.
        reject_requested(): the proposal is dropped.
        preview_selected(Preview | None): the step to be shown; None is the proposal itself.
    """

    segment_requested = Signal()
    cancel_requested = Signal()
    accept_requested = Signal()
    reject_requested = Signal()
    preview_selected = Signal(object)

    def __init__(self, parent: QWidget | None = None, keys: Keys | None = None) -> None:
        super().__init__(parent)
        self._keys = keys or Keys(self)
        self._keys.changed.connect(self._refresh)
        self._options = SamplingOptions()
        self._n_steps = 0
        self._is_running = False
        self._has_proposal = False
        self._obstacle = ""
        self._clock = QElapsedTimer()
        self._ticks = QTimer(self, interval=TICK_MS)
        self._ticks.timeout.connect(self._show_progress)
        self._steps = StepModel(self)
        self._strip = StepStrip(self._steps, self)
        self._slider = QSlider(Qt.Orientation.Horizontal, self)
        self._progress = QLabel(self)
        self._device = QLabel(self)
        self._build_settings()
        self._build_buttons()
        self._lay_out()
        self._strip.selectionModel().currentChanged.connect(self._on_row_chosen)
        self._slider.valueChanged.connect(self._on_slid)
        self.set_obstacle("")

    # What the outside sets.

    def set_image(self, image: Rgb | None) -> None:
        """Another image is open: its steps come over this picture, [H, W, 3]."""
        self._steps.set_image(image)
        self._n_steps, self._has_proposal, self._is_running = 0, False, False
        self._ticks.stop()
        self._refresh()

    def set_categories(self, categories: Mapping[int, Category]) -> None:
        """Colours of the maps, by the model's category ids."""
        self._steps.set_categories(categories)

    def forget_steps(self) -> None:
        """Another model is in use: the steps so far were in categories of the one before."""
        self._steps.clear()
        self._refresh()

    def set_options(self, options: SamplingOptions) -> None:
        """Fill in the settings that a model was best with."""
        self._options = options
        self._steps_box.setValue(options.steps)
        self._time_delta_box.setValue(options.time_delta)
        self._seed_box.setValue(options.seed)

    def options(self) -> SamplingOptions:
        """The settings as they stand."""
        return replace(
            self._options,
            steps=self._steps_box.value(),
            time_delta=self._time_delta_box.value(),
            seed=self._seed_box.value(),
        )

    def set_device(self, device: Device | None) -> None:
        """Show what the model runs on; None while nobody knows."""
        self._device.setText("" if device is None else f"on {device.name}")
        self._device.setToolTip("" if device is None else device.note)

    def set_obstacle(self, sentence: str) -> None:
        """Say why no run can start now, such as a missing model; empty when one can."""
        self._obstacle = sentence
        self._refresh()

    # What happens in a run.

    def begin(self, n_steps: int) -> None:
        """A run of so many steps has started; the steps of the one before go."""
        self._steps.clear()
        self._n_steps = n_steps
        self._is_running, self._has_proposal = True, False
        self._clock.start()
        self._ticks.start()
        self._refresh()

    def add_preview(self, preview: Preview) -> None:
        """One more step; it is selected unless somebody looks at an earlier one."""
        was_last = self._strip.currentIndex().row() == self._steps.rowCount() - 1
        self._n_steps = preview.steps
        self._steps.append(preview)
        self._slider.setMaximum(self._steps.rowCount())
        if was_last:
            self._select(self._steps.rowCount() - 1)
        self._show_progress()

    def end_with_proposal(self) -> None:
        """The run is done, and its proposal waits for a decision."""
        self._end()
        self._has_proposal = True
        self._refresh()
        self._select(self._steps.rowCount() - 1)

    def end_without(self) -> None:
        """The run was cancelled or failed; its steps stay to be looked at."""
        self._end()
        self._refresh()

    def settle(self) -> None:
        """The proposal was accepted or rejected."""
        self._has_proposal = False
        self._refresh()

    # Inside.

    def _build_settings(self) -> None:
        self._steps_box = QSpinBox(self, minimum=1, maximum=1000, value=self._options.steps)
        self._steps_box.setToolTip(STEPS_TIP)
        self._time_delta_box = QDoubleSpinBox(self, minimum=0, maximum=100, decimals=1)
        self._time_delta_box.setSingleStep(0.5)
        self._time_delta_box.setValue(self._options.time_delta)
        self._time_delta_box.setToolTip(TIME_DELTA_TIP)
        self._seed_box = QSpinBox(self, minimum=0, maximum=MAX_SEED)
        self._seed_box.setToolTip(SEED_TIP)
        self._seed_button = QToolButton(self)
        self._seed_button.setText("New seed")
        self._seed_button.setToolTip("Draw another seed, for another map.")
        self._seed_button.clicked.connect(self._draw_seed)

    def _build_buttons(self) -> None:
        self._segment_button = self._button("Segment image", self.segment_requested)
        self._cancel_button = self._button("Cancel", self.cancel_requested)
        self._accept_button = self._button("Accept", self.accept_requested)
        self._reject_button = self._button("Reject", self.reject_requested)
        for button in (self._segment_button, self._accept_button):
            mark_primary(button)
        self._cancel_button.setMinimumWidth(self._segment_button.sizeHint().width())

    def _button(self, text: str, wanted: SignalInstance) -> QPushButton:
        button = QPushButton(text, self)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keys to the canvas
        button.clicked.connect(wanted)
        return button

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self._segment_button)
        top.addWidget(self._cancel_button)
        top.addSpacing(8)
        for name, box in (
            ("&Steps", self._steps_box),
            ("&td", self._time_delta_box),
            ("See&d", self._seed_box),
        ):
            label = QLabel(name, self)
            label.setBuddy(box)
            label.setToolTip(box.toolTip())
            top.addWidget(label)
            top.addWidget(box)
        top.addWidget(self._seed_button)
        top.addStretch()
        top.addWidget(self._reject_button)
        top.addWidget(self._accept_button)
        bottom = QHBoxLayout()
        bottom.setSpacing(8)
        bottom.addWidget(self._slider)
        bottom.addWidget(self._progress)
        bottom.addWidget(self._device)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(10, 8, 10, 6)
        whole.addLayout(top)
        whole.addWidget(self._strip)
        whole.addLayout(bottom)
        self._slider.setToolTip("Look at any step of the last run (arrow keys)")
        self._slider.setAccessibleName("Step")
        self._device.setForegroundRole(QPalette.ColorRole.PlaceholderText)

    @Slot()
    def _refresh(self) -> None:
        """Bring every part in line with the state and the keys."""
        keys = self._keys
        self._cancel_button.setToolTip(keys.title("escape", "Stop within one step"))
        self._accept_button.setToolTip(
            keys.title("accept", "Take the proposal over as one edit")
        )
        self._reject_button.setToolTip(keys.title("escape", "Drop the proposal"))
        self._segment_button.setVisible(not self._is_running)
        self._cancel_button.setVisible(self._is_running)
        self._segment_button.setEnabled(not self._obstacle)
        self._segment_button.setToolTip(
            self._obstacle or keys.title("segment_image", SEGMENT_TIP)
        )
        for button in (self._accept_button, self._reject_button):
            button.setVisible(self._has_proposal)
        for box in (self._steps_box, self._time_delta_box, self._seed_box, self._seed_button):
            box.setEnabled(not self._is_running)
        n_rows = self._steps.rowCount()
        self._slider.setEnabled(n_rows > 0)
        self._slider.setRange(min(n_rows, 1), n_rows)
        self._strip.set_hint(self._obstacle or HINT.format(keys.hint("segment_image")))
        self._show_progress()

    @Slot()
    def _show_progress(self) -> None:
        row = self._strip.currentIndex().row()
        if self._is_running:
            elapsed_s = self._clock.elapsed() / 1000
            text = f"step {self._steps.rowCount()} of {self._n_steps} · {elapsed_s:.1f} s"
        elif 0 <= row < self._steps.rowCount():
            preview = self._steps.preview(row)
            text = (
                f"step {preview.step} of {preview.steps} · t = {preview.t:.2f} · "
                f"{preview.elapsed_s:.1f} s"
            )
        else:
            text = ""
        self._progress.setText(text)

    def _end(self) -> None:
        self._is_running = False
        self._ticks.stop()

    def _select(self, row: int) -> None:
        """Make a step the current one; choosing it again shows it again."""
        if row < 0:
            return
        index = self._steps.index(row)
        if index == self._strip.currentIndex():
            self._show_row(row)
        else:
            self._strip.setCurrentIndex(index)

    @Slot()
    def _on_row_chosen(self) -> None:
        row = self._strip.currentIndex().row()
        if row >= 0:
            self._show_row(row)

    def _show_row(self, row: int) -> None:
        self._strip.scrollTo(self._steps.index(row))
        self._slider.blockSignals(True)
        self._slider.setValue(row + 1)
        self._slider.blockSignals(False)
        self._show_progress()
        is_proposal = self._has_proposal and row == self._steps.rowCount() - 1
        self.preview_selected.emit(None if is_proposal else self._steps.preview(row))

    @Slot(int)
    def _on_slid(self, step: int) -> None:
        self._select(step - 1)

    @Slot()
    def _draw_seed(self) -> None:
        self._seed_box.setValue(QRandomGenerator.global_().bounded(MAX_SEED))
