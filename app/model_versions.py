"""The versions of the project's model: keeping a new one, and going from one to another."""

from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, Signal, Slot

from app.document import Document
from app.model_run import ModelRun
from app.thread_run import ThreadRun
from core.errors import AnnotateError
from core.gate_report import GateReport, scores_of
from core.model_card import ModelCard, read_card
from core.retraining import Outcome, RetrainPlan
from core.version_files import keep_file

NOT_ONE: Final = "The version could not be kept: {reason}"


class ModelVersions(QObject):
    """Adds versions to the project and hands one to the inference process.

    Signals:
        kept(Outcome): the new version is in the project's list, in use or not.
        failed(str): it is not, and why.
        swapped(str): another model is in use, by the name on its card; the inference process
            has taken it between two jobs.
    """

    kept = Signal(object)
    failed = Signal(object)
    swapped = Signal(object)

    def __init__(self, document: Document, model_run: ModelRun, parent: QObject) -> None:
        super().__init__(parent)
        self._document = document
        self._model_run = model_run
        model_run.changed.connect(self._on_model_changed)
        self._copying: ThreadRun | None = None
        self._awaited = ""  # the file that is being loaded
        self._asked: tuple[RetrainPlan, GateReport, Outcome] | None = None

    def keep(
        self, plan: RetrainPlan, model: Path, report: GateReport, outcome: Outcome
    ) -> None:
        """Add the model of a run to the project, and use it if that was decided."""
        self._asked = plan, report, outcome
        steps = partial(_copies, self._document.store.path, model, plan.name)
        self._copying = ThreadRun(steps, "the copy of the model", self)
        self._copying.finished.connect(self._on_copied)
        self._copying.failed.connect(self.failed)
        self._copying.start()

    @Slot(object)
    def _on_copied(self, made: tuple[Path, ModelCard]) -> None:
        if self._asked is None:
            return
        (path, card), (plan, report, outcome) = made, self._asked
        store = self._document.store
        try:
            parents = [v.id for v in store.model_versions() if str(v.path) == plan.base]
            store.add_model_version(
                plan.name,
                path,
                data_hash=str(card.training.get("data_sha256", "")),
                n_images=plan.n_training,
                parent=parents[0] if parents else None,
                scores=scores_of(report.compare(), plan.base),
            )
        except AnnotateError as error:
            self.failed.emit(NOT_ONE.format(reason=error))
            return
        if outcome is Outcome.USED:
            self.use(str(path))
        self.kept.emit(outcome)

    @Slot(object)
    def use(self, model: str) -> None:
        """Go on with a model, named as in `AnnotationStore.model`."""
        self._awaited = model
        self._model_run.use_model(model)

    @Slot()
    def _on_model_changed(self) -> None:
        """Tell once that the model is in use: the project remembers it as soon as it is."""
        card = self._model_run.card
        if self._awaited and card is not None and self._document.store.model == self._awaited:
            self._awaited = ""
            self.swapped.emit(card.name)


def _copies(
    project: Path, model: Path, name: str
) -> Generator[tuple[Path, ModelCard], None, None]:
    """In a thread: the file in its place, and what its card says."""
    path = keep_file(project, model, name)
    yield path, read_card(path)
