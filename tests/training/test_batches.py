"""Batches: a pure function of seed and step, whatever the number of processes."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.model.config import NUCLEI
from core.panoptic import Category
from training.augment import Augmentation, draw_ids
from training.batches import make_batch, sample_index
from training.config import Crops, TrainConfig
from training.data import PanopticDataset
from training.photo_views import PhotoAugmentation
from training.prefetch import draw_batches
from training.processes import Processes

CATEGORIES = (Category(1, "square", True, (220, 20, 60)),)
PHOTOS = TrainConfig(
    replace(NUCLEI, image_size=(32, 48), mask_size=(16, 24), is_stretched=False),
    augmentation=PhotoAugmentation((1.0, 2.0), colour=1.0),
    batch=5,
)
PICTURES = replace(
    PHOTOS, augmentation=Augmentation(), crops=(Crops(32, 4), Crops(48, 3)), order="draws"
)


@pytest.fixture(scope="module")
def data() -> PanopticDataset:
    """Seven pictures of different greys, each with two squares."""
    images, labels = [], []
    for k in range(7):
        image = np.full((40, 60, 3), 30 * k, np.uint8)
        label = np.zeros((40, 60, 2), np.int32)
        for number, left in enumerate((4, 34), start=1):
            image[8:30, left : left + 20] = 250
            label[8:30, left : left + 20] = (1, number)
        images.append(image)
        labels.append(label)
    return PanopticDataset(CATEGORIES, [f"{k}.png" for k in range(7)], images, labels)


@pytest.mark.parametrize("config", [PHOTOS, PICTURES], ids=["photos", "pictures"])
@pytest.mark.parametrize("n_ranks", [2, 3])
def test_processes_together_see_the_batch_of_one(config, n_ranks, data):
    for step in (0, 3):
        whole = make_batch(config, data, step)
        parts = [make_batch(config, data, step, rank, n_ranks) for rank in range(n_ranks)]
        for k in range(len(whole.images)):
            part = parts[k % n_ranks]
            assert torch.equal(part.images[k // n_ranks], whole.images[k])
            assert torch.equal(part.labels[k // n_ranks], whole.labels[k])
        assert sum(len(part.images) for part in parts) == len(whole.images)


@pytest.mark.parametrize("config", [PHOTOS, PICTURES], ids=["photos", "pictures"])
def test_a_batch_depends_on_seed_and_step_alone(config, data):
    first = make_batch(config, data, 4)
    make_batch(config, data, 9)
    assert torch.equal(make_batch(config, data, 4).images, first.images)
    assert not torch.equal(make_batch(config, data, 5).labels, first.labels)
    other = make_batch(replace(config, seed=1), data, 4)
    assert not torch.equal(other.labels, first.labels)


def test_a_batch_has_the_sizes_of_the_model(data):
    batch = make_batch(PHOTOS, data, 0)
    assert batch.images.shape == (5, 3, 32, 48) and batch.images.dtype == torch.float32
    assert batch.labels.shape == (5, 2, 16, 24) and batch.labels.dtype == torch.int64
    assert float(batch.images.min()) >= 0 and float(batch.images.max()) <= 1


def test_an_epoch_shows_every_picture_once_in_an_order_of_its_own():
    rng = np.random.default_rng(0)
    seen = [sample_index("epochs", 3, number, 7, rng) for number in range(21)]
    epochs = [seen[0:7], seen[7:14], seen[14:21]]
    assert all(sorted(epoch) == list(range(7)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]


def test_more_processes_than_samples_is_a_sentence(data):
    with pytest.raises(ValueError, match="process 6 of 7 has no part in a batch of 5"):
        make_batch(PHOTOS, data, 0, 6, 7)


def test_both_ways_of_drawing_ids_give_distinct_ones_of_their_range():
    numbers = np.repeat(np.array([0, 3, 5, 9], np.int32), 4)
    rng = np.random.default_rng(0)
    for n_shuffled, most in ((None, 15), (4, 4)):
        draws = np.array([draw_ids(numbers, 16, rng, n_shuffled)[::4] for _ in range(300)])
        assert (draws[:, 0] == 0).all()
        assert all(len(set(row)) == 4 for row in draws.tolist())
        assert set(draws[:, 1:].ravel().tolist()) == set(range(1, most + 1))


def test_segments_beyond_the_last_id_become_void_the_smallest_first(data):
    few = replace(PHOTOS.model, n_ids=2)
    batch = make_batch(replace(PHOTOS, model=few), data, 0)
    codes, ids = batch.labels[:, 0], batch.labels[:, 1]
    assert set(ids.unique().tolist()) == {0, 1}
    assert torch.equal(codes != 0, ids != 0)


def test_a_batch_is_pinned_whole(data, monkeypatch):
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda part: part + 1)
    batch = replace(make_batch(PHOTOS, data, 3), past=torch.zeros(1), skipped=("a",))
    pinned = batch.pin_memory()
    for name in ("images", "labels", "past"):
        assert torch.equal(getattr(pinned, name), getattr(batch, name) + 1)
    assert pinned.skipped == ("a",)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_batches_are_pinned_for_a_gpu_alone(data, device):
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("needs a GPU")
    batch = next(draw_batches(PHOTOS, data, 3, Processes(device=torch.device(device))))
    assert batch.images.is_pinned() == batch.labels.is_pinned() == (device == "cuda")
    assert torch.equal(batch.images, make_batch(PHOTOS, data, 3).images)
