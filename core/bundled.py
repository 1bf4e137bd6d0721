"""Where the files that ship with the program are: starter models and sample images."""

from pathlib import Path
from typing import Final

import assets

ASSETS: Final = Path(assets.__file__).parent
SAMPLES: Final = ASSETS / "samples"
DEFAULT_MODEL: Final = "nuclei"
MODEL_SUFFIX: Final = ".safetensors"


def starter_models() -> dict[str, Path]:
    """The model files that ship with the program, by name, in alphabetical order."""
    files = (ASSETS / "models").glob(f"*{MODEL_SUFFIX}")
    return {path.stem: path for path in sorted(files, key=lambda path: path.stem)}


def find_model(name: str) -> Path:
    """The file of a starter model given by name, or else the path that was given."""
    return starter_models().get(name, Path(name))
