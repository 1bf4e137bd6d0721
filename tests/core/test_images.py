"""Whatever a file holds, reading it gives what a person should see or one sentence."""

import contextlib
import os
import struct
import warnings
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from core.errors import ImageError
from core.images import list_images, read_image, read_size, read_values

ALL_KINDS = [
    *("1", "L", "LA", "P", "RGB", "RGBA", "I;16", "F"),
    *("turned.jpg", "cmyk.jpg", "deep.png", "deep.tif", "float.tif", "photo.webp"),
]


def save(image: Image.Image, path: Path, **options) -> Path:
    image.save(path, **options)
    return path


def gradient(height: int = 24, width: int = 40) -> np.ndarray:
    """An RGB image in which every pixel differs: u8 [height, width, 3]."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows * 10, columns * 6, (rows + columns) * 3], axis=2).astype(np.uint8)


def write_tiff(path: Path, pixels: np.ndarray, orientation: int = 1, sample_format: int = 1):
    """An uncompressed TIFF of any depth, by hand: Pillow writes no deep colours."""
    height, width, channels = pixels.shape
    body = pixels.tobytes()
    depth = 8 * pixels.itemsize
    tags = [
        *((256, 3, 1, width), (257, 3, 1, height), (258, 3, 1, depth), (259, 3, 1, 1)),
        *((262, 3, 1, 2 if channels == 3 else 1), (273, 4, 1, 8), (274, 3, 1, orientation)),
        *((277, 3, 1, channels), (278, 3, 1, height), (279, 4, 1, len(body))),
        (339, 3, 1, sample_format),
    ]
    end = 8 + len(body) + 2 + 12 * len(tags) + 4
    depths = struct.pack("<3H", depth, depth, depth)
    entries = []
    for tag, kind, count, value in tags:
        is_per_channel = tag == 258 and channels == 3
        entries.append(
            struct.pack("<HHII", tag, kind, 3, end)
            if is_per_channel
            else struct.pack("<HHII", tag, kind, count, value)
        )
    directory = struct.pack("<H", len(tags)) + b"".join(entries) + struct.pack("<I", 0)
    path.write_bytes(b"II*\0" + struct.pack("<I", 8 + len(body)) + body + directory + depths)
    return path


def make(kind: str, folder: Path) -> Path:
    """One small file of each kind."""
    image = Image.fromarray(gradient())
    exif = Image.Exif()
    if kind == "turned.jpg":
        exif[274] = 6
    if kind in {"deep.png", "deep.tif"}:
        cv2.imwrite(str(folder / kind), gradient().astype(np.uint16) * 257)
        return folder / kind
    if kind == "float.tif":
        return write_tiff(folder / kind, gradient().astype(np.float32), sample_format=3)
    if "." in kind:
        image = image.convert("CMYK") if kind == "cmyk.jpg" else image
        return save(image, folder / kind, exif=exif)
    if kind == "I;16":
        return save(Image.fromarray(gradient()[..., 0].astype(np.uint16)), folder / "16.png")
    suffix = ".tif" if kind == "F" else ".png"
    return save(image.convert(kind), folder / f"{kind}{suffix}")


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_every_kind_becomes_contiguous_writable_rgb_of_the_size_read(kind, tmp_path):
    path = make(kind, tmp_path)
    image = read_image(path)
    assert image.dtype == np.uint8
    assert image.shape == (*read_size(path), 3)
    assert image.flags.c_contiguous
    assert image.flags.writeable


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".ppm", ".webp"])
def test_lossless_files_are_read_exactly(suffix, tmp_path):
    options = {"lossless": True} if suffix == ".webp" else {}
    path = save(Image.fromarray(gradient()), tmp_path / f"image{suffix}", **options)
    assert np.array_equal(read_image(path), gradient())


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(orientation, suffix, tmp_path):
    seen = gradient()
    stored = {
        1: seen,
        2: seen[:, ::-1],
        3: np.rot90(seen, 2),
        4: seen[::-1],
        5: seen.transpose(1, 0, 2),
        6: np.rot90(seen, 1),
        7: np.rot90(seen, 2).transpose(1, 0, 2),
        8: np.rot90(seen, -1),
    }[orientation]
    exif = Image.Exif()
    exif[274] = orientation
    options = {"lossless": True} if suffix == ".webp" else {}
    image = Image.fromarray(np.ascontiguousarray(stored))
    path = save(image, tmp_path / f"turned{suffix}", exif=exif, **options)
    assert np.array_equal(read_image(path), seen)
    assert read_size(path) == seen.shape[:2]


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_orientation_is_applied_to_deep_tiff(dtype, tmp_path):
    seen = gradient()
    seen[0, 0] = 0
    seen[0, 1] = 255
    stored = np.ascontiguousarray(np.rot90(seen, 1)).astype(dtype)
    sample_format = 3 if dtype == "float32" else 1
    path = write_tiff(tmp_path / "deep.tif", stored, 6, sample_format)
    assert np.array_equal(read_image(path), seen)
    assert read_size(path) == seen.shape[:2]


@pytest.mark.parametrize("orientation", [0, 9, 700])
def test_an_orientation_that_exif_does_not_know_is_ignored(orientation, tmp_path):
    exif = Image.Exif()
    exif[274] = orientation
    path = save(Image.fromarray(gradient()), tmp_path / "odd.png", exif=exif)
    assert np.array_equal(read_image(path), gradient())


def test_sixteen_bit_grey_is_scaled_from_its_own_range(tmp_path):
    values = np.array([[1000, 1100], [1200, 1510]], np.uint16)
    path = save(Image.fromarray(values), tmp_path / "dim.png")
    assert read_image(path)[..., 0].tolist() == [[0, 50], [100, 255]]


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bit_colours_share_one_range(suffix, tmp_path):
    rgb = np.array([[[1000, 1100, 1200], [1510, 1000, 1001]]], np.uint16)
    path = tmp_path / f"deep{suffix}"
    cv2.imwrite(str(path), rgb[..., ::-1])
    assert read_image(path).tolist() == [[[0, 50, 100], [255, 0, 1]]]


def test_sixteen_bit_opacity_is_not_stretched(tmp_path):
    rgba = np.array([[[0, 0, 0, 65_535], [65_535, 0, 0, 32_768]]], np.uint16)
    path = tmp_path / "deep.png"
    cv2.imwrite(str(path), rgba[..., [2, 1, 0, 3]])
    assert read_image(path).tolist() == [[[0, 0, 0], [255, 127, 127]]]


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_a_constant_deep_image_is_black(dtype, tmp_path):
    image = Image.fromarray(np.full((3, 4), 700, dtype))
    assert not read_image(save(image, tmp_path / "flat.tif")).any()


def test_nan_is_black_and_infinity_is_the_end_of_the_range(tmp_path):
    values = np.array([[np.nan, np.inf], [-1, 1]], np.float32)
    image = read_image(save(Image.fromarray(values), tmp_path / "float.tif"))
    assert image[..., 0].tolist() == [[0, 255], [0, 255]]


def test_the_widest_float_range_neither_warns_nor_fails(tmp_path):
    values = np.array([[-3e38, 3e38]], np.float32)
    image = read_image(save(Image.fromarray(values), tmp_path / "wide.tif"))
    assert image[..., 0].tolist() == [[0, 255]]


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_values_belong_to_the_image_that_is_read_with_them(kind, tmp_path):
    path = make(kind, tmp_path)
    image, values = read_values(path)
    np.testing.assert_array_equal(image, read_image(path))
    assert values.shape[:2] == image.shape[:2]
    assert (values is image) == (kind not in {"I;16", "F", "deep.png", "deep.tif", "float.tif"})


@pytest.mark.parametrize("orientation", range(1, 9))
def test_deep_values_are_the_files_own_and_turned(orientation, tmp_path):
    stored = np.arange(35, dtype=np.uint16).reshape(5, 7) * 1000
    exif = Image.Exif()
    exif[274] = orientation
    path = save(Image.fromarray(stored), tmp_path / "deep.png", exif=exif)
    image, values = read_values(path)
    assert values.dtype == np.uint16
    assert sorted(values.ravel().tolist()) == stored.ravel().tolist()
    assert np.array_equal(np.argsort(values, axis=None), np.argsort(image[..., 0], axis=None))


def test_deep_colours_and_numbers_from_other_machines_keep_their_values(tmp_path):
    rgb = np.array([[[1000, 1100, 1200], [1510, 1000, 1001]]], np.uint16)
    cv2.imwrite(str(tmp_path / "deep.png"), rgb[..., ::-1])
    assert np.array_equal(read_values(tmp_path / "deep.png")[1], rgb)
    foreign = Image.fromarray(np.array([[1, 256]], ">u2"))
    values = read_values(save(foreign, tmp_path / "foreign.tif"))[1]
    assert values.tolist() == [[1, 256]]
    assert values.dtype.isnative


def test_transparency_is_laid_over_white(tmp_path):
    rgba = np.array([[[0, 0, 0, 0], [0, 100, 200, 255], [255, 0, 0, 51]]], np.uint8)
    path = save(Image.fromarray(rgba), tmp_path / "clear.png")
    assert read_image(path).tolist() == [[[255, 255, 255], [0, 100, 200], [255, 204, 204]]]


def test_a_transparent_palette_entry_is_white(tmp_path):
    image = Image.fromarray(np.array([[0, 1]], np.uint8), "L").convert("P")
    image.putpalette([10, 20, 30, 40, 50, 60])
    path = save(image, tmp_path / "palette.png", transparency=bytes([255, 0]))
    assert read_image(path).tolist() == [[[10, 20, 30], [255, 255, 255]]]


def test_cmyk_jpeg_has_its_colours_and_not_their_negative(tmp_path):
    cmyk = Image.new("CMYK", (32, 32), (0, 255, 255, 0))
    path = save(cmyk, tmp_path / "red.jpg", quality=100)
    red, green, blue = read_image(path)[16, 16]
    assert red > 245
    assert max(green, blue) < 10


def test_one_bit_is_black_and_white(tmp_path):
    image = Image.fromarray(np.array([[False, True]]))
    path = save(image, tmp_path / "bits.tif")
    assert read_image(path).tolist() == [[[0] * 3, [255] * 3]]


def test_the_first_frame_of_an_animation_is_read(tmp_path):
    frames = [Image.new("RGB", (5, 4), color) for color in ("red", "blue")]
    path = save(frames[0], tmp_path / "two.gif", save_all=True, append_images=frames[1:])
    assert read_image(path)[0, 0].tolist() == [255, 0, 0]


def test_real_photos_are_read_as_opencv_reads_them(shared_dir):
    for path in list_images(shared_dir / "data/coco_panoptic/val/images")[:8]:
        expected = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        assert np.abs(read_image(path).astype(int) - expected).max() <= 3


# What goes wrong


def test_missing_empty_folder_and_pipe_are_named(tmp_path):
    (tmp_path / "empty.png").touch()
    os.mkfifo(tmp_path / "pipe.png")
    for name, words in [
        ("none.png", "does not exist"),
        ("empty.png", "is empty"),
        (".", "is a folder"),
        ("pipe.png", "device or pipe"),
        ("nul\0.png", "cannot be read"),
        ("long" * 100, "cannot be read"),
    ]:
        for read in (read_image, read_size):
            with pytest.raises(ImageError, match=words):
                read(tmp_path / name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_forbidden_file_is_named(tmp_path):
    path = save(Image.new("L", (4, 4)), tmp_path / "secret.png")
    path.chmod(0)
    with pytest.raises(ImageError, match="permissions"):
        read_image(path)


@pytest.mark.parametrize(
    "content", [b"just text", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"%PDF-1.4", b"\0" * 100]
)
def test_an_unknown_kind_is_named(content, tmp_path):
    (tmp_path / "notes.jpg").write_bytes(content)
    with pytest.raises(
        ImageError, match=r"notes\.jpg is of a kind that Bitbrush does not read"
    ):
        read_image(tmp_path / "notes.jpg")


@pytest.mark.parametrize("kind", ["RGB", "P", "turned.jpg", "deep.png", "deep.tif", "I;16"])
def test_a_file_cut_short_is_an_error_and_not_half_an_image(kind, tmp_path):
    path = make(kind, tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(ImageError, match="damaged or cut short"):
        read_image(path)


def test_a_decompression_bomb_is_refused_by_its_header(tmp_path):
    bomb = bytearray(save(Image.new("1", (8, 8)), tmp_path / "bomb.png").read_bytes())
    header = struct.pack(">II", 60_000, 50_000) + bytes(bomb[24:29])
    bomb[16:29] = header
    bomb[29:33] = struct.pack(">I", zlib.crc32(b"IHDR" + header))
    (tmp_path / "bomb.png").write_bytes(bomb)
    for read in (read_image, read_size):
        with pytest.raises(
            ImageError, match="60000 x 50000 pixels, more than the limit of 400"
        ):
            read(tmp_path / "bomb.png")


def test_an_image_without_pixels_is_named(tmp_path):
    (tmp_path / "none.ppm").write_bytes(b"P6 0 5 255\n")
    for read in (read_image, read_size):
        with pytest.raises(ImageError, match=r"none\.ppm"):
            read(tmp_path / "none.ppm")


def test_a_bomb_that_only_opencv_reads_is_refused_too(tmp_path):
    path = write_tiff(tmp_path / "float.tif", gradient().astype(np.float32), sample_format=3)
    with pytest.raises(ImageError, match="more than the limit"):
        read_image(path, max_pixels=100)


def test_a_hundred_megapixels_are_no_bomb(tmp_path):
    path = save(Image.new("1", (10_000, 10_000), 1), tmp_path / "large.png")
    assert read_size(path) == (10_000, 10_000)
    assert read_image(path).shape == (10_000, 10_000, 3)


@pytest.mark.parametrize("kind", ALL_KINDS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_gives_an_image_or_a_sentence(kind, tmp_path, data):
    path = make(kind, tmp_path)
    damaged = bytearray(path.read_bytes())
    places = st.integers(0, len(damaged) - 1)
    for place in data.draw(st.lists(places, min_size=1, max_size=8)):
        damaged[place] = data.draw(st.integers(0, 255))
    path.write_bytes(damaged[: data.draw(st.integers(1, len(damaged)))])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for read in (read_image, read_size):
            with contextlib.suppress(ImageError):
                read(path, max_pixels=100_000)


# Folders


def test_reading_ends_as_soon_as_nobody_wants_the_image(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (600, 600, 3)).astype(np.uint8)
    path = save(Image.fromarray(noise), tmp_path / "noise.png")
    answers = iter([True] * 5)
    with pytest.raises(ImageError, match="was not read to its end"):
        read_image(path, is_wanted=lambda: next(answers, False))
    assert np.array_equal(read_image(path), noise)


def test_a_jpeg_is_read_smaller_where_that_will_do(tmp_path):
    path = save(Image.fromarray(gradient(800, 1200)), tmp_path / "large.jpg")
    assert read_image(path, least_size=(108, 144)).shape == (200, 300, 3)
    assert read_image(path, least_size=(900, 144)).shape == (800, 1200, 3)


def test_images_are_listed_in_natural_order_without_hidden_or_other_files(tmp_path):
    names = ["img10.png", "img2.PNG", "Img1.tif", "a.webp", "2.png", "10.png", "img02.png"]
    for name in [*names, ".hidden.png", "notes.txt", "._img1.png"]:
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    listed = [path.name for path in list_images(tmp_path)]
    assert listed == [
        *("2.png", "10.png", "a.webp", "Img1.tif", "img02.png", "img2.PNG", "img10.png"),
    ]


def test_a_folder_that_cannot_be_listed_is_named(tmp_path):
    with pytest.raises(ImageError, match="cannot be listed"):
        list_images(tmp_path / "none")
