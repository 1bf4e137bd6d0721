"""What the world does to a project: each failure is a sentence, and nothing is lost."""

import os
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

from core.edits import brush_stroke, new_segment
from core.errors import ProjectError
from core.migrations import MIGRATIONS
from core.panoptic import Category
from core.store import AnnotationStore

CELL = Category(1, "cell", is_thing=True, color=(255, 0, 0))


@pytest.fixture
def path(tmp_path):
    """A project with one image and one edit, closed."""
    path = tmp_path / "a project.bitbrush"
    with AnnotationStore.create(path, [CELL]) as store:
        (image,) = store.add_images([(tmp_path / "a.png", None, 200, 300)])
        store.append_edit(image, a_dot(store.load_map(image), 9))
    return path


def a_dot(panoptic, x, radius=2.0):
    return brush_stroke(panoptic, [(x, 9.0)], radius, new_segment(panoptic, CELL))


def change(path, statement):
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement)


@contextmanager
def refused(sentence, *files):
    """The block fails with this sentence and leaves the files as they are."""
    before = [file.read_bytes() for file in files]
    with pytest.raises(ProjectError, match=sentence):
        yield
    assert [file.read_bytes() for file in files] == before


def test_a_missing_project(tmp_path):
    with refused("does not exist; check its name"):
        AnnotationStore.open(tmp_path / "none.bitbrush")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder(tmp_path):
    with refused("folder .*cannot be written.*another folder"):
        AnnotationStore.open(tmp_path / "none" / "a.bitbrush")


def test_a_project_is_never_made_over_a_file(path):
    with refused("already exists; open it, or choose another name", path):
        AnnotationStore.create(path, [])


def test_a_project_that_is_a_folder(tmp_path):
    (tmp_path / "a.bitbrush").mkdir()
    with refused("does not exist"):
        AnnotationStore.open(tmp_path / "a.bitbrush")


@pytest.mark.parametrize("content", [b"", b"not a database, " * 999])
def test_a_file_of_another_kind(tmp_path, content):
    path = tmp_path / "a.bitbrush"
    path.write_bytes(content)
    with refused("is no Bitbrush project.*choose another file", path):
        AnnotationStore.open(path)


def test_a_database_of_another_program(tmp_path):
    path = tmp_path / "a.bitbrush"
    change(path, "CREATE TABLE image (id)")
    with refused("is no Bitbrush project and was left as it is", path):
        AnnotationStore.open(path)


def test_a_project_of_a_newer_version(path):
    change(path, "PRAGMA user_version = 99")
    with refused(f"newer version .*format 99; this one knows up to {len(MIGRATIONS)}", path):
        AnnotationStore.open(path)


def test_a_reader_does_not_bring_a_project_up_to_date(path):
    change(path, "PRAGMA user_version = 0")
    with refused("older version of Bitbrush; open it once in the window", path):
        AnnotationStore.open(path, is_read_only=True)


def test_a_reader_cannot_write(path):
    sentence = "cannot be written; make the file and its folder writable"
    with AnnotationStore.open(path, is_read_only=True) as store, refused(sentence, path):
        store.set_model("nuclei")


def test_a_project_that_is_open_already(path):
    with AnnotationStore.open(path), refused("already open in another window"):
        AnnotationStore.open(path)
    AnnotationStore.open(path).close()


def test_a_project_that_another_process_has_open(path):
    holder = (
        "import sys, pathlib; from core.store import AnnotationStore;"
        "store = AnnotationStore.open(pathlib.Path(sys.argv[1]));"
        "print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", holder, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    ) as process:
        process.stdout.readline()
        with refused("already open in another window"):
            AnnotationStore.open(path)
        process.kill()
    AnnotationStore.open(path).close()


def test_a_project_that_another_program_writes_to(path):
    with AnnotationStore.open(path) as store:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with refused("busy in another program; wait for it"):
                store.set_model("nuclei")
            other.execute("ROLLBACK")
        store.set_model("nuclei")


