"""The pixels behind an image record: of a file, or of one frame of a video."""

import numpy as np
from numpy.typing import NDArray

from core.errors import ImageError
from core.images import read_image
from core.store import ImageRecord
from core.video import Video


def read_record(record: ImageRecord) -> NDArray[np.uint8]:
    """Read the image, uint8 [H, W, 3] RGB, of the size at which it was added to the project.

    Raises:
        ImageError: the file is missing or damaged, or its size is another one now.
    """
    if record.frame is None:
        image = read_image(record.path)
    else:
        image = Video(record.path).read_frame(record.frame)
    height, width = image.shape[:2]
    if (height, width) != (record.height, record.width):
        raise ImageError(
            f"{record.path} has {width} x {height} pixels but was added to the project with "
            f"{record.width} x {record.height}; put the first image back to go on with its map."
        )
    return image
