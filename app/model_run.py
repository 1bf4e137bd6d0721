"""ModelRun: has the model segment the open image, and brings what it does to the window."""

from dataclasses import replace

from PySide6.QtCore import QObject, Signal, Slot

from app.document import Document
from app.gesture import UNFINISHED
from app.held_answers import HeldAnswers
from app.model_choice import name_a_few
from app.notices import Notices
from app.segmenter import Segmenter
from app.settings import Preferences
from app.step_panel import StepPanel
from app.suggestion import cut_preview
from core.bundled import find_model
from core.errors import AnnotateError
from core.jobs import Device, SegmentJob
from core.model_card import ModelCard
from core.panoptic import Category, Rect
from core.proposals import (
    CategoryMatch,
    Known,
    Preview,
    Proposal,
    SamplingOptions,
    match_categories,
    name_as_model,
)

NO_MODEL = "This project has no model: label by hand, or choose a model in the menu File."
LOADING = "The model is being loaded."
WAITING = "Segmentation begins as soon as the model is loaded."
NO_IMAGE = "Open an image first."
READING = "The image is being read."
STOPPED = "The run on the last image was stopped: another image is open."
AT_WORK = "The model is at work; stop it before you ask for a region."


class ModelRun(QObject):
    """Stands between the inference process, the step panel and the document.

    Attributes:
        answers: of the inference process, which can be held back.
        card: of the model in use; None until one is loaded.
        device: what it runs on; None until that is known.
        is_waiting: whether a run begins as soon as the model is loaded.

    Signals:
        changed(): card, device, or whether a run is under way.
    """

    changed = Signal()

    def __init__(
        self,
        document: Document,
        segmenter: Segmenter,
        panel: StepPanel,
        notices: Notices,
        preferences: Preferences,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._preferences = preferences
        self.card: ModelCard | None = None
        self.device: Device | None = None
        self._document = document
        self._segmenter = segmenter
        self.answers = HeldAnswers(segmenter, self)
        self._panel = panel
        self._notices = notices
        self._match = CategoryMatch({}, (), ())
        self._model_state = NO_MODEL
        self._wanted = ""  # the model that was asked for last, as the project names it
        self._ticket = 0  # of the run under way
        self._region: Rect | None = None  # that it was asked for; None for the whole image
        self.is_waiting = False  # for the model, to begin a run
        self._connect_segmenter()
        self._connect_window()

    def _connect_segmenter(self) -> None:
        segmenter = self._segmenter
        segmenter.ready.connect(self._on_ready)
        segmenter.loaded.connect(self._on_loaded)
        segmenter.load_failed.connect(self._on_load_failed)
        self.answers.stepped.connect(self._on_stepped)
        self.answers.finished.connect(self._on_finished)
        self.answers.told.connect(self._notices.tell)
        segmenter.cancelled.connect(self._on_cancelled)
        segmenter.failed.connect(self._on_failed)
        segmenter.restarted.connect(self._notices.fail)

    def _connect_window(self) -> None:
        panel, document = self._panel, self._document
        panel.cancel_requested.connect(self.cancel)
        panel.accept_requested.connect(document.accept)
        panel.reject_requested.connect(document.reject)
        panel.preview_selected.connect(self._on_preview_selected)
        document.image_changed.connect(self._on_image_changed)
        document.proposal_changed.connect(self._on_proposal_changed)
        document.categories_changed.connect(self._on_categories_changed)
        self._show_obstacle()

    def load_model(self) -> None:
        """Load the project's model, if it has one."""
        self._wanted = self._document.store.model
        if self._wanted:
            self._model_state = LOADING
            self._show_obstacle()
            self._segmenter.load(find_model(self._wanted))

    def use_model(self, name: str) -> None:
        """Use another model, which the project remembers once it is loaded.

        Args:
            name: as in `AnnotationStore.model`; empty for none.
        """
        self.cancel()
        self._wanted = name
        if name:
            self._model_state = LOADING
            self._segmenter.load(find_model(name))
        else:
            if self.is_running:
                self._end_without()
            self._segmenter.unload()
            self._remember_model()
            self._model_state = NO_MODEL
            self._take_card(None)
        self._show_obstacle()

    def _remember_model(self) -> None:
        """Write into the project which model it has."""
        store = self._document.store
        try:
            if store.model != self._wanted:
                store.set_model(self._wanted)
        except AnnotateError as error:
            self._notices.fail(str(error))

    @property
    def wanted(self) -> str:
        """The model that was asked for last, as the project names it."""
        return self._wanted

    @property
    def model_state(self) -> str:
        """Why the model is of no use by now, whatever image is open; empty when it is."""
        return self._model_state

    def options(self) -> SamplingOptions:
        """How maps are drawn, as set in the step panel."""
        return self._panel.options()

    @property
    def is_running(self) -> bool:
        return self._ticket != 0

    @property
    def region(self) -> Rect | None:
        """The part of the image that a run or a proposal is about; None for all of it."""
        if self.is_running:
            return self._region
        suggestion = self._document.suggestion
        return None if suggestion is None else suggestion.region

    @property
    def can_begin(self) -> bool:
        return not self.is_running and not self._obstacle

    @property
    def _obstacle(self) -> str:
        """Why no run can start; empty when one can."""
        if self._model_state or self._document.has_image:
            return self._model_state
        return READING if self._document.reader.is_reading else NO_IMAGE

    @Slot()
    def begin(self) -> None:
        """Let the model segment the open image; locked segments stay as they are."""
        if not self.is_running:  # whose region stays until it ends
            self._region = None
        self._begin()

    @Slot(object)
    def begin_region(self, region: Rect) -> None:
        """Let the model segment a part of the open image; outside of it nothing changes."""
        map = self._document.map
        if self.is_running:
            self._notices.tell(AT_WORK)
        elif map is not None:
            self._region = region.clipped(map.height, map.width)
            if not self._region.is_empty:
                self._begin()

    def _begin(self) -> None:
        record, map, region = self._document.record, self._document.map, self._region
        if self._obstacle == LOADING:
            self.is_waiting = True
            self._notices.tell(WAITING)
        elif self._obstacle and not self.is_running:
            self._notices.warn(self._obstacle)
        if record is None or map is None or not self.can_begin:
            return
        self._document.reject()
        has_locked = any(segment.is_locked for segment in map.segments.values())
        categories = tuple(self._document.categories.values())
        is_known = has_locked or region is not None
        named = name_as_model(categories, self.known_categories, self.renamed)
        known = Known(map.copy(), named, region) if is_known else None
        options = self._panel.options()
        if region is not None:
            options = options.for_region()
        job = SegmentJob(record.path, options, record.frame, known)
        self._panel.begin(options.steps)
        self._ticket = self._segmenter.submit(job)
        self.answers.expect(self._ticket)
        self.changed.emit()

    @Slot()
    def cancel(self) -> None:
        """Stop the run within one step, or do not begin the one that waits for the model."""
        self.is_waiting = False
        if self.is_running:
            self._segmenter.cancel(self._ticket)

    # The inference process.

    @Slot(object)
    def _on_ready(self, device: Device) -> None:
        self._show_device(device)
        values = self._preferences.values
        if self._wanted and device.note != values.told_device:  # without a model nothing runs
            self._notices.tell(device.note)
            self._preferences.use(replace(values, told_device=device.note))

    def _show_device(self, device: Device | None) -> None:
        self.device = device
        self._panel.set_device(device)
        self.changed.emit()

    @Slot(object)
    def _on_loaded(self, card: ModelCard) -> None:
        if self._segmenter.model_path == find_model(self._wanted):
            self._remember_model()
        if card != self.card:  # else the process was started again
            self._take_card(card)
            self._panel.set_options(card.sampling)
            self._tell_differences(card.name)
        self._model_state = self._find_mismatch()
        self._show_obstacle()
        self._show_device(self._segmenter.device)
        if self.is_waiting:
            self.is_waiting = False
            self._begin()

    def _take_card(self, card: ModelCard | None) -> None:
        """Speak in the categories of another model from now on."""
        self.card = card
        self._document.show_preview(None)
        self._panel.forget_steps()
        self._match_categories()

    @property
    def known_categories(self) -> tuple[Category, ...]:
        """Those that the model knows, by the names that they had when it was trained."""
        return () if self.card is None else tuple(self.card.categories)

    @property
    def renamed(self) -> dict[str, str]:
        """Names that the project's categories had before -> what they are now."""
        try:
            return self._document.store.renamed_categories
        except AnnotateError:
            return {}  # whoever edits is told what is wrong with the project

    def _match_categories(self) -> None:
        project = self._document.categories
        known = self.known_categories
        self._match = match_categories(known, tuple(project.values()), self.renamed)
        self._panel.set_categories({m: project[p] for m, p in self._match.to_project.items()})

    @Slot()
    def _on_categories_changed(self) -> None:
        """Follow the project's list, which may share more or less with the model now."""
        before = self._find_mismatch()
        self._match_categories()
        if self._model_state in {"", before}:
            self._model_state = self._find_mismatch()
            self._show_obstacle()

    def _find_mismatch(self) -> str:
        """Say that the model is of no use to this project; empty when it is."""
        if self.card is None or self._match.to_project:
            return ""
        name = self.card.name
        return f"The model '{name}' and this project share no category: label by hand."

    def _tell_differences(self, model: str) -> None:
        """Say which categories the model and the project do not share."""
        match, mismatch = self._match, self._find_mismatch()
        if mismatch:
            self._notices.warn(mismatch)
            return
        if match.only_project:
            self._notices.warn(
                f"The model '{model}' does not know {name_a_few(match.only_project)}: "
                "label these by hand."
            )
        if match.only_model:
            self._notices.tell(
                f"The model '{model}' also knows {name_a_few(match.only_model)}; the project "
                "does not, so these segments are left out."
            )

    @Slot(object)
    def _on_load_failed(self, sentence: str) -> None:
        self.is_waiting = False
        self._model_state = sentence if self.card is None else self._find_mismatch()
        if self.card is not None and self._segmenter.device is not None:
            sentence = f"{sentence} The model '{self.card.name}' stays in use."
        self._notices.fail(sentence)
        self._show_obstacle()

    @Slot(int, object)
    def _on_stepped(self, ticket: int, preview: Preview) -> None:
        map, region = self._document.map, self._region
        if ticket == self._ticket:
            if region is not None and map is not None:
                preview = cut_preview(preview, region, (map.height, map.width))
            self._panel.add_preview(preview)

    @Slot(int, object)
    def _on_finished(self, ticket: int, proposal: Proposal) -> None:
        if ticket == self._ticket:
            self._ticket = 0
            self._document.propose(proposal, self._match.to_project, self._region)
            self._panel.end_with_proposal()
            self.changed.emit()

    @Slot(int)
    def _on_cancelled(self, ticket: int) -> None:
        if ticket == self._ticket:
            self._end_without()

    @Slot(int, object)
    def _on_failed(self, ticket: int, sentence: str) -> None:
        if ticket == self._ticket:
            self._notices.fail(sentence)
            self._end_without()

    def _end_without(self) -> None:
        self._ticket = 0
        self._panel.end_without()
        self._document.reject()
        self.changed.emit()

    # The window.

    @Slot(object)
    def _on_preview_selected(self, preview: Preview | None) -> None:
        if self.answers.is_holding:
            keys = self._document.keys
            self._notices.warn(UNFINISHED.format(keys.hint("escape")))
            return
        self._document.show_preview(preview, self._match.to_project, self._region)

    @Slot()
    def _on_image_changed(self) -> None:
        ticket, self._ticket, self._region = self._ticket, 0, None
        if ticket or self.is_waiting:
            self._notices.tell(STOPPED)
        self.is_waiting = False
        self._segmenter.cancel(ticket)
        self._panel.set_image(self._document.image)
        self._show_obstacle()

    @Slot()
    def _on_proposal_changed(self) -> None:
        if not self._document.has_proposal and not self.is_running:
            self._panel.settle()
        self.changed.emit()

    def _show_obstacle(self) -> None:
        self._panel.set_obstacle(self._obstacle)
        self.changed.emit()
