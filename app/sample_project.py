"""The project that opens when none was asked for: the bundled images, copied for the user."""

import shutil
from pathlib import Path
from typing import Final

from app.folders import data_folder
from core.bundled import DEFAULT_MODEL, SAMPLES, starter_models
from core.images import list_images
from core.model_card import read_card
from core.panoptic import Category
from core.store import PROJECT_NAME, AnnotationStore

CATEGORIES: Final = (
    Category(1, "nucleus", is_thing=True, color=(229, 134, 6)),
    Category(2, "background", is_thing=False, color=(93, 105, 177)),
)


def make_sample_folder() -> Path:
    """The folder of the sample images and their project; what is there already is kept.

    Raises:
        AnnotateError: the folder cannot be written, or the starter model is damaged.
    """
    folder = data_folder() / "samples"
    folder.mkdir(exist_ok=True)
    for image in list_images(SAMPLES):
        copy = folder / image.name
        if not copy.exists():
            part = copy.with_suffix(".part")
            shutil.copyfile(image, part)
            part.replace(copy)
    if not (folder / PROJECT_NAME).exists():
        model = starter_models().get(DEFAULT_MODEL)
        categories = read_card(model).categories if model else CATEGORIES
        name = DEFAULT_MODEL if model else ""
        AnnotationStore.create(folder / PROJECT_NAME, categories, name).close()
    return folder
