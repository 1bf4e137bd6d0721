"""The inference loops: one picture in, previews of each step and a proposal out."""

import os
import time
from collections.abc import Iterator, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.errors import CheckpointError
from core.model import diffusion
from core.model.bits import code_log_probabilities, labels_to_x0
from core.model.config import ModelConfig
from core.model.crop import cells_to_draw, cut_encoding, put_back
from core.model.encoder import Encoding
from core.model.pix2seq_d import Pix2SeqD
from core.model.place import place_ids
from core.model.postprocess import (
    CodeShares,
    bring_up,
    choose_likeliest,
    code_of_category,
    to_segments,
)
from core.model.prepare import Frame, cut_padding, frame_for, to_input
from core.model_card import ModelCard
from core.panoptic import Ids, Rect
from core.proposals import Known, Preview, Proposal, SamplingOptions, match_categories


def choose_device(wanted: str = "auto") -> tuple[torch.device, str]:
    """The device to run on, and a sentence that says how it was chosen.

    Args:
        wanted: "auto" takes CUDA, then Apple's MPS, then the CPU; or a name such as "cuda:1".

    Raises:
        CheckpointError: the device does not exist here.
    """
    has_cuda, has_mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if wanted == "auto":
        if has_cuda:
            device = torch.device("cuda")
            if rank := os.environ.get("LOCAL_RANK"):  # under torchrun each has a GPU of its own
                device = torch.device("cuda", int(rank) % torch.cuda.device_count())
            return device, f"Running on {torch.cuda.get_device_name(device)}."
        if has_mps:
            return torch.device("mps"), "Running on this Mac's GPU."
        return torch.device("cpu"), "No GPU was found: running on the CPU, which is slower."
    try:
        device = torch.device(wanted)
    except RuntimeError as error:
        raise CheckpointError(
            f"There is no device called '{wanted}'; use auto, cpu, cuda, cuda:1 or mps."
        ) from error
    is_there = {
        "cpu": True,
        "cuda": has_cuda and (device.index or 0) < torch.cuda.device_count(),
        "mps": has_mps,
    }.get(device.type, False)
    if not is_there:
        raise CheckpointError(
            f"The device '{wanted}' is not available on this computer; use auto or cpu."
        )
    return device, f"Running on {wanted}, as asked."


@torch.inference_mode()
def encode_image(model: Pix2SeqD, image: NDArray[np.uint8]) -> tuple[Encoding, Frame]:
    """Tokens and features of a picture [H, W, 3], to be used for any number of samples."""
    frame = frame_for(model.config, *image.shape[:2])
    x = to_input(model.config, image, frame).to(model.device)
    with autocast(model.device):
        return model.encode(x), frame


def autocast(device: torch.device) -> torch.autocast:
    """bfloat16 on CUDA; float32 elsewhere."""
    return torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda")


def segment_image(
    model: Pix2SeqD,
    card: ModelCard,
    image: NDArray[np.uint8],
    options: SamplingOptions,
    known: Known | None = None,
    encoded: tuple[Encoding, Frame] | None = None,
) -> Iterator[Preview | Proposal]:
    """Segment one picture: a preview after every step, then one proposal.

    Args:
        image: [H, W, 3] RGB.
        known: the map whose locked segments are kept, and perhaps the region that is asked for.
            Far from the region, previews and proposal may be void.
        encoded: what `encode_image` made of this picture, if it was kept.
    """
    began = time.perf_counter()
    encoding, frame = encoded or encode_image(model, image)
    region = None if known is None else known.region
    cells = cells_to_draw(model.config, frame, region)
    x0 = torch.empty(0)
    guesses = Guesses(model.config)
    for step in _sample(model, card, encoding, frame, options, known, cells):
        x0 = put_back(guesses.join(step.x0), cells, model.config, frame)
        numbers, category_ids = _coarse_segments(model, card, x0, frame)
        height, width = content_cells(frame)
        yield Preview(
            step=step.index + 1,
            steps=options.steps,
            t=step.t,
            elapsed_s=time.perf_counter() - began,
            segment_ids=np.ascontiguousarray(numbers[:height, :width]),
            category_ids=category_ids,
        )
    ids, category_ids = final_segments(model, card, x0, frame, options)
    yield Proposal(ids, category_ids, options, card.name, time.perf_counter() - began)


