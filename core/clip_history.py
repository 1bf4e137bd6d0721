"""Steps of undo that reach over several images: a run through a clip, a change of all of it.

The journal of each image has its own edit, saved as soon as it is made, so that a killed run
keeps what it has done. Edits of one step have one number, and go back and forth together.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Final

import numpy as np

from core.authors import A_PERSON, Author
from core.errors import ProjectError
from core.history import ProjectHistory
from core.journal import decode_segments, encode_edit
from core.panoptic import Edit
from core.review import VERDICTS

_LAST: Final = "last_joint_step"  # of the settings
_NOTHING: Final = np.zeros((0, 0), np.uint16)
_MEMBERS: Final = (
    "SELECT joint_edit.image_id, seq, position, review FROM joint_edit "
    "JOIN image ON image.id = joint_edit.image_id WHERE step = ? ORDER BY joint_edit.image_id"
)


@dataclass(frozen=True, slots=True)
class JointStep:
    """A step over several images, as undo or redo would take it.

    Attributes:
        number: of the step.
        label: of its edits.
        image_ids: of the images that it would change; without those where it is done already.
        held_by: the first image that prevents it; None if nothing does.
        reason: why, as the end of a sentence about that image.
    """

    number: int
    label: str
    image_ids: tuple[int, ...]
    held_by: int | None = None
    reason: str = ""


class ProjectJointSteps(ProjectHistory):
    """The part of `AnnotationStore` about steps over several images."""

    def new_joint_step(self) -> int:
        """A number that no step has had yet, for `append_joint`."""
        with self._writing():
            return self._new_joint_step()

    def append_joint(
        self, edits: Mapping[int, Edit], step: int | None = None, author: Author = A_PERSON
    ) -> None:
        """Commit edits of several images together, as one step or a part of one.

        An edit that changes nothing leaves no trace.

        Args:
            edits: by image, each made for its present map.
            step: the number of the step that they belong to; None for a new one.
            author: who made them.

        Raises:
            ValueError: an edit lies outside its image.
        """
        some = {i: (edit, encode_edit(edit)) for i, edit in edits.items() if not edit.is_empty}
        if not some:
            return
        with self._writing():
            number = self._new_joint_step() if step is None else step
            for image_id, (edit, payload) in some.items():
                seq = self._append(image_id, edit, payload, author, keeps_review=False)
                row = image_id, seq, number
                self._execute("INSERT INTO joint_edit VALUES (?, ?, ?)", *row)

    def next_id_of(self, image_ids: Iterable[int]) -> int:
        """The smallest segment id that none of some images has ever used."""
        ids = json.dumps(list(image_ids))
        statement = (
            "SELECT max(next_id) FROM image WHERE id IN (SELECT value FROM json_each(?))"
        )
        return int(self._execute(statement, ids)[0][0] or 1)

    def joint_step(self, image_id: int, *, forwards: bool) -> JointStep | None:
        """The step over several images that undo of an image, or redo, is about.

        A frame holds it up that was changed since, or approved or rejected as it is; the image
        itself may be, as in any undo.

        Returns:
            None if undo is about this image alone.
        """
        place = self._place(image_id)
        seq = place.position + 1 if forwards else place.position
        rows = self._execute(
            "SELECT step, label FROM joint_edit JOIN edit USING (image_id, seq) "
            "WHERE image_id = ? AND seq = ?",
            image_id,
            seq,
        )
        if not rows:
            return None
        number, label = rows[0]
        from_here = -1 if forwards else 0
        images = []
        for other, other_seq, position, review in self._execute(_MEMBERS, number):
            way = position - other_seq - from_here  # 0 where the step is next
            if way == 0 and review in VERDICTS and other != image_id:
                return JointStep(number, label, (), other, f"is {review}")
            if way == 0:
                images.append(other)
            elif (way < 0) == forwards:
                reason = "lacks earlier steps now" if forwards else "was changed since"
                return JointStep(number, label, (), other, reason)
        return JointStep(number, label, tuple(images))

    def take_joint_step(self, image_id: int, *, forwards: bool) -> tuple[JointStep, Edit]:
        """Commit a step back, or forward again, of all its images.

        Returns:
            What was done, and the edit that does it in the map of this image.

        Raises:
            ProjectError: a frame holds it up.
            ValueError: undo, or redo, is about this image alone.
        """
        step = self.joint_step(image_id, forwards=forwards)
        if step is None:
            raise ValueError(f"image {image_id} has no step over several images there")
        if step.held_by is not None:
            raise ProjectError(
                f"'{step.label}' is one step over several images and cannot be taken "
                f"{'again' if forwards else 'back'}: {self._name(step.held_by)} {step.reason}."
            )
        n_steps = 1 if forwards else -1
        with self._writing():
            for other in step.image_ids:
                if other != image_id:
                    self._pass_over(other, n_steps)
            edit = self._take_step(image_id, n_steps)
        if edit is None:
            raise ValueError(f"image {image_id} has no step there")
        return step, edit

    def _pass_over(self, image_id: int, n_steps: int) -> None:
        """Take a step without reading its pixels, which nobody looks at."""
        place = self._place(image_id)
        goal = place.position + n_steps
        seq = max(goal, place.position)
        ((_, label, payload, _),) = self._read_payloads(image_id, seq, seq)
        try:
            before, after = decode_segments(payload)
        except ValueError as error:
            raise self._bad_edit(image_id, seq, error) from error
        edit = Edit(0, 0, _NOTHING, _NOTHING, before, after, label)
        self._go_to(place, goal, [edit if n_steps > 0 else edit.inverted()])

    def _name(self, image_id: int) -> str:
        """An image as a sentence names it."""
        statement = "SELECT path, frame FROM image WHERE id = ?"
        ((path, frame),) = self._execute(statement, image_id)
        name = PurePosixPath(path).name
        return name if frame is None else f"{name} #{frame + 1}"

    def _new_joint_step(self) -> int:
        number = int(self._setting(_LAST) or 0) + 1
        self._put_setting(_LAST, str(number))
        return number


def push_over_frames(
    store: ProjectJointSteps, edits: Mapping[int, Edit], label: str, author: Author = A_PERSON
) -> None:
    """Commit one edit in each of several images as one step of undo.

    Args:
        edits: by image, each made for its present map.
        label: of all of them, as the history shows it.
    """
    named = {image_id: replace(edit, label=label) for image_id, edit in edits.items()}
    store.append_joint(named, author=author)
