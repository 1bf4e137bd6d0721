"""A training run of seconds; as a program, one process of it under torchrun.

Each process notes its steps, with the pictures that it trained on, in a file of its own.
"""

import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from core.errors import ImageError
from core.model.config import ModelConfig
from core.panoptic import Category
from training.config import TrainConfig
from training.data import PanopticDataset
from training.photo_views import PhotoAugmentation
from training.processes import Processes, join_processes
from training.stopping import StopSignals
from training.train import train

SQUARE = Category(1, "square", True, (220, 20, 60))
MODEL = ModelConfig(
    image_size=(32, 32),
    mask_size=(16, 16),
    resnet_stem_width=8,
    resnet_widths=(8, 8, 8),
    resnet_blocks=(1, 1, 1),
    resnet_norm="group",
    encoder_width=16,
    encoder_layers=1,
    encoder_heads=2,
    encoder_dropout=0.0,
    encoder_drop_path=0.0,
    merge_width=16,
    decoder_width=16,
    channel_multipliers=(1, 1),
    residual_blocks=(1, 1),
    transformer_width=16,
    transformer_layers=1,
    transformer_head_width=8,
    semantic_bits=2,
    instance_bits=4,
    n_codes=2,
    n_ids=16,
)
PLAIN = TrainConfig(
    MODEL,
    augmentation=PhotoAugmentation((1.0, 2.0)),
    batch=4,
    steps=5,
    eps_scope="uncorrected",
    checkpoint_seconds=0,
)
CONFIGS = {
    "plain": PLAIN,
    "batch-norm": replace(PLAIN, model=replace(MODEL, resnet_norm="batch")),
    "uneven": replace(PLAIN, batch=5, accumulation=5, times="stratified", noise_draws=2),
    "decoder": replace(PLAIN, model=replace(MODEL, conditioning="none")),
    "dropout": replace(PLAIN, model=replace(MODEL, encoder_dropout=0.2, encoder_drop_path=0.2)),
    "damaged": PLAIN,
    "frozen": replace(PLAIN, model=replace(MODEL, resnet_norm="batch"), trunk_rate=0.0),
    "estimating": replace(PLAIN, model=replace(MODEL, self_condition="x0")),
    "recomputed": replace(
        PLAIN, model=replace(MODEL, resnet_norm="batch"), is_checkpointed=True
    ),
    "compiled": replace(PLAIN, is_compiled=True),
    "long": replace(PLAIN, steps=21),
    "endless": replace(PLAIN, steps=100_000),
}


class Pictures(PanopticDataset):
    """Fourteen pictures of different greys with two squares, which know when they are seen."""

    def __init__(self) -> None:
        images, labels = [], []
        for k in range(14):
            image = np.full((40, 60, 3), 10 * k, np.uint8)
            label = np.zeros((40, 60, 2), np.int32)
            for number, left in enumerate((4, 34), start=1):
                image[8:30, left : left + 20] = 250
                label[8:30, left : left + 20] = (1, number)
            images.append(image)
            labels.append(label)
        super().__init__([SQUARE], [f"{k}.png" for k in range(14)], images, labels)
        self.seen: list[int] = []

    def view(self, index, config):
        self.seen.append(int(index))
        return super().view(index, config)


class Damaged(Pictures):
    """The same, of which one cannot be read."""

    def view(self, index, config):
        if index == 5:
            raise ImageError("5.png is damaged; copy it again.")
        return super().view(index, config)


def run(names: str, out: Path, pause_s: float = 0.0) -> None:
    """Train some of CONFIGS from their last checkpoint on, pausing after every step."""
    torch.set_num_threads(1)
    with join_processes(torch.device("cpu")) as processes:
        for name in names.split(","):
            run_one(processes, name, out / name, pause_s)


def run_one(processes: Processes, name: str, out: Path, pause_s: float) -> None:
    data = Damaged() if name == "damaged" else Pictures()
    out.mkdir(parents=True, exist_ok=True)
    with (
        StopSignals(is_told=processes.is_first) as signals,
        (out / f"rank{processes.rank}.jsonl").open("a") as notes,
    ):
        print(json.dumps({"pid": os.getpid()}), file=notes, flush=True)
        steps = train(CONFIGS[name], data, out, processes, should_stop=signals.has_come)
        for step in steps:
            line = {
                "step": step.step,
                "loss": step.loss,
                "pictures": data.seen,
                "notice": step.notice,
                "skipped": step.skipped,
            }
            print(json.dumps(line), file=notes, flush=True)
            data.seen = []
            time.sleep(pause_s)


def read_notes(out: Path, rank: int) -> list[dict]:
    """Whole lines that a process has written so far."""
    path = out / f"rank{rank}.jsonl"
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line[-1] == "\n"]


if __name__ == "__main__":
    run(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]) if len(sys.argv) > 3 else 0.0)
