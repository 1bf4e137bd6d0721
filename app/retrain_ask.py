"""What is asked before a model is trained further: with what, on what, for how long."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from PySide6.QtCore import Qt, QThread, Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.buttons import mark_primary
from core.bundled import find_model
from core.errors import AnnotateError
from core.image_query import ImageQuery
from core.model_card import read_card
from core.panoptic import Category
from core.retraining import USUAL_MINUTES, RetrainPlan, name_version, say_obstacle
from core.review import Review
from core.store import AnnotationStore

DEVICES: Final = {
    "As the program finds": "auto",
    "Processor": "cpu",
    "NVIDIA GPU": "cuda",
    "Apple GPU": "mps",
}
NO_MODEL: Final = "This project has no model to train further: choose one in the menu File."
MAX_NAMED: Final = 4
MAX_MINUTES: Final = 24 * 60


@dataclass(frozen=True, slots=True)
class Material:
    """What a project has for a training.

    Attributes:
        counts: images of each state.
        training, hold_out: ids of the approved images; frames of videos are in neither.
        held_names: of the hold-out.
        obstacle: why it is not enough; empty if it is.
        base: the model, as the project names it; title: as its card names it.
        name: for the model that comes out.
        renamed: names of the model's categories -> the project's, where these differ.
    """

    counts: dict[Review, int]
    training: tuple[int, ...]
    hold_out: tuple[int, ...]
    held_names: tuple[str, ...]
    obstacle: str
    base: str
    title: str
    name: str
    renamed: Mapping[str, str] = field(default_factory=dict)


def find_material(store: AnnotationStore) -> Material:
    """Look a project through.

    Raises:
        ProjectError: it cannot be read.
    """
    store.decide_hold_out()
    counts = {state: store.n_images(ImageQuery(states=(state,))) for state in Review}
    training = [r for r in store.training_images() if r.frame is None]
    held = [r for r in store.hold_out_images() if r.frame is None]
    obstacle = say_obstacle(len(training), len(held), store.hold_out_share)
    base, title, renamed = store.model, "", dict[str, str]()
    try:
        if base:
            card = read_card(find_model(base))
            title, renamed = card.name, find_renamed(card.categories, store.renamed_categories)
    except AnnotateError as error:
        obstacle = str(error)
    taken = {version.name for version in store.model_versions()}
    return Material(
        counts,
        tuple(record.id for record in training),
        tuple(record.id for record in held),
        tuple(record.path.name for record in held),
        obstacle if base else NO_MODEL,
        base,
        title,
        name_version(title, taken),
        renamed,
    )


def find_renamed(known: Iterable[Category], renamed: Mapping[str, str]) -> dict[str, str]:
    """Which categories of a model have other names in the project.

    Args:
        known: of the model.
        renamed: old names -> present ones, of the project.
    """
    names = [category.name for category in known if "=" not in category.name]
    return {name: renamed[name] for name in names if name in renamed}


class AskPage(QWidget):
    """Shows what there is to train on, and asks for time, threads and device.

    Signals:
        wanted(RetrainPlan): the training shall begin.
    """

    wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._material: Material | None = None
        self._model, self._images, self._held = (_label(self) for _ in range(3))
        self._obstacle = _label(self)
        self._obstacle.setProperty("ink", "warning")
        self._minutes = QSpinBox(self, minimum=1, maximum=MAX_MINUTES, value=USUAL_MINUTES)
        self._minutes.setSuffix(" min")
        self._minutes.setAccessibleName("Time for the training")
        n_cores = max(QThread.idealThreadCount(), 1)
        self._threads = QSpinBox(self, minimum=1, maximum=n_cores, value=max(n_cores - 1, 1))
        self._threads.setAccessibleName("Threads of the processor")
        self._device = QComboBox(self)
        self._device.setAccessibleName("Device of the training")
        for text, name in DEVICES.items():
            self._device.addItem(text, name)
        self._start = QPushButton("Start training", self)
        mark_primary(self._start)
        self._start.clicked.connect(self._on_start)
        self._lay_out()

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setVerticalSpacing(10)
        form.addRow("Begin with", self._model)
        form.addRow("Images", self._images)
        form.addRow("Held out", self._held)
        form.addRow("&Time", self._minutes)
        form.addRow("T&hreads", self._threads)
        form.addRow("&Device", self._device)
        note = _label(self)
        note.setText(
            "The first 5 seconds measure how many steps fit into the time. The training runs "
            "beside the window, after everything else; go on labelling."
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addLayout(form)
        column.addWidget(note)
        column.addWidget(self._obstacle)
        column.addStretch()
        column.addWidget(self._start, alignment=Qt.AlignmentFlag.AlignRight)

    def show_material(self, material: Material) -> None:
        """Say what a project has."""
        self._material = material
        self._model.setText(material.title or "no model")
        self._images.setText(say_images(material))
        self._held.setText(say_held_out(material))
        self._obstacle.setText(material.obstacle)
        self._obstacle.setVisible(bool(material.obstacle))
        self._start.setEnabled(not material.obstacle)

    @Slot()
    def _on_start(self) -> None:
        material = self._material
        if material is None:
            return
        self._start.setEnabled(False)  # until the material is looked at anew
        plan = RetrainPlan(
            material.base,
            material.name,
            self._minutes.value(),
            self._threads.value(),
            self._device.currentData(),
            len(material.training),
            len(material.hold_out),
            renamed=material.renamed,
        )
        self.wanted.emit(plan)


def say_images(material: Material) -> str:
    """As `12 approved images are trained on; not yet: 3 proposed, 40 empty`."""
    n = len(material.training)
    text = f"{n} approved {'image is' if n == 1 else 'images are'} trained on"
    others = Counter(material.counts)
    del others[Review.APPROVED]
    rest = ", ".join(f"{count:,} {state.value}" for state, count in others.items() if count)
    return f"{text}; not among them: {rest}" if rest else text


def say_held_out(material: Material) -> str:
    """How many measure the model, and which."""
    names = material.held_names
    if not names:
        return "none"
    more = len(names) - MAX_NAMED
    shown = ", ".join(names[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
    return f"{len(names)}, to measure the model: {shown}"


def _label(parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label
