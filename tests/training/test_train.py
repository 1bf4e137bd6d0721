"""Training: it learns, a resumed run equals an unbroken one, and formulas have their values."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.errors import CheckpointError
from core.model.config import NUCLEI, ModelConfig
from core.panoptic import Category
from training.augment import Augmentation, View, draw_ids, random_view, shrink_labels
from training.config import Crops, TrainConfig
from training.data import PanopticDataset
from training.loss import diffusion_loss, loss_weights, stratified_times
from training.recipes import RECIPES
from training.sources import open_data
from training.stepper import BatchLoss, Stepper, draw_noise, new_state, set_rates
from training.train import load_average, train

CATEGORIES = (
    Category(1, "nucleus", True, (220, 20, 60)),
    Category(2, "background", False, (60, 60, 60)),
)
CONFIG = TrainConfig(
    model=replace(
        NUCLEI, decoder_width=16, transformer_layers=1, transformer_width=64, encoder_layers=1
    ),
    augmentation=Augmentation(),
    crops=(Crops(32, 2),),
    order="draws",
    steps=6,
    warmup_steps=1,
    checkpoint_seconds=0,
)


@pytest.fixture
def data() -> PanopticDataset:
    """Two pictures with a bright square each, which is a nucleus."""
    images, labels = [], []
    for top in (4, 16):
        image = np.full((40, 48, 3), 20, np.uint8)
        label = np.zeros((40, 48, 2), np.int32)
        label[..., 0] = 2
        image[top : top + 16, 8:24] = 200
        label[top : top + 16, 8:24] = (1, 1)
        images.append(image)
        labels.append(label)
    return PanopticDataset(CATEGORIES, ["a.png", "b.png"], images, labels)


def test_the_loss_of_one_batch_falls_when_it_is_trained_on(data):
    config = replace(CONFIG, learning_rate=3e-3)
    state = new_state(config)
    batch = data.draw_batch(
        config.model, Augmentation(), size=32, batch=4, rng=np.random.default_rng(0)
    )

    noise = draw_noise(config, 99, torch.arange(4), 4, (16, 16))
    batch_loss = BatchLoss(config, state.model)

    def loss() -> float:
        return float(batch_loss(batch.images, batch.labels, None, *noise).detach())

    before, stepper = loss(), Stepper(config, state)
    for step in range(25):
        set_rates(replace(config, warmup_steps=0, end_factor=1.0), state.optimizer, step)
        stepper.step(batch)
    assert state.step == 25 and loss() < 0.9 * before


def test_a_resumed_run_equals_an_unbroken_one_bit_for_bit(data, tmp_path):
    whole = [step.loss for step in train(CONFIG, data, tmp_path / "whole")]
    broken = train(CONFIG, data, tmp_path / "broken")
    first = [next(broken).loss for _ in range(3)]
    broken.close()
    rest = [step.loss for step in train(CONFIG, data, tmp_path / "broken")]
    assert first + rest == whole and len(rest) == 3
    unbroken = load_average(CONFIG, tmp_path / "whole" / "state.safetensors").state_dict()
    resumed = load_average(CONFIG, tmp_path / "broken" / "state.safetensors").state_dict()
    assert all(torch.equal(unbroken[name], resumed[name]) for name in unbroken)


def test_a_checkpoint_of_another_run_is_refused(data, tmp_path):
    list(train(replace(CONFIG, steps=1), data, tmp_path))
    with pytest.raises(CheckpointError, match="settings: steps is 2 instead of 1"):
        next(train(replace(CONFIG, steps=2), data, tmp_path))


def test_no_pictures_is_a_sentence(tmp_path):
    with pytest.raises(ValueError, match="no pictures to train on"):
        next(train(CONFIG, PanopticDataset(CATEGORIES, [], [], []), tmp_path))


def test_learning_rate_warms_up_and_falls_linearly():
    config = TrainConfig(
        ModelConfig(), steps=184_824, learning_rate=1e-4, warmup_steps=1_155, end_factor=0.1
    )
    rates = [config.learning_rate_at(step) for step in (0, 100, 1_155, 50_000, 184_824)]
    assert rates == pytest.approx([0, 8.658009e-06, 1e-4, 7.606537e-05, 1e-5], abs=1e-10)


@pytest.mark.parametrize(
    ("power", "expected"),
    [
        (0.0, [1, 1, 1, 1]),
        (0.2, [0.941786, 1.007344, 1.053318, 1.053318]),
        (0.5, [0.856984, 1.013998, 1.133684, 1.133684]),
        (1.0, [0.723982, 1.013575, 1.266968, 1.266968]),
    ],
)
def test_loss_weights_have_the_specified_values(power, expected):
    ids = torch.tensor([[[0, 0, 0, 0], [0, 1, 1, 0], [2, 1, 1, 3], [2, 2, 3, 3]]])
    weights = loss_weights(ids, 101, power)[0]
    found = [float(weights[ids[0] == k][0]) for k in range(4)]
    assert found == pytest.approx(expected, abs=2e-6)


def test_ids_out_of_range_weigh_nothing():
    ids = torch.tensor([[[0, 0, 0, 0], [0, 1, 1, 0], [2, 1, 1, 3], [2, 2, 3, 3]]])
    weights = loss_weights(ids, 3, 0.2)[0]
    found = [float(weights[ids[0] == k][0]) for k in range(4)]
    assert found == pytest.approx([1.173561, 1.255253, 1.312542, 0], abs=2e-6)


def test_cross_entropy_over_codes_has_the_specified_value():
    config = ModelConfig(semantic_bits=2, instance_bits=2, n_codes=4, n_ids=4)
    logits = torch.tensor(
        [[[0, 1, 2, -1], [0.5, 0.5, -0.5, 0]], [[2, 0, 0, 1.9], [1, 1, 1, 1]]]
    )  # [pixel, group, code]
    out = logits.reshape(2, 8).T.reshape(1, 8, 1, 2)
    x0 = torch.tensor([[-1, 1, 1, -1], [-1, -1, 1, 1]]).T.reshape(1, 4, 1, 2) * 0.1
    weights = torch.tensor([[[1.5, 0.5]]])
    loss = diffusion_loss(config, out, x0, x0, torch.zeros(1), (weights, weights))
    assert float(loss) == pytest.approx(0.844283, abs=2e-6)


def test_times_are_one_from_each_part():
    times = stratified_times(8, torch.Generator().manual_seed(0))
    assert sorted((times * 8).long().tolist()) == list(range(8))


def test_ids_are_distinct_and_the_smallest_segments_go_without_when_ids_run_out():
    numbers = np.array([[1, 1, 1, 2, 2, 3, 0]], np.int32)
    rng = np.random.default_rng(0)
    ids = draw_ids(numbers, 3, rng)[0]
    assert sorted({ids[0], ids[3]}) == [1, 2] and ids[5] == 0 and ids[6] == 0
    drawn = {int(draw_ids(numbers, 256, rng)[0, 0]) for _ in range(50)}
    assert len(drawn) > 30 and 0 not in drawn


def test_a_view_moves_picture_and_labels_together():
    labels = np.arange(30 * 40, dtype=np.int32).reshape(30, 40, 1).repeat(2, 2)
    view = View((labels[..., :1] / 1200).astype(np.float32).repeat(3, 2), labels)
    plain = Augmentation(scale=(1, 1), gamma=(1, 1), gain=(1, 1))
    for seed in range(8):
        drawn = random_view(view, 24, plain, np.random.default_rng(seed))
        assert drawn.image.shape == (24, 24, 3) and drawn.image.dtype == np.float32
        assert np.allclose(drawn.image[..., 0] * 1200, drawn.labels[..., 0], atol=1e-3)


def test_halving_labels_takes_the_odd_pixels():
    labels = np.arange(8, dtype=np.int32).reshape(1, 8, 1).repeat(4, 0)
    assert shrink_labels(labels, 2)[0, :, 0].tolist() == [1, 3, 5, 7]


def test_real_nuclei_are_read_with_things_numbered_and_stuff_at_zero(shared_dir):
    path = shared_dir / "data/nuclei/val/panoptic_val.json"
    data = open_data(path, RECIPES["nuclei"].config)
    view = data.view(0, NUCLEI)
    things = view.labels[..., 0] == 1
    assert len(data) == 97 and things.any()
    assert (view.labels[things][:, 1] > 0).all() and (view.labels[~things][:, 1] == 0).all()
    assert view.image.max() == 1 and view.image.min() == 0


def test_the_nuclei_recipe_begins_as_it_always_has(shared_dir, tmp_path):
    """Recorded when votes for middles joined the loss."""
    path = shared_dir / "data/nuclei/val/panoptic_val.json"
    data = open_data(path, RECIPES["nuclei"].config)
    steps = train(RECIPES["nuclei"].config, data, tmp_path)
    losses = [next(steps).loss for _ in range(3)]
    assert losses == pytest.approx([0.639186, 0.746419, 0.585569], rel=1e-4)
