"""Batches made ahead by worker processes, in the same order however many there are."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import cv2
import torch
from torch.utils.data import DataLoader, Dataset

from core.errors import TrainingError
from training.batches import make_batch
from training.config import TrainConfig
from training.data import Batch, PanopticDataset
from training.processes import Processes
from training.stopping import SIGNALS


class _Steps(Dataset[Batch]):
    """The batches of a run by step, which workers can be asked for."""

    def __init__(
        self, config: TrainConfig, data: PanopticDataset, rank: int, n_ranks: int
    ) -> None:
        self._config, self._data, self._rank, self._n_ranks = config, data, rank, n_ranks

    def __getitem__(self, step: int) -> Batch:
        return make_batch(self._config, self._data, step, self._rank, self._n_ranks)


def draw_batches(
    config: TrainConfig, data: PanopticDataset, start: int, processes: Processes
) -> Iterator[Batch]:
    """This process's part of the batches of steps start, start + 1, ... of a run.

    Those for a GPU lie in pinned memory.

    Raises:
        TrainingError: a worker was killed.
        AnnotateError: too much of the data cannot be used.
    """
    n_workers = min(config.workers, count_cpus())  # more would only wait for each other
    steps = _Steps(config, data, processes.rank, processes.n_ranks)
    loader = DataLoader(
        steps,
        batch_size=None,
        sampler=range(start, config.steps),
        num_workers=n_workers,
        collate_fn=_as_it_is,
        worker_init_fn=_begin_worker,
        # A forked child may hang on the locks of its parent's threads.
        multiprocessing_context="spawn" if n_workers else None,
        pin_memory=processes.device.type == "cuda",
    )
    with _explain_death():
        yield from loader


def count_cpus() -> int:
    """Those that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _as_it_is(batch: Any) -> Any:
    return batch


def _begin_worker(_worker: int) -> None:
    """Keep to one thread; end when the training process says so, which signals reach too."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


@contextmanager
def _explain_death() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise TrainingError(
            f"A worker process that reads images was killed ({error}), as happens when memory "
            "runs out; lower workers and give the same command again."
        ) from error
