"""Experiments: runs differ in one thing, are done once, and the page claims what it can."""

from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from benchmarks.experiments import (
    EXPERIMENTS,
    SEEDS,
    USUAL_WAY,
    Cell,
    ExpectedBits,
    Picture,
    Results,
    SquaredStepper,
    base_config,
    configure,
    plan_runs,
    run_all,
)
from benchmarks.experiments_page import (
    SWEEPS,
    USUAL,
    Summary,
    judge,
    make_table,
    summarise,
    write_page,
)
from core.panoptic import Category
from training.batches import make_batch
from training.config import Crops
from training.data import PanopticDataset
from training.state import differences
from training.stepper import Stepper, new_state

CATEGORIES = (
    Category(1, "nucleus", True, (220, 20, 60)),
    Category(2, "background", False, (60, 60, 60)),
)
MADE = {"minutes": 0.002, "machine": "a machine", "torch": "2", "commit": "abc"}
SCALE, LOSS, WEIGHT, *_ = SWEEPS


@pytest.fixture
def base():
    config = base_config()
    model = replace(
        config.model,
        image_size=(32, 32),
        mask_size=(16, 16),
        encoder_layers=1,
        transformer_layers=1,
        channel_multipliers=(1, 1),
        residual_blocks=(1, 1),
    )
    return replace(config, model=model, crops=(Crops(32, 1),))


@pytest.fixture
def pictures():
    ids = np.zeros((32, 32), np.int32)
    ids[4:14, 4:14], ids[18:30, 16:30] = 1, 2
    image = np.where(ids[..., None] > 0, 200, 10).repeat(3, 2).astype(np.uint8)
    labels = np.stack([np.where(ids > 0, 1, 2), ids], -1).astype(np.int32)
    return PanopticDataset(CATEGORIES, ["a.png"], [image], [labels]), [Picture(image, ids)]


def test_each_run_differs_from_the_usual_one_in_what_it_is_about():
    usual = configure(base_config(), Cell(), 0)
    for name, field in (("b", "model.b"), ("p", "model.loss_power")):
        for cell in EXPERIMENTS[name]:
            found = list(differences(usual, configure(base_config(), cell, 0)))
            assert all(sentence.startswith(field) for sentence in found)
            assert len(found) == (cell != Cell())
    plain = configure(base_config(), Cell(is_plain=True), 0).model
    assert (plain.evidence_dilations, plain.prediction, plain.b) == ((), "x_softmax_xent", 0.1)


def test_shared_runs_are_planned_once_and_every_seed_is_finished_before_the_next():
    runs = list(plan_runs())
    assert len(runs) == len(set(runs)) == 9 * len(SEEDS) + 1
    assert [seed for _, seed in runs] == sorted(seed for _, seed in runs)


def test_l2_compares_the_bits_that_the_sampler_takes_and_reaches_the_evidence(base, pictures):
    state = new_state(base)
    network = ExpectedBits(state.model)
    encoding = network.encode(torch.rand(1, 3, 32, 32))
    x_t, gamma = torch.randn(1, 10, 16, 16), torch.tensor([0.5])
    inputs = (x_t, gamma, encoding, network.given(encoding))
    torch.testing.assert_close(network.logits(*inputs), state.model.predict(*inputs))
    stepper = SquaredStepper(base, state)
    gates = next(p for n, p in state.model.named_parameters() if "gates.weight" in n)
    before = gates.detach().clone()
    losses = []
    for step in range(2):
        for group in state.optimizer.param_groups:
            group["lr"] = 1e-3
        losses.append(stepper.step(make_batch(base, pictures[0], step))[0])
    assert 0 < losses[0] < 4 * base.model.b**2 and not torch.equal(gates, before)
    entropy, _ = Stepper(base, new_state(base)).step(make_batch(base, pictures[0], 0))
    assert entropy != pytest.approx(losses[0])


