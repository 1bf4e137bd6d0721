"""Changes of categories reach every map, say first what they do, and survive a kill."""

from dataclasses import replace

import numpy as np
import pytest

from core.category_changes import (
    DELETE,
    MERGE,
    TO_STUFF,
    Count,
    begin_change,
    begun_change,
    bring_back,
    carry_out,
    plan_change,
    survey,
)
from core.coco import read_coco
from core.export import export_project
from core.panoptic import Category, Edit, Segment
from core.store import AnnotationStore

CAR = Category(1, "car", is_thing=True, color=(1, 1, 1), hotkey="C")
BUS = Category(2, "bus", is_thing=True, color=(2, 2, 2))
ROAD = Category(3, "road", is_thing=False, color=(3, 3, 3))
LIST = (CAR, BUS, ROAD)
STUFF_CAR = Category(4, "car", is_thing=False, color=(1, 1, 1), hotkey="C")
FORMER_CAR = Category(1, "car (thing)", is_thing=True, color=(1, 1, 1))
HEIGHT, WIDTH = 6, 8


def paint(store, image_id, *segments):
    """One edit that gives each segment a row of its own."""
    before = store.load_map(image_id).segment_ids
    after = before.copy()
    for segment in segments:
        after[segment.id - 1] = segment.id
    created = {segment.id: segment for segment in segments}
    store.append_edit(image_id, Edit(0, 0, before, after, {}, created, "brush"))


@pytest.fixture
def store(tmp_path):
    """Image 1: three cars, one locked, one a crowd, and a road; 2: a car; 3: a bus; 4: void."""
    with AnnotationStore.create(tmp_path / "a ä.bitbrush", LIST) as store:
        store.add_images([(tmp_path / f"{i}.png", None, HEIGHT, WIDTH) for i in range(4)])
        cars = [Segment(1, 1), Segment(2, 1, is_locked=True), Segment(3, 1, is_crowd=True)]
        paint(store, 1, *cars, Segment(4, 3))
        paint(store, 2, Segment(1, 1))
        paint(store, 3, Segment(1, 2))
        yield store


def change(store, new, becomes=None):
    """Carry out what comes from this list; returns the survey before."""
    plan = plan_change(store.categories, new, becomes or {}, store.next_category_id)
    *_, counts = survey(store, plan.change.targets(plan.categories))
    begin_change(store, plan)
    *_, n_done = carry_out(store, plan.change)
    assert n_done == 3
    return counts


def kinds(store, image_id):
    """Category of each segment of an image, which has exactly the pixels of its segments."""
    panoptic = store.load_map(image_id)
    assert set(np.unique(panoptic.segment_ids)) - {0} == panoptic.segments.keys()
    assert panoptic.segments == store.load_segments(image_id)
    return {i: segment.category_id for i, segment in panoptic.segments.items()}


def assert_valid(store):
    """One segment a stuff category, and every category is in the project."""
    known = {c.id: c for c in (*store.categories, *store.former_categories)}
    for image_id in store.image_ids():
        used = list(kinds(store, image_id).values())
        stuff = [i for i in used if not known[i].is_thing]
        assert len(stuff) == len(set(stuff))


def test_a_survey_counts_segments_crowds_and_locks(store):
    *_, counts = survey(store)
    assert counts.n_read == 3
    assert counts.counts == {1: Count(2, 4, 1, 1), 2: Count(1, 1), 3: Count(1, 1)}
    assert counts.n_touched == 0


def test_a_merge_says_first_what_it_does_then_does_it(store):
    counts = change(store, [BUS, ROAD], {CAR.id: ROAD.id})
    assert counts.n_touched == 2
    assert counts.counts[CAR.id] == Count(2, 4, 1, 1)
    assert counts.joins == {ROAD.id: Count(1, 4, 1, 1)}
    assert (kinds(store, 1), kinds(store, 2)) == ({4: ROAD.id}, {1: ROAD.id})
    assert store.categories == (BUS, ROAD)
    assert store.former_categories == (replace(CAR, hotkey=""),)
    assert store.history(1) == (["brush", MERGE], 1 + 1)
    assert store.history(3) == (["brush"], 1)


def test_what_categories_were_called_before_is_remembered(store):
    assert store.renamed_categories == {}
    change(store, [replace(CAR, name="vehicle"), BUS, ROAD])
    change(store, [replace(CAR, name="motor vehicle"), BUS, ROAD])
    both = {"car": "motor vehicle", "vehicle": "motor vehicle"}
    assert store.renamed_categories == both
    change(store, [replace(CAR, name="motor vehicle"), ROAD], {BUS.id: CAR.id})
    assert store.renamed_categories == both | {"bus": "motor vehicle"}
    change(store, [CAR, ROAD])
    assert store.renamed_categories == {
        "motor vehicle": "car",
        "vehicle": "car",
        "bus": "car",
    }
    change(store, [ROAD])
    assert store.renamed_categories == {}  # there is nothing that they could be called


def test_undo_of_a_merge_brings_the_category_back(store):
    change(store, [BUS, ROAD], {CAR.id: BUS.id})
    store.undo(2)
    assert kinds(store, 2) == {1: CAR.id}
    back = bring_back(store.categories, store.former_categories, {CAR.id, ROAD.id})
    assert [(c.id, c.name, c.hotkey) for c in back][-1] == (CAR.id, "car", "")
    assert bring_back(LIST, store.former_categories, {CAR.id}) == LIST


