"""A table of qualities for a person to read."""

from typing import Final

from rich.markup import escape
from rich.table import Table

from core.object_quality import Measure
from core.quality import CategoryQuality, Quality, QualityReport
from core.video_evaluation import ClipReport

PROTOCOLS: Final = (
    "in percent, of n objects; assigned by the unsupervised protocol, own ids by the "
    "semi-supervised one"
)


def tabulate(report: QualityReport, title: str | None = None) -> Table:
    """The means, then every category that occurs; qualities in percent."""
    columns = ("", "PQ", "SQ", "RQ", "categories", "TP", "FP", "FN")
    table = Table(*columns, title=title, caption="in percent")
    for column in table.columns[1:]:
        column.justify = "right"
    means = {"All": report.all, "Things": report.things, "Stuff": report.stuff}
    for name, mean in means.items():
        table.add_row(name, *_percents(mean), str(mean.n))
    table.add_section()
    for quality in report.per_category.values():
        if quality.occurs:
            counts = (str(count) for count in (quality.tp, quality.fp, quality.fn))
            table.add_row(escape(quality.category.name), *_percents(quality), "", *counts)
    return table


def tabulate_objects(report: ClipReport) -> Table:
    """J and F of objects, with assigned and with fixed ids, and by clip; in percent."""
    columns = ("", "J&F", "J", "recall", "decay", "F", "recall", "decay", "n")
    table = Table(*columns, title="DAVIS 2017", caption=PROTOCOLS)
    table.columns[0].no_wrap = True
    for column in table.columns[1:]:
        column.justify = "right"
    rows = {"assigned": report.objects, "own ids": report.same_ids}
    for name, quality in {**rows, **report.clips}.items():
        measures = [text for measure in (quality.j, quality.f) for text in _measure(measure)]
        table.add_row(
            escape(name), f"{100 * quality.jf:.1f}", *measures, str(quality.n_objects)
        )
        if name == "own ids":
            table.add_section()
    return table


def tabulate_tracking(report: ClipReport) -> Table:
    """STQ and the two that it is the mean of, in percent."""
    table = Table("", "STQ", "AQ", "mIoU", title="KITTI-STEP", caption="in percent")
    quality = report.tracking
    values = (quality.stq, quality.association, quality.iou)
    table.add_row("all", *(f"{100 * value:.1f}" for value in values))
    return table


def _measure(measure: Measure) -> list[str]:
    return [f"{100 * value:.1f}" for value in (measure.mean, measure.recall, measure.decay)]


def _percents(quality: Quality | CategoryQuality) -> list[str]:
    return [f"{100 * value:.1f}" for value in (quality.pq, quality.sq, quality.rq)]
