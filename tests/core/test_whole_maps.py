"""Whole maps laid over another: proposals, imports, copies from another image."""

import numpy as np
import pytest

from core.errors import ProjectError
from core.panoptic import MAX_SEGMENT_ID, PanopticMap, Segment, Source
from core.whole_maps import accept_proposal, copy_segments, import_map
from tests.core.map_edits import CELL, DISH, STUFF, cells, ids, proposal_of, same_map


class TestProposal:
    def test_becomes_one_edit_with_new_ids(self):
        panoptic = PanopticMap(ids([0, 0, 0]), {}, next_id=40)
        proposal = proposal_of(ids([7, 3, 0]), {7: 1, 3: 1})
        edit = accept_proposal(panoptic, proposal, {1: CELL.id}, STUFF)
        panoptic.apply(edit)
        assert np.array_equal(panoptic.segment_ids, ids([41, 40, 0]))
        assert panoptic.segments[40] == Segment(40, CELL.id, Source.MODEL)
        assert edit.label == "accept proposal"

    def test_segments_of_categories_that_the_project_lacks_become_void(self):
        panoptic = cells([1, 1, 1])
        proposal = proposal_of(ids([1, 2, 3]), {1: 1, 2: 99})
        panoptic.apply(accept_proposal(panoptic, proposal, {1: CELL.id}, STUFF))
        assert np.array_equal(panoptic.segment_ids, ids([2, 0, 0]))

    def test_locked_segments_keep_their_pixels(self):
        locked = Segment(1, CELL.id, Source.MODEL, is_locked=True)
        panoptic = cells([1, 2, 2, 2], but=locked)
        proposal = proposal_of(ids([5, 5, 5, 5]), {5: 1})
        panoptic.apply(accept_proposal(panoptic, proposal, {1: CELL.id}, STUFF))
        assert np.array_equal(panoptic.segment_ids, ids([1, 3, 3, 3]))
        assert panoptic.segments[1] == locked

    def test_things_that_a_person_drew_are_kept(self):
        panoptic = cells([1, 1, 0, 0], but=Segment(1, CELL.id, Source.HUMAN))
        proposal = proposal_of(ids([5, 0, 0, 6]), {5: 1, 6: 1})
        panoptic.apply(accept_proposal(panoptic, proposal, {1: CELL.id}, STUFF))
        assert np.array_equal(panoptic.segment_ids, ids([1, 1, 0, 2]))

    def test_the_rim_of_a_kept_segment_does_not_become_a_second_one(self):
        panoptic = cells([0, 1, 1, 1, 0], but=Segment(1, CELL.id, is_locked=True))
        proposal = proposal_of(ids([5, 5, 5, 5, 5]), {5: 1})
        assert accept_proposal(panoptic, proposal, {1: CELL.id}, STUFF).is_empty

    def test_stuff_of_one_category_becomes_one_segment(self):
        panoptic = PanopticMap.empty(1, 4)
        proposal = proposal_of(ids([1, 2, 3, 4]), {1: 1, 2: 2, 3: 1, 4: 3})
        to_project = {1: DISH.id, 2: CELL.id, 3: DISH.id}
        panoptic.apply(accept_proposal(panoptic, proposal, to_project, STUFF))
        assert np.array_equal(panoptic.segment_ids, ids([1, 2, 1, 1]))

    def test_stuff_joins_the_locked_segment_of_its_category(self):
        locked = Segment(1, DISH.id, is_locked=True)
        panoptic = cells([1, 0, 0], but=locked)
        proposal = proposal_of(ids([0, 4, 4]), {4: 1})
        panoptic.apply(accept_proposal(panoptic, proposal, {1: DISH.id}, STUFF))
        assert panoptic.areas() == {1: 3} and panoptic.segments == {1: locked}

    def test_unlocked_stuff_is_replaced_under_its_old_id(self):
        panoptic = cells([1, 1, 0], but=Segment(1, DISH.id))
        proposal = proposal_of(ids([0, 4, 4]), {4: 1})
        panoptic.apply(accept_proposal(panoptic, proposal, {1: DISH.id}, STUFF))
        assert np.array_equal(panoptic.segment_ids, ids([0, 1, 1]))
        assert panoptic.segments == {1: Segment(1, DISH.id, Source.MODEL)}

    def test_of_another_size_is_refused(self):
        proposal = proposal_of(ids([1, 1]), {1: 1})
        with pytest.raises(ValueError, match=r"\(1, 2\) for an image \(1, 3\)"):
            accept_proposal(PanopticMap.empty(1, 3), proposal, {1: CELL.id}, STUFF)

    def test_with_more_segments_than_ids_is_refused(self):
        panoptic = PanopticMap(ids([0, 0]), {}, next_id=MAX_SEGMENT_ID)
        proposal = proposal_of(ids([1, 2]), {1: 1, 2: 1})
        with pytest.raises(ProjectError, match="used all"):
            accept_proposal(panoptic, proposal, {1: CELL.id}, STUFF)


