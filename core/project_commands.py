"""Commands on a project without a window: export, import, recover, corrections."""

import argparse
from collections.abc import Callable
from pathlib import Path

from core.corrections import to_csv
from core.durable import replace_file
from core.errors import ProjectError
from core.export import find_json_path
from core.export_formats import ExportFormat, count_steps, export_as
from core.map_import import ImportReport, import_maps, plan_import, say_plan
from core.recovery import recover_project
from core.store import AnnotationStore
from core.terminal import DONE, DONE_IN_PART, complain, count, progress_bar, say

AddParser = Callable[..., argparse.ArgumentParser]  # of argparse, whose type is private


def add_project_commands(add_parser: AddParser) -> None:
    """Add the commands to those of a parser."""
    _add_export(add_parser("export", help="write a project's maps: COCO panoptic and others"))
    _add_import(add_parser("import", help="take COCO panoptic maps in"))
    _add_recover(add_parser("recover", help="save what a damaged project still holds"))
    _add_corrections(add_parser("corrections", help="list what correcting proposals took"))


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.description = "Write the images of a project that have been worked on."
    parser.add_argument("project", type=Path, metavar="PROJECT", help="a .bitbrush file")
    parser.add_argument("out", type=Path, metavar="OUT", help="a folder, or the JSON to write")
    parser.add_argument(
        "--format",
        choices=[layout.value for layout in ExportFormat],
        default=ExportFormat.COCO.value,
        help="coco: all images; the others: videos and numbered images (default: coco)",
    )
    parser.add_argument(
        "--provenance",
        action="store_true",
        help="say in the JSON of coco who made which part of each segment",
    )
    parser.set_defaults(run=_export)


def _export(args: argparse.Namespace) -> int:
    layout = ExportFormat(args.format)
    with (
        AnnotationStore.open(args.project, is_read_only=True) as store,
        progress_bar() as progress,
    ):
        n_done, n_steps, n_all = 0, count_steps(store), store.n_images()
        task = progress.add_task("Writing maps", total=n_steps[layout])
        for n_done in export_as(store, args.out, layout, with_provenance=args.provenance):
            progress.update(task, completed=n_done)
    if layout is not ExportFormat.COCO:
        say(f"{args.out} holds {count(n_done, 'frame')}.")
        return DONE
    untouched = count(n_all - n_done, "image")
    say(
        f"{find_json_path(args.out)} holds {count(n_done, 'map')}; without an edit or "
        f"rejected: {untouched}."
    )
    return DONE


def _add_import(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Give the images of a project the maps of a COCO panoptic file, one step of undo each."
    )
    parser.add_argument("project", type=Path, metavar="PROJECT", help="a .bitbrush file")
    parser.add_argument("json", type=Path, metavar="JSON", help="of the maps")
    parser.add_argument(
        "--replace", action="store_true", help="also the maps of images with edits"
    )
    parser.set_defaults(run=_import)


def _import(args: argparse.Namespace) -> int:
    with AnnotationStore.open(args.project) as store, progress_bar() as progress:
        plan, report = plan_import(store, args.json), ImportReport()
        task = progress.add_task("Importing maps", total=len(plan.matches))
        for so_far in import_maps(store, plan, with_worked_on=args.replace):
            report = so_far
            progress.advance(task)
    for sentence in (*say_plan(plan), *report.failures):
        complain(sentence)
    say(f"{count(report.n_images, 'image')} of {args.project} got a map.")
    return DONE_IN_PART if report.failures else DONE


def _add_recover(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Put a new project with all that can be read in the place of a damaged one, which is "
        "kept under another name."
    )
    parser.add_argument("project", type=Path, metavar="PROJECT", help="a .bitbrush file")
    parser.set_defaults(run=_recover)


def _add_corrections(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Write a CSV of what it took to correct each proposal whose image was approved: "
        "pixels, segments, gestures and active seconds."
    )
    parser.add_argument("project", type=Path, metavar="PROJECT", help="a .bitbrush file")
    parser.add_argument(
        "out", type=Path, metavar="CSV", nargs="?", help="to write (default: standard output)"
    )
    parser.set_defaults(run=_list_corrections)


def _list_corrections(args: argparse.Namespace) -> int:
    with AnnotationStore.open(args.project, is_read_only=True) as store:
        corrections = store.corrections()
    table = to_csv(corrections)
    if args.out is None:
        say(table.rstrip("\n"))
        return DONE
    try:
        replace_file(args.out, table.encode())
    except OSError as error:
        raise ProjectError(
            f"{args.out} cannot be written ({error.strerror}); choose another place."
        ) from error
    say(f"{args.out} holds {count(len(corrections), 'correction')}.")
    return DONE


def _recover(args: argparse.Namespace) -> int:
    say(str(recover_project(args.project)))
    return DONE