class Guesses:
    """What the steps of one sample say together of the categories, if the likeliest are asked.

    The last step's is a sample: where the network is in doubt, it has taken a side by chance.
    The mean of all steps is nearer to what the network expects. Ids stay those of the last.
    """

    def __init__(self, config: ModelConfig) -> None:
        is_joined = config.map_decoding == "likeliest"
        self.n_joined = config.semantic_bits if is_joined else 0
        self._total: Tensor | None = None
        self._n_steps = 0

    def join(self, x0: Tensor) -> Tensor:
        """A step's x0 [B, n, h, w] with the mean of the semantic bits so far."""
        semantic, ids = x0[:, : self.n_joined], x0[:, self.n_joined :]
        self._total = semantic if self._total is None else self._total + semantic
        self._n_steps += 1
        return torch.cat([self._total / self._n_steps, ids], 1)


def _sample(
    model: Pix2SeqD,
    card: ModelCard,
    encoding: Encoding,
    frame: Frame,
    options: SamplingOptions,
    known: Known | None,
    cells: Rect,
) -> Iterator[diffusion.DdimStep]:
    """The sampler's steps on some cells of the map.

    The noise comes from the seed and the cell alone, whatever the device and the region.
    """
    generator = torch.Generator().manual_seed(options.seed)
    noise = torch.randn(1, model.config.n_bits, *frame.mask, generator=generator)
    fixed = None
    if known is not None:
        fixed = known_bits(model.config, card, known, frame, model.device, cells)
    steps = model.sample(
        cut_encoding(encoding, cells),
        noise[:, :, *cells.slices].to(model.device),
        options.steps,
        time_delta=options.time_delta,
        known=fixed,
    )
    while True:
        with autocast(model.device):
            step = next(steps, None)
        if step is None:
            return
        yield step


def known_bits(
    config: ModelConfig,
    card: ModelCard,
    known: Known,
    frame: Frame,
    device: torch.device,
    cells: Rect,
) -> diffusion.Known | None:
    """What is known of some cells of a map as analog bits, each segment with its own id.

    These are the locked segments and, when the model is asked for a region, all that lies
    outside of it. Segments of categories that the model lacks are not told to it; they are kept
    all the same when the proposal is accepted.
    """
    to_model = {
        project_id: model_id
        for model_id, project_id in match_categories(
            card.categories, known.categories
        ).to_project.items()
    }
    code_of = code_of_category(card.categories)
    is_thing = {category.id: category.is_thing for category in card.categories}
    codes = np.zeros(known.map.next_id, np.int64)
    ids = np.zeros(known.map.next_id, np.int64)
    is_binding = np.zeros(known.map.next_id, np.bool_)
    for number, segment in enumerate(known.map.segments.values(), start=1):
        is_binding[segment.id] = segment.is_locked
        if segment.category_id in to_model:
            category_id = to_model[segment.category_id]
            codes[segment.id] = code_of[category_id]
            if is_thing[category_id] or config.has_stuff_ids:
                ids[segment.id] = number % (config.n_ids - 1) + 1
    rows, columns = (_pixels_of_cells(frame, axis) for axis in range(2))
    coarse, inside = at_cells(known.map.segment_ids, frame)
    is_known = inside & (is_binding[coarse] | _is_outside(known.region, rows, columns))
    coarse, is_known = coarse[cells.slices], is_known[cells.slices]
    given = ids[coarse]
    if config.place_cell:
        given = place_ids(np.where(given > 0, coarse, 0), config)
    labels = np.stack([codes[coarse], given]) * is_known
    if not labels[0].any():
        return None
    where = torch.from_numpy(labels[0] > 0)[None, None].to(device)
    x0 = labels_to_x0(torch.from_numpy(labels)[None], config.groups, config.b)
    return diffusion.Known(x0.to(device), where)


def at_cells(segment_ids: Ids, frame: Frame) -> tuple[Ids, NDArray[np.bool_]]:
    """What a picture's map [H, W] has at each cell [h, w], and which cells are in the picture.

    Beside the picture it is what the nearest pixel has.
    """
    rows, columns = (_pixels_of_cells(frame, axis) for axis in range(2))
    height, width = frame.image
    inside = (rows < height)[:, None] & (columns < width)[None, :]
    grid = np.ix_(rows.clip(max=height - 1), columns.clip(max=width - 1))
    return segment_ids[grid], inside


