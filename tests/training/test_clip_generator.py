"""Clips of stills: what moves is what the still shows, under one number through the clip."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from core.model.config import NUCLEI
from training.augment import Augmentation, View
from training.clip_generator import Motion, make_clip, random_clip
from training.coco_index import index_coco
from training.mirror import cut_window, mirror

THINGS = np.array([False, True, False])
STILL = Motion(drift=0, speed=0, turn=0, growth=0, change=0, noise=0)


def squares() -> View:
    """Two bright squares, numbers 3 and 4, on a dark slope."""
    image = np.repeat(np.linspace(0.1, 0.3, 96)[:, None, None], 96, 1).repeat(3, 2)
    labels = np.full((96, 96, 2), (2, 0), np.int32)
    for number, top, left in ((3, 30, 30), (4, 60, 52)):
        image[top : top + 12, left : left + 12] = 0.9
        labels[top : top + 12, left : left + 12] = 1, number
    return View(image.astype(np.float32), labels)


def clip_of(motion: Motion, seed: int = 0, n_frames: int = 5) -> list[View]:
    return make_clip(squares(), THINGS, n_frames, motion, np.random.default_rng(seed))


def middle_of(frame: View, number: int) -> np.ndarray:
    return np.argwhere(frame.labels[..., 1] == number).mean(0)


def test_what_does_not_move_is_the_still():
    for frame in clip_of(STILL):
        assert np.array_equal(frame.labels, squares().labels)
        is_thing = frame.labels[..., 1] > 0
        assert np.allclose(frame.image[is_thing], 0.9)
        assert np.abs(frame.image - squares().image)[~is_thing].max() < 0.02


def test_a_seed_is_a_clip():
    first, again, other = clip_of(Motion()), clip_of(Motion()), clip_of(Motion(), seed=1)
    for a, b in zip(first, again, strict=True):
        assert np.array_equal(a.image, b.image) and np.array_equal(a.labels, b.labels)
    assert not np.array_equal(first[0].labels, other[0].labels)


def test_a_drift_takes_everything_along_steadily():
    frames = clip_of(replace(STILL, drift=3.0), seed=2)
    ways = [[middle_of(b, n) - middle_of(a, n) for a, b in pairwise(frames)] for n in (3, 4)]
    assert np.allclose(ways[0], ways[1], atol=0.6)
    whole = np.abs(middle_of(frames[-1], 3) - middle_of(frames[0], 3)).max()
    assert 1.5 < whole <= 12


def test_things_move_each_on_its_own_and_leave_background_behind():
    frames = clip_of(replace(STILL, speed=6.0), seed=1, n_frames=9)
    away = middle_of(frames[-1], 3) - middle_of(frames[0], 3)
    other = middle_of(frames[-1], 4) - middle_of(frames[0], 4)
    assert np.abs(away - other).max() > 5
    for frame in frames:
        assert frame.image[frame.labels[..., 1] > 0].min() > 0.4
        is_far = frame.labels[..., 1] == 0
        assert np.quantile(frame.image[is_far], 0.98) < 0.35


def test_things_come_and_go_and_never_twice():
    frames = clip_of(replace(STILL, change=1.0), seed=3, n_frames=7)
    for number in (3, 4):
        is_there = np.array([(frame.labels[..., 1] == number).any() for frame in frames])
        assert is_there.any() and not is_there.all()
        assert np.count_nonzero(np.diff(is_there.astype(int))) == 1


def test_things_hide_each_other():
    labels = squares().labels
    labels[labels[..., 1] == 4] = 2, 0
    labels[34:46, 38:50] = 1, 4
    hidden = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        motion = replace(STILL, speed=4.0)
        frames = make_clip(View(squares().image, labels), THINGS, 5, motion, rng)
        hidden += [
            np.count_nonzero(frame.labels[..., 1] == n) for frame in frames for n in (3, 4)
        ]
    assert min(hidden) < 90 < max(hidden)


def test_the_mirror_image_goes_on_with_what_the_border_cuts():
    view = squares()
    view.labels[:5, :5] = 1, 7
    wide = mirror(view, (10, 10), (10, 0), THINGS)
    assert wide.labels.shape == (116, 106, 2)
    assert np.array_equal(wide.labels[10:-10, 10:], view.labels)
    assert np.count_nonzero(wide.labels[..., 1] == 7) == 100
    assert np.array_equal(wide.image[:10], wide.image[10:20][::-1])
    view.labels[6:9, 20:30] = 1, 8
    numbers = mirror(view, (10, 0), (0, 0), THINGS).labels[:10, 20:30, 1]
    assert (numbers[1:4] == 16).all() and not (numbers == 8).any()


def test_a_window_may_be_larger_than_the_still():
    window = cut_window(squares(), 300, 10, THINGS, np.random.default_rng(0))
    assert window.image.shape == (300, 300, 3) and window.labels.shape == (300, 300, 2)


def test_impossible_motion_is_refused():
    with pytest.raises(ValueError, match="speed cannot be -1"):
        Motion(speed=-1)
    with pytest.raises(ValueError, match="change cannot be 2"):
        Motion(change=2)


def test_real_nuclei_keep_their_brightness_while_they_move(shared_dir):
    path = shared_dir / "data/nuclei/val/panoptic_val.json"
    data = index_coco(path, has_stuff_ids=False)
    index = next(k for k in range(len(data)) if data.view(k, NUCLEI).image.shape[1] == 256)
    still = data.view(index, NUCLEI)
    motion = replace(Motion(), change=0, noise=0)
    frames = make_clip(still, THINGS, 8, motion, np.random.default_rng(0))
    numbers = still.labels[24:-24, 24:-24, 1]
    checked = 0
    for number in np.unique(numbers[numbers > 0]):
        masks = [frame.labels[..., 1] == number for frame in frames]
        if min(mask.sum() for mask in masks) < 0.9 * max(mask.sum() for mask in masks):
            continue  # hidden, or half out of the picture
        light = [frame.image[m].mean() for frame, m in zip(frames, masks, strict=True)]
        assert np.ptp(light) < 0.08
        checked += 1
    assert checked >= 3


def test_a_view_of_three_frames_has_an_image_of_the_last(shared_dir):
    path = shared_dir / "data/nuclei/val/panoptic_val.json"
    view = index_coco(path, has_stuff_ids=False).view(0, NUCLEI)
    rng = np.random.default_rng(0)
    clip = random_clip(view, THINGS, 3, Motion(), rng, size=64, augmentation=Augmentation())
    assert [frame.labels.shape for frame in clip] == [(64, 64, 2)] * 3
    assert [bool(frame.image.any()) for frame in clip] == [False, False, True]


def test_photographs_become_clips_too(shared_dir):
    path = shared_dir / "data/coco_panoptic/val/panoptic_val.json"
    data = index_coco(path, has_stuff_ids=True)
    view = data.view(0, replace(NUCLEI, is_stretched=False))
    is_thing = np.array([False, *(category.is_thing for category in data.categories)])
    frames = random_clip(view, is_thing, 3, Motion(), np.random.default_rng(0))
    assert frames[-1].image.shape == view.image.shape
    assert frames[-1].image.dtype == np.float32 and 0.1 < frames[-1].image.mean() < 0.9
    is_same = frames[0].labels[..., 0] == view.labels[..., 0]
    assert is_same.mean() > 0.85
