"""A damaged project is offered to be recovered, and is kept whatever is answered."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton

from app.notices import Severity
from app.program import Program
from app.recover_dialog import RecoverDialog
from core.edits import brush_stroke, new_segment
from core.panoptic import Category
from core.store import AnnotationStore

CELL = Category(1, "cell", is_thing=True, color=(200, 30, 30))
SIZE = (48, 64)
PATIENT = {"timeout": 30_000}


@pytest.fixture
def program(qapp):
    program = Program()
    yield program
    program.close()


@pytest.fixture
def project(tmp_path, pictures) -> Path:
    """Three images; the first has twenty steps."""
    path = tmp_path / "p.bitbrush"
    with AnnotationStore.create(path, [CELL]) as store:
        store.add_images([(picture, None, *SIZE) for picture in pictures])
        map = store.load_map(1)
        for step in range(20):
            edit = brush_stroke(map, [(3 * step, 20)], 3, new_segment(map, CELL))
            store.append_edit(1, edit)
            map.apply(edit)
    return path


@pytest.fixture
def damaged(project) -> Path:
    """The project without its beginning: no database opens it, but its rows are there."""
    project.write_bytes(bytes(4096) + project.read_bytes()[4096:])
    return project


def answer(qtbot, text: str) -> RecoverDialog:
    """Press a button of the dialog that asks."""
    dialogs = [w for w in QApplication.topLevelWidgets() if isinstance(w, RecoverDialog)]
    (dialog,) = [dialog for dialog in dialogs if dialog.isVisible()]
    button = next(b for b in dialog.findChildren(QPushButton) if b.text() == text)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    return dialog


def aside(project: Path) -> list[Path]:
    return [path for path in project.parent.glob("*.bitbrush") if path != project]


def test_what_can_be_read_is_opened_and_the_damaged_file_is_kept(qtbot, program, damaged):
    before = damaged.read_bytes()
    program.open_path(damaged)
    assert program.window is None
    answer(qtbot, "Recover")
    qtbot.waitUntil(lambda: program.window is not None, **PATIENT)
    document = program.window.document
    assert document.store.path == damaged
    assert len(document.map.segments) > 10
    assert "images" in program.window.notice_stack.shown[0].text
    (kept,) = aside(damaged)
    assert kept.read_bytes() == before


def test_the_log_names_every_image_that_lost_steps(qtbot, program, project, caplog):
    with closing(sqlite3.connect(project)) as connection, connection:
        connection.execute("UPDATE edit SET payload = x'00' WHERE seq = 1")
    program.open_path(project)
    program.recover()
    qtbot.waitUntil(
        lambda: any(isinstance(w, RecoverDialog) for w in QApplication.topLevelWidgets())
    )
    answer(qtbot, "Recover")
    qtbot.waitUntil(lambda: program.window is not None, **PATIENT)
    assert "to be reviewed again: picture0.png" in caplog.text
    (notice,) = program.window.notice_stack.shown
    assert "Review again: picture0.png" in notice.text
    assert notice.severity is Severity.ERROR


def test_a_damaged_project_can_be_left_as_it_is(qtbot, program, damaged, capsys):
    before = damaged.read_bytes()
    program.open_path(damaged)
    answer(qtbot, "Leave it as it is")
    assert damaged.read_bytes() == before
    assert aside(damaged) == []
    assert str(damaged) in capsys.readouterr().err


def test_a_file_without_a_trace_of_a_project_is_only_refused(program, tmp_path, capsys):
    (tmp_path / "text.bitbrush").write_text("text")
    program.open_path(tmp_path / "text.bitbrush")
    assert "text.bitbrush" in capsys.readouterr().err
    assert (tmp_path / "text.bitbrush").read_text() == "text"


def test_a_recovery_that_fails_is_said_in_the_dialog(qtbot, program, damaged):
    program.open_path(damaged)
    before = damaged.read_bytes()
    damaged.write_bytes(b"text")
    dialog = answer(qtbot, "Recover")
    qtbot.waitUntil(lambda: "Nothing can be read" in dialog._state.text(), **PATIENT)  # noqa: SLF001
    damaged.write_bytes(before)
    answer(qtbot, "Leave it as it is")
    assert aside(damaged) == []


def test_damage_found_in_the_window_is_recovered_from_there(qtbot, program, project):
    program.open_path(project)
    before = program.window.document.map.copy()
    program.window.commands["recover"].trigger()
    qtbot.waitUntil(
        lambda: any(
            isinstance(w, RecoverDialog) and w.isVisible()
            for w in QApplication.topLevelWidgets()
        ),
        **PATIENT,
    )
    answer(qtbot, "Recover")
    qtbot.waitUntil(lambda: program.window is not None, **PATIENT)
    document = program.window.document
    assert document.map.segments == before.segments
    assert (document.map.segment_ids == before.segment_ids).all()
    assert len(document.history()[0]) == 20
    assert len(aside(project)) == 1


def test_a_sound_project_opens_again_when_its_recovery_is_declined(qtbot, program, project):
    program.open_path(project)
    program.window.commands["recover"].trigger()
    qtbot.waitUntil(lambda: program.window is None)
    qtbot.waitUntil(
        lambda: any(
            isinstance(w, RecoverDialog) and w.isVisible()
            for w in QApplication.topLevelWidgets()
        ),
        **PATIENT,
    )
    answer(qtbot, "Leave it as it is")
    assert program.window.document.store.path == project
    assert aside(project) == []
