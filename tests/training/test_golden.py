"""Loss, weights, rates and gradients agree with the authors' code."""

import json
import tarfile
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from core.model.checkpoint import load_checkpoint
from core.model.config import COCO
from core.model.diffusion import add_noise
from core.model.foreign_config import read_config
from core.model.foreign_names import LEAVES, from_tensorflow, tensorflow_modules
from core.model.import_weights import import_weights
from training.config import TrainConfig
from training.loss import diffusion_loss, group_weights, loss_weights
from training.stepper import update_average

SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"
IDS = torch.tensor([[[0, 0, 0, 0], [0, 1, 1, 0], [2, 1, 1, 3], [2, 2, 3, 3]]])


@pytest.mark.parametrize(
    ("power", "n_ids", "weights"),
    [
        (0.0, 101, [1, 1, 1, 1]),
        (0.2, 101, [0.941786, 1.007344, 1.053318, 1.053318]),
        (0.5, 101, [0.856984, 1.013998, 1.133684, 1.133684]),
        (1.0, 101, [0.723982, 1.013575, 1.266968, 1.266968]),
        (0.2, 3, [1.173561, 1.255253, 1.312542, 0]),
    ],
)
def test_small_segments_weigh_more(power, n_ids, weights) -> None:
    found = loss_weights(IDS, n_ids, power)
    for segment_id, weight in enumerate(weights):
        assert found[segment_id == IDS].tolist() == pytest.approx(
            [weight] * int((segment_id == IDS).sum()), abs=2e-6
        )
    assert found.sum().item() == pytest.approx(16, abs=1e-5)


@pytest.mark.parametrize("power", ["0", "0.2", "0.5", "1"])
def test_recorded_weights(shared_dir, power) -> None:
    tasks = np.load(shared_dir / "golden" / "tasks.npz")
    ids = torch.from_numpy(tasks["weight/id_map"])
    found = loss_weights(ids, 101, float(power))
    assert np.allclose(found[:1], tasks[f"weight/p{power}"], atol=2e-6)
    if power == "0.2":
        assert np.allclose(found[1:], tasks["weight/p0.2_out_of_range"], atol=2e-6)


def test_cross_entropy_of_two_groups() -> None:
    first = [0, 1, 2, -1, 0.5, 0.5, -0.5, 0]
    second = [2, 0, 0, 1.9, 1, 1, 1, 1]
    logits = torch.tensor([first, second]).T.view(1, 8, 1, 2)
    bits = torch.tensor([[0, 1, 1, 0], [0, 0, 1, 1]]).T.view(1, 4, 1, 2)  # 2, 1 and 0, 3
    x0, weights = (2.0 * bits - 1) * 0.1, torch.tensor([[[1.5, 0.5]]])
    config = replace(COCO, semantic_bits=2, instance_bits=2, n_codes=4, n_ids=4)
    loss = diffusion_loss(config, logits, x0, x0, torch.zeros(1), (weights, weights))
    assert loss.item() == pytest.approx(0.844283, abs=2e-6)


def test_each_group_of_bits_has_its_own_cross_entropy() -> None:
    config = replace(COCO, softmax_groups=(4, 4, 8), semantic_loss_power=0.0)
    bits = torch.randint(0, 2, (2, 16, 3, 5))
    x0, flat = (2.0 * bits - 1) * 0.1, torch.zeros(2, config.out_width, 3, 5)
    ones, twos = torch.ones(2, 3, 5), torch.full((2, 3, 5), 2.0)
    loss = diffusion_loss(config, flat, x0, x0, torch.zeros(2), (ones, twos))
    assert loss.item() == pytest.approx((4 + 4 + 2 * 8) * np.log(2) / 3)


def test_learning_rate_rises_and_falls_linearly() -> None:
    config = TrainConfig(
        COCO, steps=184_824, learning_rate=1e-4, warmup_steps=1_155, end_factor=0.1
    )
    rates = [config.learning_rate_at(step) for step in (0, 100, 1_155, 50_000, 184_824)]
    assert rates == pytest.approx([0, 8.658009e-06, 1e-4, 7.606537e-05, 1e-5], rel=1e-6)


