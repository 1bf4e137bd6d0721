"""Charts show round values, and one point or one value as well as many."""

import io
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from training.charts import Axis, Chart, draw_charts, picture_size, to_png, to_svg
from training.plot import bin_means


@pytest.mark.parametrize(
    ("values", "is_logarithmic", "ticks"),
    [
        ([0, 6000], False, [0, 1000, 2000, 3000, 4000, 5000, 6000]),
        ([0.31, 0.57], False, [0.3, 0.35, 0.4, 0.45, 0.5, 0.55]),
        ([-1, 1], False, [-1, -0.5, 0, 0.5, 1]),
        ([0.01, 2], True, [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2]),
        ([0.0, 2], True, [0, 0.5, 1, 1.5, 2]),
        ([2.07, 2.08], True, [2.07, 2.072, 2.074, 2.076, 2.078, 2.08]),
    ],
)
def test_ticks_are_round_and_a_scale_is_logarithmic_only_above_zero(
    values, is_logarithmic, ticks
):
    axis = Axis.over(values, is_logarithmic=is_logarithmic)
    assert axis.ticks() == pytest.approx(ticks)
    shares = [axis.share(value) for value in values]
    assert shares == pytest.approx([0.04 / 1.08, 1 - 0.04 / 1.08])


@pytest.mark.parametrize("points", [[(1, 0.0)], [(1, 0.5)], [(1, 3.0), (2, 3.0)]])
def test_one_point_and_one_value_are_drawn(points):
    shapes = draw_charts("a < b", [Chart("loss", {"x": points}, is_logarithmic=True)])
    size = picture_size(1)
    drawing = ET.fromstring(to_svg(shapes, size))  # noqa: S314 - our own text
    assert next(drawing.iter("{http://www.w3.org/2000/svg}text")).text == "a < b"
    image = np.array(Image.open(io.BytesIO(to_png(shapes, size))))
    blue = (image[..., 2] > image[..., 0] + 60).sum()
    assert image.shape == (*size[::-1], 3) and blue > 10


def test_many_points_become_means_of_neighbours():
    points = [(k, k % 2) for k in range(1000)]
    means = bin_means(points, 100)
    assert len(means) == 100 and means[0] == (4.5, 0.5)


def test_a_spread_is_an_upright_line_that_the_axis_has_room_for():
    chart = Chart(
        "PQ", {"x": [(1, 2.0), (100, 3.0)]}, is_logarithmic_across=True, spreads={"x": [0, 9]}
    )
    assert chart.bars("x") == [[(100, -6.0), (100, 12.0)]]
    shapes = draw_charts("t", [chart])
    *_, bar = (shape for shape in shapes if hasattr(shape, "points"))
    (x, low), (same_x, high) = bar.points
    assert x == same_x and 0 < high < low < picture_size(1)[1]
