"""The dialog that shows what a change of categories does to the maps, and then does it."""

from collections.abc import Callable, Generator, Mapping
from functools import partial
from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QProgressBar,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.buttons import mark_primary
from app.category_sentences import say_count, say_impact
from app.document import Document
from app.theme import swatch
from app.thread_run import ThreadRun
from core.category_changes import (
    CategoryPlan,
    Count,
    Survey,
    begin_change,
    carry_out,
    forget_change,
    list_edited,
    survey,
)
from core.errors import AnnotateError
from core.panoptic import VOID, Category
from core.store import AnnotationStore

SIZE = (620, 420)
NAME, COUNT, BECOMES = range(3)
MakePlan = Callable[[Mapping[int, int]], CategoryPlan]


class CategoryImpact(QDialog):
    """Counts in a thread what a plan would do, and carries it out in a thread.

    It is modal to its window, so that nothing else edits the project meanwhile.

    Attributes:
        plan: as it stands; what deleted categories become can be chosen here.

    Signals:
        changed(): all is done; the document has followed.
    """

    changed = Signal()

    def __init__(
        self,
        document: Document,
        make_plan: MakePlan,
        becomes: Mapping[int, int],
        parent: QWidget | None = None,
        *,
        is_begun: bool = False,
    ) -> None:
        """Show what a plan does.

        Args:
            document: of the project.
            make_plan: from what each deleted category becomes.
            becomes: the deleted categories and what they become, at first.
            parent: that the dialog belongs to.
            is_begun: whether a part of it is done; it can be left at that.
        """
        super().__init__(parent)
        self.setWindowTitle("What this does to the maps")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(*SIZE)
        self._document = document
        self._make_plan = make_plan
        self._becomes = dict(becomes)
        self.plan = make_plan(becomes)
        self._run: ThreadRun | None = None
        self._is_changing = False
        self._is_leaving = False
        self._list = self._build_list()
        self._what = QLabel(self)
        self._bar = QProgressBar(self)
        self._buttons = QDialogButtonBox(self)
        role = QDialogButtonBox.ButtonRole
        self._change = self._buttons.addButton("Change", role.ActionRole)
        self._close = self._buttons.addButton("Cancel", role.RejectRole)
        self._leave = self._buttons.addButton("Leave it at that", role.ActionRole)
        self._leave.setVisible(is_begun)
        self._lay_out()
        self._leave.clicked.connect(self._forget)
        self._change.clicked.connect(self.start)
        self._buttons.rejected.connect(self.reject)
        self._fill()
        self._count()

    @property
    def is_counted(self) -> bool:
        """Whether it is known what the plan would do."""
        return self._change.isEnabled()

    def _build_list(self) -> QTreeWidget:
        tree = QTreeWidget(self)
        tree.setAccessibleName("Categories whose segments change")
        tree.setHeaderLabels(["Category", "In the maps", "Becomes"])
        tree.setRootIsDecorated(False)
        tree.setSelectionMode(QTreeWidget.SelectionMode.NoSelection)
        header = tree.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        return tree

    def _lay_out(self) -> None:
        self._what.setWordWrap(True)
        self._what.setTextFormat(Qt.TextFormat.PlainText)
        mark_primary(self._change)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(20, 18, 20, 16)
        whole.setSpacing(10)
        whole.addWidget(self._list, stretch=1)
        whole.addWidget(self._what)
        whole.addWidget(self._bar)
        whole.addWidget(self._buttons)

    def _fill(self) -> None:
        """A row for each category whose segments are to change."""
        known = {category.id: category for category in self.plan.categories}
        for source in self.plan.change.moves:
            category = self._document.categories.get(source, known[source])
            item = QTreeWidgetItem([category.name, "", ""])
            item.setIcon(NAME, swatch(category.color, is_round=category.is_thing))
            item.setData(NAME, Qt.ItemDataRole.UserRole, source)
            self._list.addTopLevelItem(item)
            if source in self._becomes:
                self._list.setItemWidget(item, BECOMES, self._target_box(category))
            else:
                item.setText(BECOMES, self._say_target(known, source))

    def _say_target(self, known: Mapping[int, Category], source: int) -> str:
        target = known.get(self.plan.change.moves[source])
        if target is None:
            return "void"
        return f"{target.name} ({'thing' if target.is_thing else 'stuff'})"

    def _target_box(self, category: Category) -> QComboBox:
        box = QComboBox(self)
        box.setAccessibleName(f"What segments of {category.name} become")
        box.addItem("void (deleted)", VOID)
        kept = {c.id for c in self.plan.final}
        for target in self.plan.final:
            icon = swatch(target.color, is_round=target.is_thing)
            box.addItem(icon, target.name, target.id)
        target_id = self.plan.change.moves[category.id]
        box.setCurrentIndex(max(box.findData(target_id if target_id in kept else VOID), 0))
        box.currentIndexChanged.connect(partial(self._on_target_chosen, category.id, box))
        return box

    def _on_target_chosen(self, source: int, box: QComboBox, _index: int) -> None:
        self._becomes[source] = int(box.currentData())
        self.plan = self._make_plan(self._becomes)
        self._count()

    # Counting.

    def _count(self) -> None:
        """Find out what the plan does, in a thread."""
        if self._run is not None:
            self._run.cancel()
        path = self._document.store.path
        moves = self.plan.change.targets(self.plan.categories)

        def steps() -> Generator[Survey, None, None]:
            with AnnotationStore.open(path, is_read_only=True) as store:
                yield from survey(store, moves)

        self._change.setEnabled(False)
        self._what.setText("Counting segments…")
        self._begin_run(ThreadRun(steps, "Counting segments", self), self._on_counted)

    @Slot(object)
    def _on_counted(self, counts: Survey) -> None:
        if self.sender() is not self._run:
            return  # of an earlier plan
        self._end_run()
        if self._is_leaving:
            super().reject()
            return
        for row in range(self._list.topLevelItemCount()):
            item = self._list.topLevelItem(row)
            if item is not None:
                source = item.data(NAME, Qt.ItemDataRole.UserRole)
                item.setText(COUNT, say_count(counts.counts.get(source, Count())))
        self._what.setText("\n".join(say_impact(counts, self.plan)))
        images = "1 image" if counts.n_touched == 1 else f"{counts.n_touched:,} images"
        self._change.setText(f"Change {images}" if counts.n_touched else "Change the list")
        self._change.setEnabled(True)

    # Changing.

    @Slot()
    def start(self) -> None:
        """Do what was shown."""
        store, plan = self._document.store, self.plan
        try:
            begin_change(store, plan)
        except AnnotateError as error:
            self._what.setText(str(error))
            return

        def steps() -> Generator[int, None, None]:
            with store.open_again() as own:
                yield from carry_out(own, plan.change)

        self._is_changing = True
        self._list.setEnabled(False)
        self._change.setEnabled(False)
        self._leave.hide()
        self._close.setText("Stop")
        self._begin_run(ThreadRun(steps, "The change", self), self._on_changed)

    @Slot(object)
    def _on_changed(self, _n_done: object) -> None:
        self._end_run()
        self._follow()
        self.changed.emit()
        self.accept()

    def _follow(self) -> None:
        """Let the document show what is in the project now, and the open image's map."""
        document = self._document
        document.follow_store(has_new_map=True)
        if document.record is not None and document.reader.is_reading:
            document.open_image(document.record)  # what is being read is the old map

    @Slot()
    def _forget(self) -> None:
        """Let old and new categories stand side by side."""
        try:
            forget_change(self._document.store)
        except AnnotateError as error:
            self._what.setText(str(error))
        else:
            self.reject()

    # Running and stopping.

    def _begin_run(self, run: ThreadRun, on_finished: Callable[[Any], None]) -> None:
        self._run = run
        self._run.finished.connect(on_finished)
        self._run.progressed.connect(self._bar.setValue)
        self._run.cancelled.connect(self._on_cancelled)
        self._run.failed.connect(self._on_failed)
        try:
            self._bar.setMaximum(max(len(list_edited(self._document.store)), 1))
        except AnnotateError:
            self._bar.setMaximum(0)  # the run will say what is wrong
        self._bar.setValue(0)
        self._bar.show()
        self._run.start()

    def _end_run(self) -> None:
        self._run = None
        self._bar.hide()

    @Slot()
    def _on_cancelled(self) -> None:
        if self.sender() is not self._run:
            return
        self._end_run()
        if self._is_changing:
            self._stop_changing("Stopped. What is done stays; go on, or later from the editor.")
        if self._is_leaving:
            super().reject()

    @Slot(object)
    def _on_failed(self, sentence: str) -> None:
        if self.sender() is not self._run:
            return
        self._end_run()
        if self._is_changing:
            self._stop_changing(sentence)
        else:
            self._what.setText(sentence)

    def _stop_changing(self, sentence: str) -> None:
        self._is_changing = False
        self._follow()
        self._what.setText(sentence)
        self._change.setText("Go on")
        self._change.setEnabled(True)
        self._close.setText("Close")

    def reject(self) -> None:
        """Close; while a thread works, stop that first."""
        if self._run is None:
            super().reject()
        else:
            self._is_leaving = not self._is_changing
            self._run.cancel()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._run is not None:
            event.ignore()
            self.reject()
