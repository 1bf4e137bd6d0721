"""docs/experiments.md: tables, error bars and what follows from them, beside the paper's."""

import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Final

from core.durable import replace_file
from training.charts import Chart, draw_charts, picture_size, to_svg

Result = Mapping[str, Any]
PICTURE: Final = "images/experiments.svg"
USUAL: Final = {
    "b": 0.5,
    "p": 0.4,
    "is_l2": False,
    "is_plain": False,
    "steps": 20,
    "td": 8.0,
}
REMARKS: Final = "## What differs from the paper"
APART: Final = 2.8  # standard errors: 5 % of a t-test with three seeds on each side
COMMAND: Final = "python -m benchmarks.experiments --data ../shared/data/nuclei --out DIR"


@dataclass(frozen=True, slots=True)
class Sweep:
    """One field of the results that varies while all others are as usual.

    Attributes:
        paper: the paper's PQ of COCO by value of the field, in percent; source says from where.
        others: fields that are not as usual here.
    """

    title: str
    field: str
    values: Sequence[Any]
    paper: Mapping[Any, float]
    source: str
    others: Mapping[str, Any]
    name_of: Callable[[Any], str] = "{:g}".format


TABLE_1: Final = {5: 47.5, 10: 49.4, 20: 50.3, 50: 50.2}
N_STEPS: Final = (1, 2, 5, 10, 20, 50)
SWEEPS: Final = (
    Sweep(
        "Input scale b",
        "b",
        (0.03, 0.1, 0.3, 0.5, 1.0),
        {0.03: 40.8, 0.1: 43.9, 0.3: 38.7, 1.0: 21.3},
        "table 3",
        {},
    ),
    Sweep(
        "Cross entropy and L2",
        "is_l2",
        (False, True),
        {False: 43.9, True: 41.9},
        "table 4",
        {},
        lambda is_l2: "L2" if is_l2 else "cross entropy",
    ),
    Sweep(
        "Loss weight p",
        "p",
        (0.0, 0.2, 0.4, 0.6),
        {0.0: 40.4, 0.2: 43.9, 0.4: 43.7, 0.6: 41.3},
        "table 5",
        {},
    ),
    Sweep("Steps at td 8", "steps", N_STEPS, TABLE_1, "table 1, td 2", {"td": 8.0}),
    Sweep("Steps at td 2", "steps", N_STEPS, TABLE_1, "table 1, td 2", {"td": 2.0}),
    Sweep(
        "td at 20 steps",
        "td",
        (0.0, 1.0, 2.0, 4.0, 8.0),
        {},
        "figure 6: 2 is near the best",
        {},
    ),
)


@dataclass(frozen=True, slots=True)
class Summary:
    """Mean and standard deviation over seeds, in percent; the deviation of one seed is nan."""

    mean: float
    deviation: float
    n_seeds: int

    @classmethod
    def of(cls, values: Sequence[float]) -> "Summary":
        percent = [100 * value for value in values]
        deviation = statistics.stdev(percent) if len(percent) > 1 else math.nan
        return cls(statistics.fmean(percent), deviation, len(percent))

    def __str__(self) -> str:
        if self.n_seeds == 1:
            return f"{self.mean:.1f}"
        return f"{self.mean:.1f} ± {self.deviation:.1f}"

    def is_above(self, other: "Summary") -> bool:
        """Whether the difference is more than APART of its standard errors."""
        if min(self.n_seeds, other.n_seeds) < 2:
            return False
        variance = self.deviation**2 / self.n_seeds + other.deviation**2 / other.n_seeds
        return self.mean - other.mean > APART * math.sqrt(variance)


def summarise(
    results: Sequence[Result], sweep: Sweep, score: str = "pq_split"
) -> dict[Any, Summary]:
    """By value of the field, over the seeds that are finished; without any it is absent."""
    fixed = {**USUAL, **sweep.others}
    del fixed[sweep.field]
    found = {}
    for value in sweep.values:
        wanted = {**fixed, sweep.field: value}
        scores = [
            line[score]
            for line in results
            if all(line[name] == each for name, each in wanted.items())
        ]
        if scores:
            found[value] = Summary.of(scores)
    return found


def judge(sweep: Sweep, found: Mapping[Any, Summary]) -> str:
    """What the numbers say, and how many of the paper's orders they show."""
    if not found:
        return "Nothing is finished yet."
    best = max(found, key=lambda value: found[value].mean)
    alike = [
        sweep.name_of(value)
        for value in found
        if value != best and not found[best].is_above(found[value])
    ]
    text = f"The best mean is that of {sweep.name_of(best)}, {found[best]}"
    text += f"; not told apart from it: {', '.join(alike)}." if alike else "."
    orders = list(_compare_orders(sweep.paper, found))
    if orders:
        text += (
            f" Pairs of values that the paper orders: {orders.count('same')} are in its order "
            f"here, {orders.count('reversed')} in the reverse, and for {orders.count('open')} "
            f"the difference is below {APART} standard errors or there are too few seeds."
        )
    return text


def _compare_orders(paper: Mapping[Any, float], found: Mapping[Any, Summary]) -> Iterator[str]:
    for one, other in combinations([value for value in found if value in paper], 2):
        high, low = (one, other) if paper[one] > paper[other] else (other, one)
        if found[high].is_above(found[low]):
            yield "same"
        else:
            yield "reversed" if found[low].is_above(found[high]) else "open"