def test_a_thing_becomes_stuff_and_undo_brings_things_back(store):
    counts = change(store, [Category(1, "car", False, (1, 1, 1), hotkey="C"), BUS, ROAD])
    assert counts.joins == {STUFF_CAR.id: Count(1, 3, 1, 1)}
    assert store.categories == (STUFF_CAR, BUS, ROAD)
    assert store.former_categories == (FORMER_CAR,)
    assert kinds(store, 1) == {1: STUFF_CAR.id, 4: ROAD.id}
    assert store.history(1)[0][-1] == TO_STUFF
    assert_valid(store)
    store.undo(1)
    assert kinds(store, 1) == {1: 1, 2: 1, 3: 1, 4: ROAD.id}
    assert_valid(store)
    store.redo(1)
    assert_valid(store)


def test_stuff_becomes_a_thing_in_its_place(store):
    things = [CAR, BUS, Category(3, "road", is_thing=True, color=(3, 3, 3))]
    plan = plan_change(store.categories, things, {}, store.next_category_id)
    assert plan.categories == tuple(things)
    assert not plan.change.moves


def test_deleting_gives_pixels_to_void_or_to_another_category(store):
    change(store, [CAR, ROAD])
    assert kinds(store, 3) == {}
    assert store.history(3)[0][-1] == DELETE
    change(store, [ROAD], {CAR.id: ROAD.id})
    assert kinds(store, 2) == {1: ROAD.id}


def test_what_becomes_something_that_goes_too_follows_it(store):
    plan = plan_change(LIST, [ROAD], {CAR.id: BUS.id, BUS.id: ROAD.id}, 4)
    assert plan.change.moves == {CAR.id: ROAD.id, BUS.id: ROAD.id}
    to_stuff = Category(1, "car", is_thing=False, color=(1, 1, 1))
    plan = plan_change(LIST, [to_stuff, ROAD], {BUS.id: CAR.id}, 4)
    assert plan.change.moves == {CAR.id: 4, BUS.id: 4}


def test_a_project_without_edits_keeps_its_ids():
    stuff = Category(1, "car", is_thing=False, color=(1, 1, 1))
    plan = plan_change(LIST, [stuff], {}, 4, is_untouched=True)
    assert (plan.categories, plan.change.moves) == ((stuff,), {})


@pytest.mark.parametrize("n_steps", [0, 1, 2, 3])
def test_a_change_that_was_stopped_is_valid_and_can_be_finished(store, n_steps):
    plan = plan_change(LIST, [BUS, ROAD], {CAR.id: ROAD.id}, 4)
    begin_change(store, plan)
    steps = carry_out(store, plan.change)
    for _ in range(n_steps):
        next(steps)
    steps.close()
    assert_valid(store)
    assert store.categories == (BUS, ROAD, replace(CAR, hotkey=""))
    assert begun_change(store) == plan.change
    list(carry_out(store, begun_change(store)))
    assert begun_change(store) is None
    assert (kinds(store, 1), kinds(store, 2)) == ({4: ROAD.id}, {1: ROAD.id})
    assert store.history(1)[1] == 2
    assert store.categories == (BUS, ROAD)


def test_segments_are_not_lost_when_the_target_of_a_stopped_change_was_deleted(store):
    plan = plan_change(LIST, [BUS, ROAD], {CAR.id: BUS.id}, 4)
    begin_change(store, plan)
    store.set_categories([ROAD, CAR])
    list(carry_out(store, begun_change(store)))
    assert kinds(store, 2) == {1: CAR.id}


def test_a_damaged_journal_is_counted_and_left_alone(store):
    store._execute("UPDATE edit SET payload = x'00' WHERE image_id = 2")  # noqa: SLF001
    counts = change(store, [BUS, ROAD], {CAR.id: BUS.id})
    assert (counts.n_read, counts.n_unreadable, counts.n_touched) == (3, 1, 1)
    assert kinds(store, 1) == {1: BUS.id, 2: BUS.id, 3: BUS.id, 4: ROAD.id}


def test_former_categories_are_exported_only_where_a_segment_has_them(store, tmp_path):
    change(store, [BUS, ROAD], {CAR.id: BUS.id})
    list(export_project(store, tmp_path / "out" / "panoptic.json"))
    exported = read_coco(tmp_path / "out" / "panoptic.json")
    assert [category.id for category in exported.categories] == [BUS.id, ROAD.id]
    store.undo(2)
    list(export_project(store, tmp_path / "out" / "panoptic.json"))
    exported = read_coco(tmp_path / "out" / "panoptic.json")
    assert [category.id for category in exported.categories] == [BUS.id, ROAD.id, CAR.id]


def test_a_second_connection_carries_out_what_the_first_sees(store):
    plan = plan_change(LIST, [BUS, ROAD], {CAR.id: ROAD.id}, 4)
    begin_change(store, plan)
    with store.open_again() as other:
        list(carry_out(other, plan.change))
    assert kinds(store, 1) == {4: ROAD.id}
    assert store.categories == (BUS, ROAD)


def test_ids_are_never_given_twice(store):
    store.set_categories([CAR])
    assert store.next_category_id == 4
    assert store.former_categories == (BUS, ROAD)
    store.set_categories([CAR, ROAD])
    assert (store.categories, store.former_categories) == ((CAR, ROAD), (BUS,))
