"""The dialog that finds missing image files again in a folder that the user names."""

from collections.abc import Generator, Mapping
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.buttons import mark_primary
from app.image_model import describe
from app.thread_run import ThreadRun
from core.errors import AnnotateError
from core.store import AnnotationStore, RelinkPlan

MAX_LISTED = 200
ASK = (
    "Name the folder that the images were moved to; the folders in it are searched too. A file "
    "is taken for an image if it has its name and, as far as that is known, its content."
)


class RelinkDialog(QDialog):
    """Asks for a folder, says which images it has, and links them.

    Signals:
        relinked(): images have other files.
    """

    relinked = Signal()

    def __init__(self, store: AnnotationStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Find missing images")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(620, 420)
        self._store = store
        self._plan = RelinkPlan()
        self._run: ThreadRun | None = None
        self._state = QLabel(ASK, self)
        self._state.setWordWrap(True)
        self._state.setTextFormat(Qt.TextFormat.PlainText)
        self._found = QPlainTextEdit(self)
        self._found.setReadOnly(True)
        self._found.setTabChangesFocus(True)
        self._found.setAccessibleName("What was found")
        choose = QPushButton("Choose folder…", self)
        choose.clicked.connect(self._ask_folder)
        buttons = QDialogButtonBox(self)
        role = QDialogButtonBox.ButtonRole
        buttons.addButton(choose, role.ActionRole)
        self._link = buttons.addButton("Use these files", role.AcceptRole)
        self._link.setEnabled(False)
        mark_primary(self._link)
        buttons.addButton("Close", role.RejectRole)
        buttons.accepted.connect(self._on_accepted)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(12)
        column.addWidget(self._state)
        column.addWidget(self._found)
        column.addWidget(buttons)

    def search(self, folder: Path) -> None:
        """Look for the missing images below a folder; nothing is changed yet."""
        self._link.setEnabled(False)
        self._state.setText(f"Looking for the images below {folder}…")
        self._run = ThreadRun(
            partial(search_below, self._store.path, folder), "looking for the images", self
        )
        self._run.finished.connect(self._on_searched)
        self._run.failed.connect(self._state.setText)
        self._run.start()

    @Slot()
    def _ask_folder(self) -> None:
        dialog = QFileDialog(self, "Folder of the images", str(self._store.path.parent))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(self._on_folder_chosen)
        dialog.open()

    @Slot(str)
    def _on_folder_chosen(self, folder: str) -> None:
        self.search(Path(folder))

    @Slot(object)
    def _on_searched(self, result: tuple[RelinkPlan, Mapping[int, str]]) -> None:
        self._plan, names = result
        self._state.setText(say_plan(self._plan))
        self._found.setPlainText("\n".join(list_plan(self._plan, names)))
        self._link.setEnabled(bool(self._plan.found))

    @Slot()
    def _on_accepted(self) -> None:
        try:
            self._store.relink(self._plan.found)
        except AnnotateError as error:
            self._state.setText(str(error))
            return
        self.relinked.emit()
        self.accept()


Named = tuple[RelinkPlan, dict[int, str]]


def search_below(project: Path, folder: Path) -> Generator[Named, None, None]:
    """In a thread: the plan, and the names of the images in it."""
    with AnnotationStore.open(project, is_read_only=True) as store:
        plan = store.plan_relink(folder)
        ids = [*plan.found, *plan.unclear, *plan.not_found]
        records = store.image_records(ids[:MAX_LISTED])
        yield plan, {record.id: describe(record) for record in records}


def say_plan(plan: RelinkPlan) -> str:
    """How many images were found, and how many not."""
    n_all = len(plan.found) + len(plan.not_found) + len(plan.unclear)
    if not n_all:
        return "No image is missing."
    sentence = f"{len(plan.found):,} of {n_all:,} missing images were found."
    if plan.unclear:
        sentence += (
            f" {len(plan.unclear):,} could be more than one file and are left as they are."
        )
    return sentence


def list_plan(plan: RelinkPlan, names: Mapping[int, str]) -> list[str]:
    """A line for each image that has a name."""
    lines = [
        f"{names[i]}  \N{RIGHTWARDS ARROW}  {plan.found[i]}" for i in plan.found if i in names
    ]
    lines += [f"{names[i]}: more than one file could be it" for i in plan.unclear if i in names]
    lines += [f"{names[i]}: not found" for i in plan.not_found if i in names]
    n_all = len(plan.found) + len(plan.not_found) + len(plan.unclear)
    return lines + [f"and {n_all - len(lines):,} more"] * (n_all > len(lines))
