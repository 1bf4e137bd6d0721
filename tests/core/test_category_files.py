"""Lists of categories come in from every kind of COCO JSON, go out, and ship as templates."""

import json
from dataclasses import replace

import pytest

from core import category_files
from core.category_files import category_templates, read_categories, write_categories
from core.errors import CocoError
from core.palette import default_color
from core.panoptic import Category

CELL = Category(
    3, "Zelle ø", is_thing=True, color=(1, 2, 3), supercategory="tissue", hotkey="T"
)
DISH = Category(1, "dish", is_thing=False, color=(9, 8, 7))
PERSON = {"id": 1, "name": "person", "supercategory": "person"}


@pytest.fixture
def small_limit(monkeypatch):
    """A limit of 1,000 bytes on what is parsed whole."""
    monkeypatch.setattr(category_files, "MAX_WHOLE", 1000)


def put(tmp_path, content, name="a b ä.json"):
    path = tmp_path / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_what_is_written_is_read_again(tmp_path):
    path = tmp_path / "categories.json"
    write_categories(path, [CELL, DISH])
    assert read_categories(path) == (CELL, DISH)


def test_detection_files_have_things_only(tmp_path):
    path = put(tmp_path, {"images": [], "annotations": [], "categories": [PERSON]})
    (person,) = read_categories(path)
    assert person == Category(1, "person", True, default_color(1), "person")


def test_a_file_that_is_only_the_list_is_read(tmp_path):
    sky = {"id": 2, "name": "sky", "isthing": 0, "color": [70, 130, 180]}
    assert read_categories(put(tmp_path, [sky])) == (Category(2, "sky", False, (70, 130, 180)),)


def test_ids_below_1_are_replaced_by_free_ones(tmp_path):
    entries = [{"id": i, "name": f"n{i}"} for i in (0, 1, 2)]
    assert [c.id for c in read_categories(put(tmp_path, entries))] == [3, 1, 2]


@pytest.mark.parametrize("is_last", [True, False])
def test_a_large_file_is_not_parsed_but_for_its_categories(tmp_path, small_limit, is_last):
    decoy = {"note": 'a text with "categories": [1]', "categories": [{"id": 5}]}
    images = [{"id": i, "file_name": "x" * 200, **decoy} for i in range(9)]
    document = {"categories": [PERSON], "images": images}
    if is_last:
        document = dict(reversed(document.items()))
    path = put(tmp_path, document)
    assert [category.name for category in read_categories(path)] == ["person"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is not valid JSON"),
        ("[" * 100_000, "is not valid JSON"),
        ("7", "has no list 'categories'"),
        ({"images": []}, "has no list 'categories'"),
        ({"categories": {}}, "has no list 'categories'"),
        ({"categories": []}, "has an empty list 'categories'"),
        ({"categories": [{"id": 1}]}, "entry 1 of 'categories' has no 'name'"),
        ({"categories": [{**PERSON, "id": "1"}]}, "entry 1 of 'categories' has a field of the"),
        ({"categories": [{**PERSON, "color": [1, 2]}]}, "entry 1 of 'categories' has a field"),
        ({"categories": ["person"]}, "entry 1 of 'categories' has a field of the wrong type"),
        ({"categories": [PERSON, PERSON]}, "two entries with the id 1"),
    ],
)
def test_a_malformed_file_is_a_sentence_with_its_name(tmp_path, content, words):
    path = put(tmp_path, content)
    with pytest.raises(CocoError) as caught:
        read_categories(path)
    assert str(path) in str(caught.value) and words in str(caught.value)


def test_a_large_file_that_was_cut_off_is_a_sentence(tmp_path, small_limit):
    path = put(tmp_path, '{"images": [' + '"",' * 999 + '"categories": [{"id": 1')
    with pytest.raises(CocoError, match="is not valid JSON"):
        read_categories(path)


def test_a_missing_file_and_a_missing_folder_are_sentences(tmp_path):
    with pytest.raises(CocoError, match=r"none\.json cannot be read \(No such file"):
        read_categories(tmp_path / "none.json")
    with pytest.raises(CocoError, match="choose another place"):
        write_categories(tmp_path / "none" / "c.json", [CELL])


def test_the_templates_are_the_published_lists():
    lists = {path.stem: read_categories(path) for path in category_templates().values()}
    counts = {
        name: (sum(c.is_thing for c in found), sum(not c.is_thing for c in found))
        for name, found in lists.items()
    }
    assert counts == {"coco_panoptic": (80, 53), "coco_coarse": (6, 8), "cityscapes": (8, 11)}
    assert lists["cityscapes"][0] == Category(7, "road", False, (128, 64, 128), "flat")
    for found in lists.values():
        assert len({c.id for c in found}) == len({c.name for c in found}) == len(found)
        assert len({c.color for c in found}) == len(found)


def test_the_coco_templates_are_those_of_the_data(shared_dir):
    data = shared_dir / "data" / "coco_panoptic" / "val"
    lists = {path.stem: read_categories(path) for path in category_templates().values()}
    for name, of in (("coco_panoptic", "panoptic_val"), ("coco_coarse", "panoptic_coarse_val")):
        published = read_categories(data / f"{of}.json")
        assert [replace(c, color=(0, 0, 0)) for c in lists[name]] == [
            replace(c, color=(0, 0, 0)) for c in published
        ]
