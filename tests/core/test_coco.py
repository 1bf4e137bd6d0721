"""COCO panoptic files go out and come in without losing a pixel, and faults are named."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from core.coco import CocoItem, coco_exports, read_coco, write_coco
from core.errors import CocoError
from core.panoptic import Category, PanopticMap, Segment

CATEGORIES = (
    Category(1, "nucleus", is_thing=True, color=(220, 20, 60), supercategory="cell"),
    Category(7, "background", is_thing=False, color=(1, 2, 3)),
)
REAL_FILES = [
    *(
        f"coco_panoptic/{p}/panoptic{c}_{p}.json"
        for p in ("train", "val")
        for c in ("", "_coarse")
    ),
    "coco_panopticapi_samples/panoptic_samples.json",
    "davis/val/panoptic_val.json",
]


def sample_map() -> PanopticMap:
    """Void, a thing of two parts with a wide id, a crowd, and stuff."""
    ids = np.zeros((4, 6), np.uint16)
    ids[0, :2] = ids[3, 5] = 65_535
    ids[1, 2:5] = 256
    ids[2:, :3] = 3
    segments = {
        65_535: Segment(65_535, 1),
        256: Segment(256, 1, is_crowd=True),
        3: Segment(3, 7),
    }
    return PanopticMap(ids, segments, 65_536)


def export(folder: Path, *items: CocoItem) -> Path:
    path = folder / "out.json"
    write_coco(path, items or [CocoItem(5, "a.jpg", sample_map())], CATEGORIES)
    return path


def edited(path: Path, edit) -> Path:
    """The JSON after `edit` changed it in place."""
    document = json.loads(path.read_text())
    edit(document)
    path.write_text(json.dumps(document))
    return path


def kinds(panoptic_map: PanopticMap) -> dict:
    return {s.id: (s.category_id, s.is_crowd) for s in panoptic_map.segments.values()}


def test_a_map_comes_back_pixel_for_pixel(tmp_path):
    dataset = read_coco(export(tmp_path))
    returned = dataset.load_map(0)
    assert dataset.categories == CATEGORIES
    assert np.array_equal(returned.segment_ids, sample_map().segment_ids)
    assert kinds(returned) == kinds(sample_map())
    assert returned.next_id == 65_536


def test_the_json_says_what_the_png_holds(tmp_path):
    document = json.loads(export(tmp_path).read_text())
    assert document["images"] == [{"id": 5, "file_name": "a.jpg", "height": 4, "width": 6}]
    (annotation,) = document["annotations"]
    assert annotation["file_name"] == "a.png"
    assert annotation["segments_info"] == [
        {"id": 3, "category_id": 7, "area": 6, "bbox": [0, 2, 3, 2], "iscrowd": 0},
        {"id": 256, "category_id": 1, "area": 3, "bbox": [2, 1, 3, 1], "iscrowd": 1},
        {"id": 65_535, "category_id": 1, "area": 3, "bbox": [0, 0, 6, 4], "iscrowd": 0},
    ]
    assert document["categories"][0] == {
        "id": 1,
        "name": "nucleus",
        "supercategory": "cell",
        "isthing": 1,
        "color": [220, 20, 60],
    }
    rgb = np.array(Image.open(tmp_path / "out" / "a.png"))
    assert rgb[0, 0].tolist() == [255, 255, 0]
    assert rgb[1, 2].tolist() == [0, 1, 0]
    assert rgb[3, 3].tolist() == [0, 0, 0]


def test_a_map_that_is_void_everywhere_has_no_segments(tmp_path):
    path = export(tmp_path, CocoItem(1, "a.jpg", PanopticMap.empty(3, 1)))
    assert read_coco(path).images[0].segments == ()
    assert not read_coco(path).load_map(0).segment_ids.any()


def test_a_segment_without_pixels_is_left_out(tmp_path):
    panoptic_map = sample_map()
    panoptic_map.segments[9] = Segment(9, 1)
    dataset = read_coco(export(tmp_path, CocoItem(1, "a.jpg", panoptic_map)))
    assert {s.id for s in dataset.images[0].segments} == {3, 256, 65_535}


def test_images_that_share_a_stem_get_their_own_png(tmp_path):
    names = ["a.jpg", "b/a.jpg", "c\\A.png", "a_2.jpg"]
    items = [CocoItem(i, name, sample_map()) for i, name in enumerate(names)]
    dataset = read_coco(export(tmp_path, *items))
    assert [image.file_name for image in dataset.images] == names
    assert [i.png_name for i in dataset.images] == ["a.png", "a_2.png", "A_3.png", "a_2_2.png"]


@pytest.mark.parametrize("name", REAL_FILES)
def test_real_files_survive_a_round_trip(name, shared_dir, tmp_path):
    truth = read_coco(shared_dir / "data" / name)
    images = [(i, image.id, image.file_name) for i, image in enumerate(truth.images)]
    path = tmp_path / "out.json"
    items = (CocoItem(image_id, file, truth.load_map(i)) for i, image_id, file in images)
    write_coco(path, items, truth.categories)
    returned = read_coco(path)
    assert returned.categories == truth.categories
    for i, image in enumerate(truth.images):
        ids, segments = truth.load(i)
        new_ids, new_segments = returned.load(i)
        assert [(s.category_id, s.is_crowd) for s in new_segments] == [
            (s.category_id, s.is_crowd) for s in segments
        ]
        wide = np.array([0, *(s.id for s in segments)])
        narrow = np.array([0, *(s.id for s in new_segments)])
        assert np.array_equal(wide[np.searchsorted(narrow, new_ids)], ids)
        assert returned.images[i].file_name == image.file_name
    original = json.loads(truth.path.read_text())["annotations"]
    for ours, theirs in zip(json.loads(path.read_text())["annotations"], original, strict=True):
        for field in ("area", "bbox", "category_id", "iscrowd"):
            assert [s[field] for s in ours["segments_info"]] == [
                s[field] for s in theirs["segments_info"]
            ]


def test_other_programs_wide_ids_become_small_ones_in_order(tmp_path):
    path = edited(
        export(tmp_path), lambda d: d["annotations"][0]["segments_info"][0].update(id=66051)
    )
    png = tmp_path / "out" / "a.png"
    rgb = np.array(Image.open(png))
    rgb[2:, :3] = (3, 2, 1)
    Image.fromarray(rgb).save(png)
    ids, _ = read_coco(path).load(0)
    assert ids.dtype == np.uint32
    assert ids[2, 0] == 66_051
    panoptic_map = read_coco(path).load_map(0)
    assert kinds(panoptic_map) == {1: (7, False), 2: (1, True), 3: (1, False)}
    assert panoptic_map.segment_ids[2, 0] == 1
    assert panoptic_map.next_id == 4


def test_the_folder_may_lack_the_last_word_of_the_json(tmp_path):
    path = export(tmp_path).rename(tmp_path / "out_val.json")
    assert read_coco(path).load_map(0).segments
    (tmp_path / "out").rename(tmp_path / "maps")
    assert read_coco(path, folder=tmp_path / "maps").load_map(0).segments


def test_results_need_only_annotations(tmp_path):
    truth = read_coco(export(tmp_path))

    def strip(document):
        del document["images"], document["categories"]
        for segment in document["annotations"][0]["segments_info"]:
            del segment["area"], segment["bbox"], segment["iscrowd"]
        document["annotations"].append({"image_id": 99, "file_name": "x", "segments_info": []})

    results = read_coco(edited(truth.path, strip), like=truth)
    assert results.categories == truth.categories
    assert len(results.images) == 1
    assert results.load_map(0).segments.keys() == truth.load_map(0).segments.keys()


def test_a_category_without_colour_gets_one(tmp_path):
    path = edited(export(tmp_path), lambda d: [c.pop("color") for c in d["categories"]])
    first, second = read_coco(path).categories
    assert first.color != second.color


# Progress, cancel and failure


def test_each_image_is_reported_once_its_png_is_written(tmp_path):
    items = [CocoItem(i, f"{i}.jpg", sample_map()) for i in range(3)]
    assert list(coco_exports(tmp_path / "out.json", items, CATEGORIES)) == [1, 2, 3]


def test_items_are_asked_for_one_at_a_time(tmp_path):
    asked = []

    def items():
        for i in range(3):
            asked.append(i)
            yield CocoItem(i, f"{i}.jpg", sample_map())

    next(coco_exports(tmp_path / "out.json", items(), CATEGORIES))
    assert asked == [0]


def all_files(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


def test_a_cancelled_export_leaves_the_last_one_as_it_was(tmp_path):
    export(tmp_path)
    before = all_files(tmp_path)
    items = [CocoItem(i, "a.jpg", PanopticMap.empty(2, 2)) for i in range(3)]
    steps = coco_exports(tmp_path / "out.json", items, CATEGORIES)
    next(steps)
    steps.close()
    assert all_files(tmp_path) == before


def test_a_failing_source_leaves_the_last_export_as_it_was(tmp_path):
    export(tmp_path)
    before = all_files(tmp_path)

    def items():
        yield CocoItem(1, "a.jpg", PanopticMap.empty(2, 2))
        raise OSError("the project's disk is gone")

    with pytest.raises(OSError, match="the project's disk is gone"):
        write_coco(tmp_path / "out.json", items(), CATEGORIES)
    assert all_files(tmp_path) == before


def test_remains_of_a_killed_export_are_cleared(tmp_path):
    (tmp_path / ".out.partial").mkdir()
    (tmp_path / ".out.partial" / "old.png").touch()
    export(tmp_path)
    assert sorted(all_files(tmp_path)) == ["out.json", "out/a.png"]


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(CocoError, match=r"out\.json cannot be written|partial cannot be"):
        write_coco(tmp_path / "file" / "out.json", [], CATEGORIES)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m.segments.pop(3), "pixels have the id 3"),
        (lambda m: m.segments.update({3: Segment(3, 99)}), "unknown category 99"),
    ],
)
def test_a_map_that_contradicts_itself_is_a_callers_mistake(change, words, tmp_path):
    panoptic_map = sample_map()
    change(panoptic_map)
    with pytest.raises(ValueError, match=words):
        export(tmp_path, CocoItem(1, "a.jpg", panoptic_map))


def test_an_image_that_comes_twice_is_a_callers_mistake(tmp_path):
    item = CocoItem(1, "a.jpg", sample_map())
    with pytest.raises(ValueError, match="image 1 comes twice"):
        export(tmp_path, item, item)


# Files that contradict themselves


def segments_info(document) -> list[dict]:
    return document["annotations"][0]["segments_info"]


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda d: d.pop("images"), "no list 'images'"),
        (lambda d: d.update(annotations={}), "no list 'annotations'"),
        (lambda d: d["images"].append(5), "entry 2 of 'images' has a field of the wrong type"),
        (lambda d: d["images"][0].pop("height"), "entry 1 of 'images' has no 'height'"),
        (lambda d: d["images"][0].update(id="5"), "entry 1 of 'images' has a field of the"),
        (lambda d: d["images"][0].update(file_name=3), "3 is not text"),
        (lambda d: d["images"].append(d["images"][0]), "two entries with the id 5 in 'images'"),
        (lambda d: d["categories"].append(d["categories"][0]), "id 1 in 'categories'"),
        (lambda d: d["categories"][0].pop("isthing"), "has no 'isthing'"),
        (
            lambda d: d["categories"][0].update(color=[1]),
            "'categories' has a field of the wrong",
        ),
        (lambda d: d["annotations"].append(d["annotations"][0]), "id 5 in 'annotations'"),
        (
            lambda d: d["annotations"][0].update(image_id=6),
            "annotates image 6, which it does not",
        ),
        (
            lambda d: d["annotations"][0].pop("segments_info"),
            "image 5 has no list 'segments_info'",
        ),
        (
            lambda d: segments_info(d)[0].update(category_id=4),
            "segment 3 of image 5 has the unknown",
        ),
        (
            lambda d: segments_info(d)[0].update(id=256),
            "image 5 has two entries with the id 256",
        ),
        (lambda d: segments_info(d)[0].update(id=0), "id 0 is not from 1 to 16777215"),
        (lambda d: segments_info(d)[0].update(id=2**24), "id 16777216 is not from"),
    ],
)
def test_a_json_that_contradicts_itself_is_named(edit, words, tmp_path):
    path = edited(export(tmp_path), edit)
    with pytest.raises(CocoError, match=words) as caught:
        read_coco(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is not valid JSON"),
        (b'{"images": [', "is not valid JSON"),
        (b"\xff\xfe\x00", "is not valid JSON"),
        (b"[" * 100_000, "is not valid JSON"),
        (b"[]", "holds no JSON object"),
        (b"3", "holds no JSON object"),
    ],
)
def test_a_file_that_is_no_coco_json_is_named(content, words, tmp_path):
    (tmp_path / "bad.json").write_bytes(content)
    with pytest.raises(CocoError, match=words):
        read_coco(tmp_path / "bad.json")


def test_a_missing_json_is_named(tmp_path):
    with pytest.raises(CocoError, match=r"none\.json cannot be read \(No such file"):
        read_coco(tmp_path / "none.json")


def test_detection_files_are_told_from_panoptic_ones(shared_dir):
    folder = shared_dir / "data/coco_panopticapi_samples/other_formats"
    with pytest.raises(CocoError, match="no list 'segments_info'"):
        read_coco(folder / "panoptic_coco_detection_format.json")


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda d: segments_info(d).pop(), "does not list segment 65535"),
        (
            lambda d: segments_info(d).append({"id": 4, "category_id": 1}),
            "segment 4, which has",
        ),
        (lambda d: d["images"][0].update(height=5), "a.png is 6 x 4, but .* says 6 x 5"),
        (lambda d: d["annotations"][0].update(file_name="b.png"), "b.png does not exist"),
        (lambda d: d["annotations"][0].update(file_name="../out.json"), "of a kind"),
    ],
)
def test_a_png_that_contradicts_the_json_is_named(edit, words, tmp_path):
    dataset = read_coco(edited(export(tmp_path), edit))
    with pytest.raises(CocoError, match=words):
        dataset.load(0)


def test_more_segments_than_a_map_holds_are_refused(tmp_path):
    ids = np.arange(1, 65_537, dtype=np.uint32).reshape(256, 256)
    (tmp_path / "out").mkdir()
    bgr = np.stack([ids >> 16, ids >> 8 & 255, ids & 255], axis=2).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "out" / "a.png"), bgr)
    segments = [{"id": int(i), "category_id": 1} for i in ids.ravel()]
    document = {
        "images": [{"id": 1, "file_name": "a.jpg", "height": 256, "width": 256}],
        "annotations": [{"image_id": 1, "file_name": "a.png", "segments_info": segments}],
        "categories": [{"id": 1, "name": "cell", "isthing": 1}],
    }
    (tmp_path / "out.json").write_text(json.dumps(document))
    with pytest.raises(CocoError, match="has 65536 segments; a map holds at most 65535"):
        read_coco(tmp_path / "out.json").load_map(0)
    assert read_coco(tmp_path / "out.json").load(0)[0].max() == 65_536
