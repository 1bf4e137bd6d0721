"""A project's maps leave it as COCO panoptic files that read back the same."""

import json

import numpy as np
import pytest

from core.authors import Author, AuthorKind
from core.coco import read_coco
from core.edits import brush_stroke
from core.export import export_project, find_json_path, list_exported
from core.panoptic import Category, Segment
from core.store import AnnotationStore, Review

CELL = Category(1, "cell", is_thing=True, color=(250, 10, 10))


@pytest.fixture
def store(tmp_path):
    project = tmp_path / "project"
    (project / "images").mkdir(parents=True)
    with AnnotationStore.create(project / "annotations.bitbrush", [CELL]) as store:
        store.add_images(
            [
                (project / "images" / "a.jpg", None, 20, 30),
                (tmp_path / "b.jpg", None, 20, 30),
                (project / "clip.mp4", 12, 20, 30),
                (project / "untouched.jpg", None, 20, 30),
            ]
        )
        for record in store.images()[:3]:
            draw(store, record.id)
        yield store


def draw(store, image_id):
    points = np.array([[8, 9], [14, 9]], np.float32)
    edit = brush_stroke(store.load_map(image_id), points, 3.0, Segment(1, CELL.id))
    store.append_edit(image_id, edit)


def test_exported_maps_read_back_pixel_for_pixel(store, tmp_path):
    assert list(export_project(store, tmp_path / "out" / "panoptic.json")) == [1, 2, 3]
    dataset = read_coco(tmp_path / "out" / "panoptic.json")
    assert dataset.categories == (CELL,)
    for index, record in enumerate(list_exported(store)):
        expected = store.load_map(record.id)
        assert expected.segment_ids.any()
        assert np.array_equal(dataset.load_map(index).segment_ids, expected.segment_ids)


def test_who_made_a_segment_is_said_only_when_asked_for(store, tmp_path):
    map = store.load_map(1)
    edit = brush_stroke(map, [(25, 9)], 2.0, map.segments[1])
    store.append_edit(1, edit, Author(AuthorKind.MODEL, "tiny", 0, 4))
    made_by_model = np.count_nonzero(edit.before != edit.after)
    infos = []
    for with_provenance in (False, True):
        path = tmp_path / f"{with_provenance}.json"
        list(export_project(store, path, with_provenance=with_provenance))
        (info,) = json.loads(path.read_text())["annotations"][0]["segments_info"]
        infos.append(info)
        assert read_coco(path).images[0].segments[0].id == 1
    share = round(made_by_model / infos[0]["area"], 4)
    made = infos[1].pop("bitbrush_provenance")
    assert made == pytest.approx({"human": 1 - share, "model tiny": share}, abs=0.001)
    assert infos[0] == infos[1]


def test_an_image_is_named_by_its_path_in_the_project_and_a_frame_by_its_number(
    store, tmp_path
):
    list(export_project(store, tmp_path / "out.json"))
    names = [image.file_name for image in read_coco(tmp_path / "out.json").images]
    assert names == ["images/a.jpg", "b.jpg", "clip_000012.png"]


def test_an_image_without_edits_is_not_exported_as_void(store):
    store.undo(1)
    assert [record.id for record in list_exported(store)] == [2, 3]


def test_an_image_that_was_rejected_is_not_exported(store):
    store.set_review(2, Review.REJECTED, "out of focus")
    assert [record.id for record in list_exported(store)] == [1, 3]


def test_a_folder_gets_a_file_called_panoptic(tmp_path):
    assert find_json_path(tmp_path / "out") == tmp_path / "out" / "panoptic.json"
    assert find_json_path(tmp_path / "mine.json") == tmp_path / "mine.json"
