"""Images read safely: whatever the file holds, the answer is u8 RGB or one clear sentence.

What a file stores becomes what an annotator sees:
- EXIF and TIFF orientation is applied, so rows run from top to bottom;
- values of more than 8 bits (16-bit, integer, float) are scaled linearly from the image's own
  minimum..maximum, taken over all colours, to 0..255; NaN becomes black;
- transparent pixels are laid over white, as a page or a viewer shows them;
- of an animation or a stack of pages, the first is read.
"""

import io
import re
import stat
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, TiffImagePlugin, UnidentifiedImageError

from core.depth import DEEP_MODES, Decoded, is_deep, swap_red_and_blue, to_array, to_rgb
from core.errors import ImageError

Rgb = NDArray[np.uint8]  # [H, W, 3]
Values = NDArray[Any]  # [H, W] or [H, W, 3] uint8, uint16, int32, float32 or float64

IMAGE_SUFFIXES: Final = frozenset(
    {".bmp", ".gif", ".jp2", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
)
VIDEO_SUFFIXES: Final = frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpg", ".webm"})
MAX_PIXELS: Final = 400_000_000
_FORMATS: Final = ("JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF", "PPM", "JPEG2000")
_TIFF_STARTS: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_WIDTH, _HEIGHT, _ORIENTATION = 256, 257, 274  # tags of TIFF, and so of EXIF

# `_check_size` looks at each header with our own limit; Pillow's would warn at 90 megapixels.
Image.MAX_IMAGE_PIXELS = None
# OpenCV prints what it dislikes about a file; our errors say it to the person who can act.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def read_image(
    path: Path,
    *,
    max_pixels: int = MAX_PIXELS,
    least_size: tuple[int, int] | None = None,
    is_wanted: Callable[[], bool] = lambda: True,
) -> Rgb:
    """Decode an image file as a person should see it.

    Args:
        path: of the file.
        max_pixels: an image with more is refused.
        least_size: (height, width) that will do for a small picture; a JPEG is then decoded at
            an eighth, a quarter or half of its size, which takes a fraction of the time.
        is_wanted: asked again and again while the file is read; False ends it.

    Returns:
        uint8 [H, W, 3], RGB, contiguous and writable; the module's docstring says how other
        kinds of pixels become these.

    Raises:
        ImageError: the file is missing, unreadable, empty, of an unknown kind, damaged, cut
            short, or has more than max_pixels; or it is no longer wanted.
    """
    with _reading(path, is_wanted) as file:
        decoded, orientation = _decode(path, file, max_pixels, least_size)
        return _turn(to_rgb(decoded), orientation)


def read_values(
    path: Path,
    *,
    max_pixels: int = MAX_PIXELS,
    least_size: tuple[int, int] | None = None,
    is_wanted: Callable[[], bool] = lambda: True,
) -> tuple[Rgb, Values]:
    """Decode an image file as `read_image` does, and keep its values as they are stored.

    Args:
        path: of the file.
        max_pixels: an image with more is refused.
        least_size: (height, width) that will do, as for `read_image`.
        is_wanted: asked again and again while the file is read; False ends it.

    Returns:
        The image, and its values [H, W] or [H, W, 3] as deep as in the file: uint16, int32,
        float32 or float64. Where the file has 8 bits, or opacity, they are the image itself.

    Raises:
        ImageError: as `read_image` does.
    """
    with _reading(path, is_wanted) as file:
        decoded, orientation = _decode(path, file, max_pixels, least_size)
        image = _turn(to_rgb(decoded), orientation)
        if isinstance(decoded, Image.Image) or not is_deep(decoded):
            return image, image
        return image, _turn(decoded, orientation)


