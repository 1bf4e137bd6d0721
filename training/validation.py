"""Validation: what the averaged weights score on held-out images while a run goes on."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import AnnotateError, TrainingError
from core.images import read_image
from core.model.checkpoint import save_checkpoint
from core.model.pix2seq_d import Pix2SeqD
from core.model.segment import segment_image
from core.model_card import ModelCard
from core.palette import default_color
from core.panoptic import Category
from core.proposals import Preview, SamplingOptions
from core.quality import QualityReport, Tallies, Tally, add_tallies, report_quality
from training.config import Evaluation
from training.evaluate import tally_images
from training.processes import Processes
from training.state import TrainState
from training.stopping import never
from training.truth import Truth

BEST_NAME: Final = "best.safetensors"
N_PICTURES: Final = 2  # whose refinement is shown
TILE: Final = 128  # height of each map in it
GAP: Final = 4


@dataclass(frozen=True, slots=True, eq=False)
class Evaluated:
    """What the averaged weights scored.

    Attributes:
        report: PQ of each category and its means.
        images: that were rated.
        bad: what was wrong with those that were left out, one sentence each.
        is_best: whether no earlier ones of the run had a higher PQ.
        pictures: [H, W, 3] each, an image and its map step by step.
    """

    report: QualityReport
    images: int
    seconds: float
    is_best: bool
    pictures: tuple[NDArray[np.uint8], ...]
    bad: tuple[str, ...] = ()


class Validation:
    """Evaluates a run every so many steps, and keeps its best model.

    Attributes:
        latest: of the step that was made last; None if it was not evaluated.
    """

    def __init__(
        self,
        config: Evaluation,
        card: ModelCard,
        truth: Truth,
        out: Path,
        processes: Processes,
        should_stop: Callable[[], bool] = never,
    ) -> None:
        """Refuse a truth that the model cannot be compared with.

        Args:
            card: of the model; its sampling options hold but for steps and td.
            out: folder for `best.safetensors`.
            should_stop: is asked before every image; once it says so, nothing is rated.

        Raises:
            TrainingError: it has other categories than the training data.
        """
        sampling = sampling_of(config, card.sampling)
        self._config, self._card = config, replace(card, sampling=sampling)
        self._truth = truth
        self._out, self._processes, self._should_stop = out, processes, should_stop
        every = range(len(truth.images))
        self._indices = spread(every, config.images) if config.images else every
        self.latest: Evaluated | None = None
        _check_categories(truth, card.categories)

    def after_step(self, state: TrainState, n_steps: int) -> None:
        """Evaluate if it is time, as it always is before the first and after the last step."""
        every = self._config.every
        is_due = state.step in {0, n_steps} or (every > 0 and state.step % every == 0)
        self.latest = self.evaluate(state) if is_due else None

    def evaluate(self, state: TrainState) -> Evaluated | None:
        """Rate the averaged weights; all processes take part, each with images of its own.

        Returns:
            None if the run is to stop.

        Raises:
            TrainingError: no image can be used.
        """
        began, model, ranks = time.monotonic(), state.average.eval(), self._processes
        tallies, good, bad = self._tally(model, self._indices[ranks.rank :: ranks.n_ranks])
        bad = ranks.collect(bad)
        if ranks.add([float(self._should_stop())]) != [0.0]:
            return None
        n_images = len(self._indices) - len(bad)
        if n_images == 0:
            raise TrainingError(f"{self._truth.path} has no image that can be used: {bad[0]}")
        report = report_quality(self._add_up(tallies), self._truth.categories)
        is_best = state.best_pq is None or report.all.pq > state.best_pq
        if is_best:
            state.best_pq = report.all.pq
        seconds = time.monotonic() - began
        pictures: tuple[NDArray[np.uint8], ...] = ()
        if ranks.is_first:
            pictures = tuple(self._show(model, index) for index in spread(good, N_PICTURES))
            if is_best:
                self._keep(state, report, n_images)
        bad = (*self._truth.bad, *bad)
        return Evaluated(report, n_images, seconds, is_best, pictures, bad)

    def _tally(
        self, model: Pix2SeqD, indices: Sequence[int]
    ) -> tuple[Tallies, list[int], tuple[str, ...]]:
        """Hits and misses, which images they are of, and what was wrong with the others."""
        tallies: Tallies = {}
        good, bad = [], []
        ways = [self._card.sampling]
        for index in indices:
            if self._should_stop():
                break
            try:
                (of_one,), _ = tally_images(model, self._card, self._truth, [index], ways)
            except AnnotateError as error:
                bad.append(str(error))
                continue
            add_tallies(tallies, of_one)
            good.append(index)
        return tallies, good, tuple(bad)

    def _add_up(self, tallies: Tallies) -> Tallies:
        """Those of all processes."""
        ids = [category.id for category in self._truth.categories]
        mine = [tallies.get(category_id, Tally()) for category_id in ids]
        counts = [n for tally in mine for n in (tally.iou, tally.tp, tally.fp, tally.fn)]
        total = np.reshape(self._processes.add(counts), (-1, 4)).tolist()
        return {
            category_id: Tally(iou, round(tp), round(fp), round(fn))
            for category_id, (iou, tp, fp, fn) in zip(ids, total, strict=True)
        }

    def _keep(self, state: TrainState, report: QualityReport, n_images: int) -> None:
        """Write the best model so far, with what it scored in its card."""
        scores = {
            "truth": self._truth.path.name,
            "step": state.step,
            "images": n_images,
            "options": asdict(self._card.sampling),
            **report.to_json(),
        }
        card = replace(self._card, training={**self._card.training, "scores": scores})
        save_checkpoint(self._out / BEST_NAME, state.average, card)

    def _show(self, model: Pix2SeqD, index: int) -> NDArray[np.uint8]:
        """A picture and its map after each of the sampler's steps, side by side."""
        image = read_image(self._truth.images[index].path)
        steps = segment_image(model, self._card, image, self._card.sampling)
        maps = [paint_segments(s.segment_ids) for s in steps if isinstance(s, Preview)]
        return side_by_side([image, *maps], image.shape[0] / image.shape[1])


