"""Which images of a batch wait, and what of an image stays when a model fills in the rest."""

import numpy as np
import pytest

from core.authors import Author, AuthorKind
from core.panoptic import Edit, PanopticMap, Segment, Source
from core.pre_annotation import (
    Ground,
    known_of,
    plan_batch,
    pre_annotate,
    read_ground,
    settle,
)
from core.review import Review
from core.store import AnnotationStore
from tests.core.map_edits import (
    CATEGORIES,
    CELL,
    DISH,
    STUFF,
    assert_is_partition,
    cells,
    ids,
    proposal_of,
)

TO_PROJECT = {1: CELL.id, 2: DISH.id}
REVIEWS = {
    1: Review.EMPTY,
    2: Review.PROPOSED,
    3: Review.IN_WORK,
    4: Review.APPROVED,
    5: Review.REJECTED,
    6: Review.PROPOSED,
}
TINY = Author(AuthorKind.MODEL, "tiny", 0, 20)


def ground(map: PanopticMap, vouched: list[int]) -> Ground:
    return Ground((0, 0), map, np.array([vouched], np.bool_))


def pre_annotated(before: Ground, proposal) -> PanopticMap:
    map = before.map.copy()
    map.apply(pre_annotate(before, proposal, TO_PROJECT, STUFF))
    assert_is_partition(map)
    return map


class TestPlan:
    def test_leaves_out_what_people_have_decided_on_or_worked_on_or_is_done(self):
        plan = plan_batch([6, 5, 4, 3, 2, 1], REVIEWS, {6}, fills_in=False)
        assert plan.waiting == (2, 1)
        assert (plan.n_approved, plan.n_rejected, plan.n_in_work, plan.n_done) == (1, 1, 1, 1)

    def test_has_images_in_work_when_they_are_to_be_filled_in(self):
        plan = plan_batch([1, 3], REVIEWS, (), fills_in=True)
        assert plan.waiting == (1, 3)

    def test_leaves_out_an_empty_image_in_which_nothing_was_found(self):
        assert plan_batch([1], REVIEWS, {1}, fills_in=False).n_done == 1

    def test_leaves_out_images_that_the_project_lacks(self):
        assert plan_batch([7], REVIEWS, (), fills_in=True).waiting == ()


class TestPreAnnotate:
    def test_lays_a_proposal_over_what_a_model_made(self):
        map = pre_annotated(
            ground(cells([1, 1, 0]), [0, 0, 0]), proposal_of(ids([0, 4, 4]), {4: 1})
        )
        assert np.array_equal(map.segment_ids, ids([0, 2, 2]))
        assert map.segments == {2: Segment(2, CELL.id, Source.MODEL)}

    def test_keeps_a_thing_whole_of_which_a_person_drew_a_part(self):
        before = ground(cells([1, 1, 2, 0]), [1, 0, 0, 0])
        map = pre_annotated(before, proposal_of(ids([5, 5, 5, 5]), {5: 2}))
        assert np.array_equal(map.segment_ids, ids([1, 1, 3, 3]))
        assert map.segments[1] == Segment(1, CELL.id, Source.MODEL)

    def test_keeps_the_part_of_stuff_that_a_person_drew(self):
        segment = Segment(1, DISH.id, Source.MODEL)
        before = ground(cells([1, 1, 1, 0], but=segment), [1, 1, 0, 0])
        map = pre_annotated(before, proposal_of(ids([5, 5, 5, 5]), {5: 1}))
        assert np.array_equal(map.segment_ids, ids([1, 1, 2, 2]))
        assert map.segments[1] == segment

    def test_adds_proposed_stuff_to_what_a_person_drew_of_it(self):
        segment = Segment(1, DISH.id, Source.HUMAN)
        before = ground(cells([1, 0, 0], but=segment), [1, 0, 0])
        map = pre_annotated(before, proposal_of(ids([0, 5, 5]), {5: 2}))
        assert np.array_equal(map.segment_ids, ids([1, 1, 1]))
        assert map.segments == {1: segment}

    def test_leaves_void_what_a_person_erased(self):
        before = ground(cells([1, 0, 0]), [0, 1, 0])
        map = pre_annotated(before, proposal_of(ids([5, 5, 6]), {5: 1, 6: 1}))
        assert np.array_equal(map.segment_ids, ids([2, 0, 3]))

    def test_keeps_locked_segments_and_things_that_a_person_named(self):
        locked = Segment(1, CELL.id, Source.MODEL, is_locked=True)
        map = cells([1, 2, 0], but=locked)
        map.segments[2] = Segment(2, CELL.id, Source.HUMAN)
        map = pre_annotated(ground(map, [0, 0, 0]), proposal_of(ids([5, 5, 5]), {5: 2}))
        assert np.array_equal(map.segment_ids, ids([1, 2, 3]))
        assert map.segments[1] == locked

    def test_changes_nothing_where_all_is_vouched_for(self):
        before = ground(cells([1, 0]), [1, 1])
        assert pre_annotate(
            before, proposal_of(ids([3, 3]), {3: 1}), TO_PROJECT, STUFF
        ).is_empty


