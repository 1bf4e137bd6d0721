"""Speed of training and of inference on this machine, beside what the machine can do at most.

    python -m benchmarks.model_speed [--threads 1] [--recipes nuclei coco-256]

All times are process times, so that other programs matter little; a machine's limits, a large
matrix product and a large convolution, are measured between them. Recipes for a CPU are timed
as they are; those of the paper at full size with a batch of one, in float32. The pictures are
drawn and written to files; as in a run, they are read once where memory has room for them.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode, conv_flop_count

from benchmarks.report import print_conditions, print_report
from core.coco import CocoItem, write_coco
from core.model.checkpoint import lay_out
from core.model.config import COCO, ModelConfig
from core.model.pix2seq_d import Pix2SeqD
from core.panoptic import Category, PanopticMap, Segment, Source
from training.batches import make_batch
from training.config import TrainConfig
from training.data import PanopticDataset
from training.recipes import RECIPES
from training.sources import open_data
from training.state import TrainState
from training.stepper import Stepper, new_state
from training.train import count_samples

GIGA: Final = 1e9
N_TIMES: Final = 5
N_STEPS: Final = 3  # timed training steps, after one that warms up
N_PICTURES: Final = 8
CATEGORIES = (
    Category(1, "disc", is_thing=True, color=(220, 20, 60)),
    Category(2, "ground", is_thing=False, color=(60, 60, 60)),
)
# CPU seconds of the authors' TensorFlow code on a machine with two cores, full-size network,
# batch 1, image 256 and map 128: ../shared/golden/README.md.
AUTHORS: Final = {
    "ResNet and transformer": 0.55,
    "the same and the merge": 0.92,
    "one denoising step": 1.42,
    "forward and backward": 8.4,
}
GRID: Final = 128  # side of the map of the decoder's goals
PHASES: Final = ("data", "forward", "backward", "optimizer")
COLUMNS: Final = ("data", "fwd", "bwd", "opt")


def count_nnpack(
    x: Sequence[int], weight: Sequence[int], *_others: object, out_shape: Sequence[int]
) -> int:
    """Operations of the plain convolution that NNPACK replaces, from shapes; it takes fewer."""
    return conv_flop_count(list(x), list(weight), list(out_shape))


COUNTING: Final = {torch.ops.aten._nnpack_spatial_convolution: count_nnpack}  # noqa: SLF001 - as in core.model.convolution


@dataclass(frozen=True, slots=True)
class Timed:
    """CPU seconds of one call, and what it computes, by plain convolutions."""

    seconds: float
    flop: float

    @property
    def rate(self) -> float:
        """GFLOP a second."""
        return self.flop / self.seconds / GIGA


class Limits:
    """What the processor reached so far, in GFLOP a second; measured again between others."""

    def __init__(self) -> None:
        self.product, self.convolution = 0.0, 0.0

    @torch.inference_mode()
    def measure(self) -> None:
        """The best of a few products of 2048 squared and of convolutions on large maps."""
        a, b = torch.randn(2048, 2048), torch.randn(2048, 2048)
        self.product = max(self.product, time_call(lambda: a @ b, min).rate)
        conv = torch.nn.Conv2d(256, 256, 3, padding=1)
        x = torch.randn(1, 256, 64, 64)
        for kind in (torch.contiguous_format, torch.channels_last):
            ours, theirs = x.to(memory_format=kind), conv.to(memory_format=kind)
            timed = time_call(lambda: theirs(ours), min)  # noqa: B023 - called at once
            self.convolution = max(self.convolution, timed.rate)


def time_call(
    call: Callable[[], object],
    choose: Callable[[Sequence[float]], float] = statistics.median,
) -> Timed:
    """CPU seconds of a call, after one that counts its operations and warms up."""
    with FlopCounterMode(display=False, custom_mapping=COUNTING) as counter:
        call()
    times = []
    for _ in range(N_TIMES):
        began = time.process_time()
        call()
        times.append(time.process_time() - began)
    return Timed(choose(times), counter.get_total_flops())


def main() -> int:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    small = [name for name, recipe in RECIPES.items() if is_small(recipe.config.model)]
    parser.add_argument(
        "--recipes", nargs="+", choices=RECIPES, default=[*small, "coco-256"], metavar="NAME"
    )
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    cv2.setNumThreads(1)
    print_conditions()
    limits = Limits()
    networks, runs = {}, {}
    for name in arguments.recipes:
        limits.measure()
        networks[name] = time_network(RECIPES[name].config.model)
        runs[name] = time_training(name)
    limits.measure()
    report_limits(limits)
    report_networks(networks, limits)
    report_training(runs, limits)
    if "coco-256" in networks:
        report_authors(networks["coco-256"], runs["coco-256"])
    return 0


def is_small(config: ModelConfig) -> bool:
    """Whether a network is made for processors and not the paper's."""
    return config.decoder_width < COCO.decoder_width