def sampling_of(config: Evaluation, usual: SamplingOptions) -> SamplingOptions:
    """How the model is used, but for what the run asks for otherwise."""
    steps = usual.steps if config.steps is None else config.steps
    time_delta = usual.time_delta if config.time_delta is None else config.time_delta
    return replace(usual, steps=steps, time_delta=time_delta)


def spread(indices: Sequence[int], n: int) -> Sequence[int]:
    """At most n of the indices, evenly spread over them."""
    n = min(n, len(indices))
    return [indices[k * len(indices) // n] for k in range(n)]


def paint_segments(segment_ids: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """A map [h, w] in colours [h, w, 3], one a segment; void is black."""
    colors = [(0, 0, 0), *(default_color(k) for k in range(1, int(segment_ids.max()) + 1))]
    return np.array(colors, np.uint8)[segment_ids]


def side_by_side(
    pictures: Sequence[NDArray[np.uint8]], height_to_width: float
) -> NDArray[np.uint8]:
    """Pictures in one row, all of one size, with a gap between."""
    size = (max(round(TILE / height_to_width), 1), TILE)
    gap = np.full((TILE, GAP, 3), 255, np.uint8)
    row = []
    for picture in pictures:
        row += [cv2.resize(picture, size, interpolation=cv2.INTER_NEAREST), gap]
    return np.hstack(row[:-1])


def _check_categories(truth: Truth, wanted: Sequence[Category]) -> None:
    names = {category.id: (category.name, category.is_thing) for category in wanted}
    for category in truth.categories:
        if names.get(category.id) != (category.name, category.is_thing):
            raise TrainingError(
                f"{truth.path} has the category {category.id} '{category.name}', which the "
                "training data has not; evaluate on data with the same categories."
            )
