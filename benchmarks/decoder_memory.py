"""Memory and time of one denoising step of the paper's network.

    python -m benchmarks.decoder_memory

First the head alone: a step at 512 x 512 maps with all of its 512 channels of logits in memory,
beside the bands of rows that the program computes. The body is slim there, for it is not what
is measured. Then whole steps of the preset `coco`, 94.5 million parameters.

Every figure comes from a process of its own, since a peak cannot be taken back. The processes
get as many threads as the program's inference process: one core is left to the window.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.report import print_conditions, print_report, quantiles
from core.model.bits import logits_to_x0
from core.model.config import COCO, ModelConfig
from core.model.decoder import MaskDecoder
from core.model.pix2seq_d import Pix2SeqD, count_parameters

try:
    import resource
except ImportError:  # Windows has no such module
    sys.exit("This benchmark reads peak memory through getrusage, which Windows lacks.")

MIB = 2**20
PEAK_UNIT = 1 if sys.platform == "darwin" else 1024
LARGE = (512, 512)
SLIM_HEAD = replace(
    COCO,
    image_size=(1024, 1024),
    mask_size=LARGE,
    encoder_width=32,
    encoder_heads=4,
    merge_width=8,
    decoder_width=8,
    channel_multipliers=(1,) * 5,
    residual_blocks=(1,) * 5,
    transformer_width=32,
    transformer_layers=1,
    transformer_head_width=8,
)
N_STEPS = 5
# The authors' TensorFlow code on a 2-core machine: TensorFlow 2.15.1, float32, batch 1, the
# same step compiled and warm, median of 5. CPU seconds, as the wall time of a busy machine
# says little; the peak is that of the whole process.
AUTHORS = ("the authors' code, TensorFlow", "", "1.42", "", "", f"{1.33e9 / MIB:.0f}")


def main() -> int:
    """Measure in child processes, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, default=max((os.cpu_count() or 2) - 1, 1))
    arguments = parser.parse_args()
    if arguments.child:
        torch.set_num_threads(arguments.threads)
        sys.stdout.write(json.dumps(CHILDREN[arguments.child]()))
        return 0
    print_conditions()
    report_head(arguments.threads)
    report_step(arguments.threads)
    return 0


def report_head(threads: int) -> None:
    """Print the table of the head."""
    full, banded = (run_child(name, threads) for name in ("full head", "banded head"))
    logits = COCO.out_width * LARGE[0] * LARGE[1] * 4
    print_report(
        "The head on 512 x 512 maps: MiB beyond the body",
        ["", "peak"],
        [
            ["the logits alone, by arithmetic", f"{logits / MIB:.0f}"],
            ["all logits at once", f"{full['grown'] / MIB:.0f}"],
            ["bands of rows, as the program does", f"{banded['grown'] / MIB:.0f}"],
            ["the answer, 16 bits a pixel, by arithmetic", f"{logits / 32 / MIB:.0f}"],
        ],
    )


def report_step(threads: int) -> None:
    """Print the table of whole steps."""
    step, product = run_child("step", threads), run_child("product", threads)
    rows = [
        [
            name,
            *quantiles(child["wall_s"], 0.5, digits=2),
            *quantiles(child["cpu_s"], 0.5, digits=2),
            f"{child['gmac']:.0f}",
            *quantiles([child["gmac"] / seconds for seconds in child["cpu_s"]], 0.5),
            f"{child['peak'] / MIB:.0f}",
        ]
        for name, child in (
            (f"coco, {step['parameters']:,} parameters", step),
            ("limit: a product of 2048 squared", product),
        )
    ]
    print_report(
        f"One denoising step at 128 x 128 maps, {_count(threads)}, median of {N_STEPS}",
        ["", "wall s", "CPU s", "GMAC", "GMAC / CPU s", "peak MiB"],
        [*rows, AUTHORS],
    )


def run_child(name: str, threads: int) -> dict[str, Any]:
    """What a function of `CHILDREN` says in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.decoder_memory", "--child", name]
    done = subprocess.run(  # noqa: S603 - our own module
        [*command, "--threads", str(threads)],
        env={**os.environ, "OMP_WAIT_POLICY": "passive"},  # waiting is no work
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def peak_bytes() -> int:
    """The most memory that this process has ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * PEAK_UNIT


def inputs(config: ModelConfig) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """x_t, gamma, given and tokens for one step of a batch of one."""
    height, width = config.mask_size
    n_tokens = config.image_size[0] // 16 * (config.image_size[1] // 16)
    return (
        torch.randn(1, config.n_bits, height, width),
        torch.rand(1),
        torch.randn(1, config.fmap_width, height, width),
        torch.randn(1, n_tokens, config.encoder_width),
    )


@torch.inference_mode()
def measure_full_head() -> dict[str, Any]:
    """All logits of the map at once, then what they say."""
    return measure_growth(is_banded=False)


@torch.inference_mode()
def measure_banded_head() -> dict[str, Any]:
    """Bands of rows, as in sampling."""
    return measure_growth(is_banded=True)


def measure_growth(*, is_banded: bool) -> dict[str, Any]:
    """How far the peak rises when the head joins the body."""
    decoder, arguments = MaskDecoder(SLIM_HEAD).eval(), inputs(SLIM_HEAD)
    decoder.features(*arguments)
    before = peak_bytes()
    if is_banded:
        decoder.predict(*arguments)
    else:
        logits_to_x0(decoder(*arguments), SLIM_HEAD.code_groups, SLIM_HEAD.b)
    return {"grown": peak_bytes() - before}


@torch.inference_mode()
def measure_step() -> dict[str, Any]:
    """Whole steps of the paper's network; the encoder is in memory too, as when segmenting."""
    model = Pix2SeqD(COCO).init_weights().eval()
    arguments = inputs(COCO)
    with FlopCounterMode(display=False) as counter:
        model.decoder.predict(*arguments)
    times = time_calls(lambda: model.decoder.predict(*arguments))
    gmac = counter.get_total_flops() / 2e9
    return {**times, "gmac": gmac, "parameters": count_parameters(model), "peak": peak_bytes()}


@torch.inference_mode()
def measure_product() -> dict[str, Any]:
    """What the processor multiplies and adds when nothing else holds it up."""
    side = 2048
    a, b = torch.randn(side, side), torch.randn(side, side)
    torch.mm(a, b)
    times = time_calls(lambda: torch.mm(a, b))
    return {**times, "gmac": side**3 / 1e9, "peak": peak_bytes()}


def time_calls(call: Callable[[], object]) -> dict[str, list[float]]:
    """Seconds by the clock and of the processors, for a few calls."""
    wall_s, cpu_s = [], []
    for _ in range(N_STEPS):
        began, began_cpu = time.perf_counter(), time.process_time()
        call()
        wall_s.append(time.perf_counter() - began)
        cpu_s.append(time.process_time() - began_cpu)
    return {"wall_s": wall_s, "cpu_s": cpu_s}


def _count(threads: int) -> str:
    return "1 thread" if threads == 1 else f"{threads} threads"


CHILDREN = {
    "full head": measure_full_head,
    "banded head": measure_banded_head,
    "step": measure_step,
    "product": measure_product,
}

if __name__ == "__main__":
    sys.exit(main())
