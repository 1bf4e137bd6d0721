"""What two models came to on each image of a hold-out, in the file of whoever measured it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from core.errors import TrainingError
from core.model_comparison import Comparison, ImageScore, compare_models
from core.panoptic import Category

REPORT_NAME: Final = "comparison.json"
GALLERY_FOLDER: Final = "gallery"


@dataclass(frozen=True, slots=True)
class GateReport:
    """Scores of the current model and of a candidate on the same images.

    Attributes:
        categories: of the truth.
        bad: what was wrong with images that are left out, one sentence each.
        pictures: of some images, by their names: a file with the image, the approved map, the
            current model's and the candidate's in one row.
    """

    categories: tuple[Category, ...]
    current: Sequence[ImageScore]
    candidate: Sequence[ImageScore]
    bad: tuple[str, ...] = ()
    pictures: Mapping[str, Path] = field(default_factory=dict)

    def compare(self) -> Comparison:
        """Which is better, and how sure that is."""
        return compare_models(self.current, self.candidate, self.categories)

    @property
    def is_same(self) -> bool:
        """Whether the candidate is no other than the current model, as far as is measured."""
        return list(self.current) == list(self.candidate)

    def to_json(self) -> str:
        """The report as text, to be kept beside the folder of the pictures."""
        fields: dict[str, Any] = {
            "categories": [asdict(category) for category in self.categories],
            "current": [score.to_json() for score in self.current],
            "candidate": [score.to_json() for score in self.candidate],
            "bad": self.bad,
            "pictures": {
                name: f"{GALLERY_FOLDER}/{file.name}" for name, file in self.pictures.items()
            },
        }
        return json.dumps(fields)


def read_report(path: Path) -> GateReport:
    """The report in a file.

    Raises:
        TrainingError: it cannot be read.
    """
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        categories = tuple(
            Category(**{**category, "color": tuple(category["color"])})
            for category in fields["categories"]
        )
        current, candidate = (
            [ImageScore.from_json(score) for score in fields[side]]
            for side in ("current", "candidate")
        )
        files = fields.get("pictures", {})  # none before there was a gallery
        pictures = {name: path.parent / file for name, file in files.items()}
        return GateReport(categories, current, candidate, tuple(fields["bad"]), pictures)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TrainingError(
            f"The comparison {path} cannot be read ({error}); remove it, so that the models "
            "are measured again."
        ) from error


def scores_of(comparison: Comparison, base: str) -> Mapping[str, Any]:
    """What is kept of a version: how it did beside the model that it went on from.

    Args:
        base: that model, as the project names it.
    """
    overall = comparison.overall
    return {
        "base": base,
        "images": len(comparison.images),
        "pq": overall.pq.candidate.value,
        "sq": overall.sq.candidate.value,
        "rq": overall.rq.candidate.value,
        "seconds": comparison.seconds.candidate.value,
        "base_pq": overall.pq.current.value,
        "base_seconds": comparison.seconds.current.value,
        "verdict": str(comparison.verdict),
    }
