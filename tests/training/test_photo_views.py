"""Views of photographs: the authors' pipeline, number by number, and its random draws."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from core.model.config import COCO
from core.model.prepare import frame_for, to_input
from training.augment import View
from training.colour import (
    draw_changes,
    jitter,
    scale_brightness,
    scale_contrast,
    scale_saturation,
    to_grey,
    turn_hue,
)
from training.photo_views import (
    PhotoAugmentation,
    ViewDraws,
    draw_view,
    resize_image,
    resize_labels,
    scaled_size,
    take_view,
)


@pytest.fixture(scope="module")
def recorded(shared_dir):
    return np.load(shared_dir / "golden" / "transforms.npz")


@pytest.mark.parametrize("case", ["train_a", "train_b", "train_c", "train_d"])
def test_recorded_views(recorded, case):
    """All but the last bits of the image, and every label."""
    scale, offset, flip = recorded[f"{case}/draws"].tolist()
    draws = ViewDraws(scale, (offset, offset), flip > 0.5)
    view = take_view(View(recorded["in/image"], recorded["in/label_map"]), (48, 80), draws)
    assert np.allclose(view.image, recorded[f"{case}/image"], rtol=0, atol=5e-6)
    labels = resize_labels(view.labels, (24, 40))
    assert np.array_equal(labels, recorded[f"{case}/label_map"])
    had = scaled_size((50, 71), (48, 80), scale)
    unpadded = [min(h, w) for h, w in zip(had, (48, 80), strict=True)]
    assert unpadded == recorded[f"{case}/unpadded_image_size"].tolist()


def test_recorded_evaluation_view(recorded):
    """Pictures that are not trained on go into the network by `core.model.prepare`."""
    image, labels = recorded["in/image"], recorded["in/label_map"]
    config = replace(COCO, image_size=(48, 80), mask_size=(24, 40))
    frame = frame_for(config, *image.shape[:2])
    assert list(frame.content) == recorded["eval/unpadded_image_size"].tolist()
    assert list(frame.image) == recorded["eval/orig_image_size"].tolist()
    x = to_input(config, np.round(image * 255).astype(np.uint8), frame)
    found = x[0].permute(1, 2, 0).numpy()
    assert np.allclose(found, recorded["eval/image"], rtol=0, atol=5e-6)
    scaled = resize_labels(labels, frame.content)
    assert np.array_equal(scaled, recorded["eval/label_map"][: len(scaled), : scaled.shape[1]])


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("brightness_1.3", lambda image: scale_brightness(image, 1.3)),
        ("contrast_0.6", lambda image: scale_contrast(image, 0.6)),
        ("contrast_1.5", lambda image: scale_contrast(image, 1.5)),
        ("saturation_0.4", lambda image: scale_saturation(image, 0.4)),
        ("saturation_1.7", lambda image: scale_saturation(image, 1.7)),
        ("hue_0.15", lambda image: turn_hue(image, 0.15)),
        ("hue_-0.2", lambda image: turn_hue(image, -0.2)),
        ("gray", to_grey),
    ],
)
def test_recorded_colours(recorded, name, change):
    found = change(recorded["color/image"])
    assert found.dtype == np.float32
    assert np.allclose(found, recorded[f"color/{name}"], rtol=0, atol=2e-6)


def test_antialiasing_and_nearest_have_the_specified_values():
    row = np.array([0, 1, 4, 9, 16, 25], np.float32).reshape(1, 6, 1).repeat(3, 2)
    assert resize_image(row, (1, 3))[0, :, 0] == pytest.approx([1, 7, 18.857143], abs=2e-6)
    places = np.arange(8, dtype=np.int32).reshape(1, 8)
    assert resize_labels(places, (1, 4)).tolist() == [[1, 3, 5, 7]]
    assert resize_labels(places, (1, 3)).tolist() == [[1, 4, 6]]
    assert resize_labels(places[:, :3], (1, 8)).tolist() == [[0, 0, 0, 1, 1, 2, 2, 2]]


def test_colour_comes_after_crop_and_flip_and_before_the_padding():
    """Contrast is about the mean of what was cropped, and the padding keeps its grey."""
    rng = np.random.default_rng(0)
    view = View(rng.random((20, 60, 3), np.float32), np.ones((20, 60, 2), np.int32))
    draws = ViewDraws(1.5, (0.0, 0.5), is_flipped=True)
    changes = (("contrast", 0.5), ("brightness", 1.3))
    plain = take_view(view, (32, 48), draws)
    found = take_view(view, (32, 48), replace(draws, changes=changes, is_grey=True))
    height = int(np.count_nonzero(plain.labels[:, 0, 0]))
    assert 0 < height < 32 and (found.image[height:] == np.float32(0.3)).all()
    assert np.array_equal(found.labels, plain.labels)
    expected = to_grey(jitter(plain.image[:height], changes))
    assert np.allclose(found.image[:height], expected, rtol=0, atol=2e-6)


@pytest.mark.parametrize("size", [(7, 11), (31, 60)])
def test_bicubic_is_antialiased_with_the_kernel_that_pillow_has(size):
    """Keys' kernel with a = -0.5, as TensorFlow's; without antialiasing PyTorch has -0.75."""
    image = np.random.default_rng(0).random((20, 30, 3), np.float32)
    found = resize_image(image, size, "bicubic")
    for channel in range(3):
        pillow = Image.fromarray(image[..., channel])
        wanted = np.array(pillow.resize(size[::-1], Image.Resampling.BICUBIC))
        assert np.allclose(found[..., channel], wanted, rtol=0, atol=2e-6)


def test_draws_lie_in_their_ranges_and_axes_are_independent_unless_shared():
    rng = np.random.default_rng(0)
    augmentation = PhotoAugmentation((1.0, 3.0), colour=1.0)
    draws = [draw_view(augmentation, rng) for _ in range(400)]
    scales = [d.scale for d in draws]
    assert 1 <= min(scales) < 1.05 and 2.95 < max(scales) <= 3
    assert 0.4 < np.mean([d.is_flipped for d in draws]) < 0.6
    assert 0.72 < np.mean([bool(d.changes) for d in draws]) < 0.88
    assert 0.13 < np.mean([d.is_grey for d in draws]) < 0.27
    assert abs(np.corrcoef(*zip(*(d.offset for d in draws), strict=True))[0, 1]) < 0.2
    shared = draw_view(replace(augmentation, has_shared_offset=True), rng)
    assert shared.offset[0] == shared.offset[1]


def test_colours_change_within_the_strength_and_in_any_order():
    rng = np.random.default_rng(1)
    drawn = [changes for _ in range(300) if (changes := draw_changes(0.5, rng))]
    assert {changes[0][0] for changes in drawn} == {
        "brightness",
        "contrast",
        "saturation",
        "hue",
    }
    amounts = {name: [dict(c)[name] for c in drawn] for name in ("brightness", "hue")}
    assert min(amounts["brightness"]) >= 0.6 and max(amounts["brightness"]) <= 1.4
    assert -0.1 <= min(amounts["hue"]) < -0.08 and 0.08 < max(amounts["hue"]) <= 0.1


def test_without_augmentation_nothing_but_the_flip_is_drawn():
    rng = np.random.default_rng(0)
    draws = [draw_view(PhotoAugmentation(has_flips=False), rng) for _ in range(20)]
    assert all(d.scale == 1 and not d.is_flipped and not d.changes for d in draws)


@pytest.mark.parametrize(
    "wrong", [{"scale": (2.0, 1.0)}, {"scale": (0.0, 1.0)}, {"colour": -1.0}]
)
def test_an_impossible_augmentation_is_refused(wrong):
    with pytest.raises(ValueError, match="cannot be"):
        PhotoAugmentation(**wrong)


def test_strong_scale_jitter_leaves_void_around_a_small_picture():
    whole = View(np.ones((50, 100, 3), np.float32), np.ones((50, 100, 2), np.int32))
    small = take_view(whole, (64, 64), ViewDraws(scale=0.1, offset=(0.9, 0.9)))
    assert np.allclose(small.image[:3, :6], 1) and small.labels[:3, :6].all()
    assert np.count_nonzero(small.labels) == 2 * 3 * 6
    assert np.count_nonzero(small.image == np.float32(0.3)) == 3 * (64 * 64 - 3 * 6)


def test_a_photograph_resized_as_bytes_differs_by_rounding_alone() -> None:
    image = np.random.default_rng(3).integers(0, 256, (97, 130, 3), np.uint8)
    exact = resize_image(image, (40, 52))
    rounded = resize_image(image, (40, 52), "bytes")
    assert rounded.dtype == np.uint8
    assert np.abs(rounded - 255 * exact).max() <= 1.01


def test_a_view_is_float_however_the_photograph_was_resized() -> None:
    image = np.random.default_rng(3).integers(0, 256, (60, 80, 3), np.uint8)
    whole = View(image, np.zeros((60, 80, 2), np.int32))
    exact, rounded = (
        take_view(whole, (32, 32), ViewDraws(1.5), how).image for how in ("bilinear", "bytes")
    )
    assert rounded.dtype == exact.dtype == np.float32
    assert np.abs(rounded - exact).max() <= 1.01 / 255