@dataclass(frozen=True, slots=True)
class NetworkTimes:
    """CPU seconds of the parts of a network for one picture.

    Attributes:
        trunk: ResNet and transformer; encoder: the same and the merge.
        decoder: the decoder's body on a map of 128 squared, without its head.
        step: all of a denoising step.
    """

    trunk: Timed
    encoder: Timed
    decoder: Timed
    step: Timed


@torch.inference_mode()
def time_network(config: ModelConfig) -> NetworkTimes:
    """A network with fresh weights on a picture whose map is 128 squared."""
    model = lay_out(Pix2SeqD(config).init_weights().eval())  # as when a file is loaded
    image = torch.rand(1, 3, GRID * config.stride, GRID * config.stride)
    encoding = model.encode(image)
    x_t, gamma = torch.randn(1, config.n_bits, GRID, GRID), torch.rand(1)
    given, encoder = model.given(encoding), model.encoder
    tokens = None if config.conditioning == "none" else encoding.tokens
    arguments = (x_t, gamma, given, tokens)
    return NetworkTimes(
        time_call(lambda: encoder.encode_tokens(encoder.trunk(image))),
        time_call(lambda: model.encode(image)),
        time_call(lambda: model.decoder.features(*arguments)),
        time_call(lambda: model.decoder.predict(*arguments)),
    )


@dataclass(frozen=True, slots=True)
class RunTimes:
    """CPU seconds of training steps.

    Attributes:
        phases: of each of a few steps, in the order of PHASES.
        images: views a step; flop: of one, counted forwards and backwards.
    """

    phases: list[list[float]]
    images: float
    flop: float


def time_training(name: str) -> RunTimes:
    """A few steps of a recipe on pictures that it has seen before."""
    config = replace(RECIPES[name].config, workers=0, precision="float32", seed=1)
    if not is_small(config.model):
        config = replace(config, batch=1, accumulation=1)
    config = replace(config, start_weights="", start_encoder="", start_decoder="")
    with tempfile.TemporaryDirectory() as folder:
        data = open_data(write_pictures(Path(folder)), config)
        for number in range(len(data)):  # as after the first epoch
            data.view(number, config.model)
        state = new_state(config)
        clock = StepClock(state)
        stepper = Stepper(config, state)
        phases, images = [], 0
        with FlopCounterMode(display=False) as counter:
            stepper.step(make_batch(config, data, 0))
        flop = counter.get_total_flops()
        for step in range(N_STEPS):
            phases.append(clock.time_step(stepper, config, data, step))
            images += count_samples(config, step)
    return RunTimes(phases, images / N_STEPS, flop)


class StepClock:
    """Tells the phases of a training step apart by what happens in it.

    Forwards begins at the encoder; backwards begins when a gradient arrives at the decoder's
    output, so that the loss counts as forwards; the optimizer begins after clipping, and the
    average of the weights is part of it.
    """

    def __init__(self, state: TrainState) -> None:
        self._marks: dict[str, float] = {}
        state.model.encoder.register_forward_pre_hook(lambda *_: self._mark("forward"))
        state.model.decoder.register_forward_hook(self._await_gradient)
        state.optimizer.register_step_pre_hook(lambda *_: self._mark("optimizer"))

    def time_step(
        self, stepper: Stepper, config: TrainConfig, data: PanopticDataset, step: int
    ) -> list[float]:
        """CPU seconds of each phase of a step; what comes before the encoder is data."""
        began = time.process_time()
        stepper.step(make_batch(config, data, step))
        marks = [began, *(self._marks[name] for name in PHASES[1:]), time.process_time()]
        return np.diff(marks).tolist()

    def _mark(self, name: str) -> None:
        self._marks[name] = time.process_time()

    def _await_gradient(self, _module: object, _inputs: object, out: Tensor) -> None:
        out.register_hook(lambda _: self._mark("backward"))