def test_the_average_follows_the_weights() -> None:
    average, model = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)
    torch.nn.init.zeros_(average.weight)
    torch.nn.init.ones_(model.weight)
    for _ in range(3):
        update_average(average, model, 0.999)
    assert average.weight.item() == pytest.approx(0.002997, abs=1e-6)


@pytest.fixture(scope="module")
def trained(shared_dir, tmp_path_factory):
    """The recorded network with its live weights, after one forward and backward pass."""
    folder = tmp_path_factory.mktemp("golden")
    _unpack(shared_dir / "golden" / "checkpoint.tar.gz", folder)
    config = read_config(str(shared_dir / "golden" / "config.json"))
    out = folder / "m.safetensors"
    import_weights(folder / "checkpoint", out, config, use_average=False)
    model = load_checkpoint(out, "cpu")[0].train()
    inputs = np.load(shared_dir / "golden" / "inputs.npz")

    def tensor(name: str) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(np.moveaxis(inputs[name], -1, 1)))

    t, x0, eps = torch.from_numpy(inputs["t_train"]), tensor("mask_bits"), tensor("noise")
    schedule = config.train_schedule
    encoding = model.encode(tensor("images"))
    x_t = add_noise(x0, eps, t, schedule)
    out = model.logits(x_t, schedule.gamma(t), encoding, model.given(encoding))
    weights = group_weights(config, tensor("label_map")[:, 1].long())
    loss = diffusion_loss(config, out, x0, eps, t, weights)
    loss.backward()
    return model, encoding, x_t, out.detach(), loss.detach()


def _unpack(archive, folder) -> None:
    with tarfile.open(archive) as file:
        file.extractall(folder, filter="data")


def test_recorded_training_pass(trained, shared_dir) -> None:
    model, encoding, x_t, out, loss = trained
    recorded = np.load(shared_dir / "golden" / "train.npz")
    inputs = np.load(shared_dir / "golden" / "inputs.npz")
    labels = torch.from_numpy(inputs["label_map"]).long()
    entropy = [
        F.cross_entropy(z, labels[..., channel], reduction="none")
        for channel, z in enumerate(out.split(256, 1))
    ]
    found = {
        "encoded": (encoding.tokens, 1e-4),
        "encoded_cat": (encoding.fmap.permute(0, 2, 3, 1), 1e-4),
        "xt": (x_t.permute(0, 2, 3, 1), 2e-6),
        "loss_map": (torch.stack(entropy, -1), 5e-4),
    }
    for name, (value, largest) in found.items():
        wanted = recorded[f"forward/{name}"]
        assert np.abs(value.detach().numpy() - wanted).max() < largest, name
    assert loss.item() == pytest.approx(float(recorded["forward/loss"]), rel=1e-5)
    norm = torch.stack([p.grad.norm() for p in model.parameters() if p.grad is not None]).norm()
    assert norm.item() == pytest.approx(float(recorded["forward/grad_global_norm"]), rel=1e-5)


def test_recorded_gradients(trained, shared_dir) -> None:
    """To a thousandth of each tensor's largest; those of key biases are 0 but for rounding."""
    model, *_ = trained
    recorded = np.load(shared_dir / "golden" / "grads.npz")
    index = json.loads((shared_dir / "golden" / "checkpoint_index.json").read_text())
    checked, worst = 0, 0.0
    for module, stem in tensorflow_modules(model.config):
        for leaf, our_leaf in LEAVES.items():
            about = index.get(f"model/{stem}/{leaf}{SUFFIX}")
            if about is None or about["name"] not in recorded.files:
                continue
            if stem.endswith("_key_dense") and leaf == "bias":
                continue
            wanted = from_tensorflow(stem, leaf, recorded[about["name"]])
            found = getattr(model.get_submodule(module), our_leaf).grad.numpy()
            worst = max(worst, float(np.abs(found - wanted).max() / np.abs(wanted).max()))
            checked += 1
    n_key_biases = sum(name.endswith("key/bias") for name in recorded.files)
    assert checked == len(recorded.files) - n_key_biases > 400
    assert worst < 1e-3
