"""A damaged project: what can be read of it goes into a new one, and it is kept aside.

Per image, the edits are replayed up to the first that is lost; from there the next snapshot
takes the map on, as one step. Nothing is made up: a map is one that the image once had.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from core.errors import ProjectError
from core.groups import folder_of, origin_of
from core.history import difference
from core.journal import decode_edit, decode_map, encode_edit
from core.panoptic import Category, Edit, PanopticMap
from core.project_categories import ProjectCategories, parse_color
from core.review import VERDICTS, Review
from core.salvage import Salvage, salvage
from core.schema import lock_project, new_database
from core.set_aside import finish_setting_aside, recovered_path, set_aside
from core.snapshots import ProjectSnapshots

_MAX_PIXELS: Final = 2**30  # a map beyond that was never made
MAX_NAMED: Final = 5  # images, in the sentence
_GREY: Final = (128, 128, 128)


@dataclass(slots=True)
class RecoveryReport:
    """What was found in a damaged project, and what was not.

    Attributes:
        path: of the project.
        kept_aside: where the damaged file is now.
        n_images, n_steps: recovered, and steps that can be undone or redone.
        n_lost_steps: that are gone, or are one step now with others.
        hurt: names of images whose history has such a gap or ends early; they are to be
            reviewed again.
        n_lost_images: of which only edits were found.
        n_lost_categories: that were named anew, as segments need them.
    """

    path: Path
    kept_aside: Path
    n_images: int = 0
    n_steps: int = 0
    n_lost_steps: int = 0
    hurt: list[str] = field(default_factory=list)
    n_lost_images: int = 0
    n_lost_categories: int = 0

    def __str__(self) -> str:
        lost = [
            f"{number} {what}"
            for number, what in (
                (self.n_lost_steps, f"steps in {len(self.hurt)} of the images"),
                (self.n_lost_images, "images"),
                (self.n_lost_categories, "names of categories"),
            )
            if number
        ]
        loss = f"{' and '.join(lost)} could not be read" if lost else "all could be read"
        named = ", ".join(self.hurt[:MAX_NAMED])
        more = len(self.hurt) - MAX_NAMED
        again = (
            f" Review again: {named}{f' and {more} more' if more > 0 else ''}." if named else ""
        )
        return (
            f"{self.n_images} images with {self.n_steps} steps were recovered in {self.path}; "
            f"{loss}.{again} The damaged file is kept as {self.kept_aside.name}."
        )


@dataclass(slots=True)
class _Journal:
    """The history of an image as far as it can be followed."""

    map: PanopticMap
    base: int
    first: bytes  # the map at the base as it is kept; of no use at 0
    # Label, pixels, payload and author of each.
    steps: list[tuple[str, int, bytes, int | None]] = field(default_factory=list)
    n_in_effect: int = 0
    n_lost: int = 0

    def try_edit(self, row: tuple[Any, ...] | None) -> bool:
        """Add an edit if there is one and it was made for this state of the map."""
        if row is None:
            return False
        _, _, label, _, payload, author_id = row
        try:
            self.add(decode_edit(payload, label), payload, author_id)
        except ValueError:
            return False
        return True

    def add(self, edit: Edit, payload: bytes, author_id: int | None = None) -> None:
        self.map.apply(edit)
        self.steps.append((edit.label, edit.before.size, payload, author_id))


def follow(
    image: tuple[Any, ...],
    edits: Mapping[int, tuple[Any, ...]],
    snapshots: Mapping[int, bytes],
) -> _Journal:
    """Go through the history of an image to its present position, and on to what can be redone.

    Args:
        image: its row.
        edits: rows by number; some may be missing.
        snapshots: payloads by number; some may be missing.
    """
    _, _, _, height, width, position, _, _, _, base, *_ = image
    maps = _Maps(height, width, snapshots)
    at, map = (0, PanopticMap.empty(height, width)) if base == 0 else maps.next(base, position)
    if map is None:
        void = PanopticMap.empty(height, width)
        return _Journal(void, 0, b"", n_lost=max(position - base, 1))
    journal = _Journal(map, at, snapshots.get(at, b""), n_lost=at - base)
    while at < position:
        if journal.try_edit(edits.get(at + 1)):
            at += 1
            continue
        later, map = maps.next(at + 1, position)
        if map is None:
            break
        bridge = difference(journal.map, map, "recovered")
        journal.add(bridge, encode_edit(bridge))
        journal.n_lost += later - at
        at = later
    journal.n_in_effect = len(journal.steps)
    _follow_redo(journal, at, position, edits)
    return journal


def _follow_redo(
    journal: _Journal, at: int, position: int, edits: Mapping[int, tuple[Any, ...]]
) -> None:
    here = journal.map
    journal.map = here.copy()
    while at >= position and journal.try_edit(edits.get(at + 1)):
        at += 1
    journal.map = here
    journal.n_lost += max(max(edits, default=0), position) - at


class _Maps:
    """The snapshots of an image that can be read."""

    def __init__(self, height: int, width: int, snapshots: Mapping[int, bytes]) -> None:
        self._size = height, width
        self._snapshots = snapshots

    def next(self, first: int, last: int) -> tuple[int, PanopticMap | None]:
        """The first one after an edit of that range, and which; None if there is none."""
        for seq in sorted(self._snapshots):
            if first <= seq <= last:
                with suppress(ValueError):
                    return seq, decode_map(self._snapshots[seq], *self._size)
        return last, None


def recover_project(path: Path) -> RecoveryReport:
    """Put a new project with all that can be read in the place of a damaged one.

    Raises:
        ProjectError: nothing can be read, or the folder cannot be written; the file is as it
            was.
    """
    path = path.resolve()
    lock = lock_project(path)
    try:
        finish_setting_aside(path)
        found = salvage(path)
        if not found.images and not found.categories:
            raise ProjectError(
                f"Nothing can be read in {path}, and it was left as it is; put a backup in its "
                "place."
            )
        report = RecoveryReport(path, path)
        recovered_path(path).unlink(missing_ok=True)
        with new_database(recovered_path(path)) as connection:
            _Draft(path, connection).fill(found, report)
        report.kept_aside = set_aside(path)
    except OSError as error:
        raise ProjectError(
            f"The project {path} cannot be recovered there ({error.strerror}); copy it to "
            "another folder and try again."
        ) from error
    finally:
        lock.release()
    return report


class _Draft(ProjectCategories, ProjectSnapshots):
    """The new project while it is written."""

    def fill(self, found: Salvage, report: RecoveryReport) -> None:
        used: set[int] = set()
        places: set[tuple[str, int | None]] = set()
        hurt = set[int]()
        self._add_makers(found)
        for image_id, row in sorted(found.images.items()):
            place = row[1], row[2]
            if place in places or not 0 < row[3] * row[4] <= _MAX_PIXELS or row[3] < 0:
                continue
            places.add(place)
            edits = found.edits.get(image_id, {})
            journal = follow(row, edits, found.snapshots.get(image_id, {}))
            self._add_image(row, journal, found)
            used.update(segment.category_id for segment in journal.map.segments.values())
            report.n_images += 1
            report.n_steps += len(journal.steps)
            report.n_lost_steps += journal.n_lost
            if journal.n_lost:
                report.hurt.append(Path(row[1]).name)
                hurt.add(image_id)
        self._add_corrections(found, hurt)
        report.n_lost_images = len((found.edits.keys() | found.images) - self._image_ids())
        report.n_lost_categories = self._add_categories(found.categories.values(), used)
        for name, value in found.settings.items():
            self._set_setting(name, value)

    def _image_ids(self) -> set[int]:
        return {id_ for (id_,) in self._execute("SELECT id FROM image")}

    def _add_makers(self, found: Salvage) -> None:
        """Authors and versions of models, which rows of images refer to."""
        with self._writing():
            for _, row in sorted(found.authors.items()):
                self._insert("author", *row)
            for _, version in sorted(found.model_versions.items()):
                *rest, parent, scores, created = version
                known = parent if parent in found.model_versions else None
                self._insert("model_version", *rest, known, scores, created)

    def _add_image(self, row: tuple[Any, ...], journal: _Journal, found: Salvage) -> None:
        image_id, path, frame, height, width, _, next_id, _, fingerprint, *_ = row
        base, position = journal.base, journal.base + journal.n_in_effect
        size = (image_id, path, frame, height, width)
        more = _find_more(row, has_loss=journal.n_lost > 0)
        with self._writing():
            state = next_id, Review.EMPTY.value, fingerprint, base, 0
            self._insert("image", *size, position, *state, *more)
            for seq, (label, n_pixels, payload, author) in enumerate(journal.steps, base + 1):
                author_id = author if author in found.authors else None
                self._insert("edit", image_id, seq, label, n_pixels, payload, author_id)
            if base:
                self._keep_snapshot(image_id, base, journal.first)
                if plane := found.provenances.get(image_id, {}).get(base):
                    self._insert("provenance", *plane)
            review = self._find_review(self._place(image_id)).value
            self._execute("UPDATE image SET review = ? WHERE id = ?", review, image_id)
        self._set_content(image_id, journal.map.segments.values())
        if self.needs_snapshot(image_id):
            self.take_snapshot(image_id)

    def _add_corrections(self, found: Salvage, hurt: set[int]) -> None:
        images = self._image_ids() - hurt
        with self._writing():
            for _, row in sorted(found.corrections.items()):
                if row[1] in images and row[3] in found.authors:
                    self._insert("correction", *row)

    def _add_categories(self, rows: Iterable[tuple[Any, ...]], used: set[int]) -> int:
        """Those of the file, and one for each that segments have and the file has lost."""
        listed: list[Category] = []
        former: list[Category] = []
        for id_, place, name, is_thing, color, *rest in sorted(rows, key=lambda row: row[1]):
            rgb = _GREY
            with suppress(ValueError):
                rgb = parse_color(color)
            category = Category(id_, name, bool(is_thing), rgb, *rest)
            (listed if place >= 0 else former).append(category)
        lost = sorted(used - {category.id for category in (*listed, *former)})
        listed += [
            Category(id_, f"recovered {id_}", is_thing=True, color=_GREY) for id_ in lost
        ]
        self.set_categories([*former, *listed])
        self.set_categories(listed)
        return len(lost)


def _find_more(row: tuple[Any, ...], *, has_loss: bool) -> tuple[Any, ...]:
    """The columns of an image that the third version has added.

    What was said of an image that has lost edits is to be said again.
    """
    path, frame, position, review = row[1], row[2], row[5], row[7]
    reason, changed_at, verdict, verdict_at, folder, origin, _, model, held_out, work = row[11:]
    if verdict is None:  # written by an earlier version
        reason, changed_at, model = "", 0, ""
        verdict, verdict_at = (review, position) if review in VERDICTS else ("", 0)
        folder, origin = folder_of(path, frame), origin_of(path, frame)
    if has_loss:
        reason, verdict, verdict_at, model = "", "", 0, ""
    where = folder, origin
    return (reason, changed_at, verdict, verdict_at, *where, 0, model, held_out, work)
