"""Maps of a COCO panoptic file on their way into a project: each is one step of its image."""

from collections import defaultdict
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from core.authors import ANOTHER_PROGRAM
from core.categories import add_missing
from core.coco import CocoDataset, read_coco
from core.coco_json import CocoImage
from core.errors import CocoError
from core.export import name_image
from core.panoptic import Category, PanopticMap
from core.store import AnnotationStore, ImageRecord
from core.whole_maps import import_map


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import would do.

    Attributes:
        dataset: the file.
        matches: image of the project -> index of its map in the file.
        worked_on: those of them that have edits already.
        unmatched: file names of maps whose image the project lacks, or has in another size.
        categories: of the project, with those that it gets.
        added: those.
        to_project: the file's category ids -> the project's.
    """

    dataset: CocoDataset
    matches: Mapping[int, int]
    worked_on: frozenset[int]
    unmatched: tuple[str, ...]
    categories: tuple[Category, ...]
    added: tuple[Category, ...]
    to_project: Mapping[int, int]


@dataclass(slots=True)
class ImportReport:
    """What an import did so far.

    Attributes:
        n_images: that got a map.
        n_same: whose map was the same already.
        failures: a sentence for each map that could not be read.
    """

    n_images: int = 0
    n_same: int = 0
    failures: list[str] = field(default_factory=list)


def plan_import(store: AnnotationStore, json_path: Path) -> ImportPlan:
    """Find the images that the maps of a file belong to; nothing is changed.

    An image is found by its path from the project's folder as an export names it, else by its
    file name alone if only one image has it; sizes must be equal. Categories are the same if
    their names are; those that the project lacks are added.

    Raises:
        CocoError: the file cannot be read.
    """
    dataset = read_coco(json_path)
    ids = store.image_ids()
    records = {record.id: record for record in store.image_records(ids)}
    finder = _Finder(records.values(), store.path.parent)
    matches: dict[int, int] = {}
    unmatched = []
    for index, image in enumerate(dataset.images):
        image_id = finder.find(image)
        if image_id is None or image_id in matches:
            unmatched.append(image.file_name)
        else:
            matches[image_id] = index
    former = [category.id for category in store.former_categories]
    categories = add_missing(store.categories, dataset.categories, former)
    named = {category.name.strip().casefold(): category.id for category in categories}
    return ImportPlan(
        dataset,
        matches,
        frozenset(i for i in matches if records[i].n_edits),
        tuple(unmatched),
        categories,
        categories[len(store.categories) :],
        {c.id: named[c.name.strip().casefold()] for c in dataset.categories},
    )


def say_plan(plan: ImportPlan) -> list[str]:
    """What a plan would do, in sentences."""
    said = [f"{len(plan.matches):,} of {len(plan.dataset.images):,} maps are of the project."]
    if plan.unmatched:
        said.append(
            f"{len(plan.unmatched):,} are of images that it lacks or has in another size, such "
            f"as {plan.unmatched[0]}."
        )
    if plan.added:
        said.append(f"Categories that are added: {', '.join(c.name for c in plan.added)}.")
    if plan.worked_on:
        said.append(f"{len(plan.worked_on):,} of these images have been worked on.")
    return said


def import_maps(
    store: AnnotationStore, plan: ImportPlan, *, with_worked_on: bool
) -> Generator[ImportReport, None, None]:
    """Carry out a plan, image by image; closing it keeps what is done.

    Locked segments stay as they are. A map that cannot be read is left out and reported.

    Args:
        store: that the plan was made for.
        plan: what to do.
        with_worked_on: whether images that have edits get the file's map as well.

    Yields:
        The same report, after each image.
    """
    if plan.categories != store.categories:
        store.set_categories(plan.categories)
    stuff = {category.id for category in plan.categories if not category.is_thing}
    report = ImportReport()
    for image_id, index in plan.matches.items():
        if image_id not in plan.worked_on or with_worked_on:
            _import_one(store, plan, image_id, index, stuff, report)
        yield report


def _import_one(
    store: AnnotationStore,
    plan: ImportPlan,
    image_id: int,
    index: int,
    stuff: set[int],
    report: ImportReport,
) -> None:
    try:
        imported = _in_project(plan.dataset.load_map(index), plan.to_project)
    except CocoError as error:
        report.failures.append(str(error))
        return
    edit = import_map(store.load_map(image_id), imported, stuff)
    if edit.is_empty:
        report.n_same += 1
    else:
        store.append_edit(image_id, edit, ANOTHER_PROGRAM)
        report.n_images += 1


def _in_project(map: PanopticMap, to_project: Mapping[int, int]) -> PanopticMap:
    """A map in the project's categories."""
    segments = {
        i: replace(segment, category_id=to_project[segment.category_id])
        for i, segment in map.segments.items()
    }
    return PanopticMap(map.segment_ids, segments, map.next_id)


class _Finder:
    """Finds the image of a project that an entry of a COCO file is about."""

    def __init__(self, records: Iterable[ImageRecord], folder: Path) -> None:
        self._by_path: dict[str, ImageRecord] = {}
        self._by_name: defaultdict[str, list[ImageRecord]] = defaultdict(list)
        for record in records:
            path = name_image(record, folder)
            self._by_path[path] = record
            self._by_name[PurePosixPath(path).name].append(record)

    def find(self, image: CocoImage) -> int | None:
        name = image.file_name.replace("\\", "/")
        record = self._by_path.get(name)
        if record is None:
            named = self._by_name.get(PurePosixPath(name).name, [])
            record = named[0] if len(named) == 1 else None
        if record is None or (record.height, record.width) != (image.height, image.width):
            return None
        return record.id
