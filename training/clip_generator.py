"""Clips of stills: real things of a picture move, turn, hide each other, come and go.

A still is taken apart into its background, where things leave holes that are filled from around
them, and its things, each cut out with a soft border. A frame puts them together again, each
thing somewhat further on its way, and the whole picture drifts. Around the still lies its
mirror image, so that things come in and leave at the borders.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import cv2
import numpy as np
from numpy.typing import NDArray

from training.augment import Augmentation, View, random_view
from training.mirror import cut_window, mirror
from training.scenes import Scene, Thing

Matrix = NDArray[np.float64]  # [2, 3] from pixels of the still to pixels of a frame


@dataclass(frozen=True, slots=True)
class Motion:
    """How much things move, in pixels of the still for each frame.

    Attributes:
        is_on: whether a run makes its clips of stills; else its data are clips.
        drift: of the whole picture, at most.
        speed: of a thing, in a clip where they are the fastest: one standard deviation.
        turn: of a thing, in degrees, likewise; growth: of its size, as a share.
        change: share of the things that come or go within a clip.
        noise: standard deviation of what each frame adds to its pixels, at most.
    """

    is_on: bool = False
    drift: float = 4.0
    speed: float = 2.0
    turn: float = 3.0
    growth: float = 0.015
    change: float = 0.1
    noise: float = 0.01

    def __post_init__(self) -> None:
        for field in fields(self)[1:]:
            if getattr(self, field.name) < 0:
                raise ValueError(f"{field.name} cannot be {getattr(self, field.name)}")
        if self.change > 1:
            raise ValueError(f"change cannot be {self.change}; give at most 1")

    def margin(self, n_frames: int) -> int:
        """Pixels around a still that may come into view in a clip of so many frames."""
        return 12 + round((n_frames - 1) / 2 * (self.drift + self.speed))


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """Where everything is in each frame.

    Attributes:
        background: a matrix a frame.
        things: [frame][thing], or None where it is not there.
        order: of the things, from back to front.
    """

    background: list[Matrix]
    things: list[list[Matrix | None]]
    order: Sequence[int]


def make_clip(
    view: View,
    is_thing: NDArray[np.bool_],
    n_frames: int,
    motion: Motion,
    rng: np.random.Generator,
    *,
    margin: int = 0,
    n_images: int | None = None,
) -> list[View]:
    """Frames in a row, smaller than the still by a margin on each side.

    Args:
        is_thing: by semantic code.
        margin: what lies there may come into view.
        n_images: of so many of the last frames, the others are black; None is all.
    """
    scene = Scene(view, is_thing)
    paths = draw_paths(scene.things, view.labels.shape[:2], n_frames, motion, rng)
    noise = float(rng.uniform(0, motion.noise)) if motion.noise else 0.0
    first = 0 if n_images is None else n_frames - n_images
    frames = []
    for k in range(n_frames):
        frame = _put_together(scene, paths, k, margin, has_image=k >= first)
        if noise and k >= first:
            grain = rng.normal(0, noise, frame.image.shape[:2])[..., np.newaxis]
            frame = View((frame.image + grain).clip(0, 1).astype(np.float32), frame.labels)
        frames.append(frame)
    return frames


def draw_paths(
    things: Sequence[Thing],
    size: tuple[int, ...],
    n_frames: int,
    motion: Motion,
    rng: np.random.Generator,
) -> Paths:
    """Draw how everything moves; in the middle of the clip it is where it is in the still."""
    times: NDArray[np.float64] = np.arange(n_frames, dtype=np.float64) - (n_frames - 1) / 2
    n = len(things)
    angle = rng.uniform(0, 2 * np.pi)
    drift = motion.drift * rng.random() ** 2 * np.array([np.cos(angle), np.sin(angle)])
    whole_turn, whole_growth = rng.normal(0, [motion.turn / 8, motion.growth / 4])
    centre = (size[1] - 1) / 2, (size[0] - 1) / 2
    background = [
        _matrix(centre, t * whole_turn, np.exp(t * whole_growth), t * drift) for t in times
    ]
    liveliness = rng.random()
    shifts = _wander(n, times, motion.speed * liveliness, rng)
    turns = rng.normal(0, motion.turn * liveliness, n)
    growths = rng.normal(0, motion.growth * liveliness, n)
    births, deaths = _draw_lives(n, n_frames, motion.change, rng)
    paths: list[list[Matrix | None]] = []
    for k, t in enumerate(times):
        own = [
            _matrix(thing.middle, t * turns[i], np.exp(t * growths[i]), shifts[i, k])
            for i, thing in enumerate(things)
        ]
        is_there = (births <= k) & (k < deaths)
        both = [_after(m, background[k]) for m in own]
        paths.append([m if there else None for m, there in zip(both, is_there, strict=True)])
    return Paths(background, paths, rng.permutation(n).tolist())


def _wander(
    n: int, times: NDArray[np.float64], speed: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Ways [n, frames, 2]: a velocity that changes a little from frame to frame."""
    velocities = rng.normal(0, speed, (n, 1, 2)) + np.cumsum(
        rng.normal(0, speed / 4, (n, len(times), 2)), 1
    )
    ways = np.cumsum(velocities, 1)
    return ways - ways[:, [len(times) // 2]]


def _draw_lives(
    n: int, n_frames: int, change: float, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First frame of each thing, and the one after its last: few come or go within a clip."""
    births, deaths = np.zeros(n, np.int64), np.full(n, n_frames)
    when = rng.integers(1, max(n_frames, 2), n)
    kind = rng.random(n)
    births[kind < change / 2] = when[kind < change / 2]
    goes = (kind >= change / 2) & (kind < change)
    deaths[goes] = when[goes]
    return births, deaths


def _matrix(
    middle: tuple[float, float], degrees: float, scale: float, shift: NDArray[np.float64]
) -> Matrix:
    """Turn and scale about the middle, then shift."""
    turned = cv2.getRotationMatrix2D(middle, float(degrees), float(scale))
    matrix: Matrix = np.array(turned, np.float64)
    matrix[:, 2] += shift
    return matrix


def _after(first: Matrix, then: Matrix) -> Matrix:
    """One matrix that does what two do."""
    whole = np.vstack([first, [0.0, 0.0, 1.0]])
    both: Matrix = then @ whole
    return both


def _put_together(scene: Scene, paths: Paths, k: int, margin: int, *, has_image: bool) -> View:
    height, width = (side - 2 * margin for side in scene.labels.shape[:2])
    matrix = paths.background[k].copy()
    matrix[:, 2] -= margin
    labels = np.stack(
        [
            cv2.warpAffine(
                np.ascontiguousarray(scene.labels[..., channel]).astype(np.float32),
                matrix,
                (width, height),
                flags=cv2.INTER_NEAREST,
                borderMode=cv2.BORDER_REFLECT,
            )
            for channel in (0, 1)
        ],
        -1,
    ).astype(np.int32)
    image = np.zeros((height, width, 3), np.float32)
    if has_image:
        image = np.asarray(
            cv2.warpAffine(scene.image, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)
        )
    for i in paths.order:
        if (way := paths.things[k][i]) is not None:
            place = way.copy()
            place[:, 2] -= margin
            _lay_over(image, labels, scene.things[i], place, has_image=has_image)
    return View(image, labels)


def _lay_over(
    image: NDArray[np.float32],
    labels: NDArray[np.int32],
    thing: Thing,
    matrix: Matrix,
    *,
    has_image: bool,
) -> None:
    """Draw a thing over a frame, in place."""
    rows, columns = thing.shape.shape
    corners = np.array([[0, 0], [columns, 0], [0, rows], [columns, rows]], np.float64)
    placed = np.add(corners, (thing.left, thing.top)) @ matrix[:, :2].T + matrix[:, 2]
    left, top = np.floor(placed.min(0)).astype(int).clip(0)
    right, bottom = np.minimum(np.ceil(placed.max(0)).astype(int) + 1, labels.shape[1::-1])
    if right <= left or bottom <= top:
        return
    shifted = matrix.copy()
    shifted[:, 2] += matrix[:, :2] @ (thing.left, thing.top) - (left, top)
    window, size = (slice(top, bottom), slice(left, right)), (right - left, bottom - top)
    shape = cv2.warpAffine(thing.shape, shifted, size)
    labels[window][shape > 0.5] = thing.code, thing.number
    if has_image:
        cover = cv2.warpAffine(thing.cover, shifted, size)[..., np.newaxis]
        patch = cv2.warpAffine(thing.patch, shifted, size, borderMode=cv2.BORDER_REPLICATE)
        image[window] += cover * (patch - image[window])


def random_clip(
    view: View,
    is_thing: NDArray[np.bool_],
    n_frames: int,
    motion: Motion,
    rng: np.random.Generator,
    *,
    size: int | None = None,
    augmentation: Augmentation | None = None,
) -> list[View]:
    """A clip made of a picture, of which the last frame alone has an image.

    Args:
        size: of square views as `random_view` draws them; None is the whole picture as it is.
    """
    margin = motion.margin(n_frames)
    if size is None or augmentation is None:
        still = mirror(view, (margin, margin), (margin, margin), is_thing)
    else:
        side = int((size + 2 * margin) / augmentation.scale[0]) + 2
        window = cut_window(view, side, margin, is_thing, rng)
        still = random_view(window, size + 2 * margin, augmentation, rng)
    return make_clip(still, is_thing, n_frames, motion, rng, margin=margin, n_images=1)
