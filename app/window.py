"""MainWindow: builds the parts of the window and connects them; the parts do the work."""

from PySide6.QtCore import QEvent, QSize, Qt, QThreadPool, Signal, Slot
from PySide6.QtGui import QCloseEvent, QKeyEvent
from PySide6.QtWidgets import QMainWindow, QWidget

from app.batch_commands import BatchCommands
from app.batch_run import BatchRun
from app.border_panel import BorderPanel
from app.canvas import CanvasView
from app.canvas_frame import CanvasFrame
from app.category_commands import CategoryCommands
from app.category_keys import CategoryKeys
from app.category_panel import CategoryPanel
from app.clip_commands import ClipCommands
from app.command_palette import CommandPalette
from app.docks import Docks
from app.document import Document
from app.focus import is_typing, keeps
from app.frame_panel import ImageList
from app.gesture import UNFINISHED
from app.help_sheet import HelpSheet
from app.history_panel import HistoryPanel
from app.image_commands import ImageCommands
from app.image_notices import ImageNotices
from app.keys import Keys
from app.last_word import LastWord
from app.menus import Actions
from app.model_run import ModelRun
from app.notices import Notices, NoticeStack
from app.panel_area import PanelArea, stack_up
from app.project_commands import ProjectCommands
from app.propagation_commands import PropagationCommands
from app.propagation_run import PropagationRun
from app.recall import recall, remember
from app.retraining import Retraining
from app.segment_commands import SegmentCommands
from app.segment_panel import SegmentPanel
from app.segmenter import Segmenter
from app.settings import Preferences
from app.settings_commands import SettingsCommands
from app.source_watch import SourceWatch
from app.status_bar import StatusBar
from app.step_panel import StepPanel
from app.timeline_commands import TimelineCommands
from app.tone_panel import ToneDock
from app.toolbar import ToolBar
from app.toolbox import ToolBox
from core.errors import AnnotateError
from core.store import AnnotationStore

SIZE = (1440, 900)


