"""The errors that the world can cause; each message is a sentence for the user.

AnnotateError
├── ImageError        an image file is missing, damaged, too large or of an unknown kind
├── ProjectError      a project file is missing, locked, full or too new
│   ├── DamagedProjectError   it holds what was never written to it
│   └── ProjectInUseError     another window or command writes to it
├── CocoError         a COCO panoptic file contradicts itself or cannot be written
├── CheckpointError   a model file is missing, damaged, or does not fit
│   └── BundleError   a TensorFlow checkpoint cannot be read
├── QueryError        what was typed to find images means nothing
└── TrainingError     a training run cannot begin or go on

A caller's mistake is a ValueError. Every message names the thing, the value, and what to do.
"""


class AnnotateError(Exception):
    """Something outside the program went wrong; `str(error)` is what the user reads."""


class ImageError(AnnotateError):
    """An image file is missing, damaged, too large or of an unknown kind."""


class ProjectError(AnnotateError):
    """A project file is missing, damaged, locked, full or of a newer version."""


class DamagedProjectError(ProjectError):
    """A project file holds what was never written to it; `core.recovery` saves what it can."""


class ProjectInUseError(ProjectError):
    """A project is open for writing elsewhere."""


class CocoError(AnnotateError):
    """A COCO panoptic file contradicts itself or cannot be written."""


class CheckpointError(AnnotateError):
    """A model file is missing, damaged, or does not fit the model."""


class BundleError(CheckpointError):
    """A TensorFlow checkpoint cannot be read."""


class QueryError(AnnotateError):
    """What was typed to find images means nothing."""


class TrainingError(AnnotateError):
    """A training run cannot begin or go on."""
