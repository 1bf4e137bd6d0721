"""A project in a folder that cannot be written is read and exported all the same."""

import json
import os
import shutil
import tempfile
from contextlib import redirect_stderr
from pathlib import Path

import pytest

from core.__main__ import main
from core.edits import brush_stroke, new_segment
from core.panoptic import Category, Segment
from core.store import AnnotationStore

CELL = Category(1, "cell", is_thing=True, color=(255, 0, 0))
NOBODY = 65_534

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs the rights of POSIX")


@pytest.fixture
def folder():
    """A folder that everybody can read, and only we can write."""
    folder = Path(tempfile.mkdtemp())
    yield folder
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755)
    shutil.rmtree(folder)


@pytest.fixture
def project(folder):
    path = folder / "a.bitbrush"
    with AnnotationStore.create(path, [CELL]) as store:
        store.add_images([(folder / "a.png", None, 20, 30)])
        map = store.load_map(1)
        store.append_edit(1, brush_stroke(map, [(9, 9)], 4, new_segment(map, CELL)))
    return path


def export(project: Path, out: Path) -> tuple[int, str]:
    """`bitbrush export` as somebody who may not write the project's folder.

    Returns:
        Its exit code, and what it said on the standard error.
    """
    said = out / "said.txt"
    child = os.fork()
    if child == 0:
        code = 99
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            with said.open("w") as file, redirect_stderr(file):
                code = main(["export", str(project), str(out)])
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), said.read_text()


@pytest.fixture
def out():
    """A folder that everybody can write."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


def close_off(folder: Path) -> None:
    for path in folder.iterdir():
        path.chmod(0o444)
    folder.chmod(0o555)


def test_a_project_that_cannot_be_written_is_exported(folder, project, out):
    close_off(folder)
    assert export(project, out) == (0, "")
    assert (out / "panoptic.json").exists()
    assert sorted(path.name for path in folder.iterdir()) == ["a.bitbrush"]


def test_edits_in_a_log_that_cannot_be_read_are_not_passed_over(folder, project, out):
    (folder / "a.bitbrush-wal").write_bytes(b"edits that nobody brought into the file")
    close_off(folder)
    code, said = export(project, out)
    assert code == 2
    assert "copy both files to another folder" in said


def test_a_project_that_its_owner_has_open_is_exported_with_its_last_edits(
    folder, project, out
):
    with AnnotationStore.open(project) as store:
        store.append_edit(1, brush_stroke(store.load_map(1), [(20, 9)], 3, Segment(2, CELL.id)))
        assert project.with_name("a.bitbrush-wal").stat().st_size
        close_off(folder)
        assert export(project, out) == (0, "")
        folder.chmod(0o755)
    segments = json.loads((out / "panoptic.json").read_text())["annotations"][0]
    assert len(segments["segments_info"]) == 2
