"""Whatever is edited, changed, undone and redone, every map keeps the rules of the map."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from core.category_changes import begin_change, bring_back, carry_out, plan_change
from core.edits import brush_stroke, new_segment
from core.panoptic import Category
from core.store import AnnotationStore

LIST = (
    Category(1, "car", is_thing=True, color=(1, 1, 1)),
    Category(2, "bus", is_thing=True, color=(2, 2, 2)),
    Category(3, "road", is_thing=False, color=(3, 3, 3)),
)
HEIGHT, WIDTH = 8, 12

numbers = st.integers(0, 11)
steps = st.one_of(
    st.tuples(st.just("paint"), numbers, numbers),
    st.tuples(st.sampled_from(["undo", "redo", "to_other_kind", "delete"]), numbers, numbers),
    st.tuples(st.just("merge"), numbers, numbers),
)


def paint(store, image_id, place, x):
    panoptic = store.load_map(image_id)
    category = store.categories[place % len(store.categories)]
    edit = brush_stroke(panoptic, [(x, 4.0)], 1.5, new_segment(panoptic, category))
    store.append_edit(image_id, edit)


def change(store, name, first, second):
    """Another list of categories: one of another kind, one less, or two merged."""
    old = store.categories
    source, target = old[first % len(old)], old[second % len(old)]
    if name == "to_other_kind":
        new = [replace(c, is_thing=not c.is_thing) if c == source else c for c in old]
        becomes = {}
    else:
        new = [c for c in old if c != source]
        becomes = {source.id: target.id} if name == "merge" and target != source else {}
    if new:
        plan = plan_change(old, new, becomes, store.next_category_id)
        begin_change(store, plan)
        list(carry_out(store, plan.change))


def follow(store, image_id):
    """What the window does after a step: categories that are used come back."""
    used = {segment.category_id for segment in store.load_segments(image_id).values()}
    store.set_categories(bring_back(store.categories, store.former_categories, used))


def assert_valid(store, image_id):
    panoptic = store.load_map(image_id)
    assert set(np.unique(panoptic.segment_ids)) - {0} == panoptic.segments.keys()
    known = {category.id: category for category in store.categories}
    used = [segment.category_id for segment in panoptic.segments.values()]
    assert set(used) <= known.keys()
    stuff = [category_id for category_id in used if not known[category_id].is_thing]
    assert len(stuff) == len(set(stuff))
    assert panoptic.segments == store.load_segments(image_id)


@settings(max_examples=25)
@given(st.lists(steps, max_size=14))
def test_one_segment_a_stuff_category_after_every_step(drawn):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.bitbrush"
        with AnnotationStore.create(path, LIST) as store:
            store.add_images(
                [(path.with_name(f"{i}.png"), None, HEIGHT, WIDTH) for i in (1, 2)]
            )
            for name, first, second in drawn:
                image_id = 1 + first % 2
                if name == "paint":
                    paint(store, image_id, first // 2, second)
                elif name in {"undo", "redo"}:
                    getattr(store, name)(image_id)
                else:
                    change(store, name, first, second)
                for each in (1, 2):
                    follow(store, each)
                    assert_valid(store, each)
            for each in (1, 2):
                while store.undo(each) is not None:
                    follow(store, each)
                    assert_valid(store, each)
                assert not store.load_map(each).segment_ids.any()
                while store.redo(each) is not None:
                    follow(store, each)
                    assert_valid(store, each)
