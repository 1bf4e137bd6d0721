"""Other looks of real pictures: what is seen changes, where it is seen does not."""

import numpy as np

from benchmarks.looks import STAINS, stain_brown, to_bright_field


def stained(**amounts) -> np.ndarray:
    """A picture of one pixel that stains have absorbed light in."""
    rows = {name: np.array(row) / np.linalg.norm(row) for name, row in STAINS.items()}
    density = sum(amount * rows[name] for name, amount in amounts.items())
    return np.round(255 * np.exp(-density)).clip(0, 255).astype(np.uint8)[None, None]


def test_each_stain_becomes_the_other_in_the_same_amount() -> None:
    both = stain_brown(stained(haematoxylin=0.8, eosin=0.5))
    expected = stained(diaminobenzidine=0.8, haematoxylin=0.5)
    assert np.abs(both.astype(int) - expected).max() <= 3


def test_glass_stays_white() -> None:
    assert stain_brown(np.full((2, 3, 3), 255, np.uint8)).min() > 250


def test_what_glowed_is_dark_in_a_bright_field_and_stays_where_it_was() -> None:
    picture = np.zeros((60, 80, 3), np.uint8)
    picture[20:40, 30:50] = 90
    seen = to_bright_field(picture, 1).mean(-1)
    inside = np.zeros((60, 80), bool)
    inside[23:37, 33:47] = True
    assert seen[inside].max() < seen[~inside & (picture[..., 0] == 0)].mean() - 60
    assert np.ptp([seen[:, :20].mean(), seen[:, 60:].mean()]) > 5  # one side is brighter


def test_a_seed_is_one_picture() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    assert (to_bright_field(picture, 3) == to_bright_field(picture, 3)).all()
    assert (to_bright_field(picture, 3) != to_bright_field(picture, 4)).any()
