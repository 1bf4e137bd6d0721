"""The way from the maps of a clip to the labels of a video model, and back."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.model import diffusion
from core.model.bits import LEAST_PROBABILITY, bit_table, labels_to_x0
from core.model.config import ModelConfig
from core.model.pix2seq_d import Pix2SeqD
from core.model.postprocess import bring_up, code_of_category, to_segments
from core.model.prepare import Frame, cut_padding
from core.model.segment import at_cells, content_cells, read_labels, to_picture
from core.model_card import ModelCard
from core.panoptic import Category, Ids, PanopticMap
from core.propagation import VideoOptions

ANYTHING: Final = Category(1, "object", True, (255, 255, 255))  # of models without categories
LEAST_NEW: Final = 12  # cells that hang together, of an id that is new
Labels = NDArray[np.int64]  # [2, h, w] category codes and the model's ids


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """What a sample says of a frame.

    Attributes:
        told: the labels that the next frames are told.
        numbers: uint16 [H, W], or [h, w] of the model's grid; segments 1, 2, ...
        category_ids: the model's category of each number.
        model_ids: the model's id of each number; 0 for stuff that has none.
    """

    told: Labels
    numbers: Ids
    category_ids: Mapping[int, int]
    model_ids: Mapping[int, int]


def code_categories(card: ModelCard) -> tuple[Category, ...]:
    """What the model's codes 1, 2, ... mean; one for all where it has none."""
    return card.categories or (ANYTHING,)


def encode_map(
    map: PanopticMap,
    frame: Frame,
    codes: Mapping[int, int],
    model_ids: Mapping[int, int],
) -> Labels:
    """A project's map as labels on the model's grid; 0 and 0 where the model cannot be told.

    Args:
        map: at the size of the picture.
        codes: of the segments whose category the model knows, by their id.
        model_ids: of those that have one.
    """
    tables = np.zeros((2, max(map.segments, default=0) + 1), np.int64)
    for segment_id in map.segments:
        if segment_id in codes:
            tables[:, segment_id] = codes[segment_id], model_ids.get(segment_id, 0)
    coarse, inside = at_cells(map.segment_ids, frame)
    return np.where(inside, tables[:, coarse], 0)


def known_labels(
    config: ModelConfig, labels: Labels, device: torch.device
) -> diffusion.Known | None:
    """Hold a frame's labels wherever there are some; None where there are none."""
    where = labels.any(0)
    if not where.any():
        return None
    x0 = labels_to_x0(torch.from_numpy(labels)[None], config.groups, config.b)
    return diffusion.Known(x0.to(device), torch.from_numpy(where)[None, None].to(device))


def decode(
    model: Pix2SeqD,
    card: ModelCard,
    x0: Tensor,
    frame: Frame,
    options: VideoOptions,
    past: Sequence[Labels] = (),
    *,
    is_final: bool,
) -> Decoded:
    """Find the segments of a sample [1, n, h, w].

    Args:
        past: the labels that the model was told.
        is_final: whether they are wanted at the size of the picture.
    """
    config, categories = model.config, code_categories(card)
    told = _to_be_told(model, card, x0, frame, past)
    is_by_nearest = config.map_decoding == "authors" and not options.is_smooth and is_final
    if is_by_nearest:
        semantic, ids = cut_padding(torch.from_numpy(told)[None], frame)[0].numpy()
        min_area = options.min_area
    else:
        semantic, ids = told.copy()
        height, width = content_cells(frame)
        for channel in (semantic, ids):
            channel[height:], channel[:, width:] = 0, 0
        cell_area = frame.stride**2 * np.prod(frame.image) / np.prod(frame.content)
        min_area = round(options.min_area / cell_area)
    if not card.categories:
        semantic = (ids > 0).astype(np.int64)
    numbers, category_ids = to_segments(
        semantic,
        ids,
        categories,
        has_stuff_ids=config.has_stuff_ids and bool(card.categories),
        is_code_kept=config.map_decoding != "authors",
        min_area=min_area,
    )
    values, first = np.unique(numbers, return_index=True)
    model_ids = dict(zip(values.tolist(), ids.ravel()[first].tolist(), strict=True))
    if is_final and not is_by_nearest and card.categories:
        numbers = to_picture(model, card, x0, frame, numbers, category_ids)
    elif is_final and not is_by_nearest:
        numbers = bring_up(numbers, frame)
    elif not is_final:
        numbers = np.ascontiguousarray(numbers[:height, :width])
    return Decoded(told, numbers, category_ids, model_ids)


