"""What the benchmark of clips counts: ids that stay, ids that change, things that are lost."""

import numpy as np
import pytest

from benchmarks.video_quality import STARTER as STARTER_PATH
from benchmarks.video_quality import (
    Clip,
    add_up,
    as_map,
    copy_first,
    generated_clips,
    judge,
    match_frames,
    propagate,
)
from core.bundled import starter_models
from core.model.checkpoint import load_checkpoint
from core.propagation import VideoOptions


def frame(left: int, first: int = 1, second: int = 2) -> np.ndarray:
    ids = np.zeros((40, 60), np.uint16)
    ids[4:14, left : left + 10] = first
    ids[24:34, left : left + 10] = second
    return ids


CLIP = Clip("a", [np.zeros((40, 60, 3), np.uint8)] * 4, [frame(5 + 4 * k) for k in range(4)])


def test_the_truth_has_all_ids_and_the_first_map_loses_them():
    right = add_up("truth", [judge(CLIP, CLIP.ids)])
    assert (right["same_id"], right["fixed"]["jf"], right["object_frames"]) == (100, 100, 6)
    copied = add_up("copy", [judge(CLIP, copy_first(CLIP))])
    assert copied["same_id"] == pytest.approx(100 / 3, abs=0.1)
    assert copied["same_id_of_found"] == 100


def test_an_id_that_changes_is_found_but_not_the_same():
    maps = [frame(5), frame(9), frame(13, 7), frame(17, 7)]
    row = add_up("changed", [judge(CLIP, maps)])
    assert row["same_id"] == row["same_id_of_found"] == pytest.approx(66.7)
    assert row["assigned"]["j"] == pytest.approx(75)


def test_what_comes_later_keeps_the_id_that_it_gets_first():
    ids = [frame(5, 1, 0), *CLIP.ids[1:]]
    maps = [ids[0], *(frame(5 + 4 * k, 1, 9) for k in range(1, 4))]
    assert add_up("new", [judge(Clip("b", CLIP.images, ids), maps)])["same_id"] == 100


def test_all_that_is_no_nucleus_is_background():
    whole = as_map(frame(5))
    assert set(np.unique(whole.segment_ids)) == {1, 2, 3} == set(whole.segments)


def test_single_frames_are_matched_to_the_first_map():
    (clip,) = generated_clips(1, "fluorescence", 3)
    assert [ids.shape for ids in clip.ids] == [image.shape[:2] for image in clip.images]
    maps = match_frames(load_checkpoint(STARTER_PATH, "cpu"), clip)
    row = add_up("", [judge(clip, maps)])
    assert row["fixed"]["jf"] > 60 and row["same_id"] > 60


def test_the_shipped_video_model_follows_held_out_nuclei():
    model = load_checkpoint(starter_models()["nuclei-video"], "cpu")
    *_, clip = generated_clips(2, "fluorescence", 4)
    maps, steps = propagate(model, clip, VideoOptions(later_steps=2, min_area=20))
    followed, copied = (add_up("", [judge(clip, ids)]) for ids in (maps, copy_first(clip)))
    assert steps == 2 and followed["same_id"] > 80
    assert followed["fixed"]["jf"] > copied["fixed"]["jf"] + 10