def write_pictures(folder: Path) -> Path:
    """Photographs of 640 x 480 with discs on them, as JPEG, and their COCO JSON."""
    rng = np.random.default_rng(0)
    items = []
    for number in range(1, N_PICTURES + 1):
        image = rng.integers(0, 80, (480, 640, 3), np.uint8)
        ids = np.ones((480, 640), np.uint16)
        segments = {1: Segment(1, 2, Source.IMPORT)}
        for disc in range(2, 32):
            centre = (int(rng.integers(640)), int(rng.integers(480)))
            cv2.circle(image, centre, 20, rng.integers(120, 256, 3).tolist(), -1)
            where = cv2.circle(np.zeros(ids.shape, np.uint8), centre, 20, 1, -1)
            ids[where > 0] = disc
            segments[disc] = Segment(disc, 1, Source.IMPORT)
        present = set(np.unique(ids).tolist())
        segments = {k: segment for k, segment in segments.items() if k in present}
        (folder / "images").mkdir(exist_ok=True)
        cv2.imwrite(str(folder / "images" / f"{number}.jpg"), image)
        items.append(CocoItem(number, f"{number}.jpg", PanopticMap(ids, segments, 32)))
    write_coco(folder / "panoptic.json", items, CATEGORIES)
    return folder / "panoptic.json"


def report_limits(limits: Limits) -> None:
    print_report(
        "What the processor reaches",
        ["", "GFLOP / CPU s"],
        [
            ["matrix product, 2048 squared", f"{limits.product:.0f}"],
            ["convolution, 256 to 256 channels on 64 squared", f"{limits.convolution:.0f}"],
        ],
    )


def report_networks(networks: dict[str, NetworkTimes], limits: Limits) -> None:
    """Print what a picture costs, and the paper's network beside the authors' code."""
    rows = []
    for name, times in networks.items():
        sampling = RECIPES[name].sampling
        seconds = times.encoder.seconds + sampling.steps * times.step.seconds
        rows.append(
            [
                name,
                f"{times.encoder.seconds:.3f}",
                f"{times.step.seconds:.3f}",
                f"{times.step.flop / GIGA:.1f}",
                *_rates(times.step, limits),
                f"{100 * times.decoder.rate / limits.convolution:.0f} %",
                str(sampling.steps),
                f"{1 / seconds:.2f}",
            ]
        )
    print_report(
        "Inference, one picture whose map is 128 squared, network alone, CPU seconds",
        ["", "encoder", "step", "GFLOP", "/ s", "of conv", "body", "steps", "images / s"],
        rows,
    )


def report_authors(times: NetworkTimes, run: RunTimes) -> None:
    """Print the paper's network beside the authors' code, recorded on a like machine."""
    training = dict(zip(PHASES, np.median(run.phases, 0), strict=True))
    ours = {
        "ResNet and transformer": times.trunk.seconds,
        "the same and the merge": times.encoder.seconds,
        "one denoising step": times.step.seconds,
        "forward and backward": training["forward"] + training["backward"],
    }
    print_report(
        "The paper's network, batch 1, image 256 and map 128, CPU seconds",
        ["", "Bitbrush", "the authors' code, measured earlier", "times as fast"],
        [
            [name, f"{seconds:.2f}", f"{AUTHORS[name]:.2f}", f"{AUTHORS[name] / seconds:.2f}"]
            for name, seconds in ours.items()
        ],
    )


def report_training(runs: dict[str, RunTimes], limits: Limits) -> None:
    """Print what a training step costs, and on what its time goes."""
    rows = []
    for name, run in runs.items():
        median = np.median(run.phases, 0)
        whole = Timed(float(median.sum()), run.flop)
        shares = (f"{100 * seconds / whole.seconds:.0f} %" for seconds in median)
        rows.append(
            [
                name,
                f"{run.images:.0f}",
                f"{whole.seconds:.2f}",
                f"{run.images / whole.seconds:.2f}",
                *shares,
                *_rates(whole, limits),
            ]
        )
    print_report(
        "Training, CPU seconds of a step; data, forwards, backwards, optimizer",
        ["", "views", "s", "views / s", *COLUMNS, "GFLOP / s", "of conv"],
        rows,
    )


def _rates(timed: Timed, limits: Limits) -> list[str]:
    return [f"{timed.rate:.0f}", f"{100 * timed.rate / limits.convolution:.0f} %"]


if __name__ == "__main__":
    sys.exit(main())