def test_a_full_disk_costs_only_the_step_that_did_not_fit(path):
    with AnnotationStore.open(path) as store:
        before = store.load_map(1)
        connection = store._connection  # noqa: SLF001 - the one way to fill the disk safely
        (n_pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {n_pages}")
        with refused("disk is full, so the last step is not saved .*free some space"):
            store.add_images([(Path(f"/{n:0300}.png"), None, 1, 1) for n in range(999)])
        assert len(store.images()) == 1
        connection.execute("PRAGMA max_page_count = 999999")
        edit = a_dot(before, 30)
        store.append_edit(1, edit)
        before.apply(edit)
        assert np.array_equal(store.load_map(1).segment_ids, before.segment_ids)


def test_flipped_bytes_in_the_database_are_noticed(path):
    data = bytearray(path.read_bytes())
    data[4096:] = b"\x5a" * (len(data) - 4096)
    path.write_bytes(data)
    with refused("is damaged .*left as it is.*backup"), AnnotationStore.open(path) as store:
        store.load_map(1)


def test_flipped_bytes_in_an_edit_are_noticed(path):
    with closing(sqlite3.connect(path)) as connection, connection:
        ((payload,),) = connection.execute("SELECT payload FROM edit")
        flipped = payload[:20] + bytes([payload[20] ^ 4]) + payload[21:]
        connection.execute("UPDATE edit SET payload = ?, checksum = NULL", (flipped,))
    sentence = r"Edit 1 of image 1 .*is damaged \(.*left as it is"
    with AnnotationStore.open(path) as store, refused(sentence, path):
        store.load_map(1)


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("image", "position", 0),
        ("image", "height", 100),
        ("image", "path", "'b.png'"),
        ("edit", "label", "'eraser'"),
        ("category", "is_thing", 0),
        ("setting", "value", "'other'"),
    ],
)
def test_a_value_that_was_never_written_is_noticed(path, table, column, value):
    change(path, f"UPDATE {table} SET {column} = {value}")  # noqa: S608 - ours
    with (
        AnnotationStore.open(path) as store,
        refused(rf"(?i){table} .*is damaged \(its checksum is wrong\)", path),
    ):
        _ = (store.categories, store.model, store.load_map(1))


def test_an_edit_that_is_missing_is_noticed(path):
    change(path, "DELETE FROM edit")
    with AnnotationStore.open(path) as store, refused(r"is damaged \(it is missing\)"):
        store.load_map(1)


def test_an_edit_that_does_not_follow_from_the_last_is_noticed(path):
    change(path, "INSERT INTO edit SELECT image_id, 2, label, payload, 1, NULL, NULL FROM edit")
    change(path, "UPDATE image SET position = 2, checksum = NULL")
    with AnnotationStore.open(path) as store, refused("Edit 2 .*made for another state"):
        store.load_map(1)


def test_a_damaged_snapshot_is_made_up_for_by_the_journal(path):
    change(path, "INSERT INTO snapshot VALUES (1, 1, x'0102', NULL)")
    with AnnotationStore.open(path) as store:
        assert store.load_map(1).segments.keys() == {1}


def test_an_image_name_that_is_no_text(path):
    sentence = r"image name 'a\\udcff.png' is not valid text; rename the file"
    with AnnotationStore.open(path) as store, refused(sentence):
        store.add_images([(path.with_name("a\udcff.png"), None, 1, 1)])


def test_a_creation_that_was_killed_leaves_no_project_and_can_be_repeated(tmp_path):
    path = tmp_path / "a.bitbrush"
    path.with_name(".a.bitbrush.partial").write_bytes(b"half a file")
    AnnotationStore.create(path, [CELL]).close()
    assert [file.name for file in tmp_path.iterdir()] == ["a.bitbrush"]


@contextmanager
def without_rights():
    """Root may write everywhere; inside the block the process is a user who may not."""
    if not hasattr(os, "setresuid"):
        pytest.skip("becoming a user without rights is tested on Linux")
    is_root = os.geteuid() == 0
    try:
        if is_root:
            os.setresuid(65534, 65534, 0)
        yield
    finally:
        if is_root:
            os.setresuid(0, 0, 0)


@pytest.fixture
def open_folder():
    """A folder that every user can reach, other than pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)
        Path(name).chmod(0o700)


def test_a_file_that_cannot_be_written(open_folder):
    path = open_folder / "a.bitbrush"
    AnnotationStore.create(path, [CELL]).close()
    path.chmod(0o444)
    open_folder.chmod(0o777)
    sentence = "cannot be written; make the file and its folder writable"
    with without_rights(), refused(sentence, path):
        AnnotationStore.open(path)


def test_a_folder_that_cannot_be_written(open_folder):
    path = open_folder / "a.bitbrush"
    AnnotationStore.create(path, [CELL]).close()
    path.chmod(0o666)
    open_folder.chmod(0o555)
    sentence = "folder .*cannot be written .*make it writable"
    with without_rights(), refused(sentence, path):
        AnnotationStore.open(path)
    with without_rights(), refused(sentence):
        AnnotationStore.create(path.with_name("b.bitbrush"), [CELL])
