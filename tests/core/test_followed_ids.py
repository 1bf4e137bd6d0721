"""Ids that a video model uses again, and the segments that they stand for."""

import numpy as np
import pytest

from core.errors import ProjectError
from core.followed_ids import FollowedIds


def go_on(ids, model_ids):
    named = ids.name(model_ids)
    ids.go_on(named, model_ids)
    return named


def test_segments_of_earlier_maps_keep_their_ids():
    ids = FollowedIds(16, 2, next_id=90)
    assert ids.begin([[70, 4], [4, 80]]) == []
    assert ids.model_ids == {4: 1, 80: 2, 70: 3}
    assert ids.name([3, 2, 1]) == {3: 70, 2: 80, 1: 4}


def test_what_is_new_gets_the_smallest_id_that_nobody_has_used():
    ids = FollowedIds(16, 2, next_id=90)
    ids.begin([[4]])
    assert go_on(ids, [1, 7, 9]) == {1: 4, 7: 90, 9: 91}
    assert go_on(ids, [9, 7, 2]) == {9: 91, 7: 90, 2: 92}


def test_a_step_that_is_not_the_last_uses_no_id_up():
    ids = FollowedIds(16, 2, next_id=90)
    assert ids.name([5]) == {5: 90}
    assert go_on(ids, [6]) == {6: 90}


def test_an_id_absent_from_one_frame_is_the_same_segment_and_from_two_a_new_one():
    ids = FollowedIds(16, 2, next_id=20)
    first = go_on(ids, [5])
    go_on(ids, [6])
    assert go_on(ids, [5]) == first
    go_on(ids, [6])
    go_on(ids, [6])
    assert go_on(ids, [5, 6]) == {5: 22, 6: 21}


def test_a_fresh_id_is_never_one_that_an_id_of_the_model_has_already():
    """Of two ids first seen, none gets what a third was renamed to."""
    ids = FollowedIds(16, 2, next_id=1)
    go_on(ids, [1])
    go_on(ids, [])
    go_on(ids, [])
    assert go_on(ids, [1, 2]) == {1: 2, 2: 3}


def test_more_segments_than_ids_leave_the_least_important_out():
    ids = FollowedIds(4, 2, next_id=50)
    assert ids.begin([[5, 6], [7, 8]]) == [6]
    assert set(ids.model_ids) == {7, 8, 5}


def test_a_segment_that_is_held_later_gets_an_id_that_none_of_the_others_has():
    ids = FollowedIds(8, 2, next_id=50)
    ids.begin([[5, 6]])
    assert ids.hold([9, 5]) == []
    assert ids.model_ids == {5: 1, 6: 2, 9: 3}


def test_ids_drawn_from_all_follow_the_seed():
    drawn = [FollowedIds(256, 2, 50, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    for ids in drawn:
        ids.begin([list(range(1, 40))])
    assert drawn[0].model_ids == drawn[1].model_ids != drawn[2].model_ids
    assert max(drawn[0].model_ids.values()) > 40


def test_a_clip_without_a_free_id_says_so():
    ids = FollowedIds(16, 2, next_id=65536)
    with pytest.raises(ProjectError, match="all 65535 segment ids"):
        ids.name([1])
