"""Maps of COCO files come into a project, one step an image, and overwrite no work."""

import json

import numpy as np
import pytest
from PIL import Image

from core.__main__ import main
from core.coco import CocoItem, write_coco
from core.edits import brush_stroke, new_segment
from core.export import export_project
from core.map_import import import_maps, plan_import, say_plan
from core.panoptic import Category, PanopticMap, Segment, Source
from core.store import AnnotationStore

CELL = Category(1, "cell", is_thing=True, color=(200, 30, 30))
DISH = Category(2, "dish", is_thing=False, color=(0, 0, 255))
SIZE = (20, 30)


@pytest.fixture
def store(tmp_path):
    """Three images, of which one is in a folder of its own and has another size."""
    (tmp_path / "deep").mkdir()
    sizes = {"a.png": SIZE, "b.png": SIZE, "deep/c.png": (8, 9)}
    for name, size in sizes.items():
        Image.fromarray(np.zeros((*size, 3), np.uint8)).save(tmp_path / name)
    with AnnotationStore.create(tmp_path / "p.bitbrush", [DISH, CELL]) as store:
        store.add_images([(tmp_path / n, None, *size) for n, size in sizes.items()])
        yield store


def map_of(size, segments):
    """Stripes of the segments from left to right."""
    ids = np.zeros(size, np.uint16)
    for place, segment in enumerate(segments):
        ids[:, 3 * place : 3 * place + 3] = segment.id
    return PanopticMap(ids, {s.id: s for s in segments}, max(s.id for s in segments) + 1)


def write(path, categories, maps):
    """A COCO file of maps by file name."""
    items = [CocoItem(n, name, map) for n, (name, map) in enumerate(maps.items(), 1)]
    write_coco(path, items, categories)
    return path


def run(store, plan, *, with_worked_on=False):
    *_, report = import_maps(store, plan, with_worked_on=with_worked_on)
    return report


def test_maps_find_their_images_by_path_or_name_and_categories_by_name(store, tmp_path):
    theirs = (
        Category(7, "Cell", is_thing=True, color=(1, 2, 3)),
        Category(1, "debris", is_thing=True, color=(4, 5, 6)),
    )
    maps = {
        "a.png": map_of(SIZE, [Segment(5, 7), Segment(9, 1)]),
        "elsewhere/c.png": map_of((8, 9), [Segment(3, 7, is_crowd=True)]),
        "b.png": map_of((5, 5), [Segment(1, 7)]),
        "none.png": map_of(SIZE, [Segment(1, 7)]),
    }
    plan = plan_import(store, write(tmp_path / "in.json", theirs, maps))
    assert dict(plan.matches) == {1: 0, 3: 1}
    assert set(plan.unmatched) == {"b.png", "none.png"}
    assert [c.name for c in plan.added] == ["debris"]
    assert "2 of 4 maps are of the project." in say_plan(plan)
    assert len(store.categories) == 2  # a plan changes nothing
    report = run(store, plan)
    assert (report.n_images, report.failures) == (2, [])
    (debris,) = [c.id for c in store.categories if c.name == "debris"]
    assert store.load_map(1).segments == {
        5: Segment(5, CELL.id, Source.IMPORT),
        9: Segment(9, debris, Source.IMPORT),
    }
    assert store.load_map(3).segments == {3: Segment(3, CELL.id, Source.IMPORT, is_crowd=True)}
    assert store.history(1) == (["import"], 1)


def test_images_with_edits_keep_their_maps_unless_that_is_wanted(store, tmp_path):
    mine = store.load_map(1)
    store.append_edit(1, brush_stroke(mine, [(15, 10)], 4, new_segment(mine, CELL)))
    mine = store.load_map(1)
    path = write(tmp_path / "in.json", [CELL], {"a.png": map_of(SIZE, [Segment(1, 1)])})
    plan = plan_import(store, path)
    assert run(store, plan).n_images == 0
    assert np.array_equal(store.load_map(1).segment_ids, mine.segment_ids)
    assert run(store, plan, with_worked_on=True).n_images == 1
    assert store.load_map(1).segment_ids[10, 1]
    store.undo(1)
    assert np.array_equal(store.load_map(1).segment_ids, mine.segment_ids)


def test_an_export_comes_back_as_it_was(store, tmp_path):
    for image_id in (1, 2, 3):
        map = store.load_map(image_id)
        for x in (3, 6):
            edit = brush_stroke(map, [(x, 4)], 2, new_segment(map, CELL))
            store.append_edit(image_id, edit)
            map.apply(edit)
    before = [store.load_map(image_id) for image_id in (1, 2, 3)]
    list(export_project(store, tmp_path / "out.json"))
    plan = plan_import(store, tmp_path / "out.json")
    for image_id in (1, 2, 3):
        store.travel(image_id, 0)
    assert run(store, plan, with_worked_on=True).n_images == 3
    for image_id, old in zip((1, 2, 3), before, strict=True):
        new = store.load_map(image_id)
        assert np.array_equal(new.segment_ids > 0, old.segment_ids > 0)
        assert len(new.segments) == len(old.segments)


def test_a_map_that_cannot_be_read_is_reported_and_the_others_come_in(store, tmp_path, capsys):
    maps = {name: map_of(SIZE, [Segment(1, 1)]) for name in ("a.png", "b.png")}
    path = write(tmp_path / "in.json", [CELL], maps)
    (tmp_path / "in" / "a.png").write_bytes(b"broken")
    store.close()
    project = str(store.path)
    assert main(["import", project, str(path)]) == 1
    said = capsys.readouterr()
    assert "1 image of" in said.out
    assert "a.png" in said.err
    with AnnotationStore.open(store.path) as again:
        assert [record.n_edits for record in again.images()] == [0, 1, 0]


def test_a_file_that_is_no_coco_is_one_sentence(store, tmp_path, capsys):
    (tmp_path / "no.json").write_text(json.dumps([1, 2]))
    store.close()
    assert main(["import", str(store.path), str(tmp_path / "no.json")]) == 2
    assert "no.json" in capsys.readouterr().err
