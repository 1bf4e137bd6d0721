"""One training run in many processes: who takes part, and what they tell each other.

`torchrun` starts the processes and names them in the environment; without it a run is one
process. GPUs speak through NCCL, CPUs through gloo.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import distributed
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous


@dataclass(frozen=True, slots=True)
class Processes:
    """This process among all of a run.

    Attributes:
        rank: 0 for the first, which writes the files.
        n_ranks: how many there are.
        device: that this one computes on.
    """

    rank: int = 0
    n_ranks: int = 1
    device: torch.device = torch.device("cpu")

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def add(self, values: Sequence[float]) -> list[float]:
        """Sums over all processes, each of which must call this with as many values."""
        if self.n_ranks == 1:
            return list(values)
        dtype = torch.float32 if self.device.type == "mps" else torch.float64
        total = torch.tensor(values, dtype=dtype, device=self.device)
        distributed.all_reduce(total)
        return total.tolist()

    def collect(self, sentences: tuple[str, ...]) -> tuple[str, ...]:
        """The sentences of all processes, each of which must call this, by rank."""
        (n_sentences,) = self.add([len(sentences)])
        if self.n_ranks == 1 or not n_sentences:  # as nearly always
            return sentences
        collected: list[tuple[str, ...]] = [()] * self.n_ranks
        distributed.all_gather_object(collected, sentences)
        return tuple(sentence for part in collected for sentence in part)


@contextmanager
def join_processes(device: torch.device) -> Iterator[Processes]:
    """Take the part in a run that `torchrun` gave this process, or run alone.

    Args:
        device: "cuda" becomes the GPU of this process's number on its machine.
    """
    n_ranks = int(os.environ.get("WORLD_SIZE", "1"))
    if n_ranks == 1:
        yield Processes(device=device)
        return
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    store, rank, n_ranks = next(rendezvous("env://"))
    # Addresses of processes that have died must not be found by those that replace them.
    attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    distributed.init_process_group(
        "nccl" if device.type == "cuda" else "gloo",
        store=PrefixStore(f"attempt {attempt}", store),
        rank=rank,
        world_size=n_ranks,
    )
    try:
        yield Processes(rank, n_ranks, device)
    finally:
        distributed.destroy_process_group()