def make_table(results: Sequence[Result], sweep: Sweep) -> list[str]:
    """A heading, a table, and what it says."""
    split, whole = (summarise(results, sweep, score) for score in ("pq_split", "pq"))
    rows = [
        f"## {sweep.title}",
        "",
        f"| | PQ, split into parts | PQ, ids as they are | seeds | paper, {sweep.source} |",
        "|---|---|---|---|---|",
    ]
    for value in sweep.values:
        paper = f"{sweep.paper[value]:.1f}" if value in sweep.paper else ""
        cells = ["", "", "0"]
        if value in split:
            cells = [str(split[value]), str(whole[value]), str(split[value].n_seeds)]
        rows.append(f"| {' | '.join([sweep.name_of(value), *cells, paper])} |")
    return [*rows, "", judge(sweep, split), ""]


def make_charts(results: Sequence[Result]) -> list[Chart]:
    """PQ over b, p, steps and td, with the deviation over seeds."""
    by_title = {sweep.title: summarise(results, sweep) for sweep in SWEEPS}
    wanted = (
        ("PQ over b", {"here": by_title["Input scale b"]}, True),
        ("PQ over p", {"here": by_title["Loss weight p"]}, False),
        (
            "PQ over steps",
            {"td 8": by_title["Steps at td 8"], "td 2": by_title["Steps at td 2"]},
            True,
        ),
        ("PQ over td", {"here": by_title["td at 20 steps"]}, False),
    )
    charts = []
    for title, found, is_logarithmic in wanted:
        curves = {
            name: [(value, summary.mean) for value, summary in line.items()]
            for name, line in found.items()
            if line
        }
        spreads = {
            name: [0.0 if s.n_seeds == 1 else s.deviation for s in found[name].values()]
            for name in curves
        }
        if curves:
            charts.append(
                Chart(title, curves, is_logarithmic_across=is_logarithmic, spreads=spreads)
            )
    return charts


def write_page(docs: Path, results: Sequence[Result]) -> None:
    """Write docs/experiments.md and its picture; remarks at its end stay as they are.

    Raises:
        ValueError: nothing is finished.
    """
    if not results:
        raise ValueError("no run is finished; run the experiments first")
    charts = make_charts(results)
    drawing = draw_charts("Nucleus PQ in percent, bars: one deviation", charts)
    (docs / PICTURE).parent.mkdir(parents=True, exist_ok=True)
    replace_file(docs / PICTURE, to_svg(drawing, picture_size(len(charts))))
    lines = [
        *_introduce(results),
        *(line for sweep in SWEEPS for line in make_table(results, sweep)),
        f"![PQ over b, p, steps and td]({PICTURE})",
        "",
        *_tell_plain(results),
    ]
    page = docs / "experiments.md"
    replace_file(page, "\n".join([*lines, *_read_remarks(page)]).encode())


def _read_remarks(page: Path) -> list[str]:
    """What a person wrote about the results, under a heading of its own."""
    text = page.read_text() if page.exists() else ""
    _, heading, remarks = text.partition(REMARKS)
    return [heading + remarks] if heading else []


def _introduce(results: Sequence[Result]) -> list[str]:
    minutes, pictures = _all_of(results, "minutes"), _all_of(results, "pictures")
    steps = [line["train_steps"] for line in results]
    scope = (
        f"The paper's ablations on fluorescence pictures of nuclei, 256 x 256: {minutes} CPU "
        f"minutes a run on one thread, {min(steps)} to {max(steps)} steps, and nucleus PQ in "
        f"percent, mean ± standard deviation over seeds, on {pictures} pictures of val. What "
        "is not said is b 0.5, p 0.4, cross entropy, 20 steps, td 8."
    )
    fairness = (
        "The network is that of `nuclei` with evidence over two windows, so b, p and the loss "
        "act on another head than the paper's, and for minutes instead of 100 epochs of COCO: "
        "orders may be compared, not numbers. Cross entropy and L2 have the same network, "
        "evidence included: L2 is between the true bits and those that its log-odds lead to "
        "expect. p weighs the id bits alone. A seed changes weights, views and noise in "
        "training; the noise that maps are drawn from is the same for all."
    )
    conditions = (
        f"`{COMMAND} --minutes {minutes}`, then with `--report`; commit "
        f"{_all_of(results, 'commit')}, torch {_all_of(results, 'torch')}, "
        f"{_tell_machines(results)}."
    )
    return ["# Experiments", "", scope, "", fairness, "", conditions, ""]


def _all_of(results: Sequence[Result], field: str) -> str:
    """The values of a field, each once."""
    values = dict.fromkeys(line[field] for line in results)
    return " / ".join(f"{v:g}" if isinstance(v, float) else str(v) for v in values)


def _tell_machines(results: Sequence[Result]) -> str:
    """Each machine once, with the smallest and the largest load that it had."""
    loads: dict[str, list[float]] = {}
    for line in results:
        name, _, rest = line["machine"].partition(", load ")
        loads.setdefault(name, []).extend(float(word) for word in rest.split()[:1])
    return " / ".join(
        f"{name}, load {min(found):g} to {max(found):g} at the start" if found else name
        for name, found in loads.items()
    )


def _tell_plain(results: Sequence[Result]) -> list[str]:
    heading = "## The paper's plain head"
    plain = [line for line in results if line["is_plain"]]
    if not plain:
        return [heading, "", "Not run yet.", ""]
    split, whole = (Summary.of([line[score] for line in plain]) for score in ("pq_split", "pq"))
    text = (
        "The same network without evidence, one softmax a channel, b 0.1, p 0.2 for all bits, "
        f"after the same minutes: PQ {whole} with ids as they are and {split} when they are "
        f"split into parts; {whole.n_seeds} {'seed' if whole.n_seeds == 1 else 'seeds'}."
    )
    return [heading, "", text, ""]