def _to_be_told(
    model: Pix2SeqD, card: ModelCard, x0: Tensor, frame: Frame, past: Sequence[Labels]
) -> Labels:
    """The labels of a sample, as the model was shown maps of earlier frames in training.

    The authors' decoding feeds them back as they are. Ours leaves out what no training map has:
    ids of stuff that has none, and anything in the padding.
    """
    config = model.config
    if config.map_decoding == "authors":
        return np.asarray(model.to_labels(x0)[0].cpu().numpy(), np.int64)
    semantic, ids = (channel.copy() for channel in read_labels(model, card, x0))
    if config.map_decoding == "likeliest":
        bits = x0[0, config.semantic_bits :].float().cpu() / config.b
        ids = likeliest_ids(bits, ids, [labels[1] for labels in past])
    is_thing = np.array([False, *(category.is_thing for category in code_categories(card))])
    if card.categories and not config.has_stuff_ids:
        ids[~is_thing[semantic]] = 0
    height, width = content_cells(frame)
    labels = np.stack([semantic, ids])
    labels[:, height:], labels[:, :, width:] = 0, 0
    return labels


def likeliest_ids(
    bits: Tensor, ids: NDArray[np.int64], past: Sequence[NDArray[np.int64]]
) -> NDArray[np.int64]:
    """Give each pixel the likeliest id of those that are in question, instead of bit by bit.

    On the border of two segments, cut bits can make an id that neither has. In question is what
    the model was told of, and what is new if a part of it that hangs together is large enough.

    Args:
        bits: [n, h, w] expected bits in [-1, 1].
        ids: [h, w] of the cut bits; where it is 0 it stays so.
        past: ids [h, w] of the maps that the model was told.
    """
    told = set().union(*(np.unique(labels).tolist() for labels in past))
    asked = [
        i
        for i in np.unique(ids).tolist()
        if i and (i in told or _largest_part(ids == i) >= LEAST_NEW)
    ]
    if not asked:
        return ids
    p = ((bits + 1) / 2).clamp(LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    is_set = bit_table(len(bits), bits)[asked]  # [n_asked, n]
    likely = torch.einsum("nhw,an->ahw", p.log(), is_set) + torch.einsum(
        "nhw,an->ahw", (1 - p).log(), 1 - is_set
    )
    best = np.array(asked)[likely.argmax(0).numpy()]
    return np.where(ids == 0, 0, best)


def _largest_part(where: NDArray[np.bool_]) -> int:
    """Cells of the largest part that hangs together."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(where.astype(np.uint8), connectivity=4)
    return int(stats[1:, cv2.CC_STAT_AREA].max(initial=0))


def codes_of_segments(
    card: ModelCard,
    map: PanopticMap,
    to_model: Mapping[int, int],
    only: Collection[int] | None = None,
) -> dict[int, int]:
    """The category codes of a map's segments that the model can be told of.

    Args:
        to_model: the project's category ids -> the model's.
        only: segments that are asked for; None for all.
    """
    wanted = map.segments.values() if only is None else [map.segments[i] for i in only]
    if not card.categories:
        return {segment.id: 0 for segment in wanted}
    code_of = code_of_category(card.categories)
    return {s.id: code_of[to_model[s.category_id]] for s in wanted if s.category_id in to_model}
