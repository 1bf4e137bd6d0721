"""J, F, recall and decay as DAVIS's own code defines them, worked out by hand."""

from itertools import pairwise

import numpy as np
import pytest

from core.coco import read_coco
from core.object_quality import ObjectTally, disk, find_border, rate_objects


def square(left: int, side: int = 20, value: int = 1) -> np.ndarray:
    ids = np.zeros((60, 80), np.int64)
    ids[20 : 20 + side, left : left + side] = value
    return ids


def scores(frames, protocol="unsupervised"):
    tally = ObjectTally()
    for true, proposed in frames:
        tally.add(true, proposed)
    return tally.scores(protocol)


def test_the_truth_is_perfect_whatever_its_ids() -> None:
    truth = square(10) + square(50, value=2)
    quality = rate_objects([scores([(truth, truth * 7)] * 5)])
    assert (quality.jf, quality.j.recall, quality.f.recall, quality.n_objects) == (1, 1, 1, 2)
    assert quality.j.decay == quality.f.decay == 0


def test_a_shift_by_half_the_side_is_a_third_of_the_region() -> None:
    (j,) = scores([(square(10), square(20))]).j
    assert j == pytest.approx(200 / 600)


def test_borders_nearer_than_the_reach_are_right() -> None:
    """The diagonal of 60 x 80 is 100: borders within one pixel count, further ones do not."""
    (near,) = scores([(square(10), square(11))]).f
    assert near == pytest.approx(1)
    (far,) = scores([(square(10), square(13))]).f
    line = find_border(square(10) > 0)
    other = find_border(square(13) > 0)
    wide = np.zeros_like(line)
    for y, x in np.argwhere(line):
        for dy, dx in np.argwhere(disk(1)) - 1:
            wide[y + dy, x + dx] = True
    precision = (other & wide).sum() / other.sum()
    assert far == pytest.approx(precision) and 0.4 < far[0] < 0.6  # both ways alike


def test_a_border_lies_left_and_above_of_the_change() -> None:
    mask = np.zeros((5, 5), bool)
    mask[2:4, 2:4] = True
    expected = ["00000", "01110", "01010", "01110", "00000"]
    assert ["".join(map(str, row)) for row in find_border(mask).astype(int)] == expected
    full = np.ones((4, 4), bool)
    assert not find_border(full).any()


def test_an_object_that_nothing_covers_is_lost_unless_it_is_absent() -> None:
    empty = np.zeros((60, 80), np.int64)
    result = scores([(square(10), empty), (empty, empty)])
    assert result.j.tolist() == result.f.tolist() == [[0, 1]]


def test_the_assignment_is_one_for_the_whole_sequence() -> None:
    frames = [(square(10), square(10, value=v)) for v in (5, 5, 6, 5)]
    assert scores(frames).j.tolist() == [[1, 1, 0, 1]]


def test_fixed_ids_leave_out_the_first_and_the_last_frame() -> None:
    wrong = square(50)
    frames = [(square(10), ids) for ids in (wrong, square(10), square(10, value=2), wrong)]
    assert scores(frames, "semi-supervised").j.tolist() == [[1, 0]]


def test_recall_and_decay() -> None:
    """Quarters of 9 frames share their ends: 0-2 and 6-8."""
    lefts = [10, 10, 10, 10, 10, 10, 20, 20, 20]
    quality = rate_objects([scores([(square(10), square(left)) for left in lefts])])
    assert quality.j.mean == pytest.approx((6 + 3 / 3) / 9)
    assert quality.j.recall == pytest.approx(6 / 9)
    assert quality.j.decay == pytest.approx(1 - 1 / 3)


def test_more_objects_than_proposals_leave_some_empty() -> None:
    truth = square(10) + square(50, value=2)
    assert sorted(scores([(truth, square(10))]).j.ravel()) == [0, 1]


def test_of_many_proposals_the_largest_count() -> None:
    proposed = np.zeros((60, 80), np.int64)
    proposed[0, :30] = np.arange(2, 32)
    proposed[20:40, 10:30] = 40
    assert scores([(square(10), proposed)]).j.tolist() == [[1]]


def test_nothing_to_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no frame"):
        ObjectTally().scores()
    empty = np.zeros((8, 8), np.int64)
    with pytest.raises(ValueError, match="there is no object"):
        rate_objects([scores([(empty, empty)])])
    with pytest.raises(ValueError, match="pixels differ"):
        ObjectTally().add(empty, empty[:4])


def test_copying_the_first_frame_loses_what_moves_more_and_more(shared_dir) -> None:

    data = read_coco(shared_dir / "data/davis/val/panoptic_val.json")
    maps = [data.load(k)[0] for k in range(0, 24, 4)]
    result = scores([(ids, maps[0]) for ids in maps])
    assert result.j.shape == (7, 6) and np.allclose(result.j[:, 0], 1)
    means = result.j.mean(0)
    assert all(a > b for a, b in pairwise(means[:4])) and means[-1] > 0.3