class TestKnown:
    def test_is_nothing_for_what_a_model_made(self):
        assert known_of(ground(cells([1, 0]), [0, 0]), CATEGORIES) is None

    def test_is_whole_things_and_parts_of_stuff(self):
        map = cells([1, 1, 2, 2], but=Segment(2, DISH.id))
        before = ground(map, [1, 0, 1, 0])
        known = known_of(before, CATEGORIES).map
        assert np.array_equal(known.segment_ids, ids([1, 1, 3, 2]))
        assert {i for i, s in known.segments.items() if s.is_locked} == {1, 3}
        assert known.segments[3].category_id == DISH.id
        assert np.array_equal(map.segment_ids, ids([1, 1, 2, 2]))


class TestStore:
    @pytest.fixture
    def store(self, tmp_path):
        with AnnotationStore.create(tmp_path / "a.bitbrush", CATEGORIES) as store:
            store.add_images([(tmp_path / f"{i}.png", None, 1, 4) for i in range(3)])
            yield store

    @staticmethod
    def put(store, image_id, columns, segment, **author):
        map = store.load_map(image_id)
        before = map.segment_ids[:, columns].copy()
        gained = {segment.id: segment}
        after = np.full_like(before, segment.id)
        edit = Edit(0, columns.start, before, after, {}, gained, "put")
        store.append_edit(image_id, edit, **author)

    def test_what_people_drew_or_imported_is_vouched_for(self, store):
        self.put(store, 1, slice(0, 1), Segment(1, CELL.id, Source.MODEL), author=TINY)
        self.put(store, 1, slice(1, 2), Segment(2, CELL.id))
        by_import = Author(AuthorKind.IMPORTED)
        self.put(store, 1, slice(2, 3), Segment(3, CELL.id), author=by_import)
        assert read_ground(store, 1).is_vouched.tolist() == [[False, True, True, False]]

    def test_more_maps_than_one_tell_the_expected_work(self, store):
        one, other = (proposal_of(ids(row), {1: 1}) for row in ([1, 1, 0, 0], [0, 0, 1, 1]))
        assert settle(store, 1, [one], TO_PROJECT, STUFF).expected_seconds is None
        outcome = settle(store, 1, [one, other], TO_PROJECT, STUFF)
        assert outcome.expected_seconds > 0
        assert outcome.mark == store.mark(1)

    def test_a_mark_never_comes_back_for_another_map(self, store):
        marks = [store.mark(1)]
        self.put(store, 1, slice(0, 1), Segment(1, CELL.id))
        marks.append(store.mark(1))
        store.undo(1)
        assert store.mark(1) == marks[0]
        self.put(store, 1, slice(0, 2), Segment(2, CELL.id))
        assert store.mark(1) not in marks

    def test_images_are_found_by_model_seed_and_steps_of_their_map(self, store):
        self.put(store, 1, slice(0, 1), Segment(1, CELL.id, Source.MODEL), author=TINY)
        other = Author(AuthorKind.MODEL, "tiny", 1, 20)
        self.put(store, 2, slice(0, 1), Segment(1, CELL.id, Source.MODEL), author=other)
        self.put(store, 3, slice(0, 1), Segment(1, CELL.id, Source.MODEL), author=TINY)
        store.undo(3)
        assert store.proposed_by(TINY) == {1}
        assert store.proposed_by(other) == {2}
        assert store.proposed_by(Author(AuthorKind.MODEL, "new", 0, 20)) == set()
        assert store.reviews() == {1: Review.PROPOSED, 2: Review.PROPOSED, 3: Review.EMPTY}
