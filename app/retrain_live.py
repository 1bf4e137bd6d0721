"""A training run as it goes on: curves, time left, pictures, and what it can be asked for."""

from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.buttons import mark_primary
from app.retrain_plot import CurvePlot
from app.retrain_watch import RetrainWatch
from app.theme import scaled
from core.run_folder import Wish, read_wish
from core.training_progress import Phase, TrainingProgress, say_time

PICTURES: Final = ("hold-out-0.png", "hold-out-1.png")
PICTURE_WIDTH: Final = 560
MAX_SENTENCES: Final = 4
HEADLINES: Final = {
    Phase.BEGINNING: "{name} is being prepared: the network is loaded, and a few steps are "
    "measured.",
    Phase.TRAINING: "{name} is being trained: {done}{left}.",
    Phase.PAUSED: "The training of {name} is paused after {done}.",
    Phase.STOPPED: "The training of {name} was stopped after {done}; it can go on from there.",
    Phase.FAILED: "The training of {name} ended after {done}, before it was done.",
    Phase.FINISHED: "The training of {name} is done, after {done}.",
}
GONE: Final = (
    "The process that trained {name} is gone; perhaps the machine was restarted. It can go on "
    "from its last checkpoint."
)

BROKEN: Final = (
    "The process that trained {name} broke down; its last words are below. It can go on from "
    "its last checkpoint."
)


class LivePage(QWidget):
    """Shows a run and asks it, through signals, for what the person wants.

    Signals:
        asked(Wish): the run shall pause, go on, or finish with the best it has.
        resume_wanted(): a run that was stopped or has died shall go on.
        again_wanted(): a new run shall begin, with the settings that the failed one offers.
        discard_wanted(): nothing of the run is wanted.
    """

    asked = Signal(object)
    resume_wanted = Signal()
    again_wanted = Signal()
    discard_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._watch: RetrainWatch | None = None
        self._headline, self._sentences = QLabel(self), QLabel(self)
        for label in (self._headline, self._sentences):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        self._sentences.setProperty("ink", "warning")
        self._loss = CurvePlot("Loss", 3, self)
        self._rate = CurvePlot("Learning rate", 2, self)
        self._scores = CurvePlot("On the hold-out", 3, self)
        self._pictures = [QLabel(self) for _ in PICTURES]
        self._n_shown = -1  # scores when the pictures were read
        self._pause = self._button("Pause", self._on_pause)
        self._finish = self._button("Stop and keep the best", self._on_finish)
        self._resume = self._button("Resume", self.resume_wanted)
        self._again = self._button("Begin again", self.again_wanted)
        self._discard = self._button("Discard", self.discard_wanted)
        for button in (self._resume, self._again):
            mark_primary(button)
        self._lay_out()

    def _button(self, text: str, slot: object) -> QPushButton:
        button = QPushButton(text, self)
        button.clicked.connect(slot)
        return button

    def _lay_out(self) -> None:
        curves, buttons = QHBoxLayout(), QHBoxLayout()
        for plot in (self._loss, self._rate):
            curves.addWidget(plot)
        buttons.addStretch()
        for button in (self._discard, self._pause, self._finish, self._again, self._resume):
            buttons.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addWidget(self._headline)
        column.addLayout(curves)
        column.addWidget(self._scores)
        for picture in self._pictures:
            column.addWidget(picture)
        column.addWidget(self._sentences)
        column.addLayout(buttons)

    def show_run(self, watch: RetrainWatch, name: str) -> None:
        """Bring everything up to date."""
        self._watch = watch
        progress = watch.progress
        self._headline.setText(say_headline(watch, name))
        self._show_curves(progress)
        sentences = progress.sentences[-MAX_SENTENCES:]
        if watch.is_lost and watch.last_words:
            sentences.append(watch.last_words)
        self._sentences.setText("\n".join(sentences))
        self._sentences.setVisible(bool(sentences))
        if len(progress.scores) != self._n_shown:
            self._n_shown = len(progress.scores)
            self._show_pictures(watch.folder)
        self._show_buttons(watch)

    def _show_curves(self, progress: TrainingProgress) -> None:
        n_steps, scores = progress.n_steps, progress.scores
        self._loss.show_curves({"": progress.losses}, n_steps)
        self._rate.show_curves({"": progress.rates}, n_steps)
        kinds = ("pq", "sq", "rq")
        curves = {k.upper(): [(s.step, getattr(s, k)) for s in scores] for k in kinds}
        self._scores.show_curves(curves if scores else {}, n_steps)

    def _show_pictures(self, folder: Path) -> None:
        for label, name in zip(self._pictures, PICTURES, strict=True):
            picture = QPixmap(str(folder / name)) if (folder / name).exists() else QPixmap()
            label.setVisible(not picture.isNull())
            label.setAccessibleName("An image of the hold-out and its map, step by step")
            if not picture.isNull():
                mode = Qt.TransformationMode.SmoothTransformation
                label.setPixmap(picture.scaledToWidth(scaled(PICTURE_WIDTH), mode))

    def _show_buttons(self, watch: RetrainWatch) -> None:
        is_alive, progress = watch.is_alive, watch.progress
        is_over = not is_alive and progress.phase is not Phase.FINISHED
        is_led = watch.phase in {Phase.TRAINING, Phase.PAUSED}
        is_paused = read_wish(watch.folder) is Wish.PAUSE
        self._pause.setText("Go on" if is_paused else "Pause")
        for button in (self._pause, self._finish):
            button.setVisible(is_alive)
            button.setEnabled(is_led)
        self._resume.setVisible(is_over and not progress.change)
        self._again.setVisible(is_over and bool(progress.change))
        self._again.setText(f"Begin again with {say_change(progress)}")
        self._discard.setVisible(is_over)

    @Slot()
    def _on_pause(self) -> None:
        if self._watch is not None:
            is_paused = read_wish(self._watch.folder) is Wish.PAUSE
            self.asked.emit(Wish.GO_ON if is_paused else Wish.PAUSE)

    @Slot()
    def _on_finish(self) -> None:
        self.asked.emit(Wish.FINISH)


def say_headline(watch: RetrainWatch, name: str) -> str:
    """One sentence on how far a run is."""
    progress = watch.progress
    if watch.is_lost:
        return (BROKEN if watch.last_words else GONE).format(name=name)
    left = progress.seconds_left
    done = f"step {progress.step:,} of {progress.n_steps:,}"
    texts = {
        "name": name,
        "done": done if progress.n_steps else "no step",
        "left": "" if left is None else f", about {say_time(left)} left",
    }
    return HEADLINES[watch.phase].format(**texts)


def say_change(progress: TrainingProgress) -> str:
    """As `batch 2, accumulation 4`."""
    return ", ".join(
        f"{name.replace('_', ' ')} {value}" for name, value in progress.change.items()
    )