def _pixels_of_cells(frame: Frame, axis: int) -> NDArray[np.intp]:
    """The picture's rows (axis 0) or columns (1) that cells have their labels from."""
    cells, side, content = frame.mask[axis], frame.image[axis], frame.content[axis]
    return ((np.arange(cells) + 0.5) * frame.stride * side / content).astype(np.intp)


def _is_outside(
    region: Rect | None, rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Which map cells, of these image rows and columns, the model is not asked for."""
    is_outside = np.zeros((len(rows), len(columns)), np.bool_)
    if region is not None:
        is_outside |= ((rows < region.top) | (rows >= region.bottom))[:, None]
        is_outside |= (columns < region.left) | (columns >= region.right)
    return is_outside


def read_labels(
    model: Pix2SeqD, card: ModelCard, x0: Tensor
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Codes and ids [h, w] of analog bits [1, n, h, w]."""
    semantic, ids = model.to_labels(x0)[0].cpu().numpy()
    if model.config.map_decoding == "likeliest":
        return choose_likeliest(_likely(model, card, x0).numpy(), ids, card.categories)
    return semantic, ids


def _likely(model: Pix2SeqD, card: ModelCard, x0: Tensor) -> Tensor:
    """Log-probabilities [1 + categories, h, w] of the codes, of which void, 0, is not meant."""
    config = model.config
    bits = x0[:, : config.semantic_bits].float()
    likely = code_log_probabilities(bits, config.n_codes, config.b)[0].cpu()
    return likely[: len(card.categories) + 1]


def content_cells(frame: Frame) -> tuple[int, int]:
    """Map cells that the picture covers, without padding."""
    height, width = (-(-side // frame.stride) for side in frame.content)
    return height, width


def _coarse_segments(
    model: Pix2SeqD,
    card: ModelCard,
    x0: Tensor,
    frame: Frame,
    min_area: int = 0,
    *,
    split_parts: bool = False,
) -> tuple[Ids, dict[int, int]]:
    """Segments on the map's own grid; padding is void."""
    semantic, ids = read_labels(model, card, x0)
    height, width = content_cells(frame)
    semantic[height:], semantic[:, width:] = 0, 0
    ids[height:], ids[:, width:] = 0, 0
    return to_segments(
        semantic,
        ids,
        card.categories,
        has_stuff_ids=model.config.has_stuff_ids,
        is_code_kept=model.config.map_decoding != "authors",
        min_area=min_area,
        split_parts=split_parts,
    )


def final_segments(
    model: Pix2SeqD, card: ModelCard, x0: Tensor, frame: Frame, options: SamplingOptions
) -> tuple[Ids, dict[int, int]]:
    """Segments of a sample at the size of the picture.

    Args:
        x0: [1, n, h, w], of all steps together as `Guesses` joins them.
    """
    if model.config.map_decoding == "authors":
        labels = cut_padding(model.to_labels(x0).cpu(), frame)[0].numpy()
        return to_segments(
            labels[0],
            labels[1],
            card.categories,
            has_stuff_ids=model.config.has_stuff_ids,
            min_area=options.min_area,
            split_parts=options.split_parts,
        )
    cell_area = frame.stride**2 * np.prod(frame.image) / np.prod(frame.content)
    numbers, category_ids = _coarse_segments(
        model,
        card,
        x0,
        frame,
        round(options.min_area / cell_area),
        split_parts=options.split_parts,
    )
    return to_picture(model, card, x0, frame, numbers, category_ids), category_ids


def to_picture(
    model: Pix2SeqD,
    card: ModelCard,
    x0: Tensor,
    frame: Frame,
    numbers: Ids,
    category_ids: Mapping[int, int],
) -> Ids:
    """Segments 1, 2, ... of a sample's own grid, at the size of the picture."""
    sure = None
    if model.config.map_decoding == "likeliest":
        code_of = code_of_category(card.categories)
        codes = [0, *(code_of[category_ids[k + 1]] for k in range(len(category_ids)))]
        shares = _likely(model, card, x0)[1:].softmax(0).numpy()
        sure = CodeShares(np.array(codes), np.concatenate([0 * shares[:1], shares]))
    return bring_up(numbers, frame, sure)