class MainWindow(QMainWindow):
    """One open project.

    Signals:
        new_project_requested(): somebody wants to begin another project.
        open_requested(): somebody wants to open something else.
        recovery_requested(): the project is damaged, and what can be read shall be saved.
    """

    new_project_requested = Signal()
    open_requested = Signal()
    recovery_requested = Signal()

    def __init__(
        self,
        store: AnnotationStore,
        preferences: Preferences | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.preferences = preferences or Preferences(self)
        self.keys = Keys(self)
        self.settings = SettingsCommands(self.preferences, self.keys, self)
        self.document = Document(store, self, self.keys)
        self.segment_commands = SegmentCommands(self.document, self)
        self.category_commands = CategoryCommands(self.document, self)
        self.tools = ToolBox(self)
        self.notices = Notices(self)
        self.segmenter = Segmenter(self)
        self._build_views()
        self._build_docks()
        self.commands = Actions(self, self.keys)
        self.timeline.join(self.commands)
        CategoryKeys(self.document, self.category_commands, self.commands, self)
        self._docks.segments.setWidget(
            stack_up(self.segments, BorderPanel(self.commands, self.segment_commands))
        )
        self._palette = CommandPalette(self.commands, self)
        self._help = HelpSheet(self.keys, self)
        self.addToolBar(ToolBar(self.commands, self.keys, self.tools, self.canvas, self))
        self.setStatusBar(
            StatusBar(self.document, self.tools, self.canvas, self.model_run, self)
        )
        self._connect()
        self._use_keys()
        recall(self.preferences.values, self, self.tools, self.canvas.look)
        self.reload_images()
        self.category_commands.tell_unfinished()

    def _build_views(self) -> None:
        self.resize(QSize(*SIZE).boundedTo(self.screen().availableSize()))
        self.project_commands = ProjectCommands(self.document, self)
        self.canvas = CanvasView(self.document, self.tools, self)
        self.canvas_frame = CanvasFrame(self.document, self.canvas, self)
        self.setCentralWidget(self.canvas_frame)
        self.notice_stack = NoticeStack(self.notices, self.canvas)
        self.image_list = ImageList(self.document.store, self.keys, self)
        self.image_commands = ImageCommands(
            self.document, self.image_list, self.segment_commands, self
        )
        self.timeline = TimelineCommands(
            self.document, self.canvas_frame, self.image_list, self.preferences, self
        )
        self.clip_commands = ClipCommands(self.document, self.timeline, self.image_list, self)
        self.categories = CategoryPanel(self.document, self.category_commands, self)
        self.segments = SegmentPanel(self.document, self.canvas.look, self)
        self.history = HistoryPanel(self.document, self)
        self.step_panel = StepPanel(self, self.keys)
        self.model_run = ModelRun(
            self.document, self.segmenter, self.step_panel, self.notices, self.preferences, self
        )
        run = BatchRun(self.document, self.model_run, self.segmenter, self.canvas, self)
        self.batch = BatchCommands(self.document, run, self.image_list, self.notices, self)
        follower = PropagationRun(
            self.document, self.model_run, self.segmenter, self.canvas, self
        )
        self.propagation = PropagationCommands(
            self.document, follower, self.model_run, self.canvas, self.notices, self
        )

    def _build_docks(self) -> None:
        self._docks = Docks(
            self,
            images=self.image_list,
            categories=self.categories,
            segments=self.segments,
            history=self.history,
            model=PanelArea(self.step_panel),
        )
        self.tone_dock = ToneDock(self.canvas.look, self)
        self.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, self.tone_dock)

    def _connect(self) -> None:
        document = self.document
        self.preferences.changed.connect(self._use_keys)
        document.refused.connect(self.notices.warn)
        ImageNotices(document, self.notices, self)
        self.last_word = LastWord(document, self.canvas, self.notices, self)
        self.batch.join(self.statusBar(), self.last_word)
        self.propagation.join(self.statusBar(), self.last_word)
        self.propagation.run.saved.connect(self.image_list.forget)
        self.propagation.image_wanted.connect(self.open_image)
        self.image_list.image_chosen.connect(self.open_image)
        self.canvas.gesture_began.connect(self.notice_stack.close_passing)
        self.canvas.gesture_began.connect(self.model_run.answers.hold)
        self.canvas.gesture_ended.connect(self.model_run.answers.let_go)
        # Through their actions, which wait for what is being drawn.
        self.step_panel.segment_requested.connect(self.commands["segment_image"].trigger)
        self.canvas.region_chosen.connect(self.model_run.begin_region)
        self.model_run.changed.connect(self._on_run_changed)
        document.image_changed.connect(self._on_image_changed)
        document.segments_changed.connect(self._on_segments_changed)
        document.edited.connect(self.image_list.forget)
        self.image_list.failed.connect(self.notices.fail)
        self.training = Retraining(document, self.notices, self.last_word, self.model_run, self)
        self.training.batch_wanted.connect(self.commands["pre_annotate"].trigger)
        self.training.image_wanted.connect(self.open_image)
        commands = (self.image_commands, self.segment_commands, self.project_commands)
        for source in (*commands, self.category_commands, self.clip_commands, self.timeline):
            source.told.connect(self.notices.tell)
        self.source_watch = SourceWatch(document, self.notices, self)
        self.source_watch.relink_requested.connect(self.commands["relink"].trigger)
        self.project_commands.images_moved.connect(self._on_images_moved)
        self.project_commands.imported.connect(self.image_list.reload)
        self.category_commands.unfinished.connect(self._offer_to_finish)
        self.categories.edit_requested.connect(self.edit_categories)
        for signal in (
            document.selection_changed,
            document.history_changed,  # the last to tell of another image, map or proposal
            self.model_run.changed,
            self.batch.run.changed,
            self.tools.changed,
            self.canvas.look.changed,
            self.preferences.changed,
            self.clip_commands.changed,
        ):
            signal.connect(self.commands.refresh)

    @Slot()
    def _use_keys(self) -> None:
        values = self.preferences.values
        if (self.keys.preset, self.keys.changes) != (values.preset, values.keys):
            self.keys.use(values.preset, values.keys)

    # Images.

    @property
    def has_images(self) -> bool:
        return self.image_list.n_images > 0

    def reload_images(self) -> None:
        """Read the project's list of images, after some were added."""
        self.image_list.reload()
        self.timeline.look_again()
        if self.document.record is None:
            self._open_first_image()
        self.commands.refresh()

    @Slot(int)
    def open_image(self, image_id: int) -> None:
        """Show an image of the project; nothing happens when it has no such image."""
        if not self.may_leave():
            return
        try:
            found = self.document.store.image_records([image_id])
        except AnnotateError as error:
            self.notices.fail(str(error))
            return
        if found:
            self.document.open_image(found[0])

    def may_leave(self) -> bool:
        """Whether nothing is being drawn; if something is, a sentence says what to do first."""
        if not self.canvas.is_gesturing:
            return True
        self.notices.warn(UNFINISHED.format(self.keys.hint("escape")))
        if self.document.record is not None:
            self.image_list.set_current(self.document.record.id)
        return False

    def _open_first_image(self) -> None:
        """Go on where the project was left."""
        last = self.document.store.last_image
        self.open_image(self.image_list.first_id if last is None else last)

    @Slot()
    def _on_image_changed(self) -> None:
        record, project = self.document.record, self.document.store.path
        if record is not None:
            self.image_list.set_current(record.id)
            self.setWindowTitle(f"{record.path.name} \N{EM DASH} {project.stem}")
        else:
            self.setWindowTitle(project.stem)

    @Slot()
    def _on_run_changed(self) -> None:
        self.canvas.frame_region(self.model_run.region)

    @Slot()
    def _on_segments_changed(self) -> None:
        map = self.document.shown_map
        n_segments = 0 if map is None else len(map.segments)
        self._docks.segments.setWindowTitle(f"Segments ({n_segments:,})")

    # What the table of actions asks for.

    def escape(self) -> None:
        """Undo what is furthest from done: stroke, run, preview or proposal, selection."""
        if self.canvas.is_gesturing:
            self.canvas.cancel_gesture()
        elif self.model_run.is_running or self.model_run.is_waiting:
            self.model_run.cancel()
        elif self.propagation.run.is_active:
            self.propagation.run.stop()
        elif not self.document.is_editable:
            self.document.reject()
        else:
            self.document.select(0)

    def undo(self) -> None:
        """Take back the last corner of what is being drawn, else the last edit."""
        if not self.canvas.take_back():
            self.document.undo()

    def redo(self) -> None:
        """Do the edit again that was taken back last, unless something is being drawn."""
        if not self.canvas.is_gesturing:
            self.document.redo()

    def choose_model(self) -> None:
        """Ask for another model for the project."""
        # Dialogs are imported late: the window opens without waiting for them.
        from app.model_dialog import ModelDialog  # noqa: PLC0415

        categories = tuple(self.document.categories.values())
        dialog = ModelDialog(self.document.store.model, categories, self)
        dialog.chosen.connect(self.model_run.use_model)
        dialog.open()

    def edit_categories(self) -> None:
        """Change the project's list of categories."""
        from app.category_editor import open_category_editor  # noqa: PLC0415 - only here

        card = self.model_run.card
        known = () if card is None else card.categories
        open_category_editor(self.document, self.category_commands, known, self)

    @Slot(object)
    def _offer_to_finish(self, sentence: str) -> None:
        self.notices.offer(sentence, "Finish it…", self.edit_categories)

    @Slot()
    def _on_images_moved(self) -> None:
        self.image_list.reload_moved()
        self.source_watch.look_for_missing()
        if self.document.record is not None:
            self.open_image(self.document.record.id)

    def show_help(self) -> None:
        """Show every key and mouse movement."""
        self._help.show()
        self._help.activateWindow()

    def show_palette(self) -> None:
        """Find a command by typing."""
        self._palette.open_palette()

    # Qt.

    def remember(self) -> None:
        """Keep for the next window how this one is arranged and which tools were set how."""
        before = self.preferences.values
        self.preferences.use(remember(before, self, self.tools, self.canvas.look))

    def start_model(self) -> None:
        """Start the inference process and load the project's model."""
        self.segmenter.start()
        self.model_run.load_model()
        self.training.attach()

    def event(self, event: QEvent) -> bool:
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and keeps(event)
        ):
            event.accept()
            return True
        if event.type() == QEvent.Type.DeferredDelete:
            self._end_work()
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        leaving = {Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter}
        if event.key() in leaving and is_typing():
            self.canvas.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """End what lasts as long as its key is held."""
        if event.isAutoRepeat():
            return
        if self.keys.is_released("image_only", event):
            self.canvas.look.set_image_only(False)
        elif self.keys.is_released("pick", event):
            self.tools.let_go()
        else:
            super().keyReleaseEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.ActivationChange and not self.isActiveWindow():
            self.canvas.look.set_image_only(False)
        if event.type() == QEvent.Type.FontChange:
            self._docks.fit_text()
        super().changeEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self.last_word.may_close():
            event.ignore()
            return
        self.canvas.cancel_gesture()
        self.canvas_frame.activity.save()
        self.remember()
        self._end_work()
        super().closeEvent(event)

    def _end_work(self) -> None:
        """End process and threads: a deleted pool waits for threads, which wait for Python."""
        self.batch.run.stop()
        self.propagation.run.abandon()
        self.segmenter.stop()
        self.training.stop()
        self.document.reader.stop()
        self.source_watch.stop()
        self.segments.stop()
        self.timeline.stop()
        self.clip_commands.stop()
        self.image_list.stop()
        for pool in self.findChildren(QThreadPool):
            pool.waitForDone()
