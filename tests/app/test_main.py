"""`bitbrush` from a terminal: what it opens, what it refuses, what it hands on."""

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QMessageBox

from app.__main__ import CORE_COMMANDS, HELP, main
from app.program import Program
from core.__main__ import make_parser
from core.bundled import SAMPLES
from core.panoptic import Category
from core.store import AnnotationStore

CELL = Category(1, "cell", is_thing=True, color=(200, 30, 30))
# Opens the window as `bitbrush` does, looks at the modules, and leaves.
WATCHED = """
import sys
from PySide6.QtCore import QTimer
import app.__main__, app.program
def show(self, store, real=app.program.Program._show):
    real(self, store)
    self.window.start_model = lambda: None
    QTimer.singleShot(200, leave)
def leave():
    heavy = sorted({name.partition(".")[0] for name in sys.modules} & {"torch", "rich", "av"})
    print("heavy:", heavy)
    app.program.QApplication.quit()
app.program.Program._show = show
sys.exit(app.__main__.main(sys.argv[1:]))
"""
CRASHING = """
import ctypes
import app.program
app.program.Program._show = lambda self, store: ctypes.string_at(0)
import app.__main__
app.__main__.main([])
"""


def run_python(repository: Path, code: str, *arguments: str, **environment: str):
    return subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-c", code, *arguments],
        cwd=repository,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def project(tmp_path) -> Path:
    shutil.copy(SAMPLES / "fluorescence_dim.jpg", tmp_path)
    with AnnotationStore.create(tmp_path / "annotations.bitbrush", [CELL]) as store:
        store.add_images([(tmp_path / "fluorescence_dim.jpg", None, 360, 360)])
    return tmp_path / "annotations.bitbrush"


@pytest.fixture
def program(qtbot) -> Program:
    program = Program()
    yield program
    program.close()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def test_help_lists_every_command(capsys) -> None:
    assert main(["--help"]) == 0
    printed = capsys.readouterr().out
    for command in ("segment", "evaluate", "export", "import-weights", "train", "doctor"):
        assert f"\n  {command} " in printed


def test_version_is_that_of_the_package(capsys) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("bitbrush 0.")


def test_a_path_that_does_not_exist_is_a_sentence(capsys) -> None:
    assert main(["none.png"]) == 2
    assert capsys.readouterr().err == (
        "none.png does not exist; give an image, folder, video or project.\n"
    )


def test_unknown_options_are_a_sentence(capsys) -> None:
    assert main(["--frobnicate"]) == 2
    assert "'--frobnicate' is not understood" in capsys.readouterr().err


def test_commands_without_a_window_are_handed_on(tmp_path, capsys, project) -> None:
    assert main(["export", str(tmp_path / "none.bitbrush"), str(tmp_path / "out")]) == 2
    assert "none.bitbrush does not exist" in capsys.readouterr().err


def test_the_exit_code_of_training_is_passed_on() -> None:
    assert main(["train", "--no-such-option"]) != 0


def test_without_a_display_there_is_a_sentence_and_no_abort(repository) -> None:
    code = "from app.__main__ import CORE_COMMANDS, HELP, main; import sys; sys.exit(main([]))"
    result = run_python(repository, code, QT_QPA_PLATFORM="", DISPLAY="", WAYLAND_DISPLAY="")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("There is no display")


def test_the_window_opens_on_the_samples_without_torch(repository) -> None:
    result = run_python(repository, WATCHED)
    assert (result.returncode, result.stdout) == (0, "heavy: []\n")
    assert "Traceback" not in result.stderr


def test_the_window_opens_on_a_project(repository, project) -> None:
    result = run_python(repository, WATCHED, str(project))
    assert (result.returncode, result.stdout) == (0, "heavy: []\n")


def test_a_project_that_is_open_elsewhere_is_refused(repository, project) -> None:
    with AnnotationStore.open(project):
        result = run_python(repository, WATCHED, str(project))
    assert result.returncode == 2
    assert "is already open in another window or command" in result.stderr


def test_a_crash_is_offered_at_the_next_start_and_only_then(repository, own_home) -> None:
    crashed = run_python(repository, CRASHING)
    assert crashed.returncode == -signal.SIGSEGV
    told = "import app.__main__ as m; print(m._begin_logs())"
    first, second = (run_python(repository, told).stdout for _ in range(2))
    report = own_home / "state" / "bitbrush" / "fault-of-last-run.log"
    assert str(report) in first
    assert "Segmentation fault" in report.read_text()
    assert second == "\n"


