"""A folder of maps is filled image by image, survives a kill, and is never half true."""

import json

import numpy as np
import pytest

from core.coco import read_coco
from core.errors import CocoError
from core.output_folder import OutputFolder
from core.panoptic import Category, PanopticMap, Segment

CATEGORIES = (Category(1, "cell", is_thing=True, color=(1, 2, 3)),)
RECIPE = {"model": "tiny", "steps": 4}


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    paths = [folder / name for name in ("a.png", "b.png", "b.jpg")]
    for path in paths:
        path.write_bytes(b"pixels")
    return paths


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def make_map(value=1):
    return PanopticMap(np.full((3, 4), value, np.uint16), {value: Segment(value, 1)})


def fill(folder, paths, value=1):
    for path in paths:
        folder.add(path, make_map(value))


def names_in_index(out):
    return [
        image["file_name"]
        for image in json.loads((out / "panoptic.json").read_text())["images"]
    ]


def test_the_index_names_each_map_once_with_a_png_of_its_own(images, out):
    folder = OutputFolder(out, images, RECIPE, CATEGORIES)
    assert folder.left == images
    fill(folder, images)
    folder.write_index()
    dataset = read_coco(out / "panoptic.json")
    assert [image.file_name for image in dataset.images] == ["a.png", "b.png", "b.jpg"]
    assert sorted(p.name for p in (out / "panoptic").iterdir()) == ["a.png", "b.png", "b_2.png"]
    for index in range(3):
        assert np.array_equal(dataset.load(index)[0], make_map().segment_ids)


def test_a_stopped_run_goes_on_with_the_images_that_are_left(images, out):
    fill(OutputFolder(out, images, RECIPE, CATEGORIES), images[:2])
    folder = OutputFolder(out, images, RECIPE, CATEGORIES)
    assert folder.left == images[2:]
    assert folder.notice == ""
    fill(folder, folder.left)
    folder.write_index()
    assert [image.id for image in read_coco(out / "panoptic.json").images] == [1, 2, 3]


def test_a_line_that_was_cut_short_is_an_image_that_is_left(images, out):
    fill(OutputFolder(out, images, RECIPE, CATEGORIES), images)
    journal = out / "segment.jsonl"
    journal.write_bytes(journal.read_bytes()[:-10])
    folder = OutputFolder(out, images, RECIPE, CATEGORIES)
    assert folder.left == images[2:]
    fill(folder, folder.left)
    assert OutputFolder(out, images, RECIPE, CATEGORIES).left == []


def test_a_map_that_is_missing_is_made_again(images, out):
    fill(OutputFolder(out, images, RECIPE, CATEGORIES), images)
    (out / "panoptic" / "b.png").unlink()
    assert OutputFolder(out, images, RECIPE, CATEGORIES).left == [images[1]]


def test_an_image_that_has_changed_is_left_and_no_longer_in_the_index(images, out):
    folder = OutputFolder(out, images, RECIPE, CATEGORIES)
    fill(folder, images)
    folder.write_index()
    images[0].write_bytes(b"other pixels")
    folder = OutputFolder(out, images, RECIPE, CATEGORIES)
    assert folder.left == [images[0]]
    assert not (out / "panoptic.json").exists()
    folder.write_index()
    assert names_in_index(out) == ["b.png", "b.jpg"]


def test_another_recipe_makes_all_maps_again_and_says_why(images, out):
    folder = OutputFolder(out, images, RECIPE, CATEGORIES)
    fill(folder, images)
    folder.write_index()
    folder = OutputFolder(out, images, {**RECIPE, "steps": 8}, CATEGORIES)
    assert folder.notice == "steps 4 -> 8"
    assert folder.left == images
    assert not (out / "panoptic.json").exists()
    assert list((out / "panoptic").iterdir()) == []


def test_images_that_are_not_asked_for_again_stay_in_the_index(images, out):
    fill(OutputFolder(out, images[:1], RECIPE, CATEGORIES), images[:1])
    folder = OutputFolder(out, images[1:], RECIPE, CATEGORIES)
    fill(folder, folder.left)
    folder.write_index()
    assert names_in_index(out) == ["a.png", "b.png", "b.jpg"]


def test_maps_of_someone_else_are_not_overwritten(images, out):
    (out / "panoptic").mkdir(parents=True)
    (out / "panoptic" / "a.png").write_bytes(b"precious")
    with pytest.raises(CocoError, match=r"did not write; choose another folder with --out"):
        OutputFolder(out, images, RECIPE, CATEGORIES)


def test_maps_of_another_folder_of_images_are_not_overwritten(images, out, tmp_path):
    fill(OutputFolder(out, images, RECIPE, CATEGORIES), images)
    other = tmp_path / "other" / "a.png"
    other.parent.mkdir()
    other.write_bytes(b"pixels")
    with pytest.raises(CocoError, match=r"holds the maps of the images in .*images; choose"):
        OutputFolder(out, [other], RECIPE, CATEGORIES)


@pytest.mark.parametrize(
    "text", ["", "{}\n", "[1]\n", '{"format": "bitbrush-segment-9"}\n', "\0\n"]
)
def test_a_damaged_journal_is_refused(images, out, text):
    OutputFolder(out, images, RECIPE, CATEGORIES)
    (out / "segment.jsonl").write_text(text)
    with pytest.raises(CocoError, match=r"segment\.jsonl is damaged or of another version"):
        OutputFolder(out, images, RECIPE, CATEGORIES)


def test_a_folder_that_cannot_be_written_is_named(images, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CocoError, match=r"file/out cannot be written \(Not a directory\)"):
        OutputFolder(tmp_path / "file" / "out", images, RECIPE, CATEGORIES)