class TestImport:
    def test_into_an_untouched_image_keeps_everything_as_it_is(self):
        imported = cells([7, 7, 300], but=Segment(7, CELL.id, Source.IMPORT, is_crowd=True))
        panoptic = PanopticMap.empty(1, 3)
        panoptic.apply(import_map(panoptic, imported, STUFF))
        assert same_map(panoptic, imported) and panoptic.next_id == 301

    def test_over_used_ids_is_renumbered(self):
        panoptic = cells([1, 2])
        panoptic.apply(import_map(panoptic, cells([2, 1]), STUFF))
        assert np.array_equal(panoptic.segment_ids, ids([4, 3]))

    def test_leaves_locked_segments_alone(self):
        panoptic = cells([1, 0, 0], but=Segment(1, DISH.id, is_locked=True))
        imported = cells([2, 3, 3], but=Segment(3, DISH.id))
        panoptic.apply(import_map(panoptic, imported, STUFF))
        assert np.array_equal(panoptic.segment_ids, ids([1, 1, 1]))

    def test_of_an_empty_map_clears_the_image(self):
        panoptic = cells([1, 2])
        panoptic.apply(import_map(panoptic, PanopticMap.empty(1, 2), STUFF))
        assert panoptic.areas() == {} and panoptic.segments == {}


HEIGHT, WIDTH = 9, 11


class TestCopy:
    def test_takes_only_void_pixels(self):
        panoptic, source = cells([1, 0, 0, 0]), cells([3, 3, 3, 0])
        panoptic.apply(copy_segments(panoptic, source, None, STUFF))
        assert np.array_equal(panoptic.segment_ids, ids([1, 2, 2, 0]))

    def test_things_get_new_ids_and_are_a_persons_unlocked_work(self):
        source = cells([1, 1], but=Segment(1, CELL.id, Source.MODEL, is_locked=True))
        panoptic = PanopticMap(ids([0, 0]), {}, next_id=8)
        panoptic.apply(copy_segments(panoptic, source, None, STUFF))
        assert panoptic.segments == {8: Segment(8, CELL.id, Source.HUMAN)}

    def test_takes_only_the_segments_that_are_named(self):
        panoptic = PanopticMap.empty(1, 3)
        panoptic.apply(copy_segments(panoptic, cells([1, 2, 3]), [2], STUFF))
        assert np.array_equal(panoptic.segment_ids, ids([0, 1, 0]))

    def test_stuff_extends_the_segment_that_there_is_even_a_locked_one(self):
        locked = Segment(1, DISH.id, is_locked=True)
        panoptic = cells([1, 0, 0], but=locked)
        panoptic.apply(
            copy_segments(panoptic, cells([0, 4, 4], but=Segment(4, DISH.id)), None, STUFF)
        )
        assert panoptic.areas() == {1: 3} and panoptic.segments == {1: locked}

    def test_a_thing_that_is_here_already_is_not_copied_beside_itself(self):
        panoptic = cells([0, 1, 1, 1, 0])
        assert copy_segments(panoptic, cells([5, 5, 5, 5, 5]), None, STUFF).is_empty

    def test_of_an_image_of_another_size_is_refused(self):
        with pytest.raises(ValueError, match=r"\(1, 2\) for an image \(1, 3\)"):
            copy_segments(PanopticMap.empty(1, 3), cells([1, 1]), None, STUFF)
