"""Labels become segments: parts, filters, stuff, and the way up to the picture's size."""

import numpy as np

from core.model.config import ModelConfig
from core.model.postprocess import CodeShares, bring_up, choose_likeliest, to_segments
from core.model.prepare import frame_for
from core.panoptic import Category

THING = Category(7, "cell", True, (255, 0, 0))
STUFF = Category(9, "ground", False, (0, 255, 0))
NATIVE = ModelConfig(resize="native", image_size=(64, 64), mask_size=(32, 32))


def test_stuff_that_shares_id_zero_is_one_segment_and_a_thing_without_id_is_void():
    semantic = np.array([[1, 1, 2, 2], [1, 0, 2, 1]])
    ids = np.array([[5, 5, 0, 0], [5, 0, 0, 0]])
    segments, categories = to_segments(semantic, ids, [THING, STUFF], has_stuff_ids=False)
    assert categories == {1: 9, 2: 7}
    assert segments.tolist() == [[2, 2, 1, 1], [2, 0, 1, 0]]


def test_two_ids_of_one_stuff_category_become_one_segment():
    semantic = np.full((2, 4), 2)
    ids = np.array([[3, 3, 8, 8]] * 2)
    segments, categories = to_segments(semantic, ids, [THING, STUFF], has_stuff_ids=True)
    assert categories == {1: 9} and (segments == 1).all()


def test_parts_that_do_not_touch_split_and_small_ones_go_to_their_neighbours():
    semantic = np.ones((5, 9), int)
    semantic[:, 4] = 2
    ids = np.where(semantic == 1, 6, 0)
    ids[2, 4], semantic[2, 4] = 3, 1
    segments, categories = to_segments(
        semantic, ids, [THING, STUFF], has_stuff_ids=False, min_area=3, split_parts=True
    )
    assert sorted(categories.values()) == [7, 7, 9]
    left, right = segments[0, 0], segments[0, 8]
    assert (
        left != right and (segments[:, :4] == left).all() and (segments[:, 5:] == right).all()
    )
    assert segments[2, 4] != 0


def test_all_pixels_of_a_thing_have_the_code_that_fits_them_together():
    other = Category(8, "tissue", True, (0, 0, 255))
    likely = np.log(
        np.array(
            [  # void, cell, tissue, ground
                [[0.9, 0.9, 0.9, 0.9]],
                [[0.3, 0.3, 0.1, 0.2]],
                [[0.2, 0.2, 0.8, 0.1]],
                [[0.1, 0.1, 0.1, 0.7]],
            ],
            np.float32,
        )
    )
    codes, ids = choose_likeliest(likely, np.full((1, 4), 5), [THING, other, STUFF])
    assert codes.tolist() == [[2, 2, 2, 3]]  # 0.2 * 0.2 * 0.8 is more than 0.3 * 0.3 * 0.1
    assert ids.tolist() == [[5, 5, 5, 0]]


def test_a_thing_has_the_category_of_its_own_pixels_however_much_stuff_has_its_id():
    semantic = np.full((4, 6), 2)
    semantic[1, 1:3] = 1
    segments, categories = to_segments(
        semantic, np.full((4, 6), 5), [THING, STUFF], has_stuff_ids=False, is_code_kept=True
    )
    assert categories == {1: 9, 2: 7}
    np.testing.assert_array_equal(segments == 2, semantic == 1)


def test_small_segments_are_void_when_parts_are_not_split():
    semantic, ids = np.ones((4, 4), int), np.full((4, 4), 2)
    ids[0, 0] = 1
    segments, categories = to_segments(semantic, ids, [THING], has_stuff_ids=True, min_area=2)
    assert categories == {1: 7} and segments[0, 0] == 0 and segments.sum() == 15


def test_bringing_up_keeps_straight_borders_where_they_are_and_rounds_corners():
    frame = frame_for(NATIVE, 60, 64)
    grid = np.zeros(frame.mask, np.uint16)
    grid[:, 16:] = 3
    up = bring_up(grid, frame)
    assert up.shape == (60, 64)
    assert (up[:, :32] == 0).all() and (up[:, 33:] == 3).all()


def test_a_picture_larger_than_a_band_is_brought_up_as_in_one_piece(monkeypatch):
    frame = frame_for(NATIVE, 50, 70)
    grid = np.random.default_rng(1).integers(0, 4, frame.mask).astype(np.uint16)
    whole = bring_up(grid, frame)
    monkeypatch.setattr("core.model.postprocess.BAND_PIXELS", 7 * 70)
    assert np.array_equal(bring_up(grid, frame), whole)


def test_a_pixel_whose_code_is_stuff_stays_stuff_where_codes_are_kept():
    semantic = np.array([[1, 1, 1, 2]])
    ids = np.array([[5, 5, 5, 5]])
    arguments = (semantic, ids, [THING, STUFF])
    by_id, _ = to_segments(*arguments, has_stuff_ids=False)
    by_code, categories = to_segments(*arguments, has_stuff_ids=False, is_code_kept=True)
    assert by_id.tolist() == [[1, 1, 1, 1]]
    assert by_code.tolist() == [[1, 1, 1, 2]] and categories == {1: 7, 2: 9}


def sure_of(numbers: np.ndarray, doubt: dict[int, float]) -> CodeShares:
    """Number 1 is code 1 and 2 code 2; columns in `doubt` are code 1 with that share."""
    share = (numbers == 1).astype(np.float32)
    for column, value in doubt.items():
        share[:, column] = value
    return CodeShares(np.array([0, 1, 2]), np.stack([np.zeros_like(share), share, 1 - share]))


def test_a_border_lies_where_both_categories_are_equally_likely():
    frame = frame_for(NATIVE, 64, 64)
    numbers = np.full(frame.mask, 2, np.uint16)
    numbers[:, :16] = 1
    columns = {}
    for before, after in ((0.6, 0.1), (0.9, 0.4)):  # the first's share on both sides of 16
        up = bring_up(numbers, frame, sure_of(numbers, {15: before, 16: after}))
        assert (up == up[:1]).all() and set(np.unique(up)) == {1, 2}
        columns[before] = (up[0] == 1).sum()
    assert columns[0.6] + 1 == columns[0.9] == (bring_up(numbers, frame)[0] == 1).sum()


def test_segments_of_one_category_meet_half_way_whatever_the_doubt():
    frame = frame_for(NATIVE, 64, 64)
    numbers = np.full(frame.mask, 2, np.uint16)
    numbers[:, :16] = 1
    share = np.full(frame.mask, 0.7, np.float32)
    sure = CodeShares(np.array([0, 1, 1]), np.stack([0 * share, share, 1 - share]))
    np.testing.assert_array_equal(bring_up(numbers, frame, sure), bring_up(numbers, frame))


def test_void_keeps_its_border_and_padding_never_shows():
    frame = frame_for(NATIVE, 33, 35)
    numbers = np.zeros(frame.mask, np.uint16)
    numbers[:17, :18] = 1
    sure = sure_of(numbers, dict.fromkeys(range(18), 0.6))
    assert (bring_up(numbers, frame, sure) == 1).all()
    numbers[:, 9:] = 0
    np.testing.assert_array_equal(bring_up(numbers, frame, sure), bring_up(numbers, frame))
