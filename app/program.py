"""The running program: one window at a time, and how one project gives way to the next."""

import sys
from pathlib import Path
from typing import Final

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox

from app.appearance import Appearance
from app.opening import Opening
from app.sample_project import make_sample_folder
from app.settings import Preferences
from app.window import MainWindow
from core.store import PROJECT_SUFFIX, AnnotationStore

FAILED: Final = 2
BLIND_PLATFORMS: Final = frozenset({"offscreen", "minimal"})  # nobody sees a message there


class Program(QObject):
    """Owns the application, the window and its project file."""

    _fault_reported = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._app = _application()
        self._preferences = Preferences(self)
        self._appearance = Appearance(self._app, self._preferences, self)
        self._window: MainWindow | None = None
        self._store: AnnotationStore | None = None
        self._opening: Opening | None = None  # the last one; kept, it may be in its own signal
        self._is_opening = False
        self._farewell: QMessageBox | None = None  # says why no window opens
        self._later: list[str] = []
        self._warnings: list[str] = []  # for the next window, until they are read
        self._exit_code = 0
        self._fault_reported.connect(self._on_fault_reported)
        self._app.lastWindowClosed.connect(self._on_last_window_closed)

    @property
    def window(self) -> MainWindow | None:
        """The open window."""
        return self._window

    def run(self, path: Path | None) -> int:
        """Open a path, or the sample project, and go on until the window is closed.

        Raises:
            AnnotateError: the sample project cannot be made.
        """
        self.open_path(make_sample_folder() if path is None else path)
        if self._exit_code == 0 or self._farewell is not None:
            self._app.exec()
        self.close()
        self._app.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        return self._exit_code

    def open_path(self, path: Path) -> None:
        """Open an image, folder, video or project in place of what is open."""
        self._begin(path).start()

    def begin_project(self, path: Path) -> None:
        """Ask for a new project for the images of a path."""
        self._begin(path).start_new()

    @Slot()
    def recover(self) -> None:
        """Close the project, put what can be read of it into a new one, and open that."""
        window, store = self._window, self._store
        if window is None or store is None:
            return
        opening = self._begin(store.path, has_window=False)
        self.close()
        window.destroyed.connect(opening.start_recovery)  # once its file is closed

    def tell_later(self, sentence: str) -> None:
        """Show a sentence as soon as there is a window."""
        self._later.append(sentence)

    def report_fault(self, sentence: str) -> None:
        """Show what nobody caught; may be called from any thread."""
        self._fault_reported.emit(sentence)

    def close(self) -> None:
        """Close the window and, once nothing can ask for it any more, its project."""
        if self._opening is not None and not self._is_opening:
            self._opening.stop()
        window, self._window = self._window, None
        store, self._store = self._store, None
        if window is not None and store is not None:
            window.destroyed.connect(store.close)
            window.last_word.give_up()  # whoever opens something else was asked before
            window.close()
            window.deleteLater()

    def _begin(self, path: Path, *, has_window: bool = True) -> Opening:
        self._is_opening = True
        if self._opening is not None:
            self._opening.stop()
        current = (self._store, self._window) if has_window else (None, None)
        self._opening = Opening(path, *current)
        self._opening.opened.connect(self._on_opened)
        self._opening.grown.connect(self._on_grown)
        self._opening.told.connect(self._on_told)
        self._opening.warned.connect(self._warnings.append)
        self._opening.failed.connect(self._on_failed)
        self._opening.abandoned.connect(self._on_abandoned)
        return self._opening

    @Slot(object)
    def _on_opened(self, store: AnnotationStore) -> None:
        self._is_opening = False
        if store is self._store and self._window is not None:
            self._window.reload_images()
            self._window.open_image(store.last_image or 0)
        else:
            self._show(store)
        for sentence in self._later:
            self._tell(sentence)
        self._later.clear()
        while self._warnings and self._window is not None:
            self._window.notices.fail(self._warnings.pop(0))

    @Slot()
    def _on_grown(self) -> None:
        if self._window is not None:
            self._window.reload_images()

    @Slot(object)
    def _on_told(self, sentence: str) -> None:
        if self._is_opening:
            self.tell_later(sentence)
        else:
            self._tell(sentence)

    def _show(self, store: AnnotationStore) -> None:
        if self._window is not None:
            self._window.remember()
        window = MainWindow(store, self._preferences)
        window.open_requested.connect(self._ask_path)
        window.new_project_requested.connect(self._ask_folder)
        window.recovery_requested.connect(self.recover)
        window.show()
        self.close()
        self._window, self._store = window, store
        QTimer.singleShot(0, self._start_model)  # once the window is painted

    @Slot()
    def _start_model(self) -> None:
        if self._window is not None:
            self._window.start_model()
            self._window.source_watch.look_for_missing()

    def _tell(self, sentence: str) -> None:
        if self._window is not None:
            self._window.notices.warn(sentence)

    @Slot(object)
    def _on_failed(self, sentence: str) -> None:
        self._is_opening = False
        if self._window is not None:
            self._window.notices.fail(sentence)
            return
        sys.stderr.write(f"{sentence}\n")
        self._exit_code = FAILED
        if QGuiApplication.platformName() in BLIND_PLATFORMS:
            self._app.quit()
            return
        # Who started the program by an icon sees no terminal.
        self._farewell = QMessageBox(QMessageBox.Icon.Critical, "Bitbrush", sentence)
        self._farewell.setTextFormat(Qt.TextFormat.PlainText)
        self._farewell.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._farewell.finished.connect(self._app.quit)
        self._farewell.open()

    @Slot()
    def _on_abandoned(self) -> None:
        self._is_opening = False
        if self._window is None:
            self._app.quit()

    @Slot(object)
    def _on_fault_reported(self, sentence: str) -> None:
        if self._window is not None:
            self._window.notices.fail(sentence)
        else:
            sys.stderr.write(f"{sentence}\n")

    @Slot()
    def _on_last_window_closed(self) -> None:
        """The dialog of a new project closes before its window opens; that is not the end."""
        if not self._is_opening:
            self._app.quit()

    @Slot()
    def _ask_path(self) -> None:
        dialog = QFileDialog(self._window, "Open", str(self._place()))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters([f"Projects (*{PROJECT_SUFFIX})", "Images and videos (*)"])
        dialog.fileSelected.connect(self._on_path_asked)
        dialog.open()

    @Slot()
    def _ask_folder(self) -> None:
        dialog = QFileDialog(self._window, "Folder of images", str(self._place()))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(self._on_folder_asked)
        dialog.open()

    @Slot(str)
    def _on_path_asked(self, path: str) -> None:
        self.open_path(Path(path))

    @Slot(str)
    def _on_folder_asked(self, path: str) -> None:
        self.begin_project(Path(path))

    def _place(self) -> Path:
        """Where to look first for another project."""
        return self._store.path.parent if self._store else Path.home()


def _application() -> QApplication:
    app = QApplication.instance() or QApplication(sys.argv[:1])
    if not isinstance(app, QApplication):
        raise TypeError(f"there is a {type(app).__name__} already, and it shows no windows")
    app.setApplicationName("Bitbrush")
    app.setDesktopFileName("bitbrush")
    app.setQuitOnLastWindowClosed(False)
    return app
