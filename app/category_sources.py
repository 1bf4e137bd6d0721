"""Where a list of categories can be taken from: a template, a COCO file."""

from collections.abc import Generator
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QFileDialog, QMenu, QPushButton, QWidget

from app.thread_run import ThreadRun
from core.category_files import category_templates, read_categories
from core.panoptic import Category


class CategorySources(QObject):
    """Two buttons; a file is read in a thread, for it may be large.

    Attributes:
        buttons: to be laid out by their owner.

    Signals:
        chosen(object): this tuple of categories is wanted.
        failed(object): a sentence on why a list cannot be had.
    """

    chosen = Signal(object)
    failed = Signal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._window = parent
        self._run: ThreadRun | None = None
        template = QPushButton("From template…", parent)
        menu = QMenu(template)
        for title, path in category_templates().items():
            menu.addAction(title).triggered.connect(partial(self.read, path))
        template.setMenu(menu)
        self._file = QPushButton("From COCO file…", parent)
        self._file.clicked.connect(self._ask_file)
        self.buttons = (template, self._file)
        for button in self.buttons:
            button.setAutoDefault(False)

    def read(self, path: Path, *_checked: bool) -> None:
        """Read the list of a file; `chosen` or `failed` follows."""

        def steps() -> Generator[tuple[Category, ...], None, None]:
            yield read_categories(path)

        self._file.setEnabled(False)
        self._run = ThreadRun(steps, f"Reading {path.name}", self)
        self._run.finished.connect(self._on_read)
        self._run.failed.connect(self._on_failed)
        self._run.start()

    @Slot(object)
    def _on_read(self, categories: tuple[Category, ...]) -> None:
        self._file.setEnabled(True)
        self.chosen.emit(categories)

    @Slot(object)
    def _on_failed(self, sentence: str) -> None:
        self._file.setEnabled(True)
        self.failed.emit(sentence)

    @Slot()
    def _ask_file(self) -> None:
        dialog = QFileDialog(self._window, "Categories of a COCO file")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters(["JSON files (*.json)", "All files (*)"])
        dialog.fileSelected.connect(self._on_file_asked)
        dialog.open()

    @Slot(str)
    def _on_file_asked(self, path: str) -> None:
        self.read(Path(path))
