"""A folder of COCO panoptic files that a run fills image by image and can take up again.

    OUT/panoptic.json   all maps, written when the run ends or is stopped
    OUT/panoptic/       a PNG an image
    OUT/segment.jsonl   what the maps are made with, then one line for each finished image

A map counts once its line is written, which is after its PNG. So wherever a run is killed, the
JSON names only PNGs that are whole and as it says, or it is absent until the run goes on.

Several processes may run at the same time and share the images. Each holds a lock file in
`.claims/` for the image that it works on, and one on the folder while it reads or writes lines;
the system releases both when a process ends, however, so there is nothing that expires.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from core.coco import CocoEntry, CocoItem, coco_document, write_item, writing
from core.durable import replace_file
from core.errors import CocoError
from core.file_lock import holding
from core.panoptic import Category, PanopticMap
from core.shared_lines import SharedLines
from core.work_list import claim_each

FORMAT: Final = "bitbrush-segment-1"


@dataclass(frozen=True, slots=True)
class FinishedImage:
    """An image file as it was, and what the JSON says of its map."""

    n_bytes: int
    changed_ns: int
    image: Mapping[str, Any]
    annotation: Mapping[str, Any]

    @property
    def name(self) -> str:
        return self.image["file_name"]

    @property
    def png_name(self) -> str:
        return self.annotation["file_name"]


class OutputFolder:
    """The maps of a run and of earlier runs that made theirs in the same way.

    Several processes may fill one folder, each with an object of its own.

    Attributes:
        index: the COCO panoptic JSON.
        notice: why all images are segmented again; empty if they are not.
    """

    def __init__(
        self,
        folder: Path,
        images: Sequence[Path],
        recipe: Mapping[str, Any],
        categories: Sequence[Category],
    ) -> None:
        """Begin a run, take up the one that was stopped, or join the one that goes on.

        Maps made by another recipe or of an image that has changed since are removed.

        Args:
            folder: made if it is not there.
            images: at least one, all of one folder.
            recipe: what decides the maps, by name; only text and numbers.

        Raises:
            CocoError: the folder cannot be written, or holds what must not be overwritten.
        """
        self.index = folder / "panoptic.json"
        self._images = images
        self._maps = folder / "panoptic"
        self._claims = folder / ".claims"
        self._journal = SharedLines(folder / "segment.jsonl")
        self._lock = folder / "segment.lock"
        self._categories = categories
        source = str(images[0].parent.resolve())
        self._header: dict[str, Any] = {
            "format": FORMAT,
            "images": source,
            "recipe": dict(recipe),
        }
        self._stamps = {path.name: _stamp(path) for path in images}
        self._forget()
        with writing(folder):
            self._maps.mkdir(parents=True, exist_ok=True)
            with holding(self._lock):
                self.notice = self._begin()

    @property
    def left(self) -> list[Path]:
        """Images that have no map yet, in order."""
        return [path for path in self._images if path.name not in self._finished]

    @property
    def n_finished(self) -> int:
        """How many images have their map."""
        return len(self._finished)

    def claim_left(self) -> Iterator[Path]:
        """Images without a map, each kept from other processes until the next is asked for.

        See `claim_each`: all images that can have a map have one in the end.

        Raises:
            CocoError: the folder cannot be written, or someone makes its maps otherwise now.
        """
        with writing(self._claims):
            yield from claim_each(self.left, self._lock_of, self._is_finished)

    def add(
        self, path: Path, panoptic_map: PanopticMap, notes: Mapping[str, float] | None = None
    ) -> None:
        """Write the map of an image.

        Args:
            notes: what else the image's entry in the JSON says, by name.

        Raises:
            CocoError: the map cannot be written, or someone makes the maps otherwise now.
        """
        with writing(self._journal.path), holding(self._lock):
            self._catch_up()
            item = CocoItem(self._next_id, path.name, panoptic_map)
            entry = write_item(self._maps, item, self._categories, self._taken)
            image = {**entry.image, **(notes or {})}
            finished = FinishedImage(*self._stamps[path.name], image, entry.annotation)
            self._journal.append(_line(asdict(finished)))
            self._note(finished)

    def write_index(self) -> None:
        """Write the JSON of all maps so far.

        Raises:
            CocoError: the file cannot be written.
        """
        with writing(self.index), holding(self._lock):
            self._catch_up()
            entries = [CocoEntry(f.image, f.annotation) for f in self._finished.values()]
            document = coco_document(entries, self._categories)
            replace_file(self.index, json.dumps(document).encode())

    def catch_up(self) -> None:
        """Look at what other processes have finished.

        Raises:
            CocoError: someone makes the maps otherwise now.
        """
        with writing(self._journal.path), holding(self._lock):
            self._catch_up()

    def _lock_of(self, path: Path) -> Path:
        return self._claims / f"{path.name}.lock"

    def _is_finished(self, path: Path) -> bool:
        self.catch_up()
        return path.name in self._finished

    def _begin(self) -> str:
        """Drop earlier maps that cannot be kept; say why if that is all. The lock is held."""
        header, finished = self._take_up()
        notice = _differences(header["recipe"], self._header["recipe"])
        kept = [f for f in finished if not notice and self._is_current(f)]
        names = {f.name for f in kept}
        self._remove(f for f in finished if f.name not in names)
        generation = header.get("generation", 0)
        if len(kept) < len(finished) or header != self._header | {"generation": generation}:
            header = self._header | {"generation": generation + 1}
            lines = [header, *map(asdict, kept)]
            replace_file(self._journal.path, "".join(map(_line, lines)).encode())
        self._catch_up()
        return notice

    def _take_up(self) -> tuple[dict[str, Any], list[FinishedImage]]:
        """Read the journal of the last run, if there was one."""
        if not self._journal.path.exists():
            if self.index.exists() or any(self._maps.iterdir()):
                raise CocoError(
                    f"{self.index.parent} holds panoptic maps that 'bitbrush segment' did not "
                    "write; choose another folder with --out."
                )
            return self._header, []
        header, finished = _read_journal(self._journal.path)
        if header["images"] != self._header["images"]:
            raise CocoError(
                f"{self.index.parent} holds the maps of the images in {header['images']}; "
                "choose another folder with --out."
            )
        return header, finished

    def _catch_up(self) -> None:
        """Take over what is finished; the lock is held."""
        header, lines = self._journal.read_new()
        if header is not None:
            self._forget()
            difference = _differences(json.loads(header)["recipe"], self._header["recipe"])
            if difference:
                raise CocoError(
                    f"Someone fills {self.index.parent} in another way now ({difference}); "
                    "choose another folder with --out."
                )
        for line in lines:
            self._note(FinishedImage(**json.loads(line)))

    def _forget(self) -> None:
        self._finished: dict[str, FinishedImage] = {}
        self._taken: set[str] = set()
        self._next_id = 1

    def _note(self, finished: FinishedImage) -> None:
        self._finished[finished.name] = finished
        self._taken.add(finished.png_name.casefold())
        self._next_id = max(self._next_id, finished.image["id"] + 1)

    def _is_current(self, finished: FinishedImage) -> bool:
        """Whether a map is still there and its image, if asked for now, the same as then."""
        stamp = finished.n_bytes, finished.changed_ns
        is_same = self._stamps.get(finished.name, stamp) == stamp
        return is_same and (self._maps / finished.png_name).is_file()

    def _remove(self, outdated: Iterable[FinishedImage]) -> None:
        """Remove maps, and before them the JSON that names them."""
        for finished in outdated:
            self.index.unlink(missing_ok=True)
            (self._maps / finished.png_name).unlink(missing_ok=True)


def _stamp(path: Path) -> tuple[int, int]:
    """Size and time of change, by which an image that was written anew is known."""
    try:
        status = path.stat()
    except OSError:
        return -1, 0  # reading it will say what is wrong
    return status.st_size, status.st_mtime_ns


def _line(fields: Mapping[str, Any]) -> str:
    return json.dumps(fields) + "\n"


def _read_journal(path: Path) -> tuple[dict[str, Any], list[FinishedImage]]:
    """The header and the finished images; a last line that was cut short is left out."""
    try:
        first, *lines = path.read_text(encoding="utf-8").split("\n")[:-1] or [""]
        header = json.loads(first)
        finished = [FinishedImage(**json.loads(line)) for line in lines]
        is_ours = header["format"] == FORMAT and header.keys() >= {"images", "recipe"}
    except (KeyError, TypeError, ValueError, AttributeError):
        is_ours = False
    if not is_ours:
        raise CocoError(
            f"{path} is damaged or of another version; choose another folder with --out."
        )
    return header, finished


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """What has changed, as `steps 10 -> 20, seed 0 -> 1`."""
    return ", ".join(
        f"{name} {old.get(name)} -> {value}"
        for name, value in new.items()
        if old.get(name) != value
    )
