"""A table of qualities for a person to read."""

from rich.markup import escape
from rich.table import Table

from core.quality import CategoryQuality, Quality, QualityReport


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


def _percents(quality: Quality | CategoryQuality) -> list[str]:
    return [f"{100 * value:.1f}" for value in (quality.pq, quality.sq, quality.rq)]
