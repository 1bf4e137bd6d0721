"""The dialog in which the project's list of categories is edited."""

from collections.abc import Collection, Generator, Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.buttons import mark_primary
from app.category_commands import CategoryCommands, taken_keys
from app.category_impact import CategoryImpact
from app.category_sentences import say_moves
from app.category_sources import CategorySources
from app.category_table import NAME, CategoryTable
from app.document import Document
from app.theme import swatch
from app.thread_run import ThreadRun
from core.categories import add_missing, find_fault, find_matches
from core.category_changes import (
    CategoryPlan,
    Survey,
    begun_change,
    plan_change,
    survey,
)
from core.category_files import write_categories
from core.errors import AnnotateError
from core.panoptic import Category
from core.store import AnnotationStore

SIZE = (760, 560)
BUSY = "Decide on the proposal first: this would change the map that it is for."


class CategoryEditor(QDialog):
    """Edits a draft; nothing is changed before it is saved.

    What reaches into the maps (a merge, a deletion of what is used, a thing that becomes
    stuff) is shown by `CategoryImpact` first.
    """

    def __init__(
        self,
        document: Document,
        commands: CategoryCommands,
        model_categories: Sequence[Category] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Categories")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(*SIZE)
        self._document = document
        self._commands = commands
        self._model_categories = model_categories
        self._becomes: dict[int, int] = {}
        self._counts: Mapping[int, int] | None = None  # segments, once they are counted
        self._used_ids = {c.id for c in document.store.former_categories}
        self._is_untouched = document.store.is_untouched
        self._run: ThreadRun | None = None
        self._table = CategoryTable(self)
        self._table.next_id = document.store.next_category_id
        self._search = QLineEdit(self)
        self._search.setPlaceholderText("Search")
        self._search.setClearButtonEnabled(True)
        self._search.setAccessibleName("Search categories to edit")
        self._sources = CategorySources(self)
        self._target = QComboBox(self)
        self._remarks = QLabel(self)
        self._fault = QLabel(self)
        self._buttons = QDialogButtonBox(self)
        role = QDialogButtonBox.ButtonRole
        self._save = self._buttons.addButton("Save", role.AcceptRole)
        self._buttons.addButton("Cancel", role.RejectRole)
        self._lay_out()
        self._connect()
        self._table.set_categories(tuple(document.categories.values()))
        self._table.setCurrentCell(0, NAME)
        self._check()
        self._count()

    def categories(self) -> tuple[Category, ...]:
        """The draft."""
        return self._table.categories()

    def plan(self, becomes: Mapping[int, int]) -> CategoryPlan:
        """What saving asks of the maps, if the deleted categories become these."""
        old = tuple(self._document.categories.values())
        return plan_change(
            old,
            self.categories(),
            becomes,
            self._table.next_id,
            is_untouched=self._is_untouched,
        )

    def _lay_out(self) -> None:
        mark_primary(self._save)
        for label, ink in ((self._remarks, "warning"), (self._fault, "error")):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setProperty("ink", ink)
        rows = QHBoxLayout()
        rows.addWidget(self._table, stretch=1)
        rows.addLayout(self._lay_out_buttons())
        whole = QVBoxLayout(self)
        whole.setContentsMargins(20, 18, 20, 16)
        whole.setSpacing(8)
        whole.addWidget(self._search)
        whole.addLayout(rows)
        whole.addLayout(self._lay_out_merging())
        whole.addWidget(self._remarks)
        whole.addWidget(self._fault)
        whole.addWidget(self._buttons)

    def _lay_out_buttons(self) -> QVBoxLayout:
        column = QVBoxLayout()
        for text, slot in (
            ("Add", self._table.add_category),
            ("Delete", self._delete),
            ("Thing or stuff (Space)", self._table.toggle_kind),
            ("Colour… (Ctrl+L)", self._table.choose_color),
            ("Up (Ctrl+Up)", self._move_up),
            ("Down (Ctrl+Down)", self._move_down),
        ):
            column.addWidget(self._button(text, slot))
        column.addSpacing(12)
        for button in self._sources.buttons:
            column.addWidget(button)
        take = self._button("Take the model's", self._take_from_model)
        take.setEnabled(bool(self._model_categories))
        column.addWidget(take)
        column.addSpacing(12)
        column.addWidget(self._button("Save list as…", self._ask_list_path))
        column.addStretch()
        return column

    def _lay_out_merging(self) -> QHBoxLayout:
        self._target.setAccessibleName("Category to merge into")
        self._target.setMinimumContentsLength(16)
        row = QHBoxLayout()
        row.addWidget(self._button("Merge selected into", self._merge))
        row.addWidget(self._target)
        row.addStretch()
        return row

    def _button(self, text: str, slot: object) -> QPushButton:
        button = QPushButton(text, self)
        button.setAutoDefault(False)
        button.clicked.connect(slot)
        return button

    def _connect(self) -> None:
        self._table.edited.connect(self._check)
        self._search.textChanged.connect(self._filter)
        self._sources.chosen.connect(self._add_missing)
        self._sources.failed.connect(self._say_fault)
        self._buttons.accepted.connect(self._on_saved)
        self._buttons.rejected.connect(self.reject)
        self.finished.connect(self._stop_counting)
        for keys, slot in (
            ("Ctrl+Up", self._move_up),
            ("Ctrl+Down", self._move_down),
            ("Del", self._delete),
        ):
            shortcut = QShortcut(QKeySequence(keys), self._table)
            shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
            shortcut.activated.connect(slot)

    # The draft.

    @Slot(str)
    def _filter(self, text: str) -> None:
        """Show the rows that are looked for; none that is hidden stays selected."""
        categories = self.categories()
        found = set(find_matches(categories, text))
        self._table.clearSelection()
        for row, category in enumerate(categories):
            self._table.setRowHidden(row, category.id not in found)
        if found:
            self._table.setCurrentCell([c.id in found for c in categories].index(True), NAME)

    @Slot()
    def _delete(self) -> None:
        """Take the selected rows out; what becomes of their segments is asked on saving."""
        self._table.remove_selected()

    @Slot()
    def _move_up(self) -> None:
        self._table.move_selected(-1)

    @Slot()
    def _move_down(self) -> None:
        self._table.move_selected(1)

    @Slot()
    def _merge(self) -> None:
        """Take the selected rows out; on saving, their segments become the target's."""
        target, categories = self._target.currentData(), self.categories()
        sources = [categories[row].id for row in self._table.selected_rows()]
        if target in sources or not sources:
            self._say_fault(
                "Select the categories to be merged, and another one to merge into."
            )
            return
        self._becomes |= dict.fromkeys(sources, target)
        self._table.remove_selected()

    @Slot(object)
    def _add_missing(self, wanted: Sequence[Category]) -> None:
        used = self._used_ids | self._document.categories.keys()
        before = self.categories()
        joined = add_missing(before, wanted, used)
        self._table.set_categories(joined)
        self._check()
        n_added = len(joined) - len(before)
        if n_added < len(wanted):
            self._say_fault(
                f"{len(wanted) - n_added} of {len(wanted)} are in the list already."
            )
        self._table.scrollToBottom()

    @Slot()
    def _take_from_model(self) -> None:
        self._add_missing(self._model_categories)

    @Slot()
    def _check(self) -> None:
        """Say what is wrong, and what saving would do to the maps."""
        categories = self.categories()
        fault = find_fault(categories, taken_keys(self._document.keys))
        self._say_fault(fault)
        self._save.setEnabled(not fault)
        remarks = "" if fault else say_moves(self._document.categories, self._plan())
        self._remarks.setText(remarks)
        self._remarks.setVisible(bool(remarks))
        chosen = self._target.currentData()
        self._target.clear()
        for category in categories:
            icon = swatch(category.color, is_round=category.is_thing)
            self._target.addItem(icon, category.name, category.id)
        self._target.setCurrentIndex(max(self._target.findData(chosen), 0))

    def _plan(self) -> CategoryPlan:
        return self.plan(self._becomes)

    @Slot(object)
    def _say_fault(self, sentence: str) -> None:
        self._fault.setText(sentence)
        self._fault.setVisible(bool(sentence))

    # Saving.

    @Slot()
    def _on_saved(self) -> None:
        plan = self._plan()
        if not self._is_used(plan.change.moves):
            if self._commands.set_categories(plan.final):
                self.accept()
            return
        if self._document.map is not None and not self._document.is_editable:
            self._say_fault(BUSY)
            return
        kept = {category.id for category in self.categories()}
        deleted = [i for i in plan.change.moves if i not in kept]
        becomes = {i: plan.change.moves[i] for i in deleted} | {
            i: self._becomes[i] for i in deleted if i in self._becomes
        }
        self._stop_counting()
        impact = CategoryImpact(self._document, self.plan, becomes, self)
        impact.changed.connect(self.accept)
        impact.open()

    def _is_used(self, category_ids: Collection[int]) -> bool:
        """Whether the maps have, or may have, segments of one of these categories."""
        if self._counts is None:
            return bool(category_ids)
        return any(self._counts.get(category_id) for category_id in category_ids)

    @Slot()
    def _ask_list_path(self) -> None:
        dialog = QFileDialog(self, "Save the list of categories", "categories.json")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter("JSON files (*.json)")
        dialog.setDefaultSuffix("json")
        dialog.fileSelected.connect(self._save_list)
        dialog.open()

    @Slot(str)
    def _save_list(self, path: str) -> None:
        try:
            write_categories(Path(path), self.categories())
        except AnnotateError as error:
            self._say_fault(str(error))

    # Counting.

    def _count(self) -> None:
        """Count in a thread how many segments each category has; the draft does not wait."""
        path = self._document.store.path

        def steps() -> Generator[Survey, None, None]:
            with AnnotationStore.open(path, is_read_only=True) as store:
                yield from survey(store)

        self._run = ThreadRun(steps, "Counting segments", self)
        self._run.finished.connect(self._on_counted)
        self._run.start()

    @Slot(object)
    def _on_counted(self, counts: Survey) -> None:
        if not counts.n_unreadable:
            self._counts = {i: count.n_segments for i, count in counts.counts.items()}
        self._table.show_counts({i: count.n_segments for i, count in counts.counts.items()})

    @Slot()
    def _stop_counting(self) -> None:
        if self._run is not None:
            self._run.cancel()


def open_category_editor(
    document: Document,
    commands: CategoryCommands,
    model_categories: Sequence[Category],
    parent: QWidget,
) -> None:
    """Let the list be edited; a change that was stopped is to be finished or left first.

    Args:
        document: of the project.
        commands: that save a list.
        model_categories: what the model knows.
        parent: of the dialog.
    """
    dialog: QDialog
    try:
        begun = begun_change(document.store)
        if begun is None:
            dialog = CategoryEditor(document, commands, model_categories, parent)
        else:
            plan = CategoryPlan(tuple(document.categories.values()), begun)
            dialog = CategoryImpact(document, lambda _: plan, {}, parent, is_begun=True)
    except AnnotateError as error:
        document.failed.emit(str(error))
    else:
        dialog.open()
