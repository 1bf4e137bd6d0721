"""Random views of photographs and clips, in the order of the authors' input pipeline.

Scale, crop, flip, colour, pad the image with 0.3 and the labels with 0, then bring the labels
to the size of the map. Everything random is drawn first, as `ViewDraws`, so that all frames of
a clip get the same geometry and recorded draws can be replayed.

Source: the transforms of the authors' panoptic configurations; arXiv:2210.06366, section 4.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from training.augment import IMAGE_PADDING, View, to_unit
from training.colour import draw_changes, jitter, to_grey

Size = tuple[int, int]  # height, width
Resize = Literal["bilinear", "bicubic", "bytes"]


@dataclass(frozen=True, slots=True)
class PhotoAugmentation:
    """How far a random view may differ from the photograph; defaults leave only the flip.

    Attributes:
        scale: range of the factor on the largest size that fits into the view.
        colour: strength of the colour jitter; 0 is none.
        resize: how images are scaled, with antialiasing in any case. "bytes" is bilinear too,
            but rounded to 256 values, in a tenth of the time.
        has_shared_offset: whether one draw places the crop on both axes, along the diagonal, as
            in the authors' code.
    """

    scale: tuple[float, float] = (1.0, 1.0)
    has_flips: bool = True
    colour: float = 0.0
    resize: Resize = "bilinear"
    has_shared_offset: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.scale[0] <= self.scale[1]:
            raise ValueError(f"scale cannot be {self.scale}; give a range above 0")
        if self.colour < 0:
            raise ValueError(f"colour cannot be {self.colour}; give 0 or more")


@dataclass(frozen=True, slots=True)
class ViewDraws:
    """What was drawn for one view.

    Attributes:
        scale: factor on the largest size that fits.
        offset: of the crop, as shares of the room there is below and to the right.
        changes: colour operations with their amounts, in order.
    """

    scale: float = 1.0
    offset: tuple[float, float] = (0.0, 0.0)
    is_flipped: bool = False
    changes: tuple[tuple[str, float], ...] = ()
    is_grey: bool = False


def draw_view(augmentation: PhotoAugmentation, rng: np.random.Generator) -> ViewDraws:
    """Draw everything that is random about a view."""
    scale = float(rng.uniform(*augmentation.scale))
    down, right = rng.random(), rng.random()
    offset = (down, down) if augmentation.has_shared_offset else (down, right)
    is_flipped = augmentation.has_flips and rng.random() > 0.5
    if augmentation.colour == 0:
        return ViewDraws(scale, offset, is_flipped)
    changes = draw_changes(augmentation.colour, rng)
    return ViewDraws(scale, offset, is_flipped, changes, rng.random() < 0.2)


def take_view(view: View, size: Size, draws: ViewDraws, resize: Resize = "bilinear") -> View:
    """The view that was drawn, of exactly that size, labels at the size of the image."""
    scaled = scaled_size(view.image.shape[:2], size, draws.scale)
    image = resize_image(view.image, scaled, resize)
    labels = resize_labels(view.labels, scaled)
    top, left = (
        int(np.float32(max(had - wanted, 0)) * np.float32(share))
        for had, wanted, share in zip(scaled, size, draws.offset, strict=True)
    )
    window = slice(top, top + size[0]), slice(left, left + size[1])
    image, labels = image[window], labels[window]
    if draws.is_flipped:
        image, labels = image[:, ::-1], labels[:, ::-1]
    image = jitter(np.ascontiguousarray(to_unit(image)), draws.changes)
    if draws.is_grey:
        image = np.clip(to_grey(image), 0, 1)
    room = [(0, wanted - had) for had, wanted in zip(image.shape[:2], size, strict=True)]
    if any(after for _, after in room):
        image = np.pad(image, [*room, (0, 0)], constant_values=IMAGE_PADDING)
        labels = np.pad(labels, [*room, (0, 0)])
    return View(image, labels)


def scaled_size(had: Size, wanted: Size, scale: float) -> Size:
    """A size of the same aspect that just fits into `wanted` times scale, cut to integers."""
    # In float32, as the authors' code: where a side fits exactly, the last digit decides.
    height, width = np.float32(had[0]), np.float32(had[1])
    goal = np.array(wanted, np.float32) * np.float32(scale)
    factor = min(goal[0] / height, goal[1] / width)
    return max(int(height * factor), 1), max(int(width * factor), 1)


def resize_image(image: NDArray[Any], size: Size, how: Resize = "bilinear") -> NDArray[Any]:
    """An image [H, W, 3] of another size, antialiased; float32, bytes only if asked for."""
    is_rounded = how == "bytes" and image.dtype == np.uint8
    if not is_rounded:
        image = to_unit(image)
    if image.shape[:2] == size:
        return image
    x = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).unsqueeze(0)
    mode = "bilinear" if how == "bytes" else how
    x = F.interpolate(x, size, mode=mode, antialias=True, align_corners=False)
    return x[0].permute(1, 2, 0).numpy()


def resize_labels(labels: NDArray[np.int32], size: Size) -> NDArray[np.int32]:
    """Labels [H, W, ...] of another size: nearest, by half-pixel centres."""
    rows, columns = (
        ((np.arange(wanted, dtype=np.float32) + np.float32(0.5)) * np.float32(had / wanted))
        for had, wanted in zip(labels.shape[:2], size, strict=True)
    )
    return labels[rows.astype(np.intp)[:, None], columns.astype(np.intp)[None, :]]
