"""The files behind the images: whether they are as they were, and where they are when moved.

An edit belongs to the pixels that somebody saw, so a project remembers a fingerprint of each
file: its size and a hash of its beginning and end, which is read at once however large it is.
"""

import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Final

from core.errors import ProjectError
from core.project_images import ProjectImages, check_text

_PART: Final = 65_536  # bytes hashed at each end


class SourceState(StrEnum):
    """What has become of the file of an image since it was looked at first."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class RelinkPlan:
    """Where missing images would be found.

    Attributes:
        found: image id -> its file now.
        not_found: ids of images of which the folder has no file, or one of other content.
        unclear: ids of images that more than one file could be, or that share a file.
    """

    found: dict[int, Path] = field(default_factory=dict)
    not_found: list[int] = field(default_factory=list)
    unclear: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Missing:
    """An image whose file is not where it was."""

    id: int
    path: PurePosixPath
    frame: int | None
    fingerprint: str


def fingerprint(path: Path) -> str:
    """Size and hash of a file, enough to tell that it is another one.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        digest = hashlib.blake2b(file.read(_PART), digest_size=12)
        if size > _PART:
            file.seek(max(size - _PART, _PART))
            digest.update(file.read(_PART))
    return f"{size}-{digest.hexdigest()}"


class ProjectSources(ProjectImages):
    """The part of `AnnotationStore` about the files of images."""

    def check_source(self, image_id: int) -> SourceState:
        """Compare the file of an image with what it was when this was asked first."""
        path = self.image_record(image_id).path
        try:
            now = fingerprint(path)
        except OSError:
            return SourceState.MISSING
        known = self._fingerprint(image_id)
        if not known:
            self._remember(image_id, now)
        return SourceState.UNCHANGED if known in {"", now} else SourceState.CHANGED

    def accept_source(self, image_id: int) -> None:
        """Take the file of an image as it is now for the one that belongs to its map.

        Raises:
            ProjectError: the file cannot be read.
        """
        path = self.image_record(image_id).path
        try:
            self._remember(image_id, fingerprint(path))
        except OSError as error:
            raise ProjectError(
                f"The image {path} cannot be read ({error.strerror}); put it back or relink it."
            ) from error

    def find_missing(self) -> list[int]:
        """The ids of images whose file is not there, in order."""
        folder = self.path.parent
        return [
            missing.id for missing in self._sources() if not (folder / missing.path).is_file()
        ]

    def plan_relink(self, folder: Path) -> RelinkPlan:
        """Look for the missing images among the files below a folder; nothing is changed.

        A file is an image's if it has its name and, as far as it is known, its fingerprint; of
        several, the one that has most of the folders above it in common. An image of which
        that leaves two, and images that it leaves the same file, are unclear.

        Raises:
            ProjectError: the folder cannot be read.
        """
        wanted = set(self.find_missing())
        missing = [source for source in self._sources() if source.id in wanted]
        files = _files_named(folder, {source.path.name for source in missing})
        plan = RelinkPlan()
        for source in missing:
            matches = _best_matches(source, files[source.path.name])
            if len(matches) == 1:
                plan.found[source.id] = matches[0]
            else:
                (plan.unclear if matches else plan.not_found).append(source.id)
        return self._without_clashes(plan, missing)

    def relink(self, found: Mapping[int, Path]) -> None:
        """Give images other files, all or none.

        Args:
            found: image id -> its file; `RelinkPlan.found`, or what a person chose.

        Raises:
            ProjectError: the file is that of another image of the project.
        """
        names = self._portable_names(list(found.values()))
        check_text(names)
        with self._writing():
            taken = {}
            for image_id in found:  # set aside, as one may take over another's name
                frame = self._image_row(image_id)[2]
                taken[image_id] = frame
                self._execute(
                    "UPDATE image SET path = ? WHERE id = ?", f":{image_id}", image_id
                )
            for image_id, name in zip(found, names, strict=True):
                if self._find(name, taken[image_id]) is not None:
                    raise ProjectError(
                        f"{name} is another image of this project already; choose another file."
                    )
                self._execute("UPDATE image SET path = ? WHERE id = ?", name, image_id)

    def _without_clashes(self, plan: RelinkPlan, missing: Sequence[_Missing]) -> RelinkPlan:
        """The plan without files that would be the source of two images."""
        frames = {source.id: source.frame for source in missing}
        names = dict(
            zip(plan.found, self._portable_names(list(plan.found.values())), strict=True)
        )
        counts = Counter((name, frames[image_id]) for image_id, name in names.items())
        for image_id, name in names.items():
            place = name, frames[image_id]
            if counts[place] > 1 or self._find(*place) is not None:
                del plan.found[image_id]
                plan.unclear.append(image_id)
        return plan

    def _sources(self) -> Iterator[_Missing]:
        rows = self._execute("SELECT id, path, frame, fingerprint FROM image ORDER BY id")
        for id_, path, frame, known in rows:
            yield _Missing(id_, PurePosixPath(path), frame, known)

    def _find(self, name: str, frame: int | None) -> int | None:
        statement = "SELECT id FROM image WHERE path = ? AND coalesce(frame, -1) = ?"
        rows = self._execute(statement, name, -1 if frame is None else frame)
        return rows[0][0] if rows else None

    def _fingerprint(self, image_id: int) -> str:
        return self._image_row(image_id)[8]

    def _remember(self, image_id: int, now: str) -> None:
        with self._writing():
            self._execute("UPDATE image SET fingerprint = ? WHERE id = ?", now, image_id)


def _files_named(folder: Path, names: set[str]) -> dict[str, list[Path]]:
    """The files below a folder that have one of these names."""

    def fail(error: OSError) -> None:
        if error.filename == str(folder):
            raise ProjectError(
                f"The folder {folder} cannot be read ({error.strerror}); choose another one."
            ) from error

    files = defaultdict(list)
    for parent, folders, there in os.walk(folder, onerror=fail):
        folders.sort()
        for name in names.intersection(there):
            files[name].append(Path(parent) / name)
    return files


def _best_matches(source: _Missing, files: Sequence[Path]) -> list[Path]:
    """Of files with the name of an image, those that it could be best."""
    if source.fingerprint:
        same = [path for path in files if _has_fingerprint(path, source.fingerprint)]
        files = same
    tails = [_n_common(source.path.parts, path.parts) for path in files]
    best = [path for path, tail in zip(files, tails, strict=True) if tail == max(tails)]
    return best[:1] if source.fingerprint else best  # copies of one file are all the same


def _has_fingerprint(path: Path, wanted: str) -> bool:
    try:
        return wanted.startswith(f"{path.stat().st_size}-") and fingerprint(path) == wanted
    except OSError:
        return False


def _n_common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many parts at the end of two paths are equal."""
    n = 0
    while n < min(len(one), len(other)) and one[-1 - n] == other[-1 - n]:
        n += 1
    return n