def test_finished_runs_are_left_alone_and_unfinished_ones_go_on(tmp_path, base, pictures):
    runs = [(Cell(b=0.1), 0), (Cell(is_l2=True), 1)]
    path = tmp_path / "results.jsonl"
    run_all(base, runs[:1], *pictures, Results(path), MADE)
    weights = tmp_path / "b0.1-p0.4-ce-seed0" / "weights.safetensors"
    written = weights.stat().st_mtime_ns
    run_all(base, runs, *pictures, Results(path), MADE)
    assert weights.stat().st_mtime_ns == written
    lines = Results(path).lines
    assert [(line["run"], line["seed"]) for line in lines] == [
        ("b0.1-p0.4-ce", 0),
        ("b0.5-p0.4-l2", 1),
    ]
    assert all(line["train_cpu_s"] >= 0.1 and line["train_steps"] > 0 for line in lines)
    assert all(0 <= line["pq"] <= 1 and line["pictures"] == 1 for line in lines)
    assert not list(tmp_path.rglob("state.safetensors"))
    path.unlink()
    run_all(base, runs[:1], *pictures, Results(path), MADE)
    assert weights.stat().st_mtime_ns == written and len(Results(path).lines) == 1


def test_weights_of_other_minutes_are_refused(tmp_path, base, pictures):
    runs = [(Cell(b=0.1), 0)]
    run_all(base, runs, *pictures, Results(tmp_path / "a.jsonl"), MADE)
    with pytest.raises(ValueError, match=r"trained for 0\.002 minutes"):
        run_all(base, runs, *pictures, Results(tmp_path / "b.jsonl"), MADE | {"minutes": 1})


def result(pq, seed=0, **changes):
    line = {**USUAL, "run": str(changes), "seed": seed, "pq_split": pq, "pq": pq / 2}
    return line | MADE | {"train_steps": 9, "pictures": 12} | changes


def test_the_usual_way_of_the_page_is_that_of_the_runs():
    steps, td = USUAL_WAY
    assert {**asdict(Cell()), "steps": steps, "td": td} == USUAL


def test_a_cell_is_mean_and_deviation_over_the_seeds_that_are_finished():
    results = [result(0.2), result(0.4, 1), result(0.1, b=0.1), result(0.9, steps=5)]
    found = summarise(results, SCALE)
    assert found[0.5] == Summary(pytest.approx(30), pytest.approx(200**0.5), 2)
    assert str(found[0.5]) == "30.0 ± 14.1" and str(found[0.1]) == "10.0"
    assert list(found) == [0.1, 0.5]
    table = make_table(results, SCALE)
    assert "| 0.1 | 10.0 | 5.0 | 1 | 43.9 |" in table
    assert "| 0.3 |  |  | 0 | 38.7 |" in table


def test_an_order_is_claimed_only_beyond_chance():
    def found(one, other):
        results = [result(v, k) for k, v in enumerate(one)]
        return summarise(
            results + [result(v, k, is_l2=True) for k, v in enumerate(other)], LOSS
        )

    assert "1 are in its order" in judge(LOSS, found([0.50, 0.52], [0.30, 0.32]))
    assert "1 in the reverse" in judge(LOSS, found([0.30, 0.32], [0.50, 0.52]))
    assert "for 1 the difference is below" in judge(LOSS, found([0.30, 0.50], [0.35, 0.50]))
    alone = judge(LOSS, found([0.5], [0.1]))
    assert "for 1 the difference is below" in alone and "not told apart from it: L2" in alone
    assert judge(WEIGHT, {}) == "Nothing is finished yet."


def test_the_page_is_written_of_what_is_finished(tmp_path):
    write_page(tmp_path, [result(0.2), result(0.3, 1), result(0.1, p=0.0)])
    text = (tmp_path / "experiments.md").read_text()
    assert "Not run yet." in text and "0.002 CPU minutes" in text and "commit abc" in text
    assert text.count("25.0 ± 7.1") >= 5
    assert (tmp_path / "images" / "experiments.svg").read_text().count("<text") > 10
    with pytest.raises(ValueError, match="no run is finished"):
        write_page(tmp_path, [])


def test_remarks_on_the_page_outlive_new_results(tmp_path):
    write_page(tmp_path, [result(0.2)])
    page = tmp_path / "experiments.md"
    page.write_text(page.read_text() + "## What differs from the paper\n\nMuch.\n")
    write_page(tmp_path, [result(0.2), result(0.3, 1)])
    assert page.read_text().endswith("## What differs from the paper\n\nMuch.\n")
    assert "25.0 ± 7.1" in page.read_text()


def test_the_loads_of_a_machine_are_told_as_a_range(tmp_path):
    loads = ("0.5 at the start", "2.5 at the start", "1 at the start")
    write_page(
        tmp_path,
        [
            result(0.2, k) | {"machine": f"A, 2 cores, load {load}"}
            for k, load in enumerate(loads)
        ],
    )
    assert (
        "A, 2 cores, load 0.5 to 2.5 at the start." in (tmp_path / "experiments.md").read_text()
    )
