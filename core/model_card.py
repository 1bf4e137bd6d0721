"""What a model file says about itself, read without torch so that the window can show it.

A checkpoint is one safetensors file; its metadata holds the network's configuration and this
card as JSON.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from core.errors import CheckpointError
from core.panoptic import Category
from core.proposals import SamplingOptions

FORMAT: Final = "bitbrush-model-1"
MAX_HEADER_BYTES: Final = 100 * 2**20


@dataclass(frozen=True, slots=True)
class ModelCard:
    """Who the model is, what it knows, and how it came to be.

    Attributes:
        name: short, unique among the models that a user has.
        summary: one line on what the model was trained on and is good for.
        categories: in the order of the network's semantic codes 1, 2, ...; 0 is void.
        sampling: the steps, td and filters that scored best; the program's defaults.
        licence: of the weights.
        training: data hash, command, steps, hours and scores, as the recipe recorded them.
    """

    name: str
    summary: str
    categories: tuple[Category, ...]
    sampling: SamplingOptions = SamplingOptions()
    licence: str = "Apache-2.0"
    training: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "ModelCard":
        """The card that `to_json` wrote.

        Raises:
            ValueError: the text is no card.
        """
        try:
            fields = json.loads(text)
            categories = tuple(
                Category(**{**category, "color": tuple(category["color"])})
                for category in fields.pop("categories")
            )
            sampling = SamplingOptions(**fields.pop("sampling"))
            return cls(categories=categories, sampling=sampling, **fields)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"the model card lacks or misnames a field: {error}") from error


def read_metadata(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file of ours, without reading its tensors.

    Raises:
        CheckpointError: the file is missing, no safetensors file, cut short, or not a model.
    """
    try:
        with path.open("rb") as file:
            prefix = file.read(8)
            (size,) = struct.unpack("<Q", prefix) if len(prefix) == 8 else (0,)
            header = file.read(size) if 0 < size <= MAX_HEADER_BYTES else b""
        if len(header) != size or not header.startswith(b"{"):
            raise CheckpointError(
                f"{path} is not a safetensors file or was cut short; choose another model file."
            )
        metadata = json.loads(header).get("__metadata__") or {}
    except OSError as error:
        raise CheckpointError(
            f"The model file {path} cannot be read ({error.strerror}); choose another one."
        ) from error
    except ValueError as error:
        raise CheckpointError(
            f"{path} has a damaged header; copy or download the model file again."
        ) from error
    if metadata.get("format") != FORMAT:
        raise CheckpointError(
            f"{path} is a safetensors file but no Bitbrush model; foreign weights come in "
            "with 'bitbrush import-weights'."
        )
    return metadata


def read_card(path: Path) -> ModelCard:
    """The card of a model file.

    Raises:
        CheckpointError: the file is missing, damaged or no model of this program.
    """
    try:
        return ModelCard.from_json(read_metadata(path)["card"])
    except (KeyError, ValueError) as error:
        raise CheckpointError(
            f"The model file {path} has no readable card; copy or download it again."
        ) from error