def test_one_project_gives_way_to_the_next(qtbot, program, project, tmp_path) -> None:
    other = tmp_path / "other.bitbrush"
    AnnotationStore.create(other, [CELL]).close()
    program.open_path(project)
    first = program.window
    program.open_path(other)
    assert program.window is not first
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    AnnotationStore.open(project).close()  # nobody holds it any more


def test_a_project_that_does_not_open_leaves_the_one_before(
    qtbot, program, project, tmp_path
) -> None:
    program.open_path(project)
    window = program.window
    program.open_path(tmp_path / "none.bitbrush")
    assert program.window is window
    assert "none.bitbrush" in window.notice_stack.shown[-1].text


def test_opening_an_image_of_the_open_project_shows_it(
    qtbot, program, project, tmp_path
) -> None:
    shutil.copy(SAMPLES / "fluorescence_crowded.jpg", tmp_path)
    program.open_path(project)
    window = program.window
    program.open_path(tmp_path / "fluorescence_crowded.jpg")
    qtbot.waitUntil(lambda: window.document.record.path.name == "fluorescence_crowded.jpg")
    assert program.window is window


def test_what_nobody_caught_becomes_a_notice(qtbot, program, project) -> None:
    program.open_path(project)
    program.report_fault("Something went wrong.")
    assert program.window.notice_stack.shown[-1].text == "Something went wrong."


LEAN = """
import gc, os, sys
from app.__main__ import lean_imports
try:
    with lean_imports():
        print(gc.isenabled(), os.environ["OPENBLAS_NUM_THREADS"])
        import there_is_no_such_module
except ImportError:
    print(gc.isenabled(), os.environ.get("OPENBLAS_NUM_THREADS"))
"""


@pytest.mark.parametrize(("chosen", "inside"), [(None, "1"), ("7", "7")])
def test_what_makes_imports_quick_is_over_when_they_end(
    repository, monkeypatch, chosen, inside
) -> None:
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    if chosen is not None:
        monkeypatch.setenv("OPENBLAS_NUM_THREADS", chosen)
    result = run_python(repository, LEAN)
    assert result.stdout.splitlines() == [f"False {inside}", f"True {chosen}"]


def test_the_window_waits_for_no_dialog(repository) -> None:
    dialogs = {
        "app.category_editor",
        "app.compact_dialog",
        "app.export",
        "app.import_dialog",
        "app.model_dialog",
        "app.new_project",
        "app.recover_dialog",
        "app.relink_dialog",
        "app.settings_dialog",
    }
    assert all(importlib.util.find_spec(name) for name in dialogs)
    code = f"import sys, app.program\nprint(sorted({dialogs} & sys.modules.keys()))"
    assert run_python(repository, code).stdout.strip() == "[]"


def test_who_sees_no_terminal_sees_why_no_window_opens(
    qtbot, program, tmp_path, monkeypatch, capsys
) -> None:
    monkeypatch.setattr("app.program.BLIND_PLATFORMS", frozenset())
    quits = []
    monkeypatch.setattr(program._app, "quit", lambda: quits.append("quit"))  # noqa: SLF001
    program.open_path(tmp_path / "none.bitbrush")
    (box,) = (w for w in QApplication.topLevelWidgets() if isinstance(w, QMessageBox))
    assert "none.bitbrush" in box.text()
    assert "none.bitbrush" in capsys.readouterr().err
    assert quits == []
    box.accept()
    assert quits == ["quit"]


@pytest.mark.parametrize(("chosen", "wanted"), [("", "passive"), ("active", "active")])
def test_threads_of_a_model_do_not_spin_while_they_wait_unless_that_was_chosen(
    chosen, wanted, monkeypatch, capsys
):
    monkeypatch.setenv("OMP_WAIT_POLICY", chosen)
    if not chosen:
        monkeypatch.delenv("OMP_WAIT_POLICY")
    assert main(["--version"]) == 0
    assert os.environ["OMP_WAIT_POLICY"] == wanted


def test_every_command_without_a_window_is_known_and_listed():
    commands = set(
        re.findall(r"^    ([a-z][a-z-]+)\b", make_parser().format_help(), re.MULTILINE)
    )
    assert {"segment", "corrections"} <= commands == CORE_COMMANDS
    assert all(f"\n  {command} " in HELP for command in commands)
