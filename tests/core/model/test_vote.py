"""From bits to segments as the authors' evaluation goes, recorded from their code."""

import numpy as np
import pytest
import torch

from core.model.bits import x0_to_labels
from core.model.postprocess import to_segments, vote
from core.model.prepare import Frame, cut_padding
from core.panoptic import Category


@pytest.fixture(scope="session")
def tasks(golden):
    return golden("tasks")


def frame_of(tasks, example: int) -> Frame:
    image, content = (
        tuple(tasks[f"post/{kind}_size"][example].tolist()) for kind in ("orig", "unpadded")
    )
    return Frame(image, content, padded=(48, 80), stride=2)


def labels_at_image_size(tasks, to_torch, example: int) -> tuple[np.ndarray, np.ndarray]:
    bits = to_torch(tasks["post/bits"][example])[None]
    labels = x0_to_labels(bits, (8, 8), n_codes=134, n_ids=101)
    semantic, ids = cut_padding(labels, frame_of(tasks, example))[0].numpy()
    return semantic, ids


def test_each_id_takes_its_most_frequent_code_and_small_ids_none() -> None:
    semantic = [[1, 1, 0, 5, 5], [1, 2, 0, 5, 5], [1, 1, 0, 7, 7], [3, 3, 0, 7, 5]]
    ids = [[4, 4, 0, 2, 2]] * 3 + [[9, 9, 0, 2, 2]]
    voted, kept = vote(np.array(semantic), np.array(ids), 3)
    assert voted.tolist() == [[1, 1, 0, 5, 5]] * 3 + [[0, 0, 0, 5, 5]]
    assert kept.tolist() == [[4, 4, 0, 2, 2]] * 3 + [[0, 0, 0, 2, 2]]


def test_id_zero_votes_like_any_other() -> None:
    voted, ids = vote(np.array([[1, 1, 8, 5, 5]]), np.array([[4, 4, 0, 0, 0]]), 1)
    assert voted.tolist() == [[1, 1, 5, 5, 5]]
    assert ids.tolist() == [[4, 4, 0, 0, 0]]


def test_a_code_without_id_is_no_segment_where_stuff_has_ids_too() -> None:
    categories = [Category(k, str(k), is_thing=k % 2 > 0, color=(0, 0, 0)) for k in range(1, 9)]
    semantic, ids = np.array([[1, 1, 8, 8, 8]]), np.array([[4, 4, 0, 0, 0]])
    segments, category_ids = to_segments(semantic, ids, categories, has_stuff_ids=True)
    assert segments.tolist() == [[1, 1, 0, 0, 0]]
    assert category_ids == {1: 1}


@pytest.mark.parametrize("min_area", [0, 4, 5, 40])
def test_recorded_votes(tasks, min_area) -> None:
    semantic, ids = tasks["vote/semantic"], tasks["vote/instance"]
    voted, kept = vote(semantic.astype(np.int64), ids.astype(np.int64), min_area)
    assert np.array_equal(voted, tasks[f"vote/min{min_area}/semantic"])
    assert np.array_equal(kept, tasks[f"vote/min{min_area}/instance"])


def test_recorded_way_up_to_the_input(tasks, to_torch) -> None:
    labels = x0_to_labels(to_torch(tasks["post/bits"]), (8, 8), n_codes=134, n_ids=101)
    frame = Frame(image=(48, 80), content=(48, 80), padded=(48, 80), stride=2)
    assert torch.equal(cut_padding(labels, frame), to_torch(tasks["post/panoptic"]).long())


@pytest.mark.parametrize("min_area", [0, 40])
@pytest.mark.parametrize("example", [0, 1])
def test_recorded_way_down_to_the_picture(tasks, to_torch, example, min_area) -> None:
    voted, kept = vote(*labels_at_image_size(tasks, to_torch, example), min_area)
    assert np.array_equal(voted, tasks[f"post/min{min_area}/semantic{example}"])
    assert np.array_equal(kept, tasks[f"post/min{min_area}/instance{example}"])


@pytest.mark.parametrize("example", [0, 1])
def test_recorded_categories_of_the_segments(tasks, to_torch, example) -> None:
    categories = [
        Category(category_id, str(category_id), is_thing=True, color=(0, 0, 0))
        for category_id in tasks["post/category_table"].tolist()
    ]
    semantic, ids = labels_at_image_size(tasks, to_torch, example)
    segments, category_ids = to_segments(
        semantic, ids, categories, has_stuff_ids=True, min_area=40
    )
    table = np.zeros(max(category_ids, default=0) + 1, np.int64)
    for segment_id, category_id in category_ids.items():
        table[segment_id] = category_id
    assert np.array_equal(table[segments], tasks[f"post/min40/category{example}"])
    recorded_ids = tasks[f"post/min40/instance{example}"]
    assert len(category_ids) == len(np.unique(recorded_ids[recorded_ids > 0]))
