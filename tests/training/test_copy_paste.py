"""Copy and paste: what is pasted is whole and real, and what it covers is gone."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.model.config import NUCLEI
from core.panoptic import Category
from training.augment import Augmentation, View
from training.batches import make_batch
from training.config import Crops, TrainConfig
from training.copy_paste import Pasting, paste_things
from training.data import PanopticDataset
from training.photo_views import PhotoAugmentation

IS_THING = np.array([False, True, True, False])  # void, two things, one stuff
SIZE = (6, 7)


def view_of(numbers: np.ndarray, grey: float) -> View:
    """Segments 1..4 are things of codes 1 and 2, 5 is stuff with a number, 6 stuff without."""
    codes = np.array([0, 1, 2, 1, 2, 3, 3])[numbers]
    image = np.full((*SIZE, 3), grey, np.float32)
    image[..., 0] += numbers / 100
    return View(
        image, np.stack([codes, np.where(numbers == 6, 0, numbers)], -1).astype(np.int32)
    )


maps = arrays(np.int64, SIZE, elements=st.integers(0, 6))


@given(maps, maps, st.floats(0, 1), st.integers(0, 99))
def test_every_pixel_is_the_views_or_a_thing_of_the_other(under, over, chance, seed) -> None:
    view, other = view_of(under, 0.2), view_of(over, 0.6)
    rng = np.random.default_rng(seed)
    result = paste_things(view, other, IS_THING, chance, rng)
    is_pasted = result.image[..., 1] == np.float32(0.6)
    assert np.array_equal(result.image[is_pasted], other.image[is_pasted])
    assert np.array_equal(result.image[~is_pasted], view.image[~is_pasted])
    assert np.array_equal(result.labels[~is_pasted], view.labels[~is_pasted])
    assert np.array_equal(result.labels[is_pasted][:, 0], other.labels[is_pasted][:, 0])
    assert IS_THING[other.labels[is_pasted][:, 0]].all()
    for number in np.unique(over):
        inside = is_pasted[over == number]
        assert inside.all() or not inside.any()


@given(maps, maps, st.integers(0, 99))
def test_numbers_tell_pasted_and_own_segments_apart(under, over, seed) -> None:
    view, other = view_of(under, 0.2), view_of(over, 0.6)
    result = paste_things(view, other, IS_THING, 0.5, np.random.default_rng(seed))
    is_pasted = result.image[..., 1] == np.float32(0.6)
    own = set(result.labels[~is_pasted][:, 1].tolist()) - {0}
    pasted = set(result.labels[is_pasted][:, 1].tolist())
    assert not own & pasted and 0 not in pasted
    pairs = {
        (int(a), int(b))
        for a, b in zip(result.labels[..., 1][is_pasted], over[is_pasted], strict=True)
    }
    assert len(pairs) == len(pasted) == len({b for _, b in pairs})


def test_a_covered_segment_is_gone_and_void_stays_void() -> None:
    under, over = np.zeros(SIZE, int), np.zeros(SIZE, int)
    under[2:4, 2:4], under[0, :] = 1, 3
    over[1:5, 1:5] = 2
    result = paste_things(
        view_of(under, 0.2), view_of(over, 0.6), IS_THING, 1.0, np.random.default_rng(0)
    )
    assert set(np.unique(result.labels[..., 1])) == {0, 3, 3 + 2}
    assert not result.labels[5].any() and not result.labels[1:, 5:].any()


def test_the_other_views_stuff_and_void_are_never_pasted() -> None:
    over = np.array([0, 5, 6] * 14).reshape(SIZE)
    view = view_of(np.ones(SIZE, int), 0.2)
    result = paste_things(view, view_of(over, 0.6), IS_THING, 1.0, np.random.default_rng(0))
    assert np.array_equal(result.labels, view.labels)
    assert np.array_equal(result.image, view.image)


CATEGORIES = (
    Category(1, "square", True, (220, 20, 60)),
    Category(2, "ground", False, (0, 20, 60)),
)
PHOTOS = TrainConfig(
    replace(
        NUCLEI, image_size=(64, 64), mask_size=(32, 32), is_stretched=False, has_stuff_ids=False
    ),
    augmentation=PhotoAugmentation((0.5, 1.5)),
    batch=8,
)


@pytest.fixture(scope="module")
def data() -> PanopticDataset:
    """Five pictures of a grey ground, each with one square of a grey of its own."""
    images, labels = [], []
    for k in range(5):
        image, label = np.full((64, 64, 3), 10, np.uint8), np.zeros((64, 64, 2), np.int32)
        label[..., 0] = 2
        place = slice(8 * k, 8 * k + 24)
        image[place, place], label[place, place] = 100 + 30 * k, (1, 1)
        images.append(image)
        labels.append(label)
    return PanopticDataset(CATEGORIES, [f"{k}.png" for k in range(5)], images, labels)


def test_without_pasting_the_batches_are_what_they_were(data) -> None:
    plain = make_batch(PHOTOS, data, 3)
    off = make_batch(replace(PHOTOS, pasting=Pasting(0.0, 1.0)), data, 3)
    assert torch.equal(plain.images, off.images) and torch.equal(plain.labels, off.labels)


def test_pasted_views_have_things_of_two_pictures_with_ids_of_their_own(data) -> None:
    config = replace(PHOTOS, pasting=Pasting(1.0, 1.0))
    n_ids = []
    for step in range(6):
        batch = make_batch(config, data, step)
        for codes, ids in batch.labels:
            assert torch.equal(codes == 1, ids > 0)
            n_ids.append(len(ids[ids > 0].unique()))
    assert set(n_ids) <= {0, 1, 2} and np.mean(np.array(n_ids) == 2) > 0.4


def test_pasting_depends_on_seed_and_step_alone(data) -> None:
    config = replace(PHOTOS, pasting=Pasting(0.5))
    whole = make_batch(config, data, 2)
    parts = [make_batch(config, data, 2, rank, 2) for rank in (0, 1)]
    for k in range(8):
        assert torch.equal(parts[k % 2].images[k // 2], whole.images[k])
        assert torch.equal(parts[k % 2].labels[k // 2], whole.labels[k])


@pytest.mark.parametrize("wrong", [{"share": 1.5}, {"share": -0.1}, {"things": 2.0}])
def test_an_impossible_pasting_is_refused(wrong) -> None:
    with pytest.raises(ValueError, match="cannot be"):
        Pasting(**wrong)


def test_pasting_is_for_photographs() -> None:
    with pytest.raises(ValueError, match="pasting needs"):
        replace(
            PHOTOS, pasting=Pasting(0.5), augmentation=Augmentation(), crops=(Crops(64, 4),)
        )
    with pytest.raises(ValueError, match="pasting needs"):
        replace(
            PHOTOS,
            pasting=Pasting(0.5),
            model=replace(PHOTOS.model, past_frames=1, place_cell=0),
        )


def test_a_configuration_with_pasting_survives_its_file() -> None:
    config = replace(PHOTOS, pasting=Pasting(0.25, 0.75))
    assert TrainConfig.from_json(config.to_json()) == config
