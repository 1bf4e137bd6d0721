"""Contrast is stretched between two percentiles of all channels together."""

import numpy as np

from core.model.prepare import contrast_table, look_up, stretch_contrast


def test_contrast_is_stretched_from_the_first_to_the_998th_permille() -> None:
    image = np.arange(3_000).reshape(20, 50, 3) % 200 // 2 + 50  # each of 50..149 as often
    stretched = stretch_contrast(image.astype(np.uint8))
    wanted = np.clip((image - 50) / (149 - 50), 0, 1)
    assert stretched.dtype == np.float32
    assert np.array_equal(stretched, wanted.astype(np.float32))


def test_an_even_image_becomes_black() -> None:
    assert not stretch_contrast(np.full((4, 4, 3), 70, np.uint8)).any()


def test_a_table_gives_what_indexing_it_does() -> None:
    image = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
    table = contrast_table(image)
    assert np.array_equal(look_up(table, image), table[image])