def read_size(path: Path, *, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Read the height and width that `read_image` will return, from the file's header alone.

    Raises:
        ImageError: the file is missing, unreadable, empty, of an unknown kind, or has more than
            max_pixels; damage behind the header is not seen.
    """
    with _reading(path) as file:
        try:
            image = Image.open(file, formats=_FORMATS)
            is_tiff = image.format == "TIFF"
        except UnidentifiedImageError:
            is_tiff = True
        width, height = _tiff_size(file) if is_tiff else image.size
        _check_size(path, (width, height), max_pixels)
        is_turned = not is_tiff and _orientation(image) >= 5
        return (width, height) if is_turned else (height, width)


def list_images(folder: Path) -> list[Path]:
    """List the image files of a folder, img2 before img10, without hidden ones.

    Raises:
        ImageError: the folder is missing or cannot be listed.
    """
    try:
        return sorted(
            (
                path
                for path in folder.iterdir()
                if path.suffix.lower() in IMAGE_SUFFIXES
                and not path.name.startswith(".")
                and path.is_file()
            ),
            key=natural_key,
        )
    except OSError as error:
        raise ImageError(
            f"The folder {folder} cannot be listed ({error.strerror}); choose another one."
        ) from error


def natural_key(path: Path) -> tuple[list[tuple[int, int | str]], str]:
    """Sort key by which numbers inside names count as numbers and letter case does not."""
    parts = re.split(r"(\d+)", path.name.casefold())
    return [(0, int(p)) if p.isdecimal() else (1, p) for p in parts if p], path.name


def check_file(path: Path) -> None:
    """Make sure that a path names a file with something in it.

    Raises:
        ImageError: it is missing, a folder, a device, empty, or hidden by permissions.
    """
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise ImageError(f"{path} does not exist; check its name.") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ImageError(f"{path} cannot be read ({reason}); choose another file.") from error
    if stat.S_ISDIR(status.st_mode):
        raise ImageError(f"{path} is a folder; choose a file in it.")
    if not stat.S_ISREG(status.st_mode):
        raise ImageError(f"{path} is a device or pipe; choose a file.")
    if status.st_size == 0:
        raise ImageError(f"{path} is empty (0 bytes); copy or download it again.")


class _StoppableFile(io.FileIO):
    """A file that can be read only as long as somebody wants it."""

    def __init__(self, path: Path, is_wanted: Callable[[], bool]) -> None:
        super().__init__(path)
        self._path = path
        self._is_wanted = is_wanted

    def readinto(self, buffer: Any) -> int | None:
        if not self._is_wanted():
            raise ImageError(
                f"{self._path} was not read to its end: it is not wanted any more."
            )
        return super().readinto(buffer)


@contextmanager
def _reading(path: Path, is_wanted: Callable[[], bool] = lambda: True) -> Iterator[BinaryIO]:
    """Open a file and turn whatever goes wrong while it is decoded into an ImageError."""
    check_file(path)
    try:
        raw = _StoppableFile(path, is_wanted)
        with io.BufferedReader(raw) as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns where our errors speak
            yield file
    except ImageError:
        raise
    except UnidentifiedImageError as error:
        raise ImageError(
            f"{path} is of a kind that Bitbrush does not read; convert it to PNG, JPEG or TIFF."
        ) from error
    except MemoryError as error:
        raise ImageError(f"{path} does not fit in memory; scale it down.") from error
    except PermissionError as error:
        raise ImageError(
            f"{path} cannot be read ({error.strerror}); change its permissions."
        ) from error
    except Exception as error:  # Pillow meets damage with anything from KeyError to zlib.error
        raise ImageError(
            f"{path} is damaged or cut short; copy or download it again."
        ) from error


def _check_size(path: Path, size: tuple[int, int], max_pixels: int) -> None:
    width, height = size
    if min(size) < 1:
        raise ImageError(f"{path} is {width} x {height}, without a pixel; choose another file.")
    if width * height > max_pixels:
        raise ImageError(
            f"{path} has {width} x {height} pixels, more than the limit of "
            f"{max_pixels / 1e6:g} megapixels; scale it down or cut it into parts."
        )


def _orientation(image: Image.Image) -> int:
    """EXIF orientation 1..8; PNG's own method would decode all pixels to look behind them."""
    value = Image.Image.getexif(image).get(_ORIENTATION, 1)
    return value if value in range(1, 9) else 1


def _has_deep_colors(image: ImageFile.ImageFile) -> bool:
    """Whether the file has 16 bits a colour, of which Pillow keeps 8."""
    args = image.tile[0].args if image.tile else None
    raw_mode = args[0] if isinstance(args, tuple) else args
    return image.mode not in DEEP_MODES and ";16" in str(raw_mode)


def _tiff_size(file: BinaryIO) -> tuple[int, int]:
    """Width and height of a TIFF after rotation, also of those that Pillow cannot decode."""
    file.seek(0)
    header = file.read(8)
    if not header.startswith(_TIFF_STARTS):
        raise UnidentifiedImageError
    if header[2:4] in {b"+\0", b"\0+"}:  # BigTIFF
        header += file.read(8)
    tags = TiffImagePlugin.ImageFileDirectory_v2(header)
    file.seek(tags.next)
    tags.load(file)
    width, height = int(tags[_WIDTH]), int(tags[_HEIGHT])
    return (height, width) if tags.get(_ORIENTATION, 1) in range(5, 9) else (width, height)


def _decode(
    path: Path,
    file: BinaryIO,
    max_pixels: int,
    least_size: tuple[int, int] | None = None,
) -> tuple[Decoded, int]:
    """What a file stores, in an array where it has more than 8 bits, and its orientation."""
    try:
        image = Image.open(file, formats=_FORMATS)
    except UnidentifiedImageError:
        _check_size(path, _tiff_size(file), max_pixels)
        return _decode_deep(file), 1
    _check_size(path, image.size, max_pixels)
    orientation = 1 if image.format == "TIFF" else _orientation(image)  # load() turns TIFF
    has_deep_colors = _has_deep_colors(image)
    if least_size is not None:
        image.draft(None, least_size[::-1])
    image.load()  # OpenCV would return what is left of a file cut short
    if has_deep_colors:
        del image  # which may be large
        return _decode_deep(file), orientation
    return to_array(image) if is_deep(image) else image, orientation


def _decode_deep(file: BinaryIO) -> NDArray[Any]:
    """Decode by OpenCV, which keeps 16-bit and float colours: [H, W], or [H, W, 3 or 4]."""
    file.seek(0)
    data = np.frombuffer(file.read(), np.uint8)
    pixels = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise UnidentifiedImageError
    if pixels.ndim == 3:
        swap_red_and_blue(pixels)
    return np.asarray(pixels)


def _turn(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Carry out an EXIF orientation: 2 mirrors, 3 turns by 180 degrees, 5-8 swap the axes."""
    if orientation in {5, 6, 7, 8}:
        pixels = pixels.swapaxes(0, 1)
    if orientation in {3, 4, 7, 8}:
        pixels = pixels[::-1]
    if orientation in {2, 3, 6, 7}:
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)
