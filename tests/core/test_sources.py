"""Files that changed or were moved are noticed, and found again where there is no doubt."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from core.edits import brush_stroke, new_segment
from core.errors import ProjectError
from core.panoptic import Category
from core.sources import fingerprint
from core.store import AnnotationStore, RelinkPlan, SourceState

CELL = Category(1, "cell", is_thing=True, color=(255, 0, 0))
NAMES = ("a.png", "day 1/b ü.png", "day 2/b ü.png")


@pytest.fixture
def folder(tmp_path):
    """With three images, of which two have the same name."""
    folder = tmp_path / "meine Bilder"
    for name in NAMES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode() * 99)
    return folder


@pytest.fixture
def store(folder, tmp_path):
    """A project of these images, in a folder of its own."""
    (tmp_path / "project").mkdir()
    with AnnotationStore.create(tmp_path / "project" / "a.bitbrush", [CELL]) as store:
        store.add_images((folder / name, None, 20, 30) for name in NAMES)
        yield store


class TestState:
    def test_a_file_is_known_from_when_it_was_looked_at_first(self, store, folder):
        assert store.check_source(1) is SourceState.UNCHANGED
        (folder / "a.png").write_bytes(b"another image")
        assert store.check_source(1) is SourceState.CHANGED
        store.close()
        with AnnotationStore.open(store.path) as again:
            assert again.check_source(1) is SourceState.CHANGED
            again.accept_source(1)
            assert again.check_source(1) is SourceState.UNCHANGED

    def test_a_file_that_is_gone_is_missing_and_keeps_its_map(self, store, folder):
        map = store.load_map(1)
        edit = brush_stroke(map, [(3, 4)], 2, new_segment(map, CELL))
        store.append_edit(1, edit)
        (folder / "a.png").unlink()
        assert store.check_source(1) is SourceState.MISSING
        assert store.find_missing() == [1]
        assert store.load_map(1).segments.keys() == {1}
        with pytest.raises(
            ProjectError, match=r"a\.png cannot be read .*put it back or relink"
        ):
            store.accept_source(1)

    @pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 131_072, 200_000])
    def test_a_fingerprint_sees_both_ends_and_the_size(self, tmp_path, size):
        path = tmp_path / "a.png"
        contents = [b"", *(bytes(size - 1) + last for last in (b"\0", b"\1") if size)]
        contents += [b"\1" + bytes(size)]
        seen = set()
        for content in contents:
            path.write_bytes(content)
            assert fingerprint(path) == fingerprint(path)
            seen.add(fingerprint(path))
        assert len(seen) == len(set(contents))


class TestRelinking:
    def test_a_folder_that_was_moved_is_found_by_names_and_folders(self, store, folder):
        moved = folder.rename(folder.with_name("elsewhere"))
        assert store.find_missing() == [1, 2, 3]
        plan = store.plan_relink(moved.parent)
        assert plan == RelinkPlan({n: moved / name for n, name in enumerate(NAMES, 1)})
        assert store.find_missing() == [1, 2, 3]
        store.relink(plan.found)
        assert store.find_missing() == []
        assert [record.path for record in store.images()] == [moved / name for name in NAMES]

    def test_files_of_one_name_without_their_folders_are_unclear(self, store, folder, tmp_path):
        other = tmp_path / "flat"
        for parent in ("x", "y"):
            shutil.copytree(folder / "day 1", other / parent)
        shutil.rmtree(folder)
        assert store.plan_relink(other) == RelinkPlan(not_found=[1], unclear=[2, 3])

    def test_one_file_is_not_taken_for_two_images(self, store, folder, tmp_path):
        (tmp_path / "flat").mkdir()
        shutil.copy(folder / "day 1" / "b ü.png", tmp_path / "flat")
        shutil.rmtree(folder)
        plan = store.plan_relink(tmp_path / "flat")
        assert (plan.found, sorted(plan.unclear)) == ({}, [2, 3])

    def test_fingerprints_tell_files_of_one_name_apart(self, store, folder, tmp_path):
        for image in (1, 2, 3):
            store.check_source(image)
        other = tmp_path / "flat"
        for parent, name in zip("zyx", NAMES, strict=True):
            (other / parent).mkdir(parents=True)
            shutil.copy(folder / name, other / parent)
        (other / "z" / "a.png").write_bytes(b"of the same name only")
        shutil.rmtree(folder)
        name = Path(NAMES[1]).name
        plan = store.plan_relink(other)
        assert plan == RelinkPlan({2: other / "y" / name, 3: other / "x" / name}, [1])

    def test_images_can_change_places(self, store, folder):
        store.relink({1: folder / NAMES[1], 2: folder / NAMES[0]})
        assert [record.path for record in store.images()] == [
            folder / NAMES[n] for n in (1, 0, 2)
        ]

    def test_a_file_that_is_another_image_already_is_refused(self, store, folder):
        before = store.images()
        with pytest.raises(ProjectError, match="another image of this project already"):
            store.relink({1: folder / "c.png", 2: folder / NAMES[2]})
        assert store.images() == before

    def test_all_frames_of_a_video_follow_it(self, store, tmp_path):
        frames = store.add_images((tmp_path / "v.mp4", n, 4, 5) for n in range(3))
        (tmp_path / "new").mkdir()
        video = tmp_path / "new" / "v.mp4"
        video.write_bytes(b"film")
        plan = store.plan_relink(tmp_path / "new")
        assert plan.found == dict.fromkeys(frames, video)
        store.relink(plan.found)
        assert [r.frame for r in store.image_records(frames)] == [0, 1, 2]

    def test_a_folder_that_is_not_there_is_a_sentence(self, store, folder, tmp_path):
        shutil.rmtree(folder)
        with pytest.raises(ProjectError, match=r"folder .*nowhere cannot be read"):
            store.plan_relink(tmp_path / "nowhere")


def test_a_project_moved_with_its_images_misses_none(tmp_path, folder):
    with AnnotationStore.create(folder / "a.bitbrush", [CELL]) as store:
        store.add_images((folder / name, None, 20, 30) for name in NAMES)
        map = store.load_map(2)
        store.append_edit(2, brush_stroke(map, [(3, 4)], 2, new_segment(map, CELL)))
        assert store.check_source(2) is SourceState.UNCHANGED
    moved = folder.rename(tmp_path / "anderswo ß")
    with AnnotationStore.open(moved / "a.bitbrush") as again:
        assert again.find_missing() == []
        assert again.check_source(2) is SourceState.UNCHANGED
        assert again.load_map(2).segments.keys() == {1}


def test_a_project_moved_together_with_images_beside_it_misses_none(tmp_path, folder):
    (tmp_path / "both" / "project").mkdir(parents=True)
    images = folder.rename(tmp_path / "both" / "images")
    path = tmp_path / "both" / "project" / "a.bitbrush"
    with AnnotationStore.create(path, [CELL]) as store:
        store.add_images((images / name, None, 20, 30) for name in NAMES)
        assert [record.path for record in store.images()] == [images / name for name in NAMES]
        assert store.find_images([images / NAMES[1]]) == [2]
    moved = (tmp_path / "both").rename(tmp_path / "elsewhere")
    with AnnotationStore.open(moved / "project" / "a.bitbrush") as again:
        assert again.find_missing() == []
        expected = [moved / "images" / name for name in NAMES]
        assert [record.path for record in again.images()] == expected


def test_relinked_images_move_with_the_project(tmp_path, folder):
    (tmp_path / "both" / "project").mkdir(parents=True)
    path = tmp_path / "both" / "project" / "a.bitbrush"
    with AnnotationStore.create(path, [CELL]) as store:
        store.add_images([(folder / "a.png", None, 20, 30)])
        images = folder.rename(tmp_path / "both" / "images")
        store.relink(store.plan_relink(images).found)
        assert store.image_record(1).path == images / "a.png"
    moved = (tmp_path / "both").rename(tmp_path / "elsewhere")
    with AnnotationStore.open(moved / "project" / "a.bitbrush") as again:
        assert again.find_missing() == []


def test_whole_paths_of_older_versions_name_the_same_images(store, folder):
    whole = (folder / "a.png").as_posix()
    with closing(sqlite3.connect(store.path)) as connection, connection:
        connection.execute("UPDATE image SET path = ?, checksum = NULL WHERE id = 1", [whole])
    assert store.image_record(1).path == folder / "a.png"
    assert store.find_images([folder / "a.png"]) == [1]
    assert store.add_images([(folder / "a.png", None, 20, 30)]) == [1]
    with pytest.raises(ProjectError, match=r"a\.png is another image of this project"):
        store.relink({2: folder / "a.png"})
